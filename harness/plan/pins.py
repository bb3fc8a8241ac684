"""What the outside world holds today: hub commits, digests of files, versions of libraries, the device.

Nothing heavy is imported: a suite of tiny models and embedded data is pinned in a fraction of a second.
"""

import time
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field, fields, replace
from importlib import metadata
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field

from harness import data, families, kinds
from harness.checkpoints import askable, hub
from harness.checkpoints import folder as checkpoint
from harness.checkpoints.locate import HUB_FILES, folder_of, named, pickled, refuse_pickles, snapshot
from harness.digest import digest
from harness.errors import AdapterError
from harness.files import devices
from harness.files.json_lines import from_json, read_json, write_json
from harness.files.regular import file_digest
from harness.gates.rules import BASE
from harness.tasks import metric_names
from harness.types import Adapter, Model, ModelPin, Pins, Split, Suite, Task

# Distributions whose version can move a result; each kind of step names its own among them.
LIBRARIES = (
    "accelerate",
    "bitsandbytes",
    "datasets",
    "evaluate",
    "nltk",
    "numpy",
    "peft",
    "powerlaw",
    "pyarrow",
    "rouge_score",
    "sacrebleu",
    "safetensors",
    "scipy",
    "tokenizers",
    "torch",
    "transformers",
    "weightwatcher",
)

# A file younger than this is digested each time: it may change again within the resolution of its time stamp.
_SETTLED_NANOSECONDS = 2_000_000_000

Device = Literal["cpu", "cuda"]
Count = Annotated[int, Field(ge=0, le=10**12)]  # of samples


def pins(suite: Suite, *, device: str = "auto", offline: bool = False, cache: Path) -> Pins:
    """Pins everything that the suite names. `cache` is a JSON file that keeps digests of files between runs."""
    kind: Device = found_device() if device == "auto" else "cuda" if device.startswith("cuda") else "cpu"
    remembered = Remembered.load(cache)
    sources = {
        task.name: data.pin(task.source, remembered.file_digest, offline=offline) for task in suite.tasks
    }
    models = {model.name: _model(model, kind, remembered, offline) for model in suite.models}
    if suite.tasks:  # a model that is only weighed need not answer
        for model in suite.models:
            _check_askable(model, models[model.name], kind, remembered, offline)
    scripts = _scripts(suite, remembered)
    samples = {}
    for task in suite.tasks:
        known = (sources[task.name], scripts.get(suite.plugins.get("kinds", {}).get(task.kind, "")))
        samples[task.name] = _samples(task, known, remembered, offline)
    for task in suite.tasks:
        data.check_shots(task, samples[task.name], suite.base_shots)
    found = Pins(
        device=kind,
        models=models,
        sources=sources,
        adapters={adapter.name: _adapter(adapter, remembered, offline) for adapter in suite.adapters},
        libraries=libraries(),
        test_samples={task.name: samples[task.name]["test"] for task in suite.tasks},
        scripts=scripts,
        baselines={
            gate.against: _baseline(gate.against, remembered)
            for gate in suite.gates
            if gate.against not in (None, BASE)
        },
    )
    remembered.save(cache)
    return found


def _scripts(suite: Suite, remembered: "Remembered") -> dict[str, str]:
    """Return a digest for each metric that is a program of the user's, and each plug-in that is a file of his project."""
    found = {}
    for metric in dict.fromkeys(metric for task in suite.tasks for metric in task.metrics):
        path = metric_names.path_of(metric)
        if metric_names.is_program(metric) and path is not None:
            files = tuple(sorted(path.glob("*.py"))) if path.is_dir() else (path,)
            metric_names.refuse_broken(files)
            found[metric] = remembered.files_digest(files)
    for group in suite.plugins.values():
        found |= {path: remembered.file_digest(Path(path)) for path in group.values()}
    return found


