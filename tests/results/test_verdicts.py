"""verdicts.json is written and read in one place, whichever version of the harness wrote it."""

import json
from pathlib import Path
from typing import Any

import pytest

from harness.errors import ResultError
from harness.results import verdicts
from harness.types import System, Verdict

PASSED = Verdict(
    gate="max_drop 1", rule="max_drop", verdict="pass", because="the whole interval lies above −1", subject="m + x",
    task="t", system=System(model="m", adapter="x"), metric="f1", against="base", value=0.5, low=-0.5, high=1.5,
    limit="1", n=200, pass_probability_if_equal=0.7, samples_for_80_percent=260,
)  # fmt: skip
FAILED = Verdict(gate="small", rule="max_adapter_megabytes", verdict="fail", because="12 MB", subject="m + x")


def test_what_was_written_is_read_those_that_need_a_look_first(tmp_path: Path) -> None:
    verdicts.write(tmp_path, [PASSED, FAILED])
    assert verdicts.read(tmp_path) == (FAILED, PASSED)


def test_the_file_says_its_schema(tmp_path: Path) -> None:
    verdicts.write(tmp_path, [PASSED])
    document = json.loads((tmp_path / "verdicts.json").read_text())
    assert document["schema"] == 2
    assert document["verdicts"][0]["pass_probability_if_equal"] == 0.7


def old(**said: Any) -> str:
    """A file as the first schema had it: a bare list, with other names of two fields."""
    one = {
        "gate": "max_drop 1", "rule": "max_drop", "verdict": "pass", "because": "the whole interval lies above −1",
        "subject": "m + x", "task": "t", "system": {"model": "m", "adapter": "x", "shots": 0}, "metric": "f1",
        "slice": None, "against": "base", "value": 0.5, "low": -0.5, "high": 1.5, "limit": "1", "n": 200, "needed": None,
        "innocent": 0.7, "innocent_needs": 260,
    }  # fmt: skip
    return json.dumps([{**one, **said}])


def test_a_file_of_the_first_schema_is_read_under_the_new_names(tmp_path: Path) -> None:
    (tmp_path / "verdicts.json").write_text(old())
    assert verdicts.read(tmp_path) == (PASSED,)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (old(innocent=1.5), r"\[0\].pass_probability_if_equal: found 1.5, a probability is 0 to 1"),
        (old(innocent=-0.1), r"\[0\].pass_probability_if_equal: found -0.1"),
        (old(innocent_needs=-1), r"\[0\].samples_for_80_percent: found -1, less than 0"),
        (old(needed=-5), r"\[0\].needed: found -5"),
        ('{"verdicts": []}', "no schema number"),
        ('{"schema": true, "verdicts": []}', "no schema number"),
        ('{"schema": 2}', "verdicts: found a JSON NoneType"),
        ('{"schema": 99, "verdicts": []}', "update the harness"),
    ],
)
def test_what_no_gate_can_have_said_is_refused(tmp_path: Path, text: str, said: str) -> None:
    (tmp_path / "verdicts.json").write_text(text)
    with pytest.raises(ResultError, match=said):
        verdicts.read(tmp_path)
