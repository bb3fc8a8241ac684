"""RESULT folders read back, as records and as frames, and checked against their own answers."""

import gzip
import json
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jsonschema
import pyarrow as pa
import pyarrow.parquet as parquet
import pytest

import harness
from harness.errors import ResultError
from harness.results import read, verdicts
from harness.results.document import write_document
from harness.results.rows import open_rows
from harness.results.schema import json_schema
from harness.types import System
from harness.verification import verify

SCHEMA = json_schema()


@pytest.fixture
def copy(example: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(example, tmp_path / "result"))


def change(folder: Path, edit: Callable[[dict[str, Any]], None]) -> None:
    document = json.loads((folder / "result.json").read_bytes())
    edit(document)
    (folder / "result.json").write_text(json.dumps(document))


def test_a_result_follows_its_schema(example: Path) -> None:
    jsonschema.Draft202012Validator.check_schema(SCHEMA)
    jsonschema.validate(json.loads((example / "result.json").read_bytes()), SCHEMA)


@pytest.mark.slow
@pytest.mark.parametrize(
    "edit",
    [
        lambda d: d["scores"][0].pop("n"),
        lambda d: d["scores"][0].update(value=None),
        lambda d: d["scores"][0].update(extra=1),
        lambda d: d["comparisons"][0].update(p=1.5),
        lambda d: d["weights"][0].update(alpha="3.1"),
        lambda d: d["weights"][0].update(part="V"),
        lambda d: d.update(schema=2),
        lambda d: d.update(verdict=[]),
    ],
)
def test_the_schema_refuses_what_is_no_result(example: Path, edit: Callable[[dict[str, Any]], None]) -> None:
    document = json.loads((example / "result.json").read_bytes())
    edit(document)
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(document, SCHEMA)


def test_a_result_that_nobody_touched_verifies(example: Path) -> None:
    assert verify(example) == []


def test_a_score_edited_by_hand_is_told_with_both_numbers(copy: Path) -> None:
    def edit(document: dict[str, Any]) -> None:
        score = next(one for one in document["scores"] if one["metric"] == "rougeL" and one["adapter"])
        edit.was = score["value"]  # type: ignore[attr-defined]
        score["value"] += 0.001

    change(copy, edit)
    was = edit.was  # type: ignore[attr-defined]
    problems = verify(copy)
    assert problems[0] == (
        f"dialogues / falcon-tiny + quickstart / rougeL: {was + 0.001:.6f} in result.json, "
        f"{was:.6f} from the generations"
    )
    assert all("falcon-tiny + quickstart" in one for one in problems)


def test_an_answer_edited_by_hand_is_told_under_every_metric_it_moves(copy: Path) -> None:
    path = copy / "generations.jsonl.gz"
    with gzip.open(path) as file:
        lines = [json.loads(line) for line in file]
    victim = next(one for one in lines if one["model"] == "flan-t5-tiny" and one["adapter"])
    victim["text"] = "something else entirely"
    with gzip.open(path, "wt") as file:
        file.writelines(json.dumps(line) + "\n" for line in lines)
    problems = verify(copy)
    assert any("dialogues / flan-t5-tiny + quickstart / rougeL" in one for one in problems)
    assert any(
        f"1 of 40 rows differ, the first for sample '{victim['sample_id']}'" in one for one in problems
    )
    assert any("/ bleu" in one for one in problems) and any("/ chrf" in one for one in problems)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("edit", "said"),
    [
        (lambda d: d["scores"][4].update(n=39), "n = 39 in result.json, 40 generations"),
        (lambda d: d["scores"][0].update(low=0.0), "interval [0.000"),
        (
            lambda d: d["scores"].append({**d["scores"][0], "metric": "meteor"}),
            "no metric of the task gives this",
        ),
        (
            lambda d: next(s for s in d["scores"] if s["metric"] == "exact" and s["adapter"]).update(
                high=50.0
            ),
            "50.000] in result.json",
        ),
        (lambda d: d["scores"].pop(0), "no score, the generations give"),
        (lambda d: d["comparisons"][0].update(difference=99.0), "difference 99.000000 in result.json"),
        (
            lambda d: next(c for c in d["comparisons"] if c["family"]).update(p_holm=0.0),
            "p_holm 0.0 in result.json",
        ),
    ],
)
def test_other_numbers_edited_by_hand_are_told(
    copy: Path, edit: Callable[[dict[str, Any]], None], said: str
) -> None:
    change(copy, edit)
    assert any(said in one for one in verify(copy)), verify(copy)


@pytest.mark.slow
def test_rows_that_do_not_follow_from_the_answers_are_told(copy: Path) -> None:
    table = parquet.read_table(copy / "rows.parquet").to_pylist()
    table[0]["stats"][0] += 0.5
    schema = parquet.read_schema(copy / "rows.parquet")
    parquet.write_table(pa.Table.from_pylist(table, schema=schema), copy / "rows.parquet")
    problems = verify(copy)
    assert len(problems) == 1
    assert "rows differ" in problems[0]


def test_missing_answers_are_told(copy: Path) -> None:
    path = copy / "generations.jsonl.gz"
    with gzip.open(path) as file:
        lines = [json.loads(line) for line in file]
    with gzip.open(path, "wt") as file:
        file.writelines(json.dumps(line) + "\n" for line in lines if line["model"] != "llama2-tiny")
    assert any("dialogues / llama2-tiny: scores without generations" in one for one in verify(copy))


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ('{"schema": 99}', "schema 99, this harness reads up to 1; update the harness"),
        ("{", "not JSON"),
        ("[]", "not a result of the harness"),
        ('{"schema": 1}', "broken or changed by hand: Result's suite: missing"),
    ],
)
def test_what_is_no_result_is_refused_in_a_line(tmp_path: Path, content: str, said: str) -> None:
    (tmp_path / "result.json").write_text(content)
    with pytest.raises(ResultError, match=r".*") as refused:
        read(tmp_path)
    assert said in str(refused.value)
    assert "\n" not in str(refused.value)


