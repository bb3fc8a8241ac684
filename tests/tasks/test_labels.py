"""Which label a cell names."""

import pytest

from harness.errors import UnknownName
from harness.tasks.options import label_of

GRADES = ("1", "2", "3", "4", "5")


@pytest.mark.parametrize(
    ("cell", "labels", "wanted"),
    [
        ("positive", ("negative", "positive"), "positive"),
        (1, ("negative", "positive"), "positive"),
        ("0", ("negative", "positive"), "negative"),
        (" Yes ", ("Yes", "No"), "Yes"),
        ("1", GRADES, "1"),
        (5, GRADES, "5"),
        (0, ("0", "1"), "0"),
        (True, ("false", "true"), "true"),
    ],
)
def test_a_label_is_named_by_itself_or_by_its_number(
    cell: object, labels: tuple[str, ...], wanted: str
) -> None:
    assert label_of(cell, labels, "here") == wanted


@pytest.mark.parametrize(
    ("cell", "labels"),
    [
        (0, GRADES),  # would be the label 1, beside the 1 that is the label 1
        (2, ("0.5", "1.0", "1.5")),
        (2, ("negative", "positive")),
        ("yes", ("Yes", "No")),
        (-1, ("negative", "positive")),
        (None, ("negative", "positive")),
    ],
)
def test_a_cell_that_names_no_label_is_refused(cell: object, labels: tuple[str, ...]) -> None:
    with pytest.raises(UnknownName, match="here: no label named"):
        label_of(cell, labels, "here")
