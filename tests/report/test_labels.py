"""Labels of charts: no label covers another one or a dot, and none is wider than it was taken to be."""

from itertools import combinations

import pytest
from hypothesis import given
from hypothesis import strategies as some

from harness.report.charts import labels
from harness.report.charts.labels import DOT, Box, Panel

WIDTHS = {860: (350.0, 250.0), 340: (260.0, 250.0)}  # of a page, and the panel in it
SIZE = 11.0

names = some.text("abcdefgWMil-._ +0123456789", min_size=1, max_size=24)


@some.composite
def panels(draw: some.DrawFn, most: int) -> Panel:
    """Dots anywhere in a panel, often on the same place."""
    width, height = draw(some.sampled_from(list(WIDTHS.values())))
    along = some.integers(1, 12).map(lambda place: width * place / 13) | some.floats(14, width - 14)
    down = some.integers(1, 12).map(lambda place: height * place / 13) | some.floats(14, height - 14)
    dots = draw(some.lists(some.tuples(along, down), min_size=1, max_size=most))
    return Panel(width=width, height=height, dots=tuple(dots))


def free(panel: Panel, boxes: list[Box]) -> bool:
    dots = [Box(x - DOT, y - DOT, x + DOT, y + DOT) for x, y in panel.dots]
    apart = not any(one.overlaps(other) for one, other in combinations(boxes, 2))
    return apart and not any(box.overlaps(dot) for box in boxes for dot in dots)


@given(panels(most=14), some.data())
def test_names_that_have_room_cover_nothing_and_stay_inside(panel: Panel, data: some.DataObject) -> None:
    texts = [data.draw(names) for _ in panel.dots]
    found = labels.names(panel, texts, SIZE)
    if found is None:
        return
    assert len(found) == len(texts)
    assert free(panel, found)
    assert all(box.inside(panel.whole) for box in found)
    for box, text in zip(found, texts, strict=True):
        assert abs((box.right - box.left) - labels.wide(text, SIZE)) < 1e-6


@given(panels(most=40))
def test_every_dot_of_forty_has_a_number_that_covers_nothing(panel: Panel) -> None:
    """The fallback never fails at the sizes that the chart has, even if all dots are on one place."""
    texts = [str(number) for number in range(1, len(panel.dots) + 1)]
    found = labels.numbers(panel, texts, SIZE)
    boxes = [box for box in found if box]
    assert len(boxes) == len(texts)
    assert free(panel, boxes)
    assert all(box.inside(panel.whole) for box in boxes)


def alone(panel: Panel, text: str) -> Box:
    """The box of a panel's only name."""
    found = labels.names(panel, [text], SIZE)
    assert found is not None
    return found[0]


def test_one_dot_has_its_name_on_the_right_and_at_the_right_edge_on_the_left() -> None:
    for x, on_right in ((40.0, True), (330.0, False)):
        box = alone(Panel(width=350, height=250, dots=((x, 100.0),)), "falcon-tiny")
        assert (box.left > x) == on_right


def test_names_on_one_place_have_no_room_beyond_the_positions_around_it() -> None:
    several = Panel(width=350, height=250, dots=((170.0, 120.0),) * 30)
    assert labels.names(several, ["a name of some length"] * 30, SIZE) is None


def test_a_name_prefers_the_side_where_it_crosses_no_line() -> None:
    line = Box(60, 90, 300, 110)
    panel = Panel(width=350, height=250, dots=((150.0, 100.0),), lines=(line,))
    assert not alone(panel, "name").overlaps(line)


# Text, and the sums of its letters' advance widths in DejaVu Sans 2.37, regular and bold, by fontTools: in thousandths of
# the font size.
ADVANCES = (
    ("Each adapter against trivial rules and few-shot bases", 26643, 30157),
    ("Models with quickstart against each other", 21000, 23858),
    ("llama2-tiny + quickstart over llama2-tiny (4-shot)", 24894, 28079),
    ("+76.2 [+64.8, +86.3]\N{EM SPACE}p_holm\N{NO-BREAK SPACE}<\N{NO-BREAK SPACE}0.001", 19896, 21603),
)


@pytest.mark.parametrize(("text", "regular", "bold"), ADVANCES)
def test_a_text_has_room_in_the_widest_usual_font(text: str, regular: int, bold: int) -> None:
    wide = labels.wide(text, 1000)
    assert regular <= wide <= 1.05 * regular  # little is wasted
    assert bold <= labels.BOLD * wide


@given(some.text("abc dW", max_size=60), some.floats(60, 300), some.booleans())
def test_broken_lines_have_all_words_and_the_width(text: str, pixels: float, bold: bool) -> None:
    found = labels.lines(text, pixels, SIZE, bold=bold)
    room = pixels / (labels.BOLD if bold else 1)
    assert all(labels.wide(line, SIZE) <= room for line in found)
    if all(labels.wide(word, SIZE) <= room for word in text.split()):
        assert " ".join(found) == " ".join(text.split())


@given(some.text(max_size=80), some.floats(40, 400), some.booleans())
def test_a_text_that_is_fitted_has_the_width(text: str, pixels: float, bold: bool) -> None:
    found = labels.fit(text, pixels, SIZE, bold=bold)
    assert labels.wide(found, SIZE) <= pixels / (labels.BOLD if bold else 1) or len(found) <= 3
    if labels.wide(text, SIZE) * labels.BOLD <= pixels:
        assert found == text


def test_a_shortened_name_keeps_both_ends() -> None:
    assert labels.fit("a-very-long-name-of-an-adapter-that-ends-so", 120, SIZE).startswith("a-ver")
    assert labels.fit("a-very-long-name-of-an-adapter-that-ends-so", 120, SIZE).endswith("s-so")
