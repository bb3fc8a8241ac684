"""Count, by a model's tokenizer alone, how many prompts and training examples fit, before anything runs."""

import json
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from itertools import chain, islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

from harness import backends, data, families, kinds
from harness import text as words
from harness.backends import Verb
from harness.checkpoints.window import UNBOUNDED, context_window, too_long
from harness.digest import digest
from harness.errors import HarnessError, SuiteError
from harness.files.json_lines import from_json, read_json, to_json, write_json
from harness.files.regular import regular_text
from harness.neural import architectures, objectives
from harness.neural.objectives import Example
from harness.plan.adapters import training_stop
from harness.results.odd import MANY_SHORTENED
from harness.run.steps.report import Report
from harness.run.steps.score import ScoreAnswers
from harness.types import Model, ModelPin, Plan, Prompt, Recipe, Sample, Task

if TYPE_CHECKING:  # they load torch, which takes seconds
    from harness.neural.architectures import Reader
    from harness.neural.encode import Encoded

COUNTS = "fits.json"  # name of the file that keeps the counts, beside a store's digests
RULES = 3  # raised when the way of counting changes
# At most so many samples of a split are counted, which takes tenths of a second for a task and model.
FIRST = 512
# Tokens by which two ways to load a tokenizer may differ in a prompt: special tokens, spaces that are put before it.
MARGIN = 16


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskPrompts:
    """The prompts of one task that a plan asks of one model."""

    task: Task
    model: Model
    verb: Verb  # what the model is asked for
    shots: int  # examples before each prompt
    samples: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Fit:
    """How many prompts or training examples do not fit."""

    over: int  # do not fit
    of: int
    window: int | None
    lost: int = 0  # of those, how many cannot be shortened enough: they are not asked, or not trained on


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainingExamples:
    """The training examples of one task and recipe that a plan gives to one model."""

    task: Task
    model: Model
    recipe: Recipe


def refuse(plan: Plan) -> None:
    """Raise SuiteError if answers alone are longer than a model's window; a model that is not here yet is passed over."""
    for asked in _task_prompts(plan):
        if asked.verb != "write":
            continue
        try:
            config = _json(_folder(plan, asked.model) / "config.json")
        except HarnessError:
            continue  # the hub's, and not here yet
        window, tokens = context_window(config), asked.task.decode.max_new_tokens
        if window is not None and tokens > window:
            said = too_long(f"model {asked.model.name}", window, tokens)
            raise SuiteError(f"task {asked.task.name}: decode.max_new_tokens: {said}")


def lines(plan: Plan, *, cache: Path, offline: bool = False) -> Iterator[str]:
    """Yield a line for each task and model if more than 1 % of the prompts do not fit, or if that cannot be counted.

    Training examples are counted likewise against a recipe's max_tokens. Raises SuiteError if no prompt of a task can be
    asked, or no example be trained on. `cache` is a JSON file that keeps counts between runs.
    """
    known = _read(cache)
    before = len(known)
    try:
        for texts in chain[TaskPrompts | TrainingExamples](_task_prompts(plan), _training_examples(plan)):
            yield from _counted(plan, texts, known, offline)
    finally:
        if len(known) > before:
            cache.parent.mkdir(parents=True, exist_ok=True)
            write_json(cache, known)


def _counted(
    plan: Plan, texts: TaskPrompts | TrainingExamples, known: dict[str, Any], offline: bool
) -> Iterator[str]:
    what = "prompts fit" if isinstance(texts, TaskPrompts) else "training examples fit"
    try:
        folder = _folder(plan, texts.model)
    except HarnessError:
        yield f"{_whose(texts)}: whether its {what} is known once the model is downloaded"
        return
    name = _key(plan, texts, plan.pins.models[texts.model.name].revision)
    try:
        fit = _kept(known, name) or _count(plan, texts, folder, offline)
    except HarnessError as error:
        yield f"{_whose(texts)}: whether its {what} is not known: {error}"
        return
    known[name] = to_json(fit)
    if fit.of and fit.lost == fit.of:
        raise SuiteError(_none(texts, fit))
    if fit.over > MANY_SHORTENED * fit.of:
        yield _said(texts, fit) if isinstance(texts, TaskPrompts) else _said_of_training(texts, fit)


def _task_prompts(plan: Plan) -> Iterator[TaskPrompts]:
    """Yield each set of prompts once: a base and its adapters are asked the same prompts.

    Texts that are read in windows always fit.
    """
    tasks = {task.name: task for task in plan.suite.tasks}
    models = {model.name: model for model in plan.suite.models if backends.of(model).folder is not None}
    specs = [step.spec for step in plan.steps if isinstance(step.spec, ScoreAnswers)]
    for task, model, shots, samples in dict.fromkeys(
        (spec.task, spec.system.model, tasks[spec.task].shots + spec.system.shots, spec.samples)
        for spec in specs
        if spec.system.model in models
    ):
        pin = plan.pins.models[model]
        asked = _asked(tasks[task], pin)
        verb = kinds.find(asked.kind).verb(asked, models[model], pin)
        if verb is not None and verb != "rolling":
            yield TaskPrompts(task=asked, model=models[model], verb=verb, shots=shots, samples=samples)


