"""Commands that write files to start from."""

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from harness.errors import HarnessError
from harness.terminal.printed import say

app = typer.Typer(rich_markup_mode=None)


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
