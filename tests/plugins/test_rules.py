"""What every rule of gates must do, whoever wrote it; a rule is in these tests as soon as its file is there."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pytest

from harness import metrics, plugins, stats
from harness.errors import ResultError, SuiteError
from harness.files.validation import checked
from harness.gates import rules
from harness.gates.costs import MeasuredCost
from harness.gates.decide import Finding
from harness.gates.judge import judge
from harness.gates.layers import JudgedWeights
from harness.gates.rules import Rule
from harness.gates.scores import JudgedScores, PairedRows
from harness.report import verdicts
from harness.suite.load import load_rules
from harness.types import WeightRow
from tests.cli.words import harness
from tests.gates.made import ADAPTER, BASE, changed, gate, points, result, weights


@dataclass(frozen=True, kw_only=True)
class Example:
    """Limits of one rule."""

    lenient: Any  # what the result below passes
    strict: Any = None  # what it fails, or cannot tell
    wrong: tuple[Any, ...] = ()  # of another type, or out of range


EXAMPLES = {
    "alpha_within": Example(lenient=[2, 6], strict=[5, 6], wrong=([6, 2], [2], "2 to 6")),
    "max_adapter_megabytes": Example(lenient=10, strict=9.9, wrong=(0, -1, True)),
    "max_delta_ratio": Example(lenient=0.1, strict=0.09, wrong=(0, "much")),
    "max_drop": Example(lenient=50, strict=0, wrong=(-1, "1", True)),
    "max_forgetting": Example(lenient=50, strict=0, wrong=(-1, "1", True)),
    "max_intruder_dimensions": Example(lenient=2, strict=1, wrong=(-1, 1.5)),
    "max_relative_drop": Example(lenient=90, strict=0, wrong=(-1, 101, [1])),
    "max_train_seconds": Example(lenient=60, strict=59, wrong=(0, "long")),
    "max_worse_samples": Example(
        lenient={"drop": 99, "samples": 0},
        strict={"drop": 0, "samples": 3},
        wrong=({"drop": 1}, {"drop": -1, "samples": 1}, {"drop": 1, "percent": 101}, {"samples": 1}, 3),
    ),
    "min_tokens_per_second": Example(lenient=100, strict=101, wrong=(0, [1])),
    "min_value": Example(lenient=10, strict=90, wrong=("high", True)),
    "must_beat": Example(lenient=None, strict=True, wrong=("yes", 1)),
}
EVERY = plugins.own_names("rules")
N = 60


def found(name: str, limit: Any) -> tuple[Rule, Any]:
    rule = rules.find(name)
    return rule, checked(rule.limit, limit, lambda *keys: name)


def limits(name: str) -> list[Any]:
    return [limit for limit in (EXAMPLES[name].lenient, EXAMPLES[name].strict) if limit is not None]


@pytest.fixture(scope="module")
def worse(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A result whose adapter lost a little, with costs and weights."""

    def more(document: dict[str, Any]) -> None:
        document["weights"] = [
            weights(ADAPTER, intruder_dimensions=2),
            weights(ADAPTER, layer="h.1", part="merged", alpha=3.4, eigenvalues=99),
        ]

    scores = {BASE: points(N), ADAPTER: points(N, gain=-0.02)}
    return result(tmp_path_factory.mktemp("rules") / "result", scores, edit=more)


def test_every_rule_has_an_example() -> None:
    assert set(EXAMPLES) == set(EVERY)


@pytest.mark.parametrize("name", EVERY)
def test_a_rule_is_called_as_its_file_and_says_what_it_reads(name: str) -> None:
    rule = rules.find(name)
    assert rule.name == name
    assert rule.steps
    assert rule.form(None) == ""
    assert rule.form(1.0)


@pytest.mark.parametrize("name", EVERY)
def test_a_lenient_limit_is_passed_and_a_strict_one_is_not(name: str, worse: Path) -> None:
    for limit, passes in ((EXAMPLES[name].lenient, True), (EXAMPLES[name].strict, False)):
        if limit is not None:
            (verdict,) = judge(worse, [gate(**{name: limit})]).verdicts
            assert (verdict.verdict == "pass") == passes, verdict
            assert verdict.verdict != "invalid", verdict


