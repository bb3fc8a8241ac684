"""Gates as tests, by pytest's own tester on a real result of the public test double."""

import json
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

import harness
from harness.cli import app
from harness.errors import ResultError, SuiteError
from harness.results import baseline, read, read_document
from harness.results.document import write_document
from harness.testing import assert_no_drop

pytest_plugins = ("pytester",)

ROOT = Path(harness.__file__).parent.parent
SUITE = """
tasks: [{name: t, source: {uri: 'file:.', share: text}, prompt: '$input', metrics: [exact, f1], primary: f1}]
models: [{name: a, uri: 'echo:copy'}, {name: b, uri: 'echo:upper'}]
weights: false
gates:
  - {model: a, adapter: base, min_value: 50}
  - {model: a, adapter: base, min_value: 60, by: kind}
  - {model: a, adapter: base, min_value: 76}
  - {model: a, adapter: base, min_value: 99}
  - {model: a, adapter: base, max_drop: 1}
  - {model: a, adapter: base, min_value: 50}
"""


@pytest.fixture(scope="module")
def result(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Scores of 75 under f1: every word of a verdict, a slice, and the same gate twice."""
    folder = tmp_path_factory.mktemp("plugin")
    rows = [
        {"input": f"in {n}", "reference": f"{'in' if n % 2 else 'out'} {n}", "kind": f"k{n // 20}"}
        for n in range(40)
    ]
    (folder / "test.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    (folder / "small.yaml").write_text(SUITE)
    words = ("run", "small.yaml", "--workers", "0", "--device", "cpu", "--out", "result")
    done = subprocess.run(
        [sys.executable, "-m", "harness", *words], cwd=folder, capture_output=True, text=True
    )
    assert done.returncode == 5, done.stderr  # the worst verdict's
    return folder / "result"


@pytest.fixture
def tried(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> pytest.Pytester:
    """A folder whose pytest has this plug-in and no other, whatever is installed."""
    monkeypatch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    monkeypatch.delenv("PYTEST_ADDOPTS", raising=False)
    return pytester


def run(tried: pytest.Pytester, *words: object) -> pytest.RunResult:
    return tried.runpytest_subprocess("-p", "harness.pytest_plugin", *map(str, words))


@pytest.mark.slow
def test_every_verdict_is_a_test_of_its_own_name(tried: pytest.Pytester, result: Path) -> None:
    done = run(tried, "--harness-result", result, "-rA", "-v")
    done.assert_outcomes(passed=4, failed=1, skipped=1, errors=1)
    assert done.ret == pytest.ExitCode.TESTS_FAILED
    done.stdout.fnmatch_lines_random(
        [
            "harness: 7 gates of *result",
            "PASSED *result.json::min_value 50, a on t, Token F1",
            "PASSED *result.json::min_value 50, a on t, Token F1 (2)",
            "FAILED *::min_value 99, a on t, Token F1 - *",
            "75.00 ?67.5*82.5*, n = 40: the whole interval lies below 99",
            "ERROR *::max_drop 1, a on t, Token F1 - *",
            "the base against itself; name a baseline's file in `against`, which `harness baseline RESULT -o FILE` writes",
            "SKIPPED *76 lies within the interval*would probably decide*",
        ]
    )
    text = done.stdout.str()
    assert "min_value 60, a on t, Token F1, kind = k0" in text
    assert "min_value 60, a on t, Token F1, kind = k1" in text
    _, _, told = text.partition("= FAILURES =")
    heading, reason, after = told.splitlines()[1:4]
    assert "min_value 99" in heading
    assert reason.startswith("75.00 ")
    assert after.startswith("=====")  # no traceback between


@pytest.mark.slow
def test_what_cannot_be_told_fails_where_that_is_asked(tried: pytest.Pytester, result: Path) -> None:
    done = run(tried, "--harness-result", result, "--harness-inconclusive", "fail")
    done.assert_outcomes(passed=4, failed=2, errors=1)
    done.stdout.fnmatch_lines(["*inconclusive: 75.00 *76 lies within the interval*"])


@pytest.mark.slow
def test_gates_stand_beside_other_tests_and_are_chosen_as_they_are(
    tried: pytest.Pytester, result: Path
) -> None:
    tried.makepyfile(test_mine="def test_mine(): pass")
    run(tried, "--harness-result", result).assert_outcomes(passed=5, failed=1, skipped=1, errors=1)
    run(tried, "--harness-result", result, "-k", "min_value and 50").assert_outcomes(passed=2, deselected=6)
    run(tried, "--harness-result", result, "-k", "mine").assert_outcomes(passed=1, deselected=7)
    listed = run(tried, "--harness-result", result, "--collect-only", "-q")
    assert listed.ret == 0
    assert len([line for line in listed.outlines if "::" in line]) == 8
    shared = run(tried, "-p", "xdist", "--harness-result", result, "-n", "2")
    shared.assert_outcomes(passed=5, failed=1, skipped=1, errors=1)


@pytest.mark.slow
def test_rules_and_a_baseline_may_be_given(tried: pytest.Pytester, result: Path, tmp_path: Path) -> None:
    kept, rules = tmp_path / "b.json", tmp_path / "rules.yaml"
    baseline.write(kept, baseline.make(result))
    rules.write_text("gates: [{name: agreed, adapter: base, max_drop: 1}]\n")
    done = run(tried, "--harness-result", result, "--harness-baseline", kept, "--harness-rules", rules, "-v")
    done.assert_outcomes(passed=2)
    done.stdout.fnmatch_lines(["*::agreed, a on t, Token F1 PASSED*", "*::agreed, b on t, Token F1 PASSED*"])


@pytest.mark.slow
@pytest.mark.parametrize("xdist", [(), ("-p", "xdist", "-n", "2")])
@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--harness-result", "nowhere"), "ERROR: nowhere/result.json: No such file*"),
        (("--harness-result", "{result}", "--harness-baseline", "no.json"), "ERROR: no.json: No such file*"),
        (("--harness-result", "{result}", "--harness-rules", "no.yaml"), "ERROR: *no.yaml*"),
        (("--harness-baseline", "b.json"), "ERROR: --harness-baseline without a RESULT*"),
    ],
)
def test_what_is_wrong_is_said_in_a_line(
    tried: pytest.Pytester, result: Path, words: tuple[str, ...], said: str, xdist: tuple[str, ...]
) -> None:
    done = run(tried, *xdist, *(word.format(result=result) for word in words))
    assert done.ret == pytest.ExitCode.USAGE_ERROR
    assert len([line for line in done.errlines if line]) == 1
    done.stderr.fnmatch_lines([said])


@pytest.mark.slow
def test_a_result_changed_by_hand_is_refused(tried: pytest.Pytester, result: Path, tmp_path: Path) -> None:
    (tmp_path / "result.json").write_text((result / "result.json").read_text().replace("75.0", "99.0", 1))
    done = run(tried, "--harness-result", tmp_path)
    assert done.ret == pytest.ExitCode.USAGE_ERROR
    done.stderr.fnmatch_lines(["ERROR: *changed since it was written*"])


@pytest.mark.slow
def test_a_users_test_gets_the_result_or_is_skipped(tried: pytest.Pytester, result: Path) -> None:
    tried.makepyfile(test_mine="def test_mine(harness_result): assert len(harness_result.suite.gates) == 6")
    run(tried, "--harness-result", result, "-k", "mine").assert_outcomes(passed=1, deselected=7)
    done = run(tried, "-rs")
    done.assert_outcomes(skipped=1)
    done.stdout.fnmatch_lines(["SKIPPED*give --harness-result RESULT"])


@pytest.mark.slow
def test_without_options_no_other_module_of_the_harness_is_imported_and_nothing_changes(
    tried: pytest.Pytester,
) -> None:
    tried.makepyfile(
        test_mine="""
        import sys
        def test_mine():
            found = {name for name in sys.modules if name.split(".")[0] == "harness"}
            assert found == {"harness", "harness._version", "harness.pytest_plugin"}
            assert "numpy" not in sys.modules
        """
    )
    with_it = run(tried)
    with_it.assert_outcomes(passed=1)
    assert "harness:" not in with_it.stdout.str()
    assert (
        run(tried, "--harness-inconclusive", "fail", "-k", "none").ret == 5
    )  # as ever, where no test is left


def test_pytest_finds_the_plug_in_by_its_entry_point() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    assert project["entry-points"]["pytest11"] == {"harness": "harness.pytest_plugin"}


@pytest.fixture(scope="module")
def kept(result: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("kept") / "b.json"
    baseline.write(path, baseline.make(result))
    return path


@pytest.fixture(scope="module")
def lower(result: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A baseline that is better than the result by 25 points, but for the noise of 40 samples."""
    path = tmp_path_factory.mktemp("kept") / "better.json"
    document = baseline.make(result)
    for system in document["systems"]:
        for row in system["rows"].values():
            row["f1"] = [1.0, *row["f1"][1:]]
    baseline.write(path, document)
    return path


def test_an_equal_result_has_lost_nothing(result: Path, kept: Path) -> None:
    assert_no_drop(result, kept, task="t", adapter="base", max_drop=0.5)
    assert_no_drop(read(result), str(kept), task="t", metric="f1", adapter="base", max_drop=0.5)


def test_a_drop_is_an_assertion_with_the_numbers(result: Path, lower: Path) -> None:
    with pytest.raises(AssertionError, match=r"a on t.*25\.00 .*below −1"):
        assert_no_drop(result, lower, task="t", model="a", adapter="base", max_drop=1)


def test_what_cannot_be_told_is_skipped_unless_the_test_says_otherwise(result: Path, lower: Path) -> None:
    with pytest.raises(pytest.skip.Exception, match="would probably decide"):
        assert_no_drop(result, lower, task="t", model="a", adapter="base", max_drop=25)
    with pytest.raises(AssertionError, match="would probably decide"):
        assert_no_drop(result, lower, task="t", model="a", adapter="base", max_drop=25, inconclusive="fail")
    assert_no_drop(result, lower, task="t", model="a", adapter="base", max_drop=25, inconclusive="pass")


def test_what_cannot_be_compared_never_passes(result: Path, kept: Path) -> None:
    with pytest.raises(ResultError, match="names nothing here"):
        assert_no_drop(result, kept, task="t", max_drop=1)
    with pytest.raises(ResultError, match="no task named 'tt'; did you mean 't'"):
        assert_no_drop(result, kept, task="tt", adapter="base", max_drop=1)
    with pytest.raises(ResultError, match="No such file"):
        assert_no_drop(result, kept.with_name("no.json"), task="t", adapter="base", max_drop=1)
    with pytest.raises(SuiteError, match="assert_no_drop: max_drop: found the number -1"):
        assert_no_drop(result, kept, task="t", adapter="base", max_drop=-1)
    with pytest.raises(ValueError, match="give 'skip', 'fail' or 'pass'"):
        assert_no_drop(result, kept, task="t", adapter="base", max_drop=1, inconclusive="warn")  # type: ignore[arg-type]


@pytest.mark.slow
def test_a_suite_without_gates_fails_as_harness_gate_does(
    tried: pytest.Pytester, result: Path, tmp_path: Path
) -> None:
    """Nothing that was asked is nothing that passed."""
    folder = Path(shutil.copytree(result, tmp_path / "without"))
    document = read_document(folder)
    document["suite"]["gates"] = []
    write_document(folder, document)
    with pytest.raises(ResultError) as gate:
        app(["gate", str(folder)], standalone_mode=False)
    kept = tmp_path / "kept.json"
    baseline.write(kept, baseline.make(folder))
    for words in ((), ("--harness-baseline", kept)):
        done = run(tried, "--harness-result", folder, *words)
        assert done.ret == pytest.ExitCode.USAGE_ERROR
        assert f"ERROR: {gate.value}" in done.stderr.str()
