"""Whether prompts and training examples fit, counted by a model's tokenizer alone, before anything runs."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import chain, islice
from pathlib import Path
from typing import Any

from harness import backends, data, kinds
from harness import text as words
from harness.checkpoints.window import UNBOUNDED, context_window, too_long
from harness.digest import digest
from harness.errors import HarnessError, SuiteError
from harness.files.json_lines import from_json, read_json, to_json, write_json
from harness.files.regular import regular_text
from harness.neural import architectures, objectives
from harness.neural.objectives import Example
from harness.results.odd import MANY_SHORTENED
from harness.run.steps.report import Report
from harness.run.steps.score import ScoreAnswers
from harness.types import Model, Plan, Prompt, Recipe, Sample, Task

COUNTS = "fits.json"  # the file beside the digests of a store that keeps the counts
RULES = 2  # raised when something else is counted
FIRST = 512  # samples of a split whose prompts are counted at most: tenths of a second a task and model
# Tokens by which two ways to load a tokenizer may differ in a prompt: special tokens, blanks that are put before it.
MARGIN = 16


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskPrompts:
    """Prompts that a plan asks of one model."""

    task: Task
    model: Model
    shots: int  # examples before each prompt
    samples: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Fit:
    """What was counted."""

    over: int  # prompts, or training examples, that do not fit
    of: int
    window: int | None
    lost: int = 0  # of them those that cannot be shortened: they are not asked, or not learnt from


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainingExamples:
    """Training examples that a plan gives to one model."""

    task: Task
    model: Model
    recipe: Recipe


def refuse(plan: Plan) -> None:
    """Raise SuiteError where answers alone are longer than a model's window, as far as its files are here."""
    for asked in _asked(plan):
        try:
            config = _json(_folder(plan, asked.model) / "config.json")
        except HarnessError:
            continue  # the hub's, and not here yet
        window, tokens = context_window(config), asked.task.decode.max_new_tokens
        if window is not None and tokens > window:
            said = too_long(f"model {asked.model.name}", window, tokens)
            raise SuiteError(f"task {asked.task.name}: decode.max_new_tokens: {said}")


def lines(plan: Plan, *, cache: Path, offline: bool = False) -> Iterator[str]:
    """Yield a line for each task and model of whose prompts more than 1 % do not fit, or of which that is not known.

    So for training examples and a recipe's max_tokens. Raises SuiteError where none of them can be asked or learnt from.
    `cache` is a JSON file that keeps counts between runs.
    """
    known = _read(cache)
    before = len(known)
    try:
        for one in chain[TaskPrompts | TrainingExamples](_asked(plan), _learnt(plan)):
            yield from _counted(plan, one, known, offline)
    finally:
        if len(known) > before:
            cache.parent.mkdir(parents=True, exist_ok=True)
            write_json(cache, known)


def _counted(
    plan: Plan, one: TaskPrompts | TrainingExamples, known: dict[str, Any], offline: bool
) -> Iterator[str]:
    what = "prompts fit" if isinstance(one, TaskPrompts) else "training examples fit"
    try:
        folder = _folder(plan, one.model)
    except HarnessError:
        yield f"{_whose(one)}: whether its {what} is known once the model is downloaded"
        return
    name = _key(plan, one, plan.pins.models[one.model.name].revision)
    try:
        fit = _kept(known, name) or _count(plan, one, folder, offline)
    except HarnessError as error:
        yield f"{_whose(one)}: whether its {what} is not known: {error}"
        return
    known[name] = to_json(fit)
    if fit.of and fit.lost == fit.of:
        raise SuiteError(_none(one, fit))
    if fit.over > MANY_SHORTENED * fit.of:
        yield _said(one, fit) if isinstance(one, TaskPrompts) else _said_of_training(one, fit)


def _asked(plan: Plan) -> Iterator[TaskPrompts]:
    """Each set of prompts once; those of a base and its adapters are the same."""
    tasks = {task.name: task for task in plan.suite.tasks}
    models = {model.name: model for model in plan.suite.models if backends.of(model).folder is not None}
    specs = [step.spec for step in plan.steps if isinstance(step.spec, ScoreAnswers)]
    for task, model, shots, samples in dict.fromkeys(
        (spec.task, spec.system.model, tasks[spec.task].shots + spec.system.shots, spec.samples)
        for spec in specs
        if spec.system.model in models
    ):
        yield TaskPrompts(task=tasks[task], model=models[model], shots=shots, samples=samples)


