"""Paired differences as a forest plot: a dot and its 95 % interval for each pair, grouped by question."""

from dataclasses import replace

import altair as alt

from harness import text as words
from harness.report.answer import turned
from harness.report.charts import NARROW, STAND_IN, TIP, Chart, Data, at_x, labels
from harness.report.page import ComparisonFamily, TaskPage
from harness.types import Comparison

LINE = 24  # pixels from pair to pair
LABELS = {True: 186, False: 310}  # pixels for names: narrow, wide
GAP = 14  # pixels between a name and the plot
MOST = 16  # pairs of one question that are drawn; the table beside the chart has all
NUMBERS = 215  # pixels for the numbers beside a wide plot
OVER = " over "  # between the names of two systems


def chart(page: TaskPage, data: Data, width: int) -> Chart:
    """Return a chart of all questions of a task on one axis, each under its heading.

    Names are drawn as text and not as an axis: Vega measures each label of an axis many times over to cut it to size.
    """
    narrow = width <= NARROW
    plot = width - LABELS[narrow] - (12 if narrow else NUMBERS)
    size = 11 if narrow else 12.5
    headings, pairs, count = _lines(page, LABELS[narrow] - GAP, width, size)
    table, heads = alt.Chart(data.add(pairs)), alt.Chart(data.add(headings))
    axis = alt.Axis(title=f"difference in {page.metric}", tickCount=4 if narrow else 6)
    x = alt.X("low:Q", scale=_scale(page), axis=axis)
    y = alt.Y("line:Q", scale=alt.Scale(domain=[count, -0.7], nice=False, zero=False), axis=None)
    return alt.LayerSpec(
        layer=[
            alt.Chart(data.add([{}]))
            .mark_rule(color=STAND_IN["muted"], strokeDash=[3, 3])
            .encode(x=alt.XDatum(0)),
            table.mark_rule(strokeWidth=2).encode(
                x=x, x2=alt.X2("high:Q"), y=y, color=_coloured(alt.Color, "muted")
            ),
            table.mark_point(size=60, opacity=1, strokeWidth=2).encode(
                x=alt.X("difference:Q"),
                y=y,
                stroke=_coloured(alt.Stroke, "muted"),
                fill=_coloured(alt.Fill, "paper"),
                description=alt.Description("says:N"),
            ),
            table.mark_text(align="right", fontSize=size, color=STAND_IN["ink"], baseline="middle").encode(
                x=at_x(-GAP), y=y, text=alt.Text("label:N")
            ),
            heads.mark_text(
                align="left", fontSize=size, fontWeight=600, color=STAND_IN["ink"], baseline="middle"
            ).encode(x=at_x(2 - LABELS[narrow]), y=y, text=alt.Text("label:N")),
            *(
                []
                if narrow
                else [
                    table.mark_text(
                        align="left", fontSize=size, color=STAND_IN["muted"], baseline="middle"
                    ).encode(x=at_x(plot + 16), y=y, text=alt.Text("numbers:N"))
                ]
            ),
        ],
        width=plot,
        height=LINE * (count + 0.7),
    )


def _lines(
    page: TaskPage,
    room: float,  # pixels for a name
    width: int,  # pixels for a heading
    size: float,  # of the font
) -> tuple[list[dict[str, object]], list[dict[str, object]], float]:
    """Return headings and pairs with their line numbers, and the number of lines."""
    headings: list[dict[str, object]] = []
    pairs: list[dict[str, object]] = []
    line = 0.0
    for group in map(arranged, page.groups):
        drawn, total = drawn_of(group), len(group.comparisons)
        some = f" ({len(drawn)} of {total}, the largest and the smallest)" if len(drawn) < total else ""
        headings.append({"line": line, "label": labels.fit(group.title + some, width, size, bold=True)})
        for comparison in drawn:
            line += 1
            pairs.append(
                {
                    "line": line,
                    "label": label(comparison, room, size),
                    "difference": comparison.difference,
                    "low": comparison.low,
                    "high": comparison.high,
                    "verdict": verdict(comparison, page.lower_is_better),
                    "says": f"{TIP}{words.system(comparison.candidate)}{OVER}{words.system(comparison.baseline)}: "
                    f"{words.difference(comparison)}, {words.certainty(comparison)}",
                    "numbers": f"{words.difference(comparison)}\N{EM SPACE}{words.certainty(comparison)}",
                }
            )
        line += 1.5
    return headings, pairs, line - 0.7


def _scale(page: TaskPage) -> alt.Scale:
    groups = map(arranged, page.groups)
    shown = [
        0.0,
        *(
            end
            for group in groups
            for comparison in group.comparisons
            for end in (comparison.low, comparison.high)
        ),
    ]
    room = 0.04 * (max(shown) - min(shown) or 1.0)
    return alt.Scale(domain=[min(shown) - room, max(shown) + room], nice=False, zero=False)


def _coloured(channel: type, unsure: str) -> object:
    """Return the colour encoding: that of better or worse if significant, else `unsure`."""
    names = ["better", "worse", "unsure"]
    colours = [STAND_IN["accent"], STAND_IN["warm"], STAND_IN[unsure]]
    return channel("verdict:N", scale=alt.Scale(domain=names, range=colours), legend=None)


def arranged(group: ComparisonFamily) -> ComparisonFamily:
    """Return the family, largest difference first; without a natural baseline, the better side is the candidate."""
    pairs = group.comparisons
    if all(bool(pair.candidate.adapter) == bool(pair.baseline.adapter) for pair in pairs):
        pairs = tuple(pair if pair.difference >= 0 else turned(pair) for pair in pairs)
    return replace(group, comparisons=tuple(sorted(pairs, key=lambda pair: -pair.difference)))


def drawn_of(group: ComparisonFamily) -> tuple[Comparison, ...]:
    """Return all pairs, or, if there are many, those with the largest and the smallest differences."""
    pairs = group.comparisons
    return pairs if len(pairs) <= MOST else pairs[: MOST // 2] + pairs[-MOST // 2 :]


def label(
    comparison: Comparison,
    room: float,  # pixels
    size: float,  # of the font
) -> str:
    """Return which systems are compared, each by its whole name unless that does not fit.

    An adapter that is compared with its base stands alone: the heading of its group says what it is compared with.
    """
    candidate, baseline = words.system(comparison.candidate), words.system(comparison.baseline)
    if comparison.candidate.adapter and comparison.baseline == comparison.candidate.base:
        return labels.fit(candidate, room, size)
    room -= labels.wide(OVER, size)
    half = max(room / 2, room - labels.wide(baseline, size))  # a short name leaves its room to the other one
    candidate = labels.fit(candidate, half, size)
    return f"{candidate}{OVER}{labels.fit(baseline, room - labels.wide(candidate, size), size)}"


def verdict(comparison: Comparison, lower_is_better: bool) -> str:
    """Return "better", "worse" or "unsure"."""
    if not words.significant(comparison):
        return "unsure"
    return "better" if (comparison.difference > 0) != lower_is_better else "worse"
