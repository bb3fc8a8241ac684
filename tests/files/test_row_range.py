"""Slices of a file's rows: percentages are whole numbers, so that two slices neither share a row nor lose one."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.errors import DataError
from harness.files.row_range import WHOLE, split_name

# Name, rows in the file, first row and the row after the last, by hand.
CASES = [
    ("a.json[:90%]", 15, 0, 13),  # 15 * 90 // 100
    ("a.json[90%:]", 15, 13, 15),
    ("a.json[-10%:]", 15, 13, 15),
    ("a.json[:-10%]", 15, 0, 13),
    ("a.csv[10:20]", 15, 10, 15),
    ("a.csv[:-5]", 15, 0, 10),
    ("a.csv[-5:]", 15, 10, 15),
    ("a.csv[-50:]", 15, 0, 15),
    ("a.csv[100:]", 15, 15, 15),
    ("a.csv[:]", 15, 0, 15),
    ("a.csv[ 5 : 10% ]", 15, 5, 5),
    ("a.csv[0%:100%]", 15, 0, 15),
    ("a[1].json[2:3]", 15, 2, 3),
]


@pytest.mark.parametrize(("name", "rows", "start", "stop"), CASES)
def test_a_slice_takes_the_rows_that_python_or_the_percentage_means(
    name: str, rows: int, start: int, stop: int
) -> None:
    file, taken = split_name(name)
    assert file == name.rpartition("[")[0]
    assert taken.of(rows) == range(start, stop)


@given(rows=st.integers(0, 10**6), bound=st.integers(-100, 100), percent=st.booleans())
def test_two_slices_at_one_bound_share_no_row_and_lose_none(rows: int, bound: int, percent: bool) -> None:
    edge = f"{bound}{'%' if percent else ''}"
    before, after = (split_name(f"a.csv[{part}]")[1].of(rows) for part in (f":{edge}", f"{edge}:"))
    assert (before.start, after.stop) == (0, rows)
    assert before.stop == after.start


@pytest.mark.parametrize("name", ["data.json", "a[1].json", "folder[2:]/data.json"])
def test_a_name_without_a_slice_is_the_whole_file(name: str) -> None:
    assert split_name(name) == (name, WHOLE)


@pytest.mark.parametrize(
    "rows", ["", "1", "1:2:3", "a:b", "1.5%:", ":101%", "-101%:", "٣:", ":1e3", "1 0:", ":" + "9" * 16]
)
def test_brackets_with_anything_else_are_refused(rows: str) -> None:
    with pytest.raises(
        DataError, match=re.escape(f"x.yaml:3: found 'a.csv[{rows}]'; give the rows as [START:STOP]")
    ):
        split_name(f"a.csv[{rows}]", "x.yaml:3")
