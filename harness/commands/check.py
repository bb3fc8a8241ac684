"""Find what is wrong before anything runs: names, templates, columns, sources, checkpoints."""

from collections import Counter
from collections.abc import Iterator, Mapping
from fnmatch import fnmatchcase
from itertools import islice
from pathlib import Path

from harness import data, kinds, metrics
from harness.files.validation import At
from harness.plan import fits, plan, wording
from harness.plan.examined import examined
from harness.plan.outlook import outlook, refuse
from harness.plan.pins import pins
from harness.plan.steps import splits_needed
from harness.run.steps.score import ScoreAnswers
from harness.suite.load import load_recipes, load_suite, load_task, place
from harness.suite.named import kind_of
from harness.tasks import shapes
from harness.tasks.metric_names import is_program
from harness.tasks.remarks import READ_AS, SAID, left_out, said
from harness.types import Plan, Recipe, Split, Suite, Task

FIRST = 512  # test samples whose references are read


def check_named(
    name: str, *, offline: bool, cache: Path, result: Path | None = None, device: str = "auto"
) -> Iterator[str]:
    """Check a suite, task or recipe; yield a line for each part that is sound."""
    kind = kind_of(name)
    if kind == "task":
        task = load_task(name)
        remarks: Counter[str] = Counter()
        counts = data.check(task, kinds.find(task.kind).ask, offline=offline, remarks=remarks)
        data.check_shots(task, counts)
        yield _task(task, counts)
        yield from _of_data(task, remarks)
    elif kind == "recipe":
        yield from map(_recipe, load_recipes(name))
    else:
        suite, at = load_suite(name), place(name)
        yield from check(suite, offline=offline, cache=cache, result=result, device=device, at=at)


def check(
    suite: Suite,
    *,
    offline: bool,
    cache: Path,
    result: Path | None = None,
    device: str = "auto",
    at: At | None = None,  # gives the place of a key of the suite, for messages
) -> Iterator[str]:
    """Check a suite and yield a line for each part that is sound; raise HarnessError at the first that is not."""
    pinned = pins(suite, device=device, offline=offline, cache=cache)
    for task in suite.tasks:
        remarks: Counter[str] = Counter()
        counts = data.check(task, kinds.find(task.kind).ask, offline=offline, remarks=remarks)
        data.refuse_missing(task, splits_needed(suite, task), counts)
        yield _task(task, counts)
        yield from _of_data(task, remarks)
    for model in suite.models:
        pin = pinned.models[model.name]
        yield f"model {model.name}: {model.uri} at {pin.revision[:12]}, {pin.family or 'no family'}, {pin.dtype}"
        for line in examined(suite, pinned, model, offline=offline, cache=cache):
            yield f"model {model.name}: {line}"
    yield from map(_recipe, suite.recipes)
    drawn = plan.plan(suite, pinned)
    yield from wording.without_role(drawn)
    yield from wording.asked_otherwise(drawn)
    yield from wording.own_words(drawn)
    refuse(drawn, _columns(suite, offline=offline), at)
    yield from plan.untrained(drawn)
    yield from plan.not_applicable(drawn)
    yield from unread(drawn, offline=offline)
    fits.refuse(drawn)
    yield from fits.lines(drawn, cache=cache.with_name(fits.COUNTS), offline=offline)
    yield from outlook(drawn, result)


def unread(drawn: Plan, *, offline: bool = False) -> Iterator[str]:
    """Yield a line for each task and metric that finds no word in more than half of the first test references."""
    asked = {step.spec.task for step in drawn.steps if isinstance(step.spec, ScoreAnswers)}
    for task in (task for task in drawn.suite.tasks if task.name in asked):
        metrics_here = [metric for metric in task.metrics if not is_program(metric)]
        source = data.pinned(task.source, drawn.pins.sources[task.name])
        samples = list(islice(data.read(source, "test", offline=offline), FIRST))
        for metric in metrics_here:
            none = sum(
                not any(metrics.reads(metric, reference) for reference in sample.references)
                for sample in samples
                if sample.references
            )
            if 2 * none > len(samples):
                yield (
                    f"task {task.name}: {metric} finds no word in {none:,} of the first {len(samples):,} test references "
                    "(it reads only a to z and 0 to 9): these score 0 whatever the answer; use chrf"
                )


def _columns(suite: Suite, *, offline: bool) -> dict[str, set[str]]:
    """Return the columns of each task's test samples, for tasks with a gate that names a column."""
    asked = [gate.task for gate in suite.gates if gate.where or gate.by]
    return {
        task.name: {
            name for sample in data.read(task.source, "test", offline=offline) for name in sample.metadata
        }
        for task in suite.tasks
        if any(fnmatchcase(task.name, pattern) for pattern in asked)
    }


def _task(task: Task, counts: Mapping[Split, int]) -> str:
    listed = ", ".join(f"{count:,} {split}" for split, count in counts.items())
    return f"task {task.name}: {listed} samples from {task.source.uri}"


def _of_data(task: Task, remarks: Mapping[str, int]) -> Iterator[str]:
    """Yield a line for each way of reading that this data needs, and for rows that two splits share."""
    for shape in shapes.COLUMNS:
        if remarks.get(READ_AS + shape):
            more = left_out(remarks)
            yield f"task {task.name}: read as: {shape}{f'; {more}' if more else ''}"
    for kind in SAID:
        if count := remarks.get(kind):
            yield f"task {task.name}: {said(kind, count)}"
    for shared in data.shared_rows(task.source):
        yield f"task {task.name}: {shared}"


def _recipe(recipe: Recipe) -> str:
    return f"recipe {recipe.name}: rank {recipe.rank}, alpha {recipe.alpha:g}, targets {', '.join(recipe.targets)}"
