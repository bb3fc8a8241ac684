"""What plan and check say of gates before anything runs, from an earlier result or from a baseline."""

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

from harness import stats
from harness.gates.checks import Check
from harness.gates.power import Outlook, Spread, lines
from harness.types import Gate, System

SUITE = """
tasks: [{name: t, source: {uri: 'file:.', columns: {id: id}}, prompt: '$input', metrics: [f1], primary: f1}]
models: [{name: a, uri: 'echo:copy'}]
weights: false
gates: [{model: a, adapter: base, max_drop: 1.0, against: kept.json}]
"""


def outlook(error: float, n: int, *, gate: Gate) -> Outlook:
    system = System(model="m", adapter="x")
    check = Check(gate=gate, rule="max_drop", subject="m + x", task="t", systems=(system,), metric="rougeL")
    return Outlook(check=check, n=n, spread=Spread(error=error, n=n, level=30.0, source="an earlier run"))


def test_the_example_of_the_manual_and_the_number_that_it_names() -> None:
    """With SE 0.4 and a tolerated drop of 1.0 only 70 % of the innocent pass."""
    one = outlook(0.4, 819, gate=Gate(max_drop=1.0))
    assert one.chance == pytest.approx(0.7054, abs=1e-4)
    (line,) = lines([one])
    needs = stats.samples_for_pass(1.0, 0.4, 819)
    assert (
        f"max_drop 1 needs n ≥ {needs:,} here: with n = 819 an adapter that lost nothing passes 70 times"
        in line
    )
    enough = outlook(0.4 * (819 / needs) ** 0.5, needs, gate=Gate(max_drop=1.0))
    assert enough.chance == pytest.approx(0.8, abs=1e-3)


def test_the_worst_system_speaks_for_its_gate_and_other_samples_scale() -> None:
    gate = Gate(max_drop=1.0)
    (line,) = lines([outlook(0.3, 800, gate=gate), outlook(0.6, 800, gate=gate)])
    assert "and 1 other" in line and "SE 0.60" in line
    grown = Outlook(
        check=outlook(0.6, 800, gate=gate).check, n=3200, spread=outlook(0.6, 800, gate=gate).spread
    )
    assert grown.chance == pytest.approx(stats.pass_chance(1.0, 0.3))


def test_check_and_plan_say_it_from_a_baseline_and_that_nothing_is_known_without(tmp_path: Path) -> None:
    rows = [
        {"id": f"s{n}", "input": f"in {n}", "reference": f"{'in' if n % 3 else 'out'} {n}"} for n in range(60)
    ]
    (tmp_path / "test.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    (tmp_path / "small.yaml").write_text(SUITE)

    def harness(*words: str) -> str:
        done = subprocess.run(
            [sys.executable, "-m", "harness", *words], cwd=tmp_path, capture_output=True, text=True
        )
        assert done.returncode in (0, 5), done.stderr
        return done.stdout

    for command in ("check", "plan"):
        said = harness(command, "small.yaml")
        assert re.search(r"max_drop 1: how often .* is not known: .*kept\.json: No such file", said), said
    harness("run", "small.yaml", "--workers", "0", "--device", "cpu", "--out", "result")
    harness("baseline", "result", "-o", "kept.json")
    for command in ("check", "plan"):
        said = harness(command, "small.yaml")
        assert re.search(
            r"max_drop 1 needs n ≥ [\d,]+ here at most: with n = 60 .* by kept\.json with n = 60", said
        ), said
