"""Pages and sentences on how weight metrics correlate with measured quality."""

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

COLUMNS = ("task", "base", "adapter", "score", "gain")  # of adapters.csv; the weight metrics follow
NAMED = 3  # weight metrics that a sentence names; the table has all


@dataclass(frozen=True, slots=True, kw_only=True)
class Prediction:
    """One task: its adapters, and how well weight metrics and other known quantities rank them."""

    task: str
    metric: str  # for people
    trained: bool  # False if every adapter is known to be trained on another task
    bases: tuple[str, ...]  # bases whose adapters are ranked
    candidates: tuple[MeasuredAdapter, ...]
    family: tuple[Correlation, ...]  # of weight metrics, corrected together
    yardsticks: tuple[Correlation, ...]  # of quantities that are known without the weights
    left_out: tuple[str, ...]  # weight metrics that cannot be ranked by, and why


def sentences(prediction: Prediction) -> tuple[str, ...]:
    """Return sentences: the finding, what it means, what it leaves open, and what to compare it with."""
    shown = [each for each in prediction.family if each.shown]
    return tuple(
        filter(
            None, (_finding(prediction, shown), _meaning(shown), _open(prediction, shown), _known(prediction))
        )
    )


def _finding(prediction: Prediction, shown: Sequence[Correlation]) -> str:
    count, what = len(prediction.family), f"{prediction.metric} on {prediction.task}"
    numbers = words.plural(count, "number")
    if not shown:
        return (
            f"None of {numbers} from weights alone is shown to correlate with {what}: none has p_holm below 0.05 "
            "and an interval that excludes 0."
        )
    named = words.listed([_named(each) for each in shown[:NAMED]])
    more = f", {len(shown) - NAMED} more in the table" if len(shown) > NAMED else ""
    verb = "correlates" if len(shown) == 1 else "correlate"
    return f"{len(shown)} of {numbers} from weights alone {verb} with {what} more than chance explains: {named}{more}."


def _named(correlation: Correlation) -> str:
    return f"{correlation.name} (τ{words.SPACE}{tau(correlation)})"


def _meaning(shown: Sequence[Correlation]) -> str:
    """Return what the largest tau means when choosing between two adapters; "" if none is shown."""
    if not shown:
        return ""
    best = shown[0]
    middle, *ends = (50 * (1 + abs(value)) for value in (best.tau, best.low, best.high))
    which = "larger" if best.tau > 0 else "smaller"
    ranked = sorted(best.within, key=lambda each: each.tau)
    runs = f" By base, its τ runs from {_of(ranked[0])} to {_of(ranked[-1])}." if len(ranked) > 1 else ""
    return (
        f"Of two adapters of one base, the one with the {which} {best.name} has the better score in about "
        f"{middle:.0f} % of pairs ({min(ends):.0f} to {max(ends):.0f} % by the interval; chance gives 50 %).{runs}"
    )


def _of(in_base: Within) -> str:
    return f"{words.signed(in_base.tau, 2)} on {in_base.base}"


def _open(prediction: Prediction, shown: Sequence[Correlation]) -> str:
    others = [each for each in prediction.family if not each.shown]
    if not others:
        return ""
    least = min(each.detectable for each in others)
    adapters = words.plural(len(prediction.candidates), "adapter")
    bases = words.plural(len(prediction.bases), "base")
    what = (
        f"For the other {words.plural(len(others), 'number')} no correlation is shown. That"
        if shown
        else "This"
    )
    return (
        f"{what} does not prove that there is none: with {adapters} on {bases}, a τ under "
        f"{least:.2f} is missed more often than once in five runs, before any correction."
    )


def _known(prediction: Prediction) -> str:
    """Return a sentence on quantities that are known without the weights and correlate with quality."""
    if not prediction.yardsticks:
        return ""
    named = words.listed([_named(each) for each in prediction.yardsticks])
    best = prediction.family[0]
    as_far = [each.name for each in prediction.yardsticks if abs(each.tau) >= abs(best.tau)]
    no_further = f"no further than {words.listed(as_far)}" if as_far else "further than each of these"
    return (
        f"Known without looking at weights: {named}. The strongest number from weights, {best.name}, goes {no_further}; "
        "whether they differ is not tested."
    )


