"""The embedded data sets of the kinds of task: sizes, what is held out, and that the files are what their programs write."""

import json
import re
from collections import Counter
from pathlib import Path

import pytest

from tools.embedded.splits import SIZES, UNSEEN, Record
from tools.embedded.write import DATA_SETS, write_all
from tools.zoo.corpus.write import DEFAULT_FOLDER

Splits = dict[str, list[Record]]


@pytest.fixture(scope="module")
def splits_of() -> dict[str, Splits]:
    return {name: one.splits() for name, one in DATA_SETS.items()}


@pytest.fixture(params=DATA_SETS)
def name(request: pytest.FixtureRequest) -> str:
    return request.param


@pytest.fixture
def splits(name: str, splits_of: dict[str, Splits]) -> Splits:
    return splits_of[name]


def question(name: str, record: Record) -> tuple[str, ...]:
    return tuple(str(record[column]) for column in DATA_SETS[name].inputs)


def words(record: Record) -> set[str]:
    texts = [str(value) for key, value in record.items() if key not in ("id", "scenario", "scenario_seen")]
    return set(re.findall(r"[\w-]+", " ".join(texts).lower()))


def everything(splits: Splits) -> list[Record]:
    return [record for records in splits.values() for record in records]


def test_the_splits_have_their_sizes(splits: Splits) -> None:
    assert {split: len(records) for split, records in splits.items()} == SIZES


def test_no_question_is_there_twice_and_no_test_input_stands_in_training(name: str, splits: Splits) -> None:
    found = [question(name, record) for record in everything(splits)]
    assert len(set(found)) == len(found)
    training = {question(name, record) for record in splits["train"]}
    assert not training & {question(name, record) for record in splits["test"]}


def test_ids_are_unique(splits: Splits) -> None:
    ids = [record["id"] for record in everything(splits)]
    assert len(set(ids)) == len(ids)


def test_a_third_of_the_test_samples_are_of_scenarios_and_words_that_training_never_shows(
    splits: Splits,
) -> None:
    unseen = [record for record in splits["test"] if record["scenario_seen"] == "unseen"]
    shown = splits["train"] + splits["validation"]
    assert len(unseen) == UNSEEN
    assert {record["scenario_seen"] for record in shown} == {"seen"}
    assert not {record["scenario"] for record in shown} & {record["scenario"] for record in unseen}
    known: set[str] = set().union(*map(words, shown))
    for record in unseen:
        assert words(record) - known, record


def test_every_scenario_of_the_other_test_samples_is_in_training(splits: Splits) -> None:
    seen = {record["scenario"] for record in splits["test"] if record["scenario_seen"] == "seen"}
    assert seen == {record["scenario"] for record in splits["train"]}


def test_no_slot_is_left_open_and_no_blank_is_double(splits: Splits) -> None:
    for record in everything(splits):
        for value in record.values():
            assert not re.search(r"[{}|]|  |^ | $", str(value)), record


def test_the_files_are_what_the_program_writes(tmp_path: Path) -> None:
    write_all(tmp_path)
    for written in sorted(path for path in tmp_path.rglob("*") if path.is_file()):
        kept = DEFAULT_FOLDER / written.relative_to(tmp_path)
        assert written.read_bytes() == kept.read_bytes(), kept


def test_another_seed_gives_other_records(name: str, splits: Splits) -> None:
    assert DATA_SETS[name].splits(1)["test"] != splits["test"]


def test_a_data_set_is_small(name: str) -> None:
    assert sum(path.stat().st_size for path in (DEFAULT_FOLDER / name).iterdir()) < 1_000_000


@pytest.mark.parametrize("name", ["medical-qa", "medical-yesno"])
def test_the_licence_of_made_up_medicine_warns_of_it(name: str) -> None:
    text = (DEFAULT_FOLDER / name / "LICENCE").read_text(encoding="utf-8")
    assert "made up" in text
    assert "advice" in text


@pytest.mark.parametrize(
    ("name", "column", "shares"),
    [
        ("cola", "label", {"acceptable": 0.6, "unacceptable": 0.4}),
        ("sentiment", "label", {"negative": 0.5, "positive": 0.5}),
        ("medical-yesno", "final_decision", {"yes": 1 / 3, "no": 1 / 3, "maybe": 1 / 3}),
        ("safety", "sort", {"harmful": 0.5, "harmless": 0.5}),
        ("preferences", "fault", {"wrong": 0.25, "rude": 0.25, "off-topic": 0.25, "no-answer": 0.25}),
    ],
)
def test_labels_have_their_shares_in_each_part_of_each_split(
    name: str, column: str, shares: dict[str, float], splits_of: dict[str, Splits]
) -> None:
    for records in splits_of[name].values():
        for part in ("seen", "unseen"):
            counts = Counter(record[column] for record in records if record["scenario_seen"] == part)
            for label, share in shares.items() if counts else ():
                assert counts[label] == pytest.approx(share * counts.total(), abs=1)  # labels take turns


def test_a_record_is_one_line_of_json(splits: Splits, name: str) -> None:
    lines = (DEFAULT_FOLDER / name / "test.jsonl").read_text(encoding="utf-8").splitlines()
    assert [json.loads(line) for line in lines] == splits["test"]
