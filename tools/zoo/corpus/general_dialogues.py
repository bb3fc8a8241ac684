"""Chats with small tasks about them, without end: what the tiny base models are pretrained on.

Scenarios, phrasings and instructions are other than those of the data set in dialogues.py.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from random import Random

from tools.zoo.corpus import general_scenarios, words
from tools.zoo.corpus.general_instructions import INSTRUCTIONS, KIND_WEIGHTS, LAYOUTS
from tools.zoo.corpus.scenario import (
    Outcome,
    Scenario,
    Turn,
    fill,
    pick,
    read_exchanges,
    read_scenarios,
    told_summaries,
)
from tools.zoo.corpus.scenario_slots import POOLS, Slots

LONGEST_PROMPT = 95  # words
LONGEST_ANSWER = 24  # words

SCENARIOS = read_scenarios(general_scenarios.TEXT)
CHATTER = read_exchanges(general_scenarios.CHATTER)

# What a question about something mentioned calls it, and the pool whose words it may be.
MENTIONS = {
    "day": "day",
    "city": "city",
    "sport": "sport",
    "month": "month",
    "colour": "colour",
    "place": "town",
}


@dataclass(frozen=True, slots=True)
class Chat:
    """One conversation and what is known about it."""

    scenario: Scenario
    outcome: Outcome
    slots: Slots
    lines: tuple[tuple[str, str], ...]  # (name, message)

    @property
    def text(self) -> str:
        """Return the chat as text, one line per message."""
        return "\n".join(f"{name}: {message}" for name, message in self.lines)


def general_dialogues(count: int, seed: int) -> Iterator[dict[str, str]]:
    """`count` samples with prompt, answer and kind."""
    generator = Random(f"{seed}-general-dialogues")
    kinds, weights = list(KIND_WEIGHTS), list(KIND_WEIGHTS.values())
    for _ in range(count):
        yield _write_sample(generator.choices(kinds, weights)[0], generator)


def _write_chat(generator: Random) -> Chat:
    """Return a scenario, often with small talk before or after it."""
    scenario = generator.choice(SCENARIOS)
    outcome = generator.choice(scenario.outcomes)
    slots = Slots(generator)
    turns = [
        turn for turn in (*scenario.opening, *outcome.turns) if not turn.optional or generator.random() < 0.5
    ]
    lines = _speak(turns, slots, generator)
    for chatter in generator.sample(CHATTER, generator.choice((0, 1, 1, 2))):
        aside = Slots(generator)
        aside.words.update(a=slots("a"), b=slots("b"), c=slots("d"))
        spoken = _speak(chatter, aside, generator)
        lines = [*spoken, *lines] if generator.random() < 0.5 else [*lines, *spoken]
    return Chat(scenario, outcome, slots, tuple(lines))


def _speak(turns: list[Turn] | tuple[Turn, ...], slots: Slots, generator: Random) -> list[tuple[str, str]]:
    return [(slots(turn.speaker), fill(pick(turn.template, generator), slots)) for turn in turns]


def _write_sample(kind: str, generator: Random) -> dict[str, str]:
    """Return a sample of `kind` about the first drawn chat that suits it and is short enough."""
    while True:
        chat = _write_chat(generator)
        task = _task(kind, chat, generator)
        if task is None:
            continue
        fields, answer = task
        instruction = fill(pick(generator.choice(INSTRUCTIONS[kind]), generator), fields.__getitem__)
        layout = generator.choice(LAYOUTS)
        prompt = layout.replace("{instruction}", instruction).replace("{text}", chat.text)
        if len(prompt.split()) <= LONGEST_PROMPT and len(answer.split()) <= LONGEST_ANSWER:
            return {"prompt": prompt, "answer": answer, "kind": kind}


def _task(kind: str, chat: Chat, generator: Random) -> tuple[dict[str, str], str] | None:
    """Return the words that an instruction needs, and the right answer; None if the chat does not suit."""
    name, message = generator.choice(chat.lines)
    first_message = next(text for speaker, text in chat.lines if speaker == name)
    speakers = list(dict.fromkeys(speaker for speaker, _ in chat.lines))
    match kind:
        case "digest":
            results = told_summaries(chat.outcome.summaries[:1], chat.slots.words, chat.text)
            return ({}, _digest(results[0], chat, speakers)) if results else None
        case "gist" | "summary":
            gists = told_summaries(chat.outcome.summaries[1:], chat.slots.words, chat.text)
            return ({}, fill(pick(generator.choice(gists), generator), chat.slots)) if gists else None
        case "who-said":
            return {"message": message}, name
        case "asked":
            questions = [text for speaker, text in chat.lines if speaker == name and text.endswith("?")]
            return ({"name": name}, questions[0]) if len(questions) == 1 else None
        case "speakers":
            return {}, " and ".join(speakers)
        case "last-message":
            return {}, chat.lines[-1][1]
        case "first-message":
            return {"name": name}, first_message
        case "copy-line":
            at = generator.randrange(min(len(chat.lines), 5))
            return {"ordinal": POOLS["ordinal"][at]}, ": ".join(chat.lines[at])
        case "count":
            return {}, str(len(chat.lines))
        case "agrees":
            if {outcome.name for outcome in chat.scenario.outcomes} != {"yes", "no"}:
                return None
            return {
                "topic": chat.scenario.name,
                "name": chat.slots("b"),
            }, chat.outcome.name.capitalize() + "."
        case "mentioned":
            return _mentioned(chat, generator)
        case "swap":
            new = generator.choice(words.NAMES)
            return {"name": name, "new": new}, f"{new}: {first_message}"
        case _:
            raise ValueError(
                f"general_dialogues: no kind named {kind!r}; kinds are {', '.join(KIND_WEIGHTS)}"
            )


def _digest(result: str, chat: Chat, speakers: list[str]) -> str:
    return f"People: {', '.join(speakers)}. Topic: {chat.scenario.name}. Result: {fill(result, chat.slots)}."


def _mentioned(chat: Chat, generator: Random) -> tuple[dict[str, str], str] | None:
    what, pool = generator.choice(list(MENTIONS.items()))
    said = chat.text.replace(",", " ").replace(".", " ").replace("!", " ").replace("?", " ").lower().split()
    found = [word for word in POOLS[pool] if word.lower() in said]
    return ({"what": what}, found[0]) if len(found) == 1 else None
