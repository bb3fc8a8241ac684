"""A checkpoint folder to a model that answers: frozen, in evaluation mode, its dtype said aloud."""

import gc
import hashlib
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import torch
from safetensors import safe_open
from transformers import AutoModelForCausalLM, AutoModelForSeq2SeqLM, PreTrainedModel
from transformers.utils import logging

from harness import families
from harness.checkpoints import askable
from harness.errors import ModelError
from harness.families import Family
from harness.neural.foreign import silent_import, told
from harness.neural.parts import read_config, read_tokenizer
from harness.neural.reading import first_token, uses_chat, window, without_warnings
from harness.types import Model, ModelPin, Runtime, Uri

DTYPES = {"float32": torch.float32, "bfloat16": torch.bfloat16, "float16": torch.float16}


@dataclass(frozen=True, slots=True, kw_only=True)
class Base:
    """A pretrained model in memory, with all that is needed to ask it or to train an adapter on it."""

    model: PreTrainedModel
    tokenizer: Any  # transformers' tokenizers share no useful type
    family: Family
    name: str  # how an adapter records it: the hub id, or "zoo:NAME"; never a local path
    digest: str  # of the weights, the same wherever they lie
    device: torch.device
    dtype: torch.dtype
    seq2seq: bool
    chat: bool  # prompts go through the tokenizer's chat template
    bos: int | None  # the token that every prompt begins with, where the tokenizer puts one
    pad: int  # fills rows up; always masked by length, so that end-of-sequence stays a token to learn
    ends: frozenset[int]  # tokens that end an answer
    window: int | None  # tokens that fit, prompt and answer together (seq2seq: each); None: no limit is known
    unused: tuple[str, ...] = ()  # the checkpoint's tensors that the model has no place for


def load(folder: Path, model: Model, pin: ModelPin, runtime: Runtime) -> Base:
    """Reads a folder in the hub's layout; never reaches the hub."""
    torch.set_num_threads(runtime.threads)
    return _base(folder, model, pin, runtime, torch.device(runtime.device))


