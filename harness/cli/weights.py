"""Commands about weights: analyse them, and convert pickled ones."""

import shlex
import sys
from pathlib import Path
from typing import Annotated

import typer

from harness.checkpoints.written import GGUF
from harness.cli import completing
from harness.cli.options import STORE, Offline, StoreFolder
from harness.errors import HarnessError
from harness.terminal.printed import say

app = typer.Typer(rich_markup_mode=None)


@app.command()
def weigh(
    model: Annotated[
        str,
        typer.Argument(
            metavar="MODEL|RESULT",
            help="A model: a folder (./PATH), OWNER/NAME on the hub, or a tiny model's name; "
            "with --against-scores, a RESULT folder.",
            autocompletion=completing.models,
        ),
    ],
    adapter: Annotated[
        list[str] | None,
        typer.Option(
            help="An adapter of the model: a folder in PEFT's layout (./PATH), or OWNER/NAME on the hub; may be repeated."
        ),
    ] = None,
    against: Annotated[
        str | None,
        typer.Option(help="Another model to show beside the first.", autocompletion=completing.models),
    ] = None,
    html: Annotated[Path | None, typer.Option(help="Write a page with charts to this file.")] = None,
    csv: Annotated[Path | None, typer.Option(help="Write every number to this file.")] = None,
    parquet: Annotated[
        Path | None, typer.Option(help="Write every number and the histograms to this file.")
    ] = None,
    against_scores: Annotated[
        bool,
        typer.Option(
            "--against-scores",
            help="Take a RESULT folder, and correlate its adapters' weight metrics with their scores.",
        ),
    ] = False,
    markdown: Annotated[
        Path | None,
        typer.Option(help="With --against-scores: write a page in Markdown, with its charts beside it."),
    ] = None,
    roles: Annotated[
        str | None,
        typer.Option(
            help="Analyse only matrices with these roles, separated by commas: q,k,v,o,qkv,feed-forward."
        ),
    ] = None,
    oracle: Annotated[
        bool, typer.Option("--oracle", help="Compute with the weightwatcher package itself.")
    ] = False,
    split: Annotated[
        bool,
        typer.Option("--split", help="Split fused matrices into their parts (such as qkv into q, k, v)."),
    ] = False,
    randomize: Annotated[
        bool, typer.Option("--randomize", help="Also analyse each matrix with its entries shuffled.")
    ] = False,
    layers: Annotated[
        bool, typer.Option("--layers", help="Also print a line for each matrix, below the summary.")
    ] = False,
    intruders_up_to: Annotated[
        int | None,
        typer.Option(min=0, help="Skip intruder dimensions for matrices with a longer side than this."),
    ] = None,
    offline: Offline = False,
    store: StoreFolder = STORE,
) -> None:
    """Analyse a model's weights and its adapters', without data.

    With --against-scores: correlate what the weights of a RESULT's adapters say with what was measured.
    """
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
    asked = WeightRequest(
        model=model, adapters=tuple(adapter or ()), against=against, weighing=how, layers=layers
    )
    weigh_model(
        asked, WeightFiles(html=html, csv=csv, parquet=parquet), offline=offline, store=store, command=command
    )


@app.command()
def convert(
    model: Annotated[
        Path, typer.Argument(metavar="MODEL", help="A folder with pickled weights (.bin), or a GGUF file.")
    ],
    out: Annotated[
        Path | None,
        typer.Option(
            help="Where to write the safetensors; default: beside the .bin files; for X.gguf the folder X."
        ),
    ] = None,
) -> None:
    """Convert pickled weights (.bin) or a GGUF file to safetensors.

    Only plain tensors are read; no code in a pickle runs. A GGUF file is dequantised to float32.
    """
    if model.suffix.lower() == GGUF:
        from harness.neural.gguf import dequantise

        say(dequantise(model, out or model.with_suffix("")))
        return
    from harness.neural.convert import convert as convert_folder

    for path in convert_folder(model, out or model):
        say(path)
