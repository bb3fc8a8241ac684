"""The instruction data set and the general text for the base models."""

import re
from fractions import Fraction

import pytest

from tools.zoo.corpus.general_instructions import general_instructions
from tools.zoo.corpus.instructions import CATEGORIES, instructions

Records = list[dict[str, str]]
EQUATION = re.compile(r"(\d+) ([-+*/]) (\d+) = (\d+)")


@pytest.fixture(scope="module")
def splits() -> dict[str, Records]:
    return instructions(0)


def everything(splits: dict[str, Records]) -> Records:
    return [record for records in splits.values() for record in records]


def pair(record: dict[str, str]) -> tuple[str, str]:
    return record["instruction"], record["input"]


def prompt_of(record: dict[str, str]) -> str:
    return " ".join(pair(record))


def is_true(equation: tuple[str, str, str, str]) -> bool:
    left, sign, right, result = equation
    a, b = Fraction(left), Fraction(right)
    return {"+": a + b, "-": a - b, "*": a * b, "/": a / b}[sign] == Fraction(result)


@pytest.mark.parametrize(("split", "size"), [("train", 2000), ("validation", 200), ("test", 400)])
def test_every_split_has_its_size_and_all_categories(
    splits: dict[str, Records], split: str, size: int
) -> None:
    assert len(splits[split]) == size
    assert sorted({record["category"] for record in splits[split]}) == sorted(CATEGORIES)


def test_there_are_many_scenarios(splits: dict[str, Records]) -> None:
    assert len({record["scenario"] for record in everything(splits)}) >= 64


def test_every_scenario_has_its_own_name() -> None:
    names = [scenario.name for scenarios in CATEGORIES.values() for scenario in scenarios]
    assert len(names) == len(set(names))


def test_unseen_scenarios_are_a_quarter_of_the_test_split_and_nowhere_else(
    splits: dict[str, Records],
) -> None:
    unseen = [record for record in splits["test"] if record["scenario_seen"] == "unseen"]
    known = {record["scenario"] for record in splits["train"] + splits["validation"]}
    assert len(unseen) == 100
    assert not known & {record["scenario"] for record in unseen}
    assert all(record["scenario_seen"] == "seen" for record in splits["train"] + splits["validation"])


def test_ids_and_prompts_are_unique(splits: dict[str, Records]) -> None:
    records = everything(splits)
    assert len({record["id"] for record in records}) == len(records)
    assert len({pair(record) for record in records}) == len(records)


def test_no_slot_is_left_open(splits: dict[str, Records]) -> None:
    for record in everything(splits):
        assert not re.search(r"[{}|]|  ", prompt_of(record) + record["output"]), record


def test_lengths_suit_a_tiny_model(splits: dict[str, Records]) -> None:
    for record in everything(splits):
        assert 25 <= len(prompt_of(record).split()) <= 80, record
        assert 1 <= len(record["output"].split()) <= 22, record


def test_the_vocabulary_is_small(splits: dict[str, Records]) -> None:
    text = " ".join(prompt_of(record) + " " + record["output"] for record in everything(splits))
    assert len(set(re.findall(r"[a-z']+", text.lower()))) < 2000


def test_reasoning_is_arithmetically_right(splits: dict[str, Records]) -> None:
    for record in everything(splits):
        if record["category"] != "reasoning":
            continue
        equations = EQUATION.findall(record["output"])
        answer = record["output"].rsplit("Answer: ", 1)[1].rstrip(".")
        assert all(map(is_true, equations)), record
        if answer.isdigit():
            assert equations[-1][3] == answer, record
        else:
            assert answer in record["input"], record


@pytest.mark.slow
def test_the_same_seed_gives_the_same_records(splits: dict[str, Records]) -> None:
    assert instructions(0)["test"] == splits["test"]
    assert instructions(1)["test"] != splits["test"]


def test_general_text_holds_nothing_of_the_test_split(splits: dict[str, Records]) -> None:
    prompts = [" ".join(sample["prompt"].split()) for sample in general_instructions(5000, 0)]
    text = "\n".join(prompts)
    assert not [record["id"] for record in splits["test"] if record["input"] in text]
    assert not [prompt for prompt in prompts if "Follow the instruction" in prompt]


def test_general_text_is_short_and_repeatable() -> None:
    samples = list(general_instructions(5000, 0))
    assert samples == list(general_instructions(5000, 0))
    for sample in samples:
        assert list(sample) == ["prompt", "answer", "kind"]
        assert 1 <= len(sample["prompt"].split()) <= 80, sample
        assert 1 <= len(sample["answer"].split()) <= 24, sample


def test_general_sums_are_right() -> None:
    for sample in general_instructions(5000, 1):
        assert all(map(is_true, EQUATION.findall(sample["answer"]))), sample
