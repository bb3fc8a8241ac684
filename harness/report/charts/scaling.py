"""What adapters gain, and what they lose on other text, by the scale of their updates: a panel for each."""

from collections.abc import Sequence

import altair as alt

from harness import text as words
from harness.report.charts import NARROW, SERIES, STAND_IN, Chart, Data
from harness.report.scaling import ScaledAdapter

HEIGHT, WIDEST = 170, 420  # pixels of a panel


def chart(adapters: Sequence[ScaledAdapter], data: Data, width: int) -> Chart:
    """Return a panel for each score, and one for what was lost."""
    names = [words.system(one.system) for one in adapters]
    scores = list(dict.fromkeys((one.scaling.task, one.metric) for one in adapters))
    columns = 1 if width <= NARROW else 2
    panel = min(WIDEST, (width - 60 - 26 * (columns - 1)) // columns)
    panels = [
        _panel(
            [one for one in adapters if (one.scaling.task, one.metric) == score],
            ("value", "low", "high"), f"{score[1]} on {words.visible(score[0])}", names, data, panel,
        )
        for score in scores
    ]  # fmt: skip
    told = [one for one in adapters if one.scaling.text]
    if told:
        title = f"lost on {words.visible(told[0].scaling.text)}"
        panels.append(_panel(told, ("lost", "lost_low", "lost_high"), title, names, data, panel))
    shared = alt.Resolve(scale=alt.ScaleResolveMap(color="shared"))
    return alt.ConcatSpecGenericSpec(concat=panels, columns=columns, spacing=18, resolve=shared)


def _panel(
    adapters: Sequence[ScaledAdapter],
    of: tuple[str, str, str],  # fields of a scale: the number, and the ends of its interval
    title: str,
    names: Sequence[str],
    data: Data,
    width: int,
) -> Chart:
    number, low, high = of
    values = [
        {
            "adapter": words.system(one.system),
            "scale": point.scale,
            "value": getattr(point, number),
            "low": getattr(point, low),
            "high": getattr(point, high),
        }
        for one in adapters
        for point in one.scaling.points
    ]
    legend = alt.Legend(title=None, symbolOpacity=1) if len(names) > 1 else None
    colour = alt.Color("adapter:N", scale=alt.Scale(domain=list(names), range=list(SERIES)), legend=legend)
    x = alt.X("scale:Q", title="times the update", axis=alt.Axis(grid=False, tickCount=6))
    y = alt.Y("value:Q", scale=alt.Scale(zero=False), axis=alt.Axis(tickCount=4, title=title))
    measured = alt.Chart(data.add(values))
    ends = measured.mark_rule(strokeWidth=1.5, opacity=0.5).encode(
        x=x, y=alt.Y("low:Q", title=title), y2="high:Q", color=colour
    )
    dots = measured.mark_point(size=34, opacity=1, filled=True, stroke=STAND_IN["paper"], strokeWidth=1)
    return alt.LayerSpec(
        layer=[
            ends,
            measured.mark_line(strokeWidth=2).encode(x=x, y=y, color=colour),
            dots.encode(x=x, y=y, color=colour),
        ],
        width=width,
        height=HEIGHT,
    )
