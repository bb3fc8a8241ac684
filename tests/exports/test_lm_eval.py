"""A RESULT exported for lm-evaluation-harness: its own functions read it, and importing it again gives the same scores."""

import json
import os
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

import harness
from harness.commands.export import export
from harness.commands.import_answers import import_answers, remarks
from harness.digest import file_name
from harness.errors import HarnessError
from harness.imports import GivenScore, ImportOptions
from harness.results import Result, read, read_generations
from harness.results.document import read_document, write_document
from harness.types import System

ROOT = Path(__file__).parents[2]
# lm-eval is in an environment of its own, as `make peers` builds it: python -m venv X && X/bin/pip install lm-eval==0.4.13
THEIRS = Path(os.environ.get("LM_EVAL_PYTHON") or ROOT / ".bench/peers/bin/python")
BASE, SHOTS = System(model="llama2-tiny"), System(model="llama2-tiny", shots=2)
READ = """
import json, sys
from pathlib import Path
from lm_eval import utils
files = [str(path) for path in Path(sys.argv[1]).rglob("*.json*")]
results = utils.get_results_filenames(files)
latest = utils.get_latest_filename(results)
data = json.loads(Path(latest).read_text())
samples = [path for path in utils.get_sample_results_filenames(files) if Path(path).parent == Path(latest).parent]
tasks = sorted(utils.get_file_task_name(Path(path).name) for path in samples)
hashes = []
for path in samples:
    for line in map(json.loads, Path(path).open()):
        hashes.append(line["target_hash"] == utils.hash_string(line["target"]))
        hashes.append(line["prompt_hash"] == utils.hash_string(line["arguments"]["gen_args_0"]["arg_0"]))
        text = json.dumps(line["doc"], indent=2, ensure_ascii=False)
        hashes.append(line["doc_hash"] == utils.hash_string(text))
print(json.dumps({"table": utils.make_table(data), "tasks": tasks, "hashes": all(hashes) and len(hashes)}))
"""


