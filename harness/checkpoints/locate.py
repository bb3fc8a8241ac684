"""Where models and adapters lie: folders on this machine, the tiny models of the package, the hub's cache."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from harness.checkpoints import folder as checkpoint
from harness.checkpoints import hub, written
from harness.errors import HarnessError, ModelError
from harness.files import shipped
from harness.types import Adapter, Model, ModelPin, Uri

HUB_FILES = (*checkpoint.FILES, "*.txt", "README.md")
ADAPTER_HUB_FILES = (*checkpoint.ADAPTER_FILES, checkpoint.ADAPTER_RECORD, "README.md")


def locate(model: Model, pin: ModelPin, *, offline: bool = False) -> Path:
    """Return the local folder of the pinned checkpoint; a hub model is downloaded where necessary."""
    uri = Uri.parse(model.uri)
    if uri.scheme != "hub":
        return folder_of(model)
    with named(f"model {model.name!r}"):
        folder = hub.snapshot(uri.place, "model", pin.revision, HUB_FILES, offline=offline)
        refuse_pickles(folder, uri.place)
    return folder


def licence(model: Model, pin: ModelPin) -> str | None:
    """Return the licence in the model's card, where the card is on this machine; it is not part of any step's id."""
    uri = Uri.parse(model.uri)
    if uri.scheme == "hub":
        return checkpoint.licence(snapshot(uri.place, pin.revision))
    return checkpoint.licence(folder_of(model))


def locate_adapter(adapter: Adapter, revision: str | None, *, offline: bool = False) -> Path:
    """Return the local folder of an existing adapter as pinned; of one on a server, its name there as a path."""
    uri = Uri.parse(adapter.uri)
    if uri.scheme in written.SERVED:
        return Path(uri.place.partition("#")[2])
    if uri.scheme == "hub":
        return hub.snapshot(uri.place, "model", revision or "main", ADAPTER_HUB_FILES, offline=offline)
    return Path(uri.place)


def is_here(model: Model, pin: ModelPin) -> bool:
    """Return whether the model's weights are on this machine, sound or broken; an interrupted download does not count."""
    uri = Uri.parse(model.uri)
    if uri.scheme != "hub":
        return True
    folder = snapshot(uri.place, pin.revision)
    if (folder / checkpoint.SINGLE).is_file() or not (folder / checkpoint.INDEX).is_file():
        return (folder / checkpoint.SINGLE).is_file()
    try:
        shards = set(checkpoint.weight_map(folder).values())
    except ModelError:
        return True
    return all((folder / name).is_file() for name in shards)


def snapshot(place: str, revision: str) -> Path:
    """Return the folder of a commit in the hub's cache."""
    return hub.cached(place, "model") / "snapshots" / revision


def folder_of(model: Model) -> Path:
    """Return the folder of a `zoo:` or `file:` model."""
    uri = Uri.parse(model.uri)
    return shipped.zoo_folder(uri.place) if uri.scheme == "zoo" else Path(uri.place)


def refuse_pickles(folder: Path, place: str) -> None:
    """Raise ModelError for a hub model without safetensors: no other weights were downloaded."""
    try:
        checkpoint.weights(folder)
    except ModelError as error:
        if any((folder / name).exists() for name in (checkpoint.SINGLE, checkpoint.INDEX)):
            raise
        raise pickled(place) from error


def pickled(place: str) -> ModelError:
    """Return the error for a hub model that has only pickled weights."""
    return ModelError(
        f"hub:{place}: found no safetensors, only pickles, which may run code; "
        "look for a revision that has them, or download it and " + checkpoint.convert_hint("FOLDER")
    )


@contextmanager
def named(what: str) -> Iterator[None]:
    """Put the name of what is being read before an error's message."""
    try:
        yield
    except HarnessError as error:
        raise type(error)(f"{what}: {error}") from error.__cause__
