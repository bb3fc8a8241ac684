"""Verify and prune a store: find the damaged steps, and delete the steps that nobody needs."""

import shutil
from dataclasses import dataclass
from pathlib import Path
from secrets import token_hex

from harness.run.intact import Inspector, undigested
from harness.run.lease import alone, steps_of
from harness.run.store import Store, live_leases, step_of


@dataclass(frozen=True, slots=True, kw_only=True)
class Verified:
    """The outcome of verifying every file of every finished step."""

    steps: int
    damaged: dict[str, str]  # step -> what is wrong with it
    undigested: (
        int  # steps written by a version of the harness that recorded no digests: they cannot be checked
    )


def verify(store: Store) -> Verified:
    """Compare every finished step with its digests; change nothing."""
    inspector, steps = Inspector(), store.finished()
    damaged = {step: fault for step in steps if (fault := inspector.damage(store.done(step)))}
    plain = sum(undigested(store.done(step)) for step in steps if step not in damaged)
    return Verified(steps=len(steps), damaged=damaged, undigested=plain)


@dataclass(frozen=True, slots=True, kw_only=True)
class Pruned:
    """The outcome of pruning a store."""

    freed: int  # bytes
    in_use: int  # finished steps that were kept because a current run needs them


def prune(store: Store, keep: set[str]) -> Pruned:
    """Delete finished, abandoned and damaged steps that are neither in `keep` nor needed by a running process."""
    freed, in_use = 0, 0
    folders = [path for name in ("done", "work", "damaged") for path in (store.root / name).glob("*")]
    for folder in [path for path in folders if path.is_dir()]:
        step, kind = step_of(folder), folder.parent.name
        if step in keep and kind != "damaged":
            continue
        doomed = store.root / "work" / f".{folder.name}.{token_hex(4)}"
        with alone(
            store.root / "leases", store.pulse
        ):  # a run that begins now finds the step complete or not at all
            if step in _needed(store):
                in_use += kind == "done"
                continue
            try:
                folder.rename(doomed)
            except FileNotFoundError:
                continue
        freed += folder_bytes(doomed)
        shutil.rmtree(doomed, ignore_errors=True)
        store.log(step).unlink(missing_ok=True)
    return Pruned(freed=freed, in_use=in_use)


def folder_bytes(folder: Path) -> int:
    """Return the size of all files below a folder, in bytes."""
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())


def _needed(store: Store) -> set[str]:
    """Return the steps that a running process works on, and the steps of all current runs' plans."""
    return {step for path in live_leases(store) for step in (path.name, *steps_of(path))}
