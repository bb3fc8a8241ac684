"""Tell the harness's entries of a RESULT from the user's, and write there without following a symbolic link.

A RESULT may come from another person. A link in it, in the place of one of our files or folders, could lead writing and
removing to any place of that person's choice: it is replaced by a file or folder, or refused. All other entries belong to
the user and stay.
"""

import os
import re
from hashlib import sha256
from pathlib import Path
from secrets import token_hex

from harness.errors import HarnessError, ResultError
from harness.results.document import BESIDE, NAME
from harness.terminal.printed import warn

DATA = (NAME, *BESIDE)
PAGES = ("report.html", "report.md")
FILES = (*DATA, *PAGES, "verdicts.json")
_PAGE = (
    b'<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
    b'<meta http-equiv="Content-Security-Policy" content="default-src &#39;none&#39;; style-src &#39;sha256-'
)
# Folder -> the names of our files in it, and how they begin: a file of such a name may be the user's.
FOLDERS = {
    "charts": (
        re.compile(
            r"(?:(?:differences|cost|spectra)-\d+|losses|choosing|halving|scales|forgetting|alphas|alpha-histogram|ratios)(?:-dark)?\.svg"
        ),
        b'<svg role="img" aria-label=',
    ),
    "samples": (re.compile(r"\d{4,}\.html"), _PAGE),
}
BEGINNINGS = {"report.html": _PAGE}  # how our files begin, where a user's file of that name begins otherwise
SEALED = (
    "report.md",
)  # files that end with their own digest, so that a file that a user edited is the user's
_SEAL = b"<!-- written by harness report, digest "
_BEING_WRITTEN = re.compile(r"\.(.+)\.[0-9a-f]{16}\.writing")
_BESIDE_JSON = re.compile(r"\.(.+)\.\d+")  # where `records.write_json` writes first


def is_ours(folder: Path, path: Path) -> bool:
    """Return whether we wrote the entry at `path` in the RESULT; a link in the place of a file of ours counts as ours."""
    whole = folder / path
    if whole.is_symlink():
        return _in_place_of_ours(path)
    if begun := _BEING_WRITTEN.fullmatch(path.name):  # by a process that was killed
        return _in_place_of_ours(path.with_name(begun[1]))
    if len(path.parts) == 1:
        if path.name in FOLDERS:
            return whole.is_dir()
        if path.name in SEALED:
            return whole.is_file() and _as_sealed(whole)
        return path.name in FILES and not whole.is_dir() and begins(whole, BEGINNINGS.get(path.name, b""))
    return _in_place_of_ours(path) and begins(whole, FOLDERS[path.parts[0]][1])


def remove_links(folder: Path) -> None:
    """Remove links in the place of our files and folders from a fresh copy."""
    for path in list(folder.iterdir()):
        if path.is_symlink() and is_ours(folder, path.relative_to(folder)):
            path.unlink()
    for name in FOLDERS:
        for path in list((folder / name).iterdir()) if (folder / name).is_dir() else ():
            if path.is_symlink() and is_ours(folder, path.relative_to(folder)):
                path.unlink()


def refuse_links(folder: Path) -> None:
    """Raise ResultError if a data file of the RESULT is a link: a copy would contain what lies elsewhere."""
    for name in DATA:
        if (folder / name).is_symlink():
            raise ResultError(
                f"{folder / name}: found a symbolic link; copy the RESULT with its files: `cp -rL FROM TO`"
            )


def refuse_links_on_the_way(result: Path, out: Path, option: str) -> None:
    """Raise HarnessError if `out` lies in the RESULT and a link in the RESULT leads it elsewhere."""
    root, place = Path(os.path.abspath(result)), Path(os.path.abspath(out))  # noqa: PTH100  links are not followed
    if not place.is_relative_to(root):
        return
    for path in (place, *place.parents):
        if path == root:
            return
        if path.is_symlink():
            raise HarnessError(f"{option} {out}: {path} is a symbolic link in the RESULT; name another place")


def real_folder(folder: Path) -> Path:
    """Make a folder in a RESULT and return it; a link of that name is replaced."""
    if folder.is_symlink():
        folder.unlink()
    if os.path.lexists(folder) and not folder.is_dir():
        keep_aside(folder)
    folder.mkdir(exist_ok=True)
    return folder


def make_room(folder: Path, path: Path) -> None:
    """Rename the user's own entry at `path` in the RESULT, where we are going to write."""
    if os.path.lexists(folder / path) and not is_ours(folder, path):
        keep_aside(folder / path)


def keep_aside(path: Path) -> None:
    """Rename an entry of the user's, and warn about it."""
    kept = kept_name(path)
    path.rename(kept)
    warn_kept(path, kept)


def warn_kept(path: Path, kept: Path) -> None:
    """Warn that the user's entry at `path`, where the harness writes, has got another name."""
    warn(
        f"{path}: not written by the harness, or changed since, and the harness writes here: kept as {kept.name}"
    )


def kept_name(path: Path) -> Path:
    """Return a free name beside a path that is not a name of ours: `losses.kept.svg`."""
    kept, number = path.with_name(f"{path.stem}.kept{path.suffix}"), 2
    while os.path.lexists(kept):
        kept, number = path.with_name(f"{path.stem}.kept-{number}{path.suffix}"), number + 1
    return kept


def sealed(text: str) -> str:
    """Return the text of a file of SEALED with its digest as the last line; that line is not shown in Markdown."""
    return f"{text}{_seal(text.encode()).decode()}"


def _seal(content: bytes) -> bytes:
    return _SEAL + sha256(content).hexdigest()[:16].encode() + b" -->\n"


def _as_sealed(path: Path) -> bool:
    """Return whether a file ends with the digest of what stands before it."""
    content, _, _ = (whole := path.read_bytes()).rpartition(_SEAL)
    return whole == content + _seal(content)


def replace(path: Path, text: str) -> None:
    """Write a text beside its place and rename it: a reader sees the old or the new file, and no link is followed."""
    beside = path.with_name(f".{path.name}.{token_hex(8)}.writing")
    try:
        with beside.open("x", encoding="utf-8") as file:
            file.write(text)
        beside.replace(path)
    finally:
        beside.unlink(missing_ok=True)


def _in_place_of_ours(path: Path) -> bool:
    if begun := _BEING_WRITTEN.fullmatch(path.name) or _BESIDE_JSON.fullmatch(path.name):
        return _in_place_of_ours(path.with_name(begun[1]))
    if len(path.parts) == 1:
        return path.name in FILES or path.name in FOLDERS
    return (
        len(path.parts) == 2
        and path.parts[0] in FOLDERS
        and FOLDERS[path.parts[0]][0].fullmatch(path.name) is not None
    )


def begins(path: Path, beginning: bytes) -> bool:
    """Return whether a file begins with these bytes; a link never does."""
    if path.is_symlink() or not path.is_file():
        return False
    with path.open("rb") as file:
        return file.read(len(beginning)) == beginning