@pytest.mark.parametrize("name", EVERY)
def test_a_verdict_names_what_was_measured_and_the_limit(name: str, worse: Path) -> None:
    for limit in limits(name):
        (verdict,) = judge(worse, [gate(**{name: limit})]).verdicts
        rule, own = found(name, limit)
        assert verdict.value is not None and verdict.because
        assert rule.form(verdict.value) and rule.form(verdict.value) in verdicts.explained(verdict)
        assert verdict.gate == f"{name} {rule.limit_text(own)}".strip()
        assert (verdict.limit or "") == rule.limit_text(own)


def scores_of(own: np.ndarray, base: np.ndarray) -> JudgedScores:
    """Token F1 of two systems on the same samples."""
    metric = metrics.load("f1")
    assert metric.value is not None
    sides = (("", ADAPTER), ("", BASE))
    rows = np.stack([np.stack([scores, np.ones(len(scores))], axis=1) for scores in (own, base)], axis=1)
    return JudgedScores(
        rows=PairedRows(
            metric=metric, places={side: place for place, side in enumerate(sides)},
            ids=tuple(map(str, range(len(own)))), table=stats.Table(rows=rows, value=metric.value), clusters=None,
            seed=0, claims=((sides[1], sides[0]),),
        ),
        metric="f1", own=sides[:1], other=sides[1:], against="base",
    )  # fmt: skip


def measured(rule: Rule, number: float) -> Any:
    """What the rule reads, with that number in it."""
    if rule.cost is not None:
        return MeasuredCost(value=number, unit=rule.cost.unit, hardware="one")
    if rule.reads == "weights":
        numbers = {"delta_ratio": number, "intruder_dimensions": number, "alpha": number}
        parts: tuple[Literal["delta", "merged"], ...] = ("delta", "merged")
        rows = [
            WeightRow(model="m", adapter="x", part=part, layer=f"h.{place}", role="q", rows=64, cols=64,
                      status="analysed", eigenvalues=99, numbers=numbers)
            for place, part in enumerate(parts)
        ]  # fmt: skip
        return JudgedWeights(system=ADAPTER, rows=rows)
    own = np.array(points(N))
    own[3] = number
    return scores_of(own, np.array(points(N)))


@pytest.mark.filterwarnings("ignore:invalid value:RuntimeWarning")
@pytest.mark.parametrize("number", [float("nan"), float("inf"), float("-inf")])
@pytest.mark.parametrize("name", EVERY)
def test_what_is_not_finite_is_never_passed(name: str, number: float) -> None:
    for limit in limits(name):
        rule, own = found(name, limit)
        try:
            finding = rule.finding(own, measured(rule, number))
        except (ResultError, ValueError) as error:  # both make its verdict invalid
            assert "finite" in str(error) or "of their own" in str(error)
        else:
            assert finding.word != "pass"


@pytest.mark.parametrize("name", [name for name in EVERY if rules.find(name).compares])
def test_equal_samples_pass_every_drop_and_no_claim(name: str) -> None:
    same = np.array(points(N))
    for limit in limits(name):
        rule, own = found(name, limit)
        finding: Finding = rule.finding(own, scores_of(same, same))
        assert (finding.word == "pass") != rule.claim
        assert finding.value == 0


@pytest.mark.parametrize(
    ("name", "limit"), [(name, limit) for name in EVERY for limit in EXAMPLES[name].wrong]
)
def test_a_limit_that_is_none_is_told_with_its_file_and_line(name: str, limit: Any, tmp_path: Path) -> None:
    path = tmp_path / "rules.yaml"
    path.write_text(f"gates:\n  - task: t\n    {name}: {json.dumps(limit)}\n")
    with pytest.raises(SuiteError, match=rf"rules\.yaml:3: gates\[0\]\.{name}\b[^\n]*: "):
        load_rules(str(path))


@pytest.mark.parametrize("name", EVERY)
def test_a_limit_is_kept_in_a_result_as_a_suite_says_it(name: str, worse: Path, tmp_path: Path) -> None:
    (tmp_path / "rules.yaml").write_text(f"gates:\n  - {name}: {json.dumps(limits(name)[0])}\n")
    (asked,), _ = load_rules(str(tmp_path / "rules.yaml"))
    (given,) = judge(worse, [asked]).verdicts
    changed(worse, lambda document: document["suite"].update(gates=[{name: asked.rules[name]}]))
    assert judge(worse).verdicts == (given,)


