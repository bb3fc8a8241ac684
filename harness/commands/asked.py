"""Turn the options of a command into a plan and a runtime, and print the report at the end."""

from collections.abc import Collection, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from harness.errors import HarnessError, UnknownName
from harness.terminal.printed import say, say_json

if TYPE_CHECKING:
    from collections.abc import Sequence

    from harness.run.store import Store
    from harness.types import Plan, Runtime

STORE = Path(".harness")

# Environment variables that set options which are not given.
STORE_VARIABLE = "HARNESS_STORE"
OFFLINE_VARIABLE = "HARNESS_OFFLINE"


@dataclass(frozen=True, slots=True, kw_only=True)
class RunRequest:
    """What is asked of a run: which part of which suite, how, and where the RESULT is published."""

    suite: str | Mapping[str, object]  # name, path, or the content of a suite's file
    store: Path = STORE
    limit: int | None = None  # test samples per task; None: what the suite says
    only: str | None = None  # TASK/MODEL/ADAPTER, patterns
    out: Path | None = None  # None: reports/out/SUITE
    device: str = "auto"
    workers: int | None = None  # None: what cores and memory allow
    engine: str = "local"
    offline: bool = False
    seed: int = 0
    allow_remote_code: bool = False
    adapters: tuple[str, ...] = ()  # NAME=PLACE
    command: str = ""  # how the run was asked for, for the RESULT

    def __post_init__(self) -> None:
        for name, value, least in (
            ("limit", self.limit, 1),
            ("workers", self.workers, 0),
            ("seed", self.seed, 0),
        ):
            if value is not None and (isinstance(value, bool) or not isinstance(value, int) or value < least):
                raise HarnessError(f"{name}: found {value!r}; give a whole number, {least} or more")


def drawn_up(request: RunRequest, store: "Store") -> "Plan":
    """Return the plan of what is asked; raise HarnessError where it cannot run as asked."""
    return planned(
        request.suite,
        store,
        request.limit,
        request.only,
        request.device,
        request.offline,
        request.seed,
        request.adapters,
    )


def planned(
    suite: str | Mapping[str, object],
    store: "Store",
    limit: int | None,
    only: str | None,
    device: str,
    offline: bool,
    seed: int,
    adapters: "Sequence[str]" = (),
) -> "Plan":
    """Return the plan of a suite; raise HarnessError where it cannot run as asked."""
    from harness import data
    from harness.files.devices import refuse_unknown
    from harness.files.validation import placed
    from harness.plan.fits import refuse
    from harness.plan.only import Only
    from harness.plan.only import only as parse
    from harness.plan.pins import pins
    from harness.plan.plan import plan as draw_up
    from harness.plan.steps import splits_needed
    from harness.suite.load import load_suite, place, with_adapters

    refuse_unknown(device)
    loaded = with_adapters(load_suite(suite), adapters)
    part = Only() if only is None else parse(only)
    at = place(suite)
    pinned = pins(loaded, device=device, offline=offline, cache=digests(store.root), at=at)
    drawn = draw_up(loaded, pinned, seed=seed, limit=limit, part=part)
    refuse(drawn)
    numbers = {task.name: n for n, task in enumerate(loaded.tasks)}
    for task in drawn.suite.tasks:
        if not task.source.uri.startswith("hub:"):  # whose splits a step asks for, at the pinned revision
            with placed(at, "tasks", numbers[task.name]):
                found = data.splits(task.source, offline=offline)
                data.refuse_missing(task, splits_needed(drawn.suite, task), found)
    return drawn


def check_engine(engine: str, suite: str | Mapping[str, object]) -> None:
    """Raise SuiteError where there is no such engine here, and none among the files that the suite lists."""
    from harness import plugins
    from harness.run import engines
    from harness.suite.load import use_plugins

    if engine not in plugins.names("engines"):
        with suppress(UnknownName):  # a task or a recipe, which lists no files
            use_plugins(suite)
    engines.find(engine, "--engine")


def digests(store: Path) -> Path:
    """Return the file that remembers digests of files, so that 14 GB are not read again for each plan."""
    return store / "digests.json"


def runtime_for(
    plan: "Plan", device: str, workers: int | None, offline: bool, allow_remote_code: bool
) -> "Runtime":
    """Return the settings of a run: on CPUs as many workers as there are cores and memory for, one worker for a GPU.

    Two workers of one thread finish sooner than one of two: less than half of a small model's work is long enough to
    be shared between threads.
    """
    from harness.files.hardware import machine
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
    """Return how many workers fit into memory by every model's backend, and at least the number of bases."""
    from harness import backends
    from harness.files.hardware import machine

    models = plan.suite.models
    rooms = (backends.of(model).workers(plan.pins.models[model.name], machine()) for model in models)
    return max(len(models), min(rooms))


def print_report(
    result: Path, where: str, *, quiet: bool, as_json: bool, above: Collection[str] = ()
) -> None:
    """Print a RESULT's tables and then the line `where`; or the tables as JSON; or nothing if quiet.

    `above` are the tasks whose tables the reader has before them already.
    """
    from harness.report import render_json, render_terminal

    if as_json:
        say_json(render_json(result))
    elif not quiet:
        render_terminal(result, above=above)
        say(f"\n{where}")