def caveats(prediction: Prediction, page: Page) -> tuple[str, ...]:
    """Return the caveats: what these correlations do not show."""
    stand_in = any(model.uri.startswith("zoo:") for model in page.suite.models)
    return (
        "Pooled τ is the mean of Kendall’s τ-b within each base, weighted by its pairs of adapters; intervals are "
        "bootstraps over adapters within bases, p is of permutations within bases, corrected by Holm’s method over "
        "all numbers of the first table. Within a base, a score and its gain over the base rank adapters the same way.",
        "“Pooled over bases” is τ over all adapters regardless of their base, of scores and of gains. Bases differ in "
        "their norms and in their scores, so this τ also measures which base an adapter sits on: it is confounded "
        "by the base and shown only as a warning.",
        "The adapters are those of one run: they differ in what its recipes differ in, and a number may correlate with "
        "quality only because both depend on the length or the rate of training. It says nothing about other recipes, "
        f"tasks or models{', least of all about the models that the tiny models are named after' if stand_in else ''}.",
        "Scores are measured on a sample of the task, and that noise pulls every τ towards 0, most on a base whose "
        "adapters hardly differ.",
        *(f"Not ranked: {reason}." for reason in prediction.left_out),
    )


def tau(correlation: Correlation) -> str:
    """Return `+0.52 [+0.31, +0.70]`."""
    return f"{words.signed(correlation.tau, 2)} {words.interval(correlation.low, correlation.high, words.signed_2)}"


def within(correlation: Correlation) -> Mapping[str, str]:
    """Return tau with its interval for each base."""
    return {
        each.base: f"{words.signed(each.tau, 2)} {words.interval(each.low, each.high, words.signed_2)}"
        for each in correlation.within
    }


def write_html(page: Page, found: Sequence[Prediction], command: str, path: Path) -> None:
    """Write the page as one HTML file that loads nothing from a network."""
    with drawing.pen() as pen:
        figures = _figures(found, pen)
        write_text(path, html.document("prediction.html.j2", _shown(page, found, figures, command)))


def write_markdown(page: Page, found: Sequence[Prediction], command: str, path: Path) -> None:
    """Write the page as Markdown, its charts into charts/ beside it, and every adapter's numbers into adapters.csv."""
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
    """Return the scatter plot of each task."""
    figures = {}
    for place, prediction in enumerate(found, start=1):
        name, says = (
            f"scatter-{place}",
            f"{prediction.metric} on {words.visible(prediction.task)} over numbers from weights alone",
        )
        chart = partial(scatter.chart, prediction.family, prediction.candidates, prediction.metric)
        wide, narrow = (
            pen.draw(
                partial(charts.specification, chart, width), f"{width} {chart.args!r}", says, f"{name}-{size}"
            )
            for width, size in ((charts.WIDE, "wide"), (charts.NARROW, "narrow"))
        )
        figures[prediction.task] = Figure(name=name, says=says, drawn_wide=wide, drawn_narrow=narrow)
    return figures


def _write_adapters(found: Sequence[Prediction], path: Path) -> None:
    names = list(
        dict.fromkeys(name for prediction in found for each in prediction.candidates for name in each.numbers)
    )
    if os.path.lexists(path) and not ours.begins(path, ",".join(COLUMNS).encode()):
        ours.keep_aside(path)
    with io.StringIO(newline="") as file:
        rows = csv.writer(file, lineterminator="\n")
        rows.writerow([*COLUMNS, *map(cell, names)])
        for prediction in found:
            for each in prediction.candidates:
                numbers = (f"{each.numbers[name]:z.6g}" if name in each.numbers else "" for name in names)
                gain = "" if each.gain is None else f"{each.gain:z.6g}"
                names_of = map(cell, (prediction.task, each.base, each.adapter))
                rows.writerow([*names_of, f"{each.score:z.6g}", gain, *numbers])
        write_text(path, file.getvalue())
