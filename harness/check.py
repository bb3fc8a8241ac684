"""What can be known to be wrong before anything runs: names, templates, columns, sources, checkpoints."""

from collections.abc import Iterator
from pathlib import Path

from harness import data, plan
from harness.errors import DataError
from harness.pins import pins
from harness.types import Suite


def check(suite: Suite, *, offline: bool, cache: Path) -> Iterator[str]:
    """Raises at the first thing that is wrong; yields a line for each thing that was looked at."""
    pinned = pins(suite, offline=offline, cache=cache)
    for task in suite.tasks:
        counts = data.check(task, offline=offline)
        needed = plan.splits_needed(suite, task)
        if missing := [split for split in needed if split not in counts]:
            raise DataError(f"task {task.name}: {task.source.uri} has no {missing[0]} split, which training needs; add it")
        listed = ", ".join(f"{count:,} {split}" for split, count in counts.items())
        yield f"task {task.name}: {listed} samples from {task.source.uri}"
    for model in suite.models:
        pin = pinned.models[model.name]
        yield f"model {model.name}: {model.uri} at {pin.revision[:12]}, {pin.family or 'no family'}, {pin.dtype}"
