"""The command that lists what can be named."""

import shutil
import sys
from enum import StrEnum
from typing import Annotated

import typer

from harness.terminal.printed import say

app = typer.Typer(rich_markup_mode=None)

WIDTH = 100  # columns if the output is not a terminal


class NameKind(StrEnum):
    """What `harness list` lists: the keys of `commands.list.LISTINGS`."""

    suites = "suites"
    tasks = "tasks"
    recipes = "recipes"
    models = "models"
    metrics = "metrics"
    kinds = "kinds"
    rules = "rules"
    objectives = "objectives"
    families = "families"
    architectures = "architectures"
    backends = "backends"
    data = "data"
    engines = "engines"
    exports = "exports"
    imports = "imports"


@app.command(name="list")
def list_names(
    kind: Annotated[
        NameKind | None,
        typer.Argument(
            metavar="KIND", help="What to list; without it, the kinds of things that can be listed."
        ),
    ] = None,
    names: Annotated[bool, typer.Option("--names", help="Print the names alone, one a line.")] = False,
) -> None:
    """List what can be named: suites, tasks, recipes, models, metrics, and all kinds of plug-ins.

    Below each name stands what it is: the scores and settings of a metric, the tasks and models of a suite.
    """
    from harness.commands import list as listing

    if kind is None:
        found = map(str, NameKind) if names else listing.kinds()
    elif names:
        found = listing.names(kind.value)
    else:
        found = listing.lines(
            kind.value, shutil.get_terminal_size().columns if sys.stdout.isatty() else WIDTH
        )
    say("\n".join(found))
