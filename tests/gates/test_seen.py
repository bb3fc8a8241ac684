"""What an adapter scores on samples that it was trained on passes no gate unsaid."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from harness.gates.judge import judge
from harness.results.odd import SAME_INPUT, SHARED_WORDS
from harness.types import Verdict
from tests.gates.made import ADAPTER, BASE, points, result
from tests.gates.made import gate as make_gate

GATES = (make_gate(adapter="*", must_beat=True), make_gate(adapter="*", min_value=1.0))


def overlapping(
    count: int, trained_on: str | None, detail: str = SAME_INPUT
) -> Callable[[dict[str, Any]], None]:
    def edit(document: dict[str, Any]) -> None:
        note = {"kind": "overlap", "where": "t", "count": count, "of": 200, "detail": detail, "samples": []}
        document["notes"] = [note]
        document["suite"]["adapters"][0]["trained_on"] = trained_on

    return edit


def judged(folder: Path, edit: Callable[[dict[str, Any]], None]) -> tuple[Verdict, ...]:
    scores = {BASE: points(200), ADAPTER: points(200, gain=0.2)}
    return judge(result(folder, scores, edit=edit), GATES).verdicts


@pytest.mark.parametrize(
    ("count", "trained_on", "detail", "word", "said"),
    [
        (200, "t", SAME_INPUT, "inconclusive", "200 of 200 test samples (100 %) have the same input as a sample"),
        (199, "t", SAME_INPUT, "pass", "199 of 200 test samples (over 99 %) have the same input as a sample"),
        (101, "t", SAME_INPUT, "pass", "101 of 200 test samples (50 %) have the same input as a sample"),
        (100, "t", SAME_INPUT, "pass", ""),
        (200, "t", SHARED_WORDS, "pass", ""),
        (200, "another", SAME_INPUT, "pass", ""),
        (200, None, SAME_INPUT, "pass", ""),
    ],
)  # fmt: skip
def test_a_gate_says_that_an_adapter_was_trained_on_most_test_samples(
    tmp_path: Path, count: int, trained_on: str | None, detail: str, word: str, said: str
) -> None:
    for verdict in judged(tmp_path / "result", overlapping(count, trained_on, detail)):
        assert verdict.verdict == word
        assert ("same input" in verdict.because) == bool(said)
        assert said in verdict.because.replace("\N{NO-BREAK SPACE}", " ")
