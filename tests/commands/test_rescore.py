"""Further metrics on answers that are kept: what a run with them would have found, and nothing half written."""

import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from harness.commands.rescore import rescore
from harness.errors import HarnessError
from harness.results import read, redact
from harness.results.document import write_document
from harness.results.rows import open_rows
from harness.results.schema import json_schema
from harness.verification import verify

SUITE = """
tasks:
  - name: t
    source: {{uri: "file:data", columns: {{id: id}}, share: text}}
    prompt: "$input"
    metrics: [{metrics}]
    primary: f1
    cluster: chat
    trivial: [copy]
models: [{{name: a, uri: "echo:copy"}}, {{name: b, uri: "echo:upper"}}, {{name: c, uri: "echo:first-line"}}]
weights: false
gates: [{{model: a, adapter: base, metric: chrf, min_value: 1}}]
"""


def run(folder: Path, metrics: str) -> Path:
    (folder / f"{metrics[-4:]}.yaml").write_text(SUITE.format(metrics=metrics))
    words = ("run", f"{metrics[-4:]}.yaml", "--workers", "0", "--device", "cpu", "--out", f"with {metrics}")
    done = subprocess.run(
        [sys.executable, "-m", "harness", *words], cwd=folder, capture_output=True, text=True
    )
    assert done.returncode in (0, 5), done.stderr  # the gate's metric may be missing
    return folder / f"with {metrics}"


