"""A regression planted for real: an adapter trained on shuffled labels fails, another seed of a good one does not."""

import json
import os
import random
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

from harness.files import shipped
from harness.gates.judge import judge
from harness.results import baseline
from harness.stats import pass_chance
from harness.types import Verdict
from tests.gates.made import gate as make_gate

SAMPLES, FEW = 150, 12
MAX_DROP = (
    6.0  # points; with the standard error of this n, an adapter that lost nothing passes 19 times in 20
)
SUITE = """
tasks:
  - name: dialogues
    source: {uri: "file:../DATA", columns: {id: id, input: dialogue, reference: summary}, share: text}
    prompt: "Summarise the conversation in one or two sentences.\\n\\n$input\\n\\nSummary:"
    decode: {max_new_tokens: 32, stop: ["\\n"]}
    metrics: [rouge]
    primary: rougeL
models: [{name: llama2-tiny, uri: zoo:llama2-tiny}]
recipes:
  - {name: quick, rank: 8, alpha: 16, targets: [all-linear], steps: 60, batch_size: 16, learning_rate: 6e-3,
     max_tokens: 256, validation_samples: 0}
train_on: [dialogues]
weights: false
"""

pytestmark = pytest.mark.slow


@dataclass(frozen=True)
class Project:
    folder: Path

    def run(self, suite: str, out: str, *words: str) -> Path:
        command = (
            sys.executable,
            "-m",
            "harness",
            "run",
            suite,
            "--store",
            "store",
            "--out",
            out,
            "--offline",
        )
        environment = {**os.environ, "OMP_NUM_THREADS": "1"}
        done = subprocess.run(
            [*command, *words], cwd=self.folder, env=environment, capture_output=True, text=True
        )
        assert done.returncode == 0, done.stderr
        return self.folder / out

    def answers(self) -> int:
        """How many were asked so far, by every finished step that answers."""
        costs = (self.folder / "store" / "done").glob("*/cost.json")
        return sum(json.loads(cost.read_text())["samples"] for cost in costs)


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Project:
    folder = tmp_path_factory.mktemp("planted")
    data = shipped.folder("suites") / "data" / "dialogues"
    (folder / "suites").mkdir()
    for name in ("good", "shuffled"):
        (folder / name).mkdir()
        (folder / "suites" / f"{name}.yaml").write_text(SUITE.replace("DATA", name))
        for split in ("train", "validation", "test"):
            rows = [json.loads(line) for line in (data / f"{split}.jsonl").read_text().splitlines()]
            if (name, split) == ("shuffled", "train"):
                summaries = [row["summary"] for row in rows]
                random.Random(0).shuffle(summaries)
                rows = [{**row, "summary": summary} for row, summary in zip(rows, summaries, strict=True)]
            (folder / name / f"{split}.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    return Project(folder)


@pytest.fixture(scope="module")
def accepted(project: Project) -> Path:
    """The baseline of a good adapter."""
    result = project.run("good", "accepted", "--limit", str(SAMPLES))
    path = project.folder / "accepted.json"
    baseline.write(path, baseline.make(result))
    return path


def verdict(result: Path, against: Path, max_drop: float = MAX_DROP) -> Verdict:
    (found,) = judge(result, [make_gate(max_drop=max_drop)], baseline=against).verdicts
    return found


def test_an_adapter_trained_on_shuffled_labels_fails(project: Project, accepted: Path) -> None:
    found = verdict(project.run("shuffled", "shuffled-result", "--limit", str(SAMPLES)), accepted)
    assert found.verdict == "fail", found
    assert found.high is not None and found.high < -MAX_DROP


@pytest.fixture(scope="module")
def retrained(project: Project, accepted: Path) -> tuple[Path, Path, int]:
    """Another seed's results on few samples and on all, and how many answers the second asked."""
    few = project.run("good", "few", "--limit", str(FEW), "--seed", "1")
    before = project.answers()
    grown = project.run("good", "grown", "--limit", str(SAMPLES), "--seed", "1")
    return few, grown, project.answers() - before


@pytest.mark.nightly
def test_an_adapter_of_another_seed_does_not_fail(retrained: tuple[Path, Path, int], accepted: Path) -> None:
    found = verdict(retrained[1], accepted)
    assert found.verdict != "fail", found
    assert found.value is not None and found.low is not None and found.high is not None
    error = (found.high - found.low) / 3.92
    assert found.pass_probability_if_equal == pytest.approx(pass_chance(MAX_DROP, error), abs=0.02)
    assert found.pass_probability_if_equal > 0.9


@pytest.mark.nightly
def test_few_samples_cannot_tell_and_growing_asks_only_new_ones(
    project: Project, retrained: tuple[Path, Path, int], accepted: Path
) -> None:
    few, grown, asked = retrained
    path = project.folder / "small.json"
    baseline.write(path, baseline.make(project.run("good", "small", "--limit", str(FEW))))
    found = verdict(few, path, max_drop=1.0)
    assert (found.verdict, found.n) == ("inconclusive", FEW)
    assert found.needed is not None and found.needed > FEW
    assert f"some {found.needed:,} samples would probably decide" in found.because
    assert asked == SAMPLES - FEW  # of the adapter; the base's were there
    assert verdict(grown, accepted).n == SAMPLES
