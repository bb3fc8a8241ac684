"""Commands that list names and write files to start from."""

from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from harness.errors import HarnessError
from harness.terminal.printed import say

if TYPE_CHECKING:
    from harness.suite.load import Kind as SuiteKind

app = typer.Typer(rich_markup_mode=None)


class NameKind(StrEnum):
    """What `harness list` lists."""

    tasks = "tasks"
    suites = "suites"
    models = "models"
    recipes = "recipes"
    metrics = "metrics"
    families = "families"


@app.command(name="list")
def list_names(
    kind: Annotated[NameKind, typer.Argument(metavar="KIND", help="What to list.")],
) -> None:
    """List the tasks, suites, models, recipes, metrics or families."""
    from harness.files import shipped

    if kind in (NameKind.metrics, NameKind.families):
        from harness import plugins

        names: tuple[str, ...] = plugins.names(kind.value)
    elif kind is NameKind.models:
        names = tuple(f"zoo:{name}" for name in shipped.zoo_names())
    else:
        from harness.suite.load import available

        kinds: dict[NameKind, SuiteKind] = {
            NameKind.tasks: "task",
            NameKind.suites: "suite",
            NameKind.recipes: "recipe",
        }
        names = tuple(available(kinds[kind]))
    say("\n".join(names))


class NewKind(StrEnum):
    """What `harness new` writes."""

    task = "task"
    suite = "suite"
    recipe = "recipe"


@app.command()
def new(
    kind: Annotated[NewKind, typer.Argument(metavar="KIND", help="What to write.")],
    name: Annotated[str, typer.Argument(metavar="NAME", help="Its name; the file is called NAME.yaml.")],
) -> None:
    """Write a commented YAML file to start from.

    It passes `harness check` and runs as it is.
    """
    from harness.files import shipped
    from harness.files.json_lines import write_text
    from harness.suite.rules import check_name

    name = name.removesuffix(".yaml").removesuffix(".yml")
    check_name(name, lambda *keys: f"new {kind.value} {name!r}")
    folders = {NewKind.task: "suites/tasks", NewKind.suite: "suites", NewKind.recipe: "adapters"}
    path = Path(folders[kind]) / f"{name}.yaml"
    if path.exists():
        raise HarnessError(f"{path} exists already; choose another name")
    write_text(path, shipped.starter(kind.value, name))
    say(path)
