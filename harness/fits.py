"""Whether prompts fit their model's window, counted by its tokenizer alone, before anything runs."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

from harness import data, kinds
from harness.digest import digest
from harness.errors import HarnessError, SuiteError
from harness.models import SCHEMES
from harness.pins import locate
from harness.records import from_json, read_json, to_json, write_json
from harness.regular import regular_text
from harness.report import words
from harness.result.odd import MANY_SHORTENED
from harness.steps.score import ScoreAnswers
from harness.types import Model, Plan, Prompt, Sample, Task
from harness.window import context_window, prompt_room, too_long

COUNTS = "fits.json"  # the file beside the digests of a store that keeps the counts
FIRST = 512  # test samples whose prompts are counted at most: tenths of a second a task and model
# Tokens by which two ways to load a tokenizer may differ in a prompt: special tokens, blanks that are put before it.
MARGIN = 16
UNBOUNDED = 1_000_000  # tokenizers without a limit say 1e30


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """Prompts that a plan asks of one model."""

    task: Task
    model: Model
    shots: int  # examples before each prompt
    samples: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Fit:
    """What was counted."""

    over: int  # prompts that do not fit
    of: int
    window: int | None


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

    `cache` is a JSON file that keeps counts between runs.
    """
    known = _read(cache)
    before = len(known)
    for asked in _asked(plan):
        pin = plan.pins.models[asked.model.name]
        try:
            folder = _folder(plan, asked.model)
        except HarnessError:
            yield f"{_whose(asked)}: whether its prompts fit is known once the model is downloaded"
            continue
        name = _key(plan, asked, pin.revision)
        try:
            fit = _kept(known, name) or _count(plan, asked, folder, offline)
        except HarnessError as error:
            yield f"{_whose(asked)}: whether its prompts fit is not known: {error}"
            continue
        known[name] = to_json(fit)
        if fit.over > MANY_SHORTENED * fit.of:
            yield _said(asked, fit)
    if len(known) > before:
        cache.parent.mkdir(parents=True, exist_ok=True)
        write_json(cache, known)


def _asked(plan: Plan) -> Iterator[Asked]:
    """Each set of prompts once; those of a base and its adapters are the same."""
    tasks = {task.name: task for task in plan.suite.tasks}
    models = {model.name: model for model in plan.suite.models if model.uri.partition(":")[0] in SCHEMES}
    specs = [step.spec for step in plan.steps if isinstance(step.spec, ScoreAnswers)]
    for task, model, shots, samples in dict.fromkeys(
        (spec.task, spec.system.model, tasks[spec.task].shots + spec.system.shots, spec.samples)
        for spec in specs
        if spec.system.model in models
    ):
        yield Asked(task=tasks[task], model=models[model], shots=shots, samples=samples)


def _folder(plan: Plan, model: Model) -> Path:
    return locate(model, plan.pins.models[model.name], offline=True)


def _count(plan: Plan, asked: Asked, folder: Path, offline: bool) -> Fit:
    prompts = _prompts(plan, asked, offline)
    if _surely_fit(asked, folder, prompts):
        return Fit(over=0, of=len(prompts), window=None)
    from harness.neural.encode import ahead, prompt_ids, prompt_text, room
    from harness.neural.reading import reading, without_warnings

    with without_warnings():
        reader = reading(folder, asked.model)
        most = room(reader, asked.task.decode.max_new_tokens)
        counts = (len(prompt_ids(reader, prompt_text(reader, one))) for one in ahead(reader, prompts))
        over = 0 if most is None else sum(count > most for count in counts)
    return Fit(over=over, of=len(prompts), window=reader.window)


def _prompts(plan: Plan, asked: Asked, offline: bool) -> list[Prompt]:
    source = data.pinned(asked.task.source, plan.pins.sources[asked.task.name])
    kind = kinds.find(asked.task.kind)
    shots: Sequence[Sample] = ()
    if asked.shots:
        shots = kind.choose_shots([*data.read(source, "train", offline=offline)], asked.shots)
    samples = islice(data.read(source, "test", offline=offline), min(asked.samples, FIRST))
    return [kind.ask(asked.task, sample, shots) for sample in samples]


def _surely_fit(asked: Asked, folder: Path, prompts: Sequence[Prompt]) -> bool:
    """Whether all prompts fit by far: told in a moment, without transformers, which takes seconds to import."""
    config, said = _json(folder / "config.json"), _json(folder / "tokenizer_config.json")
    templated = "chat_template" in said or any(folder.glob("chat_template*"))
    limit = said.get("model_max_length")
    window = context_window(config) or (
        int(limit) if isinstance(limit, int | float) and 0 < limit < UNBOUNDED else None
    )
    if window is None or (templated and asked.model.chat != "off") or asked.model.chat == "on":
        return False
    seq2seq, tokens = config.get("is_encoder_decoder") is True, asked.task.decode.max_new_tokens
    most = prompt_room(window, seq2seq=seq2seq, answer_tokens=tokens, name=f"model {asked.model.name}")
    try:
        from tokenizers import Tokenizer

        tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
    except Exception:  # tokenizers raises no other: not there, or another way to load it may do
        return False
    tokenizer.no_truncation()
    tokenizer.no_padding()
    longest = max((len(one) for one in tokenizer.encode_batch([one.text for one in prompts])), default=0)
    return most is not None and longest + MARGIN <= most


def _said(asked: Asked, fit: Fit) -> str:
    first = "of the first " if asked.samples > fit.of else "of "
    share = f"{100 * fit.over / fit.of:.0f}{words.SPACE}%"
    tokens = asked.task.decode.max_new_tokens
    what = (
        "are refused, which counts as an empty answer"
        if asked.task.overflow == "refuse"
        else "are shortened; its scores measure what is left"
    )
    return (
        f"{_whose(asked)}: {fit.over:,} {first}{words.plural(fit.of, 'prompt')} ({share}) do not fit its window of "
        f"{fit.window:,} tokens with answers of {tokens} and {what}. Lower max_new_tokens, shorten the prompt or choose a "
        "model with a longer window"
    )


def _whose(asked: Asked) -> str:
    shots = f" ({asked.shots}-shot)" if asked.shots else ""
    return f"task {asked.task.name}, model {asked.model.name}{shots}"


def _key(plan: Plan, asked: Asked, revision: str) -> str:
    """Of all that can move the count."""
    task, libraries = asked.task, plan.pins.libraries
    return digest(
        *(plan.pins.sources[task.name], task.source.columns, task.source.splits, task.source.config),
        *(task.prompt, asked.shots, task.decode.max_new_tokens, min(asked.samples, FIRST)),
        *(revision, asked.model.chat, libraries.get("transformers"), libraries.get("tokenizers")),
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
