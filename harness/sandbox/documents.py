"""Render templates of documents within limits of time, memory and length."""

import json
import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from harness.errors import DataError
from harness.sandbox import Exceeded, Sandbox, _documents

SECONDS = 10.0  # of processor time for a block of documents; a real template takes some 30 µs a document
BLOCK = 64  # documents that are rendered together
LONGEST = 1 << 24  # characters of the texts of a block


@dataclass(frozen=True, slots=True)
class Failed:
    """Why a template could not be rendered for a document."""

    why: str


Rendered = Mapping[str, str | Failed]  # template -> text


def render(
    templates: Sequence[str],
    documents: Sequence[Mapping[str, Any]],
    where: str,  # of the templates, for messages
) -> Iterator[Rendered]:
    """Yield for each document the texts of all templates; raise DataError where a limit is exceeded."""
    for start in range(0, len(documents), BLOCK):
        block = documents[start : start + BLOCK]
        yield from _block(templates, block, where) if templates else ({} for _ in block)


def _block(
    templates: Sequence[str], documents: Sequence[Mapping[str, Any]], where: str
) -> Iterator[Rendered]:
    try:
        plain = [json.loads(json.dumps(document)) for document in documents]
    except (TypeError, ValueError) as error:
        raise DataError(f"{where}: a document holds what a template cannot show: {error}") from error
    request = {"templates": list(templates), "documents": plain, "longest": LONGEST}
    try:
        found = _sandbox(os.getpid()).ask(request, SECONDS)
    except Exceeded as error:
        _sandbox.cache_clear()
        raise DataError(f"{where}: its templates {error} for {len(documents)} documents") from error
    for texts in found:
        yield {
            template: text["text"] if "text" in text else Failed(" ".join(text["failed"].split())[:200])
            for template, text in zip(templates, texts, strict=True)
        }


@lru_cache(1)
def _sandbox(_: int) -> Sandbox:
    return Sandbox(_documents)
