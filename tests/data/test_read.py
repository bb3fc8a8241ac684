"""Rows to samples, whatever they come from; and what bad data gets: file, line, what was found."""

# ruff: noqa: E501 (a table is read along its lines)

import csv
import gzip
import json
import os
import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from harness import data
from harness.errors import DataError, SuiteError, UnknownName
from harness.files import shipped
from harness.files.regular import file_digest
from harness.types import Source, Split, Task
from tools.embedded.write import DATA_SETS

ROWS = [
    {"id": "a", "dialogue": "A: hi, \"you\"\nB: ho", "summary": "They greet.", "topic": "talk"},
    {"id": "b", "dialogue": "A: näxt 🙂", "summary": "Next.", "topic": ""},
]  # fmt: skip
COLUMNS = {"id": "id", "input": "dialogue", "reference": "summary"}


def as_jsonl(path: Path, rows: list[dict[str, Any]]) -> None:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")


def as_json(path: Path, rows: list[dict[str, Any]]) -> None:
    path.write_text(json.dumps(rows, indent=1), encoding="utf-8")


def as_csv(path: Path, rows: list[dict[str, Any]]) -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        table = csv.DictWriter(file, list(rows[0]))
        table.writeheader()
        table.writerows(rows)


def as_parquet(path: Path, rows: list[dict[str, Any]]) -> None:
    import pyarrow
    from pyarrow import parquet

    parquet.write_table(pyarrow.Table.from_pylist(rows), path)


WRITERS: dict[str, Callable[[Path, list[dict[str, Any]]], None]] = {
    ".jsonl": as_jsonl,
    ".json": as_json,
    ".csv": as_csv,
    ".parquet": as_parquet,
}


def source(path: Path, **fields: Any) -> Source:
    return Source(uri=f"file:{path}", columns=fields.pop("columns", COLUMNS), **fields)


@pytest.mark.parametrize("suffix", WRITERS)
def test_every_format_gives_the_same_samples(tmp_path: Path, suffix: str) -> None:
    WRITERS[suffix](tmp_path / f"test{suffix}", ROWS)
    samples = list(data.read(source(tmp_path), "test"))
    assert [(s.id, s.input, s.references, s.metadata) for s in samples] == [
        (row["id"], row["dialogue"], (row["summary"],), {"topic": row["topic"]}) for row in ROWS
    ]
    assert list(data.read(source(tmp_path / f"test{suffix}"), "test")) == samples


def test_a_json_file_of_lines_is_read_as_lines(tmp_path: Path) -> None:
    as_jsonl(tmp_path / "test.json", ROWS)
    assert [sample.id for sample in data.read(source(tmp_path), "test")] == ["a", "b"]


def test_rows_without_ids_are_numbered(tmp_path: Path) -> None:
    as_jsonl(tmp_path / "train.jsonl", ROWS)
    as_jsonl(tmp_path / "test.jsonl", ROWS)
    columns = {"input": "dialogue", "reference": "summary"}
    samples = list(data.read(source(tmp_path, columns=columns), "train"))
    assert [sample.id for sample in samples] == ["train-000001", "train-000002"]
    assert samples[0].metadata == {"id": "a", "topic": "talk"}


def test_columns_may_be_called_as_they_are_used(tmp_path: Path) -> None:
    as_jsonl(tmp_path / "test.jsonl", [{"input": "x", "reference": "y"}])
    (sample,) = data.read(source(tmp_path, columns={}), "test")
    assert (sample.input, sample.references) == ("x", ("y",))


def test_values_that_are_no_text_become_text(tmp_path: Path) -> None:
    row = {
        "id": 7,
        "dialogue": None,
        "summary": ["one", "two"],
        "score": 1.5,
        "flag": True,
        "tags": ["a", "ä"],
    }
    as_jsonl(tmp_path / "test.jsonl", [row])
    (sample,) = data.read(source(tmp_path), "test")
    assert (sample.id, sample.input, sample.references) == ("7", "", ("one", "two"))
    assert sample.metadata == {"score": "1.5", "flag": "true", "tags": '["a", "ä"]'}


def test_choices(tmp_path: Path) -> None:
    as_jsonl(tmp_path / "test.jsonl", [{"q": "x", "a": "y", "options": ["y", "n"]}])
    (sample,) = data.read(
        source(tmp_path, columns={"input": "q", "reference": "a", "choices": "options"}), "test"
    )
    assert sample.choices == ("y", "n")


