"""Makes the records of the instruction-qa data set from the scenarios beside this file."""

import re
from random import Random

from tools.zoo.corpus.instruction_choosing import CHOOSING
from tools.zoo.corpus.instruction_facts import FACTS
from tools.zoo.corpus.instruction_naming import NAMING
from tools.zoo.corpus.instruction_reasoning import REASONING
from tools.zoo.corpus.instruction_rewriting import REWRITING
from tools.zoo.corpus.instruction_scenario import Scenario
from tools.zoo.corpus.instruction_slots import draw

CATEGORIES: dict[str, tuple[Scenario, ...]] = {
    "facts": FACTS,
    "reasoning": REASONING,
    "rewriting": REWRITING,
    "naming": NAMING,
    "choosing": CHOOSING,
}
SPLIT_SIZES = {"train": 2000, "validation": 200, "test": 400}
UNSEEN_SHARE = {"train": 0.0, "validation": 0.0, "test": 0.25}
PROMPT_WORDS = range(25, 81)  # instruction and input together
OUTPUT_WORDS = range(1, 23)
ROWS_DRAWN = 4


def instructions(seed: int = 0) -> dict[str, list[dict[str, str]]]:
    """Return the records of every split; no (instruction, input) pair occurs twice."""
    taken: set[tuple[str, str]] = set()
    return {split: _split(split, seed, taken) for split in SPLIT_SIZES}


def _split(
    split: str,
    seed: int,
    taken: set[tuple[str, str]],  # pairs already used; grows
) -> list[dict[str, str]]:
    random = Random(f"{seed}-instructions-{split}")
    unseen = round(SPLIT_SIZES[split] * UNSEEN_SHARE[split])
    seen = SPLIT_SIZES[split] - unseen
    records = _draw_records(random, seen, False, taken) + _draw_records(random, unseen, True, taken)
    random.shuffle(records)
    return [{"id": f"instruction-qa-{split}-{i:04d}", **record} for i, record in enumerate(records)]


def _draw_records(
    random: Random,
    count: int,
    held_out: bool,
    taken: set[tuple[str, str]],
) -> list[dict[str, str]]:
    """Return records of a split; the scenarios take turns, so all are about equally frequent."""
    scenarios = [
        (category, scenario)
        for category, members in CATEGORIES.items()
        for scenario in members
        if scenario.held_out == held_out
    ]
    random.shuffle(scenarios)
    records: list[dict[str, str]] = []
    while len(records) < count:
        category, scenario = scenarios[len(records) % len(scenarios)]
        record = write(scenario, random)
        pair = (record["instruction"], record["input"])
        if pair in taken or not _fits(record):
            continue
        taken.add(pair)
        labels = {"scenario": scenario.name, "scenario_seen": "unseen" if held_out else "seen"}
        records.append({**record, "category": category, **labels})
    return records


def write(scenario: Scenario, random: Random) -> dict[str, str]:
    """One sample of the scenario: instruction, input and output."""
    slots = draw(random)
    slots |= _row_slots(scenario, slots, random)
    return {
        "instruction": _fill(random.choice(scenario.instructions), slots),
        "input": _fill(random.choice(scenario.passages), slots),
        "output": _fill(random.choice(scenario.outputs), slots),
    }


def _fits(record: dict[str, str]) -> bool:
    prompt = f"{record['instruction']} {record['input']}"
    return len(prompt.split()) in PROMPT_WORDS and len(record["output"].split()) in OUTPUT_WORDS


def _row_slots(scenario: Scenario, slots: dict[str, str], random: Random) -> dict[str, str]:
    rows = random.sample(scenario.rows, min(ROWS_DRAWN, len(scenario.rows)))
    values = {}
    for number, row in enumerate(rows, start=1):
        suffix = "" if number == 1 else str(number)
        for column, cell in zip(scenario.columns, row, strict=True):
            values[column + suffix] = _cell(cell, random).format_map(slots)
    picks = [value for slot, value in values.items() if slot.startswith("pick")]
    random.shuffle(picks)
    return values | {"options": ", ".join(picks)}


def _cell(cell: str, random: Random) -> str:
    words = cell.split("|")
    return cell if len(words) == 1 else "{}, {} and {}".format(*random.sample(words, 3))


def _fill(template: str, slots: dict[str, str]) -> str:
    """Return the filled template, with "an" before a vowel and a capital at the start of every sentence."""
    text = template.format_map(slots)
    text = re.sub(r"\b([Aa]) (?=[aeiou])", r"\1n ", text)
    return re.sub(r"(^|[.!?:] \"|[.!?] |^\")([a-z])", lambda match: match[1] + match[2].upper(), text)
