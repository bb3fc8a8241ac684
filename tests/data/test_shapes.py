"""Data of each shape through check, run and RESULT: read as its columns show, what is left out counted, nothing guessed."""

# ruff: noqa: E501 (a table is read along its lines)

import gzip
import json
import re
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from harness import data
from harness.errors import DataError, UnknownName
from harness.results.redact import copy
from harness.tasks.remarks import NO_ANSWER, READ_AS, ROWS, UNANSWERED
from harness.types import Source
from tests.cli.words import harness
from tests.data.test_read import WRITERS, as_jsonl


def turn(role: str, text: str) -> dict[str, str]:
    return {"role": role, "content": text}


CHATS: list[dict[str, Any]] = [
    {"messages": [turn("user", "Is the lab open?"), turn("assistant", "Yes, until six.")], "team": "it"},
    {
        "messages": [
            turn("system", "You are a guide."),
            turn("user", "Hello"),
            turn("assistant", "Hello!"),
            turn("user", "Where is the printer?"),
            turn("assistant", "On floor two."),
            turn("user", "Thanks"),
        ],
        "team": "building",
    },
    {"messages": [turn("user", "Anybody?")], "team": "it"},
]
PAIRS: list[dict[str, Any]] = [
    {"prompt": "Where?", "chosen": "Here it is.", "rejected": "No."},
    {"prompt": "When?", "chosen": "Now.", "rejected": "Now."},
]


@pytest.mark.parametrize("suffix", [".jsonl", ".json", ".csv", ".parquet"])
def test_every_format_gives_the_same_conversations(tmp_path: Path, suffix: str) -> None:
    rows = CHATS
    if suffix == ".csv":
        rows = [{**row, "messages": json.dumps(row["messages"])} for row in CHATS]
    WRITERS[suffix](tmp_path / f"test{suffix}", rows)
    remarks: Counter[str] = Counter()
    first, second = data.read(Source(uri=f"file:{tmp_path}"), "test", remarks=remarks)
    assert (first.id, first.input, first.references) == (
        "test-000001",
        "Is the lab open?",
        ("Yes, until six.",),
    )
    assert (first.turns, first.metadata) == ((), {"team": "it"})
    assert second.turns is not None
    assert [turn.text for turn in second.turns] == ["You are a guide.", "Hello", "Hello!"]
    assert remarks == {ROWS: 3, READ_AS + "messages": 3, NO_ANSWER: 1, UNANSWERED: 1, "references": 2} | {
        key: 0 for key in remarks if not remarks[key]
    }


def test_a_split_whose_rows_are_all_left_out_is_refused_with_the_reason(tmp_path: Path) -> None:
    as_jsonl(tmp_path / "test.jsonl", CHATS[2:])
    message = "no row of the test split is a sample: 1 of 1 have no assistant turn: left out"
    with pytest.raises(DataError, match=re.escape(message)):
        list(data.read(Source(uri=f"file:{tmp_path}"), "test"))


SUITE = """
tasks:
  - name: chats
    {kind}
    source: {{uri: "file:data"{source}}}
    prompt: {prompt}
    metrics: [{metric}]
    primary: {metric}
models: [{{name: copy, uri: "echo:copy"}}]
weights: false
"""


def project(
    folder: Path,
    rows: list[dict[str, Any]],
    *,
    source: str = "",
    kind: str = "kind: generate",
    metric: str = "exact",
    prompt: str = "$input",
) -> str:
    (folder / "data").mkdir(exist_ok=True)
    as_jsonl(folder / "data" / "test.jsonl", rows)
    (folder / "small.yaml").write_text(
        SUITE.format(source=source, kind=kind, metric=metric, prompt=json.dumps(prompt))
    )
    return str(folder / "small.yaml")


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HARNESS_STORE", str(tmp_path / "store"))
    return tmp_path


