"""The weights of a system as a rule judges them."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from math import isfinite

from harness import text as words
from harness.errors import ResultError
from harness.types import System, WeightRow


@dataclass(frozen=True, slots=True, kw_only=True)
class JudgedWeights:
    """What is known of a system's weights, a row for each layer and part."""

    system: System
    rows: Sequence[WeightRow]

    def largest(self, name: str) -> tuple[float, str]:
        """Return the largest number of that name in any layer, and which layer that is.

        ResultError where no layer has it, one failed that should, or one is not finite.
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
    """Raise a ResultError for a number that is not finite: the largest, or the median, of some and NaN may be either."""
    for row, number in numbers:
        if number is not None and not isfinite(number):
            raise ResultError(f"the {what} of {words.visible(row.layer)} is not finite: {number}")
