"""A copy of a RESULT for others, with its pages: what its sources do not let be shared is not in it."""

from pathlib import Path
from tempfile import TemporaryDirectory

from harness.errors import HarnessError, ResultError
from harness.files.json_lines import writing
from harness.report import render
from harness.results import read
from harness.results import redact as share
from harness.run.target import publish, refuse


def write(result: Path, out: Path, drawings: Path | None = None) -> str:
    """Writes the copy and its pages into `out`, which changes in one rename; says what was left out."""
    refuse(out)
    _refuse_what_would_be_lost(out)
    with TemporaryDirectory() as place:
        copy = Path(place)
        share.copy(result, copy)
        render(copy, drawings)
        with writing(out, "--out"):
            publish(copy, out)
        withheld = read(copy).withheld
    if not withheld:
        return "every source lets its texts be shared: nothing was left out"
    return f"ids and numbers alone of {', '.join(withheld)} (share: scores)"


def _refuse_what_would_be_lost(out: Path) -> None:
    """The copy may take the place of an older copy, but of no RESULT that can still be recomputed."""
    if not (out / "result.json").exists():
        return
    try:
        again = read(out).manifest.shareable
    except ResultError:
        again = None
    if not again:
        raise HarnessError(f"--out {out}: holds a RESULT that is no copy; name an empty or a new folder")
