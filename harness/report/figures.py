"""Every chart of a page, drawn once for each width: HTML and Markdown colour the same drawings."""

from collections.abc import Callable
from dataclasses import dataclass

from altair.utils.schemapi import debug_mode

from harness.report import charts, words
from harness.report.charts import alphas, differences, losses
from harness.report.page import Page, TaskPage


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """A chart at a desk's width and at a phone's, as SVG with stand-in colours."""

    name: str
    says: str
    wide: str
    narrow: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Figures:
    """What there is to draw; a chart without data is not there."""

    differences: dict[str, Figure]  # by task
    losses: Figure | None
    alphas: Figure | None

    def all(self) -> list[Figure]:
        return [*self.differences.values(), *(one for one in (self.losses, self.alphas) if one)]


def draw(page: Page) -> Figures:
    return Figures(
        differences={
            task.facts.name: _forest(task, f"differences-{place}")
            for place, task in enumerate(page.tasks, start=1)
            if task.groups
        },
        losses=_figure(
            "losses",
            "Training and validation loss by step",
            lambda data, width: losses.chart(page.curves, data, width),
        )
        if any(curve.points for curve in page.curves)
        else None,
        alphas=_figure(
            "alphas",
            "Alpha by layer, base and merged",
            lambda data, width: alphas.chart(page.weights, data, width),
        )
        if any("alpha" in row.numbers for row in page.weights)
        else None,
    )


def _forest(task: TaskPage, name: str) -> Figure:
    says = f"Paired differences in {task.metric} on {words.visible(task.facts.name)}"
    return _figure(name, says, lambda data, width: differences.chart(task, data, width))


def _figure(name: str, says: str, chart: Callable[[charts.Data, int], charts.Chart]) -> Figure:
    def drawn(width: int, size: str) -> str:
        data = charts.Data()
        # Altair checks each part of a chart as it is made, for half of all its time; the tests let it check.
        with debug_mode(False):
            return charts.draw(chart(data, width), data, says, f"{name}-{size}")

    return Figure(
        name=name, says=says, wide=drawn(charts.WIDE, "wide"), narrow=drawn(charts.NARROW, "narrow")
    )
