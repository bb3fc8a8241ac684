"""The border: whatever a command raises becomes a line and an exit code."""

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from harness.cli.failures import guarded
from harness.errors import StepError, SuiteError
from harness.run.store import open_store
from tests.cli.words import harness


def fails(error: BaseException) -> Callable[[], object]:
    def command() -> object:
        raise error

    return command


@pytest.mark.parametrize(
    ("error", "line", "code"),
    [
        (SuiteError("small.yaml:3: wrong"), "error: small.yaml:3: wrong", 2),
        (StepError("sample 7: wrong"), "error: sample 7: wrong", 3),
        (PermissionError(13, "Permission denied", "a.json"), "error: a.json: permission denied", 2),
        (
            OSError(28, "No space left on device", "a.json"),
            "error: a.json: the disk is full; free some space",
            3,
        ),
        (
            RuntimeError("Symlink loop from '/x/a.json'"),
            "error: /x/a.json: a symbolic link that points to itself",
            2,
        ),
        (FileNotFoundError(2, "No such file or directory"), "error: the working folder was removed", 2),
        (KeyError("total"), "error: unexpected KeyError: 'total' (details in ", 3),
        (
            RecursionError("too deep\nsecond line"),
            "error: unexpected RecursionError: too deep (details in ",
            3,
        ),
        (MemoryError(), "error: not enough memory (details in ", 3),
        (KeyboardInterrupt(), "interrupted; run the same command again to resume", 130),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, BaseException) else None,
)
def test_an_exception_becomes_a_line(
    capsys: pytest.CaptureFixture[str], error: BaseException, line: str, code: int
) -> None:
    assert guarded(fails(error)) == code
    said = capsys.readouterr().err
    assert said.startswith(line)
    assert said.count("\n") == 1


def test_a_fault_of_the_harness_can_still_be_found(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    guarded(fails(KeyError("total")))
    log = Path(capsys.readouterr().err.partition("details in ")[2].rstrip(")\n"))
    assert "KeyError: 'total'" in log.read_text()
    assert __file__ in log.read_text()
    log.unlink()
    monkeypatch.setenv("HARNESS_TRACEBACK", "1")
    guarded(fails(KeyError("total")))
    assert "Traceback" in capsys.readouterr().err


def test_a_reader_that_has_gone_is_no_failed_gate(tmp_path: Path) -> None:
    reading, writing = os.pipe()
    os.close(reading)
    done = subprocess.run(
        [sys.executable, "-m", "harness", "list", "tasks"],
        cwd=tmp_path,
        stdout=writing,
        stderr=subprocess.PIPE,
    )
    os.close(writing)
    assert (done.returncode, done.stderr) == (0, b"")


def test_a_full_disk_under_standard_output_is_told(tmp_path: Path) -> None:
    with Path("/dev/full").open("w") as full:
        command = [sys.executable, "-m", "harness", "list", "tasks"]
        done = subprocess.run(command, cwd=tmp_path, stdout=full, stderr=subprocess.PIPE, text=True)
    assert done.returncode == 3
    assert done.stderr.startswith("error: the disk is full")
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize(
    ("name", "message"),
    [
        (
            "a b",
            "new task 'a b': found 'a b'; use letters, digits, '.', '_' and '-', a letter or digit first",
        ),
        ("../../x", "new task '../../x': found '../../x'; use letters"),
        ("x" * 101, "found 101 characters; use 100 at most"),
        ("bad-\udcff", "use letters"),
    ],
)
def test_a_name_that_check_would_refuse_is_not_written(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    name: str,
    message: str,
) -> None:
    monkeypatch.chdir(tmp_path)
    done = harness(capsys, "new", "task", name)
    assert done.code == 2
    assert message in done.err
    assert not list(tmp_path.iterdir())


def test_a_place_where_nothing_can_be_written_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "suites").touch()
    done = harness(capsys, "new", "task", "mine")
    assert (done.code, done.out) == (2, "")
    assert done.err == (
        "error: suites/tasks/mine.yaml: cannot be written: a file stands where a folder is needed\n"
    )
    full = tmp_path / "board.csv"
    full.symlink_to("/dev/full")
    from harness.files.json_lines import write_text

    with pytest.raises(Exception, match=r"board\.csv: cannot be written: No space left on device"):
        write_text(full, "text")