def _training_examples(plan: Plan) -> Iterator[TrainingExamples]:
    """Yield each set of training examples once, whatever the seed.

    The report names tasks and recipes; the specs of training steps do not.
    """
    models = {model.name: model for model in plan.suite.models}
    tasks = {task.name: task for task in plan.suite.tasks}
    report = next(step.spec for step in reversed(plan.steps) if isinstance(step.spec, Report))
    recipes = {recipe.name: recipe for recipe in plan.suite.recipes}
    for task, model, recipe in dict.fromkeys(
        (adapter.trained_on, adapter.model, adapter.recipe) for adapter in report.adapters
    ):
        if task is not None and recipe is not None:
            asked = _asked(tasks[task], plan.pins.models[model])
            yield TrainingExamples(task=asked, model=models[model], recipe=recipes[recipe])


def _asked(task: Task, pin: ModelPin) -> Task:
    """Return a task as a model is asked it."""
    return task.for_family(families.asked_as(task.by_family, pin.family))


def _folder(plan: Plan, model: Model) -> Path:
    return backends.folder(model, plan.pins.models[model.name], offline=True)


def _count(plan: Plan, texts: TaskPrompts | TrainingExamples, folder: Path, offline: bool) -> Fit:
    if isinstance(texts, TaskPrompts):
        return _count_prompts(texts, folder, _prompts(plan, texts, offline))
    return _count_examples(texts, folder, _examples(plan, texts, offline))


def _count_prompts(asked: TaskPrompts, folder: Path, prompts: Sequence[Prompt]) -> Fit:
    texts = [prompt.text for prompt in prompts]
    options = (
        {option for prompt in prompts for option in prompt.options} if asked.verb == "likelihoods" else ()
    )
    if _surely_fit(asked.model, folder, texts, _answer_tokens(asked), options=options):
        return Fit(over=0, of=len(prompts), window=None)
    from harness.neural.reading import reading, without_warnings

    with without_warnings():
        reader = reading(folder, asked.model)
        encoded = _encoded(asked, reader, prompts)
    lost = sum(prompt is None for prompt in encoded)
    over = lost + sum(prompt.truncated_tokens > 0 for prompt in encoded if prompt)
    return Fit(over=over, of=len(prompts), window=reader.window, lost=lost)


def _answer_tokens(asked: TaskPrompts) -> int:
    """Return how many tokens a model may write after a prompt."""
    return asked.task.decode.max_new_tokens if asked.verb == "write" else 0


def _encoded(asked: TaskPrompts, reader: "Reader", prompts: Sequence[Prompt]) -> "list[Encoded | None]":
    """Return the prompts just as the model would get them; None in the place of one that cannot be asked."""
    from harness.neural.encode import ahead, encode, room
    from harness.neural.likelihoods import encode_question

    overflow = asked.task.overflow
    if asked.verb == "likelihoods":
        found = [encode_question(reader, prompt, overflow) for prompt in ahead(reader, prompts)]
        return [each.prompt if each else None for each in found]
    most = room(reader, _answer_tokens(asked))
    return [encode(reader, prompt, overflow, most) for prompt in ahead(reader, prompts)]


def _count_examples(training: TrainingExamples, folder: Path, examples: Sequence[Example]) -> Fit:
    texts = [
        f"{example.prompt.text} {answer}"
        for example in examples
        for answer in (example.answer, example.rejected)
        if answer is not None
    ]
    if _surely_fit(training.model, folder, texts, 1, training.recipe.max_tokens - 1):  # end-of-sequence
        return Fit(over=0, of=len(examples), window=None)
    from harness.neural.reading import reading, without_warnings

    with without_warnings():
        reader = reading(folder, training.model)
        objective, _ = objectives.of(training.recipe, reader.architecture)
        items = [objective.encode(reader, example, training.recipe) for example in examples]
    lost = sum(item is None for item in items)
    over = lost + sum(item.truncated_tokens > 0 for item in items if item)
    return Fit(over=over, of=len(examples), window=reader.window, lost=lost)


def _examples(plan: Plan, training: TrainingExamples, offline: bool) -> list[Example]:
    """Return the first training samples with their answers; training itself draws its samples from all at random."""
    task = training.task
    source, kind = data.pinned(task.source, plan.pins.sources[task.name]), kinds.find(task.kind)
    samples = islice(data.read(source, "train", offline=offline), FIRST)
    return [
        Example(
            id=sample.id,
            prompt=kind.ask(task, sample, ()),
            answer=kind.target(task, sample),
            overflow=task.overflow,
            stop=training_stop(task, plan.pins.models[training.model.name]),
            labels=task.source.labels,
            rejected=kind.rejected(sample) if kind.rejected else None,
        )
        for sample in samples
    ]


