"""The command that writes a task file of another harness as files of this project."""

from pathlib import Path
from typing import Annotated

import typer

from harness.cli.options import Offline
from harness.terminal.printed import say


def lm_eval_task(
    path: Annotated[
        Path, typer.Argument(metavar="PATH", help="A task file of lm-evaluation-harness, NAME.yaml.")
    ],
    name: Annotated[
        str | None, typer.Option(help="The name of the task here; default: its name there.")
    ] = None,
    shots: Annotated[
        int | None,
        typer.Option(min=0, help="Examples before each prompt; default: the file's num_fewshot."),
    ] = None,
    trust_code: Annotated[
        bool,
        typer.Option("--trust-code", help="Run the Python functions that the file names: read them first."),
    ] = False,
    offline: Offline = False,
) -> None:
    """Write a task of lm-evaluation-harness as suites/tasks/NAME.yaml, and its documents in data/NAME.

    The prompts are those of lm-evaluation-harness 0.4.13, byte by byte. Nothing is overwritten.
    """
    from harness.commands.import_lm_eval_task import import_lm_eval_task

    file, remarks = import_lm_eval_task(path, name=name, shots=shots, trust_code=trust_code, offline=offline)
    for remark in remarks:
        say(f"note: {remark}")
    say(file)
