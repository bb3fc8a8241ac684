"""Decide which uri a user means by what is written for a model or an adapter.

    SCHEME:PLACE                         the uri itself
    ./PATH, ../PATH, /PATH, ~/PATH       a folder: file:PATH
    NAME                                 the folder NAME, else the tiny model zoo:NAME
    NAME.gguf                            a file: file:NAME.gguf
    OWNER/NAME, OWNER/NAME@REVISION      hub:OWNER/NAME
    any other path, such as a/b/c        a folder: file:PATH

A name that could be a folder or a model, because a folder of that name exists, is refused: `./NAME` is the folder.
A path that is relative starts at the folder of the suite's file; on the command line, at the working folder.
"""

import re
from collections.abc import Collection
from difflib import get_close_matches
from pathlib import Path

from harness.errors import SuiteError, UnknownName
from harness.files import shipped

ADAPTER_SCHEMES = ("file", "hub")  # of the uri of an adapter with files
SERVED = ("http", "https")  # of the uri of a model or an adapter on a server

REPOSITORY = re.compile(r"\w[\w.-]*(/\w[\w.-]*)?(@[\w./-]+)?")  # what follows `hub:`

GGUF = ".gguf"
GGUF_OF_HUB = re.compile(r"[\w.-]+/[\w.-]+/[\w./-]+\.gguf(@[\w./-]+)?", re.IGNORECASE)  # what follows `hub:`

_OWNER_AND_NAME = re.compile(r"\w[\w.-]*/\w[\w.-]*(@[\w./-]+)?")
_PATH_BEGINS = ("/", "./", "../", "~")


def model_uri(
    text: str,
    folder: Path,  # where relative paths start
    where: str,  # "FILE:LINE: key", for messages
    schemes: Collection[str],
) -> str:
    """Return the uri of the model that the text names; raise SuiteError if it names none, or could be two."""
    if (uri := _written_out(text, folder, where, schemes)) is not None:
        return uri
    here, names = (folder / text).is_dir(), shipped.zoo_names()
    if here and text in names:
        raise _ambiguous(text, f"the tiny model zoo:{text}", where)
    if here:
        return _file(text, folder)
    if text in names:
        return f"zoo:{text}"
    if text.lower().endswith(GGUF):
        return _file(text, folder)
    if get_close_matches(text, names, cutoff=0.5):
        raise UnknownName("tiny model", text, names, where)
    raise SuiteError(
        f"{where}: found {text!r}: no folder {folder / text}, and no tiny model of that name; write ./PATH for a folder, "
        f"hub:OWNER/NAME for a model of the hub, or name one of {', '.join(names)}"
    )


def adapter_uri(text: str, folder: Path, where: str) -> str:
    """Return the uri of the adapter that the text names: a folder's, or that of a repository of the hub."""
    uri = _written_out(text, folder, where, ADAPTER_SCHEMES)
    return _file(text, folder) if uri is None else uri


def source_uri(text: str, folder: Path) -> str:
    """Return the uri of a task's source as it is written; a text that begins like a path is a file's or folder's."""
    return _file(text, folder) if text.startswith(_PATH_BEGINS) else text


def without_revision(uri: str) -> tuple[str, str | None]:
    """Return a uri of the hub without its revision, and the revision; other uris have none."""
    if not uri.startswith("hub:"):
        return uri, None
    bare, _, revision = uri.partition("@")
    return bare, revision or None


def refuse_revision(uri: str, where: str) -> None:
    """Raise SuiteError for a uri in a suite that contains a revision, which has a key of its own."""
    bare, revision = without_revision(uri)
    if "@" in uri and bare != uri:
        raise SuiteError(f"{where}: found {uri!r}; write {bare} and `revision: {revision or '…'}`")


def _written_out(text: str, folder: Path, where: str, schemes: Collection[str]) -> str | None:
    """Return the uri of a text that is one, is a path or is an OWNER/NAME of the hub; None for a single name."""
    if not text.strip():
        raise SuiteError(f"{where}: found an empty text; write ./PATH, file:PATH or hub:OWNER/NAME")
    scheme, colon, place = text.partition(":")
    if colon and scheme in schemes:
        return _file(place, folder) if scheme == "file" and place else text
    if text.startswith(_PATH_BEGINS) or text in (".", ".."):
        return _file(text, folder)
    if colon:
        return text  # of a scheme that is not known, as its check will say
    if _OWNER_AND_NAME.fullmatch(text):
        if (folder / text).is_dir():
            raise _ambiguous(text, f"hub:{text} on the hub", where)
        return f"hub:{text}"
    return _file(text, folder) if "/" in text else None


def _file(place: str, folder: Path) -> str:
    return f"file:{(folder / Path(place).expanduser()).resolve()}"


def _ambiguous(text: str, other: str, where: str) -> SuiteError:
    return SuiteError(
        f"{where}: found {text!r}, which could be the folder ./{text} or {other}; write one of the two"
    )
