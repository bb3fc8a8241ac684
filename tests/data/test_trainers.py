"""Data sets as LLaMA-Factory and Axolotl name them: the same samples as the same rows under our own names."""

import json
from pathlib import Path
from typing import Any

import pytest

from harness import data
from harness.errors import DataError, UnknownName
from harness.results.redact import copy
from harness.types import Sample, Source, Split
from tests.cli.words import harness
from tests.data.test_read import as_jsonl

ALPACA = [
    {"ask": "Add.", "more": "2 and 3", "reply": "5", "team": "a"},
    {"ask": "Say hello.", "more": "", "reply": "Hello", "team": "b"},
]
CHAT = [
    {"talk": [{"who": "human", "what": "Hi"}, {"who": "bot", "what": "Hello"}, {"who": "human", "what": "Open?"},
              {"who": "bot", "what": "Until six."}]},
]  # fmt: skip
PAIRS = [{"q": "Sky?", "good": "Blue", "bad": "Green"}]


def read(source: Source, split: Split = "test") -> list[tuple[str, tuple[str, ...], list[str] | None]]:
    def of(sample: Sample) -> tuple[str, tuple[str, ...], list[str] | None]:
        turns = None if sample.turns is None else [turn.text for turn in sample.turns]
        return sample.input, sample.references, turns

    return [of(sample) for sample in data.read(source, split)]


def factory(folder: Path, entry: dict[str, Any], rows: list[dict[str, Any]], taken: str = "") -> Source:
    as_jsonl(folder / "rows.jsonl", rows)
    info = {"mine": {"file_name": "rows.jsonl", **entry}}
    (folder / "dataset_info.json").write_text(json.dumps(info), encoding="utf-8")
    return Source(uri=f"llamafactory:{folder}", splits={"test": f"mine{taken}"})


def axolotl(folder: Path, entry: str, rows: list[dict[str, Any]]) -> Source:
    as_jsonl(folder / "rows.jsonl", rows)
    (folder / "config.yml").write_text(f"base_model: x\ntest_datasets:\n  - path: rows.jsonl\n{entry}")
    return Source(uri=f"axolotl:{folder / 'config.yml'}")


def test_columns_of_a_question_are_those_that_the_entry_names(tmp_path: Path) -> None:
    columns = {"prompt": "ask", "query": "more", "response": "reply"}
    found = read(factory(tmp_path, {"columns": columns}, ALPACA))
    assert found == [("Add.\n\n2 and 3", ("5",), None), ("Say hello.", ("Hello",), None)]
    entry = "    type: {field_instruction: ask, field_input: more, field_output: reply}\n"
    assert read(axolotl(tmp_path, entry, ALPACA)) == found


def test_a_part_of_an_entry_is_a_split(tmp_path: Path) -> None:
    source = factory(
        tmp_path, {"columns": {"prompt": "ask", "query": "more", "response": "reply"}}, ALPACA, "[1:]"
    )
    assert [question for question, _, _ in read(source)] == ["Say hello."]


def test_history_and_system_make_a_conversation(tmp_path: Path) -> None:
    rows = [
        {
            "instruction": "And now?",
            "input": "",
            "output": "Six.",
            "old": [["Two?", "Two."]],
            "role": "Be brief.",
        }
    ]
    source = factory(tmp_path, {"columns": {"history": "old", "system": "role"}}, rows)
    assert read(source) == [("And now?", ("Six.",), ["Be brief.", "Two?", "Two."])]


def test_a_conversation_has_the_keys_and_roles_that_the_entry_names(tmp_path: Path) -> None:
    tags = {"role_tag": "who", "content_tag": "what", "user_tag": "human", "assistant_tag": "bot"}
    source = factory(
        tmp_path, {"formatting": "sharegpt", "columns": {"messages": "talk"}, "tags": tags}, CHAT
    )
    assert read(source) == [("Open?", ("Until six.",), ["Hi", "Hello"])]
    entry = (
        "    type: chat_template\n    field_messages: talk\n    message_property_mappings: {role: who, content: what}\n"
        "    roles: {user: [human], assistant: [bot]}\n"
    )
    assert read(axolotl(tmp_path, entry, CHAT)) == read(source)


