"""The same samples whatever system wrote the file; files that are no UTF-8 are refused by name."""

import codecs
import json
import re
from collections import Counter
from pathlib import Path

import pytest

from harness import data
from harness.errors import DataError
from harness.tasks.remarks import LINE_ENDS, ROWS
from tests.data.test_read import ROWS as SAMPLES
from tests.data.test_read import WRITERS, source

LINE_FEEDS = {"LF": b"\n", "CR LF": b"\r\n", "CR": b"\r"}
TEXTUAL = (".jsonl", ".json", ".csv")


def written(folder: Path, suffix: str, end: bytes, mark: bytes) -> Path:
    """Return a file of the rows with these line ends, also within cells, and with a mark before the text."""
    path = folder / f"test{suffix}"
    WRITERS[suffix](path, SAMPLES)
    content = path.read_bytes().replace(b"\r\n", b"\n").replace(b"\n", end)
    path.write_bytes(mark + content)
    return path


@pytest.mark.parametrize("mark", [b"", codecs.BOM_UTF8])
@pytest.mark.parametrize("end", LINE_FEEDS)
@pytest.mark.parametrize("suffix", TEXTUAL)
def test_line_ends_and_a_mark_move_neither_samples_nor_ids(
    tmp_path: Path, suffix: str, end: str, mark: bytes
) -> None:
    path = written(tmp_path, suffix, LINE_FEEDS[end], mark)
    remarks: Counter[str] = Counter()
    for columns in (None, {"input": "dialogue", "reference": "summary"}):
        named = source(path) if columns is None else source(path, columns=columns)
        samples = list(data.read(named, "test", remarks=remarks))
        ids = [row["id"] for row in SAMPLES] if columns is None else ["test-000001", "test-000002"]
        assert [sample.id for sample in samples] == ids
        assert [(sample.input, sample.references) for sample in samples] == [
            (row["dialogue"], (row["summary"],)) for row in SAMPLES
        ]
    # One row of the two has a line end within a cell, and the file is read twice.
    assert remarks[ROWS] == 4
    assert remarks[LINE_ENDS] == (2 if suffix == ".csv" and end != "LF" else 0)


@pytest.mark.parametrize("end", LINE_FEEDS)
@pytest.mark.parametrize(
    ("suffix", "rows", "message"),
    [
        (".jsonl", ['{"input": "x", "reference": "y"}', "{broken"], "test.jsonl:2: broken JSON at column 2"),
        (
            ".jsonl",
            ['{"input": "x", "reference": "y"}', "", '{"input": "\xe9"}'],
            "test.jsonl:3: not UTF-8 at byte 11 ('é' in Windows-1252); save it as UTF-8",
        ),
        (
            ".csv",
            ["input,reference", "x,y", "x,\xe9"],
            "test.csv:3: not UTF-8 at byte 2 ('é' in Windows-1252); save it as UTF-8",
        ),
        (".csv", ["input,reference", "x,y", "x,y,z"], "test.csv:3: found 3 cells under 2 columns"),
    ],
)
def test_a_mistake_is_told_with_its_line_whatever_ends_lines(
    tmp_path: Path, suffix: str, rows: list[str], message: str, end: str
) -> None:
    path = tmp_path / f"test{suffix}"
    path.write_bytes(LINE_FEEDS[end].join(row.encode("latin-1") for row in rows) + LINE_FEEDS[end])
    with pytest.raises(DataError, match=re.escape(message)):
        list(data.read(source(path, columns={}), "test"))


LINE = json.dumps({"input": "x", "reference": "y"})


@pytest.mark.parametrize("suffix", TEXTUAL)
@pytest.mark.parametrize(
    ("content", "message"),
    [
        (LINE.encode("utf-16"), "is UTF-16; save it as UTF-8"),
        (LINE.encode("utf-16-le"), "is UTF-16 or UTF-32, or no text; save it as UTF-8"),
        (LINE.encode("utf-16-be"), "is UTF-16 or UTF-32, or no text; save it as UTF-8"),
        (codecs.BOM_UTF16_BE + LINE.encode("utf-16-be"), "is UTF-16; save it as UTF-8"),
        (codecs.BOM_UTF32_LE + LINE.encode("utf-32-le"), "is UTF-32; save it as UTF-8"),
        (codecs.BOM_UTF32_BE + LINE.encode("utf-32-be"), "is UTF-32; save it as UTF-8"),
        (b"PAR1 and so on", "is a Parquet file; name it .parquet"),
        (b"BZh9", "is a bzip2 file; unpack it"),
        (b"\xd0\xcf\x11\xe0", "is a spreadsheet; save it as CSV"),
    ],
)
def test_other_encodings_are_refused_by_name(
    tmp_path: Path, suffix: str, content: bytes, message: str
) -> None:
    path = tmp_path / f"test{suffix}"
    path.write_bytes(content)
    with pytest.raises(DataError, match=re.escape(f"test{suffix}:1: {message}")):
        list(data.read(source(path, columns={}), "test"))


@pytest.mark.parametrize(
    ("encoding", "character"), [("cp1252", "€"), ("shift_jis", "\u8868"), ("gbk", "\u4f60")]
)
def test_text_of_old_code_pages_is_refused_with_its_line(
    tmp_path: Path, encoding: str, character: str
) -> None:
    path = tmp_path / "test.csv"
    path.write_bytes(b"input,reference\n" + f"{character},y\n".encode(encoding))
    with pytest.raises(DataError, match=r"test\.csv:2: not UTF-8 at byte 0.*; save it as UTF-8"):
        list(data.read(source(path, columns={}), "test"))
