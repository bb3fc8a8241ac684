"""Which rows of a fused matrix belong to which of the matrices in it."""

from collections.abc import Mapping
from typing import Any

from harness.families import Family, Fused

HEADS = ("num_attention_heads", "n_head", "num_heads")
KEY_HEADS = ("num_key_value_heads", "num_kv_heads", "n_head_kv")


def fused_in(family: Family, module: str) -> Fused | None:
    """Return how a module is fused in its family, by the end of the module's name; None where it is not."""
    for suffix, fused in family.fused.items():
        if f".{module}".endswith(f".{suffix}"):
            return fused
    return None


def rows_of_parts(
    fused: Fused,
    rows: int,
    config: Mapping[str, Any],  # config.json
) -> Mapping[str, tuple[slice, ...]]:
    """Return the rows of each part, in order; raise ValueError where equal parts or the heads do not fill them.

    Queries have heads · width rows, keys and values fewer where several queries share one (Ainslie et al. 2023).
    """
    if fused.layout == "equal":
        return _equal(fused, rows)
    text = config.get("text_config") or config
    heads = _first(text, HEADS)
    if not heads:
        raise ValueError(f"config.json has none of {', '.join(HEADS)}")
    key_heads = _key_heads(text, heads)
    width, left = divmod(rows, heads + 2 * key_heads)
    expected = text.get("head_dim") or width
    if left or heads % key_heads or expected != width:
        raise ValueError(
            f"{rows} rows are not those of {heads} query and twice {key_heads} key-value heads of one width"
        )
    if fused.layout == "groups":
        return _groups(fused, width, heads // key_heads, key_heads)
    found, at = {}, 0
    for part, size in zip(fused.parts, (heads, key_heads, key_heads), strict=True):
        found[part] = (slice(at, at + size * width),)
        at += size * width
    return found


def _equal(fused: Fused, rows: int) -> Mapping[str, tuple[slice, ...]]:
    size, left = divmod(rows, len(fused.parts))
    if left:
        raise ValueError(f"{rows} rows are not {len(fused.parts)} equal parts")
    return {part: (slice(nth * size, (nth + 1) * size),) for nth, part in enumerate(fused.parts)}


def _groups(fused: Fused, width: int, queries: int, groups: int) -> Mapping[str, tuple[slice, ...]]:
    """Return the rows of each part where each key-value head in turn has its queries, its key and its value."""
    found: dict[str, list[slice]] = {part: [] for part in fused.parts}
    at = 0
    for _ in range(groups):
        for part, size in zip(fused.parts, (queries, 1, 1), strict=True):
            found[part].append(slice(at, at + size * width))
            at += size * width
    return {part: tuple(slices) for part, slices in found.items()}


def _key_heads(config: Mapping[str, Any], heads: int) -> int:
    """Return the number of key heads. Falcon has one with `multi_query`, except in its newer architecture."""
    if config.get("multi_query") and not config.get("new_decoder_architecture"):
        return 1
    if config.get("multi_query") is False and not config.get("new_decoder_architecture"):
        return heads
    return _first(config, KEY_HEADS) or heads


def _first(config: Mapping[str, Any], names: tuple[str, ...]) -> int:
    return next((int(config[name]) for name in names if config.get(name)), 0)
