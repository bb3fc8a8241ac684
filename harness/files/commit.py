"""Find the commit of the Git repository around a folder, without running git, which a repository may make run programs."""

import re
from contextlib import suppress
from pathlib import Path

from harness.errors import NotRegular
from harness.files.regular import read_regular

LARGEST = 1 << 24  # bytes of a file of references that are read
_COMMIT = re.compile(r"[0-9a-f]{40}(?:[0-9a-f]{24})?")


def commit_around(folder: Path) -> str:
    """Return the commit that is checked out around a folder, as hex digits; "" if there is none."""
    with suppress(OSError, ValueError, RuntimeError, NotRegular):
        here = folder.resolve()
        for place in (here, *here.parents):
            if (place / ".git").exists():
                return _checked_out(place / ".git")
    return ""


def _checked_out(git: Path) -> str:
    """Return the commit of a repository's folder, or of the file that names it in a further working tree."""
    if git.is_file():
        git = (git.parent / _text(git).removeprefix("gitdir:").strip()).resolve()
    head = _text(git / "HEAD")
    if not head.startswith("ref:"):
        return head if _COMMIT.fullmatch(head) else ""
    name = head.removeprefix("ref:").strip()
    shared = git / _text(git / "commondir") if (git / "commondir").is_file() else git
    for path in (git / name, shared / name):
        if path.is_file():
            said = _text(path)
            return said if _COMMIT.fullmatch(said) else ""
    packed = _text(shared / "packed-refs") if (shared / "packed-refs").is_file() else ""
    lines = (line.split() for line in packed.splitlines())
    found = (line[0] for line in lines if len(line) == 2 and line[1] == name)
    return next((commit for commit in found if _COMMIT.fullmatch(commit)), "")


def _text(path: Path) -> str:
    return read_regular(path, LARGEST).decode("utf-8", "replace").strip()