def _learnt(plan: Plan) -> Iterator[TrainingExamples]:
    """Each set of training examples once, whatever the seed; a step's own task and recipe bear no name."""
    models = {model.name: model for model in plan.suite.models}
    tasks = {task.name: task for task in plan.suite.tasks}
    report = next(step.spec for step in reversed(plan.steps) if isinstance(step.spec, Report))
    recipes = {recipe.name: recipe for recipe in plan.suite.recipes}
    for task, model, recipe in dict.fromkeys(
        (one.trained_on, one.model, one.recipe) for one in report.adapters
    ):
        if task is not None and recipe is not None:
            yield TrainingExamples(task=tasks[task], model=models[model], recipe=recipes[recipe])


def _folder(plan: Plan, model: Model) -> Path:
    return backends.folder(model, plan.pins.models[model.name], offline=True)


def _count(plan: Plan, one: TaskPrompts | TrainingExamples, folder: Path, offline: bool) -> Fit:
    if isinstance(one, TaskPrompts):
        return _count_prompts(one, folder, _prompts(plan, one, offline))
    return _count_examples(one, folder, _examples(plan, one, offline))


def _count_prompts(asked: TaskPrompts, folder: Path, prompts: Sequence[Prompt]) -> Fit:
    tokens = asked.task.decode.max_new_tokens
    if _surely_fit(asked.model, folder, [prompt.text for prompt in prompts], tokens):
        return Fit(over=0, of=len(prompts), window=None)
    from harness.neural.encode import ahead, encode, room
    from harness.neural.reading import reading, without_warnings

    with without_warnings():
        reader = reading(folder, asked.model)
        most = room(reader, tokens)
        found = [encode(reader, one, asked.task.overflow, most) for one in ahead(reader, prompts)]
    lost = sum(one is None for one in found)
    over = lost + sum(one.truncated_tokens > 0 for one in found if one)
    return Fit(over=over, of=len(prompts), window=reader.window, lost=lost)


def _count_examples(learnt: TrainingExamples, folder: Path, examples: Sequence[Example]) -> Fit:
    texts = [f"{example.prompt.text} {example.answer}" for example in examples]
    if _surely_fit(learnt.model, folder, texts, 1, learnt.recipe.max_tokens - 1):  # end-of-sequence
        return Fit(over=0, of=len(examples), window=None)
    from harness.neural.reading import reading, without_warnings

    objective, _ = objectives.of(learnt.recipe)
    with without_warnings():
        reader = reading(folder, learnt.model)
        found = [objective.encode(reader, example, learnt.recipe) for example in examples]
    lost = sum(one is None for one in found)
    over = lost + sum(one.truncated_tokens > 0 for one in found if one)
    return Fit(over=over, of=len(examples), window=reader.window, lost=lost)


def _examples(plan: Plan, learnt: TrainingExamples, offline: bool) -> list[Example]:
    """Return the first training samples with their answers; a recipe's own are drawn from all by chance."""
    task = learnt.task
    source, kind = data.pinned(task.source, plan.pins.sources[task.name]), kinds.find(task.kind)
    samples = islice(data.read(source, "train", offline=offline), FIRST)
    return [
        Example(
            id=sample.id,
            prompt=kind.ask(task, sample, ()),
            answer=kind.target(sample),
            overflow=task.overflow,
        )
        for sample in samples
    ]


def _prompts(plan: Plan, asked: TaskPrompts, offline: bool) -> list[Prompt]:
    source = data.pinned(asked.task.source, plan.pins.sources[asked.task.name])
    kind = kinds.find(asked.task.kind)
    shots: Sequence[Sample] = ()
    if asked.shots:
        shots = kind.choose_shots([*data.read(source, "train", offline=offline)], asked.shots)
    samples = islice(data.read(source, "test", offline=offline), min(asked.samples, FIRST))
    return [kind.ask(asked.task, sample, shots) for sample in samples]


