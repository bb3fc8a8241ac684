"""Weight metrics laid out for a page: a section of a report, or a page of its own."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from statistics import fmean

from harness import text as words
from harness.types import System, WeightRow
from harness.weights.beside import Beside, beside
from harness.weights.finite import NOT_FINITE
from harness.weights.read import NOT_ASKED
from harness.weights.summary import (
    FEW,
    READING,
    SET_ASIDE,
    WeightSummary,
    alpha,
    status_word,
    summarise,
    summarise_roles,
    worth,
)

__all__ = [
    "FEW",
    "MOST",
    "NUMBERS",
    "PARTS",
    "WHOLE",
    "WeightLine",
    "WeightSection",
    "columns",
    "number",
    "percent",
    "requested",
    "section",
    "status",
    "statuses",
]
PARTS = {"W": "base", "delta": "ΔW", "merged": "merged"}
# The metrics that a table of layers has room for; a file has all of them.
NUMBERS = (
    *("alpha", "sigma", "num_pl_spikes", "delta_ratio", "alpha_shift", "intruder_dimensions", "stable_rank"),
    *("lambda_max", "D", "log_norm", "alpha_weighted", "overlap", "num_traps", "rand_distance"),
)
WHOLE = ("num_pl_spikes", "num_traps", "intruder_dimensions")  # counts
MOST = 40  # layers of two models that are shown side by side
TOP = 10  # singular vectors of W + ΔW that are searched for intruders


@dataclass(frozen=True, slots=True, kw_only=True)
class WeightLine:
    """A summary of a system's matrices."""

    system: System
    layers: int
    changed: int | None  # layers that the adapter moves
    alpha_base: float | None  # mean over the layers with an alpha, without those set aside
    alpha_merged: float | None
    largest_ratio: float | None  # ‖ΔW‖ / ‖W‖
    intruders: str  # "3 of 40": among the leading singular vectors of the merged layers


@dataclass(frozen=True, slots=True, kw_only=True)
class WeightSection:
    """Everything that the page shows about weights."""

    rows: tuple[WeightRow, ...] = ()
    lines: tuple[WeightLine, ...] = ()
    summaries: tuple[WeightSummary, ...] = ()
    roles: tuple[WeightSummary, ...] = ()
    reading: str = READING
    worth: str = ""
    updates: str = ""  # a sentence on which alphas of updates are shown
    scales: str = ""  # a sentence on alphas that depend on the matrix's scale
    beside: Beside | None = None
    not_finite: tuple[str, ...] = ()  # a sentence for each system whose weights cannot be used


def section(rows: Sequence[WeightRow], against: tuple[str, str] | None = None) -> WeightSection:
    """Return the section; `against` names two models whose layers are shown side by side."""
    summaries = summarise(rows)
    return WeightSection(
        rows=tuple(rows),
        lines=tuple(_lines(rows)),
        summaries=summaries,
        roles=summarise_roles(requested(rows)),
        worth=worth(summaries),
        updates=_updates(rows),
        scales=_scales(rows),
        beside=beside(requested(rows), *against) if against else None,
        not_finite=tuple(_not_finite(rows)),
    )


def requested(rows: Sequence[WeightRow]) -> list[WeightRow]:
    """Return the rows without those of roles that were not requested."""
    return [row for row in rows if row.status != NOT_ASKED]


def columns(rows: Sequence[WeightRow]) -> list[str]:
    """Return those of NUMBERS that any of the rows has."""
    return [name for name in NUMBERS if any(name in row.numbers for row in rows)]


def number(row: WeightRow, name: str) -> str:
    """Return one of a row's numbers; an alpha fitted to too few values is in brackets."""
    value = row.numbers.get(name)
    if value is None:
        return ""
    if name in WHOLE:
        return words.number(value, 0)
    text = words.number(value, 3) if value == 0 or abs(value) >= 0.001 else f"{value:.1e}"
    return f"({text})" if name == "alpha" and alpha(row) is None else text


def percent(share: float | None) -> str:
    """Return a share as `12 %`, "" for None."""
    return "" if share is None else f"{words.number(100 * share, 0)} %"


