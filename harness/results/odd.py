"""Count, from the notes, a system's empty answers and its shortened or refused prompts."""

from collections.abc import Mapping
from dataclasses import dataclass

from harness.results import Result
from harness.types import System

EMPTY, SHORTENED, REFUSED, OVERLAP = "empty", "truncated", "refused", "overlap"  # kinds of notes
VOTE, TIE = "vote", "tie"  # kinds of notes: a vote over sampled answers decided, or had several winners
STAND_IN = "stand-in"  # kind of a note: a trivial rule answers in place of a base without a trained head
NOT_APPLICABLE = "not applicable"  # kind of a note: a system cannot be asked a task, and the detail says why
# The details of a note on overlap: what test samples and training samples have in common.
SAME_INPUT = "test samples whose input stands in the training split, word for word"
SHARED_WORDS = "test samples that share 13 words in a row with a training sample"
MANY_EMPTY = 0.05  # of a system's answers: beyond this share its score says little
# So many empty answers, if they are less than half, are single failures: each has the score of an empty text.
FEW_EMPTY = 2
MANY_SHORTENED = 0.01  # of a task's prompts: beyond this share shortening is shown prominently


@dataclass(frozen=True, slots=True, kw_only=True)
class Share:
    """Some of the samples of a system, counted."""

    count: int
    of: int

    @property
    def share(self) -> float:
        """Return the share, 0 to 1; 0 of no samples."""
        return self.count / self.of if self.of else 0.0


NONE = Share(count=0, of=0)


def place(task: str, system: System) -> str:
    """Return the `where` of a note about a system's answers to a task."""
    return f"{task}, {system}"


def counted(result: Result, kind: str) -> Mapping[tuple[str, System], Share]:
    """Return the share of samples with one kind of note, by task and system; systems without such samples are left out."""
    systems = {place(score.task, score.system): (score.task, score.system) for score in result.scores}
    return {
        systems[note.where]: Share(count=note.count, of=note.of)
        for note in result.notes
        if note.kind == kind and note.where in systems
    }


def too_many_empty(empty: Share) -> bool:
    """Return whether so many answers are empty that the score says little: more than 5 %, and not one or two among many.

    One empty answer of 15 is a share of 7 %, and says no more about prompts and stop strings than one wrong answer does.
    """
    few = empty.count <= FEW_EMPTY and empty.share < 0.5
    return empty.share > MANY_EMPTY and not few


def mostly_empty(result: Result) -> Mapping[tuple[str, System], Share]:
    """Return the systems with too many empty answers, on tasks that do not allow empty answers."""
    allowed = {task.name for task in result.suite.tasks if task.allow_empty}
    found = counted(result, EMPTY)
    return {key: share for key, share in found.items() if too_many_empty(share) and key[0] not in allowed}
