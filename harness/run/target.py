"""Publish a RESULT into a folder, and keep the files that its user added there."""

import os
import shutil
from collections.abc import Container, Iterator
from contextlib import contextmanager
from pathlib import Path

from harness.errors import HarnessError, ResultError
from harness.files.publishing import Owned, owned, refuse_unwritable
from harness.results import ours
from harness.results.document import NAME, SCHEMA, json_object
from harness.run.store import store_around

NOT_PUBLISHED = ("step.json", "lease")  # of a step's folder


def refuse(out: Path, option: str = "--out") -> None:
    """Raise HarnessError where no RESULT can be published: an existing folder may only be replaced if it is a RESULT."""
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
            f"{option} {out}: contains a RESULT of schema {version}, and this harness knows schemas up to {SCHEMA}; "
            "update the harness, or name a new folder"
        )


def publish(source: Path, out: Path) -> None:
    """Put a copy of a RESULT into `out`; files that the user added to the RESULT there stay."""
    refuse(out)
    with told(out), owned(out) as place:
        put(place, stage(place, source, NOT_PUBLISHED))


def stage(place: Owned, source: Path, leave_out: Container[str] = ()) -> Path:
    """Copy a RESULT to a hidden folder beside its target, without links at the paths that the harness writes."""
    fresh = place.stage(source, leave_out)
    ours.remove_links(fresh)
    return fresh


def put(place: Owned, fresh: Path) -> None:
    """Put a staged RESULT in the target's place, with the files that the user added to the RESULT there."""
    carry(place.target, fresh)
    place.put(fresh)


@contextmanager
def told(out: Path, also: str = "") -> Iterator[None]:
    """Turn an OSError into a HarnessError: one line that `out` cannot be written, and what happened to its content."""
    try:
        yield
    except OSError as error:
        reason = error.strerror or error
        raise HarnessError(f"{out}: cannot be written: {reason}; what was there stays{also}") from error


def added_files(out: Path) -> Iterator[Path]:
    """Yield the files, links and empty folders that the harness did not write, relative to the folder."""
    for folder, folders, files in os.walk(out):
        here = Path(folder).relative_to(out)
        links = [name for name in folders if (out / here / name).is_symlink()]
        for name in sorted([*files, *links]):
            if not ours.is_ours(out, here / name):
                yield here / name
        if not (folders or files or ours.is_ours(out, here) or here == Path()):
            yield here


def carry(out: Path, fresh: Path) -> None:
    """Copy the user's own files to the folder that will take the place of this one.

    A file at a path that the harness writes gets another name there.
    """
    kept: dict[Path, Path] = {}  # path that the harness writes -> new path of the user's file
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
        ours.warn_kept(out / path, place)


def _place(fresh: Path, path: Path, kept: dict[Path, Path]) -> Path:
    """Return the new path of a user's file; create its parent folders, in place of links that were copied."""
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