def libraries() -> dict[str, str]:
    """Versions of the libraries that are installed, without importing them."""
    found = {}
    for name in LIBRARIES:
        try:
            found[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            continue
    return found


def found_device() -> Device:
    """cuda where torch is built for it, a GPU is there and CUDA_VISIBLE_DEVICES does not hide it."""
    return "cpu" if devices.without_cuda() else "cuda"


@dataclass(slots=True, kw_only=True)
class Remembered:
    """What need not be worked out again while the files it was read from stay as they are."""

    # path -> size, mtime in ns, inode, digest
    digests: dict[str, tuple[int, int, int, str]] = field(default_factory=dict)
    # digest of task and data -> samples in each split
    samples: dict[str, dict[Split, Count]] = field(default_factory=dict)
    # place@revision -> type, parameters, bytes
    checkpoints: dict[str, tuple[str, int, int]] = field(default_factory=dict)
    # what was looked at and found sound -> what there is to say of it
    passed: dict[str, list[str]] = field(default_factory=dict)

    @classmethod
    def load(cls, path: Path) -> "Remembered":
        """What an earlier run wrote; nothing where it is not there or cannot be read, for all of it can be found anew."""
        try:
            return from_json(cls, read_json(path))
        except (OSError, ValueError, RecursionError):  # pydantic's errors are ValueErrors
            return cls()

    def save(self, path: Path) -> None:
        """Write it for later runs; nothing where that cannot be, for all of it can be found again."""
        with suppress(OSError):
            path.parent.mkdir(parents=True, exist_ok=True)
            write_json(path, {one.name: getattr(self, one.name) for one in fields(self)})

    def file_digest(self, path: Path) -> str:
        """SHA-256 of a file, read again only when path, size, time or inode differ."""
        now = time.time_ns()  # before the look at the file: what changes it after has another time
        status = path.stat()
        seen = (status.st_size, status.st_mtime_ns, status.st_ino)
        key = str(path.absolute())
        known = self.digests.get(key)
        if known is not None and known[:3] == seen:
            return known[3]
        found = file_digest(path)
        if now - status.st_mtime_ns > _SETTLED_NANOSECONDS:
            self.digests[key] = (*seen, found)
        return found

    def files_digest(self, paths: tuple[Path, ...]) -> str:
        return digest({path.name: self.file_digest(path) for path in paths})

    def look(self, key: str, at: Callable[[], Iterable[str]]) -> list[str]:
        """What is said of something sound. What raises is looked at again the next time."""
        if key not in self.passed:
            self.passed[key] = list(at())
        return self.passed[key]

    def checkpoint(self, key: str, read: Callable[[], checkpoint.Checkpoint]) -> checkpoint.Checkpoint:
        if key not in self.checkpoints:
            found = read()
            self.checkpoints[key] = (found.model_type, found.parameters, found.stored_bytes)
        kind, parameters, stored_bytes = self.checkpoints[key]
        return checkpoint.Checkpoint(model_type=kind, parameters=parameters, stored_bytes=stored_bytes)


def _samples(
    task: Task,
    known: tuple[str, str | None],  # the source's pin, and the digest of a kind that is a file
    remembered: Remembered,
    offline: bool,
) -> Mapping[Split, int]:
    """Return the samples in each split. All are read, once, so that what is wrong with them is said before any work."""
    source, (pin, kind) = task.source, known
    asked = (task.kind, task.prompt, task.cluster, pin)
    key = digest(source.columns, source.splits, source.config, *asked, *([kind] if kind else []))
    if "test" not in remembered.samples.get(key, ()):
        pinned = replace(task, source=data.pinned(task.source, pin))
        remembered.samples[key] = data.check(pinned, kinds.find(task.kind).ask, offline=offline)
    return remembered.samples[key]


def _model(model: Model, device: Device, remembered: Remembered, offline: bool) -> ModelPin:
    scheme, _, place = model.uri.partition(":")
    with named(f"model {model.name!r}"):
        if scheme in ("zoo", "file"):
            folder = folder_of(model)
            files = {*checkpoint.identity(folder, checkpoint.FILES), *checkpoint.weights(folder)}
            revision = remembered.files_digest(tuple(files))
            found = remembered.checkpoint(f"{scheme}@{revision}", lambda: checkpoint.read(folder))
        elif scheme == "hub":
            revision = hub.commit(place, "model", model.revision, offline=offline)
            found = remembered.checkpoint(
                f"{place}@{revision}", lambda: _on_the_hub(place, revision, offline)
            )
        else:  # a backend that keeps no files here
            return ModelPin(
                revision=digest(model.uri),
                parameters=None,
                checkpoint_bytes=None,
                dtype="float32",
                family=model.family,
            )
    dtype = model.dtype if model.dtype != "auto" else "float32" if device == "cpu" else "bfloat16"
    return ModelPin(
        revision=revision,
        parameters=found.parameters,
        checkpoint_bytes=found.stored_bytes,
        dtype=dtype,
        family=model.family or families.of(found.model_type).name,
    )


def _check_askable(
    model: Model, pin: ModelPin, device: Device, remembered: Remembered, offline: bool
) -> None:
    """Raises ModelError where the files that are here say that the model cannot be asked."""
    scheme, _, place = model.uri.partition(":")
    if scheme not in ("zoo", "file", "hub"):
        return
    with named(f"model {model.name!r}"):
        askable.check_quantization(model, device, libraries())
        offline = offline or hub.switched_off()

        def look() -> Iterable[str]:
            if scheme != "hub":
                askable.check_folder(folder_of(model), model.uri)
            elif offline:
                askable.check_folder(snapshot(place, pin.revision), model.uri)
            else:  # a run would fetch what is missing
                askable.check_writes(checkpoint.config(_hub_config(place, pin.revision)), model.uri)
            return ()

        what = "can write" if scheme == "hub" and not offline else "can be asked"
        remembered.look(f"{what} {askable.RULES} {scheme}@{pin.revision}", look)


def _hub_config(place: str, commit: str) -> Path:
    from huggingface_hub import hf_hub_download

    with hub.told(place, "model", commit):
        return Path(hf_hub_download(place, checkpoint.CONFIG, revision=commit))


def _on_the_hub(place: str, commit: str, offline: bool) -> checkpoint.Checkpoint:
    """What a hub model's config and headers say; the weights stay where they are."""
    if offline or hub.switched_off():
        folder = hub.snapshot(place, "model", commit, HUB_FILES, offline=True)
        refuse_pickles(folder, place)
        return checkpoint.read(folder)
    from huggingface_hub import HfApi
    from huggingface_hub.errors import NotASafetensorsRepoError

    kind = checkpoint.model_type(_hub_config(place, commit))
    with hub.told(place, "model", commit):
        try:
            headers = HfApi().get_safetensors_metadata(place, revision=commit).files_metadata.values()
        except NotASafetensorsRepoError as error:
            raise pickled(place) from error
    tensors = [tensor for header in headers for tensor in header.tensors.values()]
    return checkpoint.Checkpoint(
        model_type=kind,
        parameters=sum(tensor.parameter_count for tensor in tensors),
        stored_bytes=sum(tensor.data_offsets[1] - tensor.data_offsets[0] for tensor in tensors),
    )


def _adapter(adapter: Adapter, remembered: Remembered, offline: bool) -> str:
    scheme, _, place = adapter.uri.partition(":")
    with named(f"adapter {adapter.name!r}"):
        if scheme == "hub":
            return hub.commit(place, "model", adapter.revision, offline=offline)
        folder = Path(place)
        if (folder / "adapter_model.bin").is_file() and not (folder / "adapter_model.safetensors").is_file():
            hint = checkpoint.convert_hint(place)
            raise AdapterError(f"{place}: found adapter_model.bin, a pickle, which may run code; {hint}")
        for name in checkpoint.ADAPTER_FILES:
            if not (folder / name).is_file():
                raise AdapterError(
                    f"{place}: found no {name}; give a folder in PEFT's layout, which holds one"
                )
        askable.check_adapter(folder)
        return remembered.files_digest(checkpoint.identity(folder, checkpoint.ADAPTER_FILES))


def _baseline(file: str, remembered: Remembered) -> str:
    """Digest of a file that a gate compares with; one that is not there yet makes the gate invalid, not the plan."""
    try:
        return remembered.file_digest(Path(file))
    except OSError:
        return "missing"
