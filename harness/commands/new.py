"""Write files to start from: a task, a suite, a recipe, or a whole project. Nothing that exists is overwritten."""

import os
import shutil
from pathlib import Path
from secrets import token_hex
from typing import Literal

from harness.errors import HarnessError
from harness.files import shipped
from harness.files.json_lines import write_text
from harness.suite.project import project
from harness.suite.rules import check_name

Starter = Literal["task", "suite", "recipe"]

_FOLDERS: dict[Starter, str] = {"task": "suites/tasks", "suite": "suites", "recipe": "adapters"}


def new(kind: Starter | Literal["project"], name: str) -> Path:
    """Write a file or a project that passes `harness check` as it is; return its path."""
    return _project(name) if kind == "project" else _file(kind, name)


def _file(kind: Starter, name: str) -> Path:
    """Write a commented YAML file."""
    name = name.removesuffix(".yaml").removesuffix(".yml")
    check_name(name, lambda *keys: f"new {kind} {name!r}")
    path = Path(_FOLDERS[kind]) / f"{name}.yaml"
    _refuse_existing(path)
    write_text(path, shipped.starter(kind, name))
    return path


def _project(name: str) -> Path:
    """Write a folder of the name with a whole project.

    The folder appears with all of its files or not at all.
    """
    check_name(name, lambda *keys: f"new project {name!r}")
    folder = Path(name)
    _refuse_existing(folder)
    fresh = folder.with_name(f".{name}.{token_hex(4)}")
    try:
        for path, text in project(name):
            write_text(fresh / path, text)
        _refuse_existing(folder)
        fresh.rename(folder)
    except BaseException:
        shutil.rmtree(fresh, ignore_errors=True)
        raise
    return folder


def _refuse_existing(path: Path) -> None:
    if os.path.lexists(path):  # also a link that leads nowhere
        raise HarnessError(f"{path} exists already; choose another name")
