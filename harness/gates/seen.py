"""Doubt what an adapter scores on test samples that it was trained on: it says little of new samples."""

from dataclasses import replace

from harness import text as words
from harness.gates.answered import Answered
from harness.gates.checks import Check
from harness.results import Result
from harness.results.odd import OVERLAP, SAME_INPUT, Share

MANY_SEEN = 0.5  # of a task's test samples: beyond this share every verdict on their scores says so


def doubted(answer: Answered, result: Result) -> Answered:
    """Return an answer with a remark where an adapter was trained on most test samples.

    If it was trained on all of them, a pass becomes inconclusive: no score of a new sample stands behind it.
    """
    seen = _seen(answer.check, result)
    if answer.finding is None or seen is None or seen.share <= MANY_SEEN:
        return answer
    remark = (
        f"{seen.count:,} of {words.plural(seen.of, 'test sample')} ({words.percent(seen.count, seen.of)}) have the same "
        "input as a sample that the adapter was trained on: it may score lower on new samples"
    )
    finding = answer.finding
    if seen.count == seen.of and finding.word == "pass":
        finding = replace(finding, word="inconclusive")
        remark += "; test on samples that are not in the training split"
    return replace(answer, finding=finding, because="; ".join(filter(None, (answer.because, remark))))


def _seen(check: Check, result: Result) -> Share | None:
    """Return how many test samples stand in the training split of a judged adapter; None if no adapter learned the task."""
    adapters = {(system.model, system.adapter) for system in check.systems}
    learned = any(
        (facts.model, facts.name) in adapters and facts.trained_on == check.task
        for facts in result.suite.adapters
    )
    if not learned or not check.rule.of_samples:
        return None
    return next(
        (
            Share(count=note.count, of=note.of)
            for note in result.notes
            if (note.kind, note.where, note.detail) == (OVERLAP, check.task, SAME_INPUT)
        ),
        None,
    )
