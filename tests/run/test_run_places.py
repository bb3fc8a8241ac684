"""`harness run` as a command: where it publishes, what it refuses before any work, and what a failure leaves."""

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from harness.commands import share as shareable
from harness.errors import HarnessError, ResultError
from harness.files import devices
from harness.report import render, render_json
from harness.verification import verify

SUITE = """
tasks:
  - name: chats
    source: {{uri: "file:data", columns: {{id: id}}}}
    prompt: "$input"
    metrics: [f1]
    primary: f1
models: [{{name: first, uri: "echo:{first}"}}, {{name: copy, uri: "echo:copy"}}]
weights: false
"""
FULL = "import resource; resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, 20_000)); "

AGAIN = "copy the RESULT again as a whole from where it was made, or run the suite again there"


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A suite, its data, and a store in which all of its steps are done."""
    folder = tmp_path_factory.mktemp("places")
    (folder / "data").mkdir()
    lines = [{"id": f"s{n:03}", "input": f"in {n}\nand more", "reference": f"in {n}"} for n in range(12)]
    (folder / "data" / "test.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    (folder / "small.yaml").write_text(SUITE.format(first="first-line"))
    (folder / "broken.yaml").write_text(SUITE.format(first="crash-on-s007"))
    done = harness(folder, "run", "small.yaml", "--out", "first")
    assert done.returncode == 0, done.stderr
    return folder


def command(*words: str, before: str = "") -> list[str]:
    return [sys.executable, "-c", f"{before}from harness.cli import main; main()", *words]


def harness(folder: Path, *words: str, before: str = "") -> subprocess.CompletedProcess[str]:
    usual = ("--workers", "0", "--store", "store") if words[0] == "run" else ()
    if words[0] == "run" and "--device" not in words:
        usual = (*usual, "--device", "cpu")
    return subprocess.run(
        command(*words, *usual, before=before), cwd=folder, capture_output=True, text=True, timeout=120
    )


@pytest.mark.slow
@pytest.mark.parametrize(
    ("out", "said"),
    [
        ("small.yaml", "--out small.yaml: found a file; name an empty or a new folder"),
        ("/proc/x", "--out /proc/x: cannot be made: No such file or directory"),
        ("data", "--out data: the folder holds other things; name an empty or a new one"),
        (".", "--out .: the store "),
    ],
)
def test_a_place_that_will_not_do_is_refused_before_any_work(place: Path, out: str, said: str) -> None:
    done = harness(place, "run", "small.yaml", "--limit", "5", "--out", out)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith(f"error: {said}")
    assert done.stderr.count("\n") == 1
    assert not any(path.name.startswith(".") for path in place.iterdir())


@pytest.mark.parametrize("command", ["rescore", "report"])
def test_other_commands_refuse_a_place_that_will_not_do_before_they_work(place: Path, command: str) -> None:
    options = {"rescore": ["--metric", "exact", "--out"], "report": ["--shareable", "-o"]}[command]
    done = harness(place, command, "first", *options, "small.yaml")
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == "error: --out small.yaml: found a file; name an empty or a new folder\n"


@pytest.mark.slow
@pytest.mark.parametrize("device", ["gpu", "cuda:", "cuda:x", "mps", "cuda:1000", "CPU"])
def test_a_device_that_does_not_exist_is_refused_before_any_work(place: Path, device: str) -> None:
    done = harness(place, "run", "small.yaml", "--limit", "5", "--out", "never", "--device", device)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == f"error: --device {device}: no such device; give auto, cpu, cuda or cuda:N\n"


def test_cuda_where_there_is_none_is_refused_before_any_work(
    place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "")
    before = sorted(place.rglob("*"))
    done = harness(place, "run", "small.yaml", "--out", "first", "--device", "cuda")
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == (
        "error: --device cuda: CUDA_VISIBLE_DEVICES='' hides every GPU; give --device cpu, or run where CUDA is\n"
    )
    assert sorted(place.rglob("*")) == before


@pytest.mark.parametrize(
    ("visible", "count"), [("3,5", 2), ("GPU-a, GPU-b", 2), ("-1", 0), ("", 0), ("x,-1,y", 1)]
)
def test_hidden_gpus_are_not_counted(monkeypatch: pytest.MonkeyPatch, visible: str, count: int) -> None:
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", visible)
    found = devices.gpus()
    assert found is not None and found <= count  # CUDA sees none from a number on that is too high


def test_a_number_beyond_the_last_gpu_is_refused() -> None:
    if devices.without_cuda():
        pytest.skip("no CUDA here")
    with pytest.raises(HarnessError, match=r"--device cuda:99: found cuda:0"):
        devices.refuse_absent("cuda:99")


@pytest.mark.slow
def test_a_failing_run_leaves_the_whole_result_and_says_where_its_own_is(place: Path) -> None:
    shutil.copytree(place / "first", place / "kept")
    suite, before = (place / "small.yaml").read_text(), (place / "kept" / "result.json").read_bytes()
    (place / "small.yaml").write_text(suite.replace("first-line", "crash-on-s007"))
    done = harness(place, "run", "small.yaml", "--out", "kept")
    (place / "small.yaml").write_text(suite)
    assert done.returncode == 3
    assert (place / "kept" / "result.json").read_bytes() == before
    assert "RESULT  kept.partial" in done.stdout
    assert "This RESULT is partial: 2 of 6 steps have no result" in done.stdout
    assert "it is in kept.partial; the whole RESULT of" in done.stderr and "in kept stays" in done.stderr
    assert json.loads(render_json(place / "kept.partial"))["partial"] is True
    assert harness(place, "run", "small.yaml", "--out", "kept", "--quiet").returncode == 0
    assert not (place / "kept.partial").exists()


def test_a_full_disk_leaves_the_result_that_was_there_and_says_where_the_new_one_is(place: Path) -> None:
    shutil.copytree(place / "first", place / "full")
    before = {path: path.read_bytes() for path in (place / "full").rglob("*") if path.is_file()}
    done = harness(place, "run", "small.yaml", "--out", "full", before=FULL)
    assert done.returncode == 2
    said = "error: full: cannot be written: File too large; what was there stays, and the RESULT of this run lies in "
    assert done.stderr.startswith(said) and done.stderr.count("\n") == 1
    assert verify(Path(done.stderr.removeprefix(said).strip())) == []
    assert before == {path: path.read_bytes() for path in (place / "full").rglob("*") if path.is_file()}
    assert not any(path.name.startswith(".full") for path in place.iterdir())


def test_a_full_disk_leaves_a_result_that_is_rescored_as_it_was(place: Path, tmp_path: Path) -> None:
    folder = Path(shutil.copytree(place / "first", tmp_path / "result"))
    before = {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    done = harness(tmp_path, "rescore", "result", "--metric", "exact", before=FULL)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == "error: result: cannot be written: File too large; what was there stays\n"
    assert before == {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    assert sorted(path.name for path in tmp_path.iterdir()) == ["result"]


@pytest.mark.slow
def test_two_runs_into_one_folder_at_once_leave_a_whole_result(place: Path) -> None:
    both = [
        subprocess.Popen(
            command("run", "small.yaml", "--out", "both", "--workers", "0", "--store", "store", "--device", "cpu", *limit),
            cwd=place, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True,
        )
        for limit in ((), ("--limit", "7"), ())
    ]  # fmt: skip
    for process in both:
        errors = process.communicate(timeout=120)[1]
        assert process.returncode == 0, errors
    assert verify(place / "both") == []
    assert not any(path.name.startswith(".both") for path in place.iterdir())


@pytest.mark.parametrize("name", ["rows.parquet", "generations.jsonl.gz", "samples.jsonl.gz"])
@pytest.mark.parametrize("cut", [True, False])
def test_no_page_is_drawn_of_a_result_whose_rows_or_answers_are_missing_or_cut(
    place: Path, tmp_path: Path, name: str, cut: bool
) -> None:
    folder = Path(shutil.copytree(place / "first", tmp_path / "result"))
    content = (folder / name).read_bytes()
    (folder / name).write_bytes(content[: len(content) // 2]) if cut else (folder / name).unlink()
    before = {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    what = "changed since it was written (its digest differs)" if cut else "the file is missing"
    for draw in (render, lambda folder: shareable.write(folder, tmp_path / "copy")):
        with pytest.raises(ResultError) as refused:
            draw(folder)
        assert str(refused.value) == f"{folder / name}: {what}; {AGAIN}"
    assert before == {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    assert sorted(path.name for path in tmp_path.iterdir()) == ["result"]


@pytest.mark.slow
def test_the_command_report_refuses_it_in_a_line(place: Path, tmp_path: Path) -> None:
    folder = Path(shutil.copytree(place / "first", tmp_path / "result"))
    (folder / "rows.parquet").unlink()
    done = harness(tmp_path, "report", "result")
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == f"error: result/rows.parquet: the file is missing; {AGAIN}\n"
