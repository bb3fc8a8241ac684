"""The words around the commands: `--version`, `-h`, and the completion of names by a shell."""

import os
import pty
import re
import select
import subprocess
import sys
import time
from collections.abc import Callable, Iterable
from pathlib import Path

import pytest
import typer

from harness import plugins
from harness._version import __version__
from harness.cli import app
from harness.files import shipped
from harness.suite.named import available
from tests.cli.words import harness

Completed = Callable[..., list[str]]


def commands() -> list[list[str]]:
    """The words of every command, and of every group of commands."""
    found: list[list[str]] = [[]]
    top = typer.main.get_command(app)
    for name, command in top.commands.items():  # type: ignore[attr-defined]
        found += [[name], *([name, below] for below in getattr(command, "commands", {}))]
    return found


def test_the_version_is_printed(capsys: pytest.CaptureFixture[str]) -> None:
    assert harness(capsys, "--version").out == f"harness {__version__}\n"
    assert harness(capsys, "--version", "run").code == 0


@pytest.mark.parametrize("words", commands(), ids=" ".join)
def test_every_command_answers_to_both_words_for_help(
    capsys: pytest.CaptureFixture[str], words: list[str]
) -> None:
    short, long = harness(capsys, *words, "-h"), harness(capsys, *words, "--help")
    assert (short.code, short.err) == (0, "")
    assert short.out == long.out
    assert short.out.startswith(f"Usage: harness {' '.join(words)}".rstrip())


@pytest.fixture
def completed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Completed:
    """What a shell is told when the user presses Tab after some words, in a folder of its own."""
    monkeypatch.chdir(tmp_path)

    def complete(words: str, shell: str = "bash") -> list[str]:
        parts = words.split(" ")
        monkeypatch.setenv("COMP_WORDS", "\n".join(parts))
        monkeypatch.setenv("COMP_CWORD", str(len(parts) - 1))
        monkeypatch.setenv("_TYPER_COMPLETE_ARGS", words)
        monkeypatch.setenv("_HARNESS_COMPLETE", f"complete_{shell}")
        done = harness(capsys)
        assert (done.code, done.err) == (0, "")
        return done.out.split()

    return complete


NAMES: dict[str, Callable[[], Iterable[str]]] = {  # what is typed -> all that it may become
    "harness run ": lambda: available("suite"),
    "harness run qu": lambda: ["quickstart", "quickstart-full"],
    "harness plan quickstart-": lambda: ["quickstart-full"],
    "harness check lora-r1": lambda: ["lora-r16", "lora-r16-24gb"],
    "harness check dial": lambda: ["dialogues"],
    "harness show ": lambda: available("task"),
    "harness show dialogues --model ": shipped.zoo_names,
    "harness weigh fal": lambda: ["falcon-tiny"],
    "harness weigh falcon-tiny --against ll": lambda: ["llama2-tiny"],
    "harness rescore R --metric ": lambda: plugins.names("metrics"),
    "harness export R --to ": lambda: [name.replace("_", "-") for name in plugins.names("exports")],
    "harness import ": lambda: ["inspect", "jsonl", "lm-eval", "lm-eval-task"],
    "harness run quickstart --engine ": lambda: plugins.names("engines"),
    "harness run quickstart --device c": lambda: ["cpu", "cuda"],
    "harness store prune --keep samsu": lambda: ["samsum"],
    "harness list obj": lambda: ["objectives"],
    "harness new su": lambda: ["suite"],
    "harness comp": lambda: ["compare"],
    "harness run quickstart --lim": lambda: ["--limit"],
    "harness run ./": list,  # a path: the shell completes it
    "harness run nothing-of-this-name": list,
}


@pytest.mark.parametrize("words", NAMES)
def test_a_shell_completes_names(words: str, completed: Completed) -> None:
    found = NAMES[words]
    assert sorted(completed(words)) == sorted(found())


def test_own_suites_are_completed_too_and_other_shells_understand(
    tmp_path: Path, completed: Completed
) -> None:
    (tmp_path / "suites").mkdir()
    (tmp_path / "suites" / "mine.yaml").touch()
    assert completed("harness run mi") == ["mine"]
    assert "mine" in " ".join(completed("harness run mi", "zsh"))


def test_bash_completes_at_the_prompt(tmp_path: Path) -> None:
    """In a terminal of its own: the script that `--show-completion` prints is loaded, and Tab is pressed."""
    (tmp_path / "harness").write_text(f'#!/bin/sh\nexec {sys.executable} -m harness "$@"\n')
    (tmp_path / "harness").chmod(0o755)
    environment = {**os.environ, "PATH": f"{tmp_path}:{os.environ['PATH']}", "TERM": "dumb", "PS1": "$ "}
    script = subprocess.run(
        ["harness"],
        env={**environment, "_HARNESS_COMPLETE": "source_bash"},
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    (tmp_path / "complete.sh").write_text(script)
    child, terminal = pty.fork()
    if child == 0:
        os.chdir(tmp_path)
        os.execvpe("bash", ["bash", "--norc", "--noprofile", "-i"], environment)
    try:
        os.write(terminal, b"source complete.sh; echo rea''dy\n")
        wait_for(terminal, r"ready")
        os.write(terminal, b"echo harness && harness run sweep-q\t")
        assert "harness run sweep-quickstart" in wait_for(terminal, r"sweep-quickstart")
    finally:
        os.close(terminal)
        os.waitpid(child, 0)


def wait_for(terminal: int, pattern: str) -> str:
    """Read from the terminal until the pattern is there."""
    said, deadline = "", time.monotonic() + 60
    while not re.search(pattern, said):
        assert time.monotonic() < deadline, said
        if select.select([terminal], [], [], 0.5)[0]:
            said += os.read(terminal, 4096).decode(errors="replace")
    return said
