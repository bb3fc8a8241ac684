"""Paired differences as a forest plot: a dot and its 95 % interval for each pair, a panel for each question."""

import json
from collections.abc import Sequence
from dataclasses import replace

import altair as alt

from harness.report import words
from harness.report.answer import is_trivial, turned
from harness.report.charts import NARROW, STAND_IN, Data
from harness.report.page import Group, TaskPage
from harness.types import Comparison

LINE = 24  # pixels from pair to pair
LABELS = {True: 150, False: 290}  # pixels for names: narrow, wide
NUMBERS = 190  # pixels for the numbers beside a wide plot


def chart(page: TaskPage, data: Data, width: int) -> alt.VConcatChart:
    """All questions of a task on one axis."""
    groups = [arranged(group) for group in page.groups]
    ends = [end for group in groups for one in group.comparisons for end in (one.low, one.high, 0.0)]
    room = 0.04 * (max(ends) - min(ends) or 1.0)
    scale = alt.Scale(domain=[min(ends) - room, max(ends) + room], nice=False, zero=False)
    panels = [
        _panel(page, data, group, width, scale, last=place == len(groups) - 1) for place, group in enumerate(groups)
    ]
    return alt.vconcat(*panels, spacing=14)


def arranged(group: Group) -> Group:
    """Largest difference first; where neither side is the natural baseline, the better one is named first."""
    pairs = group.comparisons
    if all(bool(one.candidate.adapter) == bool(one.baseline.adapter) for one in pairs):
        pairs = tuple(one if one.difference >= 0 else turned(one) for one in pairs)
    return replace(group, comparisons=tuple(sorted(pairs, key=lambda one: -one.difference)))


def label(one: Comparison) -> str:
    """What is compared, without what both sides share."""
    candidate, baseline = one.candidate, one.baseline
    if candidate.adapter and baseline.adapter == candidate.adapter:
        return f"{words.visible(candidate.model)} over {words.visible(baseline.model)}"
    if candidate.adapter and baseline.adapter and candidate.model == baseline.model:
        return f"{words.visible(candidate.adapter)} over {words.visible(baseline.adapter)}"
    if candidate.adapter and candidate.model == baseline.model and not baseline.shots:
        return words.system(candidate)
    if is_trivial(baseline):
        return f"{words.visible(candidate.model)} over {words.system(baseline)}"
    return f"{words.system(candidate)} over {words.system(baseline)}"


def verdict(one: Comparison, lower_is_better: bool) -> str:
    if not words.significant(one):
        return "unsure"
    return "better" if (one.difference > 0) != lower_is_better else "worse"


def _values(page: TaskPage, comparisons: Sequence[Comparison]) -> list[dict[str, object]]:
    return [
        {
            "place": place,
            "label": label(one),
            "difference": one.difference,
            "low": one.low,
            "high": one.high,
            "verdict": verdict(one, page.lower_is_better),
            "numbers": f"{words.difference(one)}  {words.certainty(one)}",
        }
        for place, one in enumerate(comparisons)
    ]


def _panel(
    page: TaskPage, data: Data, group: Group, width: int, scale: alt.Scale, *, last: bool
) -> alt.LayerChart:
    narrow = width <= NARROW
    plot = width - LABELS[narrow] - (0 if narrow else NUMBERS)
    values = _values(page, group.comparisons)
    names = [str(one["label"]) for one in values]
    axis = alt.Axis(labels=last, title=f"difference in {page.metric}" if last else None, tickCount=4 if narrow else 6)
    x = alt.X("low:Q", scale=scale, axis=axis)
    # The label is looked up by place, so that two pairs of one name stay two lines.
    look_up = "[" + ",".join(json.dumps(name) for name in names) + "][datum.value]"
    y = alt.Y(
        "place:O",
        title=None,
        axis=alt.Axis(
            labelExpr=look_up,
            labelLimit=LABELS[narrow] - 10,
            minExtent=LABELS[narrow],
            maxExtent=LABELS[narrow],
            labelColor=STAND_IN["ink"],
            grid=False,
        ),
    )
    colour = alt.Color(
        "verdict:N",
        scale=alt.Scale(
            domain=["better", "worse", "unsure"], range=[STAND_IN["accent"], STAND_IN["warm"], STAND_IN["muted"]]
        ),
        legend=None,
    )
    fill = alt.Fill(
        "verdict:N",
        scale=alt.Scale(
            domain=["better", "worse", "unsure"], range=[STAND_IN["accent"], STAND_IN["warm"], STAND_IN["paper"]]
        ),
        legend=None,
    )
    chart = alt.Chart(data.add(values))
    zero = alt.Chart(data.add([{}])).mark_rule(color=STAND_IN["muted"], strokeDash=[3, 3]).encode(
        x=alt.XDatum(0)
    )
    layers = [
        zero,
        chart.mark_rule(strokeWidth=2).encode(x=x, x2="high:Q", y=y, color=colour),
        chart.mark_point(size=60, opacity=1, strokeWidth=2).encode(x="difference:Q", y=y, stroke=colour, fill=fill),
    ]
    if not narrow:
        text = chart.mark_text(align="left", fontSize=12, color=STAND_IN["muted"])
        layers.append(text.encode(x=alt.value(plot + 14), y=y, text="numbers:N"))
    return alt.layer(*layers).properties(
        width=plot, height=LINE * len(values), title=alt.Title(group.title, frame="group", dx=-LABELS[narrow])
    )


