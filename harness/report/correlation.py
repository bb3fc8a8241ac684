"""What weights alone say of measured quality, for people: sentences that stay within the intervals, and the pages."""

import csv
import io
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from harness import text as words
from harness.files.json_lines import write_text
from harness.files.spreadsheet import cell
from harness.report import charts, drawing, html, markdown
from harness.report.charts import scatter
from harness.report.figures import Figure
from harness.report.page import Page
from harness.results import ours
from harness.weights.correlation import Correlation, MeasuredAdapter, Within
from harness.weights.data_free import MEANINGS

COLUMNS = ("task", "base", "adapter", "score", "gain")  # of adapters.csv; each number's follow
NAMED = 3  # numbers that a sentence names; the table has all


@dataclass(frozen=True, slots=True, kw_only=True)
class Prediction:
    """One task: its adapters, how each number from their weights ranks them, and what other things do."""

    task: str
    metric: str  # for people
    trained: bool  # whether adapters were trained on the task
    bases: tuple[str, ...]  # those that are ranked
    candidates: tuple[MeasuredAdapter, ...]
    family: tuple[Correlation, ...]  # numbers that no data went into, corrected together
    yardsticks: tuple[Correlation, ...]  # what is known without looking at weights
    left_out: tuple[str, ...]  # numbers that rank nothing, and why


def sentences(one: Prediction) -> tuple[str, ...]:
    """The finding, what it means, what it leaves open, and what it is to be measured against."""
    shown = [each for each in one.family if each.shown]
    return tuple(filter(None, (_finding(one, shown), _meaning(shown), _open(one, shown), _known(one))))


def _finding(one: Prediction, shown: Sequence[Correlation]) -> str:
    count, what = len(one.family), f"{one.metric} on {one.task}"
    numbers = words.plural(count, "number")
    if not shown:
        return (
            f"None of {numbers} from weights alone is shown to go with {what}: for none is p_holm below 0.05 "
            "and the interval clear of 0."
        )
    named = words.listed([_named(each) for each in shown[:NAMED]])
    more = f", {len(shown) - NAMED} more in the table" if len(shown) > NAMED else ""
    go = "goes" if len(shown) == 1 else "go"
    return (
        f"{len(shown)} of {numbers} from weights alone {go} with {what} more than chance does: {named}{more}."
    )


def _named(one: Correlation) -> str:
    return f"{one.name} (τ{words.SPACE}{tau(one)})"


def _meaning(shown: Sequence[Correlation]) -> str:
    """Tau in the words of choosing; left out where nothing is shown."""
    if not shown:
        return ""
    best = shown[0]
    middle, *ends = (50 * (1 + abs(value)) for value in (best.tau, best.low, best.high))
    which = "larger" if best.tau > 0 else "smaller"
    ranked = sorted(best.within, key=lambda each: each.tau)
    runs = f" By base, its τ runs from {_of(ranked[0])} to {_of(ranked[-1])}." if len(ranked) > 1 else ""
    return (
        f"Of two adapters of one base, the one with the {which} {best.name} has the better score in about "
        f"{middle:.0f} % of pairs ({min(ends):.0f} to {max(ends):.0f} % by the interval; a coin has 50 %).{runs}"
    )


def _of(one: Within) -> str:
    return f"{words.signed(one.tau, 2)} on {one.base}"


def _open(one: Prediction, shown: Sequence[Correlation]) -> str:
    others = [each for each in one.family if not each.shown]
    if not others:
        return ""
    least = min(each.detectable for each in others)
    adapters = words.plural(len(one.candidates), "adapter")
    bases = words.plural(len(one.bases), "base")
    what = (
        f"Of the other {words.plural(len(others), 'number')} nothing is shown. That"
        if shown
        else "Nothing shown"
    )
    return (
        f"{what} is not the same as nothing there: with {adapters} on {bases}, a τ under "
        f"{least:.2f} is missed more often than once in five runs, before any correction."
    )


def _known(one: Prediction) -> str:
    """What tells as much without weights."""
    if not one.yardsticks:
        return ""
    named = words.listed([_named(each) for each in one.yardsticks])
    best = one.family[0]
    as_far = [each.name for each in one.yardsticks if abs(each.tau) >= abs(best.tau)]
    no_further = f"no further than {words.listed(as_far)}" if as_far else "further than each of these"
    return (
        f"Known without looking at weights: {named}. The strongest number from weights, {best.name}, goes {no_further}; "
        "whether they differ is not tested."
    )