@pytest.fixture(scope="module")
def result(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A RESULT of written answers and of choices, each asked of a base with and without examples, and of rules."""
    folder = tmp_path_factory.mktemp("run")
    suite = {
        "models": [{"name": "llama2-tiny", "uri": "zoo:llama2-tiny"}],
        "base_shots": [0, 2],
        "tasks": [
            {
                "name": "dialogues",
                "source": {
                    "uri": "embedded:dialogues",
                    "columns": {"id": "id", "input": "dialogue", "reference": "summary"},
                },
                "prompt": "Summarise.\n\n$input\n\nSummary:",
                "decode": {"max_new_tokens": 8, "stop": ["\n"]},
                "metrics": [
                    *("rouge", "bleu", "chrf", "exact", "f1"),
                    {"meteor": {"synonyms": False, "split": "none"}},
                    {"bleu": {"tokenize": "char"}},
                ],
                "primary": "rougeL",
                "trivial": ["lead-3"],
            },
            {
                "name": "medical",
                "kind": "choice",
                "source": {
                    "uri": "embedded:medical-qa",
                    "columns": {"id": "id", "input": "question", "reference": "answer", "choices": "options"},
                },
                "prompt": "$input\n$choices\nAnswer:",
                "metrics": [
                    "accuracy",
                    {"accuracy": {"by": "character"}},
                    {"accuracy": {"by": "byte"}},
                    {"accuracy": {"by": "token"}},
                    "probability",
                ],
                "primary": "accuracy",
                "trivial": ["longest"],
            },
        ],
    }
    harness.run(suite, out=folder / "result", store=folder / "store", limit=12)
    return folder / "result"


@pytest.fixture(scope="module")
def exported(result: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("exported") / "logs"
    said = export(result, "lm-eval", uri=None, out=out)
    assert said.startswith(f"{out}: 4 systems, a folder each; left out: costs and weights; ")
    assert "samples of medical by trivial:longest: 12 answers without likelihoods of the choices" in said
    assert "\n" not in said
    return out


def results_of(exported: Path, system: System) -> dict[str, Any]:
    (path,) = [
        path for path in exported.rglob("results_*.json") if path.parent.name == file_name(str(system))
    ]
    return json.loads(path.read_text())


def back(exported: Path, out: Path) -> Result:
    places = sorted(path for path in exported.iterdir() if path.is_dir() and "trivial" not in path.name)
    return import_answers("lm-eval", places, out, ImportOptions())


def kept(metric: str) -> str:
    """The name of a score that came back as lm-eval's own; a comma would end it in lm-eval's files."""
    return GivenScore(name=metric.replace(",", ";")).kept


def test_importing_an_export_gives_equal_scores(result: Path, exported: Path, tmp_path: Path) -> None:
    first, again = read(result), back(exported, tmp_path / "again")
    values = {(score.task, score.system, score.metric): score.value for score in again.scores}
    compared = 0
    for score in first.scores:
        if score.system.is_trivial:
            continue
        known = (score.task, score.system, score.metric)
        theirs = (score.task, score.system, kept(score.metric))
        if known not in values and theirs not in values:
            assert "tokenize" in score.metric  # of all samples together, and lm-eval knows no such setting
            continue
        # The same answers and the same arithmetic: only the order of sums may differ.
        assert values.get(known, values.get(theirs)) == pytest.approx(score.value, abs=1e-9)
        compared += 1
    assert compared == 2 * (9 + 5)
    foreign = {metric for _, _, metric in values if metric.startswith("theirs")}
    assert len(foreign) == 3  # METEOR, the probability, and accuracy by token, of which lm-eval has none


def test_answers_and_likelihoods_come_back(result: Path, exported: Path, tmp_path: Path) -> None:
    back(exported, tmp_path / "again")

    def answers(folder: Path) -> dict[tuple[str, System], list[tuple[str, list[tuple[str, float]]]]]:
        found: dict[tuple[str, System], list[Any]] = {}
        for task, system, answer in read_generations(folder):
            options = [(option.text, option.logprob) for option in answer.options]
            found.setdefault((task, system), []).append((answer.text, options))
        return {key: each for key, each in found.items() if not key[1].is_trivial}

    assert answers(tmp_path / "again") == answers(result)


def test_what_is_not_expressed_is_a_note_when_it_is_imported(exported: Path, tmp_path: Path) -> None:
    said = [*remarks(back(exported, tmp_path / "again"))]
    assert said and all("bleu(tokenize=char) is not kept" in line for line in said)


def test_the_results_file_says_what_it_leaves_out_and_who_wrote_it(exported: Path) -> None:
    found = results_of(exported, BASE)
    own = found["finetune_harness"]
    assert own["written by"].startswith("finetune-harness ")
    assert any("the whole prompt" in line for line in own["left out"])
    assert any("weights" in line for line in own["left out"])
    low, high = own["intervals"]["medical"]["acc"]
    assert low <= found["results"]["medical"]["acc,none"] <= high <= 1.0


def test_standard_errors_are_lm_evals(exported: Path) -> None:
    """`mean_stderr` of lm_eval/api/metrics.py: the sample's standard deviation over the root of n."""
    found = results_of(exported, BASE)["results"]["medical"]
    acc, n = found["acc,none"], found["sample_len"]
    assert found["acc_stderr,none"] == pytest.approx((acc * (1 - acc) / (n - 1)) ** 0.5, abs=1e-12)
    assert results_of(exported, BASE)["results"]["dialogues"]["bleu_stderr,none"] == "N/A"


def test_exporting_again_changes_nothing(result: Path, exported: Path) -> None:
    before = {path: path.read_bytes() for path in exported.rglob("*") if path.is_file()}
    export(result, "lm-eval", uri=None, out=exported)
    assert {path: path.read_bytes() for path in exported.rglob("*") if path.is_file()} == before


def test_a_folder_of_other_things_is_refused(result: Path, tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("mine")
    with pytest.raises(HarnessError, match="not empty and not an export"):
        export(result, "lm-eval", uri=None, out=tmp_path)


def test_texts_that_must_stay_are_not_exported(result: Path, tmp_path: Path) -> None:
    private = Path(shutil.copytree(result, tmp_path / "private"))
    document = read_document(private)
    for task in document["suite"]["tasks"]:
        task["share"] = "scores"
    write_document(private, document)
    said = export(private, "lm-eval", uri=None, out=tmp_path / "out")
    assert "samples of dialogues: its texts stay on this machine (share: scores)" in said
    assert not [*(tmp_path / "out").rglob("samples_*")]
    assert results_of(tmp_path / "out", BASE)["results"]["medical"]["sample_len"] == 12


@pytest.mark.skipif(
    not THEIRS.exists(), reason="lm-eval has no environment here: make peers, or LM_EVAL_PYTHON"
)
@pytest.mark.slow
def test_lm_eval_reads_the_files_and_makes_its_table(exported: Path) -> None:
    folder = next(path for path in exported.iterdir() if path.name == file_name(str(BASE)))
    done = subprocess.run(
        [str(THEIRS), "-c", READ, str(folder)], capture_output=True, text=True, check=False, cwd=exported
    )
    assert done.returncode == 0, done.stderr
    said = json.loads(done.stdout.splitlines()[-1])
    assert said["tasks"] == ["dialogues", "medical"]
    assert said["hashes"] == 2 * 12 * 3
    acc = results_of(exported, BASE)["results"]["medical"]["acc,none"]
    rows = [[cell.strip() for cell in line.split("|")] for line in said["table"].splitlines()]
    assert any(row[5:6] == ["acc"] and f"{acc:.4f}" in row for row in rows)
    assert any(row[5:6] == ["rougeL"] and "±" in row for row in rows)
