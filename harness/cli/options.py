"""Options that several commands share."""

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from harness.cli import completing
from harness.commands import asked

STORE = asked.STORE

SuiteName = Annotated[
    str,
    typer.Argument(
        metavar="SUITE", help="A suite's name, or the path of its file.", autocompletion=completing.suites
    ),
]

StoreFolder = Annotated[
    Path,
    typer.Option("--store", help="The store: the folder of finished steps.", envvar=asked.STORE_VARIABLE),
]

Limit = Annotated[
    int | None, typer.Option(min=1, metavar="N", help="Use only the first N test samples of each task.")
]

OnlyPattern = Annotated[
    str | None,
    typer.Option(
        "--only",
        metavar="PATTERN",
        help="Only what matches TASK/MODEL/ADAPTER, with * and ?; the adapter 'base' means none.",
    ),
]

Device = Annotated[
    str, typer.Option(help="Where models run: auto, cpu, cuda or cuda:N.", autocompletion=completing.devices)
]

Offline = Annotated[bool, typer.Option("--offline", help="Use no network.", envvar=asked.OFFLINE_VARIABLE)]

Seed = Annotated[int, typer.Option(min=0, max=10**18, help="Seed of training and resampling.")]

Workers = Annotated[
    int | None,
    typer.Option(
        min=0,
        help="Number of worker processes; 0 runs everything in this process; default: what cores and memory allow.",
    ),
]

Engine = Annotated[
    str,
    typer.Option(
        help="The engine that runs the steps: local, or the name of a plug-in.",
        autocompletion=completing.engines,
    ),
]

Quiet = Annotated[
    bool,
    typer.Option("--quiet", "-q", help="Print only failures, and what happened to an earlier RESULT."),
]

AsJson = Annotated[bool, typer.Option("--json", help="Print the tables as JSON.")]

EarlierResult = Annotated[
    Path | None,
    typer.Option(
        "--result",
        help="An earlier RESULT, used to estimate the chance that gates pass; default reports/out/SUITE.",
    ),
]

RemoteCode = Annotated[
    bool,
    typer.Option(
        help="Allow code from a checkpoint (trust_remote_code), for models whose suite entry asks for it."
    ),
]

AllowCode = Annotated[
    bool,
    typer.Option(
        "--allow-code",
        help="Run the metric scripts that a RESULT names (evaluate:PATH, PATH.py) if they lie outside of it; "
        "each is shown with its digest first. Without this option, their scores are not recomputed.",
    ),
]


class Inconclusive(StrEnum):
    """How an inconclusive verdict counts in the exit code."""

    fail = "fail"
    passes = "pass"
    warn = "warn"


InconclusiveOption = Annotated[Inconclusive, typer.Option(help="How to treat inconclusive verdicts.")]
