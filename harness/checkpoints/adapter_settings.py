"""The settings of an adapter's configuration: each is checked before anything is computed from it."""

import math
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, TypeGuard

from harness.errors import AdapterError

RANK = 8  # peft's default, as is ALPHA
ALPHA = 8
LARGEST_RANK = 1_000_000  # larger than the sides of any matrix
LARGEST_ALPHA = 1e9  # far above any in use, and too small to overflow a product by itself
LARGEST_NUMBER = 1e12  # of any setting: seeds have ten digits
LARGEST_LAYERS = 10_000  # that `layer_replication` may ask for
LARGEST_ROUNDS = 1_000  # iterations of an initialisation that is computed again when the adapter is attached
PATTERNS = ("rank_pattern", "alpha_pattern")
NAMES = ("exclude_modules", "layers_pattern", "modules_to_save", "target_modules")
_ROUNDS = re.compile(r"pissa_niter_(\d+)", re.IGNORECASE)


def check_settings(path: Path, config: Mapping[str, Any], *, lora: bool = True) -> None:
    """Raise AdapterError where a number is not finite, out of range or not a number, or a pattern is not text.

    Of another kind than LoRA, the settings that are LoRA's alone are not looked at.
    """
    for key, number in _numbers("", config):
        if not abs(number) <= LARGEST_NUMBER:
            raise _wrong(path, key, number, f"a finite number up to {LARGEST_NUMBER:g}")
    for name in NAMES:
        _check_names(path, name, config.get(name))
    base = config.get("base_model_name_or_path")
    if not isinstance(base, str | None):
        raise _wrong(path, "base_model_name_or_path", base, "the name of the base")
    if not lora:
        return
    _check_rank(path, "r", config.get("r", RANK))
    _check_alpha(path, "lora_alpha", config.get("lora_alpha", ALPHA))
    dropout = config.get("lora_dropout", 0.0)
    if not (_is_number(dropout) and 0 <= dropout <= 1):
        raise _wrong(path, "lora_dropout", dropout, "a number from 0 to 1")
    for name in PATTERNS:
        _check_pattern(path, name, config.get(name))
    _check_starts(path, config)
    _check_replication(path, config.get("layer_replication"))


def _check_rank(path: Path, key: str, found: object) -> None:
    if isinstance(found, bool) or not isinstance(found, int) or not 1 <= found <= LARGEST_RANK:
        raise _wrong(path, key, found, f"a whole number from 1 to {LARGEST_RANK:,}")


def _check_alpha(path: Path, key: str, found: object) -> None:
    if not (_is_number(found) and 0 < found <= LARGEST_ALPHA):
        raise _wrong(path, key, found, f"a number above 0, up to {LARGEST_ALPHA:g}")


def _check_pattern(path: Path, name: str, found: object) -> None:
    """Raise unless a pattern's keys are regular expressions and its values are ranks or alphas."""
    if not isinstance(found, dict | None):
        raise _wrong(path, name, found, "a mapping from names of modules to numbers")
    check = _check_rank if name == "rank_pattern" else _check_alpha
    for pattern, value in (found or {}).items():
        check(path, f"{name}[{shortened(pattern)}]", value)


def _check_names(path: Path, name: str, found: object) -> None:
    """Raise unless the value is a regular expression or a list of names."""
    names = found if isinstance(found, list) else [] if found is None else [found]
    wrong = [entry for entry in names if not isinstance(entry, str)]
    if wrong:
        raise _wrong(path, name, wrong[0], "a name of a module, or a list of names")


def _check_starts(path: Path, config: Mapping[str, Any]) -> None:
    start = config.get("init_lora_weights")
    rounds = _ROUNDS.fullmatch(start) if isinstance(start, str) else None
    if rounds and (len(rounds[1]) > len(str(LARGEST_ROUNDS)) or int(rounds[1]) > LARGEST_ROUNDS):
        raise _wrong(path, "init_lora_weights", start, f"at most {LARGEST_ROUNDS:,} iterations")
    quantised = config.get("loftq_config")
    found = quantised.get("loftq_iter", 1) if isinstance(quantised, dict) else 1
    if not (_is_number(found) and found <= LARGEST_ROUNDS):
        raise _wrong(path, "loftq_config.loftq_iter", found, f"at most {LARGEST_ROUNDS:,} iterations")


def _check_replication(path: Path, found: object) -> None:
    if found is None:
        return
    ranges = found if isinstance(found, list) else [found]
    pairs = [
        pair for pair in ranges if isinstance(pair, list) and len(pair) == 2 and all(map(_is_number, pair))
    ]
    if len(pairs) < len(ranges) or sum(max(0, end - start) for start, end in pairs) > LARGEST_LAYERS:
        expected = f"pairs of layers, at most {LARGEST_LAYERS:,} layers together"
        raise _wrong(path, "layer_replication", found, expected)


def _numbers(key: str, value: object) -> Iterator[tuple[str, float]]:
    """Yield every number of plain data, with its key."""
    if _is_number(value):
        yield key, value
    elif isinstance(value, dict):
        for name, member in value.items():
            yield from _numbers(f"{key}[{shortened(name)}]" if key else name, member)
    elif isinstance(value, list):
        for member in value:
            yield from _numbers(key, member)


def _is_number(value: object) -> TypeGuard[int | float]:
    """Return whether a value is a number; JSON's true and false are not."""
    return isinstance(value, int | float) and not isinstance(value, bool)


def _wrong(path: Path, key: str, found: object, expected: str) -> AdapterError:
    if isinstance(found, float) and not math.isfinite(found):
        text = "NaN" if math.isnan(found) else "infinity" if found > 0 else "-infinity"
    elif isinstance(found, int) and not isinstance(found, bool) and abs(found) > LARGEST_NUMBER:
        text = "a whole number above the limit"  # a number of 5,000 digits cannot even be printed
    else:
        text = shortened(found)
    return AdapterError(f"{path}: {key}: found {text}; expected {expected}; save the adapter again")


def shortened(found: object) -> str:
    """Return a value as one line of at most 60 characters."""
    text = repr(found)
    return text if len(text) <= 60 else f"{text[:57]}…"
