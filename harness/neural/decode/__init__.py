"""Prompts to answers: many rows at once, one token at a time; a finished row makes room for the next prompt.

    prompts ─ encode ─▶ token ids ─ sessions ─▶ read, some at a time ─▶ Batch.put ─▶ step, step, … ─▶ Generation

All rows of a batch end at the same column, so a step writes one column and no row has holes. Prompts come longest
first, so there is always room on the left for the next one. The beginning that all prompts share is read once.
"""

from collections import deque
from collections.abc import Collection, Iterator, Sequence
from dataclasses import replace

import torch

from harness.digest import text_digest
from harness.errors import ModelError
from harness.neural.architectures import writing
from harness.neural.decode import plain
from harness.neural.decode.answer import NOT_FINITE, OpenAnswer, append, generation
from harness.neural.decode.batch import Batch
from harness.neural.decode.sessions import common_prefix, sessions
from harness.neural.encode import Encoded, ahead, encode, room
from harness.neural.load import Base
from harness.neural.memory import Budget, out_of_memory
from harness.neural.room import SLACK, read_tokens, rows_that_fit
from harness.types import Decode, Generation, Overflow, Prompt

LEAVE = 0.125  # share of a batch's rows that are finished when others take their places


def write(
    base: Base,
    prompts: Sequence[Prompt],
    decode: Decode,
    overflow: Overflow,
    budget: Budget,
    done: Collection[str] = frozenset(),  # ids of samples that have answers already
) -> Iterator[Generation]:
    """Yield the answers as they finish.

    To continue after a crash, pass all prompts again, and in `done` the samples with answers: the sessions are then the
    same, and so is the last bit of every logit. Sampling and penalties of the checkpoint's own generation config are
    ignored.
    """
    encoded: list[Encoded] = []
    allowed = room(base, decode.max_new_tokens)
    for prompt in ahead(base, prompts):
        row = encode(base, prompt, overflow, allowed)
        if row is not None:
            encoded.append(row)
        elif prompt.sample_id not in done:
            yield Generation(
                sample_id=prompt.sample_id, text="", finish="refused", prompt_digest=text_digest(prompt.text)
            )
    shares = writing(base).read_prefix is not None
    prefix = common_prefix([row.ids for row in encoded]) if shares else ()
    for session in sessions([len(row.ids) for row in encoded], decode.max_new_tokens, budget.tokens):
        rows = [encoded[at] for at in session]
        if all(row.sample_id in done for row in rows):
            continue
        for answer in _within(base, rows, decode, budget, prefix):
            if answer.sample_id not in done:
                yield answer


def _within(
    base: Base, rows: Sequence[Encoded], decode: Decode, budget: Budget, prefix: Sequence[int]
) -> Iterator[Generation]:
    """Yield the answers of a session; after memory has run out, the rest of the session with half the budget."""
    left = list(rows)
    while left:
        longest = len(left[0].ids) + decode.max_new_tokens
        count = min(len(left), rows_that_fit(longest, budget.tokens))
        answered: set[str] = set()
        try:
            for row in _answer(base, left, count, decode, prefix):
                answered.add(row.prompt.sample_id)
                yield generation(base, row, decode)
            return
        except Exception as error:
            if count == 1 or not out_of_memory(error):
                raise
        budget.shrink(count // 2 * (longest + SLACK))
        left = [row for row in left if row.sample_id not in answered]


@torch.no_grad()  # not inference_mode: some rotary embeddings keep tensors, which training then could not use
def _answer(
    base: Base, encoded: Sequence[Encoded], count: int, decode: Decode, prefix: Sequence[int]
) -> Iterator[OpenAnswer]:
    """Yield the answers to prompts, the longest first, `count` at a time."""
    if not plain.has_slots(base):
        yield from _answer_plainly(base, encoded, count, decode)
        return
    if (most := plain.tokens_in_company(base)) is not None:
        alone = [row for row in encoded if len(row.ids) + decode.max_new_tokens > most]
        yield from _answer_plainly(base, alone, 1, decode)
        encoded, base = encoded[len(alone) :], replace(base, window=most)  # the longest come first
        if not encoded:
            return
    waiting = deque(encoded)
    how = writing(base)
    begun = how.read_prefix(base, prefix) if how.read_prefix and prefix else None
    batch = Batch(base, decode, count, len(encoded[0].ids))
    while waiting or batch.live:
        free = count - batch.live
        if waiting and free >= LEAVE * count:
            joining = [waiting.popleft() for _ in range(min(free, len(waiting)))]
            batch.compact()
            for part in _parts(base, joining, len(prefix)):
                batch.put(part, how.read(base, [prompt.ids for prompt in part], begun))
        else:
            if free >= LEAVE * count:
                count = batch.shrink()
            batch.step()
        yield from batch.pop_finished()


def _answer_plainly(
    base: Base, encoded: Sequence[Encoded], count: int, decode: Decode
) -> Iterator[OpenAnswer]:
    if decode.temperature > 0:
        raise ModelError(
            f"{base.name}: a {type(base.model).__name__} can only answer greedily here; set temperature: 0"
        )
    for prompt, tokens in plain.answer(base, encoded, count, decode.max_new_tokens, NOT_FINITE):
        row = OpenAnswer(prompt=prompt)
        append(base, row, tokens, decode)
        yield row


def _parts(base: Base, rows: Sequence[Encoded], prefix: int) -> Iterator[Sequence[Encoded]]:
    """Yield rows in the parts that share one forward pass, the longest first."""
    tokens = read_tokens(base.device.type, torch.get_num_threads())
    start = 0
    while start < len(rows):
        count = max(1, tokens // (len(rows[start].ids) - prefix))
        yield rows[start : start + count]
        start += count
