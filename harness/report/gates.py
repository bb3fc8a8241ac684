"""What gates said of a result, where they were asked: `verdicts.json` beside it."""

import json
from pathlib import Path

from pydantic import ValidationError

from harness.errors import ResultError
from harness.records import from_json
from harness.regular import regular_text
from harness.result.values import refused_constant, wrong_value
from harness.types import Verdict

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


def _verdict(number: int, data: object) -> Verdict:
    """TypeError with the place of what first is wrong."""
    try:
        found = from_json(Verdict, data)
    except ValidationError as error:
        wrong = error.errors(include_url=False, include_context=False)[0]
        place = ".".join(map(str, (f"[{number}]", *wrong["loc"])))
        raise TypeError(f"{place}: {wrong['msg']}, found {repr(wrong['input'])[:60]}") from error
    return found
