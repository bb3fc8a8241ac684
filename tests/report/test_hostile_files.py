"""A RESULT from a stranger whose files are no files, whose numbers are none, and whose names are pages: a line each."""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from concurrent.futures import Future
from pathlib import Path
from typing import Any

import pyarrow
import pyarrow.parquet as parquet
import pytest

import harness
from harness.checkpoints.adapter import read_settings
from harness.checkpoints.folder import json_mapping, licence
from harness.checkpoints.safetensors import TensorFile
from harness.commands.export import export
from harness.errors import HarnessError, ResultError
from harness.files.regular import file_digest
from harness.files.spreadsheet import cell
from harness.files.zipped import write_zipped
from harness.report import markdown
from harness.report.answer import Span
from harness.report.figures import Figure
from harness.report.task_samples import task_samples
from harness.results import baseline, json_lines, read, read_document, read_generations, read_samples, redact
from harness.results import verdicts as gates
from harness.results.document import content_digest, write_document
from harness.results.rows import open_rows


@pytest.fixture
def copy(example: Path, tmp_path: Path) -> Path:
    shutil.copytree(example, tmp_path / "result")
    return tmp_path / "result"


def edited(folder: Path, change: Callable[[dict[str, Any]], object]) -> Path:
    """Change result.json as somebody would who knows of its digest."""
    document = json.loads((folder / "result.json").read_bytes())
    change(document)
    document["digest"] = content_digest(document)
    (folder / "result.json").write_text(json.dumps(document))
    return folder


READERS: dict[str, Callable[[Path], object]] = {
    "result.json": lambda path: read(path.parent),
    "generations.jsonl.gz": lambda path: list(read_generations(path.parent)),
    "samples.jsonl.gz": lambda path: list(read_samples(path.parent)),
    "rows.parquet": lambda path: open_rows(path.parent),
    "verdicts.json": lambda path: gates.read(path.parent),
    "baseline.json": baseline.load,
    "adapter_config.json": lambda path: read_settings(path.parent, "weighed"),
    "config.json": json_mapping,
    "adapter_model.safetensors": TensorFile,
    "any": file_digest,
}


@pytest.mark.parametrize("name", READERS)
@pytest.mark.parametrize("kind", ["pipe", "device"])
def test_what_is_no_file_is_refused_before_it_is_read(tmp_path: Path, name: str, kind: str) -> None:
    path = tmp_path / name
    if kind == "pipe":
        os.mkfifo(path)
    else:
        path.symlink_to("/dev/zero")
    with pytest.raises(HarnessError, match=f"{name}: not a regular file; put a file in its place$"):
        READERS[name](path)


def test_a_pipe_as_the_page_of_a_model_says_no_licence(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "README.md")
    assert licence(tmp_path) is None


@pytest.mark.slow
def test_a_device_as_a_result_is_one_line_on_the_terminal(tmp_path: Path) -> None:
    (tmp_path / "result.json").symlink_to("/dev/zero")
    words = [sys.executable, "-m", "harness", "verify", str(tmp_path)]
    told = subprocess.run(words, capture_output=True, text=True, check=False)
    assert told.returncode == 2
    assert "not a regular file" in " ".join(told.stderr.split())


def put(*way: str | int, value: object) -> Callable[[dict[str, Any]], None]:
    def change(document: Any) -> None:
        for key in way[:-1]:
            document = document[key]
        document[way[-1]] = value

    return change


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (put("manifest", "seed", value=-5), "manifest.seed: found -5, less than 0"),
        (put("manifest", "seed", value="x"), "manifest.seed: found 'x'"),
        (put("manifest", "rescored", value=5), "manifest.rescored: found 5"),
        (put("manifest", "rescored", value=[{"metrics": {"t": 5}}]), "manifest.rescored: found"),
        (put("scores", 3, "value", value=10**400), r"scores\[3\].value: found a whole number above"),
        (put("scores", 3, "value", value=float("nan")), r"scores\[3\].value: found nan, not a finite number"),
        (put("scores", 0, "n", value=-1), r"scores\[0\].n: found -1, less than 0"),
        (put("scores", 0, "n", value=10**400), r"scores\[0\].n: found a whole number above"),
        (put("costs", 0, "value", value=10**400), r"costs\[0\].value: found a whole number above"),
        (put("comparisons", 0, "p", value=float("inf")), r"comparisons\[0\].p: found inf"),
        (put("weights", 0, "alpha", value=float("nan")), r"weights\[0\].alpha: found nan"),
        (put("weights", 0, "delta_ratio", value=1e308), r"weights\[0\].delta_ratio: found 1e\+308"),
        (put("curves", 0, "points", 0, "step", value=10**30), r"curves\[0\].points\[0\].step: found a whole"),
        (
            put("curves", 0, "points", 0, "loss", value=float("inf")),
            r"curves\[0\].points\[0\].loss: found inf",
        ),
        (
            put("suite", "tasks", 0, "name", value="z\n\n# PWN"),
            r"suite.tasks\[0\].name: found 'z\\n\\n# PWN'",
        ),
        (put("scores", 0, "model", value="a\x1b[2J"), r"scores\[0\].model: found 'a\\x1b\[2J'"),
        (put("suite", "adapters", 0, "name", value="a\u202eb"), r"suite.adapters\[0\].name: found"),
    ],
)
def test_a_value_that_nothing_can_take_is_told_with_its_place(
    copy: Path, change: Callable[[dict[str, Any]], object], said: str
) -> None:
    with pytest.raises(ResultError, match=rf"^\S+result.json: (broken or changed by hand: )?{said}[^\n]*$"):
        read(edited(copy, change))