def status(row: WeightRow) -> str:
    """Return the row's status, with the format from which a quantised base was dequantised."""
    return f"{row.status}, from {row.quantised}" if row.quantised else row.status


def statuses(summary: WeightSummary) -> str:
    """Return `3 tied, 1 zero`: every status except analysed, and what is left out of the means."""
    found = [f"{count} {status}" for status, count in summary.by_status.items() if status != "analysed"]
    if summary.unreliable:
        found.append(f"{summary.unreliable} of too few values")
    aside = summary.by_status.get("analysed", 0) - summary.analysed - summary.unreliable
    if aside > 0:
        found.append(f"{aside} set aside ({' or '.join(SET_ASIDE)})")
    return ", ".join(found)


def _lines(rows: Sequence[WeightRow]) -> list[WeightLine]:
    bases = {(row.model, row.layer): row for row in rows if row.part == "W"}
    found = []
    for system in dict.fromkeys(System(model=row.model, adapter=row.adapter) for row in rows):
        own = [row for row in rows if (row.model, row.adapter) == (system.model, system.adapter)]
        shown = [row for row in own if row.part == ("merged" if system.adapter else "W")]
        ratios = [row.numbers["delta_ratio"] for row in own if "delta_ratio" in row.numbers]
        base = [bases[row.model, row.layer] for row in shown if (row.model, row.layer) in bases]
        found.append(
            WeightLine(
                system=system,
                layers=len(shown),
                changed=sum(row.part == "delta" and row.status != "zero" for row in own)
                if system.adapter
                else None,
                alpha_base=_mean(base),
                alpha_merged=_mean(shown) if system.adapter else None,
                largest_ratio=max(ratios, default=None),
                intruders=_intruders(shown),
            )
        )
    return found


def _mean(rows: Sequence[WeightRow]) -> float | None:
    found = [one for row in rows if row.role not in SET_ASIDE and (one := alpha(row)) is not None]
    return fmean(found) if found else None


def _intruders(rows: Sequence[WeightRow]) -> str:
    found = [row for row in rows if "intruder_dimensions" in row.numbers]
    if not found:
        return ""
    many = sum(row.numbers["intruder_dimensions"] for row in found)
    return f"{many:.0f} of {sum(min(TOP, row.rows, row.cols) for row in found)}"


def _updates(rows: Sequence[WeightRow]) -> str:
    fitted = [row for row in rows if row.part == "delta" and "alpha" in row.numbers]
    if not fitted:
        return ""
    few = sum(alpha(row) is None for row in fitted)
    shown = "Triangles: ΔW itself. " if few < len(fitted) else ""
    left_out = (
        "ΔW has as many values as its rank; alphas fitted to fewer than 32 are unreliable: they are left out of charts and "
        f"means ({few} of {len(fitted)}), and shown in brackets elsewhere."
    )
    return (shown + (left_out if few else "")).rstrip()


def _not_finite(rows: Sequence[WeightRow]) -> Iterator[str]:
    """Yield a sentence for each system with weights that are NaN or infinite."""
    found: dict[str, list[WeightRow]] = {}
    for row in rows:
        if status_word(row.status) == NOT_FINITE and row.part != "merged":
            found.setdefault(f"{row.model} + {row.adapter}" if row.adapter else row.model, []).append(row)
    for system, bad in found.items():
        first = f"{bad[0].layer}: {bad[0].status.partition(': ')[2]}"
        yield words.visible(
            f"{system}: {words.plural(len(bad), 'tensor')} with values that are not finite (the first is {first}). Its "
            "answers cannot be trusted, and means leave these tensors out; save or download the weights again."
        )


def _scales(rows: Sequence[WeightRow]) -> str:
    found = sum("scale_free_alpha" in row.numbers for row in rows)
    if not found:
        return ""
    return (
        f"In {words.plural(found, 'matrix', 'matrices')} alpha would differ by more than 0.1 if the threshold for small "
        "eigenvalues, which is WeightWatcher's, scaled with the matrix (scale_free_alpha)."
    )
