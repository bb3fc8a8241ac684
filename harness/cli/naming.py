"""Commands that list names and write files to start from."""

from enum import StrEnum
from typing import TYPE_CHECKING, Annotated

import typer

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

    project = "project"
    task = "task"
    suite = "suite"
    recipe = "recipe"


@app.command()
def new(
    kind: Annotated[NewKind, typer.Argument(metavar="KIND", help="What to write.")],
    name: Annotated[
        str,
        typer.Argument(
            metavar="NAME",
            help="Its name: of a file NAME.yaml, or of a project's folder, which is written here.",
        ),
    ],
) -> None:
    """Write a commented YAML file to start from, or a project: a folder with data, suite, recipe, metric, gates and CI.

    Both pass `harness check` and run as they are. Nothing is overwritten.
    """
    from harness.commands.new import new as write

    place = write(kind.value, name)
    say(place)
    if kind is NewKind.project:
        say(f"next: cd {place} && harness check {place} && harness run {place}; README.md explains the files")
