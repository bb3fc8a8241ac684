"""Write a site as a folder for any static web server, or to open from disk.

It is for others: every page is drawn from copies of the RESULTs without the texts of sources with `share: scores`, and
without paths of this machine.
"""

import json
import shutil
from pathlib import Path
from tempfile import TemporaryDirectory

from harness import text as words
from harness._version import __version__
from harness.commands.site import Settings, Site, SiteReader, local, result_folders
from harness.errors import HarnessError
from harness.files.json_lines import write_json
from harness.files.publishing import owned, refuse_unwritable
from harness.files.regular import regular_text
from harness.report.site.members import Unreadable
from harness.results import redact
from harness.run.store import store_around
from harness.run.target import told

MARK = "harness-site.json"  # says that a folder was written by this command
SCHEMA = 1
PAIRS = 300  # of RESULTs that have a page, the latest first: each takes a second or so


def refuse(out: Path) -> None:
    """Raise HarnessError where no bundle can be written: an existing folder is replaced only if it is a bundle."""
    refuse_unwritable(out, "--bundle")
    if found := store_around(out):
        raise HarnessError(
            f"--bundle {out}: lies in {found[1]}/ of the store {found[0]}; name another folder"
        )
    if out.is_dir() and any(out.iterdir()) and _files(out) is None:
        raise HarnessError(f"--bundle {out}: the folder holds other things; name an empty or a new one")


def write(
    folder: Path, out: Path, *, verified: bool, drawings: Path | None = None
) -> tuple[int, tuple[Unreadable, ...]]:
    """Write the bundle of a folder's RESULTs, which appears at once.

    Return the number of its pages, and the RESULTs that cannot be shown.
    """
    refuse(out)
    place = out.resolve()
    if any(place.is_relative_to(one.resolve()) for one in result_folders(folder)):
        raise HarnessError(f"--bundle {out}: lies in a RESULT; name a folder outside of it")
    with TemporaryDirectory() as here, told(out), owned(out) as target:
        work, fresh = Path(here), Path(here) / "site"
        copies, lost = _copied(folder, work / "copies")
        title = words.visible(folder.resolve().name)
        settings = Settings(title=title, verified=verified, drawings=drawings, pairs=PAIRS)
        site = Site(SiteReader(copies, lost), work / "reports", settings)
        written = []
        for address in site.addresses():
            page = site.page(address)
            assert page is not None
            path = fresh / address
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(page)
            written.append(address)
        mark = {"schema": SCHEMA, "harness": __version__, "files": sorted([*written, MARK])}
        write_json(fresh / MARK, mark)
        _carry(out, fresh)
        target.put(target.stage(fresh))
    return len(written), lost


def _copied(folder: Path, copies: Path) -> tuple[Path, tuple[Unreadable, ...]]:
    """Copy each RESULT, without private texts, to the same place below; return that place, and what is left out."""
    found = SiteReader(folder).read()
    below, lost = copies / folder.resolve().name, list(found.unreadable)
    below.mkdir(parents=True)
    for member in found.members:
        copy = below / member.folder.relative_to(folder)
        try:
            redact.copy(member.folder, copy)
        except HarnessError as error:
            shutil.rmtree(copy, ignore_errors=True)
            lost.append(Unreadable(name=member.name, problem=local(str(error), member.folder)))
    return below, tuple(lost)


def _files(out: Path) -> frozenset[str] | None:
    """Return the files that an earlier call wrote into a bundle; None for a folder that is no bundle."""
    try:
        mark = json.loads(regular_text(out / MARK))
        files = mark["files"] if mark["schema"] == SCHEMA else None
    except (OSError, HarnessError, ValueError, TypeError, KeyError, RecursionError):
        return None
    return frozenset(map(str, files)) if isinstance(files, list) else None


def _carry(out: Path, fresh: Path) -> None:
    """Copy the files that the user added to the bundle, such as CNAME; a page of that name goes first."""
    ours = _files(out) or frozenset()
    for path in sorted(out.rglob("*")) if out.is_dir() else ():
        inside = path.relative_to(out)
        place = fresh / inside
        if (path.is_file() or path.is_symlink()) and inside.as_posix() not in ours and not place.exists():
            place.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(path, place, follow_symlinks=False)
