"""What a task's section says of votes over sampled answers: how many answers they decided, and how many were ties."""

from harness import text as words
from harness.results import Result, TaskFacts
from harness.results.odd import NONE, TIE, VOTE, counted


def voted(result: Result, task: TaskFacts) -> tuple[str, ...]:
    """Return a line for each system whose answers to a task are decided by a vote, in the order of the scores."""
    votes = task.settings.get("votes", 1)
    if task.kind != "generate" or votes == 1:
        return ()
    decided, ties = counted(result, VOTE), counted(result, TIE)
    lines = []
    for score in result.scores:
        key = (task.name, score.system)
        if score.task != task.name or not score.primary or score.system.is_trivial:
            continue
        won, tied = (found.get(key, NONE).count for found in (decided, ties))
        lines.append(
            f"{words.system(score.system)}: a vote of {votes} sampled answers decided {won:,} of "
            f"{words.plural(score.n, 'answer')} ({words.percent(won, score.n)}); {tied:,} ({words.percent(tied, score.n)}) "
            "were ties, in which the result that was given first counts; in the others no result was found."
        )
    return tuple(lines)
