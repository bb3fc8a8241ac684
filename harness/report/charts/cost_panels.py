"""The panels of quality against cost: their scales, the Pareto front, and what each dot is called."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from math import exp, log

from harness import text as words
from harness.report.charts import NARROW, WIDE, labels
from harness.report.charts.labels import Box, Panel
from harness.report.page import ScoreLine, TaskPage

HEIGHT, AXIS, BETWEEN = 250, 36, 34  # pixels of a panel, of the numbers at its left, and between two
EDGE = 14  # pixels between the outermost dots and the edges
WIDE_RANGE = 8.0  # costs that differ by more are shown on a logarithmic axis
NAME = 11.5  # font size beside a dot
LONGEST = 150  # pixels of a name beside its dot
MOST_NAMES = 12  # dots; more names make a chart that nobody reads


@dataclass(frozen=True, slots=True, kw_only=True)
class CostAxis:
    """A quantity of cost, with its axis."""

    title: str
    name: str  # of the field of Costs
    form: str  # of the function of harness.text that formats it
    scale: float  # from the field's unit to the axis's


COSTS = (
    CostAxis(title="time for an answer, ms", name="answer_seconds", form="brief", scale=1000.0),
    CostAxis(title="peak memory, MB", name="peak_megabytes", form="megabytes", scale=1.0),
)


@dataclass(frozen=True, slots=True)
class Axis:
    """A scale between numbers and pixels; `last` may be the smaller pixel."""

    low: float
    high: float
    first: float  # pixel of `low`
    last: float  # pixel of `high`
    logarithmic: bool = False

    def pixel(self, value: float) -> float:
        """Return the pixel of a number."""
        low, high, at = (
            map(log, (self.low, self.high, value)) if self.logarithmic else (self.low, self.high, value)
        )
        return self.first + (at - low) / (high - low) * (self.last - self.first)

    def value(self, pixel: float) -> float:
        """Return the number at a pixel."""
        share = (pixel - self.first) / (self.last - self.first)
        if self.logarithmic:
            return exp(log(self.low) + share * (log(self.high) - log(self.low)))
        return self.low + share * (self.high - self.low)


@dataclass(frozen=True, slots=True, kw_only=True)
class CostPanel:
    """One cost against the quality: the content of a panel."""

    cost: CostAxis
    lines: tuple[tuple[ScoreLine, float], ...]  # each with its cost, in the axis's unit
    front: tuple[int, ...]  # places in `lines`, cheapest first
    x: Axis
    y: Axis

    @property
    def drawn(self) -> Panel:
        """Return dots, intervals and the front in pixels."""
        dots = tuple((self.x.pixel(cost), self.y.pixel(line.score.value)) for line, cost in self.lines)
        ends = [sorted(map(self.y.pixel, ends_of(line))) for line, _ in self.lines]
        rules = [Box(x - 1, own[0], x + 1, own[-1]) for (x, _), own in zip(dots, ends, strict=True)]
        steps = [step for one, other in pairwise(self.front) for step in _step(dots[one], dots[other])]
        return Panel(width=self.x.last, height=self.y.first, dots=dots, lines=(*rules, *steps))


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyLine:
    """A line of the table beside the chart."""

    number: int
    line: ScoreLine
    costs: tuple[str, ...]  # in the order of `measured`; "" if not measured
    on_front: tuple[bool, ...]


def measured(page: TaskPage) -> list[CostAxis]:
    """Return the costs that were measured for at least two systems."""
    return [cost for cost in COSTS if len(list(_answering(page, cost))) > 1]


def front(
    points: Sequence[tuple[float, float]],  # (cost, quality), more quality is better
) -> list[int]:
    """Return the indices of the points on the Pareto front, cheapest first."""
    found: list[int] = []
    order = sorted(range(len(points)), key=lambda at: (points[at][0], -points[at][1]))
    for place in order:
        if not found or points[place][1] > points[found[-1]][1]:
            found.append(place)
    return found


def key(page: TaskPage) -> list[KeyLine]:
    """Return the table that says which system each number is, with its costs."""
    found = []
    panels = panels_of(page, NARROW)
    for number, line in enumerate(numbered_lines(page), 1):
        fronts = [any(panel.lines[place][0] is line for place in panel.front) for panel in panels]
        costs = [getattr(line.costs, panel.cost.name) for panel in panels]
        forms = [getattr(words, panel.cost.form) for panel in panels]
        shown = tuple(form(cost) for form, cost in zip(forms, costs, strict=True))
        found.append(KeyLine(number=number, line=line, costs=shown, on_front=tuple(fronts)))
    return found


def is_numbered(page: TaskPage) -> bool:
    """Return whether the dots have numbers in the wide chart or in the narrow one."""
    return has_numbers(page, WIDE) or has_numbers(page, NARROW)


def has_numbers(page: TaskPage, width: int) -> bool:
    """Return whether dots have numbers because the names have no room."""
    return any(name_boxes(panel) is None for panel in panels_of(page, width))


def abreast(costs: Sequence[object], width: int) -> int:
    """Return the number of panels side by side."""
    return min(len(costs), 1 if width <= NARROW else 2)


def panels_of(page: TaskPage, width: int) -> list[CostPanel]:
    """Return a panel for each measured cost."""
    costs = measured(page)
    if not costs:
        return []
    columns = abreast(costs, width)
    across = (width - (AXIS + BETWEEN + 10) * columns) // columns
    shown = [line for line in page.lines if line.role != "trivial"]
    y = _quality(shown, page.lower_is_better)
    sign = -1 if page.lower_is_better else 1
    found = []
    for cost in costs:
        lines = tuple(_answering(page, cost))
        on_front = front([(value, sign * line.score.value) for line, value in lines])
        x = _cost_axis([value for _, value in lines], across)
        found.append(CostPanel(cost=cost, lines=lines, front=tuple(on_front), x=x, y=y))
    return found


def _answering(page: TaskPage, cost: CostAxis) -> Iterator[tuple[ScoreLine, float]]:
    for line in page.lines:
        value = getattr(line.costs, cost.name)
        if line.role != "trivial" and value is not None:
            yield line, value * cost.scale


def numbered_lines(page: TaskPage) -> list[ScoreLine]:
    """Return the lines with a dot in any panel; a line's number is its place among them."""
    costs = measured(page)
    return [
        line
        for line in page.lines
        if line.role != "trivial" and any(getattr(line.costs, cost.name) is not None for cost in costs)
    ]


