"""The wheel holds all that a run needs: it is built, installed elsewhere and run from another folder."""

import json
import os
import subprocess
import sys
import venv
import zipfile
from importlib.util import find_spec
from pathlib import Path

import pytest

from harness.suite.project import EXAMPLE, FILES

ROOT = Path(__file__).parent.parent


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("wheel")
    build = [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", str(folder), str(ROOT)]
    subprocess.run(build, check=True, capture_output=True)
    return next(folder.glob("*.whl"))


@pytest.mark.slow
def test_suites_recipes_zoo_and_templates_are_inside(wheel: Path) -> None:
    inside = set(zipfile.ZipFile(wheel).namelist())
    for name in (
        "harness/py.typed",
        "harness/shipped/suites/quickstart.yaml",
        "harness/shipped/suites/tasks/dialogues.yaml",
        "harness/shipped/suites/data/dialogues/test.jsonl",
        "harness/shipped/adapters/lora-r16.yaml",
        "harness/shipped/adapters/ci/flan-t5-tiny/adapter_model.safetensors",
        "harness/shipped/reports/baselines/ci.json",
        "harness/zoo/falcon-tiny/model.safetensors",
        "harness/report/templates/report.html.j2",
        "harness/suite/starters/suite.yaml",
        *(f"harness/shipped/examples/{EXAMPLE}/{path}" for path in FILES),
    ):
        assert name in inside
    assert not [name for name in inside if name.startswith(("tests/", "benchmarks/"))]


def environment(folder: Path, wheel: Path) -> Path:
    """An environment with the wheel and what it declares to need.

    With HARNESS_EMPTY_ENVIRONMENT set, as in CI, everything is installed anew, which takes minutes. Without it the
    libraries of this environment are lent (a .pth names their folder, wherever it is; the .pth files in it are not read,
    so the checkout itself stays out of sight).
    """
    venv.create(folder, with_pip=True, symlinks=True)
    python = folder / "bin" / "python"
    install = [str(python), "-m", "pip", "install", "--quiet", "--no-compile", "--disable-pip-version-check"]
    if os.environ.get("HARNESS_EMPTY_ENVIRONMENT"):
        subprocess.run([*install, "-c", str(ROOT / "constraints.txt"), str(wheel)], check=True)
    else:
        subprocess.run([*install, "--no-deps", "--no-index", str(wheel)], check=True)
        site = next((folder / "lib").glob("python*/site-packages"))
        torch = find_spec("torch")
        assert torch is not None and torch.origin is not None
        (site / "lent.pth").write_text(f"{Path(torch.origin).parents[1]}\n")
    return python


@pytest.fixture(scope="module")
def python(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Of an environment that has the wheel and not the checkout."""
    folder = tmp_path_factory.mktemp("installed")
    python = environment(folder / "environment", wheel)
    said = [str(python), "-c", "import harness; print(harness.__file__)"]
    where = subprocess.run(said, cwd=folder, check=True, capture_output=True, text=True, env=elsewhere())
    assert where.stdout.startswith(str(folder))
    return python


def elsewhere() -> dict[str, str]:
    """This environment, without what leads to the checkout."""
    return {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}


@pytest.mark.slow
def test_the_quickstart_is_planned_from_the_wheel_in_another_folder(python: Path, tmp_path: Path) -> None:
    """With the suite, the tasks, the data and the models that are inside; the tests below run it."""
    command = [str(python.parent / "harness"), "plan", "quickstart", "--offline"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, env=elsewhere())
    assert done.returncode == 0, done.stderr
    assert "train" in done.stdout and "generate" in done.stdout


@pytest.mark.slow
@pytest.mark.timeout(1200)
def test_the_quickstart_runs_from_the_wheel_in_another_folder(python: Path, tmp_path: Path) -> None:
    command = [str(python.parent / "harness"), "run", "quickstart", "--limit", "2", "--offline"]
    models: tuple[str, ...] = ("falcon-tiny", "llama2-tiny", "mistral-tiny", "flan-t5-tiny")
    if not os.environ.get("HARNESS_EMPTY_ENVIRONMENT"):
        models = models[-1:]  # all four take two minutes; CI takes them
        command += ["--only", f"*/{models[0]}"]
    subprocess.run(command, cwd=tmp_path, check=True, capture_output=True, env=elsewhere())
    result = json.loads((tmp_path / "reports" / "out" / "quickstart" / "result.json").read_text())
    assert {score["model"] for score in result["scores"] if score["adapter"]} == set(models)
    assert {score["n"] for score in result["scores"]} == {2}
    assert (tmp_path / "reports" / "out" / "quickstart" / "report.html").stat().st_size > 10_000


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_the_shipped_adapters_pass_their_gates_from_the_wheel_in_an_empty_folder(
    python: Path, tmp_path: Path
) -> None:
    command = [str(python.parent / "harness"), "run", "ci", "--offline", "--only", "*/flan-t5-tiny"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, env=elsewhere())
    assert done.returncode == 0, done.stdout + done.stderr
    verdicts = json.loads((tmp_path / "reports" / "out" / "ci" / "verdicts.json").read_text())["verdicts"]
    compared = [one for one in verdicts if one["against"] not in (None, "base")]
    assert len(compared) == 3
    assert {one["verdict"] for one in verdicts} == {"pass"}
    assert all(Path(one["against"]).is_relative_to(python.parent.parent) for one in compared)
