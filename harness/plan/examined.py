"""Examine a suite's models for `check`: find what loading a model, or attaching an adapter to it, would refuse.

This imports torch, so each result is remembered under a digest of all that could change it.
"""

from dataclasses import replace
from pathlib import Path

from harness import backends, kinds
from harness.checkpoints import askable, locate
from harness.checkpoints.adapter import CONFIG, WEIGHTS
from harness.checkpoints.folder import ADAPTER_RECORD
from harness.checkpoints.remembered import Remembered
from harness.digest import digest
from harness.types import Adapter, Model, Pins, Runtime, Suite, Uri


def examined(suite: Suite, pinned: Pins, model: Model, *, offline: bool, cache: Path) -> list[str]:
    """Return a line for each remark on a model and its adapters; raise ModelError if a run would refuse them."""
    places = {
        adapter.name: adapter_place(adapter, pinned)
        for adapter in suite.adapters
        if adapter.base == model.name
    }
    folders = {name: folder for name, folder in places.items() if folder is not None}
    if not suite.tasks:
        return []
    backend, pin = backends.of(model), pinned.models[model.name]
    remembered = Remembered.load(cache)
    files = [folder / name for folder in folders.values() for name in (CONFIG, WEIGHTS, ADAPTER_RECORD)]
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
    if all(kinds.find(task.kind).lacks(task, model, pin) for task in suite.tasks):
        found = []  # no task asks the model, so remarks on its answers lead astray; `plan` says why none does
    absent = [name for name, folder in places.items() if folder is None]
    return [*found, *(f"adapter {name}: not downloaded yet; checked only by a run" for name in absent)]


def check_trainable(suite: Suite, pinned: Pins, model: Model, *, offline: bool) -> None:
    """Raise AdapterError where a model's modules do not support the kind of adapter that a recipe names."""
    recipes = [recipe for recipe in suite.recipes if recipe.peft]
    backend, pin = backends.of(model), pinned.models[model.name]
    if (
        not recipes
        or not backends.trainable(model)
        or not backend.is_here(model, pin)
        or backend.folder is None
    ):
        return
    from harness.neural.load import outline
    from harness.neural.lora import check_attach

    runtime = Runtime(device=pinned.device, offline=offline)
    for recipe in recipes:
        check_attach(outline(backend.folder(model, pin, offline), model, pin, runtime), recipe)


def _public(model: Model) -> str:
    """Return the model's uri, without the path of a local folder: the digest of its files is in the pin."""
    return "file:" if Uri.parse(model.uri).scheme == "file" else model.uri


def adapter_place(adapter: Adapter, pinned: Pins) -> Path | None:
    """Return the folder of the adapter's files; None if they are not on this machine."""
    uri = Uri.parse(adapter.uri)
    if uri.scheme != "hub":
        return Path(uri.place)
    folder = locate.snapshot(uri.place, pinned.adapters[adapter.name])
    return folder if all((folder / name).is_file() for name in (CONFIG, WEIGHTS)) else None