@pytest.mark.parametrize("name", ["validation", "valid", "val", "dev"])
def test_validation_by_its_usual_names(tmp_path: Path, name: str) -> None:
    as_jsonl(tmp_path / f"{name}.jsonl", ROWS)
    as_csv(tmp_path / "test.csv", ROWS)
    assert data.splits(source(tmp_path)) == ("validation", "test")
    assert len(list(data.read(source(tmp_path), "validation"))) == 2


def test_splits_name_their_files(tmp_path: Path) -> None:
    as_csv(tmp_path / "samsum-train.csv", ROWS)
    as_csv(tmp_path / "samsum-test.csv", ROWS[:1])
    splits: dict[str, str] = {"train": "samsum-train.csv", "test": "samsum-test.csv"}
    for uri in (tmp_path, tmp_path / "samsum-test.csv"):
        assert data.splits(source(uri, splits=splits)) == ("train", "test")
        assert [sample.id for sample in data.read(source(uri, splits=splits), "test")] == ["a"]


def test_a_large_cell_is_read(tmp_path: Path) -> None:
    as_csv(tmp_path / "test.csv", [{**ROWS[0], "dialogue": "x" * 300_000}])
    (sample,) = data.read(source(tmp_path), "test")
    assert len(sample.input) == 300_000


def test_reading_is_a_stream(tmp_path: Path) -> None:
    (tmp_path / "test.jsonl").write_text(json.dumps(ROWS[0]) + "\n{broken\n", encoding="utf-8")
    assert next(data.read(source(tmp_path), "test")).id == "a"


