"""Several reference columns and slices of one file, through every format that a source may have."""

import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from harness import data
from harness.commands.check import check_named
from harness.errors import DataError, SuiteError
from harness.suite.load import load_suite
from harness.tasks import remarks as counted
from harness.tasks.remarks import READ, SEVERAL, SKIPPED, TRIMMED
from harness.types import Source, Split
from tests.data.test_read import WRITERS, as_csv, as_jsonl

THREE = ("one", "two", "three")
ROWS = [
    {"text": "a", "one": "A", "two": "B ", "three": "C"},
    {"text": "b", "one": "", "two": " ", "three": "D"},
]
SUITE = """
tasks:
  - name: chats
    source:
      uri: file:.
      columns: {{input: text, reference: {reference}}}
      splits: {splits}
    prompt: "$input"
    metrics: [exact]
    primary: exact
models: [{{name: copy, uri: "echo:copy"}}]
weights: false
"""


def source(folder: Path, **fields: Any) -> Source:
    return Source(uri=f"file:{folder}", columns={"input": "text", "reference": THREE}, **fields)


def suite(folder: Path, reference: str = "one", splits: str = "{test: data.csv}") -> Path:
    path = folder / "small.yaml"
    path.write_text(SUITE.format(reference=reference, splits=splits))
    return path


@pytest.mark.parametrize("suffix", WRITERS)
def test_several_columns_are_all_references_and_empty_cells_are_skipped_with_a_count(
    tmp_path: Path, suffix: str
) -> None:
    WRITERS[suffix](tmp_path / f"test{suffix}", ROWS)
    remarks: Counter[str] = Counter()
    samples = list(data.read(source(tmp_path), "test", remarks=remarks))
    assert [sample.references for sample in samples] == [("A", "B", "C"), ("D",)]
    assert [sample.metadata for sample in samples] == [{}, {}]
    assert +remarks == Counter({counted.ROWS: 2, READ: 4, SEVERAL: 1, SKIPPED: 2, TRIMMED: 1})


@pytest.mark.parametrize(
    ("suffix", "where"),
    [(".jsonl", "test.jsonl:3"), (".csv", "test.csv:4"), (".parquet", "test.parquet: row 3")],
)
def test_a_row_without_any_reference_is_refused_by_file_and_line(
    tmp_path: Path, suffix: str, where: str
) -> None:
    WRITERS[suffix](tmp_path / f"test{suffix}", [*ROWS, {"text": "c", "one": "", "two": "", "three": " "}])
    message = (
        f"{where}: the columns 'one', 'two', 'three' are empty; give a reference answer, or drop the row"
    )
    with pytest.raises(DataError, match=re.escape(message)):
        list(data.read(source(tmp_path), "test"))


def test_a_column_that_is_not_there_is_named(tmp_path: Path) -> None:
    as_csv(tmp_path / "test.csv", [{"text": "a", "one": "A", "two": "B"}])
    with pytest.raises(SuiteError, match=re.escape("test.csv:2: columns.reference: no column named 'three'")):
        list(data.read(source(tmp_path), "test"))


@pytest.mark.parametrize(
    ("columns", "message"),
    [
        (
            "reference: []",
            "small.yaml:6: tasks[0].source.columns.reference: an empty list; name at least one",
        ),
        ("reference: [one, one]", "columns.reference[1]: 'one' is there twice"),
        (
            "reference: one, id: [a, b]",
            "columns.id: found a list; only `reference` and `choices` may have several columns",
        ),
        ("reference: 7", "source.columns.reference"),
    ],
)
def test_columns_that_cannot_be_are_refused_by_line(tmp_path: Path, columns: str, message: str) -> None:
    path = suite(tmp_path)
    path.write_text(path.read_text().replace("reference: one", columns))
    with pytest.raises(SuiteError, match=re.escape(message)):
        load_suite(str(path))


def test_no_reference_column_may_stand_in_the_prompt(tmp_path: Path) -> None:
    path = suite(tmp_path, reference="[one, two]")
    path.write_text(path.read_text().replace("$input", "$input $two"))
    with pytest.raises(SuiteError, match=r"\$two is the reference answer"):
        load_suite(str(path))


def checked(path: Path) -> Iterator[str]:
    return check_named(str(path), offline=True, cache=path.with_name("digests.json"), device="cpu")


def test_check_says_what_was_read_otherwise_than_it_is_written(tmp_path: Path) -> None:
    as_csv(
        tmp_path / "data.csv",
        [
            {"text": "a", "one": '["x", "y"]', "two": " z"},
            {"text": "b", "one": "[sic]", "two": ""},
        ],
    )
    lines = list(checked(suite(tmp_path, reference="[one, two]")))
    for line in (
        "task chats: 1 sample with several references: an answer is compared with all of them, and an adapter learns "
        "the first",
        "task chats: 1 reference with white space at an edge, which is removed",
        "task chats: 1 empty cell in reference columns, skipped",
        "task chats: 1 reference cell with a JSON list, read as a list",
        "task chats: 1 reference cell in brackets without a JSON list of texts, read as text",
    ):
        assert line in lines


