"""The time and memory of a step by its sizes and the speed of this machine, whether or not such a step ever ran."""

import math
from dataclasses import dataclass
from statistics import fmean

from harness import backends, families, kinds
from harness.checkpoints.window import UNBOUNDED
from harness.errors import HarnessError
from harness.files.speed import Speed
from harness.neural.rungs import combinations, total_steps
from harness.plan.known import Known
from harness.plan.lengths import Lengths, stretched
from harness.plan.memory import (
    AnsweringBatches,
    Loaded,
    Memory,
    TrainingBatches,
    answering,
    batch_tokens,
    training,
)
from harness.plan.work import Examples, answering_seconds, read_tokens, reading_seconds, training_seconds
from harness.run.steps.compare import Compare
from harness.run.steps.foreign import ForeignScore
from harness.run.steps.generate import Generate
from harness.run.steps.load import Load
from harness.run.steps.report import Report
from harness.run.steps.score import ScoreAnswers
from harness.run.steps.spectra import Spectra
from harness.run.steps.train import Train
from harness.types import Recipe, System
from harness.weights import cost as weighing

# Seconds of light work on one core of an AMD EPYC (Milan), as the quickstart's steps recorded them.
SAMPLE_METRIC_SECONDS = 1.5e-4  # scoring a sample by a metric, its part of the resampling included
LOAD_SECONDS, COMPARE_SECONDS, REPORT_SECONDS = 0.2, 0.02, 0.03  # of a task; of a cell; of a system on a task
FOREIGN_SECONDS = 5.0  # a program of other people
# Where a speed is not known, the ratio of two times still is.
ANY_SPEED = Speed(thin=1e11, narrow=1e11, wide=1e11, stream=1e10, call=1e-6)


@dataclass(frozen=True, slots=True, kw_only=True)
class Tokens:
    """The tokens of the prompts and answers of a step."""

    prompts: tuple[int, ...]
    answers: tuple[int, ...]


def seconds(
    known: Known,
    spec: object,
    task: str | None,  # the name of the step's task
    tokens: Tokens | None = None,  # that a finished step had
) -> float | None:
    """Return the seconds that a step's sizes give; None where they are not known."""
    match spec:
        case Generate():
            return _generating(known, spec, task, tokens)
        case Train():
            return _training(known, spec, task)
        case ScoreAnswers():
            return SAMPLE_METRIC_SECONDS * spec.samples * max(1, len(spec.metrics))
        case ForeignScore():
            return FOREIGN_SECONDS
        case Load():
            return LOAD_SECONDS
        case Compare():
            return COMPARE_SECONDS * len(spec.cells)
        case Report():
            return REPORT_SECONDS * len(spec.parts)
        case Spectra():
            return _weighing(known, spec)
    return None


def sure(known: Known, spec: object) -> bool:
    """Return whether the seconds of a step are more than a measure of its size."""
    if isinstance(spec, Generate | Train):
        return known.speed is not None and spec.used.model.name in known.loaded
    return True


def _generating(known: Known, spec: Generate, task: str | None, tokens: Tokens | None) -> float | None:
    count = spec.stop - spec.start
    loaded = known.loaded.get(spec.used.model.name)
    if loaded is None:
        return float(count)
    tokens = tokens or _tokens_of(known, spec, task)
    if tokens is None:
        return None
    batches = _answering(known, spec, loaded, tokens)
    if kinds.find(spec.task.kind).verb(spec.task, spec.used.model, spec.used.pin) != "write":
        return reading_seconds(loaded, batches, tokens.prompts, known.speed or ANY_SPEED)
    return answering_seconds(loaded, batches, tokens.prompts, tokens.answers, known.speed or ANY_SPEED)


def _tokens_of(known: Known, spec: Generate, task: str | None) -> Tokens | None:
    """Return the tokens to expect: an answer is taken to be as long as its reference."""
    if task is None:
        return None
    found = known.lengths.test(task, spec.used.model.name, spec.task.shots)
    if found is None:
        return None
    draws = kinds.find(spec.task.kind).draws(spec.task)
    most, count = spec.task.decode.max_new_tokens, draws * (spec.stop - spec.start)
    loaded = known.loaded.get(spec.used.model.name)
    window = loaded.shape.window if loaded else None
    fits = max(1, (window or UNBOUNDED) - most)  # a longer prompt is shortened
    return Tokens(
        prompts=tuple(min(fits, prompt) for prompt in stretched(found.prompts, count)),
        answers=tuple(min(most, answer) for answer in stretched(found.answers, count)),
    )


