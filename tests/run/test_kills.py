"""Runs that are killed at random moments and continued equal one that nobody disturbed."""

from pathlib import Path

import pytest

from tests.run.kills import rounds


@pytest.mark.slow
@pytest.mark.timeout(900)
@pytest.mark.parametrize(("suite", "kills"), [("echo", 12), ("real", 6), ("stages", 4)])
def test_a_killed_run_ends_as_an_undisturbed_one(suite: str, kills: int, tmp_path: Path) -> None:
    tally = list(rounds(suite, kills, seed=7, folder=tmp_path))[-1]
    assert tally.kills >= kills
