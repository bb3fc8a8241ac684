"""Models in the hub's format (`zoo:`, `hub:` and `file:`), run by transformers: adapters can be trained on them."""

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from harness import families
from harness.backends import At, Backend, OpenBackend, Verb
from harness.checkpoints import askable, gguf, hub, locate, written
from harness.checkpoints import folder as checkpoint
from harness.checkpoints.chat import StoredTemplate, stored_template
from harness.checkpoints.ends import names_an_end
from harness.checkpoints.remembered import Remembered
from harness.checkpoints.samples import only_greedy
from harness.errors import SuiteError, UnknownName
from harness.files import shipped
from harness.files.hardware import Machine
from harness.files.installed import versions
from harness.neural import architectures
from harness.types import DeviceKind, Model, ModelPin, Runtime, Uri

BYTES = {"float32": 4, "bfloat16": 2, "float16": 2}  # of a weight
SHARE = 1 / 4  # of the memory, for the weights of all workers


def check(model: Model, at: At) -> None:
    """Raise SuiteError for a tiny model that does not exist, and for a revision of a model that has none."""
    uri = Uri.parse(model.uri)
    if uri.scheme == "zoo" and uri.place not in shipped.zoo_names():
        raise UnknownName("tiny model", uri.place, shipped.zoo_names(), at("uri"))
    written.refuse_revision(model.uri, at("uri"))
    if uri.scheme != "hub" and model.revision is not None:
        raise SuiteError(f"{at('revision')}: {uri.scheme}: models have no revisions; leave it out")


def pin(model: Model, device: DeviceKind, remembered: Remembered, offline: bool) -> ModelPin:
    """Return the pin of a model: a hub model's commit or the digest of a folder's files, with sizes from their headers."""
    uri, endless = Uri.parse(model.uri), False
    if uri.scheme == "hub":
        revision = hub.commit(uri.place, "model", model.revision, offline=offline)
        settings = checkpoint.config(_hub_config(uri.place, revision, offline))
        found = remembered.checkpoint(
            f"{uri.place}@{revision}", lambda: _on_the_hub(uri.place, revision, offline)
        )
    else:
        folder = locate.folder_of(model)
        settings = checkpoint.config(folder / checkpoint.CONFIG)
        endless = not names_an_end(folder)
        files = {*checkpoint.identity(folder, checkpoint.FILES), *checkpoint.weights(folder)}
        revision = remembered.files_digest(tuple(files))
        found = remembered.checkpoint(f"{uri.scheme}@{revision}", lambda: checkpoint.read(folder))
    architecture = architectures.of(settings)
    dtype = model.dtype if model.dtype != "auto" else "float32" if device == "cpu" else "bfloat16"
    return ModelPin(
        revision=revision,
        parameters=found.parameters,
        checkpoint_bytes=found.stored_bytes,
        dtype=dtype,
        family=model.family or families.of(found.model_type, uri.place if uri.scheme == "hub" else "").name,
        endless=endless and architecture.writing is not None,
        architecture=architecture.name,
        greedy=architecture.writing is not None and only_greedy(settings),
    )


def lacks(model: Model, pin: ModelPin, verb: Verb) -> str | None:
    """Return why a model cannot be asked for a verb, by its architecture; None where it can."""
    architecture = architectures.find(pin.architecture)
    writing, what = architecture.writing, f"{model.uri} is {architecture.about}"
    if verb == "head":
        return None if architecture.head else f"{what}, which has no head for labels"
    if writing is None:
        gives = "writes no text" if verb == "write" else "gives no text a likelihood"
        return f"{what}, which {gives}"
    if verb == "rolling" and not writing.reads_texts:
        return f"{what}, which reads no text without a prompt"
    return None


def check_askable(model: Model, pin: ModelPin, remembered: Remembered, offline: bool) -> None:
    """Raise ModelError where the local files show that the model cannot be asked."""
    uri = Uri.parse(model.uri)
    askable.check_quantization(model, versions(("bitsandbytes",)))
    offline = offline or hub.switched_off()

    def check_files() -> Iterable[str]:
        if uri.scheme != "hub":
            askable.check_folder(locate.folder_of(model), model.uri)
        elif offline:
            askable.check_folder(locate.snapshot(uri.place, pin.revision), model.uri)
        else:  # a run would fetch what is missing
            askable.check_answers(checkpoint.config(_hub_config(uri.place, pin.revision)), model.uri)
        return ()

    what = "can write" if uri.scheme == "hub" and not offline else "can be asked"
    remembered.look(f"{what} {askable.RULES} {uri.scheme}@{pin.revision}", check_files)