def test_a_folder_without_a_result_is_refused_in_a_line(tmp_path: Path) -> None:
    with pytest.raises(ResultError, match="a RESULT folder holds a result"):
        read(tmp_path)


def test_rows_come_back_as_written(example: Path) -> None:
    written = parquet.read_table(example / "rows.parquet").to_pylist()
    with open_rows(example) as rows:
        assert len(rows.keys()) == 10 * (3 + 2)
        for task, system, metric in rows.keys():  # noqa: SIM118  a file, and not a mapping
            own = [
                one
                for one in written
                if (one["task"], one["model"], one["adapter"], one["shots"], one["metric"])
                == (task, system.model, system.adapter, system.shots, metric)
            ]
            found = rows.get((task, system, metric))
            assert found is not None and found.ids == tuple(one["sample_id"] for one in own)
            assert found.stats.tolist() == [one["stats"] for one in own]


@pytest.mark.parametrize("group", [1, 7, 40, 55, 10_000])
def test_rows_are_the_same_in_groups_of_any_size(example: Path, tmp_path: Path, group: int) -> None:
    """Groups of 1, 7 and 40 begin and end with a system's rows or lie within them, others hold several systems'."""
    table = parquet.read_table(example / "rows.parquet")
    parquet.write_table(table, tmp_path / "rows.parquet", row_group_size=group)
    with open_rows(example) as whole, open_rows(tmp_path) as parted:
        assert parted.keys() == whole.keys()
        for key in whole.keys():  # noqa: SIM118
            expected, found = whole.get(key), parted.get(key)
            assert expected is not None and found is not None and found.ids == expected.ids
            assert (found.stats == expected.stats).all()


def test_rows_that_are_not_there_or_not_whole_are_told(example: Path, tmp_path: Path) -> None:
    with open_rows(example) as rows:
        assert rows.get(("dialogues", System(model="nobody"), "rouge")) is None
    with pytest.raises(ResultError, match=r"rows\.parquet: cannot be read"):
        open_rows(tmp_path)
    table = parquet.read_table(example / "rows.parquet").to_pylist()
    table[3]["stats"].append(1.0)
    schema = parquet.read_schema(example / "rows.parquet")
    parquet.write_table(pa.Table.from_pylist(table, schema=schema), tmp_path / "rows.parquet")
    with open_rows(tmp_path) as rows, pytest.raises(ResultError, match="rows of different lengths"):
        rows.get(rows.keys()[0])


def test_frames_hold_what_the_folder_holds(example: Path) -> None:
    frames = harness.load(example / "result.json")
    assert {"task", "model", "adapter", "metric", "value", "low", "high", "n"} <= set(frames.scores)
    assert len(frames.generations) == 2 * 10 * 40
    assert len(frames.samples) == 2 * 40
    assert len(frames.rows) == 10 * 40 * (3 + 2)
    assert frames.comparisons["candidate.model"].notna().all()
    assert frames.weights["alpha"].between(1, 10).any()
    assert len(frames.costs) and len(frames.steps)
    assert "flan-t5-tiny" in frames._repr_html_()


@pytest.mark.parametrize(
    "edit",
    [
        lambda d: d.update(scores=True),
        lambda d: d.update(steps="ab"),
        lambda d: d.update(curves=-1),
        lambda d: d["comparisons"][0].update(baseline="a"),
    ],
)
def test_frames_of_what_is_no_result_are_refused_in_a_line(
    copy: Path, edit: Callable[[dict[str, Any]], None]
) -> None:
    document = json.loads((copy / "result.json").read_bytes())
    edit(document)
    write_document(copy, document)
    with pytest.raises(ResultError, match="broken or changed by hand"):
        harness.load(copy)


@pytest.mark.parametrize("schema", [0, -1])
def test_a_schema_that_never_was_is_refused(copy: Path, schema: int) -> None:
    change(copy, lambda document: document.update(schema=schema) or document.pop("digest", None))
    with pytest.raises(ResultError, match="no schema version"):
        read(copy)


def test_importing_the_package_loads_no_heavy_library() -> None:
    code = (
        "import sys, harness, harness.results; assert not {'pandas', 'numpy', 'pyarrow'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


@pytest.mark.parametrize("name", ["rows.parquet", "samples.jsonl.gz", "generations.jsonl.gz"])
def test_a_file_that_is_missing_is_told_in_words(copy: Path, name: str) -> None:
    (copy / name).unlink()
    with pytest.raises(ResultError) as told:
        verify(copy)
    message = f"{copy / name}: cannot be read: No such file or directory; copy the RESULT again as a whole"
    assert str(told.value) == message


def test_verdicts_that_cannot_be_read_name_what_writes_them_anew(copy: Path) -> None:
    (copy / "verdicts.json").write_text("[\n{")
    with pytest.raises(ResultError) as told:
        verdicts.read(copy)
    assert str(told.value) == (
        f"{copy / 'verdicts.json'}: not a list of verdicts (broken in line 2); remove it and run the suite again"
    )


def test_a_file_in_place_of_a_result_is_told_as_one(copy: Path) -> None:
    with pytest.raises(ResultError) as told:
        read(copy / "rows.parquet")
    assert (
        str(told.value)
        == f"{copy / 'rows.parquet'}: is a file; name the RESULT folder, which holds a result.json"
    )
