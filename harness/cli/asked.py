"""Turn the options of a command into a plan and a runtime, and print the report at the end."""

from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from harness.errors import UnknownName
from harness.terminal.printed import say, say_json

if TYPE_CHECKING:
    from collections.abc import Sequence

    from harness.run.store import Store
    from harness.types import Plan, Runtime


def planned(
    suite: str,
    store: "Store",
    limit: int | None,
    only: str | None,
    device: str,
    offline: bool,
    seed: int,
    adapters: "Sequence[str]" = (),
) -> "Plan":
    """Return the plan of a suite; raise HarnessError where it cannot run as asked."""
    from harness.files.devices import refuse_unknown
    from harness.plan.fits import refuse
    from harness.plan.pins import pins
    from harness.plan.plan import Only
    from harness.plan.plan import only as parse
    from harness.plan.plan import plan as draw_up
    from harness.suite.load import load_suite, with_adapters

    refuse_unknown(device)
    loaded = with_adapters(load_suite(suite), adapters)
    part = Only() if only is None else parse(only)
    pinned = pins(loaded, device=device, offline=offline, cache=digests(store.root))
    drawn = draw_up(loaded, pinned, seed=seed, limit=limit, part=part)
    refuse(drawn)
    return drawn


def check_engine(engine: str, suite: str) -> None:
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


def print_report(result: Path, where: str, *, quiet: bool, as_json: bool) -> None:
    """Print a RESULT's tables and then the line `where`; or the tables as JSON; or nothing if quiet."""
    from harness.report import render_json, render_terminal

    if as_json:
        say_json(render_json(result))
    elif not quiet:
        render_terminal(result)
        say(f"\n{where}")