# A rule of another package.

LARGEST_DROP = """
import numpy as np

from harness import text as words
from harness.gates import decide
from harness.gates.rules import Rule, not_negative

def judge(limit, scores):
    lost = float(np.max(-scores.changes))
    return decide.exact(lost, lost <= limit, note=f"the largest drop of a sample is {lost:.0f} points")

RULE = Rule(
    name="max_largest_drop", limit=float, reads="difference", judge=judge, check=not_negative, form=words.plain, fewest=1
)
"""
SUITE = """
tasks: [{name: t, source: {uri: 'file:.', columns: {id: id}}, prompt: '$input', metrics: [f1], primary: f1}]
models: [{name: a, uri: 'echo:copy'}]
weights: false
gates:
  - {adapter: base, against: kept.json, max_largest_drop: LIMIT}
"""


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A working folder with data, in which plug-ins can be installed."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HARNESS_STORE", str(tmp_path / "store"))
    monkeypatch.syspath_prepend(str(tmp_path / "installed"))
    rows = [
        {"id": f"s{n}", "input": f"in {n}", "reference": f"{'in' if n % 3 else 'out'} {n}"} for n in range(12)
    ]
    (tmp_path / "test.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    plugins._entry_points.cache_clear()
    yield tmp_path
    plugins._entry_points.cache_clear()


def install(folder: Path, name: str, code: str) -> None:
    """Another package's rule: one file, and its entry point."""
    described = folder / "installed" / f"{name}_plugin-1.0.dist-info"
    described.mkdir(parents=True)
    (described / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}-plugin\nVersion: 1.0\n")
    (described / "entry_points.txt").write_text(f"[harness.rules]\n{name} = {name}_rule\n")
    (folder / "installed" / f"{name}_rule.py").write_text(code)


@pytest.mark.slow
def test_a_rule_of_one_file_is_judged_by_run_and_by_gate(
    here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    install(here, "max_largest_drop", LARGEST_DROP)
    for limit in (0, 10):
        (here / f"suite{limit}.yaml").write_text(SUITE.replace("LIMIT", str(limit)))
    run = ("--workers", "0", "--device", "cpu", "--out", "R")
    (here / "plain.yaml").write_text(SUITE.partition("gates:")[0])
    assert harness(capsys, "run", "plain.yaml", *run).code == 0
    assert harness(capsys, "baseline", "R", "-o", "kept.json").code == 0
    document = json.loads((here / "kept.json").read_text())
    document["systems"][0]["rows"]["s0"]["f1"][0] += 0.2  # what was kept did better on a sample, by 20 points
    from harness.results import baseline

    baseline.write(here / "kept.json", {key: value for key, value in document.items() if key != "digest"})
    for most, code, word in ((0.0, 1, "fail"), (20.5, 0, "pass")):
        (here / "suite.yaml").write_text(SUITE.replace("LIMIT", str(most)))
        assert harness(capsys, "run", "suite.yaml", *run).code == code
        said = harness(capsys, "gate", "R")
        assert said.code == code
        assert f"{word}  " in said.out and "max_largest_drop" in said.out and "20" in said.out


def test_what_is_no_rule_is_refused_with_its_reason(here: Path) -> None:
    install(here, "nothing", "RULES = {}")
    install(here, "other", LARGEST_DROP)
    for name, reason in (("nothing", "it has no `RULE"), ("other", "its RULE is named 'max_largest_drop'")):
        (here / "rules.yaml").write_text(f"gates:\n  - {name}: 1\n")
        with pytest.raises(SuiteError, match=f"rules.yaml:2: .*no rule of gates: {reason}"):
            load_rules("rules.yaml")


def test_a_rule_that_is_not_installed_here_is_told_and_its_verdict_is_still_shown(
    worse: Path, here: Path
) -> None:
    copied = result(here / "result", {BASE: points(N), ADAPTER: points(N)})
    changed(copied, lambda document: document["suite"].update(gates=[{"max_largest_drop": 1.0}]))
    with pytest.raises(ResultError, match=r"suite.gates\[0\].max_largest_drop: no rule named"):
        judge(copied)
    assert rules.form("max_largest_drop") is rules.score_form
