"""The door: words in, one call, print, exit code. Each command imports what it needs when it runs."""

import os
import shlex
import signal
import sys
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from harness.errors import HarnessError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from harness.store import Store
    from harness.suite import Kind as SuiteKind
    from harness.types import Model, Outcome, Plan, Runtime

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    help="Which base model should I fine-tune, and did the adapter help?",
)
store_app = typer.Typer(no_args_is_help=True, help="Look at and clean the folder of finished steps.")
app.add_typer(store_app, name="store")

STORE = Path(".harness")
STOPPED = 130  # exit code after Ctrl-C or SIGTERM

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
Seed = Annotated[int, typer.Option(help="Seeds training and resampling.")]
Workers = Annotated[int | None, typer.Option(min=0, help="Processes; 0: all in this one.")]
Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="Print nothing but failures.")]
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


class Inconclusive(StrEnum):
    fail = "fail"
    passes = "pass"
    warn = "warn"


InconclusiveOption = Annotated[
    Inconclusive, typer.Option(help="What a verdict that cannot be told comes to.")
]


@app.command()
def run(
    suite: SuiteName,
    limit: Limit = None,
    only: OnlyPattern = None,
    store: StoreFolder = STORE,
    out: Annotated[Path | None, typer.Option(help="RESULT folder; default reports/out/SUITE.")] = None,
    device: Device = "auto",
    workers: Workers = None,
    offline: Offline = False,
    seed: Seed = 0,
    allow_remote_code: RemoteCode = False,
    adapter: Annotated[
        list[str] | None,
        typer.Option(help="NAME=PATH or NAME=hub:OWNER/NAME@REVISION in place of what the suite names."),
    ] = None,
    inconclusive: InconclusiveOption = Inconclusive.fail,
    quiet: Quiet = False,
    as_json: AsJson = False,
) -> None:
    """Train, answer, score and compare what the suite names, and write the report."""
    from harness.console import watching
    from harness.run import missing, publish
    from harness.run import run as run_plan
    from harness.store import open_store

    kept = open_store(store)
    drawn = _plan(suite, kept, limit, only, device, offline, seed, adapter or ())
    runtime = _runtime(drawn, device, workers, offline, allow_remote_code)
    out = out or Path("reports/out") / drawn.suite.name
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    with watching(len(missing(drawn, kept)), quiet=quiet) as watch:
        done = run_plan(drawn, kept, runtime, watch, command=shlex.join(["harness", *sys.argv[1:]]))
    if done.report is not None:
        publish(done.report, out)
        _print_report(out, f"RESULT  {out}\nreport  {out / 'report.html'}", quiet=quiet, as_json=as_json)
    _tell_failures(list(done.outcomes.values()), drawn)
    if done.failed:
        raise typer.Exit(3)
    if done.report is not None and drawn.suite.gates:
        from harness.gate import exit_code, of_run, show_verdicts

        judged = of_run(out)
        if not (quiet or as_json):
            show_verdicts(judged, inconclusive.value)
        if code := exit_code(judged.verdicts, inconclusive.value):
            raise typer.Exit(code)


@app.command()
def plan(
    suite: SuiteName,
    limit: Limit = None,
    only: OnlyPattern = None,
    store: StoreFolder = STORE,
    device: Device = "auto",
    offline: Offline = False,
    seed: Seed = 0,
    result: EarlierResult = None,
) -> None:
    """Show what a run would do: each step, kept or to do and why, and the memory each model needs."""
    from rich.console import Console
    from rich.table import Table

    from harness.outlook import outlook
    from harness.run import missing
    from harness.store import open_store

    kept = open_store(store)
    drawn = _plan(suite, kept, limit, only, device, offline, seed)
    todo = {step.id for step in missing(drawn, kept)}
    console = Console() if sys.stdout.isatty() else Console(width=160)
    table = Table("step", "kind", "what", "state", box=None)
    for step in drawn.steps:
        state = (
            _why(kept, step.id, step.lineage)
            if step.id in todo
            else "kept"
            if kept.has(step.id)
            else "not needed"
        )
        table.add_row(step.id, step.kind, step.label, state)
    console.print(table)
    models = Table("model", "parameters", "dtype", "memory for weights", "time to weigh", box=None)
    for model in drawn.suite.models:
        pin = drawn.pins.models[model.name]
        models.add_row(
            model.name,
            _count(pin.parameters),
            pin.dtype,
            _memory(pin.parameters, pin.dtype, model.quantization),
            _weighing_time(drawn, model),
        )
    console.print(models)
    for line in outlook(drawn, result):
        print(line)
    console.print(f"{len(todo)} of {len(drawn.steps)} steps to do")