GOOD = json.dumps(ROWS[0]) + "\n"
BAD: list[tuple[str, str | bytes, str]] = [
    ("test.jsonl", GOOD + "{broken\n", "test.jsonl:2: broken JSON at column 2: Expecting property name"),
    ("test.jsonl", GOOD + "\n" + GOOD[:20], "test.jsonl:3: broken JSON at column"),
    ("test.jsonl", GOOD + "[1]\n", "test.jsonl:2: found list; give an object"),
    ("test.jsonl", GOOD + GOOD, "test.jsonl:2: the id 'a' is there twice"),
    ("test.jsonl", GOOD.encode() + b'{"id": "\xff"}\n', "test.jsonl:2: not UTF-8 at byte 8 ('ÿ' in Windows-1252); save it as UTF-8"),
    ("test.jsonl", GOOD.replace("dialogue", "dialog"), "test.jsonl:1: columns.input: no column named 'dialogue'; did you mean 'dialog'"),
    ("test.jsonl", GOOD.replace("summary", "sum"), "test.jsonl:1: columns.reference: no column named 'summary'"),
    ("test.jsonl", GOOD.replace('"id"', '"key"'), "test.jsonl:1: columns.id: no column named 'id'"),
    ("test.jsonl", GOOD.replace("They greet.", " "), "test.jsonl:1: column 'summary' is empty; give a reference answer"),
    ("test.jsonl", GOOD.replace('"They greet."', "[]"), "test.jsonl:1: column 'summary' is empty"),
    ("test.jsonl", GOOD.replace('"a"', '""'), "test.jsonl:1: column 'id' is empty"),
    ("test.jsonl", "\n", "the test split is empty"),
    ("test.json", "[]", "the test split is empty"),
    ("test.json", "[{]", "test.json:1: broken JSON at column 3"),
    ("test.json", "7", "test.json: found no list; give a list of objects"),
    ("test.json", "[7]", "test.json: row 1: found int; give an object"),
    ("test.csv", "", "the test split is empty"),
    ("test.csv", "id,dialogue,summary\n", "the test split is empty"),
    ("test.csv", "id,dialogue,summary\n1,x,y\n2,x, y, z\n", "test.csv:3: found 4 cells under 3 columns; quote cells"),
    ("test.csv", "id,dialogue,summary\n1,x,y\n2\n", "test.csv:3: found 1 cell under 3 columns; add the missing cells"),
    ("test.csv", 'id,dialogue,summary\n1,"x\nx",y\n2,"x" z,y\n', "test.csv:4: broken CSV"),
    ("test.csv", 'id,dialogue,summary\n1,x,y\n2,"x,y\n3,x,y\n4,x,y\n', "test.csv:3: broken CSV: a quote is opened"),
    ("test.csv", "id,dialogue,summary\n1,x,y\n2,x\0x,y\n", "test.csv:3: found a NUL character"),
    ("test.csv", 'id,dialogue,summary\n1,"x\nx",y\n1,"x\nz",y\n', "test.csv:4: the id '1' is there twice"),
    ("test.csv", b"id,dialogue,summary\n1,\xff,y\n", "test.csv:2: not UTF-8 at byte 2 ('ÿ' in Windows-1252); save it as UTF-8"),
    ("test.json", b'[\n{"id": "\xff"}]', "test.json:2: not UTF-8 at byte 8 ('ÿ' in Windows-1252); save it as UTF-8"),
    *((f"test.{kind}", gzip.compress(GOOD.encode(), mtime=0), f"test.{kind}:1: is a gzip file; unpack it") for kind in ("jsonl", "json", "csv")),
    *((f"test.{kind}", GOOD.encode("utf-16"), f"test.{kind}:1: is UTF-16; save it as UTF-8") for kind in ("jsonl", "json", "csv")),
    ("test.csv", b"PK\x03\x04\x14", "test.csv:1: is a zip file or a spreadsheet; unpack it, or save it as CSV"),
    ("test.csv", "id,dialogue,summary,summary\n1,x,y,z\n", "test.csv:1: column 'summary' is there twice; rename one"),
    ("test.jsonl", GOOD + '{"id": "b", "dialogue": "x", "summary": "y", "summary": "z"}\n', "test.jsonl:2: column 'summary' is there twice; rename one"),
    ("test.json", '[{"id": "b", "id": "c", "dialogue": "x", "summary": "y"}]', "test.json: row 1: column 'id' is there twice; rename one"),
    ("test.parquet", b"PAR1 it is not", "test.parquet: not Parquet"),
    ("test.jsonl", GOOD + GOOD.replace('"a"', '"\\ud800"'), "test.jsonl:2: contains a lone surrogate, \\ud800, which is not valid Unicode"),
    ("test.jsonl", GOOD.replace("They greet.", "\\udfff"), "test.jsonl:1: contains a lone surrogate, \\udfff"),
    ("test.jsonl", GOOD.replace('"topic": "', '"topic": "\\ud9ab'), "test.jsonl:1: contains a lone surrogate, \\ud9ab"),
    ("test.jsonl", GOOD.replace('"a"', '" "'), "test.jsonl:1: column 'id' is empty"),
    ("test.jsonl", GOOD.replace('"a"', '"a\\u001b"'), "test.jsonl:1: column 'id' contains the control character '\\x1b'; an id is one line of text"),
    ("test.jsonl", GOOD.replace('"They greet."', '[{"role": "user", "content": "hi"}]'), "test.jsonl:1: column 'summary' holds a list of mappings (chat messages?), which is not read from a column; write a text into it, or"),
    ("test.jsonl", GOOD.replace('"They greet."', '{"text": "hi"}'), "test.jsonl:1: column 'summary' holds a mapping"),
    ("test.jsonl", GOOD.replace('"They greet."', '["hi", ["ho"]]'), "test.jsonl:1: column 'summary' holds a list of lists"),
    ("test.jsonl", GOOD.replace('"a"', '["a"]'), "test.jsonl:1: column 'id' holds a list, which is not read from a column"),
    ("test.jsonl", GOOD.replace('"a"', "1" * 5000), "test.jsonl:1: JSON with a number of thousands of digits; write it as text"),
    ("test.jsonl", "[" * 100_000 + "\n", "test.jsonl:1: JSON that is nested too deep"),
    ("test.csv", "id;dialogue;summary\n1;x;y\n", "test.csv:1: its columns seem to be separated by semicolons; save it with commas, or as JSON Lines"),
    ("test.csv", "id\tdialogue\tsummary\n1\tx\ty, z\n", "test.csv:1: its columns seem to be separated by tabs"),
    ("test.txt", "x", "no test file; add test.jsonl, .json, .csv or .parquet"),
    ("train.csv", "x", "no test file; add test.jsonl, .json, .csv or .parquet"),
]  # fmt: skip


@pytest.mark.parametrize(("name", "content", "message"), BAD)
def test_bad_data_is_told_with_file_and_line(
    tmp_path: Path, name: str, content: str | bytes, message: str
) -> None:
    (tmp_path / name).write_bytes(content if isinstance(content, bytes) else content.encode())
    with pytest.raises(SuiteError, match=re.escape(message)):
        list(data.read(source(tmp_path), "test"))


