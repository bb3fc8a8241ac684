"""Find what is wrong before anything runs: names, templates, columns, sources, checkpoints."""

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from itertools import islice
from math import prod
from pathlib import Path

from harness import backends, data, metrics
from harness import text as words
from harness.errors import AdapterError, ModelError
from harness.files.devices import refuse_unknown
from harness.files.validation import At, placed
from harness.files.yaml import Keys, dotted
from harness.gates.checks import checks
from harness.plan import fits, plan, wording
from harness.plan.examined import check_trainable, examined
from harness.plan.expected_result import expected
from harness.plan.outlook import outlook, refuse
from harness.plan.pins import model_place, pins, scorable
from harness.plan.steps import splits_needed
from harness.run.steps.score import ScoreAnswers
from harness.suite import lm_eval_task
from harness.suite.load import load_recipes, load_suite, load_task, place, task_place
from harness.suite.named import kind_of
from harness.tasks import shapes
from harness.tasks.metric_names import is_program
from harness.tasks.remarks import READ_AS, SAID, left_out, said
from harness.tasks.split_questions import SplitQuestions
from harness.types import Plan, Recipe, Sample, Split, Suite, Task

FIRST = 512  # test samples whose references are read


def check_named(
    name: str, *, offline: bool, cache: Path, result: Path | None = None, device: str = "auto"
) -> Iterator[str]:
    """Check a suite, task or recipe; yield a line for each part that is sound."""
    kind = kind_of(name)
    if kind == "task":
        task = load_task(name)
        with placed(task_place(name)):
            read = _read(task, offline=offline)
            data.check_shots(task, read.counts)
        yield from _of_data(read)
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
    refuse_unknown(device)
    pinned = pins(suite, device=device, offline=offline, cache=cache, at=at)
    training: dict[str, int] = {}  # samples, by task
    for n, task in enumerate(suite.tasks):
        with placed(at, "tasks", n):
            read = _read(task, offline=offline)
            data.refuse_missing(task, splits_needed(suite, task), read.counts)
        training[task.name] = read.counts.get("train", 0)
        yield from _of_data(read)
    for n, model in enumerate(suite.models):
        pin = pinned.models[model.name]
        dtype = (
            f", {pin.dtype}" if backends.of(model).pin_adapter is None else ""
        )  # of a server's weights, not known
        yield f"model {model.name}: {model.uri} at {pin.revision[:12]}, {pin.family or 'no family'}{dtype}"
        for line in backends.of(model).describe(model, pin):
            yield f"model {model.name}: {line}"
        try:
            lines = examined(suite, pinned, model, offline=offline, cache=cache)
        except AdapterError:  # it names the adapter, whose fault it is
            raise
        except ModelError as error:
            raise ModelError(f"{model_place(at, n, model)}: {error}") from error
        for line in lines:
            yield f"model {model.name}: {line}"
        check_trainable(suite, pinned, model, offline=offline)
    yield from map(_recipe, suite.recipes)
    drawn = plan.plan(suite, pinned)
    yield from wording.without_role(drawn)
    yield from wording.asked_otherwise(drawn)
    yield from wording.own_words(drawn)
    yield from wording.few_steps(drawn, training)
    yield from wording.stages(drawn)
    refuse(drawn, _columns(suite, offline=offline), at)
    yield from _limits(drawn, at)
    yield from plan.untrained(drawn)
    yield from plan.not_applicable(drawn)
    yield from unread(drawn, offline=offline)
    fits.refuse(drawn)
    yield from fits.lines(drawn, cache=cache.with_name(fits.COUNTS), offline=offline)
    yield from outlook(drawn, result)