@app.command()
def check(
    name: Annotated[
        str, typer.Argument(metavar="NAME", help="A suite, task or recipe: its name, or its file's path.")
    ],
    offline: Offline = False,
    store: StoreFolder = STORE,
    result: EarlierResult = None,
) -> None:
    """Check a suite, its tasks' templates, names and sources, without loading a model."""
    from harness.check import check_named

    for line in check_named(name, offline=offline, cache=_digests(store), result=result):
        print(line)
    print(f"{name}: ok")


@app.command()
def report(
    result: Annotated[Path, typer.Argument(metavar="RESULT", help="A RESULT folder.")],
    store: Annotated[
        Path, typer.Option("--store", help="Where drawn charts are kept.", envvar="HARNESS_STORE")
    ] = STORE,
    quiet: Quiet = False,
    as_json: AsJson = False,
) -> None:
    """Draw a RESULT folder's pages anew."""
    from harness.report import render
    from harness.store import Store, is_store

    render(result, Store(store).drawings if is_store(store) else None)
    _print_report(result, f"report  {result / 'report.html'}", quiet=quiet, as_json=as_json)


@app.command()
def verify(result: Annotated[Path, typer.Argument(metavar="RESULT", help="A RESULT folder.")]) -> None:
    """Recompute every score of a RESULT folder from its generations."""
    from harness.errors import ResultError
    from harness.result import verify as problems

    found = problems(result)
    if found:
        raise ResultError("\n".join(found))
    print(f"{result}: every score follows from its generations")


@app.command()
def gate(
    result: Annotated[Path, typer.Argument(metavar="RESULT", help="A RESULT folder.")],
    baseline: Annotated[
        Path | None, typer.Option(help="What to compare with, in place of the files that gates name.")
    ] = None,
    rules: Annotated[Path | None, typer.Option(help="A file of gates, in place of the suite's own.")] = None,
    inconclusive: InconclusiveOption = Inconclusive.fail,
    junit: Annotated[Path | None, typer.Option(help="Write the verdicts as JUnit XML.")] = None,
    comment: Annotated[Path | None, typer.Option(help="Write a comment for a pull request.")] = None,
) -> None:
    """Judge a RESULT by its gates; the exit code is the worst verdict's."""
    from harness.gate import Files, exit_code, show
    from harness.gate import judge as judge_result

    judged = judge_result(result, rules, baseline)
    show(judged, Files(junit=junit, comment=comment), inconclusive.value, os.environ)
    if code := exit_code(judged.verdicts, inconclusive.value):
        raise typer.Exit(code)


@app.command()
def baseline(
    result: Annotated[Path, typer.Argument(metavar="RESULT", help="A RESULT folder.")],
    out: Annotated[Path, typer.Option("-o", "--out", help="The file, reports/baselines/NAME.json.")],
    only: OnlyPattern = None,
    metric: Annotated[
        list[str] | None, typer.Option(help="Keep a further metric's rows, or * for all; may be repeated.")
    ] = None,
) -> None:
    """Write what a RESULT holds as a file for git that later results are compared with."""
    from harness.result import baseline as kept

    kept.write(out, kept.make(result, only=only or "*/*/*", metric_names=tuple(metric or ())))
    print(out)


class Kind(StrEnum):
    tasks = "tasks"
    suites = "suites"
    models = "models"
    recipes = "recipes"
    metrics = "metrics"
    families = "families"


@app.command(name="list")
def list_names(kind: Kind) -> None:
    """List what can be named."""
    from harness import shipped

    if kind in (Kind.metrics, Kind.families):
        from harness import plugins

        names: tuple[str, ...] = plugins.names(kind.value)
    elif kind is Kind.models:
        names = tuple(f"zoo:{name}" for name in shipped.zoo_names())
    else:
        from harness.suite import available

        kinds: dict[Kind, SuiteKind] = {Kind.tasks: "task", Kind.suites: "suite", Kind.recipes: "recipe"}
        names = tuple(available(kinds[kind]))
    print("\n".join(names))


