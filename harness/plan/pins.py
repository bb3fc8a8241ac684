"""What the outside world holds today: hub commits, digests of files, versions of libraries, the device.

Nothing heavy is imported: a suite of tiny models and embedded data is pinned in a fraction of a second.
"""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from harness import backends, data, kinds
from harness.checkpoints import askable, hub
from harness.checkpoints import folder as checkpoint
from harness.checkpoints.locate import named
from harness.checkpoints.remembered import Remembered
from harness.digest import digest
from harness.errors import AdapterError
from harness.files import devices
from harness.files.installed import versions
from harness.gates.rules import BASE
from harness.types import Adapter, DeviceKind, Pins, Split, Suite, Task, Uri

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


def pins(suite: Suite, *, device: str = "auto", offline: bool = False, cache: Path) -> Pins:
    """Pins everything that the suite names. `cache` is a JSON file that keeps digests of files between runs."""
    kind: DeviceKind = found_device() if device == "auto" else "cuda" if device.startswith("cuda") else "cpu"
    remembered = Remembered.load(cache)
    sources = {
        task.name: data.pin(task.source, remembered.file_digest, offline=offline) for task in suite.tasks
    }
    answering = {model.name: backends.of(model) for model in suite.models}
    models = {}
    for model in suite.models:
        with named(f"model {model.name!r}"):
            models[model.name] = answering[model.name].pin(model, kind, remembered, offline)
    for model in suite.models if suite.tasks else ():  # a model that is only weighed need not answer
        with named(f"model {model.name!r}"):
            answering[model.name].check_askable(model, models[model.name], kind, remembered, offline)
    samples = {task.name: _samples(task, sources[task.name], remembered, offline) for task in suite.tasks}
    for task in suite.tasks:
        data.check_shots(task, samples[task.name], suite.base_shots)
    found = Pins(
        device=kind,
        models=models,
        sources=sources,
        adapters={adapter.name: _adapter(adapter, remembered, offline) for adapter in suite.adapters},
        libraries=versions({*LIBRARIES, *(name for each in answering.values() for name in each.libraries)}),
        test_samples={task.name: samples[task.name]["test"] for task in suite.tasks},
        scripts=_scripts(suite, remembered),
        baselines={
            gate.against: _baseline(gate.against, remembered)
            for gate in suite.gates
            if gate.against not in (None, BASE)
        },
    )
    remembered.save(cache)
    return found


def _scripts(suite: Suite, remembered: Remembered) -> dict[str, str]:
    """Return a digest for each metric that is a file, or a folder of files, of the user's."""
    from harness.metrics import _places

    found = {}
    for metric in dict.fromkeys(metric for task in suite.tasks for metric in task.metrics):
        path = _places.path_of(metric)
        if path is not None:
            files = tuple(sorted(path.glob("*.py"))) if path.is_dir() else (path,)
            _places.refuse_broken(files)
            found[metric] = remembered.files_digest(files)
    return found


def found_device() -> DeviceKind:
    """cuda where torch is built for it, a GPU is there and CUDA_VISIBLE_DEVICES does not hide it."""
    return "cpu" if devices.without_cuda() else "cuda"


def _samples(task: Task, pin: str, remembered: Remembered, offline: bool) -> Mapping[Split, int]:
    """Return the samples in each split. All are read, once, so that what is wrong with them is said before any work."""
    source = task.source
    key = digest(source.columns, source.splits, source.config, task.kind, task.prompt, task.cluster, pin)
    if "test" not in remembered.samples.get(key, ()):
        pinned = replace(task, source=data.pinned(task.source, pin))
        remembered.samples[key] = data.check(pinned, kinds.find(task.kind).ask, offline=offline)
    return remembered.samples[key]


def _adapter(adapter: Adapter, remembered: Remembered, offline: bool) -> str:
    uri = Uri.parse(adapter.uri)
    place = uri.place
    with named(f"adapter {adapter.name!r}"):
        if uri.scheme == "hub":
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
