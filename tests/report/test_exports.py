"""Numbers taken elsewhere, and read back by the packages that they were taken to."""

import csv
import json
import math
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

import harness
from harness.commands.export import export
from harness.errors import HarnessError
from harness.files.spreadsheet import cell
from harness.files.zipped import write_zipped
from harness.report import render
from harness.results import json_lines, read, read_generations

from .conftest import printable
from .leaks import leaks, private_texts

EVIL = '=HYPERLINK("x")</script>\u202e\' ; DROP TABLE runs; --\n../../x\x00\ud800 a/b|c'


@pytest.fixture(scope="module")
def drawn(example: Path, drawings: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The example with its pages."""
    folder = Path(shutil.copytree(example, tmp_path_factory.mktemp("drawn") / "result"))
    render(folder, drawings)
    return folder


@pytest.fixture(scope="module")
def hostile(example: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Names, settings and reasons that break files, queries and paths."""
    folder = Path(shutil.copytree(example, tmp_path_factory.mktemp("hostile") / "result"))
    text = (folder / "result.json").read_text()
    for victim in (
        "falcon-tiny",
        '"quickstart"',
        "Questions on a short passage.",
        "harness run",
        "cut short",
    ):
        named = victim in ("falcon-tiny", '"quickstart"')
        evil = json.dumps(victim.strip('"') + (printable(EVIL) if named else EVIL))
        text = text.replace(victim, evil if victim.startswith('"') else evil[1:-1])
    (folder / "result.json").write_text(text)
    return folder


def rows_of(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


@pytest.mark.slow
@pytest.mark.parametrize("target", ["csv", "parquet"])
def test_tables_hold_every_number_of_the_frames(example: Path, tmp_path: Path, target: str) -> None:
    export(example, target, uri=None, out=tmp_path / "out", offline=True)
    frames = harness.load(example)
    for name in frames.TABLES:
        path = tmp_path / "out" / f"{name}.{target}"
        if name in ("answers", "recipes", "calibrations", "halvings", "scalings"):  # the example has none
            assert not len(getattr(frames, name)) and not path.exists()
            continue
        back = pd.read_csv(path) if target == "csv" else pd.read_parquet(path)
        mine: pd.DataFrame = getattr(frames, name)
        assert len(back) == len(mine) > 0, name
        for column in mine.columns.intersection(back.columns):
            if pd.api.types.is_numeric_dtype(mine[column]):
                assert back[column].equals(mine[column]), (name, column)
    rows = harness.load(example).rows
    if target == "csv":
        sums = pd.read_csv(tmp_path / "out" / "rows.csv").filter(like="sum_")
        assert [[x for x in row if not math.isnan(x)] for row in sums.to_numpy().tolist()] == [
            list(row) for row in rows["stats"]
        ]
    else:
        back = pd.read_parquet(tmp_path / "out" / "rows.parquet")
        assert [list(row) for row in back["stats"]] == [list(row) for row in rows["stats"]]


def test_texts_come_through_tables_as_they_were(hostile: Path, tmp_path: Path) -> None:
    """Even those that no spreadsheet expects; half of a surrogate pair, which no file can hold, as an escape."""
    folder = Path(shutil.copytree(hostile, tmp_path / "result"))
    lines = [{**line, "text": EVIL} for line in json_lines(folder / "generations.jsonl.gz")]
    write_zipped(folder / "generations.jsonl.gz", lines)
    for target in ("csv", "parquet"):
        export(folder, target, uri=None, out=tmp_path / "out")
    expected = EVIL.replace("\ud800", "\\ud800")
    in_cells = expected.replace("\x00", "⟦U+0000⟧")
    # What a spreadsheet would run stands behind a single quote.
    assert {row["text"] for row in rows_of(tmp_path / "out" / "generations.csv")} == {f"'{in_cells}"}
    assert set(pd.read_parquet(tmp_path / "out" / "generations.parquet")["text"]) == {expected}
    assert f"falcon-tiny{printable(EVIL)}" in {
        row["model"] for row in rows_of(tmp_path / "out" / "scores.csv")
    }


@pytest.mark.slow
@pytest.mark.parametrize("first", [*"=+-@\t\r\n", "＝", "－"])
def test_no_text_of_a_csv_is_a_formula_and_parquet_has_it_as_it_was(
    example: Path, tmp_path: Path, first: str
) -> None:
    folder = Path(shutil.copytree(example, tmp_path / "result"))
    evil = f'{first}cmd|"/c calc"!A1'
    lines = [{**line, "text": evil} for line in json_lines(folder / "generations.jsonl.gz")]
    write_zipped(folder / "generations.jsonl.gz", lines)
    asked = [
        {**line, "input": evil, "references": [evil], "metadata": {evil: evil}}
        for line in json_lines(folder / "samples.jsonl.gz")
    ]
    write_zipped(folder / "samples.jsonl.gz", asked)
    for target in ("csv", "parquet"):
        export(folder, target, uri=None, out=tmp_path / "out")
    texts = {row["text"] for row in rows_of(tmp_path / "out" / "generations.csv")}
    in_cells = evil.replace("\r", "⟦U+000D⟧")
    assert texts == {f"'{in_cells}"}
    for row in rows_of(tmp_path / "out" / "samples.csv"):
        assert row["input"] == f"'{in_cells}"
        assert json.loads(row["references"]) == [evil]
        assert json.loads(row["metadata"]) == {evil: evil}
    assert set(pd.read_parquet(tmp_path / "out" / "generations.parquet")["text"]) == {evil}
    assert set(pd.read_parquet(tmp_path / "out" / "samples.parquet")["input"]) == {evil}


@pytest.mark.parametrize(
    ("value", "written"),
    [
        (-1.5, -1.5),
        ("-1.5", "-1.5"),
        ("+2", "+2"),
        ("-1e-05", "-1e-05"),
        ("-1.5 points", "'-1.5 points"),
        ("-1+2", "'-1+2"),
        ("--1", "'--1"),
        ("-", "'-"),
        ("a=b", "a=b"),
        ("'=x", "'=x"),
        ("", ""),
        (None, None),
    ],
)
def test_numbers_stay_numbers_in_a_csv(value: object, written: object) -> None:
    assert cell(value) == written


@pytest.mark.slow
def test_tables_are_written_over_tables_and_over_nothing_else(example: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    export(example, "csv", uri=None, out=out)
    first = {path.name: path.read_bytes() for path in out.iterdir()}
    export(example, "csv", uri=None, out=out)
    assert first == {path.name: path.read_bytes() for path in out.iterdir()}
    export(example, "parquet", uri=None, out=out)
    assert {*first} < {path.name for path in out.iterdir()}

    fewer = Path(shutil.copytree(example, tmp_path / "fewer"))
    document = json.loads((fewer / "result.json").read_bytes())
    (fewer / "result.json").write_text(json.dumps(document | {"weights": [], "curves": []}))
    export(fewer, "csv", uri=None, out=out)
    assert not (out / "weights.csv").exists() and (out / "weights.parquet").exists()

    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "scores.csv").write_text("kept")
    with pytest.raises(HarnessError, match="the folder is not empty and not an export"):
        export(example, "csv", uri=None, out=tmp_path / "mine")
    assert (tmp_path / "mine" / "scores.csv").read_text() == "kept"


@pytest.mark.slow
def test_tables_longer_than_what_is_written_at_once_are_whole(
    example: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from harness.exports import parquet

    monkeypatch.setattr(parquet, "AT_ONCE", 7)
    export(example, "parquet", uri=None, out=tmp_path / "out")
    back = pd.read_parquet(tmp_path / "out" / "weights.parquet")
    assert len(back) == len(read(example).weights)
    assert back["delta_ratio"].notna().any() and back["delta_ratio"].isna().any()


# MLflow


@pytest.fixture
def quiet(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """What an export sets for the package is put back."""
    for name in ("MLFLOW_DISABLE_TELEMETRY", "MLFLOW_ALLOW_FILE_STORE", "MLFLOW_HTTP_REQUEST_MAX_RETRIES"):
        monkeypatch.setenv(name, os.environ.get(name, "true" if name.endswith(("STORE", "RY")) else "0"))
    yield


def runs_of(uri: str, suite: str = "quickstart") -> tuple[Any, list[Any], Any]:
    """Return the client, the child runs and their parent run, as MLflow itself reads them."""
    from mlflow import MlflowClient

    client = MlflowClient(tracking_uri=uri)
    experiment = client.get_experiment_by_name(suite)
    assert experiment is not None
    found = client.search_runs([experiment.experiment_id])
    (whole,) = (run for run in found if "mlflow.parentRunId" not in run.data.tags)
    return client, [run for run in found if run is not whole], whole


@pytest.mark.slow
@pytest.mark.usefixtures("quiet")
@pytest.mark.parametrize("scheme", ["sqlite", pytest.param("file", marks=pytest.mark.nightly)])
def test_mlflow_reads_back_what_was_exported(drawn: Path, tmp_path: Path, scheme: str) -> None:
    uri = f"sqlite:///{tmp_path}/m.db" if scheme == "sqlite" else f"file:{tmp_path}/runs"
    said = export(drawn, "mlflow", uri=uri, out=None, offline=True)
    assert said.startswith("experiment quickstart: 20 runs and their parent run")
    client, runs, whole = runs_of(uri)
    result = read(drawn)
    assert len(runs) == len({(one.task, one.system) for one in result.scores}) == 20
    by_name = {run.info.run_name: run for run in runs}
    for score in result.scores:
        run = by_name[f"{score.system} on {score.task}"]
        assert run.data.metrics[score.metric] == score.value
        assert run.data.metrics[f"{score.metric}.low"] == score.low
        assert run.data.metrics[f"{score.metric}.high"] == score.high
        assert run.data.metrics["samples"] == score.n
        assert score.signature in run.data.tags.values()
        assert run.data.tags["mlflow.parentRunId"] == whole.info.run_id
        assert run.info.status == "FINISHED"
    trained = by_name["llama2-tiny + quickstart on dialogues"]
    assert trained.data.params["recipe.rank"] == "16"
    assert trained.data.params["recipe.targets"] == "q, v"
    assert trained.data.params["model.revision"] == f"{1_060_000:016x}"
    assert trained.data.tags["data digest"] == "5f" * 16
    (curve,) = (one for one in result.curves if one.model == "llama2-tiny")
    history = client.get_metric_history(trained.info.run_id, "training/loss")
    assert [(one.step, one.value) for one in history] == [(one.step, one.loss) for one in curve.points]
    assert "training/loss" not in by_name["llama2-tiny + quickstart on instructions"].data.metrics
    cost = next(
        one.value
        for one in result.costs
        if one.quantity == "training time" and one.system.model == "llama2-tiny"
    )
    assert trained.data.metrics["costs/training_seconds"] == cost
    assert {one.path for one in client.list_artifacts(whole.info.run_id)} == {"report.html", "result.json"}
    assert whole.data.tags["mlflow.note.content"].startswith("On dialogues, flan-t5-tiny + quickstart scores")


@pytest.mark.slow
@pytest.mark.usefixtures("quiet")
def test_mlflow_never_holds_a_result_twice(drawn: Path, tmp_path: Path) -> None:
    from mlflow import MlflowClient

    uri = f"sqlite:///{tmp_path}/m.db"
    export(drawn, "mlflow", uri=uri, out=None)
    first = {run.info.run_id for run in runs_of(uri)[1]}
    assert "there already" in export(drawn, "mlflow", uri=uri, out=None)
    client, runs, whole = runs_of(uri)
    assert {run.info.run_id for run in runs} == first

    MlflowClient(tracking_uri=uri).update_run(
        whole.info.run_id, status="RUNNING"
    )  # as an interrupted export is
    export(drawn, "mlflow", uri=uri, out=None)
    again, _ = runs_of(uri)[1:]
    assert len(again) == len(first) and not first & {run.info.run_id for run in again}

    other = Path(shutil.copytree(drawn, tmp_path / "other"))
    document = json.loads((other / "result.json").read_bytes())
    document["manifest"]["seed"] = 1
    (other / "result.json").write_text(json.dumps(document))
    export(other, "mlflow", uri=uri, out=None)
    experiment = client.get_experiment_by_name("quickstart")
    assert len(client.search_runs([experiment.experiment_id])) == 2 * (len(first) + 1)


@pytest.mark.slow
@pytest.mark.usefixtures("quiet")
def test_names_that_break_queries_and_paths_reach_mlflow_and_tensorboard(
    hostile: Path, tmp_path: Path
) -> None:
    uri = f"file:{tmp_path}/runs"
    said = export(hostile, "mlflow", uri=uri, out=None)
    assert "20 runs" in said
    tags = export(hostile, "tensorboard", uri=None, out=tmp_path / "boards")
    assert "10 runs" in tags
    assert not (tmp_path.parent / "x").exists()
    assert {path.name for path in tmp_path.iterdir()} == {"runs", "boards"}


@pytest.mark.usefixtures("quiet")
@pytest.mark.slow
def test_mlflow_that_cannot_write_says_so_in_a_line_without_the_password(drawn: Path, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("no database")
    for uri in (f"sqlite:///{tmp_path}/file", "http://ann:secret@127.0.0.1:9", "nonsense:x"):
        with pytest.raises(HarnessError, match=r"^--uri ") as refused:
            export(drawn, "mlflow", uri=uri, out=None)
        assert "secret" not in str(refused.value)
        assert "\n" not in str(refused.value)


# TensorBoard


def test_tensorboard_reads_back_what_was_exported(example: Path, tmp_path: Path) -> None:
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    said = export(example, "tensorboard", uri=None, out=tmp_path, offline=True)
    assert said.endswith(f"10 runs; tensorboard --logdir {tmp_path}")
    result = read(example)
    (whole,) = tmp_path.iterdir()
    boards = {path.name: EventAccumulator(str(path)).Reload() for path in whole.iterdir()}
    assert len(boards) == 10
    close = 1e-6  # relative, since the format stores 32-bit numbers
    for score in result.scores:
        if score.system.model.startswith("trivial:"):
            continue
        board = boards[str(score.system)]
        for end, value in (("", score.value), (".low", score.low), (".high", score.high)):
            (found,) = board.Scalars(f"{score.task}/{score.metric}{end}")
            assert found.value == pytest.approx(value, rel=close)
            assert found.step == (100 if score.system.adapter else 0)
    for curve in result.curves:
        found = boards[f"{curve.model} + {curve.adapter}"].Scalars("training/loss")
        assert [one.step for one in found] == [point.step for point in curve.points]
        assert [one.value for one in found] == pytest.approx(
            [point.loss for point in curve.points], rel=close
        )
        checked = [point.step for point in curve.points if point.validation_loss is not None]
        found = boards[f"{curve.model} + {curve.adapter}"].Scalars("training/validation loss")
        assert [one.step for one in found] == checked


def test_tensorboard_exported_again_changes_no_byte_and_touches_no_other_run(
    example: Path, tmp_path: Path
) -> None:
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "events.out.tfevents.1.host").write_bytes(b"mine")
    export(example, "tensorboard", uri=None, out=tmp_path)
    first = {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}
    export(example, "tensorboard", uri=None, out=tmp_path)
    assert first == {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}
    assert len(first) == 11


# All of them


@pytest.mark.usefixtures("quiet")
@pytest.mark.slow
def test_no_export_holds_a_private_text(private: Path, tmp_path: Path) -> None:
    for target in ("csv", "parquet", "tensorboard"):
        export(private, target, uri=None, out=tmp_path / target)
    for name, uri in (("sqlite", f"sqlite:///{tmp_path}/sqlite/m.db"), ("file", f"file:{tmp_path}/file")):
        (tmp_path / name).mkdir()
        export(private, "mlflow", uri=uri, out=None)
    assert leaks(tmp_path, private_texts(private)) == set()
    kept = {
        row["text"] for row in rows_of(tmp_path / "csv" / "generations.csv") if row["task"] == "instructions"
    }
    assert kept == {one.text for task, _, one in read_generations(private) if task == "instructions"}
    assert len(list(tmp_path.rglob("report.html"))) == 2  # of a copy, drawn for the export


@pytest.mark.slow
@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--to", "mlflo", "-o", "x"), "did you mean 'mlflow'"),
        (("--to", "mlflow", "-o", "x"), "give --uri URI"),
        (("--to", "csv", "--uri", "x"), "give -o FOLDER"),
        (("--to", "csv"), "give -o FOLDER"),
        (("--to", "mlflow", "--uri", "http://host", "--offline"), "--offline allows no network"),
    ],
)
def test_a_target_goes_to_its_own_kind_of_place(
    example: Path, tmp_path: Path, words: tuple[str, ...], said: str
) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "harness", "export", str(example), *words],
        cwd=tmp_path,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 2
    assert said in done.stderr and "Traceback" not in done.stderr
    assert not any(tmp_path.iterdir())


@pytest.mark.slow
@pytest.mark.parametrize(
    ("target", "package", "place"),
    [
        ("mlflow", "mlflow", "--uri=file:x"),
        ("mlflow", "sqlalchemy", "--uri=sqlite:///x"),
        ("tensorboard", "tensorboard", "-o=x"),
    ],
)
def test_a_missing_package_is_told_with_what_to_install(
    example: Path, tmp_path: Path, target: str, package: str, place: str
) -> None:
    code = (
        f"import sys; sys.modules[{package!r}] = None\n"
        f"sys.argv = ['harness', 'export', {str(example)!r}, '--to', {target!r}, *{place.split('=', 1)!r}]\n"
        "import harness.cli; harness.cli.main()"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 2, done.stderr
    assert f"pip install 'finetune-harness[{target}]'" in done.stderr
    assert len(done.stderr.splitlines()) == 1


@pytest.mark.slow
def test_an_export_loads_no_neural_library_and_tells_nobody(example: Path, tmp_path: Path) -> None:
    code = (
        "import os, sys\nfrom pathlib import Path\nfrom harness.commands.export import export\n"
        "for target in ('csv', 'parquet', 'tensorboard'):\n"
        f"    export(Path({str(example)!r}), target, uri=None, out=Path(target))\n"
        "assert not {'torch', 'transformers', 'peft', 'mlflow', 'tensorflow'} & set(sys.modules)\n"
        f"export(Path({str(example)!r}), 'mlflow', uri='file:runs', out=None)\n"
        "assert not {'torch', 'transformers', 'peft', 'tensorflow'} & set(sys.modules)\n"
        "from mlflow.telemetry.utils import is_telemetry_disabled\nassert is_telemetry_disabled()\n"
    )
    subprocess.run([sys.executable, "-c", code], cwd=tmp_path, check=True)


@pytest.mark.parametrize(
    ("place", "said"),
    [
        ("nonsense", "not a tracking uri; give sqlite:///FILE, file:FOLDER or a server's http://…"),
        ("file:", "not a tracking uri; give"),
        ("sqlite:m.db", "give sqlite:///FILE, with three slashes"),
        ("sqlite:////proc/x.db", "cannot be written"),
        ("sqlite:////proc/new/x.db", "cannot be written"),
        ("sqlite:////", "not a tracking uri"),
        ("sqlite:///{here}", "cannot be written"),
        ("sqlite:///{here}/text/m.db", "cannot be written"),
        ("sqlite:///{here}/text", "cannot be written: file is not a database"),
    ],
)
def test_a_place_that_mlflow_cannot_write_is_refused_at_once(
    example: Path, tmp_path: Path, place: str, said: str
) -> None:
    (tmp_path / "text").write_text("gates: [{min_value: 1}]\n" * 99)
    place = place.format(here=tmp_path)
    with pytest.raises(HarnessError) as refused:
        export(example, "mlflow", uri=place, out=None)
    line = str(refused.value)
    assert line.startswith(f"--uri {place}: {said}") and "\n" not in line
    assert [one.name for one in tmp_path.iterdir()] == ["text"]
