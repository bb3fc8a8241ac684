"""What gates said of a result, where they were asked: `verdicts.json` beside it."""

from pathlib import Path

from pydantic import ValidationError

from harness.errors import ResultError
from harness.records import from_json, read_json
from harness.result import Result
from harness.types import Note, System, Verdict

FILE = "verdicts.json"
ORDER = ("fail", "invalid", "inconclusive", "pass")  # what needs a look comes first


def read(folder: Path) -> tuple[Verdict, ...]:
    """Every verdict, those that need a look first; none where no gate was asked."""
    path = folder / FILE
    if not path.is_file():
        return ()
    try:
        found = [from_json(Verdict, one) for one in read_json(path)]
    except (ValueError, TypeError, ValidationError) as error:
        raise ResultError(f"{path}: not a list of verdicts ({error}); run `harness gate` anew") from error
    return tuple(sorted(found, key=lambda one: ORDER.index(one.verdict)))


def follow(found: tuple[Verdict, ...], result: Result) -> tuple[tuple[Verdict, ...], tuple[Note, ...]]:
    """Return the verdicts on what the result holds, and a note of those on systems and tasks that are not in it."""
    systems = {one.system for one in (*result.scores, *result.costs)} | {
        System(model=one.name) for one in result.suite.models
    }
    systems |= {System(model=one.model, adapter=one.name) for one in result.suite.adapters}
    tasks = {one.name for one in result.suite.tasks}
    kept = tuple(
        one
        for one in found
        if (one.system is None or one.system in systems) and (one.task is None or one.task in tasks)
    )
    if len(kept) == len(found):
        return found, ()
    note = Note(
        kind="verdicts left out",
        where=FILE,
        count=len(found) - len(kept),
        of=len(found),
        detail="they name systems or tasks that are not in this RESULT; `harness gate` judges it again",
    )
    return kept, (note,)
