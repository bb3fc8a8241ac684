"""A metric of a suite's systems over its RESULTs, a panel for each base: intervals, and the limits of gates dashed."""

import json
from collections.abc import Sequence

import altair as alt

from harness import text as words
from harness.report.charts import NARROW, SERIES, STAND_IN, TIP, Chart, Data, labels
from harness.report.site.trends import Series, Trend, TrendPoint, of_models

HEIGHT, AXIS = 150, 34  # pixels: a panel's height, and the width of the numbers at its left
MOST = 12  # panels; the table has all systems
APART = (
    0.5  # of the room of a RESULT: the series of a panel share it, so that intervals do not cover each other
)
OWN = "base"  # the series of a model without an adapter


def chart(trend: Trend, whens: Sequence[str], data: Data, width: int) -> Chart:
    """Return the panels; all share the axes."""
    panels = list(of_models(trend))[:MOST]
    names = list(dict.fromkeys(_name(series) for _, own in panels for series in own))
    columns = min(len(panels), 1 if width <= NARROW else 2)
    panel = (width - (AXIS + 22) * columns - 4) // columns
    drawn = [_panel(model, own, names, trend, whens, data, panel) for model, own in panels]
    shared = alt.Resolve(scale=alt.ScaleResolveMap(color="shared"))
    return alt.ConcatSpecGenericSpec(concat=drawn, columns=columns, spacing=24, resolve=shared)


def _panel(
    model: str,
    own: Sequence[Series],
    names: Sequence[str],
    trend: Trend,
    whens: Sequence[str],
    data: Data,
    width: int,
) -> Chart:
    colours = alt.Scale(domain=list(names), range=list(SERIES))
    legend = alt.Legend(title=None, symbolOpacity=1, labelLimit=240) if len(names) > 1 else None
    colour = alt.Color("series:N", scale=colours, legend=legend)
    y_axis = alt.Axis(tickCount=4, minExtent=AXIS, maxExtent=AXIS)
    y = alt.Y("value:Q", title=None, scale=_heights(trend), axis=y_axis)
    x = alt.X("x:Q", title=None, scale=_places(len(whens)), axis=_moments(whens, width))
    values = data.add(
        [
            _values(series, place, point, len(own))
            for place, series in enumerate(own)
            for point in series.points
        ]
    )
    every = alt.Chart(values)
    limited = every.transform_filter("isValid(datum.limit)")
    bounded = every.transform_filter("isValid(datum.low)")
    layers = [
        limited.mark_line(strokeWidth=1.2, strokeDash=[4, 3], opacity=0.9).encode(
            x=x,
            y=alt.Y("limit:Q", title=None, scale=_heights(trend), axis=y_axis),
            color=colour,
            detail="line:N",
        ),
        bounded.mark_rule(strokeWidth=5, opacity=0.28, strokeCap="round").encode(
            x=x,
            y=alt.Y("low:Q", title=None, scale=_heights(trend), axis=y_axis),
            y2=alt.Y2("high:Q"),
            color=colour,
        ),
        every.mark_line(strokeWidth=1.8).encode(x=x, y=y, color=colour, detail="line:N"),
        every.mark_point(size=44, opacity=1, filled=True, stroke=STAND_IN["paper"], strokeWidth=1).encode(
            x=x, y=y, color=colour, description=alt.Description("says:N")
        ),
    ]
    return alt.LayerSpec(
        layer=layers, width=width, height=HEIGHT, title=labels.fit(words.visible(model), width, 13, bold=True)
    )


def _values(series: Series, place: int, point: TrendPoint, count: int) -> dict[str, object]:
    score = point.score
    shift = APART * ((place + 0.5) / count - 0.5)
    commit = f", commit {point.commit}" if point.commit else ""
    limit = f", limit {words.number(point.limit.value)} ({point.limit.says})" if point.limit else ""
    return {
        "series": _name(series),
        "line": f"{place} {point.part}",
        "x": point.place + shift,
        "value": score.value,
        "low": score.low,
        "high": score.high,
        "limit": point.limit.value if point.limit else None,
        "says": f"{TIP}{words.system(series.system)}, {point.when}{commit}: {words.score(score)}{limit}",
    }


def _name(series: Series) -> str:
    """Return a series' name in its panel, which is named like its model."""
    system = series.system
    name = words.visible(system.adapter) if system.adapter else OWN
    return f"{name} ({system.shots}-shot)" if system.shots else name


def _places(count: int) -> alt.Scale:
    return alt.Scale(domain=[-0.5, max(count, 1) - 0.5], nice=False, zero=False)


def _heights(trend: Trend) -> alt.Scale:
    """Return the axis of scores, which all panels share."""
    shown = [point for point in trend.points if not point.score.system.is_trivial]
    ends = [
        end
        for point in shown
        for end in (
            point.score.value,
            point.score.low,
            point.score.high,
            point.limit.value if point.limit else None,
        )
        if end is not None
    ]
    room = 0.06 * (max(ends) - min(ends) or 1.0)
    return alt.Scale(domain=[min(ends) - room, max(ends) + room], nice=False, zero=False)


def _moments(whens: Sequence[str], width: int) -> alt.Axis:
    """Return the axis of RESULTs: as many labels as have room, the last one among them."""
    widest = max(labels.wide(when, 12) for when in whens) + 14
    room = max(1, int(width // widest))
    step = -(-len(whens) // room)
    ticks = [place for place in range(len(whens)) if (len(whens) - 1 - place) % step == 0]
    return alt.Axis(
        grid=False, values=ticks, labelExpr=f"{json.dumps(list(whens))}[datum.value]", labelOverlap=False
    )
