"""Sessions: fixed groups of prompts that are answered together, so that a resumed run repeats every bit."""

from collections.abc import Sequence

from harness.neural.room import rows_that_fit

SESSION = 4  # full batches of prompts in a session: a crash loses at most these
LEAST_PREFIX = 16  # tokens; a shorter common beginning is not worth its own forward pass


def sessions(lengths: Sequence[int], max_new_tokens: int, batch_tokens: int) -> list[list[int]]:
    """Return positions in groups that are answered together, the longest first, so that too little memory shows at once."""
    found: list[list[int]] = []
    limit = 0
    for at in sorted(range(len(lengths)), key=lambda at: (-lengths[at], at)):
        if not found or len(found[-1]) == limit:
            found.append([])
            limit = SESSION * rows_that_fit(lengths[at] + max_new_tokens, batch_tokens)
        found[-1].append(at)
    return found


def common_prefix(rows: Sequence[tuple[int, ...]]) -> tuple[int, ...]:
    """Return the tokens that all rows begin with, except that at least one token of each row remains."""
    if len(rows) < 2:
        return ()
    first, last = min(rows), max(rows)
    most = min(map(len, rows)) - 1
    length = next((at for at in range(most) if first[at] != last[at]), most)
    return first[:length] if length >= LEAST_PREFIX else ()
