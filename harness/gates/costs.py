"""The record of a cost that a rule judges."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class MeasuredCost:
    """One cost of a system; the mean, if it was measured several times."""

    value: float
    unit: str
    hardware: str

    def __str__(self) -> str:
        return f"{self.value:,.4g} {self.unit} on {self.hardware}"
