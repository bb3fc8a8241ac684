"""What gates said of a result, where they were asked: `verdicts.json` beside it."""

import json
from pathlib import Path

from pydantic import ValidationError

from harness.errors import ResultError
from harness.files.json_lines import from_json
from harness.files.regular import regular_text
from harness.results import Result
from harness.results.values import refused_constant, wrong_value
from harness.types import Note, System, Verdict

FILE = "verdicts.json"
ORDER = ("fail", "invalid", "inconclusive", "pass")  # what needs a look comes first


def read(folder: Path) -> tuple[Verdict, ...]:
    """Every verdict, those that need a look first; none where no gate was asked."""
    path = folder / FILE
    if not path.exists():
        return ()
    try:
        content = json.loads(regular_text(path), parse_constant=refused_constant)
        if not isinstance(content, list):
            raise TypeError(f"found a JSON {type(content).__name__}")
        if wrong := wrong_value(content):
            raise ValueError(wrong)
        found = [_verdict(number, one) for number, one in enumerate(content)]
    except (ValueError, TypeError, RecursionError) as error:
        raise ResultError(f"{path}: not a list of verdicts ({error}); run `harness gate` anew") from error
    return tuple(sorted(found, key=lambda one: ORDER.index(one.verdict)))


def follow(found: tuple[Verdict, ...], result: Result) -> tuple[tuple[Verdict, ...], tuple[Note, ...]]:
    """Return the verdicts on what the result holds, and a note of those on systems and tasks that are not in it."""
    systems = {score.system for score in result.scores} | {cost.system for cost in result.costs}
    systems |= {System(model=model.name) for model in result.suite.models}
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


def _verdict(number: int, data: object) -> Verdict:
    """TypeError with the place of what first is wrong."""
    try:
        found = from_json(Verdict, data)
    except ValidationError as error:
        wrong = error.errors(include_url=False, include_context=False)[0]
        place = ".".join(map(str, (f"[{number}]", *wrong["loc"])))
        raise TypeError(f"{place}: {wrong['msg']}, found {repr(wrong['input'])[:60]}") from error
    if found.innocent is not None and not 0 <= found.innocent <= 1:
        raise TypeError(f"[{number}].innocent: a chance lies between 0 and 1, found {found.innocent}")
    for name, count in (("needed", found.needed), ("innocent_needs", found.innocent_needs)):
        if count is not None and count < 0:
            raise TypeError(f"[{number}].{name}: a number of samples is 0 at least, found {count}")
    return found
