"""The record of a system's weights that a rule judges."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from math import isfinite

from harness import text as words
from harness.errors import ResultError
from harness.types import System, WeightRow


@dataclass(frozen=True, slots=True, kw_only=True)
class JudgedWeights:
    """The weight analysis of a system, a row for each layer and part."""

    system: System
    rows: Sequence[WeightRow]

    def largest(self, name: str) -> tuple[float, str]:
        """Return the largest number of this name in any layer, and which layer has it.

        Raises ResultError if no layer has the number, a layer failed that should have it, or a number is not finite.
        """
        said = name.replace("_", " ")
        known = [row for row in self.rows if name in row.numbers]
        if not known:
            raise ResultError(f"no {said} is known of {self.system}: see `weights` in the suite")
        for row in self.rows:
            if row.part == known[0].part and name not in row.numbers and row.status.startswith("failed"):
                raise ResultError(f"no {said} is known of {words.visible(row.layer)}: {row.status}")
        refuse_not_finite(((row, row.numbers[name]) for row in known), said)
        worst = max(known, key=lambda row: row.numbers[name])
        return worst.numbers[name], f"the largest is in {words.visible(worst.layer)}"


def refuse_not_finite(numbers: Iterable[tuple[WeightRow, float | None]], what: str) -> None:
    """Raise a ResultError for a number that is not finite; with NaN neither largest nor median is defined."""
    for row, number in numbers:
        if number is not None and not isfinite(number):
            raise ResultError(f"the {what} of {words.visible(row.layer)} is not finite: {number}")
