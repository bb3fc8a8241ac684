"""Logs that Inspect wrote become a RESULT with Inspect's own numbers, without Inspect being installed."""

import json
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from harness.commands.import_answers import import_answers
from harness.errors import HarnessError
from harness.imports import ImportOptions, read
from harness.results import read as read_result
from harness.results import read_samples
from harness.types import System
from tests.imports.conftest import FILES

NONE = ImportOptions()
SMALL, LARGE = System(model="small"), System(model="large")
# As `inspect_ai.log.read_eval_log` reads them: results.scores[].metrics[accuracy or mean].value
SCORES = [
    (SMALL, "capitals", "theirs(score=match)", 0.3, 1.0),
    (SMALL, "capitals", "exact", 0.3, 100.0),
    (SMALL, "capitals", "f1", 0.3, 100.0),
    (LARGE, "capitals", "theirs(score=match)", 0.8, 1.0),
    (LARGE, "capitals", "exact", 0.5, 100.0),
    (LARGE, "capitals", "f1", 0.65, 100.0),
    (LARGE, "planets", "theirs(score=choice)", 0.75, 1.0),
]


@pytest.mark.parametrize(("system", "task", "metric", "theirs", "scale"), SCORES)
def test_scores_are_inspects_own_numbers(
    of_inspect: Path, system: System, task: str, metric: str, theirs: float, scale: float
) -> None:
    (score,) = [
        score
        for score in read_result(of_inspect).scores
        if (score.task, score.system, score.metric) == (task, system, metric)
    ]
    assert score.value / scale == pytest.approx(theirs, abs=1e-9)


def test_two_models_are_compared_in_pairs(of_inspect: Path) -> None:
    pairs = [pair for pair in read_result(of_inspect).comparisons if pair.task == "capitals"]
    assert {(pair.baseline, pair.candidate) for pair in pairs} == {(SMALL, LARGE)}
    match = next(pair for pair in pairs if pair.metric == "theirs(score=match)")
    assert match.difference == pytest.approx(0.5)
    assert match.low < match.difference < match.high


def test_epochs_of_a_sample_are_resampled_together(of_inspect: Path) -> None:
    assert read_result(of_inspect).task("planets").cluster == "sample"
    samples = [sample for task, sample in read_samples(of_inspect) if task == "planets"]
    assert [sample.id for sample in samples] == [f"{n} (epoch {e})" for n in (1, 2, 3, 4) for e in (1, 2)]
    assert [sample.metadata["sample"] for sample in samples] == ["1", "1", "2", "2", "3", "3", "4", "4"]
    assert samples[0].choices == ("Mars", "Venus", "Jupiter")


def rewritten(log: Path, change: Callable[[str, dict[str, object]], dict[str, object] | None]) -> Path:
    """The log as Inspect wrote it before it compressed by Zstandard, with some entries changed."""
    (found,) = read("inspect", log, NONE)
    header: dict[str, object] = {
        "status": "success",
        "eval": {"task": "capitals", "model": "mockllm/small", "created": found.file.created},
        "results": {"scores": [{"name": "match", "metrics": {"accuracy": {"value": 0.3}}}]},
    }
    entries: dict[str, dict[str, object]] = {"header.json": header}
    for sample, answer in zip(found.samples, found.answers, strict=True):
        entries[f"samples/{sample.id}_epoch_1.json"] = {
            "id": sample.id,
            "epoch": 1,
            "input": sample.input,
            "target": sample.references[0],
            "output": {"completion": answer.text, "choices": [{"stop_reason": "stop"}]},
            "scores": {"match": {"value": "C" if answer.given["match"] else "I"}},
        }
    with zipfile.ZipFile(log, "w", zipfile.ZIP_DEFLATED) as new:
        for name, entry in entries.items():
            if (changed := change(name, entry)) is not None:
                new.writestr(name, json.dumps(changed))
    return log


def test_logs_of_older_versions_are_read(logs: Path) -> None:
    before = read("inspect", logs / "inspect" / "small-capitals.eval", NONE)[0]
    (after,) = read(
        "inspect", rewritten(logs / "inspect" / "small-capitals.eval", lambda _, entry: entry), NONE
    )
    assert [answer.text for answer in after.answers] == [answer.text for answer in before.answers]
    assert after.given[0].value == before.given[0].value