def _answering(known: Known, spec: Generate, loaded: Loaded, tokens: Tokens) -> AnsweringBatches:
    runtime = known.runtime
    budget = batch_tokens(loaded, int(known.memory_bytes), runtime.batch_tokens, runtime.workers)
    return AnsweringBatches(
        samples=len(tokens.prompts),
        longest=max(tokens.prompts, default=1),
        answer_tokens=spec.task.decode.max_new_tokens,
        batch_tokens=budget,
        read_tokens=read_tokens(loaded, runtime.threads),
    )


def _training(known: Known, spec: Train, task: str | None) -> float | None:
    loaded = known.loaded.get(spec.used.model.name)
    if loaded is None or task is None:
        return None
    found = known.lengths.training(task, spec.used.model.name)
    if found is None:
        return None

    def whole(recipe: Recipe) -> float:
        examples = _examples(found, recipe)
        return training_seconds(loaded, _batches(found, recipe), examples, known.speed or ANY_SPEED)

    if spec.recipe.halving is None:
        return whole(spec.recipe)
    steps = _examples(found, spec.recipe).steps
    return fmean(map(whole, combinations(spec.recipe).values())) * total_steps(spec.recipe, steps) / steps


def _examples(found: Lengths, recipe: Recipe) -> Examples:
    count = min(found.samples, recipe.max_samples or found.samples)
    steps = recipe.steps or math.ceil((recipe.epochs or 1.0) * count / recipe.batch_size)
    prompts, answers = _cut(found, recipe)
    return Examples(
        prompts=prompts,
        answers=answers,
        checked=recipe.validation_samples,
        validations=max(1, min(recipe.validations, steps)) if recipe.validation_samples else 0,
        steps=steps,
    )


def _cut(found: Lengths, recipe: Recipe) -> tuple[list[int], list[int]]:
    """Return the lengths of prompts and answers, each pair shortened to the recipe's tokens."""
    pairs = [
        (min(prompt, max(1, recipe.max_tokens - answer)), min(answer, recipe.max_tokens))
        for prompt, answer in zip(found.prompts, found.answers, strict=True)
    ]
    return [prompt for prompt, _ in pairs], [answer for _, answer in pairs]


def _batches(found: Lengths, recipe: Recipe) -> TrainingBatches:
    prompts, answers = _cut(found, recipe)
    pairs = sorted(zip(prompts, answers, strict=True), key=sum)
    # A batch has examples of similar lengths; its answers are as long as those of the longest examples on average.
    longest = pairs[-recipe.batch_size :]
    return TrainingBatches(
        recipe=recipe,
        rows=min(recipe.batch_size, recipe.micro_batch_size or recipe.batch_size),
        longest=sum(longest[-1]),
        answer=round(sum(answer for _, answer in longest) / len(longest)),
        checked=round(recipe.validation_samples * sum(map(sum, pairs)) / len(pairs)),
    )


def _weighing(known: Known, spec: Spectra) -> float | None:
    model = spec.used.model
    try:
        folder = backends.folder(model, spec.used.pin, offline=True)
    except HarnessError:
        return None
    adapter = known.adapters.get(System(model=model.name, adapter=spec.name))
    recipes = {recipe.name: recipe for recipe in known.plan.suite.recipes}
    recipe = recipes.get(adapter.recipe or "") if adapter else None
    targets = None if recipe is None else recipe.targets
    family = families.find(spec.used.pin.family or "generic")
    return weighing.of_step(folder, family, spec.weighing, targets, merged=spec.adapter is not None) / max(
        1, known.runtime.threads
    )


def memory(known: Known, spec: object, task: str | None) -> Memory | None:
    """Return the peak memory of a step that answers or trains; None for another step, or where sizes are not known."""
    if not isinstance(spec, Generate | Train) or task is None:
        return None
    loaded = known.loaded.get(spec.used.model.name)
    if loaded is None:
        return None
    if isinstance(spec, Train):
        found = known.lengths.training(task, spec.used.model.name)
        if found is None:
            return None
        recipes = combinations(spec.recipe).values() if spec.recipe.halving else (spec.recipe,)
        peaks = [training(loaded, _batches(found, recipe)) for recipe in recipes]
        return max(peaks, key=lambda peak: peak.bytes)
    tokens = _tokens_of(known, spec, task)
    return None if tokens is None else answering(loaded, _answering(known, spec, loaded, tokens))
