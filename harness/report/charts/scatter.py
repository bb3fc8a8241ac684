"""Measured quality over each weight metric: a dot for each adapter, a colour and a shape for each base."""

from collections.abc import Sequence

import altair as alt

from harness import text as words
from harness.report.charts import NARROW, SERIES, STAND_IN, Chart, Data
from harness.weights.correlation import Correlation, MeasuredAdapter

HEIGHT, AXIS = 150, 34  # pixels: a panel's height, and the width of the numbers at its left
SHAPES = ("circle", "square", "triangle-up", "diamond", "triangle-down", "cross")


def chart(
    correlations: Sequence[Correlation],  # a panel for each
    candidates: Sequence[MeasuredAdapter],
    metric: str,  # display name of the quality metric
    data: Data,
    width: int,
) -> Chart:
    """Return panels in rows, with one shared axis of quality."""
    columns = min(len(correlations), 1 if width <= NARROW else 3)
    panel = (width - (AXIS + 22) * columns - 10) // columns
    scores = [candidate.score for candidate in candidates]
    room = 0.06 * (max(scores) - min(scores) or 1.0)
    y = alt.Scale(domain=[min(scores) - room, max(scores) + room], nice=False, zero=False)
    bases = list(dict.fromkeys(words.visible(candidate.base) for candidate in candidates))
    panels = [_panel(correlation, candidates, metric, data, y, bases, panel) for correlation in correlations]
    shared = alt.Resolve(scale=alt.ScaleResolveMap(color="shared", shape="shared"))
    return alt.ConcatSpecGenericSpec(concat=panels, columns=columns, spacing=24, resolve=shared)


def _panel(
    correlation: Correlation,
    candidates: Sequence[MeasuredAdapter],
    metric: str,
    data: Data,
    scale: alt.Scale,
    bases: Sequence[str],
    width: int,
) -> alt.Chart:
    values = [
        {"number": each.numbers[correlation.name], "score": each.score, "base": words.visible(each.base)}
        for each in candidates
        if correlation.name in each.numbers
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
                text=correlation.name,
                subtitle=f"τ {words.signed(correlation.tau, 2)} "
                + words.interval(correlation.low, correlation.high, words.signed_2),
                subtitleColor=STAND_IN["muted"],
            ),
        )
    )
    return drawn
