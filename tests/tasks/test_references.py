"""The references of a row: several columns, lists, JSON lists in cells of text, and white space at edges."""

from collections import Counter

import pytest

from harness.tasks.references import references
from harness.tasks.remarks import LISTS, READ, SEVERAL, SKIPPED, TRIMMED, UNCLEAR

# Cells, whether they can only be text, the references, and what is counted beside READ.
CASES: list[tuple[list[object], bool, tuple[str, ...], dict[str, int]]] = [
    (["one"], True, ("one",), {}),
    (["one", "two", "three"], True, ("one", "two", "three"), {SEVERAL: 1}),
    (["one", "", "three"], True, ("one", "three"), {SEVERAL: 1, SKIPPED: 1}),
    (["", " \n", "three"], True, ("three",), {SKIPPED: 2}),
    ([None, "two"], False, ("two",), {SKIPPED: 1}),
    ([[], "two"], False, ("two",), {SKIPPED: 1}),
    ([["one", "two"], "three"], False, ("one", "two", "three"), {SEVERAL: 1}),
    ([" one\n"], True, ("one",), {TRIMMED: 1}),
    ([[" one", "two", "three\t"]], False, ("one", "two", "three"), {SEVERAL: 1, TRIMMED: 2}),
    (['["a", "b"]'], True, ("a", "b"), {SEVERAL: 1, LISTS: 1}),
    ([' ["a"]\n'], True, ("a",), {LISTS: 1}),
    (['["ä, \\"x\\"", "b"]'], True, ('ä, "x"', "b"), {SEVERAL: 1, LISTS: 1}),
    (['["a", "b"]', "c"], True, ("a", "b", "c"), {SEVERAL: 1, LISTS: 1}),
    (["[]", "c"], True, ("c",), {SKIPPED: 1, LISTS: 1}),
    # Text that only looks like a list stays text.
    (["[sic] a text"], True, ("[sic] a text",), {}),
    (["[sic]"], True, ("[sic]",), {UNCLEAR: 1}),
    (["['a', 'b']"], True, ("['a', 'b']",), {UNCLEAR: 1}),
    (["[1, 2]"], True, ("[1, 2]",), {UNCLEAR: 1}),
    (['["a", 2]'], True, ('["a", 2]',), {UNCLEAR: 1}),
    (['["a"] and ["b"]'], True, ('["a"] and ["b"]',), {UNCLEAR: 1}),
    (["[" * 5_000 + "]" * 5_000], True, ("[" * 5_000 + "]" * 5_000,), {UNCLEAR: 1}),
    (['{"a": ["b"]}'], True, ('{"a": ["b"]}',), {}),
    # In a format that has lists of its own, a text is a text.
    (['["a", "b"]'], False, ('["a", "b"]',), {}),
]


@pytest.mark.parametrize(("cells", "textual", "found", "counted"), CASES)
def test_references_follow_the_written_rules(
    cells: list[object], textual: bool, found: tuple[str, ...], counted: dict[str, int]
) -> None:
    remarks: Counter[str] = Counter()
    assert references(cells, remarks, textual=textual) == found
    assert +remarks == Counter({READ: len(found), **counted})


@pytest.mark.parametrize("cells", [[""], ["  "], [["a", " "]], ["", None], ['["a", ""]'], ["[]"]])
def test_a_reference_that_is_empty_is_left_for_the_reader_to_refuse(cells: list[object]) -> None:
    found = references(cells, Counter(), textual=True)
    assert not found or not all(found)
