"""A RESULT from a stranger names code: whatever reads it, nothing of that is imported or fetched.

Anybody can write result.json anew and its digest with it, so the digest keeps nobody from naming a program.
"""

import ast
import json
import os
import shutil
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import typer

import harness
from harness import metrics, plugins
from harness.cli import app
from harness.errors import ForeignCode, HarnessError
from harness.report.loading import loading
from harness.results import ModelFacts, TaskFacts, read
from harness.results.code import scripts_outside
from harness.results.document import write_document
from harness.results.rows import Rows, open_rows, write_rows
from harness.types import System
from harness.verification import verify
from harness.verification.scores import check

SUITE = """
tasks:
  - name: t
    source: {uri: "file:data", columns: {id: id}, share: text}
    prompt: "$input"
    metrics: [f1, exact]
    primary: f1
models: [{name: a, uri: "echo:copy"}, {name: b, uri: "echo:upper"}]
weights: false
gates: [{model: a, adapter: base, metric: f1, min_value: 1}]
"""
GATE = 'gates: [{{model: a, adapter: base, metric: "{metric}", min_value: 1}}]\n'

# Writes its marker as soon as it is imported, and then is a metric like any other.
SCRIPT = """
from pathlib import Path
Path({marker!r}).touch()
import datasets
import evaluate

class Evil(evaluate.Metric):
    def _info(self):
        text = datasets.Value("string")
        features = datasets.Features({{"predictions": text, "references": text}})
        return evaluate.MetricInfo(description="", citation="", inputs_description="", features=features)

    def _compute(self, predictions, references):
        return {{"evil": 7.0}}
"""


# The same as a file of somebody's project: `metrics: ["./evil.py"]`.
FILE = """
from pathlib import Path
Path({marker!r}).touch()
from harness.metrics import Metric

def metric():
    return Metric(
        names=("evil",), signature="evil|version:1", unit="points",
        row=lambda sample, generation: (7.0, 1.0), value=lambda total: total[..., :1] / total[..., 1:],
    )
"""


