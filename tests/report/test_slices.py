"""Slices against the plainest way to compute them, and columns that divide samples."""

from pathlib import Path

import numpy as np
import pytest

from harness import stats
from harness.report.slices import FEWEST, RESAMPLES, cuts
from harness.report.task_samples import LENGTH, TaskSamples, task_samples
from harness.results import read
from harness.types import System


@pytest.fixture(scope="module")
def dialogues(example: Path) -> TaskSamples:
    return task_samples(read(example))["dialogues"]


def test_columns_of_few_values_and_thirds_of_the_lengths_divide_the_samples(dialogues: TaskSamples) -> None:
    found = {one.name: one for one in dialogues.slicings}
    assert set(found) == {"scenario", "seen", LENGTH}
    assert found["seen"].labels == ("no", "yes")
    for one in found.values():
        assert one.of.min() >= 0
        assert set(one.of) == set(range(len(one.labels)))
    counts = np.bincount(found[LENGTH].of)
    assert counts.sum() == 40 and counts.min() > 5


def test_a_slice_scores_and_differs_as_its_samples_alone_do(dialogues: TaskSamples) -> None:
    base, adapter = System(model="falcon-tiny"), System(model="falcon-tiny", adapter="quickstart")
    cut = next(one for one in cuts(dialogues, [base, adapter]) if one.name == "seen")
    slicing = next(one for one in dialogues.slicings if one.name == "seen")
    assert dialogues.metric is not None and dialogues.metric.value is not None
    for place, label in enumerate(cut.labels):
        some = slicing.of == slicing.labels.index(label)
        assert cut.counts[place] == some.sum()
        part = cut.parts[adapter][place]
        assert part is not None and part.to_base is not None
        alone = stats.paired(
            dialogues.rows[base][some],
            dialogues.rows[adapter][some],
            dialogues.metric.value,
            resamples=RESAMPLES,
        )
        column = dialogues.column
        assert part.to_base.value == pytest.approx(alone.difference[column])
        assert part.to_base.low == pytest.approx(alone.low[column])
        assert part.to_base.high == pytest.approx(alone.high[column])
        total = dialogues.metric.value(dialogues.rows[adapter][some].sum(axis=0))[column]
        assert part.score.value == pytest.approx(total)
        assert cut.parts[base][place].to_base is None


def test_a_slice_too_small_for_a_spread_has_no_interval(dialogues: TaskSamples) -> None:
    from dataclasses import replace

    from harness.report.task_samples import Slicing

    of = np.array([0] * (FEWEST - 1) + [1] * 39, dtype=np.int8)
    alone = replace(dialogues, slicings=(Slicing(name="x", labels=("a", "b"), of=of),))
    part = cuts(alone, [System(model="falcon-tiny")])[0].parts[System(model="falcon-tiny")]
    assert part[0] is not None and part[0].score.low is None
    assert part[1] is not None and part[1].score.low is not None
