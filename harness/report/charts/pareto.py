"""Quality against cost: a dot for each system, and a line through the Pareto front."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import altair as alt

from harness import text as words
from harness.report.charts import NARROW, SERIES, STAND_IN, TIP, Chart, Data
from harness.report.charts.differences import cut
from harness.report.page import ScoreLine, TaskPage

HEIGHT, AXIS, BETWEEN = 230, 36, 34  # pixels of a panel, of the numbers at its left, and between two
WIDE_RANGE = 8.0  # costs that differ by more are shown on a logarithmic axis
LETTERS = 26  # of a name beside its dot
NAMES_A_ROW = 2  # of the legend: what a phone has room for
SIDES = ("left", "right")


@dataclass(frozen=True, slots=True, kw_only=True)
class CostAxis:
    """A quantity of cost, with its axis."""

    title: str
    name: str  # of the field of Costs
    form: str  # of the function of harness.text that formats it
    scale: float  # from the field's unit to the axis's


COSTS = (
    CostAxis(title="time for an answer, ms", name="answer_seconds", form="brief", scale=1000.0),
    CostAxis(title="peak memory, MB", name="peak_megabytes", form="megabytes", scale=1.0),
)


def measured(page: TaskPage) -> list[CostAxis]:
    """Return the costs that were measured for at least two systems."""
    return [cost for cost in COSTS if len(list(_answering(page, cost))) > 1]


def front(
    points: Sequence[tuple[float, float]],  # (cost, quality), more quality is better
) -> list[int]:
    """Return the indices of the points on the Pareto front, cheapest first."""
    found: list[int] = []
    order = sorted(range(len(points)), key=lambda at: (points[at][0], -points[at][1]))
    for place in order:
        if not found or points[place][1] > points[found[-1]][1]:
            found.append(place)
    return found


def chart(page: TaskPage, data: Data, width: int) -> Chart:
    """Return a panel for each cost, with one shared axis of quality."""
    costs = measured(page)
    columns = min(len(costs), 1 if width <= NARROW else 2)
    panel = (width - (AXIS + BETWEEN + 10) * columns) // columns
    models = list(
        dict.fromkeys(words.visible(line.system.model) for line in page.lines if line.role != "trivial")
    )
    scores = [end for line in page.lines if line.role != "trivial" for end in _ends(line)]
    room = 0.08 * (max(scores) - min(scores) or 1.0)
    domain = [min(scores) - room, max(scores) + room]
    y = alt.Scale(domain=domain[::-1] if page.lower_is_better else domain, nice=False, zero=False)
    panels = [_panel(page, cost, data, y, models, panel) for cost in costs]
    shared = alt.Resolve(scale=alt.ScaleResolveMap(color="shared", stroke="shared", fill="shared"))
    return alt.ConcatSpecGenericSpec(concat=panels, columns=columns, spacing=BETWEEN, resolve=shared)


def _answering(page: TaskPage, cost: CostAxis) -> Iterator[tuple[ScoreLine, float]]:
    for line in page.lines:
        value = getattr(line.costs, cost.name)
        if line.role != "trivial" and value is not None:
            yield line, value


def _ends(line: ScoreLine) -> tuple[float, ...]:
    score = line.score
    return (score.value,) if score.low is None or score.high is None else (score.low, score.value, score.high)


def _panel(
    page: TaskPage, cost: CostAxis, data: Data, scale: alt.Scale, models: Sequence[str], width: int
) -> Chart:
    lines = list(_answering(page, cost))
    near, far = min(value for _, value in lines), max(value for _, value in lines)
    values: list[dict[str, object]] = [
        {
            "cost": value * cost.scale,
            "score": line.score.value,
            "low": _ends(line)[0],
            "high": _ends(line)[-1],
            "model": words.visible(line.system.model),
            "kind": line.role,
            "name": cut(words.system(line.system), LETTERS),
            # The side of its dot with room for its name.
            "side": "left" if 2 * value > near + far else "right",
            "says": f"{TIP}{words.system(line.system)}: {words.score(line.score)}, "
            + getattr(words, cost.form)(value),
        }
        for line, value in lines
    ]
    sign = -1 if page.lower_is_better else 1
    fronted = [values[place] for place in front([(value, sign * line.score.value) for line, value in lines])]
    logarithmic = far > WIDE_RANGE * near > 0
    costs = alt.Scale(type="log" if logarithmic else "linear", zero=False, nice=False, padding=14)
    x = alt.X("cost:Q", title=cost.title, scale=costs, axis=alt.Axis(tickCount=5, grid=False))
    axis = alt.Axis(tickCount=5, minExtent=AXIS, maxExtent=AXIS)
    y = alt.Y("score:Q", title=page.metric, scale=scale, axis=axis)
    line = alt.Chart(data.add(fronted)).mark_line(
        interpolate="step-after", strokeWidth=1.5, strokeDash=[4, 3], color=STAND_IN["muted"]
    )
    names = [_names(data, fronted, side).encode(x=x, y=y, text=alt.Text("name:N")) for side in SIDES]
    return alt.LayerSpec(
        layer=[line.encode(x=x, y=y), *_dots(data, values, models, x, y), *names], width=width, height=HEIGHT
    )


def _dots(
    data: Data, values: Sequence[Mapping[str, object]], models: Sequence[str], x: alt.X, y: alt.Y
) -> Iterator[alt.Chart]:
    """Yield the intervals, and the dots over them: hollow for a base."""
    scale = alt.Scale(domain=list(models), range=[SERIES[at % len(SERIES)] for at in range(len(models))])
    legend = (
        alt.Legend(title=None, symbolOpacity=1, symbolType="circle", columns=NAMES_A_ROW)
        if len(models) > 1
        else None
    )
    stroke = alt.Stroke("model:N", scale=scale, legend=legend)
    yield (
        alt.Chart(data.add(values))
        .mark_rule(strokeWidth=1.5, opacity=0.55)
        .encode(x=x, y=alt.Y("low:Q"), y2=alt.Y2("high:Q"), stroke=stroke)
    )
    for kind, fill in (
        ("base", alt.FillValue(STAND_IN["paper"])),
        ("adapter", alt.Fill("model:N", scale=scale, legend=None)),
    ):
        yield (
            alt.Chart(data.add([value for value in values if value["kind"] == kind]))
            .mark_point(size=80, opacity=1, strokeWidth=2)
            .encode(x=x, y=y, stroke=stroke, fill=fill, description=alt.Description("says:N"))
        )


def _names(data: Data, fronted: Sequence[Mapping[str, object]], side: str) -> alt.Chart:
    """Return the names of the systems on the front that are written on this side of their dots."""
    there = [value for value in fronted if value["side"] == side]
    drawn: alt.Chart = alt.Chart(data.add(there)).mark_text(
        align="right" if side == "left" else "left",
        dx=-9 if side == "left" else 9,
        dy=-9,
        fontSize=11.5,
        color=STAND_IN["ink"],
    )
    return drawn
