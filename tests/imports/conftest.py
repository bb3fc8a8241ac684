"""Copies of real logs, and RESULTs that are made of them once."""

import shutil
from pathlib import Path

import pytest

from harness.commands.import_answers import import_answers
from harness.imports import ImportOptions

FILES = Path(__file__).parent / "files"


@pytest.fixture
def logs(tmp_path: Path) -> Path:
    """A copy of all logs, to be damaged."""
    shutil.copytree(FILES, tmp_path / "logs")
    return tmp_path / "logs"


@pytest.fixture(scope="session")
def of_lm_eval(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A RESULT of a base and its adapter, both asked by lm-eval."""
    out = tmp_path_factory.mktemp("imported") / "lm-eval"
    import_answers(
        "lm-eval", [FILES / "lm-eval" / "base", FILES / "lm-eval" / "adapter"], out, ImportOptions()
    )
    return out


@pytest.fixture(scope="session")
def of_inspect(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A RESULT of two models, both asked by Inspect."""
    out = tmp_path_factory.mktemp("imported") / "inspect"
    names = ("small-capitals", "large-capitals", "large-planets")
    import_answers("inspect", [FILES / "inspect" / f"{name}.eval" for name in names], out, ImportOptions())
    return out
