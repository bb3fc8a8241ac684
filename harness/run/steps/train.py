"""Trains one adapter: a recipe, a seed, a base and a task's training split; validation chooses the checkpoint."""

from dataclasses import dataclass
from random import Random

from harness import kinds
from harness.backends import Trainable
from harness.errors import ModelError
from harness.files.json_lines import read_lines, to_json, write_json
from harness.run.steps import Bench, UsedModel
from harness.types import Recipe, Sample, Task

VERSION = 3
LIBRARIES = ("torch", "transformers", "tokenizers", "accelerate", "peft")


@dataclass(frozen=True, slots=True, kw_only=True)
class Train:
    """Needs the task's data."""

    used: UsedModel
    task: Task  # without what cannot move a prompt
    recipe: Recipe
    seed: int
    device: str


def run(spec: Train, bench: Bench) -> None:
    from harness.neural.objectives import Example
    from harness.neural.train import train

    kind, backend = kinds.find(spec.task.kind), bench.slot.open(spec.used)
    if not isinstance(backend, Trainable):
        raise ModelError(
            f"model {spec.used.model.name}: {spec.used.model.uri} cannot be trained; use a zoo, hub or file model"
        )

    def examples(split: str, count: int | None) -> list[Example]:
        samples = read_lines(bench.need(0) / f"{split}.jsonl", Sample)
        if count is not None and count < len(samples):
            samples = Random(f"{split}-{spec.seed}").sample(samples, count)
        return [
            Example(
                id=s.id, prompt=kind.ask(spec.task, s, ()), answer=kind.target(s), overflow=spec.task.overflow
            )
            for s in samples
        ]

    trained = train(
        backend.base,
        examples("train", spec.recipe.max_samples),
        examples("validation", spec.recipe.validation_samples) if spec.recipe.validation_samples else [],
        spec.recipe,
        spec.seed,
        bench.folder,
        bench.progress,
    )
    write_json(bench.folder / "trained.json", to_json(trained))
