"""What may be imported where, and what a light command may load."""

import ast
import json
import subprocess
import sys
from pathlib import Path

import pytest

import harness

PACKAGE = Path(harness.__file__).parent
FILES = sorted(PACKAGE.rglob("*.py"))
ONLY_IN = {
    "torch": ("neural", "weights/dense.py"),
    "transformers": ("neural",),
    "peft": ("neural",),
    "accelerate": ("neural",),
    "weightwatcher": ("weights/oracle.py",),
    "ray": ("run/engines/ray.py",),
    "evaluate": ("metrics/evaluate.py",),
}


def imported(path: Path) -> set[str]:
    """Top-level packages that a file imports, wherever in the file."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found.update(alias.name.partition(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            found.add(node.module.partition(".")[0])
    return found


@pytest.mark.slow
@pytest.mark.parametrize("library", ONLY_IN)
def test_heavy_libraries_stay_in_the_folder_that_owns_them(library: str) -> None:
    users = [str(path.relative_to(PACKAGE)) for path in FILES if library in imported(path)]
    assert [user for user in users if not user.startswith(ONLY_IN[library])] == []


PURE = (
    "gates/decide.py",
    "gates/checks.py",
    "gates/forecast.py",
    "gates/scores.py",
    *(str(p.relative_to(PACKAGE)) for p in PACKAGE.glob("gates/rules/*.py")),
    *(f"plan/{name}.py" for name in ("plan", "only", "builder", "adapters", "steps", "cells", "refusals")),
    "tasks/prompts.py",
    *(str(p.relative_to(PACKAGE)) for p in PACKAGE.glob("types/*.py")),
    *(str(p.relative_to(PACKAGE)) for p in PACKAGE.glob("stats/*.py")),
)


@pytest.mark.parametrize("name", PURE)
def test_pure_files_read_no_clock_environment_or_chance(name: str) -> None:
    path = PACKAGE / name
    if path.exists():
        assert not imported(path) & {"os", "time", "random", "datetime", "pathlib", "subprocess", "socket"}


@pytest.mark.slow
def test_every_import_of_another_package_is_declared() -> None:
    import re
    import tomllib

    project = tomllib.loads((PACKAGE.parent / "pyproject.toml").read_text())["project"]
    listed = [
        *project["dependencies"],
        *(d for extra in project["optional-dependencies"].values() for d in extra),
    ]
    declared = {re.split(r"[<>=\[; ]", line)[0].lower().replace("-", "_") for line in listed}
    import_names = {
        "ruamel.yaml": "ruamel",
        "vl_convert_python": "vl_convert",
        "finetune_harness": "harness",
        "mlflow_skinny": "mlflow",
    }
    declared = {import_names.get(name, name) for name in declared} | {"harness"}
    used = set().union(*(imported(path) for path in FILES)) - set(sys.stdlib_module_names)
    assert used - declared == set()


HEAVY = ("torch", "transformers", "peft", "datasets", "scipy.stats", "pandas")
LIGHT = {  # command -> what it must not load
    "--help": (*HEAVY, "numpy", "pydantic", "rich"),
    "run --help": (*HEAVY, "numpy", "rich"),  # typer has pydantic check what a command is given
    "list tasks": (*HEAVY, "numpy", "rich"),
    "list suites": (*HEAVY, "numpy", "rich"),
    "list models": (*HEAVY, "rich"),  # numpy comes with what reads the headers of their weights
    "list recipes": (*HEAVY, "numpy", "rich"),
    "list metrics": (*HEAVY, "numpy", "rich"),
    "list families": (*HEAVY, "numpy", "rich"),
    "plan quickstart": (*HEAVY, "pyarrow", "altair"),
    "check quickstart": (*HEAVY, "pyarrow", "altair"),
    "plan small.yaml --result result": (*HEAVY, "pyarrow", "altair"),  # has gates and a baseline
    "check small.yaml": (*HEAVY, "pyarrow", "altair"),
    "report result": HEAVY,
    "report result --shareable -o copy": HEAVY,
    "leaderboard result --no-verify": HEAVY,
    "leaderboard result -o board.md": HEAVY[:4],
    "verify result": HEAVY[:4],
    "gate result --rules rules.yaml --junit gates.xml --comment comment.md": (*HEAVY, "altair"),
    "baseline result -o again.json": (*HEAVY, "altair"),
    "compare result#a result#b --samples 2 --markdown compared.md": (*HEAVY, "altair"),
    "rescore result --metric rouge --metric bleu --out rescored": (*HEAVY, "altair"),
}


@pytest.fixture(scope="module")
def result(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder that holds a RESULT: one model, on a task of its own."""
    folder = tmp_path_factory.mktemp("light")
    (folder / "test.jsonl").write_text(
        "".join(json.dumps({"input": f"in {n}", "reference": f"out {n}"}) + "\n" for n in range(20))
    )
    (folder / "small.yaml").write_text(
        "tasks: [{name: t, source: {uri: 'file:.'}, prompt: '$input', metrics: [exact, f1], primary: f1}]\n"
        "models: [{name: a, uri: 'echo:copy'}, {name: b, uri: 'echo:upper'}]\nweights: false\n"
    )
    words = ("run", "small.yaml", "--workers", "0", "--device", "cpu", "--out", "result")
    for command in (words, ("baseline", "result", "-o", "kept.json")):
        subprocess.run(
            [sys.executable, "-m", "harness", *command], cwd=folder, check=True, capture_output=True
        )
    (folder / "rules.yaml").write_text(
        "gates: [{adapter: base, max_drop: 1, against: kept.json}, {adapter: base, min_value: 0}]\n"
    )
    with (folder / "small.yaml").open("a") as suite:
        suite.write("gates: [{adapter: base, max_drop: 1, against: kept.json}]\n")
    return folder


@pytest.mark.slow
@pytest.mark.parametrize("command", LIGHT)
def test_light_commands_load_nothing_heavy(command: str, result: Path) -> None:
    program = (
        "import sys, harness.cli\n"
        f"sys.argv = ['harness', *{command.split()!r}]\n"
        "try:\n    harness.cli.main()\n"
        "except SystemExit as end:\n    assert not end.code, end.code\n"
        f"print('LOADED', [name for name in {LIGHT[command]!r} if name in sys.modules])\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=result, capture_output=True, text=True, check=True
    )
    assert done.stdout.splitlines()[-1] == "LOADED []"


@pytest.mark.slow
def test_importing_the_package_changes_nothing_for_others() -> None:
    program = (
        "import logging, warnings, numpy, pydantic\n"  # numpy adds filters of its own
        "before = logging.root.level, list(logging.root.handlers), list(warnings.filters)\n"
        "import harness, harness.cli, harness.run.run, harness.plan.plan, harness.suite.load\n"
        "assert before == (logging.root.level, list(logging.root.handlers), list(warnings.filters))\n"
    )
    subprocess.run([sys.executable, "-c", program], check=True)
