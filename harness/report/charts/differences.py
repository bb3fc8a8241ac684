"""Paired differences as a forest plot: a dot and its 95 % interval for each pair, grouped by question."""

from dataclasses import dataclass, replace

import altair as alt

from harness import text as words
from harness.report.answer import turned
from harness.report.charts import NARROW, STAND_IN, TIP, Chart, Data, at_x, at_y, labels, to_x
from harness.report.page import ComparisonFamily, TaskPage
from harness.types import Comparison

LINE = 24  # pixels from pair to pair
LABELS = 380  # pixels for the names beside a wide plot, at most
GAP = 14  # pixels between a name and the plot, and between the plot and the numbers
LEAST = 200  # pixels of a wide plot
MOST = 16  # pairs of one question that are drawn; the table beside the chart has all
OVER = " over "  # between the names of two systems
HEADING = 0.75  # of a line, between two lines of a heading
BELOW = 0.8  # of a line: on a phone, from a name to its interval


@dataclass(frozen=True, slots=True, kw_only=True)
class _Frame:
    """Where the parts of the chart are, in pixels."""

    width: float
    size: float  # of the font
    left: float  # for names, 0 if each name is above its interval
    right: float  # pixels for the numbers beside the plot; 0 in a narrow chart, which has no numbers

    @property
    def narrow(self) -> bool:
        """Return whether each name is above its interval and the numbers are left out."""
        return not self.right

    @property
    def plot(self) -> float:
        """Return the width of the plot."""
        return self.width - self.left - self.right - (2 * GAP if self.narrow else 0)


def chart(page: TaskPage, data: Data, width: int) -> Chart:
    """Return a chart of all questions of a task on one axis, each under its heading.

    Names are drawn as text and not as an axis: Vega measures each label of an axis many times over to cut it to size.
    """
    frame = _frame(page, width)
    headings, pairs, count = _lines(page, frame)
    table, heads = alt.Chart(data.add(pairs)), alt.Chart(data.add(headings))
    axis = alt.Axis(title=f"difference in {page.metric}", tickCount=4 if frame.narrow else 6)
    x = alt.X("low:Q", scale=_scale(page), axis=axis)
    scale = alt.Scale(domain=[count, -0.7], nice=False, zero=False)
    y, name_y, above = (alt.Y(f"{name}:Q", scale=scale, axis=None) for name in ("line", "name", "above"))
    ink = STAND_IN["ink"]
    name_x = at_x(GAP - frame.left) if frame.narrow else at_x(-GAP)
    layers = [
        # Vega makes a drawing as wide as the font that it measures with needs: an unseen line has the room of any font.
        alt.Chart(data.add([{}]))
        .mark_rule(color="transparent")
        .encode(x=at_x(-frame.left), x2=to_x(frame.plot + (frame.right or GAP)), y=at_y(0)),
        # The line at zero is drawn beside each interval only, so that it crosses no heading and no name.
        table.mark_rule(color=STAND_IN["muted"], strokeDash=[3, 3]).encode(
            x=alt.XDatum(0), y=above, y2=alt.Y2("below:Q")
        ),
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
        table.mark_text(
            align="left" if frame.narrow else "right", color=ink, fontSize=frame.size, baseline="middle"
        ).encode(x=name_x, y=name_y, text=alt.Text("label:N")),
        heads.mark_text(
            align="left", fontWeight=600, color=ink, fontSize=frame.size, baseline="middle"
        ).encode(x=at_x(2 - frame.left), y=y, text=alt.Text("label:N")),
    ]
    if not frame.narrow:
        numbers = table.mark_text(
            align="left", color=STAND_IN["muted"], fontSize=frame.size, baseline="middle"
        )
        layers.append(numbers.encode(x=at_x(frame.plot + GAP), y=y, text=alt.Text("numbers:N")))
    return alt.LayerSpec(layer=layers, width=frame.plot, height=LINE * (count + 0.7))


def _frame(page: TaskPage, width: int) -> _Frame:
    """Return as much room beside a wide plot as its numbers need, and its names up to LABELS."""
    if width <= NARROW:
        return _Frame(width=width, size=11, left=0, right=0)
    size = 12.5
    drawn = [pair for group in page.groups for pair in drawn_of(arranged(group))]
    right = GAP + max(labels.wide(_numbers(pair), size) for pair in drawn)
    most = min(LABELS, width - LEAST - right)
    left = GAP + max(labels.wide(label(pair, most - GAP, size), size) for pair in drawn)
    return _Frame(width=width, size=size, left=max(left, most / 2), right=right)


def _numbers(comparison: Comparison) -> str:
    return f"{words.difference(comparison)}\N{EM SPACE}{words.certainty(comparison)}"


def _lines(page: TaskPage, frame: _Frame) -> tuple[list[dict[str, object]], list[dict[str, object]], float]:
    """Return the lines of headings and pairs with their line numbers, and the number of lines."""
    headings: list[dict[str, object]] = []
    pairs: list[dict[str, object]] = []
    room = frame.width - GAP if frame.narrow else frame.left - GAP
    line = 0.0
    for group in map(arranged, page.groups):
        drawn, total = drawn_of(group), len(group.comparisons)
        some = f" ({len(drawn)} of {total}, the largest and the smallest)" if len(drawn) < total else ""
        parts = labels.lines(group.title + some, frame.width, frame.size, bold=True)
        headings += [{"line": line + HEADING * place, "label": part} for place, part in enumerate(parts)]
        line += HEADING * (len(parts) - 1)
        for comparison in drawn:
            name = line + 1
            line = name + BELOW if frame.narrow else name
            pairs.append(
                {
                    "line": line,
                    "name": name,
                    "above": line - 0.5,
                    "below": line + 0.5,
                    "label": label(comparison, room, frame.size),
                    "difference": comparison.difference,
                    "low": comparison.low,
                    "high": comparison.high,
                    "verdict": verdict(comparison, page.lower_is_better),
                    "says": f"{TIP}{words.system(comparison.candidate)}{OVER}{words.system(comparison.baseline)}: "
                    f"{words.difference(comparison)}, {words.certainty(comparison)}",
                    "numbers": _numbers(comparison),
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
