"""All charts of a page, drawn once for each width: HTML and Markdown colour the same drawings."""

from concurrent.futures import Future
from dataclasses import dataclass
from functools import partial

from harness import text as words
from harness.report import charts
from harness.report.charts import (
    alphas,
    choosing,
    cost_panels,
    differences,
    forgetting,
    halving,
    histogram,
    losses,
    pareto,
    ratios,
    scaling,
    spectra,
)
from harness.report.drawing import Pen
from harness.report.page import Page
from harness.report.weighed import WeightSection
from harness.types import System
from harness.weights.summary import alpha


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """A chart at desktop and at phone width, as SVG with stand-in colours; drawing may still be in progress."""

    name: str
    says: str
    drawn_wide: Future[str]
    drawn_narrow: Future[str]

    @property
    def wide(self) -> str:
        """Return the drawing at desktop width, waiting for it if needed."""
        return self.drawn_wide.result()

    @property
    def narrow(self) -> str:
        """Return the drawing at phone width, waiting for it if needed."""
        return self.drawn_narrow.result()


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """A chart with a list to pick from; options are in the order of their numbers in the chart."""

    figure: Figure
    options: tuple[str, ...]
    first: int  # number of the default option, from 1
    merged: bool  # True if any option has a second line, for the layer merged with its adapter


@dataclass(frozen=True, slots=True, kw_only=True)
class WeightFigures:
    """The charts of weights."""

    alphas: Figure | None
    histogram: Figure | None
    ratios: Figure | None
    spectra: dict[str, Choice]  # by model

    def all(self) -> list[Figure]:
        """Return all charts of weights."""
        found = [figure for figure in (self.alphas, self.histogram, self.ratios) if figure]
        return found + [choice.figure for choice in self.spectra.values()]


@dataclass(frozen=True, slots=True, kw_only=True)
class Figures:
    """All charts of a page; a chart without data is missing."""

    differences: dict[str, Figure]  # by task
    fronts: dict[str, Figure]  # by task: quality against cost
    forgetting: Figure | None
    losses: Figure | None
    choosing: Figure | None  # where a score chose checkpoints
    scaling: Figure | None = None  # adapters at several scales of their updates
    halving: Figure | None = None  # the combinations of sweeps with halving
    weights: WeightFigures

    def all(self) -> list[Figure]:
        """Return all charts of the page."""
        return [
            *self.fronts.values(),
            *self.differences.values(),
            *(
                figure
                for figure in (self.forgetting, self.losses, self.choosing, self.scaling, self.halving)
                if figure
            ),
            *self.weights.all(),
        ]


def draw(page: Page, pen: Pen) -> Figures:
    """Start drawing every chart of the page."""
    chosen = [curve for curve in page.curves if curve.chosen_by]
    return Figures(
        differences={
            task.facts.name: figure(
                pen,
                f"differences-{place}",
                f"Paired differences in {task.metric} on {words.visible(task.facts.name)}",
                partial(differences.chart, task),
            )
            for place, task in enumerate(page.tasks, start=1)
            if task.groups
        },
        fronts={
            task.facts.name: figure(
                pen,
                f"cost-{place}",
                f"{task.metric} on {words.visible(task.facts.name)} against "
                + words.listed([cost.title for cost in cost_panels.measured(task)]),
                partial(pareto.chart, task),
            )
            for place, task in enumerate(page.tasks, start=1)
            if cost_panels.measured(task)
        },
        forgetting=figure(
            pen,
            "forgetting",
            f"What each adapter gained on its own task against what it forgot on {words.visible(page.forgetting.task)}",
            partial(forgetting.chart, page.forgetting),
        )
        if page.forgetting and any(line.gained for line in page.forgetting.lines)
        else None,
        losses=figure(
            pen, "losses", "Training and validation loss by step", partial(losses.chart, page.curves)
        )
        if any(curve.points for curve in page.curves)
        else None,
        choosing=figure(
            pen,
            "choosing",
            "The score on validation samples that chose the checkpoint, by step",
            partial(choosing.chart, chosen),
        )
        if chosen
        else None,
        scaling=figure(
            pen,
            "scales",
            "What adapters gain and lose by the scale of their updates, on validation samples",
            partial(scaling.chart, page.scaled),
        )
        if page.scaled
        else None,
        halving=figure(
            pen,
            "halving",
            "What validation said of the combinations of each sweep with halving, by step",
            partial(halving.chart, [table.halved for table in page.halvings]),
        )
        if page.halvings
        else None,
        weights=draw_weights(page.weights, pen),
    )


def draw_weights(section: WeightSection, pen: Pen) -> WeightFigures:
    """Start drawing the charts of weights."""
    rows = section.rows
    fitted = any(alpha(row) is not None for row in rows)
    return WeightFigures(
        alphas=figure(
            pen,
            "alphas",
            "Alpha of each layer by role and depth, of the base and merged with its adapter",
            partial(alphas.chart, rows),
        )
        if fitted
        else None,
        histogram=figure(pen, "alpha-histogram", _medians(section), partial(histogram.chart, rows))
        if any(histogram.counted(row) is not None for row in rows)
        else None,
        ratios=figure(pen, "ratios", _largest(section), partial(ratios.chart, rows))
        if ratios.chosen(rows)
        else None,
        spectra={
            model: choice
            for place, model in enumerate(dict.fromkeys(row.model for row in rows), 1)
            if (choice := _choice(section, model, place, pen))
        },
    )


def _medians(section: WeightSection) -> str:
    """Return the histogram in words: each system's median alpha."""
    found = [
        f"{words.system(System(model=summary.model, adapter=summary.adapter))} {words.number(summary.median_alpha, 2)}"
        for summary in section.summaries
        if summary.part != "delta" and summary.median_alpha is not None
    ]
    return "How the alphas of each model's layers are spread; medians: " + ", ".join(found)


def _largest(section: WeightSection) -> str:
    found = [
        f"{words.system(line.system)} {words.number(100 * line.largest_ratio, 1)} %"
        for line in section.lines
        if line.largest_ratio
    ]
    return "Size of the update beside the weights by role and depth; the largest: " + ", ".join(found)


def _choice(section: WeightSection, model: str, place: int, pen: Pen) -> Choice | None:
    shown = spectra.layers(section.rows, model)
    if not shown:
        return None
    first = next(layer for layer in shown if layer.first)
    return Choice(
        figure=figure(
            pen,
            f"spectra-{place}",
            f"Eigenvalue densities of the layers of {words.visible(model)} on logarithmic axes; picked: "
            + spectra.says(first.base),
            partial(spectra.chart, shown),
            (spectra.WIDTH, spectra.WIDTH),
        ),
        options=spectra.options(shown),
        first=first.number,
        merged=any(layer.merged for layer in shown),
    )


def figure(
    pen: Pen,
    name: str,
    says: str,
    chart: "partial[charts.Chart]",
    widths: tuple[int, int] = (charts.WIDE, charts.NARROW),
) -> Figure:
    """Start drawing a chart at both widths; `says` is the text for screen readers."""

    def begun(width: int, size: str) -> Future[str]:
        make = partial(charts.specification, chart, width)
        of = f"{chart.func.__module__} {chart.args!r} {width}"
        return pen.draw(make, of, says, f"{name}-{size}")

    wide, narrow = widths
    drawn = begun(wide, "wide")
    return Figure(
        name=name,
        says=says,
        drawn_wide=drawn,
        drawn_narrow=drawn if narrow == wide else begun(narrow, "narrow"),
    )
