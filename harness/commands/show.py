"""Print prompts exactly as a model gets them, with special tokens and the number of tokens."""

from collections.abc import Iterator
from itertools import islice
from pathlib import Path

from harness import data, families, kinds
from harness import text as words
from harness.backends import open_backend
from harness.plan.pins import pins
from harness.suite.load import load_model, load_task, task_place
from harness.tasks.shots import for_each
from harness.types import Runtime, Suite


def prompts(
    task_name: str,
    model_name: str,
    count: int,
    shots: int,
    *,
    family: str | None = None,  # None: found from the checkpoint
    offline: bool,
    cache: Path,
) -> Iterator[str]:
    """Yield the first prompts of the test split, as text to print."""
    task, model = load_task(task_name), load_model(model_name, family=family)
    kind = kinds.find(task.kind)
    suite = Suite(name="show", tasks=(task,), models=(model,))
    at = task_place(task_name)
    pinned = pins(suite, offline=offline, cache=cache, at=lambda *keys: at(*keys[2:]))
    own = families.asked_as(task.by_family, pinned.models[model.name].family)
    whose = f"the words of the family {own}" if own else "the task's own words"
    task = task.for_family(own)
    training = list(data.read(task.source, "train", offline=offline)) if shots else []
    examples = kind.choose_shots(training, shots, task) if shots else ()
    runtime = Runtime(device=pinned.device, offline=offline)
    backend = open_backend(model, pinned.models[model.name], runtime)
    for sample in islice(data.read(task.source, "test", offline=offline), count):
        (before,) = for_each(task, kind.ask, [sample], examples, training)
        text, tokens = backend.tokens(
            kind.ask(task, sample, before), task.overflow, task.decode.max_new_tokens
        )
        expected = kind.expected(sample)
        head = f"── {task.name} {words.line(sample.id)} · {model.name} · {len(tokens)} tokens · {whose}"
        yield f"{head}\n{text}\n→ {expected}\n"
    backend.close()
