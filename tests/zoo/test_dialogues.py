"""The data set of dialogues, and the pretraining text that must not give it away."""

from pathlib import Path

import pytest

from tools.zoo.corpus.dialogues import SEEN, UNSEEN, dialogues
from tools.zoo.corpus.general_dialogues import LONGEST_ANSWER, LONGEST_PROMPT, general_dialogues
from tools.zoo.corpus.general_instructions import INSTRUCTIONS, KIND_WEIGHTS
from tools.zoo.corpus.write import DEFAULT_FOLDER, write_splits

Splits = dict[str, list[dict[str, str]]]


@pytest.fixture(scope="module")
def splits() -> Splits:
    return dialogues()


@pytest.fixture(scope="module")
def general() -> list[dict[str, str]]:
    return list(general_dialogues(5000, seed=0))


def test_the_splits_have_their_sizes(splits: Splits) -> None:
    assert {name: len(records) for name, records in splits.items()} == {
        "train": 2000,
        "validation": 200,
        "test": 400,
    }


def test_a_dialogue_has_two_to_twelve_turns_and_two_speakers(splits: Splits) -> None:
    for record in (record for records in splits.values() for record in records):
        lines = record["dialogue"].split("\n")
        assert 2 <= len(lines) <= 12
        assert len({line.split(": ")[0] for line in lines}) == 2


def test_summaries_are_short_and_every_slot_is_filled(splits: Splits) -> None:
    for record in (record for records in splits.values() for record in records):
        assert 8 <= len(record["summary"].split()) <= 22
        assert not set("{}[]|") & set(record["dialogue"] + record["summary"])


def test_a_summary_names_nobody_whom_the_dialogue_does_not(splits: Splits) -> None:
    from tools.zoo.corpus import words

    copied = {*words.NAMES, *words.DAYS, *words.MONTHS, *words.CITIES}
    for record in (record for records in splits.values() for record in records):
        for word in record["summary"].replace(",", "").rstrip(".").split():
            assert word not in copied or word in record["dialogue"], record


def test_there_are_many_scenarios_and_each_name_is_used_once() -> None:
    names = [scenario.name for scenario in (*SEEN, *UNSEEN)]
    assert len(names) == len(set(names)) >= 60


def test_every_scenario_can_end_in_more_than_one_way() -> None:
    for scenario in (*SEEN, *UNSEEN):
        assert len(scenario.outcomes) >= 2
        assert all(len(outcome.summaries) >= 2 for outcome in scenario.outcomes)


def test_unseen_scenarios_are_a_quarter_of_the_test_split_and_nowhere_else(splits: Splits) -> None:
    unseen = {scenario.name for scenario in UNSEEN}
    for record in (record for records in splits.values() for record in records):
        assert (record["scenario"] in unseen) == (record["scenario_seen"] == "unseen")
    assert not unseen & {record["scenario"] for record in splits["train"] + splits["validation"]}
    assert sum(record["scenario_seen"] == "unseen" for record in splits["test"]) == 100


@pytest.mark.parametrize("field", ["id", "dialogue"])
def test_no_two_records_share_an_id_or_a_dialogue(splits: Splits, field: str) -> None:
    values = [record[field] for records in splits.values() for record in records]
    assert len(values) == len(set(values))


def test_the_files_are_what_the_program_writes(splits: Splits, tmp_path: Path) -> None:
    write_splits(tmp_path, splits)
    for written in tmp_path.iterdir():
        assert written.read_bytes() == (DEFAULT_FOLDER / "dialogues" / written.name).read_bytes(), (
            written.name
        )


def test_pretraining_text_has_no_test_dialogue_and_no_test_summary(
    splits: Splits, general: list[dict[str, str]]
) -> None:
    answers = {sample["answer"] for sample in general}
    prompts = "\n\n".join(sample["prompt"] for sample in general)
    for record in splits["test"]:
        assert record["summary"] not in answers
        assert record["dialogue"] not in prompts


def test_pretraining_text_shares_no_long_message_with_the_data_set(
    splits: Splits, general: list[dict[str, str]]
) -> None:
    lines = {line for sample in general for line in sample["prompt"].split("\n")}
    messages = {line.split(": ", 1)[-1] for line in lines}
    for record in (record for records in splits.values() for record in records):
        for line in record["dialogue"].split("\n"):
            message = line.split(": ", 1)[1]
            assert len(message.split()) <= 8 or message not in messages


def test_pretraining_never_uses_the_data_set_prompt(general: list[dict[str, str]]) -> None:
    assert not any("Summarise the conversation" in sample["prompt"] for sample in general)
    assert not any(sample["prompt"].endswith("Summary:") for sample in general)


def test_every_kind_is_drawn_short_and_worded_in_four_ways(general: list[dict[str, str]]) -> None:
    assert {sample["kind"] for sample in general} == set(KIND_WEIGHTS) == set(INSTRUCTIONS)
    assert all(len(wordings) >= 4 for wordings in INSTRUCTIONS.values())
    assert all(len(sample["prompt"].split()) <= LONGEST_PROMPT for sample in general)
    assert all(len(sample["answer"].split()) <= LONGEST_ANSWER for sample in general)


def test_pretraining_text_is_the_same_for_the_same_seed_and_another_for_another() -> None:
    assert list(general_dialogues(50, seed=1)) == list(general_dialogues(50, seed=1))
    assert list(general_dialogues(50, seed=1)) != list(general_dialogues(50, seed=2))