def test_a_parquet_file_with_a_column_twice_is_refused(tmp_path: Path) -> None:
    import pyarrow
    from pyarrow import parquet

    table = pyarrow.Table.from_arrays([pyarrow.array(["x"])] * 3, ["dialogue", "summary", "summary"])
    parquet.write_table(table, tmp_path / "test.parquet")
    with pytest.raises(DataError, match=r"test\.parquet: column 'summary' is there twice; rename one"):
        list(data.read(source(tmp_path), "test"))


def test_messages_in_the_columns_of_a_prompt_are_refused_and_lists_of_references_are_read(
    tmp_path: Path,
) -> None:
    messages = [{"role": "user", "content": "hi"}, {"role": "assistant", "content": "ho"}]
    as_jsonl(tmp_path / "test.jsonl", [{"messages": messages, "answers": ["ho", "hey"], "tags": messages}])
    columns = {"input": "messages", "reference": "messages"}
    with pytest.raises(DataError, match=r"test\.jsonl:1: column 'messages' holds a list of mappings"):
        data.check(replace(task(tmp_path, prompt="$input"), source=source(tmp_path, columns=columns)))
    read = data.read(source(tmp_path, columns={"input": "answers", "reference": "answers"}), "test")
    with pytest.raises(
        DataError, match=r"test\.jsonl:1: column 'answers' holds a list, which is not read from a column"
    ):
        list(read)
    as_jsonl(tmp_path / "test.jsonl", [{"input": "x", "reference": ["ho", "hey"], "tags": messages}])
    (sample,) = data.read(source(tmp_path, columns={}), "test")
    assert sample.references == ("ho", "hey")  # and what no column is named for stays as JSON writes it
    assert json.loads(sample.metadata["tags"]) == messages


def unreadable(path: Path, how: str) -> None:
    """Something in a file's place that cannot be read, by whoever asks."""
    match how:
        case "folder":
            path.mkdir()
        case "loop":
            path.symlink_to(path.name)
        case "pipe":
            os.mkfifo(path)
        case "device":
            path.symlink_to("/proc/self/mem")  # opens, and reading it fails


@pytest.mark.parametrize(
    ("how", "message"),
    [
        ("folder", "test.jsonl: not a file; name a file of samples"),
        ("pipe", "test.jsonl: not a file; name a file of samples"),
        ("loop", "no file named 'test.jsonl'"),
        ("device", "test.jsonl: cannot be read: Input/output error"),
    ],
)
def test_a_file_that_cannot_be_read_is_named(tmp_path: Path, how: str, message: str) -> None:
    unreadable(tmp_path / "test.jsonl", how)
    place = source(tmp_path, splits={"test": "test.jsonl"})
    with pytest.raises(SuiteError, match=re.escape(message)):
        list(data.read(place, "test"))
    with pytest.raises(SuiteError, match=re.escape(message)):
        data.pin(place, file_digest)


def test_a_name_that_is_too_long_for_a_file_is_told(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="x: cannot be read: File name too long"):
        list(data.read(source(tmp_path / ("x" * 300)), "test"))


def test_a_missing_file_is_told_with_near_names(tmp_path: Path) -> None:
    as_csv(tmp_path / "test.csv", ROWS)
    with pytest.raises(
        UnknownName, match=re.escape(f"{tmp_path}: no file named 'tset.csv'; did you mean 'test.csv'?")
    ):
        list(data.read(source(tmp_path / "tset.csv"), "test"))
    with pytest.raises(UnknownName, match=r"no file named 'tests\.csv'; did you mean 'test\.csv'"):
        list(data.read(source(tmp_path, splits={"test": "tests.csv"}), "test"))


def test_a_missing_file_in_a_missing_folder_is_told_with_where_paths_start(tmp_path: Path) -> None:
    missing = tmp_path / "data" / "mine"
    message = (
        f"{missing}: no such file or folder, nor is {missing.parent}; a path starts at the folder of the"
    )
    with pytest.raises(DataError, match=re.escape(message)):
        list(data.read(source(missing), "test"))


def test_an_unreadable_kind_of_file(tmp_path: Path) -> None:
    (tmp_path / "test.xlsx").touch()
    with pytest.raises(
        DataError, match=r"test\.xlsx: found a \.xlsx file; give one of \.jsonl, \.json, \.csv, \.parquet"
    ):
        list(data.read(source(tmp_path / "test.xlsx"), "test"))


