"""What the winner of a task cost: a sentence beside the answer."""

from collections.abc import Sequence
from statistics import fmean

from harness import text as words
from harness.report.answer import Entry, Field, Sentence, Span, entries
from harness.results.costs import Costs
from harness.types import System


def price(field: Field, of: dict[System, Costs]) -> Sentence:
    """Return what the winner cost: its training, its time for an answer beside the runner-up's, and how it was chosen."""
    ranked = field.rank(entries(field))
    if not ranked:
        return ()
    parts = [part for part in (_trained(ranked[0], of), _time(ranked, of)) if part]
    said = f"{ranked[0].name} {words.listed(parts)}. " if parts else ""
    several = sum(len(entry.systems) for entry in ranked)
    chosen = (
        f"It was chosen as the best of {several} on these same test samples: expect a little less of it on new ones."
        if several > 1
        else ""
    )
    return (Span(text=(said + chosen).strip()),)


def _trained(winner: Entry, of: dict[System, Costs]) -> str:
    """Return what training took; of a recipe, the mean over its seeds."""
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
