"""The Python API: `harness.run` and the other functions do what the commands do, without printing or ending the process."""

import inspect
import json
import logging
import os
import re
import shutil
import subprocess
import sys
import threading
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

import harness
from harness.commands.asked import OFFLINE_VARIABLE, STORE_VARIABLE
from harness.errors import HarnessError, ResultError, StepError, SuiteError, UnknownName
from harness.results.tables import NAMES
from tests.cli.words import exit_code

ROOT = Path(__file__).parent.parent
PAGE = ROOT / "docs" / "python.md"
FUNCTIONS = ("compare", "gate", "load", "plan", "run", "verify")
SUITE: Mapping[str, Any] = {
    "name": "small",
    "tasks": [
        {
            "name": "t",
            "source": {"uri": "file:data", "columns": {"id": "id"}, "share": "text"},
            "prompt": "$input",
            "metrics": ("exact", "f1"),
            "primary": "f1",
        }
    ],
    "models": [{"name": "a", "uri": "echo:copy"}, {"name": "b", "uri": "echo:upper"}],
    "weights": False,
    "gates": [{"adapter": "base", "model": "a", "min_value": 1}],
}


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The working folder, with the data of SUITE."""
    (tmp_path / "data").mkdir()
    rows = [{"id": f"s{n}", "input": f"in {n}", "reference": f"in {n} out"} for n in range(20)]
    (tmp_path / "data" / "test.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    monkeypatch.chdir(tmp_path)
    for name in (STORE_VARIABLE, OFFLINE_VARIABLE):
        monkeypatch.delenv(name, raising=False)
    return tmp_path


def run(suite: Any = SUITE, **options: Any) -> Any:
    return harness.run(suite, **{"workers": 0, "device": "cpu", **options})


def with_models(**uris: str) -> dict[str, Any]:
    return {
        **SUITE,
        "models": [{"name": name, "uri": uri} for name, uri in uris.items()],
        "gates": [],
    }


# What is public.


def test_every_public_name_is_there_and_explained() -> None:
    assert set(harness.__all__) == {*FUNCTIONS, "__version__", "errors"}
    for name in FUNCTIONS:
        function = getattr(harness, name)
        assert inspect.isfunction(function) and function.__module__ == "harness.api"
        assert inspect.getdoc(function)
        assert f"`{name}(" in PAGE.read_text(encoding="utf-8")


def test_importing_the_package_loads_nothing_heavy() -> None:
    names = ("numpy", "pandas", "torch", "transformers", "pyarrow", "pydantic", "typer", "rich", "ruamel")
    code = f"import sys, harness; print([name for name in {names!r} if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    assert done.stdout.strip() == "[]"


@pytest.mark.parametrize("name", ["run", "plan", "compare"])
def test_a_room_of_a_functions_name_does_not_replace_it(name: str) -> None:
    code = (
        f"import harness; before = harness.{name}\n"
        f"import harness.{name}\nfrom harness.{name} import __path__ as place\n"
        f"assert harness.{name} is before and callable(before) and place\n"
        f"from harness import {name} as named\nassert named is before\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_the_tables_that_type_checkers_know_are_those_of_a_result() -> None:
    import ast

    from harness import frames

    source = ast.parse(Path(frames.__file__).read_text(encoding="utf-8"))
    (cls,) = [node for node in source.body if isinstance(node, ast.ClassDef)]
    (block,) = [
        node for node in cls.body if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING"
    ]
    assert {ast.unparse(line.target) for line in block.body if isinstance(line, ast.AnnAssign)} == {*NAMES}


@pytest.mark.parametrize(
    ("function", "command"),
    [("run", "run"), ("plan", "plan"), ("compare", "compare"), ("gate", "gate"), ("verify", "verify")],
)
def test_a_functions_arguments_are_the_options_of_its_command(function: str, command: str) -> None:
    import typer.main

    from harness.cli import app

    printed = {
        "quiet",
        "as_json",
        "inconclusive",
        "junit",
        "comment",
        "markdown",
        "help",
    }  # of the terminal alone
    options = {
        each.name
        for each in typer.main.get_command(app).commands[command].params  # type: ignore[attr-defined]
    } - printed
    options = {"adapters" if name == "adapter" else name for name in options}
    arguments = set(inspect.signature(getattr(harness, function)).parameters)
    assert arguments - options <= {"progress", "adapters"}
    assert options <= arguments


# Running.


@pytest.mark.slow
def test_a_run_returns_its_result_and_prints_nothing(here: Path, capfd: pytest.CaptureFixture[str]) -> None:
    result = run()
    assert capfd.readouterr() == ("", "")
    assert result.folder == Path("reports/out/small")
    assert result.report.is_file()
    assert set(result.scores["model"]) == {"a", "b"}
    assert result.sentences[0].startswith("On t, ")
    assert result.records.manifest.command == "harness.run({…})"
    assert result.sentences[0] in result._repr_html_()
    assert harness.plan(SUITE, device="cpu").to_do == ()


@pytest.mark.slow
def test_a_run_in_a_thread_shows_its_progress_on_standard_error_alone(
    here: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    found: list[Any] = []
    thread = threading.Thread(target=lambda: found.append(run(progress=True)))
    thread.start()
    thread.join()
    assert len(found) == 1 and len(found[0].scores) == 4
    out, err = capfd.readouterr()
    assert out == ""
    assert "score t, a: done" in err


def test_a_mapping_and_a_file_of_the_same_content_are_the_same_plan(
    here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with (here / "small.yaml").open("w") as file:
        YAML(typ="safe", pure=True).dump(json.loads(json.dumps(SUITE)), file)
    plans = [
        harness.plan(given, device="cpu").plan
        for given in (SUITE, "small.yaml", here / "small.yaml", json.loads(json.dumps(SUITE)))
    ]
    assert len({tuple(step.id for step in plan.steps) for plan in plans}) == 1
    assert exit_code(["plan", "small.yaml", "--device", "cpu"]) == 0
    printed = capsys.readouterr().out
    assert all(step.id in printed for step in plans[0].steps)


@pytest.mark.slow
def test_a_mapping_may_name_tasks_recipes_plug_ins_and_paths(here: Path) -> None:
    (here / "tasks").mkdir()
    (here / "tasks" / "filed.yaml").write_text(
        "{source: {uri: 'file:../data'}, prompt: $input, metrics: [exact, ../mine.py], primary: exact}\n"
    )
    (here / "mine.py").write_text(
        "from harness.metrics import Metric\n"
        "def metric():\n"
        "    return Metric(names=('mine',), signature='mine', unit='%', interval='wilson',\n"
        "        row=lambda sample, generation: (1.0, 1.0), value=lambda total: 100 * total[..., :1] / total[..., 1:])\n"
    )
    result = run({**SUITE, "tasks": ["filed", *SUITE["tasks"]], "plugins": [Path("mine.py")], "gates": []})
    assert set(result.scores["metric"]) == {"exact", "mine", "f1"}


@pytest.mark.slow
def test_a_changed_metric_is_used_by_the_next_run_of_the_same_process(here: Path) -> None:
    metric = (
        "from harness.metrics import Metric\n"
        "def metric():\n"
        "    return Metric(names=('mine',), signature='mine', unit='raw',\n"
        "        row=lambda sample, generation: ({}, 1.0), value=lambda total: total[..., :1] / total[..., 1:])\n"
    )
    task = {**SUITE["tasks"][0], "metrics": ["./mine.py"], "primary": "mine"}
    values = []
    for number in ("2.0", "3.0"):
        (here / "mine.py").write_text(metric.format(number))
        scores = run({**SUITE, "tasks": [task], "gates": []}).scores
        values.append(scores[scores["metric"] == "mine"]["value"].unique().tolist())
    assert values == [[2.0], [3.0]]


def test_options_reach_the_run(here: Path) -> None:
    result = run(limit=12, only="*/a", store="S", out=Path("R"), seed=3)
    assert result.folder == Path("R") and (here / "S" / "done").is_dir()
    assert set(result.scores["model"]) == {"a"} and set(result.scores["n"]) == {12}
    assert result.records.seed == 3
    assert result.records.manifest.command == "harness.run({…}, limit=12, only='*/a', out='R', seed=3)"
    assert len(harness.plan(SUITE, device="cpu", store="S", limit=12, only="*/a", seed=3).to_do) == 0
    assert harness.plan(SUITE, device="cpu", store="S", limit=13, only="*/a", seed=3).to_do


def test_the_environment_says_what_is_not_given(here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(STORE_VARIABLE, "elsewhere")
    monkeypatch.setenv(OFFLINE_VARIABLE, "1")
    harness.plan(SUITE, device="cpu")
    assert (here / "elsewhere").is_dir() and not (here / ".harness").exists()
    hub = with_models(a="hub:nobody/nothing")
    with pytest.raises(HarnessError, match="offline"):
        harness.plan(hub, device="cpu")


def test_a_failed_step_raises_and_the_rest_is_kept(here: Path) -> None:
    with pytest.raises(StepError) as failed:
        run(with_models(a="echo:copy", c="echo:crash-on-s3"), out="R")
    lines = str(failed.value).splitlines()
    assert lines[0].startswith("failed: generate t, c: sample s3: echo was asked to fail here; log: ")
    assert "skipped: score t, c" in str(failed.value)
    assert lines[-1] == "the RESULT of the other steps is in R"
    assert set(harness.load("R").scores["model"]) == {"a"}


@pytest.mark.slow
def test_what_a_command_would_warn_of_is_logged(here: Path, caplog: pytest.LogCaptureFixture) -> None:
    rows = [{"id": f"s{n}", "input": "日本", "reference": "日本"} for n in range(20)]
    (here / "data" / "test.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    task = {**SUITE["tasks"][0], "metrics": ["rouge"], "primary": "rougeL"}
    with caplog.at_level(logging.WARNING, logger="harness"):
        run({**SUITE, "tasks": [task], "gates": []})
    assert any("rouge finds no word in 20 of the first 20" in message for message in caplog.messages)


SCRIPT = """
print("once")
import os, sys
import harness