def examine(model: Model, pin: ModelPin, runtime: Runtime, adapters: Mapping[str, Path]) -> Iterator[str]:
    """Yield warnings about a model with local files, and about its adapters; no weights are read."""
    if not adapters and _is_as_shipped(model):
        return
    if not locate.is_here(model, pin):
        yield "not downloaded yet, so its tensors, its tokenizer and its adapters are checked only by a run"
        return
    from harness.neural.examine import examine as examine_folder

    yield from examine_folder(folder(model, pin, runtime.offline), model, pin, runtime, adapters)


def folder(model: Model, pin: ModelPin, offline: bool) -> Path:
    """Return the folder of the pinned checkpoint; a hub model is downloaded where necessary."""
    return locate.locate(model, pin, offline=offline)


def config(model: Model, pin: ModelPin) -> Mapping[str, Any] | None:
    """Return the model's config.json; None where a hub model's is not in the cache."""
    path = _place(model, pin) / checkpoint.CONFIG
    return checkpoint.config(path) if path.is_file() else None


def chat_template(model: Model, pin: ModelPin) -> StoredTemplate | None:
    """Return the chat template that the model's prompts go through; None without one, and with `chat: off`."""
    return None if model.chat == "off" else stored_template(_place(model, pin))


def _place(model: Model, pin: ModelPin) -> Path:
    """Return the folder of the model's files, which may not be there yet."""
    uri = Uri.parse(model.uri)
    return locate.snapshot(uri.place, pin.revision) if uri.scheme == "hub" else locate.folder_of(model)


def stored(model: Model, pin: ModelPin) -> str | None:
    """Return how the GGUF file stored its weights that the checkpoint was made from; None for all others."""
    file = gguf.recorded(_place(model, pin))
    return file.sentence() if file else None


def workers(pin: ModelPin, machine: Machine) -> int:
    """Return how many copies of the weights fit into a share of the memory."""
    weights = (pin.parameters or 0) * BYTES[pin.dtype]
    return int(machine.memory_gb * 1e9 * SHARE // weights) if weights else machine.cores


def open_model(model: Model, pin: ModelPin, runtime: Runtime) -> OpenBackend:
    """Return the model, loaded by transformers."""
    from harness.neural.huggingface import open_folder

    return open_folder(folder(model, pin, runtime.offline), model, pin, runtime)


def _is_as_shipped(model: Model) -> bool:
    """Return whether a model is one of the package's own without settings of the suite, and needs no check."""
    return Uri.parse(model.uri).scheme == "zoo" and model == Model(
        name=model.name, uri=model.uri, family=model.family
    )


def _hub_config(place: str, commit: str, offline: bool = False) -> Path:
    if offline or hub.switched_off():
        return hub.snapshot(place, "model", commit, locate.HUB_FILES, offline=True) / checkpoint.CONFIG
    from huggingface_hub import hf_hub_download

    with hub.hub_errors(place, "model", commit):
        return Path(hf_hub_download(place, checkpoint.CONFIG, revision=commit))


def _on_the_hub(place: str, commit: str, offline: bool) -> checkpoint.Checkpoint:
    """Return the type and sizes of a hub model from its config and headers; the weights are not downloaded."""
    if offline or hub.switched_off():
        found = hub.snapshot(place, "model", commit, locate.HUB_FILES, offline=True)
        locate.refuse_pickles(found, place)
        return checkpoint.read(found)
    from huggingface_hub import HfApi
    from huggingface_hub.errors import NotASafetensorsRepoError

    kind = checkpoint.model_type(_hub_config(place, commit))
    with hub.hub_errors(place, "model", commit):
        try:
            headers = HfApi().get_safetensors_metadata(place, revision=commit).files_metadata.values()
        except NotASafetensorsRepoError as error:
            raise locate.pickled(place) from error
    tensors = [tensor for header in headers for tensor in header.tensors.values()]
    return checkpoint.Checkpoint(
        model_type=kind,
        parameters=sum(tensor.parameter_count for tensor in tensors),
        stored_bytes=sum(tensor.data_offsets[1] - tensor.data_offsets[0] for tensor in tensors),
    )


BACKEND = Backend(
    schemes=("zoo", "hub", "file"),
    about="they are checkpoints in the hub's format",
    options=("revision", "dtype", "quantization", "family", "chat", "trust_remote_code"),
    libraries=("torch", "transformers", "tokenizers", "peft"),
    verbs=("write", "likelihoods", "rolling", "head"),
    draws_by_id=True,
    lacks=lacks,
    check=check,
    pin=pin,
    check_askable=check_askable,
    examine=examine,
    is_here=locate.is_here,
    folder=folder,
    config=config,
    chat_template=chat_template,
    trains=True,
    licence=locate.licence,
    stored=stored,
    workers=workers,
    open=open_model,
)
