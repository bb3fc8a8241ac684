"""Training and validation loss by step, a panel for each base."""

from collections.abc import Sequence

import altair as alt

from harness import text as words
from harness.report.charts import NARROW, SERIES, STAND_IN, Chart, Data, labels
from harness.results import Curve

HEIGHT, WIDEST = 130, 380  # pixels of a panel


def chart(curves: Sequence[Curve], data: Data, width: int) -> Chart:
    """Return the panels, with training loss thin and validation loss with dots; all bases share the axes."""
    models = list(dict.fromkeys(curve.model for curve in curves))
    adapters = list(dict.fromkeys(words.visible(curve.adapter) for curve in curves))
    columns = min(len(models), 2 if width <= NARROW else 4)
    panel = min(WIDEST, (width - 44 - 26 * (columns - 1)) // columns)
    panels = [
        _panel(
            [curve for curve in curves if curve.model == model], data, adapters, panel, place % columns == 0
        )
        for place, model in enumerate(models)
    ]
    shared = alt.Resolve(scale=alt.ScaleResolveMap(x="shared", y="shared", color="shared"))
    return alt.ConcatSpecGenericSpec(concat=panels, columns=columns, spacing=18, resolve=shared)


def _panel(curves: Sequence[Curve], data: Data, adapters: Sequence[str], width: int, first: bool) -> Chart:
    values = [
        {
            "adapter": words.visible(curve.adapter),
            "step": point.step,
            "loss": point.loss,
            "validation": point.validation_loss,
        }
        for curve in curves
        for point in curve.points
    ]
    legend = alt.Legend(title=None, symbolOpacity=1) if len(adapters) > 1 else None
    colour = alt.Color("adapter:N", scale=alt.Scale(domain=list(adapters), range=list(SERIES)), legend=legend)
    x = alt.X("step:Q", title="step", axis=alt.Axis(grid=False, tickCount=3))
    y_axis = alt.Axis(tickCount=4, labels=first, title="loss" if first else None)
    measured = alt.Chart(data.add([value for value in values if value["validation"] is not None]))
    y = alt.Y("loss:Q", axis=y_axis)
    line = alt.Chart(data.add([value for value in values if value["loss"] is not None]))
    validation = alt.Y("validation:Q", axis=y_axis)
    return alt.LayerSpec(
        layer=[
            line.mark_line(strokeWidth=1, opacity=0.45).encode(x=x, y=y, color=colour),
            measured.mark_line(strokeWidth=2).encode(x=x, y=validation, color=colour),
            measured.mark_point(
                size=34, opacity=1, filled=True, stroke=STAND_IN["paper"], strokeWidth=1
            ).encode(x=x, y=validation, color=colour),
        ],
        width=width,
        height=HEIGHT,
        title=labels.fit(words.visible(curves[0].model), width, 13, bold=True),
    )
