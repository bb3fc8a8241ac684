"""Add up the costs of a system over steps."""

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import fmean

from harness.types import Cost, System


@dataclass(frozen=True, slots=True, kw_only=True)
class Costs:
    """The costs of a system on one task; None: not measured."""

    tokens_per_second: float | None = None
    answer_seconds: float | None = None  # mean of one answer
    answer_words: float | None = None  # mean of one written answer
    peak_megabytes: float | None = None  # while it answered this task
    training_seconds: float | None = None
    training_megabytes: float | None = None
    adapter_megabytes: float | None = None
    trainable_parameters: float | None = None


def costs(measured: Sequence[Cost], system: System, task: str, samples: int) -> Costs:
    """Return the costs of answering a task and, for an adapter, of training it."""
    answering: dict[str, list[float]] = {}
    training: dict[str, float] = {}
    for cost in measured:
        if cost.system == system and cost.task == task:
            answering.setdefault(cost.quantity, []).append(cost.value)
        elif cost.system == system and cost.task is None:
            training[cost.quantity] = cost.value
    seconds = answering.get("generation time")
    return Costs(
        tokens_per_second=fmean(answering["generation speed"]) if "generation speed" in answering else None,
        answer_seconds=sum(seconds) / samples if seconds and samples else None,
        answer_words=next(iter(answering.get("answer length", ())), None),
        peak_megabytes=max(answering.get("peak memory", ()), default=None),
        training_seconds=training.get("training time"),
        training_megabytes=training.get("peak memory"),
        adapter_megabytes=training.get("adapter size"),
        trainable_parameters=training.get("trainable parameters"),
    )