def test_another_number_is_a_note_with_both(logs: Path, tmp_path: Path) -> None:
    def change(name: str, entry: dict[str, object]) -> dict[str, object]:
        if name == "header.json":
            entry["results"] = {"scores": [{"name": "match", "metrics": {"accuracy": {"value": 0.9}}}]}
        return entry

    log = rewritten(logs / "inspect" / "small-capitals.eval", change)
    found = import_answers("inspect", [log], tmp_path / "out", NONE)
    (note,) = [note for note in found.notes if note.kind == "other number"]
    assert note.detail.startswith(
        "match is 0.9 by inspect-ai, and 0.3 computed from the answers as their mean"
    )


def test_a_sample_with_an_error_is_left_out_with_a_note(logs: Path, tmp_path: Path) -> None:
    log = rewritten(
        logs / "inspect" / "small-capitals.eval",
        lambda name, entry: {**entry, "error": {"message": "no"}} if "city-7" in name else entry,
    )
    found = import_answers("inspect", [log], tmp_path / "out", NONE)
    (note,) = [note for note in found.notes if note.kind == "not imported"]
    assert (note.count, note.of, note.samples) == (1, 10, ("city-7",))
    assert {score.n for score in found.scores} == {9}


# What is refused.


def no_zip(log: Path) -> None:
    log.write_text("no zip")


def an_empty_file(log: Path) -> None:
    log.write_bytes(b"")


def cut(log: Path) -> None:
    log.write_bytes(log.read_bytes()[: log.stat().st_size // 2])


def damaged(log: Path) -> None:
    with zipfile.ZipFile(log) as whole:
        start = whole.getinfo("header.json").header_offset + 200
    content = bytearray(log.read_bytes())
    content[start : start + 100] = bytes(100)
    log.write_bytes(bytes(content))


def no_header(log: Path) -> None:
    rewritten(log, lambda name, entry: None if name == "header.json" else entry)


def no_samples(log: Path) -> None:
    rewritten(log, lambda name, entry: entry if name == "header.json" else None)


def no_scores(log: Path) -> None:
    rewritten(log, lambda name, entry: entry if name == "header.json" else {**entry, "scores": {}})


def unfinished(log: Path) -> None:
    rewritten(log, lambda name, entry: {**entry, "status": "started"} if name == "header.json" else entry)


def an_id_twice(log: Path) -> None:
    rewritten(log, lambda name, entry: {**entry, "id": "x"} if name.startswith("samples/city-") else entry)


def without_target(log: Path) -> None:
    rewritten(log, lambda name, entry: {**entry, "target": None} if "city-2" in name else entry)


def gone(log: Path) -> None:
    log.unlink()


def a_folder(log: Path) -> None:
    log.unlink()
    log.mkdir()


@pytest.mark.parametrize(
    ("damage", "said"),
    [
        (no_zip, "small-capitals.eval: is no zip file"),
        (an_empty_file, "small-capitals.eval: is no zip file"),
        (cut, "small-capitals.eval: is no zip file"),
        (damaged, r"small-capitals.eval: .*: cannot be read: .*copy the log again"),
        (no_header, r"found no header.json in it"),
        (no_samples, "found no samples in it"),
        (no_scores, "found no sample with a score"),
        (unfinished, "the run ended with status 'started'"),
        (an_id_twice, "found two samples with the id 'x'"),
        (without_target, "sample 'city-2': no target"),
        (gone, "small-capitals.eval: cannot be read: No such file"),
        (a_folder, "found a folder; name its logs"),
    ],
)
def test_bad_input_is_refused_in_one_line_and_nothing_is_written(
    logs: Path, tmp_path: Path, damage: Callable[[Path], None], said: str
) -> None:
    log = logs / "inspect" / "small-capitals.eval"
    damage(log)
    with pytest.raises(HarnessError, match=said) as refused:
        import_answers("inspect", [log], tmp_path / "out", NONE)
    assert refused.value.exit_code == 2
    assert "\n" not in str(refused.value)
    assert [path.name for path in tmp_path.iterdir()] == ["logs"]


def test_the_test_files_are_those_of_a_real_run() -> None:
    with zipfile.ZipFile(FILES / "inspect" / "large-capitals.eval") as log:
        assert {info.compress_type for info in log.infolist()} == {93}
