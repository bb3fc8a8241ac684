"""Whether rows give a score, and samples that are resampled together."""

import numpy as np
import pytest

from harness import metrics
from harness.scoring.agreement import agrees, values_of
from harness.scoring.clusters import numbered
from harness.types import Score, System

EXACT = metrics.load("exact")  # sums: hits, samples
ROWS = np.array([[1.0, 1.0], [0.0, 1.0], [1.0, 1.0], [1.0, 1.0]])
IDS = ("a", "b", "c", "d")


def test_rows_give_the_score_that_they_add_up_to() -> None:
    assert values_of(EXACT, IDS, ROWS).tolist() == [75.0]


@pytest.mark.parametrize(
    ("ids", "rows", "said"),
    [
        ((), ROWS[:0], "no samples"),
        (("a", "b", "c", "a"), ROWS, "a sample is there twice"),
        (IDS, ROWS * np.nan, "a row holds a number that is not finite"),
        (IDS, ROWS[:, :1], "rows of 1 numbers, which are not this metric's"),
        (IDS, ROWS * [1, 0], "its score is not finite"),
    ],
)
def test_what_are_no_rows_of_the_metric_is_told(ids: tuple[str, ...], rows: np.ndarray, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        values_of(EXACT, ids, rows)


@pytest.mark.parametrize(
    ("value", "n", "expected"),
    [(75.0, 4, True), (75.0 + 1e-9, 4, True), (75.001, 4, False), (75.0, 5, False), (float("nan"), 4, False)],
)
def test_a_score_agrees_with_its_value_and_its_number_of_samples(
    value: float, n: int, expected: bool
) -> None:
    score = Score(
        task="t", system=System(model="m"), metric="exact", primary=True, signature="s", unit="%",
        better="higher", value=75.0, low=None, high=None, n=4,
    )  # fmt: skip
    assert agrees(score, value, n) is expected


def test_equal_labels_have_equal_numbers_in_the_order_in_which_they_come() -> None:
    assert numbered(["b", "a", "b", "c"]) == [0, 1, 0, 2]
