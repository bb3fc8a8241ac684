"""The closer look at a suite's models that `check` takes: what loading them, or putting an adapter on, would refuse.

It imports torch, and so it is taken once: what is sound is remembered by all that could change the answer.
"""

from dataclasses import replace
from pathlib import Path

from harness import backends
from harness.checkpoints import askable, locate
from harness.checkpoints.adapter import CONFIG, WEIGHTS
from harness.checkpoints.remembered import Remembered
from harness.digest import digest
from harness.types import Adapter, Model, Pins, Runtime, Suite, Uri

OURS = "harness.json"  # which base an adapter of the harness's own was trained on


def examined(suite: Suite, pinned: Pins, model: Model, *, offline: bool, cache: Path) -> list[str]:
    """Return what is to be said of a model and of its adapters; ModelError where a run would refuse them."""
    places = {one.name: _folder(one, pinned) for one in suite.adapters if one.base == model.name}
    folders = {name: folder for name, folder in places.items() if folder is not None}
    if not suite.tasks:
        return []
    backend, pin = backends.of(model), pinned.models[model.name]
    remembered = Remembered.load(cache)
    files = [folder / name for folder in folders.values() for name in (CONFIG, WEIGHTS, OURS)]
    contents = [remembered.file_digest(path) if path.is_file() else None for path in files]
    named = replace(model, uri=_public(model))
    key = digest(
        *("examined", askable.RULES, named, pin, pinned.device, sorted(folders), contents, pinned.libraries)
    )
    runtime = Runtime(device=pinned.device, offline=offline)
    if backend.is_here(model, pin):
        found = remembered.look(key, lambda: backend.examine(model, pin, runtime, folders))
        remembered.save(cache)
    else:
        found = list(backend.examine(model, pin, runtime, folders))
    absent = [name for name, folder in places.items() if folder is None]
    return [*found, *(f"adapter {name}: not downloaded yet; checked only by a run" for name in absent)]


def _public(model: Model) -> str:
    """Where a local folder lies says nothing; its digest is in the pin."""
    return "file:" if Uri.parse(model.uri).scheme == "file" else model.uri


def _folder(adapter: Adapter, pinned: Pins) -> Path | None:
    """Where the adapter's files are, if they are here."""
    uri = Uri.parse(adapter.uri)
    if uri.scheme != "hub":
        return Path(uri.place)
    folder = locate.snapshot(uri.place, pinned.adapters[adapter.name])
    return folder if all((folder / name).is_file() for name in (CONFIG, WEIGHTS)) else None
