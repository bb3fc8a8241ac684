"""What validation said of the combinations of a sweep with halving, by step: a panel for each adapter."""

from collections.abc import Sequence

import altair as alt

from harness import text as words
from harness.report.charts import NARROW, SERIES, STAND_IN, Chart, Data, labels
from harness.results import Halved

HEIGHT, WIDEST = 130, 380  # pixels of a panel
DROPPED, KEPT = "dropped", "kept"


def chart(halvings: Sequence[Halved], data: Data, width: int) -> Chart:
    """Return the panels: a thin line for each dropped combination, which ends where it was dropped."""
    columns = min(len(halvings), 2 if width <= NARROW else 4)
    panel = min(WIDEST, (width - 44 - 26 * (columns - 1)) // columns)
    panels = [_panel(halved, data, panel) for halved in halvings]
    shared = alt.Resolve(scale=alt.ScaleResolveMap(color="shared"))
    return alt.ConcatSpecGenericSpec(concat=panels, columns=columns, spacing=18, resolve=shared)


def _panel(halved: Halved, data: Data, width: int) -> Chart:
    values = [
        {"combination": one.name, "step": step, "value": value, "fate": KEPT if one.kept else DROPPED}
        for one in halved.combinations
        for step, value in one.measurements
    ]
    title = words.metric(halved.chosen_by) if halved.chosen_by else "validation loss"
    colour = alt.Color(
        "fate:N",
        scale=alt.Scale(domain=[KEPT, DROPPED], range=[SERIES[0], STAND_IN["muted"]]),
        legend=alt.Legend(title=None, symbolOpacity=1),
    )
    x = alt.X("step:Q", title="step", axis=alt.Axis(grid=False, tickCount=3))
    y = alt.Y("value:Q", scale=alt.Scale(zero=False), axis=alt.Axis(tickCount=4, title=title))
    dropped = alt.Chart(data.add([value for value in values if value["fate"] == DROPPED]))
    kept = alt.Chart(data.add([value for value in values if value["fate"] == KEPT]))
    return alt.LayerSpec(
        layer=[
            dropped.mark_line(strokeWidth=1, opacity=0.7).encode(
                x=x, y=y, color=colour, detail="combination:N"
            ),
            dropped.mark_point(size=14, opacity=1, filled=True).encode(x=x, y=y, color=colour),
            kept.mark_line(strokeWidth=2).encode(x=x, y=y, color=colour),
            kept.mark_point(size=34, opacity=1, filled=True, stroke=STAND_IN["paper"], strokeWidth=1).encode(
                x=x, y=y, color=colour
            ),
        ],
        width=width,
        height=HEIGHT,
        title=labels.fit(words.visible(f"{halved.model} + {halved.adapter}"), width, 13, bold=True),
    )