main = sys.modules["__main__"]
suite = {suite!r}
result = harness.run(suite, workers=2, device="cpu", store="S", out="R")
assert sorted(set(result.scores["model"])) == ["a", "b"]
assert sys.modules["__main__"] is main
assert "OMP_NUM_THREADS" not in os.environ, os.environ["OMP_NUM_THREADS"]
"""


@pytest.mark.slow
def test_a_plain_script_without_a_guard_runs_once(here: Path) -> None:
    (here / "script.py").write_text(SCRIPT.format(suite=dict(SUITE)))
    env = {
        name: value for name, value in os.environ.items() if name not in ("OMP_NUM_THREADS", "PYTHONSAFEPATH")
    }
    env["PYTHONPATH"] = str(here)
    for command in (["script.py"], ["-c", (here / "script.py").read_text()], ["-m", "script"]):
        done = subprocess.run(
            [sys.executable, *command], capture_output=True, text=True, env=env, check=False
        )
        assert (done.returncode, done.stdout) == (0, "once\n"), done.stderr


# Reading a RESULT.


@pytest.fixture(scope="module")
def result(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """A RESULT of SUITE."""
    folder = tmp_path_factory.mktemp("result")
    before = Path.cwd()
    rows = [{"id": f"s{n}", "input": f"in {n}", "reference": f"in {n} out"} for n in range(20)]
    (folder / "data").mkdir()
    (folder / "data" / "test.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    os.chdir(folder)
    try:
        return run(out=folder / "R")
    finally:
        os.chdir(before)


def test_gates_are_the_suites_own_or_those_that_are_given(result: Any, tmp_path: Path) -> None:
    own = harness.gate(result)
    assert own.passed and [verdict.rule for verdict in own.verdicts] == ["min_value"]
    rules = {"gates": [{"adapter": "base", "min_value": 90}]}
    (tmp_path / "rules.yaml").write_text(json.dumps(rules))
    given, filed = harness.gate(result, rules=rules), harness.gate(result, rules=tmp_path / "rules.yaml")
    assert given == filed and not given.passed
    assert {verdict.verdict for verdict in given.verdicts} == {"fail"}


def test_a_result_without_gates_cannot_pass(tmp_path: Path) -> None:
    from harness.testing import make_result
    from harness.types import Sample, System

    sample = Sample(id="s", input="i", references=("r",))
    with pytest.raises(ResultError, match="its suite has no gates"):
        harness.gate(make_result(tmp_path / "R", [sample], {System(model="m"): ["a"]}))


def test_verify_says_what_it_did_and_refuses_what_was_changed(result: Any, tmp_path: Path) -> None:
    from harness.results.document import write_document

    verified = harness.verify(result)
    assert verified.every_score and len(verified.not_recomputed) == 1
    copy = shutil.copytree(result.folder, tmp_path / "copy")
    document = json.loads((copy / "result.json").read_bytes())
    document["scores"][0]["value"] += 1
    write_document(copy, document)
    with pytest.raises(ResultError, match="t / a"):
        harness.verify(copy)


def test_results_and_systems_are_compared(result: Any, tmp_path: Path) -> None:
    systems = harness.compare(f"{result.folder}#a", f"{result.folder}#b", metric="*")
    assert [line.metric for line in systems.tasks[0].lines] == ["f1", "exact"]
    copy = shutil.copytree(result.folder, tmp_path / "copy")
    same = harness.compare(result, copy, task="t")
    assert {line.difference for line in same.tasks[0].lines} == {0.0}


def test_a_result_is_a_path_and_has_its_tables(result: Any) -> None:
    assert Path(result) == result.folder
    assert harness.load(result).folder == harness.load(result.folder / "result.json").folder
    for name in NAMES:
        assert name in dir(result) and len(getattr(result, name)) >= 0
    with pytest.raises(AttributeError, match="no table 'score'; it has scores"):
        _ = result.score


# Mistakes.


@pytest.mark.parametrize(
    ("given", "kind", "message"),
    [
        ("qickstart", UnknownName, "no suite named 'qickstart'; did you mean 'quickstart'"),
        ("missing.yaml", SuiteError, "missing.yaml: no file"),
        ({}, SuiteError, "suite: "),
        (
            {**SUITE, "modles": []},
            SuiteError,
            "suite: modles: no key named 'modles'; did you mean 'models' or 'scales'?",
        ),
        ({**SUITE, "limit": float("nan")}, SuiteError, "suite: limit: found nan; give a finite number"),
        (
            {**SUITE, "limit": 10**19},
            SuiteError,
            "suite: limit: found 10000000000000000000; give a number of",
        ),
        ({**SUITE, "limit": "3"}, SuiteError, "suite: limit: found the text '3'; give a whole number"),
        ({**SUITE, "about": {1: 2}}, SuiteError, "suite: about: found the key 1; give text"),
        ({**SUITE, "about": b"x"}, SuiteError, "suite: about: found a bytes; give text"),
        ({**SUITE, "about": "\ud800"}, SuiteError, "suite: about: contains a lone surrogate"),
        ({**SUITE, "tasks": "t"}, SuiteError, "suite: tasks: found the text 't'; give a list"),
        (
            {**SUITE, "tasks": [{**SUITE["tasks"][0], "metrics": ["f2"]}]},
            UnknownName,
            "suite: tasks[0].metrics[0]: no metric named 'f2'; did you mean 'f1'",
        ),
        (
            {**SUITE, "recipes": [{"name": "r", "rank": 4, "steps": 3, "sweep": {"rank": [4, 8]}}]},
            SuiteError,
            "suite: recipes[0].rank: rank is swept as well; keep one",
        ),
        ({**SUITE, "gates": [{"min_valu": 1}]}, SuiteError, "suite: gates[0].min_valu: no key named"),
    ],
)
def test_a_mistake_in_a_suite_is_told_with_its_place(
    here: Path, given: Any, kind: type[HarnessError], message: str
) -> None:
    for function in (harness.plan, harness.run):
        with pytest.raises(kind, match=f"^{re.escape(message)}"):
            function(given)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"limit": 0}, "limit: found 0; give a whole number, 1 or more"),
        ({"limit": 2.5}, "limit: found 2.5; give a whole number, 1 or more"),
        ({"seed": -1}, "seed: found -1; give a whole number, 0 or more"),
        ({"workers": True}, "workers: found True; give a whole number, 0 or more"),
        ({"engine": "locl"}, "--engine: no engine named 'locl'; did you mean 'local'?"),
        ({"device": "gpu"}, "--device"),
        ({"adapters": {"x": "y"}}, "--adapter: no adapter in this suite named 'x'"),
    ],
)
def test_a_wrong_argument_is_told(here: Path, options: dict[str, Any], message: str) -> None:
    with pytest.raises(HarnessError, match=f"^{re.escape(message)}"):
        harness.run(SUITE, **options)
    assert not (here / "reports").exists()


@pytest.mark.parametrize("function", [harness.load, harness.gate, harness.verify])
def test_a_folder_that_is_no_result_is_told(here: Path, function: Any) -> None:
    with pytest.raises(ResultError, match="nothing"):
        function(here / "nothing")


# Types and documents.

PROGRAM = """
from pathlib import Path