def _surely_fit(
    model: Model, folder: Path, texts: Sequence[str], answer_tokens: int, at_most: int | None = None
) -> bool:
    """Whether all texts fit by far: told in a moment, without transformers, which takes seconds to import."""
    config, said = _json(folder / "config.json"), _json(folder / "tokenizer_config.json")
    templated = "chat_template" in said or any(folder.glob("chat_template*"))
    limit = said.get("model_max_length")
    window = context_window(config) or (
        int(limit) if isinstance(limit, int | float) and 0 < limit < UNBOUNDED else None
    )
    if window is None or (templated and model.chat != "off") or model.chat == "on":
        return False
    most = architectures.room_of(architectures.of(config), window, answer_tokens, name=f"model {model.name}")
    if at_most is not None:
        most = at_most if most is None else min(most, at_most)
    try:
        from tokenizers import Tokenizer

        tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
    except Exception:  # tokenizers raises no other: not there, or another way to load it may do
        return False
    tokenizer.no_truncation()
    tokenizer.no_padding()
    longest = max((len(one) for one in tokenizer.encode_batch(list(texts))), default=0)
    return most is not None and longest + MARGIN <= most


def _said(asked: TaskPrompts, fit: Fit) -> str:
    first = "of the first " if asked.samples > fit.of else "of "
    tokens = asked.task.decode.max_new_tokens
    not_asked = "not asked, which counts as an empty answer"
    if asked.task.overflow == "refuse":
        what = "are refused, which counts as an empty answer"
    elif not fit.lost:
        what = "are shortened; its scores measure what is left"
    elif fit.lost == fit.over:
        what = f"cannot be shortened enough: they are {not_asked}"
    else:
        what = f"are shortened, but {fit.lost:,} cannot be shortened enough: they are {not_asked}"
    return (
        f"{_whose(asked)}: {fit.over:,} {first}{words.plural(fit.of, 'prompt')} ({_share(fit)}) do not fit its window "
        f"of {fit.window:,} tokens with answers of {tokens} and {what}. Lower max_new_tokens, shorten the prompt or "
        "choose a model with a longer window"
    )


def _said_of_training(learnt: TrainingExamples, fit: Fit) -> str:
    shortened = fit.over - fit.lost
    what = " and ".join(
        f"{count:,} are {way}" for count, way in ((shortened, "shortened"), (fit.lost, "left out")) if count
    )
    return (
        f"{_whose(learnt)}: {fit.over:,} of the first {words.plural(fit.of, 'training example')} ({_share(fit)}) do "
        f"not fit max_tokens: {learnt.recipe.max_tokens}: {what}. Raise it"
    )


def _none(one: TaskPrompts | TrainingExamples, fit: Fit) -> str:
    """Say that nothing could be asked, or learnt from."""
    if isinstance(one, TrainingExamples):
        return (
            f"{_whose(one)}: none of the first {words.plural(fit.of, 'training example')} fits max_tokens: "
            f"{one.recipe.max_tokens}; raise it"
        )
    return (
        f"{_whose(one)}: none of {words.plural(fit.of, 'prompt')} can be asked: with answers of "
        f"{one.task.decode.max_new_tokens} tokens they do not fit its window of {fit.window:,} tokens; "
        "lower max_new_tokens, shorten the prompt or choose a model with a longer window"
    )


def _share(fit: Fit) -> str:
    return f"{100 * fit.over / fit.of:.0f}{words.SPACE}%"


def _whose(one: TaskPrompts | TrainingExamples) -> str:
    if isinstance(one, TrainingExamples):
        return f"recipe {one.recipe.name}, task {one.task.name}, model {one.model.name}"
    shots = f" ({one.shots}-shot)" if one.shots else ""
    return f"task {one.task.name}, model {one.model.name}{shots}"


def _key(plan: Plan, one: TaskPrompts | TrainingExamples, revision: str) -> str:
    """Of all that can move the count."""
    task, libraries = one.task, plan.pins.libraries
    counted: tuple[object, ...] = (
        (one.shots, task.decode.max_new_tokens, min(one.samples, FIRST))
        if isinstance(one, TaskPrompts)
        else ("training", one.recipe.max_tokens)
    )
    return digest(
        *(RULES, plan.pins.sources[task.name], task.source.columns, task.source.splits, task.source.config),
        *(task.kind, task.prompt, task.overflow, *counted),
        *(revision, one.model.chat, libraries.get("transformers"), libraries.get("tokenizers")),
    )


def _json(path: Path) -> dict[str, Any]:
    """What a checkpoint's file says; nothing where it cannot be read, which whoever loads it tells."""
    try:
        found = json.loads(regular_text(path))
    except (OSError, ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}


def _kept(known: dict[str, Any], name: str) -> Fit | None:
    """What was counted before; None where that is not there or cannot be read."""
    try:
        return from_json(Fit, known[name])
    except (KeyError, ValueError):
        return None


def _read(cache: Path) -> dict[str, Any]:
    try:
        found = read_json(cache)
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}