@pytest.mark.parametrize(
    "content",
    ["[" * 100_000, '[{"gate": 5}]', "5", "[5]", '[{"gate": NaN}]', "\udcff"],
    ids=["deep", "wrong type", "no list", "no object", "NaN", "no text"],
)
def test_broken_verdicts_are_one_line(tmp_path: Path, content: str) -> None:
    (tmp_path / "verdicts.json").write_text(content, errors="surrogateescape")
    with pytest.raises(ResultError) as told:
        gates.read(tmp_path)
    assert "\n" not in str(told.value)
    assert "http" not in str(told.value)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("pass_probability_if_equal", -1e299),
        ("pass_probability_if_equal", 2),
        ("samples_for_80_percent", -1),
        ("needed", -5),
    ],
)
def test_a_chance_or_a_number_of_samples_that_is_none_is_told_with_its_place(
    tmp_path: Path, field: str, value: float
) -> None:
    gate = {"gate": "g", "rule": "max_drop", "verdict": "pass", "because": "b", "subject": "s"}
    (tmp_path / "verdicts.json").write_text(json.dumps([gate, {**gate, field: value}]))
    with pytest.raises(ResultError, match=rf"verdicts.json: not a list of verdicts \(\[1\].{field}: [^\n]*$"):
        gates.read(tmp_path)


@pytest.mark.slow
@pytest.mark.parametrize("target", ["csv", "parquet"])
@pytest.mark.parametrize("value", [10**30, float("nan")])
def test_a_number_of_an_answer_that_no_table_takes_is_told_with_its_line(
    copy: Path, tmp_path: Path, target: str, value: float
) -> None:
    lines = list(json_lines(copy / "generations.jsonl.gz"))
    lines[3]["prompt_tokens"] = value
    write_zipped(copy / "generations.jsonl.gz", lines)
    write_document(copy, read_document(copy))
    with pytest.raises(ResultError, match=r"generations.jsonl.gz:4: prompt_tokens: found [^\n]*$"):
        export(copy, target, uri=None, out=tmp_path / "out")


TEXT = "z\n\n# PWN\n\n![i](http://evil/i.png)\x1b[2J"


def test_no_text_in_a_line_of_markdown_ends_it() -> None:
    figure = Figure(name="chart", says=TEXT, drawn_wide=Future(), drawn_narrow=Future())
    for shown in (
        markdown.inline(TEXT),
        markdown.sentence((Span(text=TEXT), Span(text=TEXT, strong=True))),
        markdown.picture(figure),
        markdown.cell(TEXT),
    ):
        assert "\n" not in shown
        assert "\x1b" not in shown
        assert "# PWN" not in shown or "\\# PWN" in shown or shown.startswith("<picture>")


def test_no_line_of_markdown_is_a_command_of_githubs_runner_where_it_is_printed() -> None:
    for shown in (markdown.inline, markdown.cell):
        assert shown("::error::x") == "\\::error\\::x"


def test_a_csv_cell_shows_control_characters() -> None:
    assert cell("a\x1b[2J\r\x9bb\tc\nd") == "a⟦U+001B⟧[2J⟦U+000D⟧⟦U+009B⟧b\tc\nd"
    assert cell("=1\x1b") == "'=1⟦U+001B⟧"
    assert cell(-5) == -5
    assert cell("-5") == "-5"


def _with_column(name: str, values: list[Any], kind: Any = None) -> Callable[[Any], Any]:
    return lambda table: table.set_column(
        table.column_names.index(name), name, pyarrow.array(values * table.num_rows, kind)
    )


@pytest.mark.parametrize(
    "change",
    [
        _with_column("task", [None]),
        _with_column("task", [None], pyarrow.string()),
        _with_column("model", [b"x"]),
        _with_column("metric", [2**62], pyarrow.duration("s")),
        _with_column("metric", [2**31 - 1], pyarrow.date32()),
        _with_column("adapter", [True]),
        _with_column("shots", [None], pyarrow.int32()),
        _with_column("shots", [-1]),
        _with_column("shots", [2**40]),
        lambda table: table.append_column("task", table.column("task")),
        lambda table: table.drop_columns(["shots"]),
    ],
)
def test_rows_of_nobody_are_refused_in_a_line(copy: Path, change: Callable[[Any], Any]) -> None:
    parquet.write_table(change(parquet.read_table(copy / "rows.parquet")), copy / "rows.parquet")
    with pytest.raises(ResultError, match=r"rows\.parquet: cannot be read"):
        open_rows(copy)