def test_a_ranking_is_a_pair(tmp_path: Path) -> None:
    columns = {"prompt": "q", "chosen": "good", "rejected": "bad"}
    source = factory(tmp_path, {"ranking": True, "columns": columns}, PAIRS)
    source = Source(uri=source.uri, splits=source.splits, shape="pairs")
    (sample,) = data.read(source, "test")
    assert (sample.input, sample.references) == ("Sky?", ("Blue",))
    assert "Green" in str(sample)


@pytest.mark.parametrize(
    ("entry", "said"),
    [
        ({"formatting": "xml"}, "mine: formatting is 'xml'; known: alpaca, sharegpt, openai"),
        ({"num_samples": 3}, "mine: has 'num_samples', which is not read"),
        ({"columns": {"images": "x"}}, "mine: columns: has 'images', which is not read"),
        ({"columns": {"prompt": "nope"}}, "no column 'output', which the settings name"),
        ({"file_name": None}, "mine: names neither file_name nor hf_hub_url"),
        ({"file_name": "gone.json"}, "gone.json"),
    ],
)
def test_what_is_not_read_is_refused_by_name(tmp_path: Path, entry: dict[str, Any], said: str) -> None:
    source = factory(tmp_path, entry, ALPACA)
    with pytest.raises((DataError, UnknownName)) as caught:
        read(source)
    assert said in str(caught.value)


@pytest.mark.parametrize(
    ("entry", "said"),
    [
        ("    type: gpteacher\n", "test_datasets.0: type is 'gpteacher'; known: alpaca"),
        ("    type: alpaca\n    shards: 3\n", "test_datasets.0: has 'shards', which is not read"),
        ("    type: {format: '{x}'}\n", "test_datasets.0: type: has 'format', which is not read"),
    ],
)
def test_what_axolotl_knows_and_we_do_not_is_refused_by_name(tmp_path: Path, entry: str, said: str) -> None:
    with pytest.raises(DataError) as caught:
        read(axolotl(tmp_path, entry, ALPACA))
    assert said in str(caught.value)


def test_an_unknown_entry_and_a_file_that_is_no_list_are_refused(tmp_path: Path) -> None:
    source = factory(tmp_path, {}, ALPACA)
    with pytest.raises(UnknownName, match="'mine'"):
        read(Source(uri=source.uri, splits={"test": "mime"}))
    with pytest.raises(DataError, match=r"names no entry of dataset_info\.json"):
        read(Source(uri=source.uri))
    (tmp_path / "dataset_info.json").write_text("[1]")
    with pytest.raises(DataError, match=r"dataset_info\.json: found list"):
        read(source)
    with pytest.raises(DataError, match=r"has no entry datasets\.7"):
        read(Source(uri=axolotl(tmp_path, "    type: alpaca\n", ALPACA).uri, splits={"test": "datasets.7"}))


SUITE = """
tasks:
  - name: sums
    source: {uri: "llamafactory:lf", splits: {test: mine}}
    prompt: "$input"
    metrics: [exact]
    primary: exact
models: [{name: copy, uri: "echo:copy"}]
weights: false
"""


def test_a_suite_reads_it_wherever_it_lies(tmp_path: Path, monkeypatch, capsys) -> None:
    for place in ("one", "two"):
        (tmp_path / place / "lf").mkdir(parents=True)
        factory(
            tmp_path / place / "lf",
            {"columns": {"prompt": "ask", "query": "more", "response": "reply"}},
            ALPACA,
        )
        (tmp_path / place / "small.yaml").write_text(SUITE)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HARNESS_STORE", str(tmp_path / "store"))
    done = harness(capsys, "check", "one/small.yaml", "--device", "cpu")
    assert done.code == 0, done.err
    assert "read as: alpaca" in " ".join(done.out.split())
    for place in ("one", "two"):
        done = harness(capsys, "run", f"{place}/small.yaml", "--out", f"{place}/out")
        assert done.code == 0, done.err
    results = [json.loads((tmp_path / place / "out" / "result.json").read_text()) for place in ("one", "two")]
    assert [step["id"] for step in results[0]["steps"]] == [step["id"] for step in results[1]["steps"]]
    assert results[0]["suite"]["tasks"][0]["share"] == "scores"
    copy(Path("one/out"), Path("copied"))
    shared = (tmp_path / "copied" / "result.json").read_text()
    assert str(tmp_path) not in shared
    assert "llamafactory:lf" in shared
