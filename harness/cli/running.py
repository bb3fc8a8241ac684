"""Commands about suites: run, plan, check, show prompts."""

import shlex
import signal
import sys
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

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
from harness.errors import HarnessError
from harness.terminal.printed import say, warn

if TYPE_CHECKING:
    from harness.report.verdicts import Inconclusive as Treatment
    from harness.types import Judgement, Model, Plan

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
            help="Use another adapter for a name in the suite: NAME=PATH or NAME=hub:OWNER/NAME@REVISION; may be repeated.",
        ),
    ] = None,
    inconclusive: InconclusiveOption = Inconclusive.fail,
    quiet: Quiet = False,
    as_json: AsJson = False,
) -> None:
    """Run a suite: train, answer, score, compare, write a report."""
    from harness.commands.progress import watching
    from harness.commands.run import run as run_suite

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
                print_report(place, where, quiet=quiet, as_json=as_json)
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
    engine: Engine = "local",
    offline: Offline = False,
    seed: Seed = 0,
    result: EarlierResult = None,
) -> None:
    """Show what a run would do, without running it.

    Lists each step, whether it is kept or to do and why, and the memory that each model needs.
    """
    from rich.table import Table

    from harness.commands.dry_run import dry_run
    from harness.terminal.consoles import console

    request = RunRequest(
        suite=suite,
        store=store,
        limit=limit,
        only=only,
        device=device,
        engine=engine,
        offline=offline,
        seed=seed,
    )
    dry = dry_run(request, result)
    drawn, shown = dry.plan, console()
    table = Table("step", "kind", "what", "state", box=None)
    for step in drawn.steps:
        table.add_row(step.id, step.kind, step.label, dry.states[step.id])
    shown.print(table)
    models = Table("model", "parameters", "dtype", "memory for weights", "time to analyse weights", box=None)
    for model in drawn.suite.models:
        pin = drawn.pins.models[model.name]
        models.add_row(
            model.name,
            _count(pin.parameters),
            pin.dtype,
            _memory(pin.parameters, pin.dtype, model.quantization),
            _weighing_time(drawn, model),
        )
    shown.print(models)
    for line in dry.remarks:
        say(line)
    shown.print(f"{len(dry.to_do)} of {len(drawn.steps)} steps to do")


@app.command()
def check(
    name: Annotated[
        str, typer.Argument(metavar="NAME", help="A suite, task or recipe: its name, or its file's path.")
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
    task: Annotated[str, typer.Argument(metavar="TASK", help="A task's name, or the path of its file.")],
    model: Annotated[
        str, typer.Option(help="The model: a name in a shipped suite, or a uri such as zoo:falcon-tiny.")
    ],
    n: Annotated[int, typer.Option("--n", min=1, max=10**9, help="Number of samples.")] = 3,
    shots: Annotated[int, typer.Option(min=0, help="Number of examples before the prompt.")] = 0,
    offline: Offline = False,
    store: StoreFolder = STORE,
) -> None:
    """Print prompts exactly as a model gets them.

    With special tokens, the number of tokens and the wanted answer.
    """
    from harness.commands.show import prompts

    for text in prompts(task, model, n, shots, offline=offline, cache=digests(store)):
        say(text)


def _count(parameters: int | None) -> str:
    return "?" if parameters is None else f"{parameters / 1e6:,.1f} M"


def _weighing_time(plan: "Plan", model: "Model") -> str:
    """Return how long the weights of a base and its adapters take, if the checkpoint is on this machine."""
    from harness import backends
    from harness.files.hardware import machine
    from harness.weights.cost import expected

    if plan.suite.weights is None or backends.of(model).folder is None:
        return "none"
    try:
        folder = backends.folder(model, plan.pins.models[model.name], offline=True)
    except HarnessError:
        return "known once it is downloaded"
    seconds = expected(plan, model.name, folder, machine().cores)
    return f"about {seconds / 60:.0f} min" if seconds >= 90 else f"about {max(1, round(seconds))} s"


def _memory(parameters: int | None, dtype: str, quantization: str) -> str:
    width = {"nf4": 0.55, "int8": 1.05}.get(quantization, {"float32": 4, "bfloat16": 2, "float16": 2}[dtype])
    return "?" if parameters is None else f"{parameters * width / 1e9:,.2f} GB"