import harness

suite = {"tasks": ["dialogues"], "models": [{"name": "m", "uri": "zoo:llama2-tiny"}]}
result = harness.run(suite, limit=20, store=Path("store"), adapters={"x": Path("y")})
reveal_type(result)
reveal_type(result.scores["value"].max())
reveal_type(result.records.seed)
reveal_type(harness.plan("quickstart").to_do)
reveal_type(harness.gate(result, rules={"gates": []}).passed)
reveal_type(harness.verify("R").every_score)
reveal_type(harness.compare(result, "R#m").tasks[0].lines[0].difference)
reveal_type(harness.load("R").folder)
try:
    harness.run("quickstart", limit="20")
except harness.errors.StepError as error:
    print(error)
result.scors
"""


@pytest.mark.slow
@pytest.mark.timeout(1200)  # the first time mypy reads every library
def test_a_users_program_is_checked_by_mypy(tmp_path: Path) -> None:
    program = tmp_path / "program.py"
    program.write_text(PROGRAM)
    command = [sys.executable, "-m", "mypy", "--strict", str(program)]  # with the cache of the checkout
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    mine = [line for line in done.stdout.splitlines() if "program.py:" in line]
    revealed = [line.partition('Revealed type is "')[2][:-1] for line in mine if "Revealed" in line]
    expected = ("ResultFolder", None, "int", "tuple[harness.types.plan.Step", "bool", "bool", "float", "Path")
    assert len(revealed) == len(expected), done.stdout
    assert all(want is None or want in got for want, got in zip(expected, revealed, strict=True)), revealed
    errors = [line for line in mine if ": error: " in line]
    assert len(errors) == 2, errors
    assert "limit" in errors[0] and '"ResultFolder" has no attribute "scors"' in errors[1]


def snippets() -> list[str]:
    return re.findall(r"^```python\n(.*?)^```", PAGE.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_the_snippets_of_the_page_run_in_order(here: Path) -> None:
    code = "\n".join(snippets())
    assert len(snippets()) >= 6
    done = subprocess.run([sys.executable, "-c", code], cwd=here, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
