"""Reasons to doubt a task's scores: test samples that occur in training, shortened or refused prompts, empty answers."""

from collections.abc import Iterator, Mapping, Sequence

from harness import kinds
from harness import text as words
from harness.results import Result, TaskFacts
from harness.results.odd import (
    EMPTY,
    MANY_EMPTY,
    MANY_SHORTENED,
    OVERLAP,
    REFUSED,
    SAME_INPUT,
    SHORTENED,
    Share,
    counted,
    too_many_empty,
)
from harness.types import Note, System
from harness.types.sample import TRIVIAL

NAMED = 4  # systems that a sentence names at most
REMEDY = "Lower max_new_tokens, shorten the prompt or choose a model with a longer window."


def doubts(result: Result, task: TaskFacts) -> tuple[str, ...]:
    """Return a sentence for each doubt."""
    found = [*_of_size(result, task), *of_training(result, task), *_of_prompts(result, task)]
    empties = empty_share(result, task)
    models = {system: empty for system, empty in empties.items() if not system.is_trivial}
    for names, empty in _alike(models):
        allowed = ", which the task allows" if task.allow_empty else ": the score says little"
        found.append(
            f"{_some(empty, 'answer')} of {names} {'is' if empty.count == 1 else 'are'} empty{allowed}."
        )
    return tuple(found)


def empty_share(result: Result, task: TaskFacts) -> Mapping[System, Share]:
    """Return the systems with too many empty answers, and their shares."""
    found = _many(result, task, EMPTY, MANY_EMPTY)
    return {system: empty for system, empty in found.items() if too_many_empty(empty)}


def is_doubt(note: Note) -> bool:
    """Return whether a note is among the doubts beside its task's answer."""
    counted_here = Share(count=note.count, of=note.of)
    share = counted_here.share
    if note.kind == EMPTY:
        return too_many_empty(counted_here) and f", {TRIVIAL}" not in note.where
    return note.kind == OVERLAP or (note.kind in (SHORTENED, REFUSED) and share > MANY_SHORTENED)


def _of_size(result: Result, task: TaskFacts) -> Iterator[str]:
    if any(score.task == task.name and score.primary and score.n == 1 for score in result.scores):
        yield "There is only one test sample: it cannot show which system is better."


def of_training(result: Result, task: TaskFacts) -> Iterator[str]:
    """Yield what test and training samples have in common, in one sentence."""
    found = [note for note in result.notes if note.kind == OVERLAP and note.where == task.name]
    said = []
    for note in found:
        one, many = ("has the same input as", "have the same input as")
        if note.detail != SAME_INPUT:
            one, many = ("shares 13 words in a row with", "share 13 words in a row with")
        verb = one if note.count == 1 else many
        some = _some(Share(count=note.count, of=note.of), "test sample")
        asked = max((score.n for score in result.scores if score.task == task.name), default=note.of)
        if asked < note.of:  # a limit: the whole split was compared with training
            some += f", of which {asked:,} {'was' if asked == 1 else 'were'} asked,"
        said.append(f"{some} {verb} a training sample")
    if said:
        yield f"{', and '.join(said)}: a system that was trained on them may score lower on new samples."


def _of_prompts(result: Result, task: TaskFacts) -> Iterator[str]:
    for names, cut in _alike(_many(result, task, SHORTENED, MANY_SHORTENED)):
        were = "was" if cut.count == 1 else "were"
        yield (
            f"{_some(cut, 'prompt')} of {names} did not fit the model's window and {were} shortened: "
            f"the score measures what was left. {REMEDY}"
        )
    for names, refused in _alike(_many(result, task, REFUSED, MANY_SHORTENED)):
        yield _refused(task, names, refused)


def _refused(task: TaskFacts, names: str, refused: Share) -> str:
    """Return what it means that samples were not asked, which depends on what the kind of task asks for."""
    kind, one = kinds.known(task.kind), refused.count == 1
    were = "was" if one else "were"
    verbs = {"write"} if kind is None else {*kind.answers}
    if verbs == {"rolling"}:
        why = "it has no token: it is left out" if one else "they have no token: they are left out"
        return f"{_some(refused, 'text')} of {names} {were} not read, because {why}."
    not_asked = f"{_some(refused, 'prompt')} of {names} did not fit the model's window and {were} not asked"
    if "write" not in verbs:
        misses = "it counts as a miss" if one else "they count as misses"
        return f"{not_asked}: {misses}. Shorten the prompt or its options, or choose a model with a longer window."
    return (
        f"{not_asked}: {'it counts as an empty answer' if one else 'they count as empty answers'}. {REMEDY}"
    )


def _many(result: Result, task: TaskFacts, kind: str, most: float) -> dict[System, Share]:
    found = {system: share for (name, system), share in counted(result, kind).items() if name == task.name}
    return {system: share for system, share in found.items() if share.share > most}


def _alike(found: Mapping[System, Share]) -> Iterator[tuple[str, Share]]:
    """Yield the joined names of systems with equal shares; a base and its adapters mostly have equal ones."""
    groups: dict[Share, list[str]] = {}
    for system, share in found.items():
        groups.setdefault(share, []).append(words.system(system))
    for share, names in groups.items():
        yield _listed(names), share


def _listed(names: Sequence[str]) -> str:
    if len(names) <= NAMED:
        return words.listed([*names])
    return f"{', '.join(names[:NAMED])} and {len(names) - NAMED} more"


def _some(share: Share, what: str) -> str:
    """Return `729 of 729 prompts (100 %)`."""
    return f"{share.count:,} of {words.plural(share.of, what)} ({words.percent(share.count, share.of)})"
