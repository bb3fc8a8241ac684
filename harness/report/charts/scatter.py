"""Measured quality over each number that no data went into: a dot for each adapter, a colour and a shape for each base."""

from collections.abc import Sequence

import altair as alt

from harness import text as words
from harness.report.charts import NARROW, SERIES, STAND_IN, Chart, Data
from harness.weights.correlation import Correlation, MeasuredAdapter

HEIGHT, AXIS = 150, 34  # pixels of a panel, and of the numbers at its left
SHAPES = ("circle", "square", "triangle-up", "diamond", "triangle-down", "cross")


def chart(
    correlations: Sequence[Correlation],  # a panel for each
    candidates: Sequence[MeasuredAdapter],
    metric: str,  # what quality is measured in, for people
    data: Data,
    width: int,
) -> Chart:
    """Panels in rows, with one axis of quality for all of them."""
    columns = min(len(correlations), 1 if width <= NARROW else 3)
    panel = (width - (AXIS + 22) * columns - 10) // columns
    scores = [one.score for one in candidates]
    room = 0.06 * (max(scores) - min(scores) or 1.0)
    y = alt.Scale(domain=[min(scores) - room, max(scores) + room], nice=False, zero=False)
    bases = list(dict.fromkeys(words.visible(one.base) for one in candidates))
    panels = [_panel(one, candidates, metric, data, y, bases, panel) for one in correlations]
    shared = alt.Resolve(scale=alt.ScaleResolveMap(color="shared", shape="shared"))
    return alt.ConcatSpecGenericSpec(concat=panels, columns=columns, spacing=24, resolve=shared)


def _panel(
    one: Correlation,
    candidates: Sequence[MeasuredAdapter],
    metric: str,
    data: Data,
    scale: alt.Scale,
    bases: Sequence[str],
    width: int,
) -> alt.Chart:
    values = [
        {"number": each.numbers[one.name], "score": each.score, "base": words.visible(each.base)}
        for each in candidates
        if one.name in each.numbers
    ]
    legend = alt.Legend(title=None, symbolOpacity=1) if len(bases) > 1 else None
    colours = alt.Scale(domain=list(bases), range=list(SERIES))
    shapes = alt.Scale(domain=list(bases), range=list(SHAPES))
    y_axis = alt.Axis(tickCount=4, minExtent=AXIS, maxExtent=AXIS)
    drawn: alt.Chart = (
        alt.Chart(data.add(values))
        .mark_point(size=34, opacity=0.85, filled=True)
        .encode(
            x=alt.X(
                "number:Q",
                title=None,
                scale=alt.Scale(zero=False, nice=True),
                axis=alt.Axis(tickCount=4, grid=False),
            ),
            y=alt.Y("score:Q", title=metric, scale=scale, axis=y_axis),
            color=alt.Color("base:N", scale=colours, legend=legend),
            shape=alt.Shape("base:N", scale=shapes, legend=legend),
        )
        .properties(
            width=width,
            height=HEIGHT,
            title=alt.TitleParams(
                text=one.name,
                subtitle=f"τ {words.signed(one.tau, 2)} {words.interval(one.low, one.high, words.signed_2)}",
                subtitleColor=STAND_IN["muted"],
            ),
        )
    )
    return drawn
