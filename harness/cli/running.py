"""Commands about suites: run, plan, check, show prompts."""

import shlex
import signal
import sys
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from harness.cli import completing
from harness.cli.asked import check_engine, digests, planned, print_report, runtime_for
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
from harness.terminal.printed import say, warn

if TYPE_CHECKING:
    from collections.abc import Iterator

    from harness.report.verdicts import Inconclusive as Treatment
    from harness.types import Judgement, Outcome, Plan

app = typer.Typer(rich_markup_mode=None)


@app.command()
def run(
    ctx: typer.Context,
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
    from harness.commands import delivery
    from harness.commands.course import Course
    from harness.commands.live import foretell, shower
    from harness.commands.progress import watching
    from harness.files import devices
    from harness.plan.plan import untrained
    from harness.run.repair import claimed, missing, put_damaged_aside
    from harness.run.run import run as run_plan
    from harness.run.store import open_store

    devices.refuse_absent(device)
    check_engine(engine, suite)
    kept = open_store(store)
    drawn = planned(suite, kept, limit, only, device, offline, seed, adapter or ())
    runtime = replace(runtime_for(drawn, device, workers, offline, allow_remote_code), engine=engine)
    out = out or Path("reports/out") / drawn.suite.name
    delivery.refuse(out, kept)
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    ctx.with_resource(claimed(drawn, kept))  # until the report is copied
    damaged, todo = put_damaged_aside(drawn, kept), missing(drawn, kept)
    for line in (
        *untrained(drawn),
        *drawn.unjudged,
        *(_unread(drawn, offline=offline) if todo else ()),
        *damaged,
    ):
        warn(line)
    course = Course(todo, runtime.workers)
    with watching(course, quiet=quiet) as watch:
        if watch.console is not None:
            foretell(course, drawn, kept, runtime)
        command, show = shlex.join(["harness", *sys.argv[1:]]), shower(out, kept, watch.console)
        done = run_plan(drawn, kept, runtime, watch, command=command, show=show)
    delivered = None
    try:
        if done.report is not None:
            delivered = delivery.deliver(done.report, out, kept)
            place = delivered.folder
            if delivered.drawn:
                where = f"RESULT  {place}\nreport  {place / 'report.html'}"
                print_report(place, where, quiet=quiet, as_json=as_json)
            else:  # the table in the terminal is of the page that cannot be made
                say(f"RESULT  {place}")
    finally:
        _print_failures(list(done.outcomes.values()), drawn)
    if delivered is not None:
        for line in (*(() if quiet else delivered.notes), *delivered.warnings):
            warn(line)
    if done.failed or delivered is None or delivered.partial or not delivered.drawn:
        raise typer.Exit(3)
    if drawn.suite.gates:
        _print_gates(delivered.judged, inconclusive.value, only_failures=quiet or as_json)


def _unread(plan: "Plan", *, offline: bool) -> "Iterator[str]":
    """Yield the lines of `unread`, which loads all metrics: a run that has nothing to do needs none."""
    from harness.commands.check import unread

    yield from unread(plan, offline=offline)


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
    from harness.commands.plan import lines, show, view
    from harness.plan import fits
    from harness.plan.outlook import refuse as refuse_gates
    from harness.run.store import open_store
    from harness.suite.load import place
    from harness.terminal.consoles import console

    check_engine(engine, suite)
    kept = open_store(store)
    drawn = planned(suite, kept, limit, only, device, offline, seed)
    if only is None:  # a part may lack what a gate names
        refuse_gates(drawn, at=place(suite))
    runtime = replace(runtime_for(drawn, device, workers, offline, False), engine=engine)
    shown = view(drawn, kept, runtime)
    show(shown, console())
    for line in lines(shown, result, cache=digests(kept.root).with_name(fits.COUNTS), offline=offline):
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
    offline: Offline = False,
    store: StoreFolder = STORE,
) -> None:
    """Print prompts exactly as a model gets them.

    With special tokens, the number of tokens and the wanted answer.
    """
    from harness.commands.show import prompts

    for text in prompts(task, model, n, shots, offline=offline, cache=digests(store)):
        say(text)


def _print_failures(outcomes: "list[Outcome]", plan: "Plan") -> None:
    labels = {step.id: step.label for step in plan.steps}
    for outcome in outcomes:
        if outcome.state in ("failed", "skipped"):
            log = f"; log: {outcome.log}" if outcome.log else ""
            warn(f"{outcome.state}: {labels[outcome.step]}: {outcome.reason}{log}")
