"""Claims over the same rows are tested by one draw, and each is what it would be if it were tested alone."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from harness import metrics, stats
from harness.gates import questions
from harness.gates.checks import checks
from harness.gates.evidence import opened
from harness.gates.judge import judge
from harness.results import read
from harness.results.rows import open_rows
from harness.types import System
from tests.compare.conftest import BASE, make, mixed, plain, right, wrong
from tests.gates.made import gate as make_gate


def every(k: int, start: int = 0) -> Any:
    """Right on one sample in k."""
    return lambda i: right(i) if i % k == start else wrong(i)


ANSWERS = {BASE: mixed, ("base", "x"): every(3), ("base", "y"): every(4, 1), ("base", "z"): right}


@pytest.mark.parametrize("task", [{}, {"cluster": "chat"}], ids=["alone", "clustered"])
def test_p_of_claims_tested_together_is_that_of_each_alone(tmp_path: Path, task: dict[str, str]) -> None:
    named = {"metrics": ["f1", "exact", "rouge"], **task}
    result = read(make(tmp_path / "r", plain(answers=ANSWERS, task=named)))
    names = ("f1", "exact", "rouge1", "rougeL")
    gates = [make_gate(adapter="*", metric=name, must_beat=True) for name in names]
    with opened(result, None) as inputs:
        asked = [questions.question(check, inputs) for check in checks(gates, result)]
        answered = [questions.answer(question, inputs) for question in asked]
    assert len(answered) == len(names) * 3
    told = []
    with open_rows(result.folder) as rows:
        for one in answered:
            check = one.check
            metric = metrics.load(check.plugin)
            tables = [rows.get(("t", who, check.plugin)) for who in (System(model="base"), check.system)]
            p, test = stats.chance(
                stats.Table(
                    rows=np.stack([table.stats for table in tables], axis=1),
                    value=metric.value,
                    interval=metric.interval,
                ),
                [(0, 1)],
                resamples=stats.RESAMPLES,
                clusters=[i // 4 for i in range(40)] if task else None,
            )
            assert one.because == test
            assert one.finding.chance == p[0, metric.names.index(check.metric)]
            told.append(one.finding.chance)
    assert len({*told}) > 2  # they do differ


def test_a_claim_without_rows_leaves_the_others_their_answer(tmp_path: Path) -> None:
    """A system that the result names and has no rows of."""

    def lost(document: dict[str, Any]) -> None:
        document["scores"] += [
            {**document["scores"][-1], "adapter": "gone", "metric": name} for name in ("f1", "exact")
        ]

    result = read(make(tmp_path / "r", plain(answers=ANSWERS, edit=lost)))
    found = {
        one.subject: one.verdict
        for one in judge(result.folder, [make_gate(adapter="*", must_beat=True)]).verdicts
    }
    assert found == {"base + gone": "invalid"} | {f"base + {name}": found[f"base + {name}"] for name in "xyz"}
    assert found["base + z"] == "pass"
