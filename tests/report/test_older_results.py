"""A result.json as the first harness could have written it: what is optional is missing, and everything still works."""

from io import StringIO
from pathlib import Path
from typing import Any

import jsonschema
import pyarrow as pa
import pyarrow.parquet as parquet
import pytest
from huggingface_hub import ModelCard
from rich.console import Console

import harness
from harness.commands import card
from harness.commands import share as shareable
from harness.commands.export import export
from harness.report import render, render_terminal
from harness.results import read
from harness.results.schema import json_schema
from harness.types import System
from harness.verification import verify

from .conftest import ROWS, write_json, write_lines

SYSTEMS = (None, "tuned")
ANSWERS = {None: ["no", "yes", "no", "no"], "tuned": ["yes", "yes", "no", "yes"]}


def minimal() -> dict[str, Any]:
    """Names, scores and one comparison."""
    scores = [
        {
            "task": "chats",
            "model": "base",
            "adapter": adapter,
            "metric": "exact",
            "primary": True,
            "signature": "exact|case:folded|space:trimmed|nrefs:1|refs:any|version:1",
            "unit": "%",
            "better": "higher",
            "value": value,
            "low": low,
            "high": high,
            "n": 4,
        }
        for adapter, value, low, high in (
            (None, 25.0, 4.558726, 69.935824),
            ("tuned", 75.0, 30.064176, 95.441274),
        )
    ]
    comparison = {
        "task": "chats", "metric": "exact", "baseline": {"model": "base"}, "difference": 50.0, "low": 0.0,
        "candidate": {"model": "base", "adapter": "tuned"}, "high": 100.0, "p": 0.5, "p_holm": None,
        "family": None, "test": "McNemar, exact", "detectable": 70.0, "n": 4,
    }  # fmt: skip
    return {
        "schema": 1,
        "suite": {
            "name": "old",
            "tasks": [{"name": "chats", "primary": "exact", "metrics": ["exact"]}],
            "models": [{"name": "base"}],
            "adapters": [{"name": "tuned", "model": "base"}],
        },
        "scores": scores,
        "comparisons": [comparison],
    }


@pytest.fixture
def old(tmp_path: Path) -> Path:
    folder = tmp_path / "old"
    folder.mkdir()
    write_json(folder / "result.json", minimal())
    whose = {"task": "chats", "model": "base"}
    ids = [f"s{n}" for n in range(4)]
    samples = [
        {"task": "chats", "sample_id": one, "input": f"Is {one} right?", "references": ["yes"]} for one in ids
    ]
    write_lines(folder / "samples.jsonl.gz", samples)
    answers = [
        {**whose, "adapter": adapter, "sample_id": one, "text": text}
        for adapter in SYSTEMS
        for one, text in zip(ids, ANSWERS[adapter], strict=True)
    ]
    write_lines(folder / "generations.jsonl.gz", answers)
    rows = [
        {**line, "shots": 0, "metric": "exact", "stats": [float(line.pop("text") == "yes"), 1.0]}
        for line in answers
    ]
    parquet.write_table(pa.Table.from_pylist(rows, schema=ROWS), folder / "rows.parquet")
    return folder


def test_it_is_older_than_todays_schema() -> None:
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(minimal(), json_schema())


def test_an_older_result_still_renders(old: Path, drawings: Path) -> None:
    render(old, drawings)
    page = (old / "report.html").read_text()
    assert "base" in page and "75.0" in page and "Is s0 right?" in page
    assert "**75.0**" in (old / "report.md").read_text()
    text = StringIO()
    render_terminal(old, Console(file=text, width=120))
    assert "75.0 [30.1, 95.4]" in text.getvalue().replace("\N{NO-BREAK SPACE}", " ")


def test_an_older_result_verifies(old: Path) -> None:
    assert verify(old) == []


def test_an_older_result_shares_nothing_that_it_does_not_allow(
    old: Path, drawings: Path, tmp_path: Path
) -> None:
    said = shareable.write(old, tmp_path / "copy", drawings)
    assert said == "only ids and numbers of chats (share: scores)"
    assert read(tmp_path / "copy").withheld == ("chats",)
    assert "Is s0 right?" not in (tmp_path / "copy" / "report.html").read_text()
    assert verify(tmp_path / "copy") == []


def test_an_older_result_has_a_card(old: Path) -> None:
    path = card.write(old, System(model="base", adapter="tuned"))
    (result,) = ModelCard.load(path).data.eval_results
    assert (result.metric_type, result.metric_value) == ("exact_match", 75.0)
    text = path.read_text()
    assert "+50.0" in text and "It was trained elsewhere" in text


@pytest.mark.slow
def test_an_older_result_is_exported(old: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for target in ("csv", "parquet", "tensorboard"):
        export(old, target, uri=None, out=tmp_path / target)
    for name in ("MLFLOW_ALLOW_FILE_STORE", "MLFLOW_DISABLE_TELEMETRY"):
        monkeypatch.setenv(name, "true")
    assert "2 runs" in export(old, "mlflow", uri=f"file:{tmp_path}/runs", out=None)
    assert {path.stem for path in (tmp_path / "csv").glob("*.csv")} == {
        *("scores", "comparisons", "samples", "generations", "rows")
    }
    frames = harness.load(old)
    assert len(frames.scores) == 2 and len(frames.weights) == len(frames.curves) == 0
