"""Gain against forgetting: a dot for each adapter with both of its intervals, a panel for each task that was trained on."""

from collections.abc import Sequence

import altair as alt

from harness import text as words
from harness.report.charts import NARROW, SERIES, STAND_IN, TIP, Chart, Data, labels
from harness.report.forgetting import Forgetting, ForgettingLine, Gained, gained, lost

HEIGHT, WIDEST = 210, 420  # pixels of a panel


def chart(section: Forgetting, data: Data, width: int) -> Chart:
    """Return the panels; they share the axis of what was forgotten."""
    pairs = [(line, line.gained) for line in section.lines if line.gained is not None]
    tasks = list(dict.fromkeys(own.task for _, own in pairs))
    models = list(dict.fromkeys(words.visible(line.system.model) for line, _ in pairs))
    columns = min(len(tasks), 1 if width <= NARROW else 3)
    panel = min(WIDEST, (width - 56 * columns) // columns)
    panels = [
        _panel(section, [pair for pair in pairs if pair[1].task == task], models, data, panel)
        for task in tasks
    ]
    shared = alt.Resolve(scale=alt.ScaleResolveMap(x="shared", color="shared"))
    return alt.ConcatSpecGenericSpec(concat=panels, columns=columns, spacing=24, resolve=shared)


def _panel(
    section: Forgetting,
    pairs: Sequence[tuple[ForgettingLine, Gained]],
    models: Sequence[str],
    data: Data,
    width: int,
) -> Chart:
    values = [
        {
            "model": words.visible(line.system.model),
            "lost": line.forgotten.lost,
            "lost_low": line.forgotten.low,
            "lost_high": line.forgotten.high,
            "gain": own.gain,
            "gain_low": own.low,
            "gain_high": own.high,
            "says": f"{TIP}{words.system(line.system)}: gained {gained(own)}, forgot {lost(line.forgotten)}",
        }
        for line, own in pairs
    ]
    own = pairs[0][1]
    legend = alt.Legend(title=None, symbolOpacity=1) if len(models) > 1 else None
    colour = alt.Color("model:N", scale=alt.Scale(domain=list(models), range=list(SERIES)), legend=legend)
    unit = f"{section.metric.lower()} forgotten on {words.visible(section.task)}"
    x = alt.X("lost_low:Q", title=unit, axis=alt.Axis(tickCount=4, grid=False))
    y = alt.Y("gain_low:Q", title=f"{own.metric} gained", axis=alt.Axis(tickCount=5))
    dots = alt.Chart(data.add(values))
    zero = alt.Chart(data.add([{}])).mark_rule(color=STAND_IN["muted"], strokeDash=[3, 3])
    return alt.LayerSpec(
        layer=[
            zero.encode(x=alt.XDatum(0)),
            zero.encode(y=alt.YDatum(0)),
            dots.mark_rule(strokeWidth=1.5).encode(
                x=x, x2=alt.X2("lost_high:Q"), y=alt.Y("gain:Q"), color=colour
            ),
            dots.mark_rule(strokeWidth=1.5).encode(
                x=alt.X("lost:Q"), y=y, y2=alt.Y2("gain_high:Q"), color=colour
            ),
            dots.mark_point(size=60, opacity=1, filled=True, stroke=STAND_IN["paper"], strokeWidth=1).encode(
                x=alt.X("lost:Q"), y=alt.Y("gain:Q"), color=colour, description=alt.Description("says:N")
            ),
        ],
        width=width,
        height=HEIGHT,
        title=labels.fit(words.visible(own.task), width, 13, bold=True),
    )
