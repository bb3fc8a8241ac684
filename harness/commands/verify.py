"""Verify a RESULT: recompute its numbers from its answers, and refuse one whose numbers do not follow from them."""

from dataclasses import dataclass
from pathlib import Path

from harness.errors import ResultError
from harness.metrics import Code
from harness.results import read
from harness.verification.scores import check

BELIEVED = (
    "costs, weights, curves, notes, recipes, calibrations and steps, which do not follow from generations"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class VerifiedResult:
    """What was verified of a RESULT whose numbers follow from its answers."""

    remarks: tuple[str, ...]
    not_recomputed: tuple[str, ...]  # what was not recomputed, and why

    @property
    def every_score(self) -> bool:
        """Return whether every score was recomputed."""
        return self.not_recomputed == (BELIEVED,)


def verify(folder: Path, code: Code) -> VerifiedResult:
    """Return what was verified; raise ResultError with a line for each number that does not follow from the answers.

    Raises it also where nothing can be recomputed: for a copy without texts, and if all metrics are foreign code.
    """
    found = check(folder, code)
    if found.problems:
        raise ResultError("\n".join(found.problems))
    if withheld := read(folder).withheld:
        raise ResultError(
            f"{folder}: no texts of {', '.join(withheld)} to recompute from; its scores follow from its rows, "
            "and only the RESULT that this is a copy of can be verified whole"
        )
    if found.not_recomputed and not found.recomputed:
        reasons = [f"not recomputed: {sentence}" for sentence in found.not_recomputed]
        hint = f"{folder}: no score could be recomputed; --allow-code runs scripts that lie outside of it"
        raise ResultError("\n".join([*reasons, hint]))
    return VerifiedResult(remarks=tuple(found.remarks), not_recomputed=(*found.not_recomputed, BELIEVED))
