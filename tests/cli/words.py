"""The command `harness` in this process: what it prints, and its exit code."""

import sys
from collections.abc import Sequence
from dataclasses import dataclass

import pytest

from harness.cli import main


@dataclass(frozen=True, slots=True, kw_only=True)
class Done:
    """What a command came to."""

    code: int
    out: str
    err: str


def harness(capsys: pytest.CaptureFixture[str], *words: str) -> Done:
    """Run the command as a shell would start it."""
    return Done(code=exit_code(words), **capsys.readouterr()._asdict())


def exit_code(words: Sequence[str]) -> int:
    """Run the command and return its exit code."""
    before, sys.argv = sys.argv, ["harness", *words]
    try:
        with pytest.raises(SystemExit) as left:
            main()
    finally:
        sys.argv = before
    assert isinstance(left.value.code, int)
    return left.value.code


def told_in_a_line(done: Done) -> bool:
    """Whether a failure is told, and neither as a traceback nor as something that nobody foresaw."""
    return bool(done.err.strip()) and not any(
        mark in done.out + done.err for mark in ("Traceback", "error: unexpected", "details in")
    )
