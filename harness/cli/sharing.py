"""What others may have of a RESULT."""

from pathlib import Path
from typing import Annotated

import typer

from harness.cli.options import Offline
from harness.errors import HarnessError
from harness.terminal.printed import say

app = typer.Typer(rich_markup_mode=None)


@app.command()
def export(
    result: Annotated[Path, typer.Argument(metavar="RESULT", help="A RESULT folder.")],
    to: Annotated[str, typer.Option("--to", help="csv, parquet, mlflow or tensorboard.")],
    uri: Annotated[
        str | None, typer.Option(help="mlflow's place: sqlite:///FILE, file:FOLDER or a server's.")
    ] = None,
    out: Annotated[Path | None, typer.Option("--out", "-o", help="The others' folder.")] = None,
    offline: Offline = False,
) -> None:
    """Take a RESULT's numbers elsewhere: tables, MLflow, TensorBoard; texts only of sources that let them be shared."""
    from harness.commands.export import export as export_result

    say(export_result(result, to, uri=uri, out=out, offline=offline))


@app.command()
def card(
    result: Annotated[Path, typer.Argument(metavar="RESULT", help="A RESULT folder.")],
    model: Annotated[str, typer.Option(help="The base, by its name in the suite.")],
    adapter: Annotated[str, typer.Option(help="The adapter, by its name in the scores.")],
    out: Annotated[
        Path | None,
        typer.Option(
            "--out", "-o", help="README.md, or its folder; default RESULT/cards/MODEL--ADAPTER/README.md."
        ),
    ] = None,
    licence: Annotated[
        str | None, typer.Option(help="The adapter's, as the hub writes it: apache-2.0.")
    ] = None,
    push: Annotated[
        str | None, typer.Option(metavar="OWNER/NAME", help="Also commit it to this repository of the hub.")
    ] = None,
    offline: Offline = False,
) -> None:
    """Write an adapter's README.md: what it scores beside its base, its recipe, how to load it, what that does not show."""
    from harness.commands import card as cards
    from harness.types import System

    if push and offline:
        raise HarnessError(f"--push {push}: --offline touches no network; leave one of the two out")
    system = System(model=model, adapter=adapter)
    path = cards.write(result, system, out, licence=licence, place=push)
    say(f"card  {path}")
    if push:
        say(f"pushed  {cards.push(path, push)}")