def test_check_refuses_a_device_that_there_is_nowhere(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    done = harness(capsys, "check", project(here, CHATS), "--device", "tpu")
    assert (done.code, done.out) == (2, "")
    assert "tpu" in done.err


def test_check_shows_how_data_is_read_and_what_is_left_out(
    here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    done = harness(capsys, "check", project(here, CHATS), "--device", "cpu")
    assert done.code == 0, done.err
    said = " ".join(done.out.split())
    assert "task chats: 2 test samples from file:" in said
    assert "task chats: read as: messages; 1 of 3 have no assistant turn: left out" in said
    assert "task chats: 1 conversation with turns after the last answer, which are left out" in said


def test_a_result_counts_what_is_left_out_and_holds_the_turns(
    here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ("--workers", "0", "--device", "cpu", "--out", "R")
    done = harness(capsys, "run", project(here, CHATS), *words)
    assert done.code == 0, done.err
    notes = {note["kind"]: note for note in json.loads((here / "R" / "result.json").read_text())["notes"]}
    assert (notes[NO_ANSWER]["count"], notes[NO_ANSWER]["of"]) == (1, 3)
    assert notes[NO_ANSWER]["detail"] == "rows that have no assistant turn: left out"
    assert (notes[UNANSWERED]["count"], notes[UNANSWERED]["of"]) == (1, 3)
    lines = [
        json.loads(line)
        for line in gzip.decompress((here / "R" / "samples.jsonl.gz").read_bytes()).splitlines()
    ]
    assert [line["turns"] for line in lines] == [
        [],
        [
            {"role": "system", "text": "You are a guide."},
            {"role": "user", "text": "Hello"},
            {"role": "assistant", "text": "Hello!"},
        ],
    ]
    assert harness(capsys, "verify", "R").code == 0
    assert "Hello!" in (here / "R" / "report.html").read_text()
    copy(here / "R", here / "S")
    for path in (here / "S").iterdir():
        content = path.read_bytes()
        content = gzip.decompress(content) if path.suffix == ".gz" else content
        assert b"Hello!" not in content and b"You are a guide" not in content, path


def test_pairs_are_read_by_the_kind_that_prefers_and_by_one_that_writes(
    here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for kind in ("prefer", "generate"):
        done = harness(capsys, "check", project(here, PAIRS, kind=f"kind: {kind}"), "--device", "cpu")
        assert done.code == 0, done.err
        said = " ".join(done.out.split())
        assert "read as: pairs; 1 of 2 have the same answer as chosen and as rejected: left out" in said


@pytest.mark.parametrize(
    ("source", "kind", "message"),
    [
        (", shape: mesages", "kind: generate", "small.yaml:5: tasks[0].source.shape: no shape named 'mesages'; did you mean 'messages'?"),
        (", shape: messages, columns: {input: x}", "kind: generate", "source.columns: rows of the shape messages have columns of their own; name that of `id` at most"),
        (", shape: alpaca", "kind: prefer", "source.shape: the kind 'prefer' reads no rows of the shape alpaca, but only pairs"),
        (", shape: messages", "kind: choice", "source.shape: the kind 'choice' reads no rows of the shape messages, but none: name its columns"),
        (", shape: alpaca", "kind: generate", "test.jsonl:1: no column 'instruction', which the shape alpaca has"),
        (", shape: columns", "kind: generate", "test.jsonl:1: columns.input: no column named 'input'"),
    ],
)  # fmt: skip
def test_a_shape_that_does_not_fit_is_refused(
    here: Path, capsys: pytest.CaptureFixture[str], source: str, kind: str, message: str
) -> None:
    done = harness(capsys, "check", project(here, CHATS, source=source, kind=kind), "--device", "cpu")
    assert done.code == 2
    assert message in " ".join(done.err.split())


def test_a_shape_that_is_named_reads_as_the_one_that_is_found(tmp_path: Path) -> None:
    as_jsonl(tmp_path / "test.jsonl", CHATS)
    found = list(data.read(Source(uri=f"file:{tmp_path}"), "test"))
    assert list(data.read(Source(uri=f"file:{tmp_path}", shape="messages"), "test")) == found


def test_a_label_may_be_the_last_answer(tmp_path: Path) -> None:
    rows = [{"messages": [turn("user", "x"), turn("assistant", "no")]}]
    as_jsonl(tmp_path / "test.jsonl", rows)
    (sample,) = data.read(Source(uri=f"file:{tmp_path}", labels=("yes", "no")), "test")
    assert sample.references == ("no",)
    with pytest.raises(UnknownName, match=r"test\.jsonl:1: the answer: no label named 'no'"):
        list(data.read(Source(uri=f"file:{tmp_path}", labels=("yes", "maybe")), "test"))
