"""The answer in two sentences: which system wins, by how much and how surely, and what training added.

A difference is called significant only if its corrected p is below 0.05. What fewer than three seeds show is said of
"this adapter", never of its recipe.
"""

from dataclasses import dataclass

from harness.report.answer.certainty import power, seeds, settled
from harness.report.answer.contenders import Contender, entries, level, ranked
from harness.report.answer.field import ENOUGH_SEEDS, Field, between, turned
from harness.report.answer.gain import gain
from harness.report.answer.lead import lead
from harness.report.answer.quantising import quantising
from harness.report.answer.sentence import Sentence, Span, plain
from harness.report.doubts import doubts
from harness.results import Result, TaskFacts

__all__ = [
    "ENOUGH_SEEDS",
    "Answer",
    "Contender",
    "Field",
    "Sentence",
    "Span",
    "answer",
    "between",
    "entries",
    "level",
    "plain",
    "ranked",
    "turned",
]


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """The answer for one task."""

    lead: Sentence
    gain: Sentence
    seeds: str  # how far other seeds limit the answer; may be empty
    power: str
    settled: str  # how large a test set would separate the first two
    quantising: str  # what quantising alone costs; empty where no base was asked with and without it
    winner: Contender  # the best of the models, or the first of equal ones
    doubts: tuple[str, ...] = ()  # why the scores mean less than they seem to


def answer(result: Result, task: TaskFacts) -> Answer | None:
    """Return the answer for a task; None if no model answered it."""
    field = Field(result, task)
    contenders = ranked(field)
    if not contenders:
        return None
    return Answer(
        lead=lead(field, contenders),
        gain=gain(field, contenders),
        seeds=seeds(field, contenders[0]),
        power=power(field),
        settled=settled(field, contenders),
        quantising=quantising(field),
        winner=contenders[0],
        doubts=doubts(result, task),
    )
