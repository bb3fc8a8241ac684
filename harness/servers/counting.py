"""Count the tokens of a text by a tokenizer's file, to compare with what a server counts."""

from collections.abc import Callable
from pathlib import Path

from harness.checkpoints import hub, locate
from harness.errors import ModelError
from harness.types import Model, Uri

FILE = "tokenizer.json"

Count = Callable[[str], tuple[int, int]]  # tokens as the model gets them, and without those put around a text


def counter(uri: str, where: str, *, offline: bool) -> Count:
    """Return a function that counts a text's tokens; ModelError, which begins with `where`, if there is no such file."""
    place = _folder(uri, offline) / FILE
    if not place.is_file():
        raise ModelError(f"{where}: {uri} has no {FILE}; name a model that has this file")
    from tokenizers import Tokenizer

    try:
        tokenizer = Tokenizer.from_file(str(place))
    except Exception as error:  # tokenizers raises no narrower one
        raise ModelError(f"{where}: {uri}: {FILE} cannot be read: {error}") from error
    tokenizer.no_truncation()
    tokenizer.no_padding()

    def count(text: str) -> tuple[int, int]:
        whole, bare = (
            len(tokenizer.encode(text, add_special_tokens=special).ids) for special in (True, False)
        )
        return whole, bare

    return count


def _folder(uri: str, offline: bool) -> Path:
    parts = Uri.parse(uri)
    if parts.scheme != "hub":
        return locate.folder_of(Model(name="tokenizer", uri=uri))
    commit = hub.commit(parts.place, "model", None, offline=offline)
    return hub.snapshot(parts.place, "model", commit, (FILE,), offline=offline)
