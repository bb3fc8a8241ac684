"""The sizes in a config.json, checked against the tensors beside it before a model of these sizes is built."""

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from harness.errors import ModelError

# Keys of transformers' configurations for the number of layers.
LAYERS = (
    *("num_hidden_layers", "n_layer", "n_layers", "num_layers", "num_decoder_layers", "num_encoder_layers"),
    *("encoder_layers", "decoder_layers"),
)
# Keys for the size of a matrix, a vector or a list of modules.
SIZES = (
    *("hidden_size", "n_embd", "d_model", "dim", "embedding_size", "word_embed_proj_dim", "vocab_size"),
    *("intermediate_size", "ffn_dim", "ffn_hidden_size", "d_ff", "n_inner", "moe_intermediate_size"),
    *("encoder_ffn_dim", "decoder_ffn_dim", "shared_expert_intermediate_size", "d_kv", "head_dim"),
    *("num_attention_heads", "n_head", "num_heads", "num_key_value_heads", "num_kv_heads"),
    *("encoder_attention_heads", "decoder_attention_heads", "type_vocab_size"),
    *("num_local_experts", "num_experts", "n_routed_experts", "n_shared_experts", "num_hidden_groups"),
)
POSITIONS = ("max_position_embeddings", "n_positions", "n_ctx", "max_sequence_length", "max_seq_len")
TABLES = re.compile(r"(?:^|\.)(?:wpe|position_embeddings?|embed_positions)\.weight$")
# Keys whose value may be zero.
MAY_BE_ZERO = (
    *("type_vocab_size", "num_local_experts", "num_experts", "n_routed_experts", "n_shared_experts"),
    *("moe_intermediate_size", "shared_expert_intermediate_size"),
)
# Where only a few layers are missing, building the model names their tensors: only what takes long to build is refused.
TIMES, SOME = 4, 100
PACKED = 8  # numbers that a quantised checkpoint packs into one
# Ten times the longest window of any model; tables of rotations are computed from it.
MOST_POSITIONS = 1 << 28
_BLOCK = re.compile(r"(?:^|\.)(\d{1,9})(?:\.|$)")


def refuse_oversized(
    config: Mapping[str, Any],
    tensors: Mapping[str, tuple[int, ...]],  # shapes by name, from the heads of all files
    where: Path,  # config.json
) -> None:
    """Raise ModelError where config.json describes a larger model than the tensors can be.

    So a model of 10^6 layers is not built. Whether each tensor has its exact shape is checked elsewhere.
    """
    if not tensors:
        return
    largest = max((size for shape in tensors.values() for size in shape), default=1)
    layers = _layers(tensors)
    positions = _positions(tensors)
    shares = config.get("num_hidden_groups") is not None  # ALBERT's blocks share layers
    for key, value in _claims(config):
        if key in LAYERS:
            most = max(largest, 1_000) if shares or not layers else TIMES * layers + SOME
            problem = (
                f"the tensors have {layers} layers" if layers else "no tensor's name has a layer's number"
            )
        elif key in POSITIONS:
            most = MOST_POSITIONS if positions is None else positions + PACKED
            problem = (
                f"known are up to {most:,}"
                if positions is None
                else f"the table of positions has {positions:,}"
            )
        else:
            most, problem = PACKED * largest, f"the largest side of any tensor is {largest:,}"
        if not value <= most:  # true for NaN too
            raise ModelError(
                f"{where}: {key}: found {_shown(value)}, {problem}; use the config.json of these weights"
            )


def refuse_not_whole(config: Mapping[str, Any], where: Path) -> None:
    """Raise ModelError where config.json has a size of the text model that no matrix or list can have."""
    text = config.get("text_config")
    for level in (config, text if isinstance(text, dict) else {}):
        for key in (*LAYERS, *SIZES, *POSITIONS):
            least = 0 if key in MAY_BE_ZERO else 1
            value = level.get(key)
            for number in value if isinstance(value, list) else [value]:
                if number is not None and not (_is_whole(number) and number >= least):
                    raise ModelError(
                        f"{where}: {key}: found {_written(number)}; give a whole number from {least}"
                    )


def _is_whole(value: object) -> bool:
    if isinstance(value, float):
        return value.is_integer()
    return isinstance(value, int) and not isinstance(value, bool)


def _written(value: object) -> str:
    """Return a value in few characters, as JSON writes it."""
    match value:
        case bool():
            return str(value).lower()
        case dict() | list():
            return "a mapping" if isinstance(value, dict) else "a list"
        case str():
            return repr(value[:40])
        case int():
            return _shown(value)
        case _:
            return str(value)


def _claims(config: Mapping[str, Any]) -> Iterator[tuple[str, float]]:
    """Yield key and number of every size, also in nested configurations and lists."""
    for key, value in config.items():
        if isinstance(value, dict):
            yield from _claims(value)
        elif key in LAYERS or key in SIZES or key in POSITIONS:
            for number in value if isinstance(value, list) else [value]:
                if isinstance(number, int | float) and not isinstance(number, bool):
                    yield key, number


def _layers(tensors: Mapping[str, tuple[int, ...]]) -> int:
    """Return the most layers of any stack: the largest first number in a tensor's name plus one; 0 without numbers."""
    return max((int(found[1]) + 1 for name in tensors if (found := _BLOCK.search(name))), default=0)


def _positions(tensors: Mapping[str, tuple[int, ...]]) -> int | None:
    """Return the number of rows of a learnt table of positions; None where there is none."""
    return max((shape[0] for name, shape in tensors.items() if shape and TABLES.search(name)), default=None)


def _shown(value: float) -> str:
    if value != value:
        return "NaN"
    return f"{value:,}" if abs(value) < 1e18 else "a number of more than 18 digits"
