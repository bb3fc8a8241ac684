"""What may leave the machine: copies that hold ids and numbers of private tasks, and are still worth checking."""

import json
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow.parquet as parquet
import pytest

from harness.commands import share as shareable
from harness.errors import HarnessError
from harness.report import render
from harness.results import json_lines, read, read_generations, read_samples, redact
from harness.types.finding import REASON
from harness.verification import verify

from .leaks import leaks, private_texts


@pytest.fixture(scope="module")
def copy(private: Path, drawings: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("shared") / "copy"
    assert shareable.write(private, out, drawings) == "only ids and numbers of dialogues (share: scores)"
    return out


def harness(*words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, "-m", "harness", *words], capture_output=True, text=True)


def change(folder: Path, edit: Callable[[dict[str, Any]], None]) -> None:
    document = json.loads((folder / "result.json").read_bytes())
    edit(document)
    (folder / "result.json").write_text(json.dumps(document))


@pytest.mark.slow
def test_no_file_of_a_copy_holds_a_private_text(private: Path, copy: Path) -> None:
    written = {path.name for path in copy.rglob("*") if path.is_file()}
    assert {"result.json", "rows.parquet", "samples.jsonl.gz", "generations.jsonl.gz"} <= written
    assert {"report.html", "report.md", "losses.svg"} <= written
    assert leaks(copy, private_texts(private)) == set()


@pytest.mark.slow
def test_the_search_finds_those_texts_where_they_are(private: Path, drawings: Path, tmp_path: Path) -> None:
    whole = Path(shutil.copytree(private, tmp_path / "whole"))
    render(whole, drawings)
    found = {name for name, _ in leaks(whole, private_texts(private))}
    assert {"result.json", "samples.jsonl.gz", "generations.jsonl.gz", "report.html", "report.md"} <= found


def test_what_may_be_shown_is_all_there(private: Path, copy: Path) -> None:
    def public(lines: Any) -> list[Any]:
        return [one for one in lines if one[0] == "instructions"]

    assert public(read_samples(copy)) == public(read_samples(private)) != []
    assert public(read_generations(copy)) == public(read_generations(private)) != []
    assert "boxes" in (copy / "report.html").read_text()


def test_ids_and_numbers_stay_as_they_are(private: Path, copy: Path) -> None:
    whole, shown = read(private), read(copy)
    assert (shown.scores, shown.comparisons, shown.costs) == (whole.scores, whole.comparisons, whole.costs)
    assert (shown.weights, shown.curves, shown.suite.tasks) == (
        whole.weights,
        whole.curves,
        whole.suite.tasks,
    )
    assert parquet.read_table(copy / "rows.parquet") == parquet.read_table(private / "rows.parquet")
    for name, keys in (
        ("samples", ("task", "sample_id")),
        (
            "generations",
            ("task", "model", "adapter", "sample_id", "prompt_tokens", "finish", "truncated_tokens"),
        ),
    ):
        both = [
            [[line[key] for key in keys] for line in json_lines(folder / f"{name}.jsonl.gz")]
            for folder in (private, copy)
        ]
        assert both[0] == both[1]


def test_a_copy_says_what_it_withholds(copy: Path) -> None:
    said = "For dialogues this copy contains ids and numbers only"
    assert said in (copy / "report.html").read_text()
    assert said in (copy / "report.md").read_text()
    steps = {step.state: step.reason for step in read(copy).steps}
    assert steps["failed"] == REASON


@pytest.mark.slow
def test_a_public_result_is_copied_whole(example: Path, drawings: Path, tmp_path: Path) -> None:
    said = shareable.write(example, tmp_path / "copy", drawings)
    assert said == "all sources may be shared: no text was left out"
    for name in ("samples", "generations"):
        one, other = (list(json_lines(at / f"{name}.jsonl.gz")) for at in (example, tmp_path / "copy"))
        assert one == other
    assert verify(tmp_path / "copy") == []
    assert harness("verify", str(tmp_path / "copy")).returncode == 0


def test_a_gate_on_a_columns_value_stays_without_it(copy: Path) -> None:
    gates = json.loads((copy / "result.json").read_bytes())["suite"]["gates"]
    assert gates == [{"max_drop": 1.0, "where": {"customer": "withheld"}}, {"min_value": 1.0}]


def test_what_nobody_decided_on_is_left_out(private: Path, tmp_path: Path) -> None:
    folder = Path(shutil.copytree(private, tmp_path / "result"))
    change(folder, lambda document: document.update(verdicts=[{"slice": "customer = Ann"}], digest="0" * 16))
    whole = json.loads((folder / "result.json").read_bytes())
    assert not {"verdicts", "digest"} & set(redact.document(whole))


