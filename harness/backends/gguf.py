"""Models in a GGUF file (`file:X.gguf`, `hub:OWNER/NAME/X.gguf`): dequantised once, then run like any other checkpoint."""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from harness import families
from harness.backends import At, OpenBackend, hf
from harness.checkpoints import askable, gguf, hub, written
from harness.checkpoints import folder as checkpoint
from harness.checkpoints.chat import StoredTemplate, stored_template
from harness.checkpoints.remembered import Remembered
from harness.errors import ModelError, SuiteError
from harness.files.installed import versions
from harness.neural import architectures
from harness.types import DeviceKind, Model, ModelPin, Runtime, Uri


def check(model: Model, at: At) -> None:
    """Raise SuiteError for a hub uri without a file, a revision of a local file, and a file that is not there."""
    uri = Uri.parse(model.uri)
    if uri.scheme == "hub":
        try:
            gguf.on_the_hub(uri.place)
        except ModelError as error:
            raise SuiteError(f"{at('uri')}: {error}") from error
        written.refuse_revision(model.uri, at("uri"))
        return
    if model.revision is not None:
        raise SuiteError(f"{at('revision')}: a file has no revisions; leave it out")
    if not Path(uri.place).is_file():
        raise SuiteError(f"{at('uri')}: {uri.place}: no such file; name a file that ends in {gguf.SUFFIX}")


def pin(model: Model, device: DeviceKind, remembered: Remembered, offline: bool) -> ModelPin:
    """Return the pin of a model: the digest of its file, with type and size from the file's header."""
    path = _file(model, _commit(model, offline), offline)
    gguf.check_present(path)
    digest = remembered.file_digest(path)

    def read() -> checkpoint.Checkpoint:
        file = gguf.read(path)
        return checkpoint.Checkpoint(
            model_type=file.model_type, parameters=file.parameters, stored_bytes=file.stored_bytes
        )

    found = remembered.checkpoint(f"gguf@{digest}", read)
    settings = {
        "model_type": found.model_type,
        "is_encoder_decoder": found.model_type in gguf.ENCODER_DECODERS,
    }
    dtype = model.dtype if model.dtype != "auto" else "float32" if device == "cpu" else "bfloat16"
    return ModelPin(
        revision=digest,
        parameters=found.parameters,
        checkpoint_bytes=found.stored_bytes,
        dtype=dtype,
        family=model.family or families.of(found.model_type).name,
        architecture=architectures.of(settings).name,
    )


def check_askable(model: Model, pin: ModelPin, remembered: Remembered, offline: bool) -> None:
    """Raise ModelError where what a second quantisation needs is not installed; `pin` has read the file."""
    askable.check_quantization(model, versions(("bitsandbytes",)))


def folder(model: Model, pin: ModelPin, offline: bool) -> Path:
    """Return the folder of the dequantised copy, which is written the first time."""
    place = gguf.cached(pin.revision)
    if not (place / checkpoint.CONFIG).is_file():
        from harness.neural.gguf import dequantise

        dequantise(_file(model, _commit(model, offline), offline), place, pin.revision)
    return place


def examine(model: Model, pin: ModelPin, runtime: Runtime, adapters: Mapping[str, Path]) -> Iterator[str]:
    """Yield warnings about a model and its adapters; no weights are read."""
    if not is_here(model, pin):
        yield "not dequantised yet, so its tensors, its tokenizer and its adapters are checked only by a run"
        return
    from harness.neural.examine import examine as examine_folder

    yield from examine_folder(gguf.cached(pin.revision), model, pin, runtime, adapters)


def is_here(model: Model, pin: ModelPin) -> bool:
    """Return whether the dequantised copy is on this machine."""
    return (gguf.cached(pin.revision) / checkpoint.CONFIG).is_file()


def config(model: Model, pin: ModelPin) -> Mapping[str, Any] | None:
    """Return the model's config.json; None before the file was dequantised the first time."""
    return checkpoint.config(gguf.cached(pin.revision) / checkpoint.CONFIG) if is_here(model, pin) else None


def chat_template(model: Model, pin: ModelPin) -> StoredTemplate | None:
    """Return the chat template that the model's prompts go through; None without one, and with `chat: off`."""
    return None if model.chat == "off" else stored_template(gguf.cached(pin.revision))


def licence(model: Model, pin: ModelPin) -> str | None:
    """Return the licence that the file names."""
    return checkpoint.licence(gguf.cached(pin.revision))


def stored(model: Model, pin: ModelPin) -> str | None:
    """Return how the file stores its weights, which are dequantised before anything reads them."""
    file = gguf.recorded(gguf.cached(pin.revision))
    return file.sentence() if file else None


def open_model(model: Model, pin: ModelPin, runtime: Runtime) -> OpenBackend:
    """Return the model, loaded by transformers from its dequantised copy."""
    from harness.neural.huggingface import open_folder

    return open_folder(folder(model, pin, runtime.offline), model, pin, runtime)


def _commit(model: Model, offline: bool) -> str:
    """Return the commit of a hub model; an empty text for a file."""
    uri = Uri.parse(model.uri)
    if uri.scheme != "hub":
        return ""
    return hub.commit(gguf.on_the_hub(uri.place)[0], "model", model.revision, offline=offline)


def _file(model: Model, commit: str, offline: bool) -> Path:
    """Return the GGUF file; one of the hub is downloaded where necessary."""
    uri = Uri.parse(model.uri)
    if uri.scheme != "hub":
        return Path(uri.place)
    repository, name = gguf.on_the_hub(uri.place)
    return hub.snapshot(repository, "model", commit, (name,), offline=offline) / name


BACKEND = replace(
    hf.BACKEND,
    schemes=("file", "hub"),
    suffix=gguf.SUFFIX,
    about="they are one file, which is dequantised before it is used",
    options=("revision", "dtype", "quantization", "family", "chat"),
    check=check,
    pin=pin,
    check_askable=check_askable,
    examine=examine,
    is_here=is_here,
    folder=folder,
    config=config,
    chat_template=chat_template,
    licence=licence,
    stored=stored,
    open=open_model,
)
