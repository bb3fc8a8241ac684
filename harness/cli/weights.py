"""Weights: looked at, and read where they are pickled."""

import shlex
import sys
from pathlib import Path
from typing import Annotated

import typer

from harness.cli.options import STORE, Offline, StoreFolder
from harness.errors import HarnessError
from harness.terminal.printed import say

app = typer.Typer(rich_markup_mode=None)


@app.command()
def weigh(
    model: Annotated[
        str,
        typer.Argument(metavar="MODEL|RESULT", help="A uri: zoo:NAME, file:FOLDER or hub:OWNER/NAME."),
    ],
    adapter: Annotated[
        list[str] | None,
        typer.Option(help="An adapter's folder in PEFT layout, or hub:OWNER/NAME; may be repeated."),
    ] = None,
    against: Annotated[str | None, typer.Option(help="Another model, shown beside.")] = None,
    html: Annotated[Path | None, typer.Option(help="Write a page with pictures.")] = None,
    csv: Annotated[Path | None, typer.Option(help="Write every number.")] = None,
    parquet: Annotated[Path | None, typer.Option(help="Write every number, and the histograms.")] = None,
    against_scores: Annotated[
        bool,
        typer.Option("--against-scores", help="Of a RESULT folder: do its adapters' weights tell scores?"),
    ] = False,
    markdown: Annotated[
        Path | None,
        typer.Option(help="With --against-scores: write a page in Markdown, its charts beside it."),
    ] = None,
    roles: Annotated[
        str | None, typer.Option(help="Whose matrices, with commas: q,k,v,o,qkv,feed-forward.")
    ] = None,
    oracle: Annotated[bool, typer.Option("--oracle", help="Ask the weightwatcher package itself.")] = False,
    split: Annotated[bool, typer.Option("--split", help="Take fused matrices apart.")] = False,
    randomize: Annotated[
        bool, typer.Option("--randomize", help="Also look at the same entries in another order.")
    ] = False,
    intruders_up_to: Annotated[
        int | None, typer.Option(min=0, help="Longer side of a matrix that intruders are looked for in.")
    ] = None,
    offline: Offline = False,
    store: StoreFolder = STORE,
) -> None:
    """Look at a model's weights and at adapters' without data, or hold those of a RESULT against its scores."""
    command = shlex.join(["harness", *sys.argv[1:]])
    if against_scores:
        from harness.commands.correlate import show

        show(Path(model), command, html=html, markdown=markdown)
        return
    if markdown:
        raise HarnessError("--markdown goes with --against-scores; add it, and give a RESULT folder")
    from harness.commands.weigh import WeightFiles, WeightRequest, weighing
    from harness.commands.weigh import weigh as weigh_model

    how = weighing(roles, oracle=oracle, split=split, randomize=randomize, intruders_up_to=intruders_up_to)
    asked = WeightRequest(model=model, adapters=tuple(adapter or ()), against=against, weighing=how)
    weigh_model(
        asked, WeightFiles(html=html, csv=csv, parquet=parquet), offline=offline, store=store, command=command
    )


@app.command()
def convert(
    model: Annotated[Path, typer.Argument(metavar="MODEL", help="A folder with pickled weights (.bin).")],
    out: Annotated[
        Path | None, typer.Option(help="Where the safetensors go; default: beside the .bin.")
    ] = None,
) -> None:
    """Turn pickled weights into safetensors; only plain tensors are read."""
    from harness.neural.convert import convert as convert_folder

    for path in convert_folder(model, out or model):
        say(path)
