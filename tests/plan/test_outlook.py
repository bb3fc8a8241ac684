"""What plan and check say of gates before anything runs, from an earlier result or from a baseline."""

import json
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from harness import plugins, stats
from harness.gates.checks import Check
from harness.gates.forecast import Forecast, Spread, lines, of_baseline, of_result
from harness.gates.rules import demands
from harness.results import Result, SuiteFacts
from harness.results.baseline import Baseline, BaselineSystem
from harness.types import Comparison, Gate, Score, System
from tests.cli.words import harness as harness_here
from tests.gates.made import gate as make_gate

SUITE = """
tasks: [{name: t, source: {uri: 'file:.', columns: {id: id}}, prompt: '$input', metrics: [f1], primary: f1}]
models: [{name: a, uri: 'echo:copy'}]
weights: false
gates: [{model: a, adapter: base, max_drop: 1.0, against: kept.json}]
"""


def check_of(gate: Gate, *, subject: str, system: System, metric: str, plugin: str | None = None) -> Check:
    """The check of a gate with one rule."""
    ((rule, limit),) = demands(gate, lambda *keys: ".".join(map(str, keys)))
    return Check(
        gate=gate, rule=rule, limit=limit, subject=subject, task="t", systems=(system,), metric=metric, plugin=plugin
    )  # fmt: skip


def outlook(error: float, n: int, *, gate: Gate) -> Forecast:
    system = System(model="m", adapter="x")
    check = check_of(gate, subject="m + x", system=system, metric="rougeL")
    return Forecast(check=check, n=n, spread=Spread(error=error, n=n, level=30.0, source="an earlier run"))


def test_the_example_of_the_manual_and_the_number_that_it_names() -> None:
    """With SE 0.4 and a tolerated drop of 1.0 only 70 % of the innocent pass."""
    one = outlook(0.4, 819, gate=make_gate(max_drop=1.0))
    assert one.chance == pytest.approx(0.7054, abs=1e-4)
    (line,) = lines([one])
    needs = stats.samples_for_pass(1.0, 0.4, 819)
    assert (
        f"max_drop 1 needs n ≥ {needs:,} here: with n = 819 an adapter that lost nothing passes 70 times"
        in line
    )
    enough = outlook(0.4 * (819 / needs) ** 0.5, needs, gate=make_gate(max_drop=1.0))
    assert enough.chance == pytest.approx(0.8, abs=1e-3)


def test_the_worst_system_speaks_for_its_gate_and_other_samples_scale() -> None:
    gate = make_gate(max_drop=1.0)
    (line,) = lines([outlook(0.3, 800, gate=gate), outlook(0.6, 800, gate=gate)])
    assert "and 1 other" in line and "SE 0.60" in line
    grown = Forecast(
        check=outlook(0.6, 800, gate=gate).check, n=3200, spread=outlook(0.6, 800, gate=gate).spread
    )
    assert grown.chance == pytest.approx(stats.pass_chance(1.0, 0.3))


@pytest.mark.slow
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


@pytest.mark.slow
def test_what_is_wrong_with_a_baseline_or_an_earlier_result_is_said_in_a_line(tmp_path: Path) -> None:
    (tmp_path / "test.jsonl").write_text('{"id": "s", "input": "in", "reference": "in"}\n')
    sliced = ", {model: a, adapter: base, max_drop: 2, by: length}]\n"
    (tmp_path / "small.yaml").write_text(SUITE.removesuffix("]\n") + sliced)
    (tmp_path / "kept.json").write_text('{"schema": 1}')
    (tmp_path / "reports" / "out" / "small").mkdir(parents=True)
    (tmp_path / "reports" / "out" / "small" / "result.json").write_text("{")

    def harness(*words: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "harness", *words], cwd=tmp_path, capture_output=True, text=True
        )

    for command in ("check", "plan"):
        done = harness(command, "small.yaml")
        assert done.returncode == 0, done.stderr
        lines = done.stdout.splitlines()
        assert len([line for line in lines if "kept.json: not a baseline of the harness" in line]) == 1
        assert len([line for line in lines if "small/result.json: not JSON" in line]) == 1
        assert len([line for line in lines if "max_drop 2" in line and "not known of a slice" in line]) == 1
        asked = harness(command, "small.yaml", "--result", "nowhere")  # what was asked for must be there
        assert asked.returncode == 2
        assert asked.stderr.startswith("error: nowhere/result.json: No such file")


def comparison(system: System, *, error: float, n: int) -> Result:
    """A result that holds one comparison of a system with its base, and the base's score."""
    detectable = (stats.Z_95 + stats.Z_80) * error
    base = System(model=system.model)
    return Result(
        folder=Path("earlier"),
        suite=SuiteFacts(name="s", tasks=(), models=()),
        scores=tuple(
            Score(
                task="t", system=one, metric="f1", primary=True, signature="", unit="%", better="higher",
                value=value, low=None, high=None, n=n,
            )
            for one, value in ((base, 40.0), (system, 50.0))
        ),
        comparisons=(
            Comparison(
                task="t", metric="f1", baseline=base, candidate=system, difference=10.0, low=9.0, high=11.0,
                p=0.01, p_holm=None, family=None, test="", detectable=detectable, n=n,
            ),
        ),
    )  # fmt: skip


