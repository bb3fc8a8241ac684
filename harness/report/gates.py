"""What gates said of a result, where they were asked: `verdicts.json` beside it."""

from pathlib import Path

from pydantic import ValidationError

from harness.errors import ResultError
from harness.records import from_json, read_json
from harness.types import Verdict

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
