"""Every chart of a page, drawn once for each width: HTML and Markdown colour the same drawings."""

from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass
from functools import partial

from harness.report import charts, words
from harness.report.charts import alphas, differences, losses
from harness.report.drawing import Pen
from harness.report.page import Page


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """A chart at a desk's width and at a phone's, as SVG with stand-in colours, which may still be being drawn."""

    name: str
    says: str
    drawn_wide: Future[str]
    drawn_narrow: Future[str]

    @property
    def wide(self) -> str:
        return self.drawn_wide.result()

    @property
    def narrow(self) -> str:
        return self.drawn_narrow.result()


@dataclass(frozen=True, slots=True, kw_only=True)
class Figures:
    """What there is to draw; a chart without data is not there."""

    differences: dict[str, Figure]  # by task
    losses: Figure | None
    alphas: Figure | None

    def all(self) -> list[Figure]:
        return [*self.differences.values(), *(one for one in (self.losses, self.alphas) if one)]


def draw(page: Page, pen: Pen) -> Figures:
    """Hands every chart to the pen."""
    begin = partial(_figure, pen)
    return Figures(
        differences={
            task.facts.name: begin(
                f"differences-{place}",
                f"Paired differences in {task.metric} on {words.visible(task.facts.name)}",
                partial(differences.chart, task),
            )
            for place, task in enumerate(page.tasks, start=1)
            if task.groups
        },
        losses=begin("losses", "Training and validation loss by step", partial(losses.chart, page.curves))
        if any(curve.points for curve in page.curves)
        else None,
        alphas=begin("alphas", "Alpha by layer, base and merged", partial(alphas.chart, page.weights))
        if any("alpha" in row.numbers for row in page.weights)
        else None,
    )


def _figure(pen: Pen, name: str, says: str, chart: Callable[[charts.Data, int], charts.Chart]) -> Figure:
    def begun(width: int, size: str) -> Future[str]:
        return pen.draw(charts.specification(chart, width), says, f"{name}-{size}")

    return Figure(
        name=name,
        says=says,
        drawn_wide=begun(charts.WIDE, "wide"),
        drawn_narrow=begun(charts.NARROW, "narrow"),
    )
