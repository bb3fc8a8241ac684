"""The notation in which conversations are written down, and its reader.

    ## borrow-tool                             a scenario's name
    A: [Could|Can] I borrow your {tool}?       a turn: A or B says; [x|y] picks one; {tool} comes from a pool
    ?B: What for?                              a turn that may be left out
    + lends                                    an outcome that pleases (a minus: one that does not)
    B: Sure, fetch it at {hour}.               its turns, after those above
    > {b} lends {a} the {tool}.                one way to sum it up; the first is the commonest

A line that starts with blanks continues the one before.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from random import Random

PICK = re.compile(r"\[([^\[\]]*)\]")
SLOT = re.compile(r"\{(\w+)\}")
SENTENCE_START = re.compile(r"(^|[.!?] )([a-z])")
A_BEFORE_VOWEL = re.compile(r"\b([Aa]) (?=[aeiouAEIOU])")


@dataclass(frozen=True, slots=True)
class Turn:
    """One message: a template and who says it."""

    speaker: str  # "a" or "b"
    template: str
    optional: bool

    def swapped(self) -> "Turn":
        """Return the same turn, said by the other person."""
        other = {"a": "b", "b": "a"}
        template = SLOT.sub(lambda found: "{" + other.get(found[1], found[1]) + "}", self.template)
        return Turn(other[self.speaker], template, self.optional)


@dataclass(frozen=True, slots=True)
class Outcome:
    """One way a scenario can end."""

    name: str
    pleasant: bool
    turns: tuple[Turn, ...]
    summaries: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Scenario:
    """A kind of conversation: how it opens and how it can end."""

    name: str
    opening: tuple[Turn, ...]
    outcomes: tuple[Outcome, ...]


def read_scenarios(text: str) -> tuple[Scenario, ...]:
    """Return the scenarios that `text` describes."""
    return tuple(_read_scenario(block) for block in _join_continued(text).split("## ")[1:])


def read_exchanges(text: str) -> tuple[tuple[Turn, ...], ...]:
    """Return the turns of each block of `text`; empty lines separate blocks."""
    blocks = _join_continued(text).strip().split("\n\n")
    return tuple(tuple(read_turn(line) for line in block.splitlines()) for block in blocks)


def _join_continued(text: str) -> str:
    return re.sub(r"\n[ \t]+", " ", text)


def _read_scenario(block: str) -> Scenario:
    name, *lines = [line for line in block.splitlines() if line]
    starts = [at for at, line in enumerate(lines) if line[:2] in ("+ ", "- ")]
    ends = [*starts[1:], len(lines)]
    return Scenario(
        name,
        tuple(read_turn(line) for line in lines[: starts[0]]),
        tuple(_read_outcome(lines[start:end]) for start, end in zip(starts, ends, strict=True)),
    )


def _read_outcome(lines: list[str]) -> Outcome:
    return Outcome(
        name=lines[0][2:],
        pleasant=lines[0].startswith("+"),
        turns=tuple(read_turn(line) for line in lines[1:] if not line.startswith("> ")),
        summaries=tuple(line[2:] for line in lines[1:] if line.startswith("> ")),
    )


def read_turn(line: str) -> Turn:
    """Return the turn that a line of the notation describes."""
    speaker, template = line.removeprefix("?").split(": ", 1)
    return Turn(speaker.lower(), template, line.startswith("?"))


def pick(template: str, generator: Random) -> str:
    """`template` with one alternative taken from each [x|y], the innermost first."""
    while "[" in template:
        template = PICK.sub(lambda found: generator.choice(found[1].split("|")), template)
    return template


def fill(template: str, word_for: Callable[[str], str]) -> str:
    """`template` with its slots filled, sentences starting with a capital, and "a" or "an" as fits."""
    text = SLOT.sub(lambda found: word_for(found[1]), template)
    if "a " in text or "A " in text:  # a plain look first is faster
        text = A_BEFORE_VOWEL.sub(r"\1n ", text)
    return SENTENCE_START.sub(lambda found: found[1] + found[2].upper(), text)


def told_summaries(
    templates: tuple[str, ...],
    words: dict[str, str],  # what each slot was filled with
    text: str,
) -> list[str]:
    """Those of `templates` whose every slot was filled with a word that `text` has."""
    said = text.lower()
    return [
        template
        for template in templates
        if all(slot in words and words[slot].lower() in said for slot in SLOT.findall(template))
    ]
