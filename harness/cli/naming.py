"""Commands that write files to start from."""

from enum import StrEnum
from typing import Annotated

import typer

from harness.terminal.printed import say

app = typer.Typer(rich_markup_mode=None)


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
