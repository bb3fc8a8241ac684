"""Pin all that a suite names but does not contain: hub commits, digests of files, versions of libraries, the device.

No heavy library is imported: a suite of tiny models and embedded data is pinned in a fraction of a second.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from harness import backends, data, kinds, metrics
from harness.checkpoints import askable, hub
from harness.checkpoints import folder as checkpoint
from harness.checkpoints.locate import named
from harness.checkpoints.remembered import Remembered
from harness.digest import digest
from harness.errors import AdapterError, SuiteError
from harness.files import devices
from harness.files.installed import versions
from harness.files.validation import At, placed
from harness.gates.rules import BASE
from harness.run import labelled
from harness.tasks import metric_names
from harness.tasks.remarks import CHANGES
from harness.tasks.shots import Ask
from harness.types import Adapter, DeviceKind, Model, ModelPin, Pins, Prompt, Sample, Split, Suite, Task, Uri

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


def pins(
    suite: Suite,
    *,
    device: str = "auto",
    offline: bool = False,
    cache: Path,
    at: At | None = None,  # gives the place of a key of the suite, for messages
) -> Pins:
    """Return the pins of everything that a suite names. `cache` is a JSON file that keeps digests of files between runs."""
    kind: DeviceKind = found_device() if device == "auto" else "cuda" if device.startswith("cuda") else "cpu"
    remembered = Remembered.load(cache)
    sources = {}
    for n, task in enumerate(suite.tasks):
        with placed(at, "tasks", n):
            sources[task.name] = data.pin(task.source, remembered.file_digest, offline=offline)
    answering = {model.name: backends.of(model) for model in suite.models}
    models = {}
    for n, model in enumerate(suite.models):
        with named(model_place(at, n, model)):
            models[model.name] = answering[model.name].pin(model, kind, remembered, offline)
    # A model whose weights alone are analysed need not answer.
    for n, model in enumerate(suite.models if suite.tasks else ()):
        with named(model_place(at, n, model)):
            answering[model.name].check_askable(model, models[model.name], remembered, offline)
    scripts = _scripts(suite, remembered)
    samples = {}
    rules = {}
    for n, task in enumerate(suite.tasks):
        known = (sources[task.name], scripts.get(suite.plugins.get("kinds", {}).get(task.kind, "")))
        with placed(at, "tasks", n):
            samples[task.name], remarks = _samples(task, known, remembered, offline)
        if changed := tuple(rule for rule in CHANGES if remarks.get(rule)):
            rules[task.name] = changed
    for task in suite.tasks:
        data.check_shots(task, samples[task.name], suite.base_shots)
    labelled_answers = {}
    for n, task in enumerate(suite.tasks):
        if task.calibrate is not None:
            with placed(at, "tasks", n, "calibrate"):
                labelled.read(task.calibrate, task.judge)
                labelled_answers[task.name] = remembered.file_digest(
                    Path(task.calibrate.removeprefix("file:"))
                )
    found = Pins(
        device=kind,
        models=models,
        sources=sources,
        adapters={
            adapter.name: _adapter(adapter, suite, models, remembered, offline) for adapter in suite.adapters
        },
        libraries=versions({*LIBRARIES, *(name for each in answering.values() for name in each.libraries)}),
        test_samples={task.name: samples[task.name]["test"] for task in suite.tasks},
        scripts=scripts,
        rules=rules,
        labelled=labelled_answers,
        baselines={
            gate.against: _baseline(gate.against, remembered)
            for gate in suite.gates
            if gate.against not in (None, BASE)
        },
    )
    remembered.save(cache)
    return found


def model_place(at: At | None, n: int, model: Model) -> str:
    """Return where a suite names a model, and the model's name, as the beginning of a message."""
    return f"{at('models', n)}: model {model.name!r}" if at else f"model {model.name!r}"


def _scripts(suite: Suite, remembered: Remembered) -> dict[str, str]:
    """Return a digest for each metric that is a program of the user's, and each plug-in that is a file of the project."""
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


def found_device() -> DeviceKind:
    """Return "cuda" if torch is built for it and a GPU is there that CUDA_VISIBLE_DEVICES does not hide, else "cpu"."""
    return "cpu" if devices.without_cuda() else "cuda"


def _samples(
    task: Task,
    known: tuple[str, str | None],  # the source's pin, and the digest of a kind that is a file
    remembered: Remembered,
    offline: bool,
) -> tuple[Mapping[Split, int], Mapping[str, int]]:
    """Return the number of samples in each split, and the counts of remarks on their references.

    All samples are read once, so that mistakes are found before any work.
    """
    source, (pin, kind) = task.source, known
    asked = (task.kind, task.prompt, task.cluster, pin)
    choosy = tuple(metric for metric in task.metrics if metrics.problem_of(metric))
    own = [
        part for part in (kind, source.labels, task.settings, source.shape, task.by_family, choosy) if part
    ]
    key = digest(data.RULES, source.columns, source.splits, source.config, *asked, *own)
    if "test" not in remembered.samples.get(key, ()) or key not in remembered.remarks:
        pinned = replace(task, source=data.pinned(task.source, pin))
        remarks: Counter[str] = Counter()
        remembered.samples[key] = data.check(pinned, scorable(task), offline=offline, remarks=remarks)
        remembered.remarks[key] = dict(+remarks)
    return remembered.samples[key], remembered.remarks[key]


def scorable(task: Task) -> Ask:
    """Return how a task's kind asks a sample; SuiteError is raised where a metric cannot score the sample."""
    ask = kinds.find(task.kind).ask
    choosy = [
        (at, metric, problem)
        for at, metric in enumerate(task.metrics)
        if (problem := metrics.problem_of(metric))
    ]

    def asked(wording: Task, sample: Sample, shots: Sequence[Sample]) -> Prompt:
        for at, metric, problem in choosy:
            for wrong in filter(None, map(problem, sample.references)):
                raise SuiteError(
                    f"sample {sample.id!r}: {wrong}, which {metric} needs; correct it, or use a metric of texts",
                    ("metrics", at),
                )
        return ask(wording, sample, shots)

    return asked


def _adapter(
    adapter: Adapter, suite: Suite, models: Mapping[str, ModelPin], remembered: Remembered, offline: bool
) -> str:
    uri = Uri.parse(adapter.uri)
    place = uri.place
    base = next((model for model in suite.models if model.name == adapter.base), None)
    with named(f"adapter {adapter.name!r}"):
        if base is not None and (pin_adapter := backends.of(base).pin_adapter) is not None:
            return pin_adapter(adapter, base, models[base.name], remembered, offline)
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
    """Return the digest of a gate's baseline file, or "missing": a missing file makes the gate invalid, not the plan."""
    try:
        return remembered.file_digest(Path(file))
    except OSError:
        return "missing"