def caveats(one: Prediction, page: Page) -> tuple[str, ...]:
    """What no reader should take from it."""
    stand_in = any(model.uri.startswith("zoo:") for model in page.suite.models)
    return (
        "Pooled τ is the mean of Kendall’s τ-b within each base, weighted by its pairs of adapters; intervals are "
        "bootstraps over adapters within bases, p is of permutations within bases, corrected by Holm’s method over "
        "all numbers of the first table. Within a base, a score and its gain over the base rank adapters the same way.",
        "“In one heap” is τ over all adapters without regard to their base, of scores and of gains. Bases differ in "
        "their norms and in their scores, so it measures on which base an adapter sits as well: it is there to be "
        "distrusted.",
        "The adapters are those of one run: they differ in what its recipes differ in, and a number may go with "
        "quality only because both go with the length or the rate of training. It says nothing of other recipes, "
        f"tasks or models{', least of all of those that the tiny stand-ins are named after' if stand_in else ''}.",
        "Scores are measured on a sample of the task, and that noise pulls every τ towards 0, most on a base whose "
        "adapters hardly differ.",
        *(f"Not ranked: {reason}." for reason in one.left_out),
    )


def tau(one: Correlation) -> str:
    """`+0.52 [+0.31, +0.70]`"""
    return f"{words.signed(one.tau, 2)} {words.interval(one.low, one.high, words.signed_2)}"


def within(one: Correlation) -> Mapping[str, str]:
    """By base, tau with its interval."""
    return {
        each.base: f"{words.signed(each.tau, 2)} {words.interval(each.low, each.high, words.signed_2)}"
        for each in one.within
    }


def write_html(page: Page, found: Sequence[Prediction], command: str, path: Path) -> None:
    """One file that asks nothing of any network."""
    with drawing.pen() as pen:
        figures = _figures(found, pen)
        write_text(path, html.document("prediction.html.j2", _shown(page, found, figures, command)))


def write_markdown(page: Page, found: Sequence[Prediction], command: str, path: Path) -> None:
    """A page with its charts in charts/ beside it, and the numbers of every adapter in adapters.csv."""
    with drawing.pen() as pen:
        figures = _figures(found, pen)
        text = markdown.document("prediction.md.j2", _shown(page, found, figures, command))
        write_text(path, text)
        markdown.write_charts(figures.values(), path.parent)
    _write_adapters(found, path.parent / "adapters.csv")


def _shown(
    page: Page, found: Sequence[Prediction], figures: Mapping[str, Figure], command: str
) -> Mapping[str, object]:
    return {
        "page": page,
        "found": found,
        "figures": figures,
        "command": command,
        "sentences": sentences,
        "caveats": caveats,
        "tau": tau,
        "within": within,
        "meanings": MEANINGS,
    }


def _figures(found: Sequence[Prediction], pen: drawing.Pen) -> Mapping[str, Figure]:
    """The scatter plot of each task."""
    figures = {}
    for place, one in enumerate(found, start=1):
        name, says = (
            f"scatter-{place}",
            f"{one.metric} on {words.visible(one.task)} over numbers from weights alone",
        )
        chart = partial(scatter.chart, one.family, one.candidates, one.metric)
        wide, narrow = (
            pen.draw(
                partial(charts.specification, chart, width), f"{width} {chart.args!r}", says, f"{name}-{size}"
            )
            for width, size in ((charts.WIDE, "wide"), (charts.NARROW, "narrow"))
        )
        figures[one.task] = Figure(name=name, says=says, drawn_wide=wide, drawn_narrow=narrow)
    return figures


def _write_adapters(found: Sequence[Prediction], path: Path) -> None:
    names = list(dict.fromkeys(name for one in found for each in one.candidates for name in each.numbers))
    if os.path.lexists(path) and not ours.begins(path, ",".join(COLUMNS).encode()):
        ours.keep_aside(path)
    with io.StringIO(newline="") as file:
        rows = csv.writer(file, lineterminator="\n")
        rows.writerow([*COLUMNS, *map(cell, names)])
        for one in found:
            for each in one.candidates:
                numbers = (f"{each.numbers[name]:.6g}" if name in each.numbers else "" for name in names)
                gain = "" if each.gain is None else f"{each.gain:.6g}"
                names_of = map(cell, (one.task, each.base, each.adapter))
                rows.writerow([*names_of, f"{each.score:.6g}", gain, *numbers])
        write_text(path, file.getvalue())
