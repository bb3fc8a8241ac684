"""A checkpoint folder to a model in memory: frozen, in evaluation mode, in a given dtype."""

import gc
import hashlib
import re
from collections.abc import Iterable
from contextlib import nullcontext
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import torch
import transformers
from safetensors import safe_open
from transformers import PreTrainedModel
from transformers.utils import logging

from harness import families
from harness.checkpoints import askable
from harness.checkpoints.gguf import recorded_digest
from harness.errors import ModelError
from harness.families import Family
from harness.neural import architectures, quantised
from harness.neural.architectures import Architecture
from harness.neural.foreign import readable_errors
from harness.neural.parts import read_config, read_tokenizer
from harness.neural.reading import (
    configured_end,
    end_tokens,
    first_token,
    uses_chat,
    window,
    without_warnings,
)
from harness.types import Model, ModelPin, Runtime, Uri

DTYPES = {"float32": torch.float32, "bfloat16": torch.bfloat16, "float16": torch.float16}


@dataclass(frozen=True, slots=True, kw_only=True)
class Base:
    """A pretrained model in memory, with everything needed to ask it or to train an adapter on it."""

    model: PreTrainedModel
    tokenizer: Any  # transformers' tokenizers share no useful type
    family: Family
    name: str  # in messages: the hub id, "zoo:NAME", or the suite's name
    recorded: str  # as an adapter records its base: the hub id, "zoo:NAME" or "file:NAME"; never a local path
    digest: str  # of the weights, the same in every folder
    device: torch.device
    dtype: torch.dtype
    architecture: Architecture
    chat: bool  # prompts go through the tokenizer's chat template
    bos: int | None  # the token that every prompt begins with, where the tokenizer adds it
    pad: int  # fills up rows; always masked by length, so that end-of-sequence stays a token to learn
    ends: frozenset[int]  # tokens that end an answer; empty: only stop strings and max_new_tokens do
    end: int | None  # the token that ends a training example; None: the model has no such token
    window: int | None  # tokens that fit; None: no limit is known
    unused: tuple[str, ...] = ()  # the checkpoint's tensors that the model does not use
    head: tuple[
        str, ...
    ] = ()  # modules that an adapter brings along; the base has no trained ones to be asked with
    missing: tuple[str, ...] = ()  # tensors of these modules that the checkpoint lacks
    gguf: str | None = None  # SHA-256 of the GGUF file that the checkpoint was dequantised from


@dataclass(frozen=True, slots=True, kw_only=True)
class TensorFit:
    """How a checkpoint's tensors fit the class that reads them."""

    unused: tuple[str, ...] = ()
    head: tuple[str, ...] = ()
    missing: tuple[str, ...] = ()


def load(folder: Path, model: Model, pin: ModelPin, runtime: Runtime) -> Base:
    """Load a model from a folder in the hub's layout, without the network."""
    torch.set_num_threads(runtime.threads)
    return _base(folder, model, pin, runtime, torch.device(runtime.device))


def outline(folder: Path, model: Model, pin: ModelPin, runtime: Runtime) -> Base:
    """Load a base without its numbers, on the meta device: raise in seconds what loading it would raise.

    Only the headers of the weights are read. A quantisation that the suite asks for is left out.
    """
    return _base(folder, model, pin, runtime, torch.device("meta"))


def _base(folder: Path, model: Model, pin: ModelPin, runtime: Runtime, device: torch.device) -> Base:
    trust = model.trust_remote_code and runtime.allow_remote_code
    where = f"model {model.name}: {folder}"
    logging.disable_progress_bar()  # type: ignore[no-untyped-call]
    askable.check_folder(folder, f"model {model.name}: {model.uri}")
    config = read_config(folder, where, trust=trust)
    tokenizer = read_tokenizer(folder, where, trust=trust)
    _without_kernels(config)
    family_name = model.family or pin.family
    family = families.find(family_name) if family_name else families.of(config.model_type)
    dtype = _dtype(model, config.model_type, torch.device(runtime.device))
    architecture = architectures.of(config.to_dict())
    loaded, info = _read(folder, config, architecture, dtype, device, model, trust)
    text_config = config.get_text_config()
    _check_vocabulary(where, tokenizer, text_config.vocab_size)
    generating = getattr(loaded, "generation_config", None)  # an encoder has none
    generated = getattr(generating, "eos_token_id", None)
    ends = end_tokens(tokenizer.eos_token_id, configured_end(config), generated, below=text_config.vocab_size)
    return Base(
        model=loaded,
        tokenizer=tokenizer,
        family=family,
        name=_public_name(model),
        recorded=_recorded_name(model),
        digest=weights_digest(folder),
        device=device,
        dtype=dtype,
        architecture=architecture,
        chat=uses_chat(model, tokenizer),
        bos=first_token(tokenizer),
        pad=_pad(tokenizer, text_config.vocab_size),
        ends=frozenset(ends),
        end=next(iter(ends), None),
        window=window(text_config.to_dict(), tokenizer),
        unused=info.unused,
        head=info.head,
        missing=info.missing,
        gguf=recorded_digest(folder),
    )


