"""Rows of answers become a RESULT: several files are several systems of one task."""

import json
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from harness.cli.importing import separate
from harness.commands.import_answers import import_answers
from harness.errors import HarnessError
from harness.imports import ImportOptions
from harness.types import System

USUAL = ImportOptions(id="key", text="answer", reference="gold", task="capitals", metric=("exact", "rouge"))
Row = dict[str, object]


def rows_of(answers: Sequence[str]) -> list[Row]:
    return [
        {"key": n, "answer": answer, "gold": f"city {n}", "land": f"land {n}"}
        for n, answer in enumerate(answers)
    ]


def write(path: Path, rows: Sequence[Row]) -> Path:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


@pytest.fixture
def files(tmp_path: Path) -> list[Path]:
    (tmp_path / "in").mkdir()
    before = [f"city {n}" if n % 3 == 0 else "no" for n in range(12)]
    after = [f"City {n} " if n % 3 else "no" for n in range(12)]
    return [
        write(tmp_path / "in" / "before.jsonl", rows_of(before)),
        write(tmp_path / "in" / "after.jsonl", rows_of(after)),
    ]


def test_files_are_systems_that_are_compared_in_pairs(files: list[Path], tmp_path: Path) -> None:
    found = import_answers("jsonl", files, tmp_path / "out", USUAL)
    values = {score.system.model: score.value for score in found.scores if score.metric == "exact"}
    assert values == {"before": pytest.approx(100 / 3), "after": pytest.approx(200 / 3)}
    pair = next(pair for pair in found.comparisons if pair.metric == "exact")
    assert (pair.baseline.model, pair.candidate.model, pair.n) == ("before", "after", 12)
    assert pair.difference == pytest.approx(100 / 3)
    assert pair.low < pair.difference < pair.high
    assert found.task("capitals").metrics == ("exact", "rouge")
    assert found.task("capitals").primary == "exact"


def test_a_system_may_be_an_adapter_of_another(files: list[Path], tmp_path: Path) -> None:
    found = import_answers("jsonl", files, tmp_path / "out", USUAL, ["mine", "mine+tuned"])
    tuned = System(model="mine", adapter="tuned")
    assert found.adapter(tuned) is not None
    pair = next(pair for pair in found.comparisons if pair.metric == "exact")
    assert (pair.baseline, pair.candidate) == (System(model="mine"), tuned)
    assert pair.family == "capitals: each adapter against its base"


def test_a_csv_file_and_several_references_are_read(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("key,answer,gold\n1,Paris,Paris\n2,Rom,Rome\n")
    write(tmp_path / "b.jsonl", [{"key": "1", "answer": "x", "gold": ["y", "x"]}])
    table = import_answers("jsonl", [tmp_path / "a.csv"], tmp_path / "out-a", USUAL)
    several = import_answers("jsonl", [tmp_path / "b.jsonl"], tmp_path / "out-b", USUAL)
    assert next(score.value for score in table.scores if score.metric == "exact") == 50
    assert next(score.value for score in several.scores if score.metric == "exact") == 100


def test_metrics_are_separated_by_commas_outside_of_brackets() -> None:
    assert separate("rouge, exact") == ["rouge", "exact"]
    assert separate("bleu(lowercase=true,tokenize=zh),exact") == ["bleu(lowercase=true,tokenize=zh)", "exact"]


# What is refused.

Change = Callable[[list[Row]], object]
BAD: list[tuple[Change, str]] = [
    (lambda rows: rows[3].update(key=2), "found two samples with the id '2'; keep one of them"),
    (lambda rows: rows[3].pop("answer"), r"after.jsonl:4: no column 'answer'; found key, gold, land"),
    (
        lambda rows: rows[3].update(gold=" "),
        "after.jsonl:4: column 'gold' is empty, and no answer is right then",
    ),
    (lambda rows: rows[3].update(answer=None), "after.jsonl:4: answer: found None; give a text or a number"),
    (
        lambda rows: rows[3].update(gold="another"),
        "sample '3' of capitals has another reference than in .*before",
    ),
    (
        lambda rows: [row.update(key=f"x{row['key']}") for row in rows],
        "found no sample of capitals that .*before",
    ),
    (lambda rows: rows.clear(), "after.jsonl: found no rows"),
]


@pytest.mark.parametrize(("change", "said"), BAD)
def test_bad_rows_are_refused_in_one_line_and_nothing_is_written(
    files: list[Path], tmp_path: Path, change: Change, said: str
) -> None:
    rows = [json.loads(line) for line in files[1].open()]
    change(rows)
    write(files[1], rows)
    with pytest.raises(HarnessError, match=said) as refused:
        import_answers("jsonl", files, tmp_path / "out", USUAL)
    assert refused.value.exit_code == 2
    assert [path.name for path in tmp_path.iterdir()] == ["in"]


@pytest.mark.parametrize(
    ("name", "options", "systems", "said"),
    [
        ("jsonl", ImportOptions(text="answer", reference="gold"), (), "--id: not given; name the column"),
        ("jsonl", USUAL, ("one",), "--system: found 1 name for 2 inputs; give one for each"),
        ("jsonl", USUAL, ("../x", "y"), r"--system: found '\.\./x'; use letters, digits"),
        ("jsonl", replace(USUAL, task="<b>"), (), "--task: found '<b>'; use letters, digits"),
        ("jsonl", USUAL, ("+x", "y"), r"--system \+x: found an empty name"),
        ("jsonl", USUAL, ("x", "x"), "found x on capitals, as in .*: --system NAME"),
        ("lm-eval", USUAL, (), "--id: import lm-eval does not take it"),
        ("lm-evel", ImportOptions(), (), "import: no import named 'lm_evel'; did you mean 'lm_eval'"),
        (
            "jsonl",
            ImportOptions(id="key", text="answer", reference="gold", metric=("rogue",)),
            (),
            "did you mean 'rouge'",
        ),
    ],
)
def test_a_wrong_command_line_is_refused(
    files: list[Path], tmp_path: Path, name: str, options: ImportOptions, systems: Sequence[str], said: str
) -> None:
    with pytest.raises(HarnessError, match=said):
        import_answers(name, files, tmp_path / "out", options, systems)
    assert [path.name for path in tmp_path.iterdir()] == ["in"]


def test_a_folder_of_other_things_is_not_replaced(files: list[Path], tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "mine.txt").write_text("mine")
    with pytest.raises(HarnessError, match=r"-o .*: the folder holds other things"):
        import_answers("jsonl", files, tmp_path / "out", USUAL)
    assert (tmp_path / "out" / "mine.txt").read_text() == "mine"
