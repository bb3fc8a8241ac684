"""Make a copy of a RESULT for others, with its pages and without the texts of sources with `share: scores`."""

from pathlib import Path
from tempfile import TemporaryDirectory

from harness.errors import HarnessError, ResultError
from harness.files.json_lines import writing
from harness.report import render
from harness.results import read, redact
from harness.results.verdicts import FILE as VERDICTS
from harness.run.target import publish, refuse


def write(result: Path, out: Path, drawings: Path | None = None) -> str:
    """Write the copy and its pages to `out`, which is replaced in one rename; return what was left out, in words."""
    refuse(out)
    _refuse_what_would_be_lost(out)
    with TemporaryDirectory() as place:
        copy = Path(place)
        redact.copy(result, copy)
        render(copy, drawings)
        with writing(out, "--out"):
            publish(copy, out)
        withheld = read(copy).withheld
    if not withheld:
        return "all sources may be shared: no text was left out"
    gates = ""
    if (result / VERDICTS).exists():
        gates = f"; without its verdicts, which may quote samples: `harness gate {out}` judges the copy"
    return f"only ids and numbers of {', '.join(withheld)} (share: scores){gates}"


def _refuse_what_would_be_lost(out: Path) -> None:
    """Raise HarnessError if `out` holds a RESULT that is not itself a copy: it could not be recomputed from the copy."""
    if not (out / "result.json").exists():
        return
    try:
        is_copy = read(out).manifest.shareable
    except ResultError:
        is_copy = False
    if not is_copy:
        raise HarnessError(f"--out {out}: holds a RESULT that is not a copy; name an empty or new folder")
