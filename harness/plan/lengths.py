"""How long a plan's prompts, answers and training examples are, in a model's tokens: without torch, in tenths of a second.

They are counted by the model's tokenizer where its file is on this machine, otherwise taken from their characters.
"""

from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import Any

from harness import backends, data, families, kinds
from harness.digest import digest
from harness.errors import HarnessError
from harness.files.json_lines import from_json, read_json, to_json, write_json
from harness.types import Model, Plan, Sample, Task

FILE = "lengths.json"  # name of the file that keeps the counts, beside a store's digests
RULES = 1  # raised when the way of counting changes
FIRST = 256  # samples of a split that are counted
CHARACTERS = 4.0  # of a token of English text, where there is no tokenizer to count with
TEMPLATE = 16  # tokens that a chat template adds


@dataclass(frozen=True, slots=True, kw_only=True)
class Lengths:
    """Tokens of the first samples of a split, in data order."""

    prompts: tuple[int, ...]  # with their options
    answers: tuple[int, ...]  # of the first reference of each sample, with the token that ends it
    samples: int  # in the whole split
    counted: bool  # False: taken from the texts' characters


@dataclass(slots=True, kw_only=True)
class KnownLengths:
    """The lengths of a plan's texts, each counted once and kept between runs."""

    plan: Plan
    path: Path  # of the JSON file that keeps them
    offline: bool = False
    known: dict[str, Any] = field(default_factory=dict)
    changed: bool = False

    @classmethod
    def load(cls, plan: Plan, path: Path, *, offline: bool = False) -> "KnownLengths":
        """Return what an earlier plan counted; empty where there is no file or it cannot be read."""
        try:
            found = read_json(path)
        except (OSError, ValueError):
            found = {}
        return cls(plan=plan, path=path, offline=offline, known=found if isinstance(found, dict) else {})

    def save(self) -> None:
        """Keep the counts for later plans; a failure is ignored, since everything can be counted again."""
        if self.changed:
            with suppress(OSError):
                write_json(self.path, self.known)

    def test(self, task: str, model: str, shots: int) -> Lengths | None:
        """Return the lengths of a task's test prompts and reference answers; None if its data cannot be read."""
        with suppress(HarnessError):  # the step that loads the data reports it
            return self._of(task, model, "test", shots)
        return None

    def training(self, task: str, model: str) -> Lengths | None:
        """Return the lengths of a task's training examples; None if its data cannot be read."""
        with suppress(HarnessError):
            return self._of(task, model, "train", 0)
        return None

    def _of(self, task_name: str, model_name: str, split: Any, shots: int) -> Lengths:
        task = next(task for task in self.plan.suite.tasks if task.name == task_name)
        model = next(model for model in self.plan.suite.models if model.name == model_name)
        tokenizer = _tokenizer_file(self.plan, model)
        pins = self.plan.pins
        by = pins.models[model.name].revision if tokenizer else "characters"
        task = task.for_family(families.asked_as(task.by_family, pins.models[model.name].family))
        source = task.source
        asked: tuple[object, ...] = (source.columns, source.splits, source.config, source.shape)
        asked = (*asked, task.kind, task.prompt, task.system, source.labels, task.settings)
        key = digest(RULES, pins.sources[task.name], *asked, pins.scripts, split, shots, by, model.chat)
        with suppress(KeyError, ValueError):
            return from_json(Lengths, self.known[key])
        found = _count(self.plan, task, model, tokenizer, split, shots, self.offline)
        self.known[key], self.changed = to_json(found), True
        return found


def _tokenizer_file(plan: Plan, model: Model) -> Path | None:
    """Return the model's tokenizer.json if it is on this machine."""
    if backends.of(model).folder is None:
        return None
    try:
        path = backends.folder(model, plan.pins.models[model.name], offline=True) / "tokenizer.json"
    except HarnessError:
        return None
    return path if path.is_file() else None


def _count(
    plan: Plan, task: Task, model: Model, tokenizer: Path | None, split: Any, shots: int, offline: bool
) -> Lengths:
    source, kind = data.pinned(task.source, plan.pins.sources[task.name]), kinds.find(task.kind)
    samples = data.read(source, split, offline=offline)
    first = list(islice(samples, FIRST))
    total = len(first) + sum(1 for _ in samples)
    examples: Sequence[Sample] = ()
    if shots:
        examples = kind.choose_shots([*data.read(source, "train", offline=offline)], shots, task)
    measure = _measure(tokenizer)
    added = TEMPLATE if model.chat == "on" or (tokenizer and _has_template(tokenizer, model)) else 0
    asked = (kind.ask(task, sample, examples) for sample in first)
    prompts = measure(" ".join([prompt.text, *prompt.options]) for prompt in asked)
    answers = measure(kind.target(task, sample) for sample in first)
    return Lengths(
        prompts=tuple(tokens + added + 1 for tokens in prompts),  # begin- or end-of-sequence
        answers=tuple(tokens + 1 for tokens in answers),
        samples=total,
        counted=tokenizer is not None,
    )


def _has_template(tokenizer: Path, model: Model) -> bool:
    settings = tokenizer.with_name("tokenizer_config.json")
    if model.chat == "off":
        return False
    said = settings.is_file() and '"chat_template"' in settings.read_text(encoding="utf-8", errors="replace")
    return said or any(tokenizer.parent.glob("chat_template*"))


def _measure(tokenizer: Path | None) -> Callable[[Iterable[str]], list[int]]:
    """Return a function from texts to their lengths in tokens, by a tokenizer's file or by characters."""
    if tokenizer is not None:
        with suppress(Exception):  # tokenizers raises no narrower one; loading the model will report it
            from tokenizers import Tokenizer

            counter = Tokenizer.from_file(str(tokenizer))
            counter.no_truncation()
            counter.no_padding()
            return lambda texts: [
                len(row.ids) for row in counter.encode_batch(list(texts), add_special_tokens=False)
            ]
    return lambda texts: [max(1, round(len(text) / CHARACTERS)) for text in texts]


def stretched(lengths: Sequence[int], count: int) -> list[int]:
    """Return `count` lengths that are distributed like the given ones."""
    return [lengths[at * len(lengths) // count] for at in range(count)] if lengths else []