@pytest.mark.parametrize("command", ["check", "show"])
def test_more_examples_than_training_samples_are_known_before_a_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], command: str
) -> None:
    monkeypatch.chdir(tmp_path)
    words = {
        "check": ("check", "small.yaml"),
        "show": ("show", "dialogues", "--model", "echo:copy", "--shots", "2001"),
    }[command]
    (tmp_path / "small.yaml").write_text(
        "tasks: [dialogues]\nmodels: [{name: copy, uri: 'echo:copy'}]\nbase_shots: [0, 2001]\n"
    )
    done = harness(capsys, *words)
    assert done.code == 2
    assert {
        "check": "task dialogues: 2,001 examples before a prompt, and embedded:dialogues has 2,000 samples",
        "show": "2,001 examples are asked for and the training split has 2,000 samples",
    }[command] in done.err


@pytest.mark.slow
def test_a_server_that_does_not_answer_is_told_without_the_pool_of_connections(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    pytest.importorskip("mlflow")
    from mlflow.exceptions import MlflowException

    from harness.exports import mlflow as target

    with (
        pytest.raises(Exception, match="--uri http://x: no server answers; start it, or give file:FOLDER"),
        target._one_line_errors("http://x"),
    ):
        raise MlflowException("HTTPConnectionPool(host='x', port=80): Max retries exceeded with url: /api")


@pytest.mark.slow
@pytest.mark.parametrize("stream", [1, 2])
@pytest.mark.parametrize("words", [("list", "tasks"), ("list", "nothing")])
def test_a_command_works_where_standard_output_or_error_is_closed(
    tmp_path: Path, stream: int, words: tuple[str, ...]
) -> None:
    """Like `harness list tasks >&-`: what is opened next must not become standard output either."""
    command = f'"$0" -m harness "$@" {stream}>&-'
    done = subprocess.run(
        ["sh", "-c", command, sys.executable, *words], cwd=tmp_path, capture_output=True, text=True
    )
    assert done.returncode == (0 if words == ("list", "tasks") else 2)
    assert "unexpected" not in done.stderr


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("run", "small", "--limit", "abc"), "'--limit': found 'abc'; give a whole number"),
        (("run", "small", "--limit", "0"), "'--limit': found '0'; give 1 or more"),
        (("run", "small", "--seed", "-1"), "'--seed': found '-1'; give 0 or more"),
        (("gate", "R", "--inconclusive", "maybe"), "'maybe' is not one of 'fail', 'pass', 'warn'"),
        (("list", "nothing"), "'nothing' is not one of 'suites'"),
    ],
)
def test_a_wrong_value_on_the_command_line_is_told_in_the_harness_words(
    capsys: pytest.CaptureFixture[str], words: tuple[str, ...], message: str
) -> None:
    done = harness(capsys, *words)
    assert done.code == 2
    assert message in done.err
    assert "Input should" not in done.err
    assert "Value error" not in done.err


def test_a_wrong_value_in_the_environment_names_the_variable(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HARNESS_OFFLINE", "maybe")
    done = harness(capsys, "check", "quickstart")
    assert (done.code, "(env var: 'HARNESS_OFFLINE'): found 'maybe'; give 1 or 0" in done.err) == (2, True)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("answer", "code", "message"),
    [("", 2, "add --yes"), ("n\n", 0, "nothing was deleted"), ("y\n", 0, "MB freed")],
)
def test_a_question_that_nobody_answers_names_the_option_that_does(
    tmp_path: Path, answer: str, code: int, message: str
) -> None:
    open_store(tmp_path / "store")
    done = subprocess.run(
        [sys.executable, "-m", "harness", "store", "prune", "--store", "store"],
        cwd=tmp_path,
        input=answer,
        capture_output=True,
        text=True,
    )
    assert (done.returncode, message in done.stdout + done.stderr) == (code, True)
    assert "Delete every step in store? [y/N]" in done.stderr
    assert "same command continues" not in done.stderr
