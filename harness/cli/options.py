"""What several commands take."""

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

STORE = Path(".harness")

SuiteName = Annotated[str, typer.Argument(metavar="SUITE", help="A suite's name, or the path of its file.")]

StoreFolder = Annotated[
    Path, typer.Option("--store", help="Folder of finished steps.", envvar="HARNESS_STORE")
]

Limit = Annotated[int | None, typer.Option(min=1, help="Test samples per task.")]

OnlyPattern = Annotated[
    str | None, typer.Option("--only", help="task/model/adapter, with * and ?; 'base' for no adapter.")
]

Device = Annotated[str, typer.Option(help="auto, cpu, cuda or cuda:N.")]

Offline = Annotated[bool, typer.Option("--offline", help="Touch no network.", envvar="HARNESS_OFFLINE")]

Seed = Annotated[int, typer.Option(min=0, max=10**18, help="Seeds training and resampling.")]

Workers = Annotated[int | None, typer.Option(min=0, help="Processes; 0: all in this one.")]

Engine = Annotated[str, typer.Option(help="What runs the steps: local, or a plug-in's name.")]

Quiet = Annotated[
    bool,
    typer.Option("--quiet", "-q", help="Print nothing but failures and what became of an earlier RESULT."),
]

AsJson = Annotated[bool, typer.Option("--json", help="Print the tables as JSON.")]

EarlierResult = Annotated[
    Path | None,
    typer.Option(
        "--result", help="An earlier RESULT, for what its gates may tell; default reports/out/SUITE."
    ),
]

RemoteCode = Annotated[
    bool, typer.Option(help="Run code that a checkpoint brings, where the suite names it too.")
]

AllowCode = Annotated[
    bool,
    typer.Option(
        "--allow-code",
        help="Run the scripts that a RESULT names for its metrics (evaluate:PATH), where they lie outside of it; "
        "each is shown with its digest first. Without it such scores are not recomputed.",
    ),
]


class Inconclusive(StrEnum):
    fail = "fail"
    passes = "pass"
    warn = "warn"


InconclusiveOption = Annotated[
    Inconclusive, typer.Option(help="What a verdict that cannot be told comes to.")
]