@app.command()
def show(
    task: Annotated[str, typer.Argument(metavar="TASK", help="A task's name, or the path of its file.")],
    model: Annotated[str, typer.Option(help="A model of a shipped suite, or a uri such as zoo:falcon-tiny.")],
    n: Annotated[int, typer.Option("--n", min=1, help="How many samples.")] = 3,
    shots: Annotated[int, typer.Option(min=0, help="Examples before the prompt.")] = 0,
    offline: Offline = False,
    store: StoreFolder = STORE,
) -> None:
    """Print prompts exactly as a model gets them, with special tokens and counts."""
    from harness.show import prompts

    for text in prompts(task, model, n, shots, offline=offline, cache=_digests(store)):
        print(text)


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
        from harness.predicts import show

        show(Path(model), command, html=html, markdown=markdown)
        return
    if markdown:
        raise HarnessError("--markdown goes with --against-scores; add it, and give a RESULT folder")
    from harness.weigh import Asked, Files, weighing
    from harness.weigh import weigh as weigh_model

    how = weighing(roles, oracle=oracle, split=split, randomize=randomize, intruders_up_to=intruders_up_to)
    asked = Asked(model=model, adapters=tuple(adapter or ()), against=against, weighing=how)
    weigh_model(
        asked, Files(html=html, csv=csv, parquet=parquet), offline=offline, store=store, command=command
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
        print(path)


class NewKind(StrEnum):
    task = "task"
    suite = "suite"
    recipe = "recipe"


@app.command()
def new(kind: NewKind, name: str) -> None:
    """Write a commented file to begin from; it passes `check` as it is."""
    from harness import shipped

    folders = {NewKind.task: "suites/tasks", NewKind.suite: "suites", NewKind.recipe: "adapters"}
    path = Path(folders[kind]) / f"{name}.yaml"
    if path.exists():
        raise HarnessError(f"{path} exists already; choose another name")
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(shipped.starter(kind.value, name), encoding="utf-8")
    print(path)


@store_app.command(name="ls")
def store_ls(store: StoreFolder = STORE) -> None:
    """List finished steps."""
    for step, content in _records(store):
        print(f"{step}  {content['kind']:<10}{float(str(content['seconds'])):8.1f} s  {content['label']}")


@store_app.command(name="du")
def store_du(store: StoreFolder = STORE) -> None:
    """Say how many bytes each kind of step takes."""
    from collections import Counter

    from harness.store import folder_bytes, open_store

    sizes: Counter[str] = Counter()
    for step, content in _records(store):
        sizes[str(content["kind"])] += folder_bytes(open_store(store).done(step))
    for kind, size in sizes.most_common():
        print(f"{size / 1e6:10.1f} MB  {kind}")
    print(f"{sum(sizes.values()) / 1e6:10.1f} MB  all")


@store_app.command(name="prune")
def store_prune(
    keep: Annotated[
        list[str] | None, typer.Option("--keep", help="A suite whose steps stay; may be repeated.")
    ] = None,
    store: StoreFolder = STORE,
    device: Device = "auto",
    offline: Offline = False,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
) -> None:
    """Delete the steps that no named suite uses."""
    from harness.store import open_store, prune

    kept = open_store(store)
    wanted = {
        step.id for suite in keep or [] for step in _plan(suite, kept, None, None, device, offline, 0).steps
    }
    if not yes:
        typer.confirm(
            f"Delete every step in {store} that {', '.join(keep or ['no suite'])} does not use?", abort=True
        )
    print(f"{prune(kept, wanted) / 1e6:.1f} MB freed")


def main() -> None:
    """The command `harness`: a failure is a line and an exit code, never a traceback."""
    try:
        code = app(standalone_mode=False)
    except HarnessError as error:
        print(f"error: {error}", file=sys.stderr)
        code = error.exit_code
    except typer.Exit as left:
        code = left.exit_code
    except typer.TyperException as error:
        error.show()  # type: ignore[attr-defined]  # typer's own copy of click's errors has it
        code = 2
    except (KeyboardInterrupt, typer.Abort):
        code = STOPPED
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)  # the reader, `head` say, has gone
        code = 0
    if code == STOPPED:  # typer, too, turns Ctrl-C into this code
        print("stopped; the same command continues where this one was", file=sys.stderr)
    sys.exit(code)