def outline(folder: Path, model: Model, pin: ModelPin, runtime: Runtime) -> Base:
    """The base without its numbers, on the meta device: what would keep it from being loaded is raised in seconds.

    Of the weights only the headers are read. A quantisation that the suite asks for is left out.
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
    loaded, unused = _read(folder, config, dtype, device, model, trust)
    text_config = config.get_text_config()
    _check_vocabulary(where, tokenizer, text_config.vocab_size)
    said = getattr(config, "eos_token_id", getattr(text_config, "eos_token_id", None))
    end = _token_ids(tokenizer.eos_token_id, said, loaded.generation_config.eos_token_id)
    if tokenizer.eos_token_id is None:
        raise ModelError(
            f"{where}: the tokenizer has no end-of-sequence token, so no answer could end; add eos_token to it"
        )
    return Base(
        model=loaded,
        tokenizer=tokenizer,
        family=family,
        name=_public_name(model),
        digest=weights_digest(folder),
        device=device,
        dtype=dtype,
        seq2seq=bool(config.is_encoder_decoder),
        chat=uses_chat(model, tokenizer),
        bos=first_token(tokenizer),
        pad=_pad(tokenizer, text_config.vocab_size),
        ends=end,
        window=window(text_config.to_dict(), tokenizer),
        unused=unused,
    )


def _without_kernels(config: Any) -> None:
    """Leave aside the kernels that a config.json names: transformers would fetch one like OWNER/NAME, and run it."""
    if config._attn_implementation not in (None, "eager", "sdpa"):
        config._attn_implementation = None
    if config._experts_implementation is not None:
        config._experts_implementation = None


def release() -> None:
    """Gives back the memory of a base that nobody holds any more."""
    gc.collect()
    if torch.cuda.is_available():
        torch.cuda.empty_cache()


def weights_digest(folder: Path) -> str:
    """64 hex digits over every tensor's name, shape, dtype, first and last row.

    Equal for the same weights however they are sharded, and different for two models that only share their shapes;
    reading the rest of a 14 GB checkpoint would take longer than loading it.
    """
    found: dict[str, bytes] = {}
    for path in sorted(folder.glob("*.safetensors")):
        with told(str(path), "fetch or save it again"), safe_open(path, framework="pt") as file:
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
    folder: Path, config: Any, dtype: torch.dtype, device: torch.device, model: Model, trust: bool
) -> tuple[PreTrainedModel, tuple[str, ...]]:
    """The model, and the names of what the checkpoint has too much."""
    where = f"model {model.name}: {folder}"
    kind: Any = AutoModelForSeq2SeqLM if config.is_encoder_decoder else AutoModelForCausalLM
    _check_class(where, config, kind, trust)
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
    with told(where, "config.json may be wrong, or another model's; fetch both again"), without_warnings():
        unused: tuple[str, ...] = ()
        if (
            getattr(config, "quantization_config", None) is None
        ):  # else only its library can compare the tensors
            # Headers first: what does not fit is refused before there is memory for it.
            loaded, info = opened(device_map={"": "meta"}, ignore_mismatched_sizes=True)
            unused = _check_whole(where, loaded, info)
        if device.type != "meta":
            loaded, info = opened(**_placed(model, dtype, device))
            _check_whole(where, loaded, info)
    if model.quantization == "none":
        loaded = loaded.to(device)
    loaded.requires_grad_(False)
    result: PreTrainedModel = loaded.eval()
    return result, unused


def _placed(model: Model, dtype: torch.dtype, device: torch.device) -> dict[str, Any]:
    """Where a quantised model is put while it is read. The attention kernel is transformers' own choice for the class:
    sdpa where it has one.
    """
    quantization = _quantization(model, dtype, device)
    return {"quantization_config": quantization, "device_map": {"": device}} if quantization else {}


def _check_class(where: str, config: Any, kind: Any, trust: bool) -> None:
    """Refuses a model that transformers has no text writer for: one that reads pictures or sound, say."""
    own = trust and kind.__name__ in (getattr(config, "auto_map", None) or {})
    if type(config) not in kind._model_mapping.keys() and not own:  # noqa: SIM118  # its own kind of mapping
        name = next(iter(config.architectures or ()), "its architecture")
        raise ModelError(
            f"{where}: {name} of model_type {config.model_type!r} is no model that transformers can ask by text alone "
            f"(no {kind.__name__}); name a decoder or an encoder-decoder of text in its place"
        )


def _check_whole(where: str, loaded: PreTrainedModel, info: dict[str, Any]) -> tuple[str, ...]:
    """Refuses missing tensors, those of another shape, and layers that config.json does not count; gives the unused."""
    kind = type(loaded).__name__
    if missing := sorted(info["missing_keys"]):
        lacking = f"1 tensor of {kind} is" if len(missing) == 1 else f"{len(missing)} tensors of {kind} are"
        raise ModelError(f"{where}: {lacking} missing: {_first(missing)}; take a whole checkpoint")
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
    return unused


def _surplus(unused: Iterable[str], used: Iterable[str]) -> str | None:
    """The first name that is as one in use, but for a higher number."""
    highest: dict[str, list[int]] = {}
    for name in used:
        form, numbers = _numbered(name)
        highest[form] = [*map(max, numbers, highest.get(form, numbers))]
    for name in unused:
        form, numbers = _numbered(name)
        if form in highest and any(one > most for one, most in zip(numbers, highest[form], strict=True)):
            return name
    return None


def _numbered(name: str) -> tuple[str, list[int]]:
    return re.sub(r"\d+", "N", name), [int(number) for number in re.findall(r"\d+", name)]


def _check_vocabulary(where: str, tokenizer: Any, rows: int) -> None:
    """Refuses another model's tokenizer; tokens that were added to it for padding alone may lie past the embedding."""
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


def _quantization(model: Model, dtype: torch.dtype, device: torch.device) -> Any:
    if model.quantization == "none":
        return None
    if device.type != "cuda":
        raise ModelError(
            f"model {model.name}: quantization: {model.quantization} needs a CUDA device, this is {device.type}"
        )
    try:
        with silent_import():
            import bitsandbytes  # noqa: F401
    except ImportError as error:
        raise ModelError(
            f"model {model.name}: quantization: {model.quantization} needs bitsandbytes; pip install bitsandbytes"
        ) from error
    from transformers import BitsAndBytesConfig

    if model.quantization == "int8":
        return BitsAndBytesConfig(load_in_8bit=True)  # type: ignore[no-untyped-call]
    return BitsAndBytesConfig(  # type: ignore[no-untyped-call]
        load_in_4bit=True,
        bnb_4bit_quant_type="nf4",
        bnb_4bit_use_double_quant=True,
        bnb_4bit_compute_dtype=dtype,
    )


def _public_name(model: Model) -> str:
    uri = Uri.parse(model.uri)
    if uri.scheme == "hub":
        return uri.place.partition("@")[0]
    return model.uri if uri.scheme == "zoo" else model.name


def _pad(tokenizer: Any, vocabulary: int) -> int:
    """A token that rows can be filled with: its own pad token, else unknown, else end-of-sequence.

    One added past the embedding's rows would need the embedding resized, and padding is masked by length anyway.
    """
    candidates = (tokenizer.pad_token_id, tokenizer.unk_token_id, tokenizer.eos_token_id)
    return next((token for token in candidates if token is not None and token < vocabulary), 0)


def _token_ids(*given: int | list[int] | None) -> frozenset[int]:
    def each() -> Iterator[int]:
        for one in given:
            yield from [one] if isinstance(one, int) else one or []

    return frozenset(each())
