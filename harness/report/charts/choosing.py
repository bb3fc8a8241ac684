"""The score on validation samples that chose the checkpoint, by step: a panel for each base and score."""

from collections.abc import Sequence

import altair as alt

from harness import text as words
from harness.report.charts import NARROW, SERIES, STAND_IN, Chart, Data, labels
from harness.results import Curve

HEIGHT, WIDEST = 130, 380  # pixels of a panel


def chart(curves: Sequence[Curve], data: Data, width: int) -> Chart:
    """Return the panels; the panels of one score share its axis."""
    adapters = list(dict.fromkeys(words.visible(curve.adapter) for curve in curves))
    groups = list(dict.fromkeys((curve.chosen_by or "", curve.model) for curve in curves))
    columns = min(len(groups), 2 if width <= NARROW else 4)
    panel = min(WIDEST, (width - 44 - 26 * (columns - 1)) // columns)
    panels = [
        _panel([curve for curve in curves if (curve.chosen_by, curve.model) == group], data, adapters, panel)
        for group in groups
    ]
    shared = alt.Resolve(scale=alt.ScaleResolveMap(color="shared"))
    return alt.ConcatSpecGenericSpec(concat=panels, columns=columns, spacing=18, resolve=shared)


def _panel(curves: Sequence[Curve], data: Data, adapters: Sequence[str], width: int) -> Chart:
    values = [
        {"adapter": words.visible(curve.adapter), "step": point.step, "score": point.validation_score}
        for curve in curves
        for point in curve.points
        if point.validation_score is not None
    ]
    legend = alt.Legend(title=None, symbolOpacity=1) if len(adapters) > 1 else None
    colour = alt.Color("adapter:N", scale=alt.Scale(domain=list(adapters), range=list(SERIES)), legend=legend)
    x = alt.X("step:Q", title="step", axis=alt.Axis(grid=False, tickCount=3))
    title = words.metric(curves[0].chosen_by or "")
    y = alt.Y("score:Q", scale=alt.Scale(zero=False), axis=alt.Axis(tickCount=4, title=title))
    measured = alt.Chart(data.add(values))
    dots = measured.mark_point(size=34, opacity=1, filled=True, stroke=STAND_IN["paper"], strokeWidth=1)
    return alt.LayerSpec(
        layer=[
            measured.mark_line(strokeWidth=2).encode(x=x, y=y, color=colour),
            dots.encode(x=x, y=y, color=colour),
        ],
        width=width,
        height=HEIGHT,
        title=labels.fit(words.visible(curves[0].model), width, 13, bold=True),
    )
