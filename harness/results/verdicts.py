"""Write and read verdicts.json: the verdicts of a suite's gates, beside the result."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from harness.errors import ResultError
from harness.files.json_lines import from_json, to_json, write_json
from harness.files.regular import regular_text
from harness.results import Result
from harness.results.values import refused_constant, wrong_value
from harness.text import plural
from harness.types import Note, System, Verdict
from harness.types.verdict import WORST_FIRST

FILE = "verdicts.json"
SCHEMA = 2  # 1: a bare list of verdicts, with the names of _RENAMED
_RENAMED = {"innocent": "pass_probability_if_equal", "innocent_needs": "samples_for_80_percent"}


def write(folder: Path, verdicts: Sequence[Verdict]) -> None:
    """Write the verdicts of a suite's gates on the result in the folder."""
    write_json(folder / FILE, {"schema": SCHEMA, "verdicts": [to_json(verdict) for verdict in verdicts]})


def read(folder: Path) -> tuple[Verdict, ...]:
    """Return every verdict, the worst first; empty without a verdicts.json."""
    path = folder / FILE
    if not path.exists():
        return ()
    try:
        content = json.loads(regular_text(path), parse_constant=refused_constant)
        if wrong := wrong_value(content):
            raise ValueError(wrong)
        found = [_verdict(number, data) for number, data in enumerate(_of_schema(content))]
    except (ValueError, TypeError, RecursionError) as error:
        wrong = f"broken in line {error.lineno}" if isinstance(error, json.JSONDecodeError) else str(error)
        raise ResultError(
            f"{path}: not a list of verdicts ({wrong}); remove it and run the suite again"
        ) from error
    return tuple(sorted(found, key=lambda verdict: WORST_FIRST.index(verdict.verdict)))


def _of_schema(content: object) -> list[Any]:
    """Return the verdicts as data of the current schema; TypeError or ValueError for content of no known schema."""
    if isinstance(content, list):
        return [_renamed(data) for data in content]
    if not isinstance(content, dict):
        raise TypeError(f"found a JSON {type(content).__name__}")
    schema, verdicts = content.get("schema"), content.get("verdicts")
    if type(schema) is not int:
        raise TypeError("found no schema number")
    if schema > SCHEMA:
        raise ValueError(f"found schema {schema}, this harness reads up to {SCHEMA}: update the harness")
    if not isinstance(verdicts, list):
        raise TypeError(f"verdicts: found a JSON {type(verdicts).__name__}")
    return verdicts


def _renamed(data: object) -> object:
    """Return a verdict of schema 1 with the current names of its fields."""
    if not isinstance(data, Mapping):
        return data
    return {_RENAMED.get(key, key): value for key, value in data.items()}


def missing(result: Result) -> str:
    """Return a sentence if the suite has gates and verdicts.json is not beside the result; "" otherwise.

    A copy that withholds texts is made without verdicts.
    """
    if not result.suite.gates or result.withheld or (result.folder / FILE).exists():
        return ""
    gates = plural(len(result.suite.gates), "gate")
    return f"{FILE} is missing, though the suite has {gates}; `harness gate {result.folder}` judges again"


def follow(found: tuple[Verdict, ...], result: Result) -> tuple[tuple[Verdict, ...], tuple[Note, ...]]:
    """Return the verdicts on systems and tasks of the result, and a note that says what is missing or left out."""
    systems = {score.system for score in result.scores} | {cost.system for cost in result.costs}
    systems |= {System(model=model.name) for model in result.suite.models}
    systems |= {System(model=adapter.model, adapter=adapter.name) for adapter in result.suite.adapters}
    tasks = {task.name for task in result.suite.tasks}
    kept = tuple(
        verdict
        for verdict in found
        if (verdict.system is None or verdict.system in systems)
        and (verdict.task is None or verdict.task in tasks)
    )
    if sentence := missing(result):
        gates = len(result.suite.gates)
        return (), (Note(kind="verdicts missing", where=FILE, count=gates, of=gates, detail=sentence),)
    if len(kept) == len(found):
        return found, ()
    note = Note(
        kind="verdicts left out",
        where=FILE,
        count=len(found) - len(kept),
        of=len(found),
        detail="they name systems or tasks that are not in this RESULT; `harness gate` judges the gates again",
    )
    return kept, (note,)


def _verdict(number: int, data: object) -> Verdict:
    """Return the verdict; TypeError or ValueError that names the first mistake and its place."""
    try:
        found = from_json(Verdict, data)
    except ValidationError as error:
        wrong = error.errors(include_url=False, include_context=False)[0]
        place = ".".join(map(str, (f"[{number}]", *wrong["loc"])))
        raise TypeError(f"{place}: {wrong['msg']}, found {repr(wrong['input'])[:60]}") from error
    chance = found.pass_probability_if_equal
    if chance is not None and not 0 <= chance <= 1:
        raise ValueError(f"[{number}].pass_probability_if_equal: found {chance:g}, a probability is 0 to 1")
    for name in ("n", "needed", "samples_for_80_percent"):
        if (count := getattr(found, name)) is not None and count < 0:
            raise ValueError(f"[{number}].{name}: found {count}, less than 0")
    return found