@pytest.mark.parametrize(
    ("gate", "margin"),
    [
        (make_gate(max_drop=1.0), 1.0),
        (make_gate(max_relative_drop=5.0), 2.0),  # of the base's 40
        (make_gate(max_relative_drop=5.0, against="b.json"), 2.5),  # of its own 50
    ],
)
def test_an_earlier_comparison_tells_the_spread_at_other_samples(gate: Gate, margin: float) -> None:
    system = System(model="m", adapter="x")
    check = check_of(gate, subject="m + x", system=system, metric="f1")
    spread = of_result(check, comparison(system, error=0.8, n=200), "earlier")
    assert spread is not None and spread.error == pytest.approx(0.8)
    one = Forecast(check=check, n=800, spread=spread)
    assert one.margin == pytest.approx(margin)
    assert one.chance == pytest.approx(stats.pass_chance(margin, 0.4))
    assert one.needs == stats.samples_for_pass(margin, 0.8, 200)


def test_answers_that_are_all_the_same_or_few_say_nothing_of_the_spread() -> None:
    system = System(model="m", adapter="x")
    check = check_of(make_gate(max_drop=1), subject="", system=system, metric="f1")
    assert of_result(check, comparison(system, error=0.0, n=200), "") is None
    assert of_result(check, comparison(system, error=0.5, n=5), "") is None


def test_a_baseline_of_adapter_and_base_is_paired_and_of_one_alone_is_a_bound() -> None:
    """Differences of 0 and 10 points, half and half: SE 5/√n; of the score alone 50/√n, twice."""
    rng, n = np.random.default_rng(0), 400
    score = rng.permutation(np.arange(n) % 2 * 90.0)
    gain = rng.permutation(np.arange(n) % 2 * 10.0)
    base, adapter = System(model="m"), System(model="m", adapter="x")
    ids = tuple(map(str, range(n)))

    def kept(system: System, scores: np.ndarray, order: np.ndarray) -> BaselineSystem:
        rows = np.stack([scores / 100, np.ones(n)], axis=1)[order]
        return BaselineSystem(
            task="t",
            system=system,
            prompts="",
            ids=tuple(ids[i] for i in order),
            rows={"f1": rows},
            answers=None,
        )

    check = check_of(
        make_gate(max_drop=1, against="b.json"), subject="", system=adapter, metric="f1", plugin="f1"
    )
    own, other = kept(adapter, score + gain, np.arange(n)), kept(base, score, rng.permutation(n))

    def spread(*systems: BaselineSystem) -> Spread | None:
        file = {(one.task, one.system): one for one in systems}
        return of_baseline(check, Baseline(name="b.json", suite="s", tasks={}, systems=file))

    pair, alone = spread(own, other), spread(own)
    assert pair is not None and alone is not None
    assert (pair.most, alone.most) == (False, True)
    assert pair.error == pytest.approx(5 / n**0.5, rel=0.05)
    assert alone.error == pytest.approx(2**0.5 * (score + gain).std() / n**0.5, rel=0.05)
    assert spread(other) is None


NEVER = """
tasks: [{name: t, source: {uri: 'file:.', columns: {id: id}}, prompt: '$input', metrics: [f1], primary: f1}]
models: [{name: a, uri: 'echo:copy'}, {name: b, uri: 'echo:copy'}]
weights: false
gates: [{model: a, adapter: base, min_value: 0}, GATE]
"""


@pytest.mark.parametrize(
    ("gate", "said"),
    [
        ("{adapter: base, min_value: 1, metric: nope}", "no metric named 'nope'; known: f1"),
        ("{adapter: base, min_value: 1, where: {nope: x}}", "no column named 'nope'; known: topic"),
        ("{adapter: base, min_value: 1, by: nope}", "no column named 'nope'; known: topic"),
        ("{adapter: base, must_beat: true}", "the base against itself; name a baseline's file in `against`"),
        ("{adapter: base, max_drop: 1, against: base}", "the base against itself"),
        ("{min_value: 1}", "there are no adapters; say `adapter: base`"),
        ("{adapter: 'lora-*', max_delta_ratio: 1}", "there are no adapters; say `adapter: base`"),
        ("{recipe: nope, min_value: 1}", "no recipe named 'nope'; there are none"),
    ],
)
def test_a_gate_that_can_never_be_judged_is_refused_before_a_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], gate: str, said: str
) -> None:
    (tmp_path / "test.jsonl").write_text('{"id": "s", "input": "in", "reference": "in", "topic": "x"}\n')
    (tmp_path / "small.yaml").write_text(NEVER.replace("GATE", gate))
    monkeypatch.chdir(tmp_path)
    for command in ("check", "plan"):
        done = harness_here(capsys, command, "small.yaml")
        if command == "plan" and "column" in said:  # a plan reads no samples
            continue
        assert done.code == 2 and done.err.count("\n") == 1, done
        rule = next(name for name in plugins.names("rules") if f"{name}:" in gate)
        assert (
            done.err.startswith(f"error: small.yaml:5: gates[1].{rule}: ")
            and "can never be judged: " in done.err
        )
        assert said in done.err


@pytest.mark.parametrize(
    "gate",
    [
        "{adapter: base, max_drop: 1, against: nope.json}",
        "{adapter: base, min_value: 1, by: length}",
        "{adapter: base, min_value: 1, where: {topic: x}, metric: 'f*'}",
    ],
)
def test_a_gate_that_may_yet_be_judged_passes_check(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], gate: str
) -> None:
    (tmp_path / "test.jsonl").write_text('{"id": "s", "input": "in", "reference": "in", "topic": "x"}\n')
    (tmp_path / "small.yaml").write_text(NEVER.replace("GATE", gate))
    monkeypatch.chdir(tmp_path)
    done = harness_here(capsys, "check", "small.yaml")
    assert done.code == 0, done
    assert ("nope.json" in gate) == ("nope.json: No such file" in done.out)