@pytest.mark.slow
def test_columns_and_types_that_a_stranger_adds_to_rows_reach_no_table(copy: Path, tmp_path: Path) -> None:
    table = parquet.read_table(copy / "rows.parquet")
    dates = pyarrow.array([2**31 - 1] * table.num_rows, pyarrow.date32())
    said = {b"pandas": b'{"columns": [], "index_columns": ["nobody"], "column_indexes": 5}'}
    parquet.write_table(
        table.append_column("when", dates).replace_schema_metadata(said), copy / "rows.parquet"
    )
    write_document(copy, json.loads((copy / "result.json").read_bytes()))
    export(copy, "csv", uri=None, out=tmp_path / "tables")
    assert (tmp_path / "tables" / "rows.csv").is_file()
    assert list(harness.load(copy).rows) == table.column_names


@pytest.mark.parametrize("place", ["workers", "gates"])
def test_a_result_that_is_nested_too_deep_is_refused_in_a_line(copy: Path, place: str) -> None:
    nest: list[Any] = []
    for _ in range(150):
        nest = [nest]

    def change(document: dict[str, Any]) -> None:
        if place == "workers":
            document["manifest"]["runtime"]["workers"] = nest
        else:
            document["suite"]["gates"] = nest

    with pytest.raises(ResultError, match="nested in more than 64 others"):
        read(edited(copy, change))


@pytest.mark.parametrize("suite", [None, [], {}, {"tasks": 5}, {"tasks": [1]}, {"tasks": [{}]}])
def test_a_suite_that_is_none_is_told_before_anything_is_taken_elsewhere(
    copy: Path, tmp_path: Path, suite: object
) -> None:
    edited(copy, lambda document: document.update(suite=suite))
    with pytest.raises(ResultError, match="broken or changed by hand"):
        export(copy, "csv", uri=None, out=tmp_path / "tables")


@pytest.mark.parametrize(
    "line",
    [
        {},
        {"task": []},
        {"task": "dialogues"},
        {"task": "dialogues", "sample_id": "x", "input": "", "references": [], "metadata": 5},
    ],
)
def test_a_sample_that_is_none_is_told_with_its_line_where_a_copy_is_made(
    private: Path, tmp_path: Path, line: dict[str, Any]
) -> None:
    folder = Path(shutil.copytree(private, tmp_path / "private"))
    document = json.loads((folder / "result.json").read_bytes())
    for task in document["suite"]["tasks"]:
        task["cluster"] = "topic"
    write_zipped(folder / "samples.jsonl.gz", [line])
    write_document(folder, document)
    with pytest.raises(ResultError, match=r"samples\.jsonl\.gz:1: broken or changed by hand"):
        redact.copy(folder, tmp_path / "copy")


def test_half_of_a_pair_of_characters_in_a_frame_is_told(copy: Path) -> None:
    edited(copy, lambda document: document["scores"][0].update(signature="\ud800"))
    with pytest.raises(ResultError, match="scores: holds what is no text"):
        _ = harness.load(copy).scores


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "key", "value", "said"),
    [
        ("generations", "task", True, r"generations\.jsonl\.gz:1|fit no table"),
        ("generations", "text", [["x"]], r"generations\.jsonl\.gz:1"),
        ("generations", "prompt_tokens", "many", r"generations\.jsonl\.gz:1"),
        ("generations", "extra", "x", "fit no table"),
        ("samples", "references", 5, r"samples\.jsonl\.gz:1"),
    ],
)
def test_lines_that_no_table_takes_are_told(
    copy: Path, tmp_path: Path, name: str, key: str, value: object, said: str
) -> None:
    lines = list(json_lines(copy / f"{name}.jsonl.gz"))
    lines[0][key] = value
    lines[1][key] = lines[1].get(key, 1)
    write_zipped(copy / f"{name}.jsonl.gz", lines)
    write_document(copy, json.loads((copy / "result.json").read_bytes()))
    with pytest.raises(ResultError, match=said):
        export(copy, "parquet", uri=None, out=tmp_path / "tables")


@pytest.mark.parametrize(
    "line", [{"task": "dialogues"}, {"task": []}, {"task": "dialogues", "sample_id": "x", "input": 5}]
)
def test_a_page_of_samples_that_are_none_is_refused_with_their_line(copy: Path, line: dict[str, Any]) -> None:
    write_zipped(copy / "samples.jsonl.gz", [line])
    write_document(copy, json.loads((copy / "result.json").read_bytes()))
    with pytest.raises(ResultError, match=r"samples\.jsonl\.gz:1: broken"):
        task_samples(read(copy))
