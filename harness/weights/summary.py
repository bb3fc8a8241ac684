"""What many layers say together: counts, and means over the analysed ones alone."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from harness.types import WeightRow

OVER_TRAINED, UNDER_TRAINED = 2.0, 6.0  # alpha; WeightWatcher 0.7.7's own thresholds


@dataclass(frozen=True, slots=True, kw_only=True)
class WeightSummary:
    """One part of one system, over all its layers."""

    model: str
    adapter: str | None
    part: str
    layers: int
    by_status: Mapping[str, int]  # "tied to X" counts as "tied", "failed: …" as "failed"
    analysed: int  # what the shares and the mean are of
    below_2: float | None  # share of layers with alpha < 2, 0 … 1; None where none was analysed
    from_2_to_6: float | None
    above_6: float | None
    mean_alpha: float | None


def summarise(rows: Iterable[WeightRow]) -> tuple[WeightSummary, ...]:
    """One summary for each model, adapter and part, in the order in which they come."""
    groups: dict[tuple[str, str | None, str], list[WeightRow]] = {}
    for row in rows:
        groups.setdefault((row.model, row.adapter, row.part), []).append(row)
    return tuple(_summary(members) for members in groups.values())


def _summary(rows: Sequence[WeightRow]) -> WeightSummary:
    alphas = [row.numbers["alpha"] for row in rows if row.status == "analysed"]
    below = sum(alpha < OVER_TRAINED for alpha in alphas)
    above = sum(alpha > UNDER_TRAINED for alpha in alphas)
    n = len(alphas)
    return WeightSummary(
        model=rows[0].model,
        adapter=rows[0].adapter,
        part=rows[0].part,
        layers=len(rows),
        by_status=dict(Counter(status_word(row.status) for row in rows)),
        analysed=n,
        below_2=below / n if n else None,
        from_2_to_6=(n - below - above) / n if n else None,
        above_6=above / n if n else None,
        mean_alpha=sum(alphas) / n if n else None,
    )


def status_word(status: str) -> str:
    """The status without the layer or the reason that it names."""
    return "tied" if status.startswith("tied to ") else status.partition(":")[0]
