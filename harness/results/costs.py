"""Add up the costs of a system over steps."""

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import fmean

from harness.types import Cost, Spent, System

# Quantities of costs that a server counts; the unit of money is its currency
INPUT_TOKENS, OUTPUT_TOKENS, MONEY = "input tokens", "output tokens", "price"


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
    input_tokens: float | None = None  # that a server counted in this task's prompts
    output_tokens: float | None = None
    money: float | None = None  # by the suite's prices


def added(earlier: Spent, now: Spent, *, less: Spent) -> Spent:
    """Return what was spent earlier and from `less` to `now`; money in one currency only."""
    alike = earlier.requests == 0 or (earlier.money is not None and earlier.currency == now.currency)
    known = now.money is not None and alike
    return Spent(
        input_tokens=earlier.input_tokens + now.input_tokens - less.input_tokens,
        output_tokens=earlier.output_tokens + now.output_tokens - less.output_tokens,
        requests=earlier.requests + now.requests - less.requests,
        uncounted=earlier.uncounted + now.uncounted - less.uncounted,
        money=(earlier.money or 0.0) + (now.money or 0.0) - (less.money or 0.0) if known else None,
        currency=now.currency if known else "",
    )


def currency(measured: Sequence[Cost], system: System, task: str) -> str | None:
    """Return the currency of what a system's answers to a task cost; None where there is none, or there are several."""
    found = {
        cost.unit for cost in measured if (cost.system, cost.task, cost.quantity) == (system, task, MONEY)
    }
    return found.pop() if len(found) == 1 else None


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
        input_tokens=sum(answering[INPUT_TOKENS]) if INPUT_TOKENS in answering else None,
        output_tokens=sum(answering[OUTPUT_TOKENS]) if OUTPUT_TOKENS in answering else None,
        money=sum(answering[MONEY]) if currency(measured, system, task) else None,
    )