def _limits(drawn: Plan, at: At | None) -> Iterator[str]:
    """Yield a line for each `min_value` of a score from 0 to 100 that looks like a share of 1, or lies above."""
    found: dict[str, None] = {}
    for asked in checks(drawn.suite.gates, expected(drawn)):
        if (
            asked.rule.name != "min_value"
            or asked.plugin is None
            or asked.limit <= 0
            or 1 < asked.limit <= 100
        ):
            continue
        metric = metrics.own(asked.plugin)
        if metric is not None and metric.unit in ("%", "points") and metric.better == "higher":
            keys: Keys = ("gates", drawn.suite.gates.index(asked.gate), "min_value")
            where = at(*keys) if at else dotted(keys)
            if asked.limit > 100:
                said, more = "can never be reached", "write at most 100"
            else:
                said = "is almost no demand"
                more = f"write {100 * asked.limit:g} for {100 * asked.limit:g}{words.SPACE}%"
            found[f"{where}: {asked.limit:g} {said}: {asked.metric} runs from 0 to 100; {more}"] = None
    yield from found


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


@dataclass(slots=True, kw_only=True)
class _DataRead:
    """What was found in the data of a task."""

    task: Task
    counts: Mapping[Split, int] = field(default_factory=dict)
    remarks: Counter[str] = field(default_factory=Counter)
    questions: SplitQuestions = field(default_factory=SplitQuestions)
    empty: list[str] = field(default_factory=list)  # places of samples with an empty input

    def watch(self, split: Split, where: str, sample: Sample) -> None:
        """Take note of a sample."""
        self.questions.add(split, sample)
        if not any(text.strip() for text in sample.told):
            self.empty.append(where)


def _read(task: Task, *, offline: bool) -> _DataRead:
    """Return what is found in the data of a task; raise SuiteError for a sample that cannot be read or asked."""
    found = _DataRead(task=task)
    found.counts = data.check(task, scorable(task), offline=offline, remarks=found.remarks, watch=found.watch)
    return found


def _of_data(read: _DataRead) -> Iterator[str]:
    """Yield lines on the samples of a task, on each way of reading that they need, and on what two splits share."""
    task, remarks = read.task, read.remarks
    yield _task(task, read.counts)
    for remark in lm_eval_task.remarks_on(task):
        yield f"task {task.name}: {remark}"
    if read.empty:
        has = "has" if len(read.empty) == 1 else "have"
        more = f" and {len(read.empty) - 1:,} more" if len(read.empty) > 1 else ""
        yield (
            f"task {task.name}: {words.plural(len(read.empty), 'sample')} {has} an empty input ({read.empty[0]}{more}); "
            "fill it in, or drop the row"
        )
    for shape in shapes.COLUMNS:
        if remarks.get(READ_AS + shape):
            more = left_out(remarks)
            yield f"task {task.name}: read as: {shape}{f'; {more}' if more else ''}"
    for kind in SAID:
        if count := remarks.get(kind):
            yield f"task {task.name}: {said(kind, count)}"
    for shared in data.shared_rows(task.source):
        yield f"task {task.name}: {shared}"
    for one, other, count in read.questions.shared():
        of, same = read.counts[other], "has the same input" if count == 1 else "have the same input"
        yield (
            f"task {task.name}: {count:,} of {words.plural(of, f'{other} sample')} ({words.percent(count, of)}) {same} as a "
            f"{one} sample, apart from case and punctuation; give each sample to one split"
        )


def _recipe(recipe: Recipe) -> str:
    if recipe.halving is not None:
        count, swept = prod(map(len, recipe.sweep.values())), words.listed(list(recipe.sweep))
        return (
            f"recipe {recipe.name}: one adapter of {words.plural(count, 'combination')} of {swept}, "
            f"{words.plural(recipe.halving.rungs, 'rung')}, targets {', '.join(recipe.targets)}"
        )
    start = f", starts from {recipe.start.recipe}" if recipe.start else ""
    start += f" on {recipe.start.task}" if recipe.start and recipe.start.task else ""
    if kind := recipe.peft.get("type"):
        return f"recipe {recipe.name}: {str(kind).upper()}, targets {', '.join(recipe.targets)}{start}"
    shape = f"rank {recipe.rank}, alpha {recipe.alpha:g}"
    return f"recipe {recipe.name}: {shape}, targets {', '.join(recipe.targets)}{start}"