def _without_kernels(config: Any) -> None:
    """Ignore the kernels that a config.json names: transformers would download and run a kernel like OWNER/NAME."""
    if config._attn_implementation not in (None, "eager", "sdpa"):
        config._attn_implementation = None
    if config._experts_implementation is not None:
        config._experts_implementation = None


def release() -> None:
    """Free the memory of a base that is no longer used."""
    gc.collect()
    if torch.cuda.is_available():
        torch.cuda.empty_cache()


def weights_digest(folder: Path) -> str:
    """Return 64 hex digits over every tensor's name, shape, dtype, first and last row.

    Equal for the same weights however they are sharded, and different for two models of the same shapes. Reading the
    rest of a 14 GB checkpoint would take longer than loading it.
    """
    found: dict[str, bytes] = {}
    for path in sorted(folder.glob("*.safetensors")):
        with readable_errors(str(path), "fetch or save it again"), safe_open(path, framework="pt") as file:
            for name in file.keys():  # noqa: SIM118  # safetensors' handle is no dict
                rows = file.get_slice(name)
                shape = rows.get_shape()
                edge = [rows[:1], rows[-1:]] if shape and shape[0] else [file.get_tensor(name)]
                content = b"".join(
                    part.contiguous().view(-1).view(torch.uint8).numpy().tobytes() for part in edge
                )
                found[name] = f"{name} {shape} {rows.get_dtype()} ".encode() + content
    total = hashlib.sha256()
    for name in sorted(found):
        total.update(found[name])
    return total.hexdigest()


def _read(
    folder: Path,
    config: Any,
    architecture: Architecture,
    dtype: torch.dtype,
    device: torch.device,
    model: Model,
    trust: bool,
) -> tuple[PreTrainedModel, TensorFit]:
    """Return the model, and how the checkpoint's tensors fit it."""
    where = f"model {model.name}: {folder}"
    kind = getattr(transformers, architecture.auto_class)
    _check_class(where, config, kind, trust, architecture)
    opened = partial(
        kind.from_pretrained,
        folder,
        config=config,
        dtype=dtype,
        local_files_only=True,
        use_safetensors=True,
        trust_remote_code=trust,
        output_loading_info=True,
    )
    with (
        readable_errors(where, "config.json may be wrong, or another model's; fetch both again"),
        without_warnings(),
    ):
        fit: TensorFit | None = None
        # Only its own library can compare the tensors of a quantised checkpoint.
        if getattr(config, "quantization_config", None) is None:
            # Headers first: what does not fit is refused before memory is allocated for it.
            loaded, info = opened(device_map={"": "meta"}, ignore_mismatched_sizes=True)
            fit = _check_whole(where, loaded, info, architecture)
        if device.type != "meta":
            # The attention kernel is transformers' own choice for the class: sdpa where the class supports it.
            how = quantised.arguments(model, dtype, device)
            with quantised.plain_layers() if how else nullcontext():
                loaded, info = opened(**how)
            quantised.settle(where, model, loaded)
            fit = replace(_check_whole(where, loaded, info, architecture), unused=fit.unused if fit else ())
    if model.quantization == "none":
        loaded = loaded.to(device)
    loaded.requires_grad_(False)
    result: PreTrainedModel = loaded.eval()
    return result, fit or TensorFit()


def _check_class(where: str, config: Any, kind: Any, trust: bool, architecture: Architecture) -> None:
    """Raise ModelError for a model that transformers cannot ask by text, such as a model of pictures or sound."""
    own = trust and kind.__name__ in (getattr(config, "auto_map", None) or {})
    if type(config) not in kind._model_mapping.keys() and not own:  # noqa: SIM118  # its own kind of mapping
        name = next(iter(config.architectures or ()), "its architecture")
        if architecture.writing is None:
            raise ModelError(
                f"{where}: {name} of model_type {config.model_type!r} has no class in transformers that gives labels (no "
                f"{kind.__name__}); name another encoder in its place"
            )
        raise ModelError(
            f"{where}: {name} of model_type {config.model_type!r} is no model that transformers can ask by text alone "
            f"(no {kind.__name__}); name a decoder or an encoder-decoder of text in its place"
        )


