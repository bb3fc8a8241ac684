"""A sentence whose parts may be emphasised, so that every layout can set them off in its own way."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Span:
    """A part of a sentence, emphasised or not."""

    text: str
    strong: bool = False


Sentence = tuple[Span, ...]


def plain(sentence: Sentence) -> str:
    """Return the sentence without emphasis."""
    return "".join(span.text for span in sentence)
