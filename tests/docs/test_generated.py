"""docs/reference.md and docs/options.md say what the code says."""

import re
from dataclasses import fields
from pathlib import Path
from typing import Any

import pytest
import typer.main

from harness import metrics
from harness.cli import app
from harness.gates import rules
from harness.neural.rungs import LETTERS
from harness.types import Adapter, Gate, Model, Recipe, Suite, Task
from harness.types.suite import Decode, Source, Weighing
from tools.docs import DOCS, comments, pages

TITLES = {
    "A suite": Suite,
    "A task": Task,
    "source": Source,
    "decode": Decode,
    "A model": Model,
    "A recipe": Recipe,
    "An adapter": Adapter,
    "weights": Weighing,
    "A gate": Gate,
}


def sections(name: str) -> dict[str, str]:
    """The sections of a page by their titles."""
    parts = re.split(r"^##+ (.*)$", (DOCS / name).read_text(encoding="utf-8"), flags=re.MULTILINE)
    return dict(zip(parts[1::2], parts[2::2], strict=True))


def rows(section: str) -> dict[str, list[str]]:
    """The rows of a section's table by their first cell."""
    cells = [re.split(r"(?<!\\)\|", line)[1:-1] for line in section.splitlines() if line.startswith("| `")]
    return {row[0].strip().strip("`"): [cell.strip() for cell in row] for row in cells}


@pytest.mark.parametrize("path", pages(), ids=lambda path: path.name)
def test_a_generated_page_is_up_to_date(path: Path) -> None:
    assert path.read_text(encoding="utf-8") == pages()[path], "run `python -m tools.docs`"


@pytest.mark.parametrize("title", TITLES)
def test_every_key_is_there_with_a_meaning(title: str) -> None:
    found = rows(sections("reference.md")[title])
    keys = {field.name for field in fields(TITLES[title])} - ({"rules"} if title == "A gate" else set())
    assert set(found) == keys
    assert [key for key, row in found.items() if len(row) != 4 or not row[1] or not row[3]] == []


def test_every_rule_metric_and_swept_key_is_there() -> None:
    found = sections("reference.md")
    assert set(rows(found["Rules"])) == set(rules.names())
    assert set(rows(found["Metrics"])) == set(metrics.names())
    assert all(f"`{key}`" in rows(found["A recipe"])["sweep"][3] for key in LETTERS)


def commands(group: Any, path: str = "harness") -> dict[str, Any]:
    found = {}
    for name, command in group.commands.items():
        found[f"{path} {name}"] = command
        found |= commands(command, f"{path} {name}") if hasattr(command, "commands") else {}
    return found


def test_every_command_and_option_is_there() -> None:
    said = sections("options.md")
    known = commands(typer.main.get_command(app))
    assert set(said) - {"harness"} == set(known)
    for name, command in known.items():
        options = {option for one in command.params for option in one.opts if option.startswith("--")}
        assert [option for option in options - {"--help"} if option not in said[name]] == [], name


def test_a_comment_is_found_behind_a_field_or_above_it() -> None:
    said = comments.of_fields(Recipe)
    assert said["warmup"] == "share of all steps"
    assert said["precision"] == "What the base computes in; auto: its own dtype."
    assert said["name"] == ""
    assert comments.sentence("share of all steps.") == "Share of all steps"
    assert comments.sentence('auto: "x" | "y:Z"') == "auto: `x` or `y:Z`"
