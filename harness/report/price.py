"""What the winner cost, as a sentence beside the answer."""

from collections.abc import Mapping, Sequence
from statistics import fmean

from harness import text as words
from harness.report.answer import Contender, Field, Sentence, Span, level, ranked
from harness.results.costs import Costs
from harness.types import System


def price(field: Field, of: Mapping[System, Costs]) -> Sentence:
    """Return the winner's cost: training, time for an answer, and how it was chosen."""
    contenders = ranked(field)
    if not contenders:
        return ()
    winner = contenders[0]
    parts = [part for part in (_trained(field, winner, of), _time(winner, of)) if part]
    said = f"{winner.name} {words.listed(parts)}. " if parts else ""
    said += _chosen(field, contenders, "It" if parts else winner.name)
    return (Span(text=said.strip()),) if said else ()


def _chosen(field: Field, contenders: Sequence[Contender], who: str) -> str:
    """Return what choosing on the test samples does to the winner's score; "" if there was nothing to choose."""
    if len(contenders) < 2 or level(field, contenders[:2]):
        return ""
    expected = "higher" if field.lower_is_better else "lower"
    return (
        f"{who} was chosen as the best of {len(field.models):,} on these same test samples: expect a slightly {expected} "
        "score on new ones."
    )


def _trained(field: Field, winner: Contender, of: Mapping[System, Costs]) -> str:
    """Return what training took; for a recipe, the mean over its seeds. Of several stages, it is the last one's time."""
    times = [seconds for system in winner.systems if (seconds := of[system].training_seconds) is not None]
    sizes = [size for system in winner.systems if (size := of[system].adapter_megabytes) is not None]
    if not times:
        return ""
    each = " a seed" if len(winner.systems) > 1 else ""
    weight = f" (an adapter of {words.megabytes(fmean(sizes))})" if sizes else ""
    facts = field.facts.get(winner.systems[0])
    on = f" after that of {words.visible(facts.start)}" if facts is not None and facts.start else ""
    return f"took {words.seconds(fmean(times))} of training{each}{on}{weight}"


def _time(winner: Contender, of: Mapping[System, Costs]) -> str:
    """Return the time of an answer; no ratio to the runner-up's, since other steps may have run beside one of the two."""
    seconds = _answer_seconds(winner, of)
    return "" if seconds is None else f"needed {words.brief(seconds)} for an answer in this run"


def _answer_seconds(entry: Contender, of: Mapping[System, Costs]) -> float | None:
    found = [seconds for system in entry.systems if (seconds := of[system].answer_seconds) is not None]
    return fmean(found) if found else None