def _check_whole(
    where: str, loaded: PreTrainedModel, info: dict[str, Any], architecture: Architecture
) -> TensorFit:
    """Return how the tensors fit; ModelError where some are missing, have the wrong shape, or are of surplus layers.

    A head's tensors may be missing: an adapter brings its own.
    """
    kind = type(loaded).__name__
    lacking_all = sorted(info["missing_keys"])
    head = architecture.head.modules(loaded, lacking_all) if architecture.head else ()
    of_head = [name for name in lacking_all if name.startswith(tuple(f"{module}." for module in head))]
    if missing := [name for name in lacking_all if name not in of_head]:
        lacking = f"1 tensor of {kind} is" if len(missing) == 1 else f"{len(missing)} tensors of {kind} are"
        raise ModelError(f"{where}: {lacking} missing: {_first(missing)}; use a complete checkpoint")
    if wrong := sorted(info["mismatched_keys"]):
        name, there, needed = wrong[0]
        more = f", and {len(wrong) - 1} more" if len(wrong) > 1 else ""
        raise ModelError(
            f"{where}: {name} is {list(there)}, config.json makes it {list(needed)}{more}; "
            "config.json was changed, or is another model's: fetch both again"
        )
    unused = tuple(sorted(info["unexpected_keys"]))
    if surplus := _surplus(unused, loaded.state_dict()):
        raise ModelError(
            f"{where}: the weights have more layers than config.json says, {surplus} for one; "
            "config.json was changed, or is another model's: fetch both again"
        )
    return TensorFit(unused=unused, head=head, missing=tuple(of_head))


def _surplus(unused: Iterable[str], used: Iterable[str]) -> str | None:
    """Return the first unused name that differs from a used name by a higher number: a surplus layer."""
    highest: dict[str, list[int]] = {}
    for name in used:
        form, numbers = _numbered(name)
        highest[form] = [*map(max, numbers, highest.get(form, numbers))]
    for name in unused:
        form, numbers = _numbered(name)
        if form in highest and any(
            number > most for number, most in zip(numbers, highest[form], strict=True)
        ):
            return name
    return None


def _numbered(name: str) -> tuple[str, list[int]]:
    return re.sub(r"\d+", "N", name), [int(number) for number in re.findall(r"\d+", name)]


def _check_vocabulary(where: str, tokenizer: Any, rows: int) -> None:
    """Raise ModelError for another model's tokenizer; tokens added for padding may lie past the embedding."""
    if tokenizer.vocab_size > rows:
        raise ModelError(
            f"{where}: the tokenizer has {tokenizer.vocab_size:,} tokens, the model {rows:,}; it is another model's: "
            "copy the files named tokenizer* again from the model's source"
        )


def _first(names: list[str]) -> str:
    return ", ".join(names[:5]) + (" …" if len(names) > 5 else "")


def _dtype(model: Model, model_type: str, device: torch.device) -> torch.dtype:
    name = model.dtype
    if name == "auto":
        name = "float32" if device.type == "cpu" else "bfloat16"
    if name == "float16" and model_type in ("t5", "mt5", "umt5", "longt5"):
        raise ModelError(
            f"model {model.name}: {model_type} overflows in float16; use dtype: bfloat16 or float32"
        )
    return DTYPES[name]


def _public_name(model: Model) -> str:
    uri = Uri.parse(model.uri)
    if uri.scheme == "hub":
        return uri.place.partition("@")[0]
    return model.uri if uri.scheme == "zoo" else model.name


def _recorded_name(model: Model) -> str:
    """Return the name of a base in an adapter's files; no id on the hub contains the colon of `file:NAME`."""
    return f"file:{model.name}" if Uri.parse(model.uri).scheme == "file" else _public_name(model)


def _pad(tokenizer: Any, vocabulary: int) -> int:
    """Return a token that fills up rows: the tokenizer's pad token, else unknown, else end-of-sequence.

    A token added past the embedding's rows would need the embedding resized, and padding is masked by length anyway.
    """
    candidates = (tokenizer.pad_token_id, tokenizer.unk_token_id, tokenizer.eos_token_id)
    return next((token for token in candidates if token is not None and token < vocabulary), 0)
