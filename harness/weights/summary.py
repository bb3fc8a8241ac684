"""Summaries over many layers: counts, and means over the analysed layers alone."""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from math import sqrt
from statistics import fmean, median

from harness.types import WeightRow

OVER_TRAINED, UNDER_TRAINED = 2.0, 6.0  # alpha; WeightWatcher 0.7.7's own thresholds
# Eigenvalues in a fitted tail; with fewer the standard error of an alpha of 4 is more than 0.4.
FEW = 50
# Roles whose alphas do not count in a model's summary: a row of such a matrix is a word or a position.
SET_ASIDE = ("embedding", "other")

READING = (
    "Layers of well-trained networks have heavy-tailed spectra, most with alpha from 2 to 6 (Martin and Mahoney 2021, "
    "JMLR 22:165). A larger mean alpha set poorly trained models apart from well-trained ones, and within a series of one "
    "architecture a smaller alpha, weighted by the largest eigenvalue, went with higher accuracy (Martin, Peng and Mahoney "
    "2021, Nature Communications 12:4122). Hence layers above 6 are called under-trained, those below 2 over-trained."
)


@dataclass(frozen=True, slots=True, kw_only=True)
class WeightSummary:
    """One part of one system, over all its layers or over those of one role."""

    model: str
    adapter: str | None
    part: str
    role: str | None  # None: all roles, without the alphas of those set aside
    layers: int
    by_status: Mapping[str, int]  # "tied to X" counts as "tied", "failed: …" as "failed"
    analysed: int  # layers that the shares, the mean and the median are of
    unreliable: int  # layers analysed with too few values for an alpha: left out like those set aside
    below_2: float | None  # share of layers with alpha < 2, 0 … 1; None where none was analysed
    from_2_to_6: float | None
    above_6: float | None
    mean_alpha: float | None
    median_alpha: float | None
    few: int  # layers whose alpha is of fewer than FEW eigenvalues


def summarise(rows: Iterable[WeightRow], aside: Sequence[str] = SET_ASIDE) -> tuple[WeightSummary, ...]:
    """Return one summary for each model, adapter and part, in order of appearance."""
    groups = _grouped(rows, lambda row: (row.model, row.adapter, row.part))
    return tuple(_summary(members, None, aside) for members in groups)


def summarise_roles(rows: Iterable[WeightRow]) -> tuple[WeightSummary, ...]:
    """Return one summary for each model, adapter, part and role; no role is set aside."""
    groups = _grouped(rows, lambda row: (row.model, row.adapter, row.part, row.role))
    return tuple(_summary(members, members[0].role, ()) for members in groups)


def alpha(row: WeightRow) -> float | None:
    """Return a row's alpha; None where it was not analysed or rests on too few values."""
    if row.status != "analysed" or row.numbers.get("reliable", 1.0) == 0.0:
        return None
    return row.numbers.get("alpha")


def status_word(status: str) -> str:
    """Return the first word of a status, without the layer or the reason that follows."""
    return "tied" if status.startswith("tied to ") else status.partition(":")[0]


def worth(summaries: Sequence[WeightSummary]) -> str:
    """Return how far these alphas can be trusted, in up to three sentences."""
    n = sum(summary.analysed for summary in summaries)
    few = sum(summary.few for summary in summaries)
    rest = f" {few} of the {n} alphas here rest on fewer than {FEW}." if n else ""
    return (
        "The standard error of an alpha is (alpha − 1) / √n for the n eigenvalues of its tail, and the tail is chosen to "
        f"fit: an alpha of 4 from {FEW} is uncertain by {_error(4, FEW):.1f}, from 8 by {_error(4, 8):.1f}.{rest} Those "
        "findings are of large vision and language models, pretrained; of adapters and of your task they say nothing."
    )


def _error(alpha: float, n: int) -> float:
    return (alpha - 1) / sqrt(n)


def _grouped(
    rows: Iterable[WeightRow], key: Callable[[WeightRow], tuple[str | None, ...]]
) -> list[list[WeightRow]]:
    groups: dict[tuple[str | None, ...], list[WeightRow]] = {}
    for row in rows:
        groups.setdefault(key(row), []).append(row)
    return list(groups.values())


def _summary(rows: Sequence[WeightRow], role: str | None, aside: Sequence[str]) -> WeightSummary:
    counted = [(row, found) for row in rows if row.role not in aside and (found := alpha(row)) is not None]
    alphas = [found for _, found in counted]
    n = len(alphas)
    below = sum(found < OVER_TRAINED for found in alphas)
    above = sum(found > UNDER_TRAINED for found in alphas)
    return WeightSummary(
        model=rows[0].model,
        adapter=rows[0].adapter,
        part=rows[0].part,
        role=role,
        layers=len(rows),
        by_status=dict(Counter(status_word(row.status) for row in rows)),
        analysed=n,
        unreliable=sum("alpha" in row.numbers and row.numbers.get("reliable") == 0.0 for row in rows),
        below_2=below / n if n else None,
        from_2_to_6=(n - below - above) / n if n else None,
        above_6=above / n if n else None,
        mean_alpha=fmean(alphas) if n else None,
        median_alpha=median(alphas) if n else None,
        few=sum(row.numbers.get("num_pl_spikes", FEW) < FEW for row, _ in counted),
    )
