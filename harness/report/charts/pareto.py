"""Quality against cost: a dot for each system, and a line through the Pareto front.

Each dot has its system's name. Where not all names have room, each has a number, and a table beside the chart says
which system it is.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import altair as alt

from harness import text as words
from harness.report.charts import SERIES, STAND_IN, TIP, Chart, Data, labels
from harness.report.charts.cost_panels import (
    AXIS,
    BETWEEN,
    HEIGHT,
    NAME,
    CostPanel,
    abreast,
    ends_of,
    has_numbers,
    name_boxes,
    name_of,
    numbered_lines,
    panels_of,
)
from harness.report.charts.labels import Box
from harness.report.page import ScoreLine, TaskPage

NUMBER = 10.5  # font size beside a dot
NAMES_A_ROW = 2  # of the legend: what a phone has room for


def chart(page: TaskPage, data: Data, width: int) -> Chart:
    """Return a panel for each cost, with one shared axis of quality."""
    panels = panels_of(page, width)
    columns = abreast(panels, width)
    colours = _colours(page)
    numbered = has_numbers(page, width)
    drawn = [_panel(page, panel, data, colours, numbered=numbered) for panel in panels]
    shared = alt.Resolve(scale=alt.ScaleResolveMap(color="shared", stroke="shared", fill="shared"))
    return alt.ConcatSpecGenericSpec(concat=drawn, columns=columns, spacing=BETWEEN, resolve=shared)


def _panel(page: TaskPage, panel: CostPanel, data: Data, colours: "Colours", *, numbered: bool) -> Chart:
    form = getattr(words, panel.cost.form)
    values: list[dict[str, object]] = [
        {
            "cost": cost,
            "score": line.score.value,
            "low": ends_of(line)[0],
            "high": ends_of(line)[-1],
            "model": colours.group(line),
            "kind": line.role,
            "says": f"{TIP}{words.system(line.system)}: {words.score(line.score)}, "
            + form(cost / panel.cost.scale),
        }
        for line, cost in panel.lines
    ]
    costs = alt.Scale(
        type="log" if panel.x.logarithmic else "linear",
        domain=[panel.x.low, panel.x.high],
        zero=False,
        nice=False,
    )
    quality = alt.Scale(domain=[panel.y.low, panel.y.high], zero=False, nice=False)
    x = alt.X("cost:Q", title=panel.cost.title, scale=costs, axis=alt.Axis(tickCount=5, grid=False))
    axis = alt.Axis(tickCount=5, minExtent=AXIS, maxExtent=AXIS)
    y = alt.Y("score:Q", title=page.metric, scale=quality, axis=axis)
    along = alt.Chart(data.add([values[place] for place in panel.front])).mark_line(
        interpolate="step-after", strokeWidth=1.5, strokeDash=[4, 3], color=STAND_IN["muted"]
    )
    texts = _texts(page, panel, data, numbered=numbered)
    return alt.LayerSpec(
        layer=[along.encode(x=x, y=y), *_dots(data, values, colours, x, y), *texts],
        width=panel.x.last,
        height=HEIGHT,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Colours:
    """The colour of each model, or one of bases and one of adapters if there are more models than colours."""

    models: tuple[str, ...]

    def group(self, line: ScoreLine) -> str:
        """Return the name of the line's colour."""
        return words.visible(line.system.model) if self.of_models else line.role

    @property
    def of_models(self) -> bool:
        """Return whether each model has a colour of its own."""
        return len(self.models) <= len(SERIES)

    @property
    def scale(self) -> alt.Scale:
        """Return the colours as a scale."""
        if self.of_models:
            return alt.Scale(domain=list(self.models), range=list(SERIES[: len(self.models)]))
        return alt.Scale(domain=["base", "adapter"], range=[STAND_IN["muted"], STAND_IN["accent"]])


def _colours(page: TaskPage) -> Colours:
    return Colours(
        models=tuple(dict.fromkeys(words.visible(line.system.model) for line in numbered_lines(page)))
    )


def _dots(
    data: Data, values: Sequence[Mapping[str, object]], colours: Colours, x: alt.X, y: alt.Y
) -> Iterator[alt.Chart]:
    """Yield the intervals, and the dots over them: hollow for a base."""
    legend = (
        alt.Legend(title=None, symbolOpacity=1, symbolType="circle", columns=NAMES_A_ROW)
        if len(colours.models) > 1 and colours.of_models
        else None
    )
    stroke = alt.Stroke("model:N", scale=colours.scale, legend=legend)
    yield (
        alt.Chart(data.add(values))
        .mark_rule(strokeWidth=1.5, opacity=0.4)
        .encode(x=x, y=alt.Y("low:Q"), y2=alt.Y2("high:Q"), stroke=stroke)
    )
    for kind, fill in (
        ("base", alt.FillValue(STAND_IN["paper"])),
        ("adapter", alt.Fill("model:N", scale=colours.scale, legend=None)),
    ):
        yield (
            alt.Chart(data.add([value for value in values if value["kind"] == kind]))
            .mark_point(size=80, opacity=1, strokeWidth=2)
            .encode(x=x, y=y, stroke=stroke, fill=fill, description=alt.Description("says:N"))
        )


def _texts(page: TaskPage, panel: CostPanel, data: Data, *, numbered: bool) -> Iterator[alt.Chart]:
    """Yield the names or numbers, and lines to the numbers that are away from their dots."""
    drawn = panel.drawn
    boxes: Sequence[Box | None]
    if numbered:
        places = {line.system: number for number, line in enumerate(numbered_lines(page), 1)}
        texts = [str(places[line.system]) for line, _ in panel.lines]
        size, boxes = NUMBER, labels.numbers(drawn, texts, NUMBER)
    else:
        texts = [name_of(line) for line, _ in panel.lines]
        size, boxes = NAME, name_boxes(panel) or ()
    shown = [
        {"cost": panel.x.value(box.left), "score": _middle(panel, box, size), "name": text}
        for box, text in zip(boxes, texts, strict=True)
        if box
    ]
    ends = [
        (dot, end)
        for box, dot in zip(boxes, drawn.dots, strict=True)
        if box and (end := labels.leader(box, *dot))
    ]
    x, y = alt.X("cost:Q"), alt.Y("score:Q")
    if ends:
        lines = [
            {
                "cost": panel.x.value(dot[0]),
                "score": panel.y.value(dot[1]),
                "cost2": panel.x.value(end[0]),
                "score2": panel.y.value(end[1]),
            }
            for dot, end in ends
        ]
        rule = alt.Chart(data.add(lines)).mark_rule(strokeWidth=0.8, color=STAND_IN["muted"])
        yield rule.encode(x=x, y=y, x2=alt.X2("cost2:Q"), y2=alt.Y2("score2:Q"))
    text = alt.Chart(data.add(shown)).mark_text(
        align="left", baseline="middle", fontSize=size, color=STAND_IN["ink"]
    )
    yield text.encode(x=x, y=y, text=alt.Text("name:N"))


def _middle(panel: CostPanel, box: Box, size: float) -> float:
    return panel.y.value(box.top + labels.ABOVE * size)
