"""Two models' layers beside each other: role by role, and those that have the same name."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from harness.types import WeightRow
from harness.weights.summary import WeightSummary, alpha, summarise_roles


@dataclass(frozen=True, slots=True, kw_only=True)
class RoleBeside:
    """One role in both models; None where a model has no layer of it."""

    role: str
    one: WeightSummary | None
    other: WeightSummary | None

    @property
    def difference(self) -> float | None:
        """Return the difference of the median alphas; None where one side has none."""
        medians = [side.median_alpha if side else None for side in (self.one, self.other)]
        return None if medians[0] is None or medians[1] is None else medians[0] - medians[1]


@dataclass(frozen=True, slots=True, kw_only=True)
class LayerBeside:
    """A layer that both models have under the same name, analysed in both."""

    layer: str
    role: str
    one: float  # alpha
    other: float
    lambda_ratio: float | None  # largest eigenvalue of `one` over that of `other`

    @property
    def difference(self) -> float:
        """Return the alpha of `one` minus that of `other`."""
        return self.one - self.other


@dataclass(frozen=True, slots=True, kw_only=True)
class Beside:
    """Two models beside each other."""

    one: str
    other: str
    roles: tuple[RoleBeside, ...]
    layers: tuple[LayerBeside, ...]  # the largest difference first


def beside(rows: Sequence[WeightRow], one: str, other: str) -> Beside:
    """Return two bases beside each other; of the rows, only those of part W of these two models count."""
    first = [row for row in rows if row.part == "W" and row.model == one]
    second = [row for row in rows if row.part == "W" and row.model == other]
    return Beside(one=one, other=other, roles=_roles(first, second), layers=_layers(first, second))


def _roles(first: Iterable[WeightRow], second: Iterable[WeightRow]) -> tuple[RoleBeside, ...]:
    own, its = ({summary.role: summary for summary in summarise_roles(rows)} for rows in (first, second))
    return tuple(
        RoleBeside(role=role, one=own.get(role), other=its.get(role))
        for role in dict.fromkeys([*own, *its])
        if role is not None
    )


def _layers(first: Iterable[WeightRow], second: Iterable[WeightRow]) -> tuple[LayerBeside, ...]:
    same = {row.layer: row for row in second}
    found = []
    for row in first:
        twin = same.get(row.layer)
        if twin is None or (mine := alpha(row)) is None or (its := alpha(twin)) is None:
            continue
        largest, least = row.numbers.get("lambda_max"), twin.numbers.get("lambda_max")
        found.append(
            LayerBeside(
                layer=row.layer,
                role=row.role,
                one=mine,
                other=its,
                lambda_ratio=largest / least if largest is not None and least else None,
            )
        )
    return tuple(sorted(found, key=lambda pair: -abs(pair.difference)))
