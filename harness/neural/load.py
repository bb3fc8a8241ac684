"""A checkpoint folder to a model that answers: frozen, in evaluation mode, its dtype said aloud."""

import gc
import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from safetensors import safe_open
from transformers import (
    AutoConfig,
    AutoModelForCausalLM,
    AutoModelForSeq2SeqLM,
    AutoTokenizer,
    PreTrainedModel,
)
from transformers.utils.logging import disable_progress_bar

from harness import families
from harness.errors import ModelError
from harness.families import Family
from harness.neural.reading import first_token, uses_chat, window
from harness.types import Model, ModelPin, Runtime

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


def load(folder: Path, model: Model, pin: ModelPin, runtime: Runtime) -> Base:
    """Reads a folder in the hub's layout; never reaches the hub."""
    torch.set_num_threads(runtime.threads)
    trust = model.trust_remote_code and runtime.allow_remote_code
    where = f"model {model.name}: {folder}"
    disable_progress_bar()  # type: ignore[no-untyped-call]
    try:
        config = AutoConfig.from_pretrained(folder, local_files_only=True, trust_remote_code=trust)
        tokenizer = AutoTokenizer.from_pretrained(folder, local_files_only=True, trust_remote_code=trust)
    except (OSError, ValueError) as error:
        raise ModelError(f"{where}: {_sentence(error)}{_remote_code_hint(model, runtime)}") from error
    family_name = model.family or pin.family
    family = families.find(family_name) if family_name else families.of(config.model_type)
    device = torch.device(runtime.device)
    dtype = _dtype(model, config.model_type, device)
    loaded = _read(folder, config, dtype, device, model, trust)
    text_config = config.get_text_config()
    end = _token_ids(tokenizer.eos_token_id, config.eos_token_id, loaded.generation_config.eos_token_id)
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
    )


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
        with safe_open(path, framework="pt") as file:
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
) -> PreTrainedModel:
    where = f"model {model.name}: {folder}"
    if not any(folder.glob("*.safetensors")):
        pickled = any(folder.glob("*.bin"))
        hint = (
            f"it holds pickled weights, which are never loaded; run `harness convert {folder}`"
            if pickled
            else "add them"
        )
        raise ModelError(f"{where}: no *.safetensors; {hint}")
    kind: Any = AutoModelForSeq2SeqLM if config.is_encoder_decoder else AutoModelForCausalLM
    quantization = _quantization(model, dtype, device)
    placed = {"quantization_config": quantization, "device_map": {"": device}} if quantization else {}
    try:
        # The attention kernel is transformers' own choice for the class: sdpa where it has one.
        loaded, info = kind.from_pretrained(
            folder,
            config=config,
            dtype=dtype,
            local_files_only=True,
            use_safetensors=True,
            trust_remote_code=trust,
            output_loading_info=True,
            **placed,
        )
    except (OSError, ValueError, RuntimeError) as error:
        raise ModelError(f"{where}: {_sentence(error)}") from error
    if info["missing_keys"]:
        names = ", ".join(sorted(info["missing_keys"])[:5])
        raise ModelError(
            f"{where}: {len(info['missing_keys'])} tensors of {type(loaded).__name__} are missing: {names}; "
            "take a whole checkpoint"
        )
    if not quantization:
        loaded = loaded.to(device)
    loaded.requires_grad_(False)
    result: PreTrainedModel = loaded.eval()
    return result


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
    scheme, _, rest = model.uri.partition(":")
    if scheme == "hub":
        return rest.partition("@")[0]
    return model.uri if scheme == "zoo" else model.name


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


def _remote_code_hint(model: Model, runtime: Runtime) -> str:
    if model.trust_remote_code and not runtime.allow_remote_code:
        return " (the suite trusts its code; the command line must allow it too: --allow-remote-code)"
    return ""


def _sentence(error: Exception) -> str:
    return str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
