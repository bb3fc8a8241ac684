"""A set of short chats with summaries, shaped like SAMSum (Gliwa et al. 2019), written by a program.

A quarter of the test samples come from scenarios that no other split has.
"""

from itertools import groupby
from random import Random

from tools.zoo.corpus import (
    scenarios_home,
    scenarios_plans,
    scenarios_town,
    scenarios_unseen,
    scenarios_work,
    small_talk,
)
from tools.zoo.corpus.scenario import Outcome, Scenario, Turn, fill, pick, read_scenarios, told_summaries
from tools.zoo.corpus.scenario_slots import Slots

SPLIT_SIZES = {"train": 2000, "validation": 200, "test": 400}
UNSEEN_SHARE = 0.25  # of the test split
LONGEST_DIALOGUE = 95  # words, names included
MOST_TURNS = 12
CHATTINESS = (
    0.0,
    0.6,
    0.8,
    1.0,
    1.0,
    1.0,
)  # how likely a turn that may be left out stays; one drawn per dialogue
FIRST_PHRASING = 0.4  # how often a summary is worded in an outcome's first way; else any way

SEEN: tuple[Scenario, ...] = tuple(
    scenario
    for module in (scenarios_home, scenarios_plans, scenarios_town, scenarios_work)
    for scenario in read_scenarios(module.TEXT)
)
UNSEEN: tuple[Scenario, ...] = read_scenarios(scenarios_unseen.TEXT)


def dialogues(seed: int = 0) -> dict[str, list[dict[str, str]]]:
    """Return splits of records with id, dialogue, summary, scenario and scenario_seen ("seen" or "unseen")."""
    written: set[str] = set()
    return {split: _write_split(split, size, seed, written) for split, size in SPLIT_SIZES.items()}


def _write_split(split: str, size: int, seed: int, written: set[str]) -> list[dict[str, str]]:
    generator = Random(f"{seed}-dialogues-{split}")
    unseen_size = round(size * UNSEEN_SHARE) if split == "test" else 0
    plan = [SEEN[at % len(SEEN)] for at in range(size - unseen_size)]
    plan += [UNSEEN[at % len(UNSEEN)] for at in range(unseen_size)]
    generator.shuffle(plan)
    records = []
    for at, scenario in enumerate(plan):
        dialogue, summary = _write_new(scenario, generator, written)
        records.append(
            {
                "id": f"dialogues-{split}-{at:04d}",
                "dialogue": dialogue,
                "summary": summary,
                "scenario": scenario.name,
                "scenario_seen": "unseen" if scenario in UNSEEN else "seen",
            }
        )
    return records


def _write_new(scenario: Scenario, generator: Random, written: set[str]) -> tuple[str, str]:
    """Return a dialogue and its summary that are short enough and not among those `written`."""
    while True:
        outcome = generator.choice(scenario.outcomes)
        slots = Slots(generator)
        dialogue = write_dialogue(scenario, outcome, slots, generator)
        summaries = told_summaries(outcome.summaries, slots.words, dialogue)
        short = len(dialogue.split()) <= LONGEST_DIALOGUE and dialogue.count("\n") < MOST_TURNS
        if short and summaries and dialogue not in written:
            written.add(dialogue)
            return dialogue, write_summary(summaries, slots, generator)


def write_dialogue(scenario: Scenario, outcome: Outcome, slots: Slots, generator: Random) -> str:
    """Lines of "Name: text": the scenario's turns, some left out, with small talk before and after."""
    chattiness = generator.choice(CHATTINESS)
    turns = [
        *_leave_some_out(scenario.opening, chattiness, generator),
        *_leave_some_out(outcome.turns, chattiness, generator),
    ]
    before, after = generator.sample(small_talk.ASIDES, 2)
    if generator.random() < 0.5 * chattiness:
        turns = [*before, *turns]
    if generator.random() < 0.7 * chattiness:
        turns = [*generator.choice(small_talk.GREETINGS), *turns]
    if generator.random() < 0.7 * chattiness:
        turns = [*turns, *after]
    if generator.random() < 0.8 * chattiness:
        turns = [*turns, *_farewell(turns[-1].speaker, outcome, generator)]
    lines = [(turn.speaker, fill(pick(turn.template, generator), slots)) for turn in turns]
    return "\n".join(f"{slots(speaker)}: {text}" for speaker, text in lines)


def _leave_some_out(turns: tuple[Turn, ...], chattiness: float, generator: Random) -> list[Turn]:
    """Return the turns of a dialogue; optional turns in a row, such as a question and its answer, stay or go together."""
    kept: list[Turn] = []
    for optional, neighbours in groupby(turns, key=lambda turn: turn.optional):
        if not optional or generator.random() < chattiness:
            kept.extend(neighbours)
    return kept


def _farewell(last_speaker: str, outcome: Outcome, generator: Random) -> tuple[Turn, ...]:
    farewells = small_talk.HAPPY_FAREWELLS if outcome.pleasant else small_talk.SAD_FAREWELLS
    turns = generator.choice(farewells)
    return turns if last_speaker == "b" else tuple(turn.swapped() for turn in turns)


def write_summary(summaries: list[str], slots: Slots, generator: Random) -> str:
    """One of an outcome's ways to sum it up, the first more often than the others."""
    first = generator.random() < FIRST_PHRASING
    template = summaries[0] if first else generator.choice(summaries)
    return fill(pick(template, generator), slots)
