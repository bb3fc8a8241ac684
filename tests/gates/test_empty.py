"""A system whose answers are empty is judged by no gate on scores, unless its task expects such answers."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from harness.gates.judge import judge
from harness.gates.rules.max_worse_samples import WorseSamples
from harness.results import read
from harness.results.odd import Share, mostly_empty, too_many_empty
from harness.types import Gate, System

from .conftest import Said
from .made import ADAPTER, BASE, changed, points, result
from .made import gate as make_gate

GATES = (
    make_gate(adapter="*", must_beat=True),
    make_gate(adapter="*", max_drop=30.0),
    make_gate(adapter="*", max_relative_drop=90.0),
    make_gate(adapter="*", min_value=1.0),
    make_gate(adapter="*", max_worse_samples=WorseSamples(drop=99, percent=50)),
)


def empty(count: int, system: System, *, allowed: bool = False) -> Callable[[dict[str, Any]], None]:
    """What the harness notes of a system some of whose 200 answers are empty."""

    def edit(document: dict[str, Any]) -> None:
        note = {
            "kind": "empty",
            "where": f"t, {system}",
            "count": count,
            "of": 200,
            "detail": "",
            "samples": [],
        }
        document["notes"] = [note]
        if allowed:
            document["suite"]["tasks"][0]["allow_empty"] = True

    return edit


@pytest.fixture
def better(tmp_path: Path) -> Path:
    """An adapter that beats its base by far."""
    return result(tmp_path / "result", {BASE: points(200), ADAPTER: points(200, gain=0.2)})


def words(folder: Path, gates: tuple[Gate, ...] = GATES) -> list[str]:
    return [one.verdict for one in judge(folder, gates).verdicts]


def test_all_pass_where_no_answer_is_empty_and_where_few_are(better: Path) -> None:
    assert words(better) == ["pass"] * 5
    assert words(changed(better, empty(10, BASE))) == ["pass"] * 5


def test_an_empty_answer_or_two_are_wrong_answers_and_make_no_gate_invalid(tmp_path: Path) -> None:
    """Of 15 samples one is more than 5 %, and says nothing about the other 14; three are no accident any more."""
    few = result(tmp_path / "few", {BASE: points(15), ADAPTER: points(15, gain=0.2)})

    def note(count: int) -> Callable[[dict[str, Any]], None]:
        def edit(document: dict[str, Any]) -> None:
            empty(count, BASE)(document)
            document["notes"][0]["of"] = 15

        return edit

    plain = words(few)
    assert plain.count("invalid") < len(plain)
    assert words(changed(few, note(1))) == plain
    assert words(changed(few, note(2))) == plain
    assert words(changed(few, note(3)))[:3] == ["invalid"] * 3


def test_a_base_whose_answers_are_empty_is_not_there_to_be_beaten(better: Path) -> None:
    judged = judge(changed(better, empty(11, BASE)), GATES).verdicts
    assert [one.verdict for one in judged] == ["invalid", "invalid", "invalid", "pass", "invalid"]
    assert judged[0].because.startswith("11 of 200 answers of m are empty (6 %), so its scores say little; ")
    assert "allow_empty: true" in judged[0].because


def test_an_adapter_whose_answers_are_empty_passes_no_gate_on_scores(better: Path) -> None:
    judged = judge(
        changed(better, empty(200, ADAPTER)), (*GATES, make_gate(adapter="*", max_adapter_megabytes=20))
    ).verdicts
    assert [one.verdict for one in judged] == ["invalid"] * 5 + ["pass"]
    assert all("200 of 200 answers of m + x are empty (100 %)" in one.because for one in judged[:5])


def test_a_task_that_expects_empty_answers_is_judged_as_ever(better: Path) -> None:
    assert words(changed(better, empty(200, ADAPTER, allowed=True))) == ["pass"] * 5
    assert words(changed(better, empty(200, BASE, allowed=True))) == ["pass"] * 5
    assert mostly_empty(read(better)) == {}


def test_a_baseline_of_empty_answers_is_not_there_to_be_beaten_either(
    better: Path, tmp_path: Path, harness: Callable[..., Said]
) -> None:
    file = tmp_path / "b.json"
    against = (make_gate(adapter="base", max_drop=5.0, against=str(file)),)
    changed(better, empty(150, BASE))
    assert harness("baseline", better, "-o", file).code == 0
    assert [one["empty"] for one in json.loads(file.read_text())["systems"] if "empty" in one] == [150]
    changed(better, lambda document: document.update(notes=[]))
    (verdict,) = judge(better, against).verdicts
    assert verdict.verdict == "invalid"
    assert verdict.because.startswith(f"{file}: 150 of 200 answers of m are empty (75 %)")


def test_the_command_says_so_and_ends_with_the_code_of_what_is_invalid(
    better: Path, tmp_path: Path, harness: Callable[..., Said]
) -> None:
    changed(better, empty(200, BASE))
    rules = tmp_path / "rules.yaml"
    rules.write_text("gates: [{task: t, must_beat: true}]\n")
    said = harness("gate", better, "--rules", rules)
    assert said.code == 5
    assert "200 of 200 answers of m are empty" in " ".join(said.out.split())


@pytest.mark.parametrize(
    ("here", "word"),
    [
        ({"stop": []}, "pass"),
        ({"stop": [], "leading_whitespace": "drop"}, "pass"),
        ({"stop": ["\n"], "leading_whitespace": "keep"}, "invalid"),  # other stops
    ],
)
def test_an_older_baseline_holds_where_leading_whitespace_moved_nothing(
    better: Path, tmp_path: Path, harness: Callable[..., Said], here: dict[str, Any], word: str
) -> None:
    """It knows no such setting: leading whitespace was kept, which matters only where a string stops an answer."""

    def decoded(settings: dict[str, Any]) -> Callable[[dict[str, Any]], None]:
        return lambda document: document["suite"]["tasks"][0].update(decode=settings)

    file = tmp_path / "b.json"
    changed(better, decoded({"stop": []}))
    assert harness("baseline", better, "-o", file).code == 0
    changed(better, decoded(here))
    assert words(better, (make_gate(adapter="base", max_drop=5.0, against=str(file)),)) == [word]
    changed(better, decoded({"stop": ["\n"]}))
    assert harness("baseline", better, "-o", file).code == 0
    for setting, expected in (("keep", "pass"), ("drop", "invalid")):
        changed(better, decoded({"stop": ["\n"], "leading_whitespace": setting}))
        assert words(better, (make_gate(adapter="base", max_drop=5.0, against=str(file)),)) == [expected]


@pytest.mark.parametrize(
    ("count", "of", "many"),
    [
        (1, 15, False),
        (2, 15, False),
        (3, 15, True),
        (1, 1, True),
        (1, 2, True),
        (2, 4, True),
        (1, 3, False),
        (10, 200, False),
        (11, 200, True),
    ],
)
def test_one_or_two_empty_answers_among_many_are_single_failures(count: int, of: int, many: bool) -> None:
    assert too_many_empty(Share(count=count, of=of)) is many
