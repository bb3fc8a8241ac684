"""Find the files that come with the harness: suites, tasks, recipes, tiny models, starters, an example."""

from pathlib import Path
from typing import Literal

_PACKAGE = Path(__file__).parents[1]


def folder(kind: Literal["suites", "adapters", "examples"]) -> Path:
    """Return the folder of shipped suites, recipes or examples: inside the package in a wheel, else beside it."""
    inside = _PACKAGE / "shipped" / kind
    return inside if inside.is_dir() else _PACKAGE.parent / kind


def zoo_folder(name: str) -> Path:
    """Return the folder of a tiny model."""
    return _PACKAGE / "zoo" / name


def zoo_names() -> tuple[str, ...]:
    """Return the names of the tiny models."""
    return tuple(sorted(config.parent.name for config in (_PACKAGE / "zoo").glob("*/config.json")))


def data_names() -> tuple[str, ...]:
    """Return the names of the embedded data sets."""
    return tuple(sorted(test.parent.name for test in (folder("suites") / "data").glob("*/test.jsonl")))


def starter(kind: Literal["task", "suite", "recipe"], name: str) -> str:
    """Return a commented YAML file to start from, with a new name in it; it passes `check` unchanged."""
    return (
        (_PACKAGE / "suite" / "starters" / f"{kind}.yaml").read_text(encoding="utf-8").replace("<name>", name)
    )
