"""What a system took: columns of the score table, and a sentence beside the answer."""

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import fmean

from harness import text as words
from harness.report.answer import Entry, Field, Sentence, Span, entries
from harness.types import Cost, System


@dataclass(frozen=True, slots=True, kw_only=True)
class Costs:
    """What a system took; None where it was not measured."""

    tokens_per_second: float | None = None
    answer_seconds: float | None = None  # for one answer, on the mean
    peak_megabytes: float | None = None  # while it answered this task
    training_seconds: float | None = None
    training_megabytes: float | None = None
    adapter_megabytes: float | None = None
    trainable_parameters: float | None = None


def costs(measured: Sequence[Cost], system: System, task: str, samples: int) -> Costs:
    """What answering this task took, and, for an adapter, what training it took."""
    answering: dict[str, list[float]] = {}
    training: dict[str, float] = {}
    for one in measured:
        if one.system == system and one.task == task:
            answering.setdefault(one.quantity, []).append(one.value)
        elif one.system == system and one.task is None:
            training[one.quantity] = one.value
    seconds = answering.get("generation time")
    return Costs(
        tokens_per_second=fmean(answering["generation speed"]) if "generation speed" in answering else None,
        answer_seconds=sum(seconds) / samples if seconds and samples else None,
        peak_megabytes=max(answering.get("peak memory", ()), default=None),
        training_seconds=training.get("training time"),
        training_megabytes=training.get("peak memory"),
        adapter_megabytes=training.get("adapter size"),
        trainable_parameters=training.get("trainable parameters"),
    )


def price(field: Field, of: dict[System, Costs]) -> Sentence:
    """What the winner cost: its training, its time for an answer beside the runner-up's, and how it was chosen."""
    ranked = field.rank(entries(field))
    if not ranked:
        return ()
    parts = [part for part in (_trained(ranked[0], of), _time(ranked, of)) if part]
    said = f"{ranked[0].name} {words.listed(parts)}. " if parts else ""
    several = sum(len(one.systems) for one in ranked)
    chosen = (
        f"It was chosen as the best of {several} on these same test samples: expect a little less of it on new ones."
        if several > 1
        else ""
    )
    return (Span(text=(said + chosen).strip()),)


def _trained(winner: Entry, of: dict[System, Costs]) -> str:
    """Of a recipe, the mean over its seeds."""
    seconds = [one for system in winner.systems if (one := of[system].training_seconds) is not None]
    sizes = [one for system in winner.systems if (one := of[system].adapter_megabytes) is not None]
    if not seconds:
        return ""
    each = " a seed" if len(winner.systems) > 1 else ""
    size = f" (an adapter of {words.megabytes(fmean(sizes))})" if sizes else ""
    return f"took {words.seconds(fmean(seconds))} of training{each}{size}"


def _time(ranked: Sequence[Entry], of: dict[System, Costs]) -> str:
    first, *others = [_answer_seconds(one, of) for one in ranked[:2]]
    if first is None:
        return ""
    text = f"needs {words.brief(first)} for an answer"
    if others and others[0]:
        text += f", {words.times(first / others[0])} what {ranked[1].name} needs"
    return text


def _answer_seconds(entry: Entry, of: dict[System, Costs]) -> float | None:
    found = [one for system in entry.systems if (one := of[system].answer_seconds) is not None]
    return fmean(found) if found else None
