"""Whether a checkpoint's files name an end-of-sequence token, by its small JSON files alone, without transformers."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from harness.checkpoints.folder import CONFIG, json_mapping
from harness.errors import ModelError, NotRegular

GENERATION = "generation_config.json"
TOKENIZERS = ("tokenizer_config.json", "special_tokens_map.json")


def names_an_end(folder: Path) -> bool:
    """Return whether a file names an end-of-sequence token.

    The class of a tokenizer may have one that no file names, so a model is only known to have none once it is loaded.
    """
    return any(map(_is_token, _named(folder)))


def _named(folder: Path) -> Iterator[object]:
    config = _content(folder / CONFIG)
    yield config.get("eos_token_id")
    text = config.get("text_config")
    yield text.get("eos_token_id") if isinstance(text, Mapping) else None
    yield _content(folder / GENERATION).get("eos_token_id")
    for name in TOKENIZERS:
        yield _content(folder / name).get("eos_token")


def _is_token(named: object) -> bool:
    """Return whether a value names a token; some configurations write -1 for none."""
    if isinstance(named, list):
        return any(map(_is_token, named))
    return named >= 0 if isinstance(named, int) else bool(named)


def _content(path: Path) -> Mapping[str, Any]:
    """Return the content of a file; empty where it cannot be read, which loading the model reports."""
    try:
        return json_mapping(path)
    except (ModelError, NotRegular):
        return {}
