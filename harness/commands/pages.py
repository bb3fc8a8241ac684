"""Draw the pages of a RESULT that a run publishes, or copy pages that were drawn from the same data before.

The store keeps pages under a digest of everything that they are drawn from: the RESULT's data and our code. Kept pages are
used while their files match their digests, as finished steps are.
"""

import hashlib
import os
import shutil
import traceback
from collections.abc import Callable
from contextlib import suppress
from functools import cache
from importlib.metadata import version
from pathlib import Path
from secrets import token_hex

from harness.errors import HarnessError
from harness.files.json_lines import sync, write_json
from harness.files.publishing import copy
from harness.results import ours
from harness.results.document import NAME
from harness.results.verdicts import FILE as VERDICTS
from harness.run.intact import RECORD, Inspector, sealed
from harness.run.store import Store

KEPT = 10  # the pages of so many RESULTs are kept: the latest
PAGES = (*ours.PAGES, *ours.FOLDERS)
LIBRARIES = ("altair", "jinja2", "markupsafe", "vl-convert-python")  # they draw the pages


def draw(folder: Path, out: Path, store: Store, wanted: Callable[[], bool] | None = None) -> tuple[str, ...]:
    """Put the pages into a staged RESULT folder; return a line that says why they cannot be drawn, or no line.

    A RESULT without pages is still published at `out`. Raises OSError if the disk cannot be written. `wanted` tells of an
    unfinished RESULT whether it is still to be shown: its pages are not kept, since the next one is another.
    """
    kept = store.pages / _source(folder)
    if _copied(kept, folder):
        return ()
    from harness.report import render

    try:
        render(folder, store.drawings, *([wanted] if wanted else []))
    except OSError:
        raise
    except Exception as error:  # the data is published even if a page fails
        _remove(folder)
        reason = str(error) if isinstance(error, HarnessError) else f"{type(error).__name__}: {error}"
        line = f"{out}: its pages cannot be drawn: {' '.join(reason.split())}"
        return (f"{line}; `harness report {out}` tries again{_logged(error, store)}",)
    if wanted is None:
        _keep(folder, kept)
    return ()


def _source(folder: Path) -> str:
    """Return a digest of everything that pages are drawn from; result.json holds the digests of the files beside it."""
    parts = hashlib.sha256(_code().encode())
    for name in (NAME, VERDICTS):
        path = folder / name
        parts.update(hashlib.sha256(path.read_bytes()).digest() if path.is_file() else b"-")
    return parts.hexdigest()[:16]


@cache
def _code() -> str:
    """Return a digest of our code, our templates and the versions of the drawing libraries."""
    package = Path(__file__).parents[1]
    parts = hashlib.sha256(" ".join(map(version, LIBRARIES)).encode())
    templates = (package / "report" / "templates").rglob("*.*")
    for path in sorted([*package.rglob("*.py"), *templates]):
        parts.update(path.relative_to(package).as_posix().encode() + path.read_bytes())
    return parts.hexdigest()


def _copied(kept: Path, folder: Path) -> bool:
    """Copy kept pages into the folder; return False if there are none, or some are damaged."""
    if not kept.is_dir():
        return False
    if Inspector().damage(kept) is not None:
        shutil.rmtree(kept, ignore_errors=True)
        return False
    try:
        _copy(kept, folder)
    except FileNotFoundError:  # another process removed them meanwhile
        _remove(folder)
        return False
    with suppress(OSError):
        os.utime(kept)
    return True


def _keep(folder: Path, kept: Path) -> None:
    """Keep a RESULT's pages and remove the oldest of those kept; if that fails, they are drawn again next time."""
    fresh = kept.with_name(f".{kept.name}.{token_hex(4)}")
    try:
        fresh.mkdir(parents=True)
        _copy(folder, fresh)
        write_json(fresh / RECORD, sealed(fresh, {"kind": "pages", "label": folder.name, "seconds": 0.0}))
        fresh.rename(kept)
        sync(kept.parent)
        ours_alone = (
            path for path in kept.parent.iterdir() if not path.is_symlink() and (path / RECORD).is_file()
        )
        for old in sorted(ours_alone, key=lambda path: path.stat().st_mtime)[:-KEPT]:
            shutil.rmtree(old, ignore_errors=True)
    except OSError:
        shutil.rmtree(fresh, ignore_errors=True)


def _copy(source: Path, target: Path) -> None:
    for name in PAGES:
        if (source / name).is_dir():
            copy(source / name, target / name)
        elif (source / name).is_file():
            shutil.copy2(source / name, target / name)


def _remove(folder: Path) -> None:
    for name in ours.PAGES:
        (folder / name).unlink(missing_ok=True)
    for name in ours.FOLDERS:
        shutil.rmtree(folder / name, ignore_errors=True)


def _logged(error: Exception, store: Store) -> str:
    """Write the whole error to a log of the store; return where it is, in words."""
    log = store.log("pages")
    try:
        with log.open("a", encoding="utf-8", errors="backslashreplace") as file:
            traceback.print_exception(error, file=file)
    except OSError:
        return ""
    return f" (log: {log})"
