"""The command line, and what it says."""

import sys
from collections.abc import Callable
from dataclasses import dataclass

import pytest

from harness.cli import main


@dataclass(frozen=True)
class Said:
    """What a command came to."""

    code: int
    out: str
    error: str


@pytest.fixture
def harness(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Callable[..., Said]:
    """The command line, in this process: what is raised here would be a traceback there."""
    monkeypatch.delenv("GITHUB_ACTIONS", raising=False)

    def run(*words: object) -> Said:
        monkeypatch.setattr(sys, "argv", ["harness", *map(str, words)])
        capsys.readouterr()
        with pytest.raises(SystemExit) as end:
            main()
        said = capsys.readouterr()
        return Said(int(end.value.code or 0), said.out, said.err)

    return run
