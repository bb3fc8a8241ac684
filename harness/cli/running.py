"""Commands about suites: run, plan, check, show prompts."""

import shlex
import signal
import sys
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from harness.cli import completing
from harness.cli.options import (
    STORE,
    AsJson,
    Device,
    EarlierResult,
    Engine,
    Inconclusive,
    InconclusiveOption,
    Limit,
    Offline,
    OnlyPattern,
    Quiet,
    RemoteCode,
    Seed,
    StoreFolder,
    SuiteName,
    Workers,
)
from harness.commands.asked import RunRequest, check_engine, digests, print_report
from harness.terminal.printed import say, warn

if TYPE_CHECKING:
    from harness.report.verdicts import Inconclusive as Treatment
    from harness.types import Judgement

app = typer.Typer(rich_markup_mode=None)


@app.command()
def run(
    suite: SuiteName,
    limit: Limit = None,
    only: OnlyPattern = None,
    store: StoreFolder = STORE,
    out: Annotated[
        Path | None, typer.Option(help="The RESULT folder to write; default reports/out/SUITE.")
    ] = None,
    device: Device = "auto",
    workers: Workers = None,
    engine: Engine = "local",
    offline: Offline = False,
    seed: Seed = 0,
    allow_remote_code: RemoteCode = False,
    adapter: Annotated[
        list[str] | None,
        typer.Option(
            metavar="NAME=PLACE",
            help="Use another adapter for a name in the suite: NAME=./PATH or NAME=OWNER/NAME@REVISION; may be repeated.",
        ),
    ] = None,
    inconclusive: InconclusiveOption = Inconclusive.fail,
    quiet: Quiet = False,
    as_json: AsJson = False,
) -> None:
    """Run a suite: train, answer, score, compare, write a report."""
    from harness.commands.progress import watching
    from harness.commands.run import run as run_suite
    from harness.terminal.consoles import output_and_errors_go_together

    request = RunRequest(
        suite=suite,
        store=store,
        limit=limit,
        only=only,
        out=out,
        device=device,
        workers=workers,
        engine=engine,
        offline=offline,
        seed=seed,
        allow_remote_code=allow_remote_code,
        adapters=tuple(adapter or ()),
        command=shlex.join(["harness", *sys.argv[1:]]),
    )
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    done = run_suite(request, partial(watching, quiet=quiet), warn)
    delivered = done.delivered
    try:
        if delivered is not None:
            place = delivered.folder
            if delivered.drawn:
                where = f"RESULT  {place}\nreport  {place / 'report.html'}"
                where = "\n".join((where, *done.adapters()))
                above = done.shown if output_and_errors_go_together() else frozenset[str]()
                print_report(place, where, quiet=quiet, as_json=as_json, above=above)
            else:  # the table in the terminal is of the page that cannot be made
                say(f"RESULT  {place}")
    finally:
        for line in done.failures():
            warn(line)
    if delivered is not None:
        for line in (*(() if quiet else delivered.notes), *delivered.warnings):
            warn(line)
    if delivered is None or not done.complete:
        raise typer.Exit(3)
    if done.plan.suite.gates:
        _print_gates(delivered.judged, inconclusive.value, only_failures=quiet or as_json)


def _print_gates(judged: "Judgement", inconclusive: "Treatment", *, only_failures: bool) -> None:
    """Print the verdicts of a run's gates; exit with the worst verdict's code unless all passed."""
    from harness.commands.gate import exit_code, show_verdicts
    from harness.report.verdicts import not_passed

    if only_failures:
        for line in not_passed(judged, inconclusive):
            warn(line)
    else:
        show_verdicts(judged, inconclusive)
    if code := exit_code(judged.verdicts, inconclusive):
        raise typer.Exit(code)


@app.command()
def plan(
    suite: SuiteName,
    limit: Limit = None,
    only: OnlyPattern = None,
    store: StoreFolder = STORE,
    device: Device = "auto",
    workers: Workers = None,
    engine: Engine = "local",
    offline: Offline = False,
    seed: Seed = 0,
    result: EarlierResult = None,
) -> None:
    """Show what a run would do, without running it.

    Lists each step, whether it is kept or to do and why, its time, and the memory that each model needs. Each number
    says whether it was measured on this machine or is estimated.
    """
    from harness.commands.dry_run import dry_run
    from harness.commands.plan import lines, show
    from harness.terminal.consoles import console

    request = RunRequest(
        suite=suite,
        store=store,
        limit=limit,
        only=only,
        device=device,
        workers=workers,
        engine=engine,
        offline=offline,
        seed=seed,
    )
    dry = dry_run(request, result)
    show(dry, console())
    for line in lines(dry):
        say(line)


@app.command()
def check(
    name: Annotated[
        str,
        typer.Argument(
            metavar="NAME",
            help="A suite, task or recipe: its name, or its file's path.",
            autocompletion=completing.checked,
        ),
    ],
    device: Device = "auto",
    engine: Engine = "local",
    offline: Offline = False,
    store: StoreFolder = STORE,
    result: EarlierResult = None,
) -> None:
    """Check a suite, task or recipe before running it.

    Checks names, templates and sources, and the headers of models and adapters; no weights are read.
    """
    from harness.commands.check import check_named

    check_engine(engine, name)
    for line in check_named(name, offline=offline, cache=digests(store), result=result, device=device):
        say(line)
    say(f"{name}: ok")


@app.command()
def show(
    task: Annotated[
        str,
        typer.Argument(
            metavar="TASK", help="A task's name, or the path of its file.", autocompletion=completing.tasks
        ),
    ],
    model: Annotated[
        str,
        typer.Option(
            help="The model: a folder (./PATH), OWNER/NAME on the hub, or a tiny model's name.",
            autocompletion=completing.models,
        ),
    ],
    n: Annotated[int, typer.Option("--n", min=1, max=10**9, help="Number of samples.")] = 3,
    shots: Annotated[int, typer.Option(min=0, help="Number of examples before the prompt.")] = 0,
    family: Annotated[
        str | None, typer.Option(help="The model's family; without it, found from the checkpoint.")
    ] = None,
    offline: Offline = False,
    store: StoreFolder = STORE,
) -> None:
    """Print prompts exactly as a model gets them.

    With special tokens, the number of tokens, the wanted answer, and whether the words are the task's own or those of the
    model's family.
    """
    from harness.commands.show import prompts

    for text in prompts(task, model, n, shots, family=family, offline=offline, cache=digests(store)):
        say(text)