@pytest.fixture(scope="module")
def results(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """One without chrF, and one with it from the beginning."""
    folder = tmp_path_factory.mktemp("rescore")
    (folder / "data").mkdir()
    rows = [
        {"id": f"s{n}", "input": f"in {n}\nand more", "reference": f"in {n}" if n % 3 else f"out {n}", "chat": n // 3}
        for n in range(30)
    ]  # fmt: skip
    (folder / "data" / "test.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    return run(folder, "f1, exact"), run(folder, "f1, exact, chrf")


@pytest.fixture
def result(results: tuple[Path, Path], tmp_path: Path) -> Path:
    return Path(shutil.copytree(results[0], tmp_path / "result"))


def document(folder: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((folder / "result.json").read_bytes())
    return found


def by_name(records: list[dict[str, Any]]) -> dict[str, dict[str, Any]]:
    """The last digits of a sum depend on how many systems were multiplied at once."""
    names = ("task", "metric", "model", "adapter", "shots", "baseline", "candidate")
    rounded = [{k: round(v, 9) if isinstance(v, float) else v for k, v in one.items()} for one in records]
    return {json.dumps([one.get(name) for name in names]): one for one in rounded}


@pytest.mark.slow
def test_a_rescored_result_is_what_a_run_with_the_metric_would_have_left(
    results: tuple[Path, Path], result: Path
) -> None:
    rescore(result, ["chrf"], result)
    ours, theirs = document(result), document(results[1])
    for key in ("scores", "comparisons"):
        assert by_name(ours[key]) == by_name(theirs[key])
    assert ours["suite"]["tasks"] == theirs["suite"]["tasks"]
    with open_rows(result) as rows, open_rows(results[1]) as expected:
        keys = expected.keys()
        assert set(rows.keys()) == set(keys)
        for row_key in keys:
            got, wanted = rows.get(row_key), expected.get(row_key)
            assert got is not None and wanted is not None
            assert got.ids == wanted.ids
            assert (got.stats == wanted.stats).all()


@pytest.mark.slow
def test_a_rescored_result_verifies_and_follows_its_schema(result: Path) -> None:
    rescore(result, ["chrf", "rouge", "bleu"], result)
    assert verify(result) == []
    schema = json_schema()
    jsonschema.validate(document(result), schema)


def test_a_new_metric_explores(result: Path) -> None:
    rescore(result, ["chrf"], result)
    new = [one for one in read(result).comparisons if one.metric == "chrf"]
    asked = {(one.baseline, one.candidate) for one in new}
    assert asked == {(one.baseline, one.candidate) for one in read(result).comparisons if one.metric == "f1"}
    assert {(one.p_holm, one.family) for one in new} == {(None, None)}
    assert not any(one.primary for one in read(result).scores if one.metric == "chrf")


def test_what_is_scored_again_keeps_its_families_and_comes_to_the_same(result: Path) -> None:
    before = document(result)
    with pytest.raises(HarnessError, match="has f1 already on every task; --again recomputes it"):
        rescore(result, ["f1"], result)
    rescore(result, ["f1"], result, again=True)
    after = document(result)
    assert by_name(after["scores"]) == by_name(before["scores"])
    assert by_name(after["comparisons"]) == by_name(before["comparisons"])
    assert any(one["family"] for one in after["comparisons"])
    assert after["suite"] == before["suite"]
    assert verify(result) == []


def test_the_manifest_says_what_was_added_and_when(result: Path) -> None:
    rescore(result, ["chrf"], result)
    rescore(result, ["rouge"], result)
    assert [one["metrics"] for one in document(result)["manifest"]["rescored"]] == [
        {"t": ["chrf"]},
        {"t": ["rouge"]},
    ]


def test_a_gate_that_waited_for_the_metric_is_judged(result: Path) -> None:
    def word() -> str:
        (one,) = json.loads((result / "verdicts.json").read_text())["verdicts"]
        return str(one["verdict"])

    assert word() == "invalid"
    rescore(result, ["chrf"], result)
    assert word() == "pass"


def test_another_folder_leaves_the_result_as_it_is(result: Path, tmp_path: Path) -> None:
    before = {path: path.read_bytes() for path in result.rglob("*") if path.is_file()}
    rescore(result, ["chrf"], tmp_path / "new")
    assert verify(tmp_path / "new") == []
    assert before == {path: path.read_bytes() for path in result.rglob("*") if path.is_file()}
    with pytest.raises(HarnessError, match="holds a RESULT; name an empty or new folder"):
        rescore(result, ["chrf"], tmp_path / "new")


@pytest.mark.parametrize("name", ["generations.jsonl.gz", "samples.jsonl.gz", "rows.parquet", "result.json"])
def test_what_was_changed_since_the_run_is_not_scored_and_stays_as_it_is(result: Path, name: str) -> None:
    path = result / name
    content = path.read_bytes()
    path.write_bytes(
        content.replace(b'"t"', b'"u"') if name == "result.json" else content[: len(content) // 2]
    )
    before = path.read_bytes()
    with pytest.raises(HarnessError, match=name):
        rescore(result, ["chrf"], result)
    assert path.read_bytes() == before
    assert [one.name for one in result.parent.iterdir()] == ["result"]


def test_a_copy_without_texts_is_refused(results: tuple[Path, Path], tmp_path: Path) -> None:
    private = Path(shutil.copytree(results[0], tmp_path / "private"))
    data = document(private)
    data["suite"]["tasks"][0]["share"] = "scores"
    del data["digest"]
    (private / "result.json").write_text(json.dumps(data))
    redact.copy(private, tmp_path / "copy")
    with pytest.raises(HarnessError, match="a copy without the texts of t; rescore the original RESULT"):
        rescore(tmp_path / "copy", ["chrf"], tmp_path / "copy")


def test_a_comparison_of_a_system_without_scores_is_told(result: Path) -> None:
    document = json.loads((result / "result.json").read_bytes())
    document["comparisons"][0]["candidate"]["model"] = "nobody"
    write_document(result, document)
    before = (result / "result.json").read_bytes()
    with pytest.raises(HarnessError, match="t: compares nobody, of which it has no score"):
        rescore(result, ["chrf"], result)
    assert (result / "result.json").read_bytes() == before


@pytest.mark.slow
def test_the_command_prints_the_new_scores_and_an_unknown_metric_is_a_line(result: Path) -> None:
    def harness(*words: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "harness", "rescore", *words],
            cwd=result.parent, capture_output=True, text=True,
        )  # fmt: skip

    done = harness("result", "--metric", "chrf")
    assert done.returncode == 0, done.stderr
    assert "t  chrF  a  " in done.stdout
    wrong = harness("result", "--metric", "rogue")
    assert (wrong.returncode, wrong.stdout) == (2, "")
    assert wrong.stderr.startswith("error: --metric rogue: no metric named 'rogue'; did you mean 'rouge'")
