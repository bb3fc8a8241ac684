"""Real results of the public test double, judged: each word of a verdict, and what makes one invalid."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from harness.gates.judge import judge
from harness.gates.rules.max_worse_samples import WorseSamples
from harness.results import baseline
from harness.types import Gate
from tests.gates.made import gate as make_gate

SUITE = """
tasks: [{name: t, source: {uri: 'file:.', columns: {id: id}}, prompt: '$input', metrics: [exact, f1], primary: f1}]
models: [{name: a, uri: 'echo:copy'}, {name: b, uri: 'echo:upper'}]
weights: false
"""


def write(folder: Path, *, samples: int = 40, gates: str = "") -> Path:
    rows = [
        {"id": f"s{n}", "input": f"in {n}", "reference": f"in {n}" if n % 2 else f"out {n}"}
        for n in range(samples)
    ]
    (folder / "test.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    (folder / "small.yaml").write_text(SUITE + gates)
    return folder


def harness(folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "harness", *words], cwd=folder, capture_output=True, text=True
    )


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = write(tmp_path_factory.mktemp("gates"))
    done = harness(folder, "run", "small.yaml", "--workers", "0", "--device", "cpu", "--out", "result")
    assert done.returncode == 0, done.stderr
    return folder


def one(folder: Path, gate: Gate, baseline: Path | None = None) -> tuple[str, str]:
    (verdict,) = judge(folder / "result", [gate], baseline=baseline).verdicts
    return verdict.verdict, verdict.because


@pytest.mark.parametrize(
    ("gate", "word", "said"),
    [
        (make_gate(model="a", adapter="base", min_value=50), "pass", "the whole interval lies above 50"),
        (make_gate(model="a", adapter="base", min_value=76), "inconclusive", "would probably decide"),
        (make_gate(model="a", adapter="base", min_value=99), "fail", "the whole interval lies below 99"),
        (make_gate(max_drop=1), "invalid", "names nothing here"),
        (make_gate(task="tt", model="a", adapter="base", min_value=1), "invalid", "no task named 'tt'; did you mean 't'?"),
        (make_gate(model="a", adapter="base", metric="rogue", min_value=1), "invalid", "no metric named 'rogue'"),
        (make_gate(model="a", adapter="base", max_drop=1), "invalid", "the base against itself"),
        (make_gate(model="a", adapter="base", max_drop=1, against="no.json"), "invalid", "No such file"),
        (make_gate(model="a", adapter="base", where={"kind": "x"}, min_value=1), "invalid", "no sample of t has that kind"),
        (make_gate(model="a", adapter="base", max_delta_ratio=1), "invalid", "no delta ratio is known"),
    ],
)  # fmt: skip
def test_each_word_has_its_reason(folder: Path, gate: Gate, word: str, said: str) -> None:
    found, because = one(folder, gate)
    assert found == word
    assert said in because


@pytest.mark.slow
def test_a_baseline_of_the_same_answers_passes_and_one_of_other_samples_is_invalid(
    folder: Path, tmp_path: Path
) -> None:
    kept = tmp_path / "b.json"
    baseline.write(kept, baseline.make(folder / "result"))
    gate = make_gate(
        model="a", adapter="base", max_drop=0.5, max_worse_samples=WorseSamples(drop=1, samples=0)
    )
    assert [v.verdict for v in judge(folder / "result", [gate], baseline=kept).verdicts] == ["pass", "pass"]
    other = write(tmp_path, samples=30)
    assert (
        harness(other, "run", "small.yaml", "--workers", "0", "--device", "cpu", "--out", "result").returncode
        == 0
    )
    found, because = one(other, make_gate(model="a", adapter="base", max_drop=0.5), baseline=kept)
    assert (found, "has 40, the result 30" in because, "harness baseline" in because) == (
        "invalid",
        True,
        True,
    )


def test_a_baseline_changed_by_hand_is_refused(folder: Path, tmp_path: Path) -> None:
    kept = tmp_path / "b.json"
    baseline.write(kept, baseline.make(folder / "result"))
    kept.write_text(kept.read_text().replace('"place": 3', '"place": 4', 1))
    done = harness(folder, "gate", "result", "--baseline", str(kept))
    assert (done.returncode, done.stdout) == (2, "")
    assert "changed by hand or cut short" in done.stderr


@pytest.mark.slow
def test_a_run_ends_with_its_worst_verdict(tmp_path: Path) -> None:
    gates = "gates: [{model: a, adapter: base, min_value: 50}, {model: b, adapter: base, min_value: 99}]\n"
    folder = write(tmp_path, gates=gates)
    done = harness(folder, "run", "small.yaml", "--workers", "0", "--device", "cpu", "--out", "result")
    assert done.returncode == 1, done.stderr
    assert len(json.loads((folder / "result" / "verdicts.json").read_text())["verdicts"]) == 2
    again = harness(folder, "gate", "result", "--junit", "g.xml")
    assert again.returncode == 1
    assert "<failure" in (folder / "g.xml").read_text()


def test_hits_are_judged_by_the_samples_that_changed(folder: Path, tmp_path: Path) -> None:
    """Of 40 samples none changed: no drop was seen, and one of 4.7 points is not excluded."""
    kept = tmp_path / "b.json"
    baseline.write(kept, baseline.make(folder / "result", metric_names=["exact"]))
    gates = [make_gate(model="a", adapter="base", metric="exact", max_drop=most) for most in (4.6, 4.7)]
    found = judge(folder / "result", gates, baseline=kept).verdicts
    assert [one.verdict for one in found] == ["inconclusive", "pass"]
    assert [one.low for one in found] == [pytest.approx(-100 * 1.96 / 42, abs=0.001)] * 2