@pytest.mark.slow
def test_verify_says_of_a_copy_that_there_are_no_texts_to_recompute_from(copy: Path) -> None:
    assert verify(copy) == []
    refused = harness("verify", str(copy))
    assert refused.returncode == 2
    assert "no texts of dialogues to recompute from; its scores follow from its rows" in refused.stderr
    assert len(refused.stderr.splitlines()) == 1


@pytest.mark.slow
@pytest.mark.parametrize(
    ("edit", "said"),
    [
        (lambda d: first(d, "dialogues").update(value=99.0), "99.000000 in result.json"),
        (lambda d: first(d, "dialogues").update(low=0.0), "interval [0.000"),
        (lambda d: first(d, "dialogues").update(n=11), "n = 11 in result.json"),
        (lambda d: d["scores"].remove(first(d, "dialogues")), "no score"),
        (lambda d: first(d, "instructions").update(value=99.0), "99.000000 in result.json"),
        (lambda d: d["comparisons"][0].update(difference=50.0), "difference 50.000000"),
    ],
)
def test_a_copys_numbers_are_still_held_against_its_rows(
    copy: Path, tmp_path: Path, edit: Callable[[dict[str, Any]], None], said: str
) -> None:
    folder = Path(shutil.copytree(copy, tmp_path / "copy"))
    change(folder, edit)
    assert any(said in problem for problem in verify(folder)), verify(folder)


def first(document: dict[str, Any], task: str) -> dict[str, Any]:
    found: dict[str, Any] = next(
        one for one in document["scores"] if one["task"] == task and one["adapter"] and one["primary"]
    )
    return found


def test_a_copy_without_the_rows_of_its_answers_does_not_verify(copy: Path, tmp_path: Path) -> None:
    folder = Path(shutil.copytree(copy, tmp_path / "copy"))
    table = parquet.read_table(folder / "rows.parquet")
    parquet.write_table(table.slice(1), folder / "rows.parquet")
    assert any("does not have the rows of its 12 answers" in problem for problem in verify(folder))


def test_intervals_over_clusters_are_checked_without_their_names(private: Path, tmp_path: Path) -> None:
    """A cluster's name is a text; a number in its place resamples the same samples together."""
    from harness.verification.scores import check

    folder = Path(shutil.copytree(private, tmp_path / "whole"))

    def edit(document: dict[str, Any]) -> None:
        document["suite"]["tasks"][1]["cluster"] = "customer"

    change(folder, edit)
    told = [problem for problem in check(folder).problems if "interval" in problem]
    assert told  # the intervals were made without clusters
    redact.copy(folder, tmp_path / "copy")
    names = {
        sample.metadata["customer"] for task, sample in read_samples(tmp_path / "copy") if task == "dialogues"
    }
    assert names == {"1", "2", "3", "4"}
    assert [problem for problem in check(tmp_path / "copy").problems if "interval" in problem] == told


def test_a_copy_is_made_again_in_its_place_and_of_a_copy(copy: Path, drawings: Path, tmp_path: Path) -> None:
    out = Path(shutil.copytree(copy, tmp_path / "copy"))
    shareable.write(copy, out, drawings)
    assert (out / "result.json").read_bytes() == (copy / "result.json").read_bytes()
    assert (out / "generations.jsonl.gz").read_bytes() == (copy / "generations.jsonl.gz").read_bytes()


@pytest.mark.slow
def test_a_copy_never_takes_a_results_place(private: Path, drawings: Path, tmp_path: Path) -> None:
    folder = Path(shutil.copytree(private, tmp_path / "whole"))
    for out, said in (
        (folder, "holds a RESULT that is not a copy"),
        (tmp_path, "the folder holds other things"),
    ):
        with pytest.raises(HarnessError, match=said):
            shareable.write(folder, out)
    assert (folder / "result.json").read_bytes() == (private / "result.json").read_bytes()
    refused = harness("report", str(folder), "--shareable")
    assert refused.returncode == 2 and "--out FOLDER" in refused.stderr
    words = ("-o", str(tmp_path / "new"), "--store", str(drawings.parent))
    made = harness("report", str(folder), "--shareable", *words)
    assert made.returncode == 0, made.stderr
    assert "only ids and numbers of dialogues" in made.stderr
    assert leaks(tmp_path / "new", private_texts(private)) == set()


@pytest.mark.slow
@pytest.mark.parametrize("whose", ["public", "private"])
def test_what_gates_said_is_in_a_copy_or_it_is_said_that_it_is_not(
    example: Path, private: Path, drawings: Path, tmp_path: Path, whose: str
) -> None:
    folder = Path(shutil.copytree(example if whose == "public" else private, tmp_path / "result"))
    (folder / "verdicts.json").write_text("[]")
    said = shareable.write(folder, tmp_path / "copy", drawings)
    assert (tmp_path / "copy" / "verdicts.json").exists() == (whose == "public")
    assert (f"without its verdicts, which may quote samples: `harness gate {tmp_path / 'copy'}`" in said) == (
        whose == "private"
    )
