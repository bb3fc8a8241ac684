"""Answer samples without a model, by trivial rules, which every model has to beat."""

import re

from harness.errors import UnknownName
from harness.types import Sample

RULES = ("copy", "lead-3")

_SENTENCE_END = re.compile(r"(?<=[.!?])\s+")


def answer(rule: str, sample: Sample) -> str:
    """Return the rule's answer: "copy" repeats the input, "lead-3" its first three lines or sentences.

    Lines count in an input of several lines, such as a conversation; sentences in any other.
    """
    match rule:
        case "copy":
            return sample.input
        case "lead-3":
            return _lead(sample.input, 3)
    raise UnknownName("trivial rule", rule, RULES)


def _lead(text: str, n: int) -> str:
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    if len(lines) > 1:
        return "\n".join(lines[:n])
    return " ".join(_SENTENCE_END.split(text.strip())[:n])