def _prompts(plan: Plan, asked: TaskPrompts, offline: bool) -> list[Prompt]:
    source = data.pinned(asked.task.source, plan.pins.sources[asked.task.name])
    kind = kinds.find(asked.task.kind)
    shots: Sequence[Sample] = ()
    if asked.shots:
        shots = kind.choose_shots([*data.read(source, "train", offline=offline)], asked.shots, asked.task)
    samples = islice(data.read(source, "test", offline=offline), min(asked.samples, FIRST))
    return [kind.ask(asked.task, sample, shots) for sample in samples]


def _surely_fit(
    model: Model,
    folder: Path,
    texts: Sequence[str],
    answer_tokens: int,
    at_most: int | None = None,
    options: Collection[str] = (),  # one of them follows each text
) -> bool:
    """Return whether all texts fit with room to spare, without importing transformers, which takes seconds."""
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
    except (
        Exception
    ):  # tokenizers raises no narrower one; the file is absent, or can be loaded in another way
        return False
    tokenizer.no_truncation()
    tokenizer.no_padding()
    longest, option = (
        max((len(encoded) for encoded in tokenizer.encode_batch(list(some))), default=0)
        for some in (texts, options)
    )
    return most is not None and longest + option + MARGIN <= most


def _said(asked: TaskPrompts, fit: Fit) -> str:
    first = "of the first " if asked.samples > fit.of else "of "
    share = words.percent(fit.over, fit.of)
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
        f"{_whose(asked)}: {fit.over:,} {first}{words.plural(fit.of, 'prompt')} ({share}) do not fit its window "
        f"of {fit.window:,} tokens{_beside(asked)} and {what}. {_remedy(asked).capitalize()}"
    )


def _beside(asked: TaskPrompts) -> str:
    """Return what has to fit into a window beside a prompt."""
    match asked.verb:
        case "write":
            return f" with answers of {asked.task.decode.max_new_tokens}"
        case "likelihoods":
            return " with the longest option"
        case _:
            return ""


def _remedy(asked: TaskPrompts) -> str:
    lower = "lower max_new_tokens, " if asked.verb == "write" else ""
    return f"{lower}shorten the prompt or choose a model with a longer window"


def _said_of_training(training: TrainingExamples, fit: Fit) -> str:
    shortened, share = fit.over - fit.lost, words.percent(fit.over, fit.of)
    what = " and ".join(
        f"{count:,} are {way}" for count, way in ((shortened, "shortened"), (fit.lost, "left out")) if count
    )
    return (
        f"{_whose(training)}: {fit.over:,} of the first {words.plural(fit.of, 'training example')} ({share}) do "
        f"not fit max_tokens: {training.recipe.max_tokens}: {what}. Raise it"
    )


def _none(texts: TaskPrompts | TrainingExamples, fit: Fit) -> str:
    """Return the message that no prompt can be asked, or no example be trained on."""
    if isinstance(texts, TrainingExamples):
        return (
            f"{_whose(texts)}: none of the first {words.plural(fit.of, 'training example')} fits max_tokens: "
            f"{texts.recipe.max_tokens}; raise it"
        )
    return (
        f"{_whose(texts)}: none of {words.plural(fit.of, 'prompt')} can be asked: they do not fit its window of "
        f"{fit.window:,} tokens{_beside(texts)}; {_remedy(texts)}"
    )


def _whose(texts: TaskPrompts | TrainingExamples) -> str:
    if isinstance(texts, TrainingExamples):
        return f"recipe {texts.recipe.name}, task {texts.task.name}, model {texts.model.name}"
    shots = f" ({texts.shots}-shot)" if texts.shots else ""
    return f"task {texts.task.name}, model {texts.model.name}{shots}"


def _key(plan: Plan, texts: TaskPrompts | TrainingExamples, revision: str) -> str:
    """Return a digest of all that can move the count."""
    task, libraries = texts.task, plan.pins.libraries
    counted: tuple[object, ...] = (
        (texts.verb, texts.shots, _answer_tokens(texts), min(texts.samples, FIRST))
        if isinstance(texts, TaskPrompts)
        else ("training", texts.recipe.max_tokens, texts.recipe.objective)
    )
    rules = plan.pins.rules.get(task.name, ())
    return digest(
        *(RULES, plan.pins.sources[task.name], task.source.columns, task.source.splits, task.source.config),
        *(
            task.source.shape,
            task.kind,
            task.prompt,
            task.system,
            task.overflow,
            task.settings,
            task.source.labels,
            *counted,
            plan.pins.scripts,
            *rules,
        ),
        *(revision, texts.model.chat, libraries.get("transformers"), libraries.get("tokenizers")),
    )


def _json(path: Path) -> dict[str, Any]:
    """Return the content of a checkpoint's JSON file; empty if it cannot be read, which loading the model will report."""
    try:
        found = json.loads(regular_text(path))
    except (OSError, ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}


def _kept(known: dict[str, Any], name: str) -> Fit | None:
    """Return an earlier count; None if there is none, or if it cannot be read."""
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