def test_two_files_for_one_split(tmp_path: Path) -> None:
    as_csv(tmp_path / "test.csv", ROWS)
    as_json(tmp_path / "test.json", ROWS)
    with pytest.raises(DataError, match=re.escape("found test.json and test.csv; keep one")):
        data.splits(source(tmp_path))


def test_a_split_that_is_not_there(tmp_path: Path) -> None:
    as_csv(tmp_path / "test.csv", ROWS)
    with pytest.raises(DataError, match="no train split, only test; name its file"):
        list(data.read(source(tmp_path), "train"))


@pytest.mark.parametrize("name", ["dialogues", "instruction-qa"])
def test_embedded_sets(name: str) -> None:
    columns = {
        "dialogues": COLUMNS,
        "instruction-qa": {"id": "id", "input": "input", "reference": "output"},
    }[name]
    embedded = Source(uri=f"embedded:{name}", columns=columns)
    sizes: dict[Split, int] = {
        split: sum(1 for _ in data.read(embedded, split)) for split in data.splits(embedded)
    }
    assert sizes == {"train": 2000, "validation": 200, "test": 400}
    assert set(shipped.data_names()) == {"dialogues", "instruction-qa", *DATA_SETS}


def test_an_unknown_embedded_set() -> None:
    with pytest.raises(UnknownName, match="no embedded data set named 'dialogs'; did you mean 'dialogues'"):
        list(data.read(Source(uri="embedded:dialogs"), "test"))


def task(path: Path, **fields: Any) -> Task:
    prompt = fields.pop("prompt", "$topic: $input")
    return Task(
        name="chats", source=source(path), prompt=prompt, metrics=("rouge",), primary="rougeL", **fields
    )


def test_a_check_counts_the_samples(tmp_path: Path) -> None:
    as_jsonl(tmp_path / "train.jsonl", ROWS)
    as_jsonl(tmp_path / "test.jsonl", ROWS[:1])
    assert data.check(task(tmp_path, cluster="topic")) == {"train": 2, "test": 1}


def test_a_check_finds_columns_that_are_not_there(tmp_path: Path) -> None:
    as_jsonl(tmp_path / "test.jsonl", ROWS)
    with pytest.raises(
        UnknownName,
        match=r"test\.jsonl:1: prompt of sample 'a': no column named 'topik'; did you mean 'topic'",
    ):
        data.check(task(tmp_path, prompt="$topik $input"))
    with pytest.raises(UnknownName, match=r"test\.jsonl:1: cluster: no column named 'group'"):
        data.check(task(tmp_path, cluster="group"))


@pytest.mark.parametrize(
    ("uri", "licence", "share", "expected"),
    [
        ("embedded:dialogues", None, None, "text"),
        ("embedded:dialogues", None, "scores", "scores"),
        ("file:a.csv", None, None, "scores"),
        ("file:a.csv", "MIT", None, "scores"),
        ("file:a.csv", None, "text", "text"),
        ("hub:a/b", None, None, "scores"),
        ("hub:a/b", "MIT", None, "text"),
        ("hub:a/b", "Apache-2.0", None, "text"),
        ("hub:a/b", "cc-by-4.0", None, "text"),
        ("hub:a/b", "CC BY-SA 3.0", None, "text"),
        ("hub:a/b", "CC-BY-NC-ND-4.0", None, "scores"),
        ("hub:a/b", "cc-by-nc-4.0", None, "scores"),
        ("hub:a/b", "CC BY-ND 4.0", None, "scores"),
        ("hub:a/b", "other", None, "scores"),
    ],
)
def test_what_may_leave_the_machine(uri: str, licence: str | None, share: Any, expected: str) -> None:
    assert data.share_of(Source(uri=uri, licence=licence, share=share)) == expected


def test_a_large_row_group_is_read_a_little_at_a_time(tmp_path: Path) -> None:
    import pyarrow
    from pyarrow import parquet

    text = "".join(map(str, range(500)))
    rows = [{"input": f"{n} {text}", "reference": "r"} for n in range(20_000)]
    parquet.write_table(pyarrow.Table.from_pylist(rows), tmp_path / "test.parquet", compression="none")
    assert (tmp_path / "test.parquet").stat().st_size > 25_000_000
    before = pyarrow.total_allocated_bytes()
    samples = data.read(source(tmp_path, columns={}), "test")
    held = [pyarrow.total_allocated_bytes() - before for _ in samples]
    assert len(held) == len(rows)
    assert max(held) < 8_000_000
