"""With --quiet, gates that did not pass are told all the same."""

from pathlib import Path

import pytest

from tests.cli import project
from tests.cli.words import harness

RUN = "run small.yaml --workers 0 --device cpu --store S --out R"


@pytest.mark.slow
def test_a_quiet_run_says_which_gates_did_not_pass(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    project.make(tmp_path)
    gates = """gates:
  - {model: first, adapter: base, min_value: 1}
  - {model: copy, adapter: base, min_value: 500, name: strict}
  - {model: copy, adapter: base, min_value: 99, name: open}
  - {model: first, adapter: base, max_drop: 1, against: nowhere.json}
"""
    text = project.SUITE.partition("gates:")[0] + gates
    (tmp_path / "small.yaml").write_text(text)
    capsys.readouterr()
    for quiet in ("--quiet", "--json"):
        done = harness(capsys, *RUN.split(), quiet)
        lines = done.err.splitlines()
        assert done.code == 5 and bool(done.out) == (quiet == "--json")
        assert [
            line for line in lines if line.startswith("strict: failed: copy on chats, Exact match: 100.00")
        ]
        assert [line for line in lines if line.startswith("open: is inconclusive: copy on chats")]
        assert [line for line in lines if line.startswith("max_drop 1: is invalid: first on chats")]
        assert not [line for line in lines if line.startswith("min_value 1")]
    passed = harness(capsys, *RUN.split(), "--quiet", "--inconclusive", "pass")
    assert "open: " not in passed.err and "strict: " in passed.err


@pytest.mark.slow
def test_a_quiet_run_whose_gates_pass_says_nothing(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    project.make(tmp_path)
    assert "min_value" not in "".join(capsys.readouterr())
