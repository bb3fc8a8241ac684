"""Read a checkpoint's chat template from its files, without a tokenizer."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from harness.errors import NotRegular
from harness.files.regular import regular_text

FILE = "chat_template.jinja"
SETTINGS = "tokenizer_config.json"
_TOKENS = ("bos_token", "eos_token", "unk_token", "sep_token", "pad_token", "cls_token", "mask_token")


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredTemplate:
    """A chat template, and the special tokens that it may name."""

    text: str
    tokens: Mapping[str, str]


def stored_template(folder: Path) -> StoredTemplate | None:
    """Return the chat template of a checkpoint's folder; None where it has none, or none that can be read.

    The file chat_template.jinja comes before tokenizer_config.json, and of several templates the default is taken, as
    transformers does.
    """
    settings = _json(folder / SETTINGS)
    text = _text(folder / FILE) or _default(settings.get("chat_template"))
    if text is None:
        return None
    named = _json(folder / "special_tokens_map.json") | settings
    tokens = {name: token for name in _TOKENS if (token := _token(named.get(name))) is not None}
    return StoredTemplate(text=text, tokens=tokens)


def _default(found: object) -> str | None:
    if isinstance(found, list):
        named = {entry.get("name"): entry.get("template") for entry in found if isinstance(entry, dict)}
        found = named.get("default")
    return found if isinstance(found, str) else None


def _token(found: object) -> str | None:
    content = found.get("content") if isinstance(found, dict) else found
    return content if isinstance(content, str) else None


def _text(path: Path) -> str | None:
    try:
        return regular_text(path)
    except (OSError, ValueError, NotRegular):
        return None


def _json(path: Path) -> dict[str, Any]:
    try:
        found = json.loads(regular_text(path))
    except (OSError, ValueError, NotRegular, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}