def _plan(
    suite: str,
    store: "Store",
    limit: int | None,
    only: str | None,
    device: str,
    offline: bool,
    seed: int,
    adapters: "Sequence[str]" = (),
) -> "Plan":
    from harness.pins import pins
    from harness.plan import Only
    from harness.plan import only as parse
    from harness.plan import plan as draw_up
    from harness.suite import load_suite, with_adapters

    loaded = with_adapters(load_suite(suite), adapters)
    part = parse(only) if only else Only()
    pinned = pins(loaded, device=device, offline=offline, cache=_digests(store.root))
    return draw_up(loaded, pinned, seed=seed, limit=limit, part=part)


def _digests(store: Path) -> Path:
    """Where file digests are remembered, so that 14 GB are not read again for a plan."""
    return store / "digests.json"


def _runtime(
    plan: "Plan", device: str, workers: int | None, offline: bool, allow_remote_code: bool
) -> "Runtime":
    """On CPUs as many workers as there are cores and room for their bases; one worker for a GPU.

    Two workers of one thread finish sooner than one of two: less than half of a small model's work is long enough to
    be shared between threads.
    """
    from harness.hardware import machine
    from harness.types import Runtime

    cores = machine().cores
    if workers is None:
        workers = 1 if plan.pins.device == "cuda" else max(1, min(cores, _workers_that_fit(plan)))
    return Runtime(
        device=device if device != "auto" else plan.pins.device,
        workers=workers,
        threads=max(1, cores // max(1, workers)),
        offline=offline,
        allow_remote_code=allow_remote_code,
    )


def _workers_that_fit(plan: "Plan") -> int:
    """One for each base at least; more where that many copies of the largest take a quarter of the memory."""
    from harness.hardware import machine

    width = {"float32": 4, "bfloat16": 2, "float16": 2}
    largest = max(
        (pin.parameters or 0) * width[pin.dtype]
        for pin in (plan.pins.models[model.name] for model in plan.suite.models)
    )
    room = int(machine().memory_gb * 1e9 / 4 // largest) if largest else machine().cores
    return max(len(plan.suite.models), room)


def _print_report(result: Path, where: str, *, quiet: bool, as_json: bool) -> None:
    """The tables and where the pages are; as JSON, or not at all."""
    from harness.report import render_json, render_terminal

    if as_json:
        print(render_json(result))
    elif not quiet:
        render_terminal(result)
        print(f"\n{where}")


def _tell_failures(outcomes: "list[Outcome]", plan: "Plan") -> None:
    labels = {step.id: step.label for step in plan.steps}
    for one in outcomes:
        if one.state in ("failed", "skipped"):
            log = f"; log: {one.log}" if one.log else ""
            print(f"{one.state}: {labels[one.step]}: {one.reason}{log}", file=sys.stderr)


def _records(store: Path) -> "list[tuple[str, dict[str, object]]]":
    from harness.store import open_store

    kept = open_store(store)
    return [(folder.name, kept.record(folder.name)) for folder in sorted((kept.root / "done").iterdir())]


def _why(store: "Store", step: str, lineage: str) -> str:
    from harness.store import relatives

    left = store.work(step) / "generations.jsonl"
    if left.is_file():
        with left.open("rb") as file:
            return f"to do; an interrupted try left {sum(1 for _ in file)} answers"
    if store.work(step).is_dir():
        return "to do; continues an interrupted try"
    if relatives(store, lineage):
        return "to do; continues a run with another limit"
    return "to do; not in the store"


def _count(parameters: int | None) -> str:
    return "?" if parameters is None else f"{parameters / 1e6:,.1f} M"


def _weighing_time(plan: "Plan", model: "Model") -> str:
    """Of the base and its adapters, where the checkpoint lies here."""
    from harness.hardware import machine
    from harness.pins import locate
    from harness.weights.cost import expected

    if plan.suite.weights is None or model.uri.startswith(("echo:", "http:", "https:")):
        return "none"
    try:
        folder = locate(model, plan.pins.models[model.name], offline=True)
    except HarnessError:
        return "known once it is downloaded"
    seconds = expected(plan, model.name, folder, machine().cores)
    return f"about {seconds / 60:.0f} min" if seconds >= 90 else f"about {max(1, round(seconds))} s"


def _memory(parameters: int | None, dtype: str, quantization: str) -> str:
    width = {"nf4": 0.55, "int8": 1.05}.get(quantization, {"float32": 4, "bfloat16": 2, "float16": 2}[dtype])
    return "?" if parameters is None else f"{parameters * width / 1e9:,.2f} GB"