def _quality(lines: Sequence[ScoreLine], lower_is_better: bool) -> Axis:
    scores = [end for line in lines for end in ends_of(line)]
    room = 0.08 * (max(scores) - min(scores) or 1.0)
    low, high = min(scores) - room, max(scores) + room
    return Axis(high, low, HEIGHT, 0.0) if lower_is_better else Axis(low, high, HEIGHT, 0.0)


def _cost_axis(values: Sequence[float], width: float) -> Axis:
    near, far = min(values), max(values)
    share = EDGE / (width - 2 * EDGE)
    if far > WIDE_RANGE * near > 0:
        room = (far / near) ** share
        return Axis(near / room, far * room, 0.0, width, logarithmic=True)
    room = share * (far - near) or 0.05 * abs(far) or 1.0
    return Axis(near - room, far + room, 0.0, width)


def ends_of(line: ScoreLine) -> tuple[float, ...]:
    """Return the score with the ends of its interval, lowest first."""
    score = line.score
    return (score.value,) if score.low is None or score.high is None else (score.low, score.value, score.high)


def _step(one: tuple[float, float], other: tuple[float, float]) -> tuple[Box, Box]:
    """Return the two lines of the front between two of its dots: to the right, then up."""
    top, bottom = min(one[1], other[1]), max(one[1], other[1])
    return Box(one[0], one[1] - 1, other[0], one[1] + 1), Box(other[0] - 1, top, other[0] + 1, bottom)


def name_boxes(panel: CostPanel) -> list[Box] | None:
    """Return the place of each dot's name; None if not all have room."""
    if len(panel.lines) > MOST_NAMES:
        return None
    return labels.names(panel.drawn, [name_of(line) for line, _ in panel.lines], NAME)


def name_of(line: ScoreLine) -> str:
    """Return the name beside a dot."""
    return labels.fit(words.system(line.system), LONGEST, NAME)
