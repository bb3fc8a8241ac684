"""Checks whether a model can be asked, from its files alone: in a fraction of a second, without torch.

A model whose weights are only analysed needs no tokenizer; these checks are not for it.
"""

from collections.abc import Collection, Iterable, Mapping
from pathlib import Path
from typing import Any

from harness.checkpoints import adapter as lora
from harness.checkpoints import folder as checkpoint
from harness.checkpoints.can_write import is_encoder, why_not
from harness.checkpoints.config_size import refuse_not_whole, refuse_oversized
from harness.checkpoints.safetensors import TensorFile
from harness.errors import AdapterError, ModelError
from harness.types import Model

RULES = 2  # raised when more is refused, so that models that passed before are checked again
# Files that transformers reads; it silently ignores some of them where they are broken.
SETTINGS = (
    "generation_config.json",
    "tokenizer_config.json",
    "special_tokens_map.json",
    "added_tokens.json",
    "vocab.json",
)
TOKENIZER = "tokenizer.json"
FLOATS = ("F", "BF16")  # F64, F32, F16 and the kinds of F8
# The keys of a config.json that say how weights were quantised.
QUANTISED = ("quantization_config", "compression_config", "quantization_bit")
VOCABULARIES = (
    TOKENIZER,
    "tokenizer.model",
    "spiece.model",
    "sentencepiece.bpe.model",
    "vocab.json",
    "vocab.txt",
)
TOKENIZERS = (
    "tokenizer*",
    "tokenization*",
    "*vocab*",
    "*.model",
    "*.spm",
    "*.tiktoken",
    "tekken.json",
)


def check_folder(folder: Path, uri: str) -> None:
    """Raise ModelError where the folder's model can neither write nor label, or its files are broken."""
    files = checkpoint.headers(folder)  # names a torn file, which the library does not
    path = folder / checkpoint.CONFIG
    check_answers(config := checkpoint.config(path), uri)
    checkpoint.model_type(path)
    shapes = {name: file.shape(name) for file in files.values() for name in file.names}
    refuse_oversized(config, shapes, path)
    refuse_not_whole(config, path)
    check_types(files.values(), config)
    _check_index(folder)
    for name in SETTINGS:
        if (folder / name).is_file():
            checkpoint.json_mapping(folder / name)
    check_tokenizer(folder)


def check_types(files: Iterable[TensorFile], config: Mapping[str, Any]) -> None:
    """Raise ModelError where a matrix of weights is stored as integers without a quantisation that says what they mean.

    transformers would silently use the integers themselves as the weights.
    """
    text = config.get("text_config")
    if any(level.get(key) for level in (config, text) if isinstance(level, Mapping) for key in QUANTISED):
        return
    for file in files:
        for name in file.names:
            kind = file.dtype(name)
            if name.endswith(".weight") and len(file.shape(name)) == 2 and not kind.startswith(FLOATS):
                raise ModelError(
                    f"{file.path}: {name} is {kind}, and {checkpoint.CONFIG} has no quantization_config; use the "
                    f"{checkpoint.CONFIG} that was saved with these weights, or weights that are floats"
                )


def check_tokenizer(folder: Path) -> None:
    """Raise ModelError where the folder has no tokenizer, or a broken one."""
    if not any(path.is_file() for pattern in TOKENIZERS for path in folder.glob(pattern)):
        raise ModelError(
            f"{folder}: found no tokenizer; copy {TOKENIZER} and tokenizer_config.json from the model's source"
        )
    path = folder / TOKENIZER
    if not path.is_file():
        return
    found = checkpoint.json_mapping(path)
    for name, kind in (("model", dict), ("added_tokens", list)):
        if not isinstance(found.get(name), kind):
            raise ModelError(
                f"{path}: broken: no {name!r}, which a tokenizer needs; copy it again from the model's source"
            )


def check_answers(config: Mapping[str, Any], uri: str) -> None:
    """Raise ModelError where config.json belongs to a model that can neither write nor, as encoders, give labels."""
    reason = None if is_encoder(config) else why_not(config)
    if reason:
        raise ModelError(f"{uri} {reason}")


def check_quantization(model: Model, libraries: Collection[str]) -> None:
    """Raise ModelError where the model is to be quantised, and what does it is not installed."""
    if model.quantization == "none":
        return
    if "bitsandbytes" not in libraries:
        raise ModelError(f"quantization: {model.quantization} needs bitsandbytes; pip install bitsandbytes")


def check_adapter(folder: Path) -> None:
    """Raise AdapterError where an adapter's settings or the header of its weights are broken."""
    try:
        lora.check(folder)
    except ModelError as error:
        raise AdapterError(str(error)) from error


def _check_index(folder: Path) -> None:
    path = folder / checkpoint.INDEX
    if (folder / checkpoint.SINGLE).is_file() or not path.is_file():
        return
    if not isinstance(checkpoint.json_mapping(path).get("metadata"), dict):
        raise ModelError(
            f'{path}: no "metadata", which transformers needs to read the index; add "metadata": {{}} to it'
        )