def call(*words: object) -> int:
    """What a command exits with; a failure that is none of the harness's own is raised."""
    try:
        return int(app([str(word) for word in words], standalone_mode=False) or 0)
    except HarnessError as error:
        print(f"error: {error}")
        return error.exit_code
    except typer.Exit as left:
        return left.exit_code


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("made")
    (folder / "data").mkdir()
    rows = [
        {"id": f"s{n}", "input": f"in {n}", "reference": f"in {n}" if n % 3 else "out"} for n in range(12)
    ]
    (folder / "data" / "test.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    (folder / "suite.yaml").write_text(SUITE)
    words = ("--workers", "0", "--device", "cpu", "--store", folder / "store", "--quiet")
    assert call("run", folder / "suite.yaml", *words, "--out", folder / "result") == 0
    return folder / "result"


@pytest.fixture
def marker(tmp_path: Path) -> Path:
    return tmp_path / "it-ran"


@pytest.fixture(autouse=True)
def no_files() -> Iterator[None]:
    """Let no command find the files that another one was given."""
    plugins.use(())
    yield
    plugins.use(())


@pytest.fixture(autouse=True)
def no_network(monkeypatch: pytest.MonkeyPatch) -> list[object]:
    """Every address that anything wanted to reach."""
    asked: list[object] = []

    def refuse(*address: object, **how: object) -> Any:
        asked.append(address)
        raise OSError("no network in this test")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    monkeypatch.setattr(socket, "getaddrinfo", refuse)
    return asked


def rewritten(folder: Path, plugin: str, *, primary: bool = False) -> Path:
    """Scores, rows, comparisons and steps of a metric that only the RESULT names, as an attacker would write them."""
    document = json.loads((folder / "result.json").read_bytes())
    (task,) = document["suite"]["tasks"]
    name = f"evaluate:{Path(plugin.partition(':')[2]).stem}" if ":" in plugin else Path(plugin).stem
    task["metrics"] = [plugin, *task["metrics"]]
    ours = [one for one in document["scores"] if one["metric"] == "f1"]
    document["scores"] += [{**one, "metric": name, "primary": primary} for one in ours]
    theirs = [{**one, "metric": name} for one in document["comparisons"] if one["metric"] == "f1"]
    if primary:
        task["primary"] = name
        for one in ours:
            one["primary"] = False
    for one in document["comparisons"] if primary else theirs:  # families are of the primary metric alone
        one["family"] = one["p_holm"] = None
    document["comparisons"] += theirs
    with open_rows(folder) as stored:
        rows = [(key, stored.get(key)) for key in stored.keys()]  # noqa: SIM118  a file, and not a mapping
    planted = [(("t", System(model=one), plugin), Rows(ids=(*"xyz",), stats=np.ones((3, 2)))) for one in "ab"]
    write_rows(folder / "rows.parquet", [(k, r) for k, r in rows if r is not None] + planted)
    write_document(folder, document)
    return folder


@pytest.fixture
def strange(made: Path, tmp_path: Path, marker: Path) -> Callable[..., Path]:
    """A RESULT that names a metric: a script that lies in the RESULT, a script elsewhere, or one of the hub's."""

    def make(which: str, *, primary: bool = False) -> Path:
        folder = Path(shutil.copytree(made, tmp_path / f"stranger-{Path(which).name}"))
        if which.startswith("file "):
            place = folder if which == "file inside" else tmp_path
            (place / "evil.py").write_text(FILE.format(marker=str(marker)))
            return rewritten(folder, str(place / "evil.py"), primary=primary)
        place = {"inside": folder, "outside": tmp_path, "relative": folder}.get(which)
        if place is None:
            return rewritten(folder, f"evaluate:{which}", primary=primary)
        (place / "evil.py").write_text(SCRIPT.format(marker=str(marker)))
        named = f"{folder.name}/evil.py" if which == "relative" else str(place / "evil.py")
        return rewritten(folder, f"evaluate:{named}", primary=primary)

    return make


COMMANDS: dict[str, tuple[str, ...]] = {
    "verify": ("verify", "{r}"),
    "leaderboard": ("leaderboard", "{r}", "-o", "board.html", "-o", "board.md", "-o", "board.csv"),
    "leaderboard, not verified": ("leaderboard", "{r}", "--no-verify", "-o", "board.md"),
    "gate": ("gate", "{r}"),
    "gate on that metric": ("gate", "{r}", "--rules", "gates.yaml", "--junit", "j.xml", "--comment", "c.md"),
    "gate against a baseline": ("gate", "{r}", "--rules", "gates.yaml", "--baseline", "kept.json"),
    "compare": ("compare", "{r}", "{made}", "--samples", "3"),
    "compare every metric": ("compare", "{r}#a", "{r}#b", "--metric", "*"),
    "rescore": ("rescore", "{r}", "--metric", "chrf"),
    "rescore again": ("rescore", "{r}", "--metric", "exact", "--again"),
    "report": ("report", "{r}"),
    "report as JSON": ("report", "{r}", "--json"),
    "a copy to share": ("report", "{r}", "--shareable", "-o", "copy"),
    "card": ("card", "{r}", "--model", "a", "--adapter", "x"),
    "csv": ("export", "{r}", "--to", "csv", "-o", "tables"),
    "parquet": ("export", "{r}", "--to", "parquet", "-o", "tables"),
    "baseline": ("baseline", "{r}", "-o", "new.json", "--metric", "*"),
    "weigh": ("weigh", "{r}", "--against-scores"),
    "plan": ("plan", "suite.yaml", "--result", "{r}", "--offline"),
    "check": ("check", "suite.yaml", "--result", "{r}", "--offline"),
}


def prepared(made: Path, folder: Path, metric: str) -> None:
    """A suite, a baseline and gates on that metric, in the working folder."""
    shutil.copytree(made.parent / "data", folder / "data")
    shutil.copy(made.parent / "suite.yaml", folder / "suite.yaml")
    (folder / "gates.yaml").write_text(GATE.format(metric=metric))
    call("baseline", made, "-o", folder / "kept.json")


@pytest.mark.slow
@pytest.mark.parametrize("command", COMMANDS)
def test_no_command_runs_what_a_result_names(
    strange: Callable[..., Path],
    command: str,
    made: Path,
    tmp_path: Path,
    marker: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(tmp_path)
    folder = strange("inside", primary=True)
    prepared(made, tmp_path, "evaluate:evil")
    assert call(*(word.format(r=folder, made=made) for word in COMMANDS[command])) in (0, 2, 5)
    assert not marker.exists()


@pytest.mark.slow
@pytest.mark.parametrize("command", COMMANDS)
def test_no_command_runs_a_file_that_a_result_names(
    strange: Callable[..., Path],
    command: str,
    made: Path,
    tmp_path: Path,
    marker: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(tmp_path)
    folder = strange("file inside", primary=True)
    prepared(made, tmp_path, "evil")
    assert call(*(word.format(r=folder, made=made) for word in COMMANDS[command])) in (0, 2, 5)
    assert not marker.exists()


def test_a_file_that_a_result_names_is_not_recomputed_and_gates_on_it_are_invalid(
    strange: Callable[..., Path], tmp_path: Path, marker: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = strange("file inside")
    assert call("verify", folder) == 0
    said = capsys.readouterr().out
    assert f"not recomputed: t: {folder / 'evil.py'}: its code is not part of this harness" in said
    assert "every other score follows from its generations" in said
    (tmp_path / "gates.yaml").write_text(GATE.format(metric="evil"))
    assert call("gate", folder, "--rules", tmp_path / "gates.yaml") == 5
    assert "its code is not part of this harness" in " ".join(capsys.readouterr().out.split())
    assert call("verify", folder, "--allow-code") == 0  # for it lies in the RESULT itself
    assert f"and it lies in {folder}" in capsys.readouterr().out
    assert not marker.exists()


def test_with_leave_a_file_elsewhere_is_shown_and_then_run(
    strange: Callable[..., Path], tmp_path: Path, marker: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder, script = strange("file outside"), tmp_path / "evil.py"
    assert call("verify", folder, "--allow-code") == 2  # for the scores are not what the file gives
    assert marker.exists()
    captured = capsys.readouterr()
    assert f"runs {script} (sha256 {sha256(script.read_bytes()).hexdigest()})" in captured.err
    assert "evil: 66.666667 in result.json, 7.000000 from the generations" in captured.out


def test_a_file_that_the_user_names_himself_is_run(
    made: Path, strange: Callable[..., Path], tmp_path: Path, marker: Path
) -> None:
    strange("file outside")
    copy = Path(shutil.copytree(made, tmp_path / "mine"))
    assert call("rescore", copy, "--metric", tmp_path / "evil.py") == 0
    assert marker.exists()
    assert {score.value for score in read(copy).scores if score.metric == "evil"} == {7.0}


@pytest.mark.slow
@pytest.mark.parametrize("name", ["evil", "kinds"])
def test_no_suite_of_a_result_makes_a_file_a_plug_in(
    strange: Callable[..., Path], name: str, marker: Path
) -> None:
    folder = strange("file inside")
    document = json.loads((folder / "result.json").read_bytes())
    document["suite"]["plugins"] = {"metrics": {"evil": str(folder / "evil.py")}}
    document["suite"]["tasks"][0]["kind"] = name
    document["suite"]["tasks"][0]["metrics"][0] = "evil"
    write_document(folder, document)
    for words in (
        ("verify", folder),
        ("report", folder),
        ("gate", folder),
        ("rescore", folder, "--metric", "chrf"),
    ):
        assert call(*words) in (0, 2, 5)
        assert plugins.used() == ()
    assert not marker.exists()


@pytest.mark.slow
@pytest.mark.parametrize("primary", [False, True], ids=["beside", "primary"])
@pytest.mark.parametrize("which", ["relative", "accuracy", "some-owner/some-metric"])
def test_no_metric_that_a_result_names_is_fetched_or_looked_for(
    strange: Callable[..., Path],
    which: str,
    primary: bool,
    made: Path,
    tmp_path: Path,
    marker: Path,
    no_network: list[object],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(tmp_path)
    folder = strange(which, primary=primary)
    prepared(made, tmp_path, f"evaluate:{'evil' if which == 'relative' else Path(which).stem}")
    for command in ("verify", "leaderboard", "gate on that metric", "compare every metric", "baseline"):
        assert call(*(word.format(r=folder, made=made) for word in COMMANDS[command])) in (0, 2, 5), command
        assert not marker.exists(), command
        assert no_network == [], command


def test_the_frames_of_a_result_run_none_of_it(strange: Callable[..., Path], marker: Path) -> None:
    folder = strange("inside")
    frames = harness.load(folder)
    assert "evaluate:evil" in set(frames.scores["metric"])
    assert verify(folder) == []
    assert not marker.exists()


@pytest.mark.slow
def test_a_leaderboard_of_several_runs_none_of_it(
    strange: Callable[..., Path], made: Path, tmp_path: Path, marker: Path
) -> None:
    """Several are read by processes of their own."""
    out = tmp_path / "board.md"
    assert call("leaderboard", strange("inside", primary=True), made, "-o", out) == 0
    assert not marker.exists()
    said = out.read_text()
    assert "not recomputed (stranger-inside): they are shown as found" in said
    assert "Every other score was recomputed" in said


@pytest.mark.slow
def test_files_of_the_working_folder_are_no_modules_of_ours(
    made: Path, strange: Callable[..., Path], tmp_path: Path, marker: Path
) -> None:
    """Python looks for modules in the working folder where a process is begun by `-m` or `-c`."""
    program = Path(sys.executable).with_name("harness")
    if not program.is_file():
        pytest.skip("the package is not installed, so there is no command")
    folder = strange("inside")
    for name in ("json", "multiprocessing", "vl_convert", "harness", "numpy"):
        (folder / f"{name}.py").write_text(f"open({str(marker)!r}, 'w')\n")
    for words in (("report", "."), ("leaderboard", ".", str(made), "-o", str(tmp_path / "board.md"))):
        done = subprocess.run([program, *words], cwd=folder, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
        assert not marker.exists(), words


@pytest.mark.slow
def test_gates_as_tests_run_none_of_it(strange: Callable[..., Path], tmp_path: Path, marker: Path) -> None:
    (tmp_path / "gates.yaml").write_text(GATE.format(metric="evaluate:evil"))
    words = ("-m", "pytest", "-q", "-p", "harness.pytest_plugin", "--rootdir", str(tmp_path))
    asked = ("--harness-result", str(strange("inside")), "--harness-rules", "gates.yaml")
    environment = {
        **os.environ,
        "PYTHONPATH": str(Path(harness.__file__).parents[1]),
        "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1",
    }
    done = subprocess.run(
        [sys.executable, *words, *asked], cwd=tmp_path, env=environment, capture_output=True, text=True
    )
    assert done.returncode == 1, done.stdout
    assert "its code is not part of this harness" in done.stdout
    assert "Traceback" not in done.stdout + done.stderr
    assert not marker.exists()


def test_verify_says_what_it_did_not_recompute(
    strange: Callable[..., Path], capsys: pytest.CaptureFixture[str]
) -> None:
    folder = strange("inside")
    assert call("verify", folder) == 0
    said = capsys.readouterr().out
    assert f"not recomputed: t: evaluate:{folder / 'evil.py'}: its code is not part of this harness" in said
    assert "every other score follows from its generations" in said


def test_verify_fails_where_no_score_at_all_could_be_recomputed(strange: Callable[..., Path]) -> None:
    folder = strange("inside")
    document = json.loads((folder / "result.json").read_bytes())
    document["suite"]["tasks"][0]["metrics"] = document["suite"]["tasks"][0]["metrics"][:1]
    for kind in ("scores", "comparisons"):
        document[kind] = [one for one in document[kind] if one["metric"] == "evaluate:evil"]
    write_document(folder, document)
    assert call("verify", folder) == 2


def test_a_score_changed_beside_a_foreign_one_is_still_found(strange: Callable[..., Path]) -> None:
    folder = strange("inside")
    document = json.loads((folder / "result.json").read_bytes())
    next(one for one in document["scores"] if one["metric"] == "f1")["value"] += 1
    write_document(folder, document)
    assert check(folder).problems
    assert call("verify", folder) == 2


def test_a_gate_on_that_metric_is_invalid_and_says_why(
    strange: Callable[..., Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "gates.yaml").write_text(GATE.format(metric="evaluate:evil"))
    assert call("gate", strange("inside"), "--rules", tmp_path / "gates.yaml") == 5
    assert "its code is not part of this harness" in " ".join(capsys.readouterr().out.split())


@pytest.mark.parametrize("link", ["", "the script", "its folder"])
def test_with_leave_a_script_of_the_result_itself_is_not_run_either(
    strange: Callable[..., Path],
    tmp_path: Path,
    marker: Path,
    link: str,
    capsys: pytest.CaptureFixture[str],
) -> None:
    folder = strange("inside")
    named = folder / "evil.py"
    if link == "the script":
        (tmp_path / "harmless.py").symlink_to(named)
        named = tmp_path / "harmless.py"
    elif link:
        (tmp_path / "elsewhere").symlink_to(folder)
        named = tmp_path / "elsewhere" / "evil.py"
    document = json.loads((folder / "result.json").read_bytes())
    document["suite"]["tasks"][0]["metrics"][0] = f"evaluate:{named}"
    for one in (*document["scores"], *document["comparisons"]):
        one["metric"] = one["metric"].replace("evil", named.stem)
    write_document(folder, document)
    assert call("verify", folder, "--allow-code") == 0
    assert f"and it lies in {folder}" in capsys.readouterr().out
    assert call("leaderboard", folder, "--allow-code", "-o", tmp_path / "board.md") == 0
    assert not marker.exists()


@pytest.mark.parametrize("named", ["accuracy", "some-owner/some-metric", "nowhere.py", "x" * 300 + ".py"])
def test_with_leave_nothing_is_fetched_and_no_odd_path_is_a_traceback(
    made: Path, tmp_path: Path, named: str, no_network: list[object]
) -> None:
    folder = rewritten(Path(shutil.copytree(made, tmp_path / "r")), f"evaluate:{named}")
    assert call("verify", folder, "--allow-code") == 0
    assert no_network == []


def test_with_leave_a_script_elsewhere_is_shown_and_then_run(
    strange: Callable[..., Path], tmp_path: Path, marker: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    pytest.importorskip("evaluate")
    folder, script = strange("outside"), tmp_path / "evil.py"
    assert call("verify", folder) == 0
    assert not marker.exists()
    assert call("verify", folder, "--allow-code") == 2  # for the scores are not what the script gives
    assert marker.exists()
    captured = capsys.readouterr()
    assert f"runs {script} (sha256 {sha256(script.read_bytes()).hexdigest()})" in captured.err
    assert "evaluate:evil: 66.666667 in result.json, 7.000000 from the generations" in captured.out


def test_a_script_that_changed_after_it_was_shown_is_not_run(
    strange: Callable[..., Path], tmp_path: Path, marker: Path
) -> None:
    folder, script = strange("outside"), tmp_path / "evil.py"
    shown = scripts_outside([folder])
    script.write_text(script.read_text() + "# more\n")
    with pytest.raises(ForeignCode, match="changed after it was shown"):
        metrics.load(f"evaluate:{script}", code=shown)
    assert not marker.exists()


def test_what_the_user_names_himself_is_run(
    made: Path, strange: Callable[..., Path], tmp_path: Path, marker: Path
) -> None:
    pytest.importorskip("evaluate")
    strange("outside")
    copy = Path(shutil.copytree(made, tmp_path / "mine"))
    assert call("rescore", copy, "--metric", f"evaluate:{tmp_path / 'evil.py'}") == 0
    assert marker.exists()
    assert {one.value for one in read(copy).scores if one.metric == "evaluate:evil"} == {7.0}
    assert verify(copy) == []


# The same for every other place where a text could become code.

CALLS = {
    "__import__", "compile_command", "entry_points", "eval", "exec", "execv", "execve", "import_module", "load_module",
    "module_from_spec", "Popen", "run_module", "run_path", "spec_from_file_location",
}  # fmt: skip
MODULES = {
    "subprocess",
    "webbrowser",
    "pickle",
    "marshal",
    "shelve",
    "runpy",
    "code",
    "ctypes",
    "imp",
    "dill",
    "joblib",
    "cloudpickle",
}
KNOWN = {
    "plugins/__init__.py: import_module": "a name among this package's own files",
    "plugins/__init__.py: entry_points": "what is installed, which the user chose",
    "plugins/files.py: exec": "a file that the user's own suite or command names, as it was when it was named",
    "lm_eval/code.py: spec_from_file_location": "a file beside a task file, if the suite or command line trusts it",
    "lm_eval/code.py: module_from_spec": "the same",
    "metrics/rouge.py: import_module": "one name, written there",
    "metrics/rouge.py: module_from_spec": "one name, written there",
    "report/drawing.py: subprocess": "this Python with this package's own file",
    "report/drawing.py: Popen": "this Python with this package's own file",
    "files/hardware.py: subprocess": "nvidia-smi",
    "files/speed.py: subprocess": "this Python with this package's own file",
    "files/speed.py: Popen": "this Python with this package's own file",
    "__init__.py: import_module": "two names, written there",
    "sandbox/__init__.py: subprocess": "this Python with this package's own file, within limits",
    "sandbox/__init__.py: Popen": "this Python with this package's own file, within limits",
    "files/publishing.py: ctypes": "renameat2 of the C library",
    "neural/load.py: eval": "a method of a model",
    "neural/train/prepare.py: eval": "a method of a model",
    "neural/lora/factors.py: eval": "a method of a model",
    "neural/lora/by_peft.py: eval": "a method of a model",
    "neural/lora/heads.py: eval": "a method of a model",
}
LEAVE = {"NAMED", "AllowedScripts", "scripts_outside"}  # what gives a metric's name leave to run code
GIVERS = {
    "plugins/permission.py", "metrics/__init__.py", "results/code.py",  # where it is made
    "run/steps/foreign.py",  # metrics of the user's suite
    "commands/rescore.py",  # metrics of the command line
    "commands/import_answers.py",  # the same
    "commands/carry_over.py",  # metrics of the suite that was just run
    "cli/results.py",  # --allow-code
    "api.py",  # verify(…, allow_code=True)
}  # fmt: skip
SOURCES = {
    path.relative_to(Path(harness.__file__).parent).as_posix(): ast.parse(path.read_text(encoding="utf-8"))
    for path in sorted(Path(harness.__file__).parent.rglob("*.py"))
}


def names(node: ast.AST) -> set[str]:
    """What is imported, called or named here."""
    match node:
        case ast.Import():
            return {one.name.split(".")[0] for one in node.names} & MODULES
        case ast.ImportFrom():
            return {(node.module or "").split(".")[0]} & MODULES
        case ast.Attribute(value=ast.Name(id="os"), attr="system" | "popen" | "posix_spawn"):
            return {node.attr}
        case ast.Call(func=ast.Name(id=name) | ast.Attribute(attr=name)):
            return {name} & CALLS
    return set()


def test_texts_become_code_in_no_other_place_than_these() -> None:
    found = {
        f"{path}: {name}" for path, tree in SOURCES.items() for node in ast.walk(tree) for name in names(node)
    }
    assert found == KNOWN.keys()


def test_only_what_the_user_wrote_gives_leave_to_run_code() -> None:
    found = {path for path, tree in SOURCES.items() for node in ast.walk(tree) if gives_leave(node)}
    assert found <= GIVERS


def gives_leave(node: ast.AST) -> bool:
    match node:
        case ast.ImportFrom(module="harness.metrics" | "harness.plugins.permission" | "harness.results.code"):
            return not LEAVE.isdisjoint(one.name for one in node.names)
        case ast.Attribute(value=ast.Name(id="metrics" | "permission" | "code")):
            return node.attr in LEAVE
    return False


USERS = {  # what makes a file a plug-in
    "plugins/__init__.py", "suite/load.py",  # of the user's suite or task
    "commands/rescore.py",  # of the command line
    "commands/import_answers.py",  # of the command line, and none before
    "run/runner.py",  # in a worker, the files of the suite that is run
}  # fmt: skip


def test_only_what_the_user_wrote_makes_a_file_a_plug_in() -> None:
    found = {path for path, tree in SOURCES.items() if any(uses_files(node) for node in ast.walk(tree))}
    assert found == USERS


def uses_files(node: ast.AST) -> bool:
    """Return whether the registry of the user's files is changed here."""
    match node:
        case ast.Attribute(value=ast.Name(id="plugins"), attr="use"):
            return True
        case ast.ImportFrom(module="harness.plugins"):
            return any(alias.name == "use" for alias in node.names)
        case ast.FunctionDef(name="use"):
            return True
    return False


def test_arrays_and_weights_are_read_without_objects() -> None:
    """np.load and torch.load would unpickle, and so run, what a file holds."""
    safe = {"np": ("allow_pickle", False), "torch": ("weights_only", True)}
    for path, tree in SOURCES.items():
        for node in ast.walk(tree):
            match node:
                case ast.Call(func=ast.Attribute(value=ast.Name(id="np" | "torch" as module), attr="load")):
                    given = {one.arg: getattr(one.value, "value", None) for one in node.keywords}
                    name, value = safe[module]
                    assert given.get(name) is value, f"{path}:{node.lineno}"


def test_a_cards_program_holds_what_a_result_says_as_texts_alone() -> None:
    """People copy it and run it."""
    evil = 'x", __import__("os").system("touch it-ran"), "'
    model = ModelFacts(
        name=evil, uri=f"hub:{evil}", revision=evil, family=evil, dtype=evil, quantization="nf4"
    )
    task = TaskFacts(
        name="t", primary="f1", metrics=("f1",), prompt=f"$input {evil}", decode={"max_new_tokens": evil}
    )
    program = ast.parse(loading(model, evil, task))
    calls = {ast.unparse(node.func) for node in ast.walk(program) if isinstance(node, ast.Call)}
    assert not any("import" in call or "system" in call for call in calls), calls