NUMBERS = [{"text": f"t{n}", "one": f"r{n}", "two": "x", "three": "y"} for n in range(15)]


@pytest.mark.parametrize("suffix", WRITERS)
@pytest.mark.parametrize(
    "splits",
    [
        {"train": "[:90%]", "test": "[90%:]"},
        {"train": "[:-2]", "test": "[-2:]"},
        {"train": "[:13]", "test": "[13:]"},
        {"train": "[:-10%]", "test": "[-10%:]"},
    ],
)
def test_slices_of_one_file_divide_its_rows_and_keep_their_numbers(
    tmp_path: Path, suffix: str, splits: dict[str, str]
) -> None:
    WRITERS[suffix](tmp_path / f"data{suffix}", NUMBERS)
    sliced = source(tmp_path, splits={split: f"data{suffix}{part}" for split, part in splits.items()})
    found = {split: list(data.read(sliced, split)) for split in data.splits(sliced)}
    assert [s.input for split in found.values() for s in split] == [row["text"] for row in NUMBERS]
    assert [s.id for s in found["train"]] == [f"train-{n:06d}" for n in range(1, 14)]
    assert [s.id for s in found["test"]] == ["test-000014", "test-000015"]  # as in the whole file
    assert data.shared_rows(sliced) == ()


def test_ids_of_a_column_stay(tmp_path: Path) -> None:
    as_jsonl(tmp_path / "data.jsonl", [{**row, "key": f"k{n}"} for n, row in enumerate(NUMBERS)])
    sliced = Source(
        uri=f"file:{tmp_path}",
        columns={"id": "key", "input": "text", "reference": "one"},
        splits={"test": "data.jsonl[5:7]"},
    )
    assert [sample.id for sample in data.read(sliced, "test")] == ["k5", "k6"]


def test_rows_before_a_slice_are_checked_and_rows_after_it_are_not_read(tmp_path: Path) -> None:
    as_jsonl(tmp_path / "data.jsonl", NUMBERS)
    with (tmp_path / "data.jsonl").open("a") as file:
        file.write("{broken\n")
    sliced = source(tmp_path, splits={"test": "data.jsonl[3:10]"})
    assert len(list(data.read(sliced, "test"))) == 7
    with pytest.raises(DataError, match=r"data\.jsonl:16: broken JSON"):
        list(data.read(source(tmp_path, splits={"test": "data.jsonl[90%:]"}), "test"))


def test_an_empty_slice_is_refused_like_an_empty_file(tmp_path: Path) -> None:
    as_jsonl(tmp_path / "data.jsonl", NUMBERS)
    with pytest.raises(DataError, match="the test split is empty"):
        list(data.read(source(tmp_path, splits={"test": "data.jsonl[100:]"}), "test"))


def test_a_slice_that_is_none_is_refused_by_the_suites_line(tmp_path: Path) -> None:
    as_csv(tmp_path / "data.csv", ROWS)
    message = "small.yaml:7: tasks[0].source.splits.test: found 'data.csv[90]'; give the rows as"
    with pytest.raises(SuiteError, match=re.escape(message)):
        load_suite(str(suite(tmp_path, splits='{test: "data.csv[90]"}')))


def test_check_names_rows_that_two_splits_share(tmp_path: Path) -> None:
    as_csv(tmp_path / "data.csv", NUMBERS)
    path = suite(
        tmp_path, splits='{train: "data.csv[:12]", validation: "data.csv[12:13]", test: "data.csv[9:]"}'
    )
    lines = [line for line in checked(path) if "share" in line]
    assert lines == [
        "task chats: train and test share 3 rows of data.csv (10 to 12); give each row to one split",
        "task chats: validation and test share 1 row of data.csv (13 to 13); give each row to one split",
    ]


@pytest.mark.parametrize("name", ["dialogues", "instruction-qa"])
@pytest.mark.parametrize("split", ["train", "validation", "test"])
def test_no_rule_changes_a_reference_of_the_embedded_data(name: str, split: Split) -> None:
    """So the ids of steps and the published numbers stay."""
    columns = {"id": "id", "input": "dialogue", "reference": "summary"}
    if name == "instruction-qa":
        columns = {"id": "id", "input": "input", "reference": "output"}
    remarks: Counter[str] = Counter()
    samples = list(data.read(Source(uri=f"embedded:{name}", columns=columns), split, remarks=remarks))
    assert +remarks == Counter({counted.ROWS: len(samples), READ: len(samples)})
