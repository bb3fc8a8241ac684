"""The folder that a RESULT is published into: what of it is ours, and what its user added."""

import os
import shutil
from collections.abc import Container, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from harness.errors import HarnessError, ResultError
from harness.files.publishing import Owned, owned, refuse_unwritable
from harness.results import ours
from harness.results.document import NAME, SCHEMA, json_object
from harness.run.store import store_around
from harness.terminal.printed import warn

NOT_PUBLISHED = ("step.json", "lease")  # of a step's folder


def refuse(out: Path, option: str = "--out") -> None:
    """Raise HarnessError where no RESULT can be published; it may take the place of another RESULT alone."""
    refuse_unwritable(out, option)
    if found := store_around(out):
        root, name = found
        raise HarnessError(
            f"{option} {out}: lies in {name}/ of the store {root}, where steps alone write; name another folder"
        )
    if not out.is_dir() or not any(out.iterdir()):
        return
    if not (out / NAME).exists():
        raise HarnessError(f"{option} {out}: the folder holds other things; name an empty or a new one")
    try:
        version = json_object(out / NAME, "", "").get("schema")
    except ResultError:
        version = None
    if not isinstance(version, int):
        raise HarnessError(
            f"{option} {out}: its {NAME} is broken or another program's; rename the folder, or name a new one"
        )
    if version > SCHEMA:
        raise HarnessError(
            f"{option} {out}: holds a RESULT of schema {version}, this harness knows up to {SCHEMA}; "
            "update the harness, or name a new folder"
        )


def publish(source: Path, out: Path) -> None:
    """Put a copy of a RESULT into `out`; what the user added to the RESULT there stays."""
    refuse(out)
    with told(out), owned(out) as place:
        put(place, stage(place, source, NOT_PUBLISHED))


def stage(place: Owned, source: Path, leave_out: Container[str] = ()) -> Path:
    """Copy a RESULT to a hidden folder beside its target, without links in the place of what we write."""
    fresh = place.stage(source, leave_out)
    ours.remove_links(fresh)
    return fresh


def put(place: Owned, fresh: Path) -> None:
    """Put a staged RESULT in the target's place, with what the user added to the RESULT there."""
    carry(place.target, fresh)
    place.put(fresh)


@contextmanager
def told(out: Path, also: str = "") -> Iterator[None]:
    """Say in one line that `out` cannot be written, and what became of it."""
    try:
        yield
    except OSError as error:
        reason = error.strerror or error
        raise HarnessError(f"{out}: cannot be written: {reason}; what was there stays{also}") from error


def added_files(out: Path) -> Iterator[Path]:
    """Yield the files, links and empty folders that are not the harness's own, relative to the folder."""
    for folder, folders, files in os.walk(out):
        here = Path(folder).relative_to(out)
        links = [name for name in folders if (out / here / name).is_symlink()]
        for name in sorted([*files, *links]):
            if not ours.is_ours(out, here / name):
                yield here / name
        if not (folders or files or ours.is_ours(out, here) or here == Path()):
            yield here


def carry(out: Path, fresh: Path) -> None:
    """Take the user's own files over to a folder that will be in this one's place.

    Those that stand where the harness writes get another name there.
    """
    kept: dict[Path, Path] = {}  # what stands where the harness writes -> its name in the fresh folder
    for path in added_files(out):
        place = _place(fresh, path, kept)
        if not os.path.lexists(place):
            if (out / path).is_dir() and not (out / path).is_symlink():  # an empty one
                place.mkdir()
                continue
            try:
                os.link(out / path, place, follow_symlinks=False)
            except OSError:  # the file system has no hard links
                shutil.copy2(out / path, place, follow_symlinks=False)
    for path, place in kept.items():
        warn(
            f"{out / path}: the harness writes here, and what was here is not its own: it is kept as {place.name}"
        )


def unfinished(document: Mapping[str, Any]) -> list[str]:
    """The labels of the steps that have no result; a RESULT with any is partial."""
    return [str(one.get("label")) for one in document.get("steps", ()) if one.get("state") != "done"]


def _place(fresh: Path, path: Path, kept: dict[Path, Path]) -> Path:
    """Return where a user's file goes; the folders that lead there are made, in place of links that were copied."""
    place = fresh
    for whole in (*reversed(path.parents[:-1]), path):
        place = kept.get(whole, place / whole.name)
        last = whole == path
        if not last and place.is_symlink():
            place.unlink()
        if os.path.lexists(place) and (ours.is_ours(fresh, whole) if last else not place.is_dir()):
            place = kept[whole] = ours.kept_name(place)
        if not last:
            place.mkdir(exist_ok=True)
    return place
