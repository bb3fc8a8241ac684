"""Slices against the plainest way to compute them, and columns that divide samples."""

import warnings
from dataclasses import replace
from pathlib import Path
from random import Random

import numpy as np
import pytest
import scipy.stats
import sklearn.metrics

from harness import metrics, stats
from harness.report.slices import FEWEST, RESAMPLES, _resamples, cuts
from harness.report.task_samples import LENGTH, Slicing, TaskSamples, task_samples
from harness.results import TaskFacts, read
from harness.types import Generation, Sample, System


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
    of = np.array([0] * (FEWEST - 1) + [1] * 39, dtype=np.int8)
    alone = replace(dialogues, slicings=(Slicing(name="x", labels=("a", "b"), of=of),))
    part = cuts(alone, [System(model="falcon-tiny")])[0].parts[System(model="falcon-tiny")]
    assert part[0] is not None and part[0].score.low is None
    assert part[1] is not None and part[1].score.low is not None


LABELS = ("a", "a", "a", "b", "b", "c")
BASE, ADAPTER = System(model="m"), System(model="m", adapter="x")


def made(name: str, count: int = 90) -> tuple[TaskSamples, dict[System, list[str]], list[str]]:
    """Samples in three slices; the answers of a base and of a better adapter, and the references."""
    chance, metric = Random(name), metrics.load(name)
    numbers = name in ("pearson", "spearman")
    wanted = [f"{chance.random():.2f}" if numbers else chance.choice(LABELS) for _ in range(count)]
    answers = {
        system: [
            right
            if chance.random() < skill
            else f"{chance.random():.2f}"
            if numbers
            else chance.choice("abz")
            for right in wanted
        ]
        for system, skill in ((BASE, 0.4), (ADAPTER, 0.8))
    }
    assert metric.row is not None
    rows = {
        system: np.array(
            [
                metric.row(
                    Sample(id="s", input="", references=(right,)), Generation(sample_id="s", text=answer)
                )
                for right, answer in zip(wanted, given, strict=True)
            ],
            dtype=np.float64,
        )
        for system, given in answers.items()
    }
    of = np.array([chance.randrange(3) for _ in range(count)], dtype=np.int8)
    samples = TaskSamples(
        task=TaskFacts(name="t", primary=name, metrics=(name,)),
        ids=tuple(f"s{place}" for place in range(count)),
        metric=metric,
        rows=rows,
        slicings=(Slicing(name="topic", labels=("x", "y", "z"), of=of),),
    )
    return samples, answers, wanted


def by_others(name: str, wanted: list[str], given: list[str]) -> float:
    """The score by scipy or scikit-learn, which know nothing of rows."""
    known = sorted(set(wanted))
    match name:
        case "pearson":
            return 100 * scipy.stats.pearsonr(list(map(float, wanted)), list(map(float, given))).statistic
        case "spearman":
            return 100 * scipy.stats.spearmanr(list(map(float, wanted)), list(map(float, given))).statistic
        case "matthews":
            return 100 * sklearn.metrics.matthews_corrcoef(wanted, given)
        case "f1_macro":
            return 100 * sklearn.metrics.f1_score(wanted, given, labels=known, average="macro")
        case "balanced_accuracy":
            with warnings.catch_warnings(action="ignore"):  # an answer is no label
                return 100 * sklearn.metrics.balanced_accuracy_score(wanted, given)
        case _:
            return 100 * sklearn.metrics.accuracy_score(wanted, given)


@pytest.mark.parametrize(
    "name", ["pearson", "spearman", "matthews", "f1_macro", "balanced_accuracy", "accuracy"]
)
def test_a_slice_has_the_value_that_scipy_and_scikit_learn_give_its_samples_and_the_tasks_intervals(
    name: str,
) -> None:
    samples, answers, wanted = made(name)
    (slicing,), (cut,) = samples.slicings, cuts(samples, [BASE, ADAPTER])
    metric = samples.metric
    assert metric is not None and metric.formula is not None
    for label in range(3):
        some = np.flatnonzero(slicing.of == label)
        expected = {
            system: by_others(name, [wanted[one] for one in some], [given[one] for one in some])
            for system, given in answers.items()
        }
        parts = {system: cut.parts[system][label] for system in answers}
        alone = stats.paired(
            samples.rows[BASE][some],
            samples.rows[ADAPTER][some],
            metric.formula,
            resamples=RESAMPLES,
            interval=metric.interval,
        )
        for system, part in parts.items():
            assert part is not None and part.score.low is not None and part.score.high is not None
            assert part.score.value == pytest.approx(expected[system], abs=1e-9)
            ends = (part.score.low, part.score.high)
            if metric.interval == "wilson":
                assert ends == stats.wilson(*samples.rows[system][some].sum(axis=0))
            else:
                drawn = stats.bootstrap(samples.rows[system][some], metric.formula, resamples=RESAMPLES)
                assert ends == pytest.approx(stats.percentile_interval(drawn[:, 0]), abs=1e-9)
        moved = parts[ADAPTER].to_base if parts[ADAPTER] else None
        assert moved is not None
        assert moved.value == pytest.approx(expected[ADAPTER] - expected[BASE], abs=1e-9)
        assert (moved.low, moved.high) == pytest.approx((alone.low[0], alone.high[0]), abs=1e-9)


@pytest.mark.parametrize("name", ["pearson", "spearman", "matthews"])
def test_a_slice_whose_references_are_all_equal_has_no_correlation_and_is_named(name: str) -> None:
    samples, _, wanted = made(name)
    one = np.array([text == wanted[0] for text in wanted])
    slicing = Slicing(name="which", labels=("same", "rest"), of=np.where(one, 0, 1).astype(np.int8))
    (cut,) = cuts(replace(samples, slicings=(slicing,)), [BASE, ADAPTER])
    assert cut.alike == ("same",)
    assert [part is None for part in cut.parts[ADAPTER]] == [True, False]


@pytest.mark.parametrize(("refused", "shown"), [(6, False), (4, True)])
def test_a_slice_of_texts_that_were_refused_has_no_score_and_never_nan(refused: int, shown: bool) -> None:
    rows = np.array([[-9.0, 4.0, 2.0, 3.0]] * 12)
    rows[:refused] = 0.0
    samples = TaskSamples(
        task=TaskFacts(name="t", primary="bits_per_byte", metrics=("perplexity",)),
        ids=tuple(map(str, range(12))),
        metric=metrics.load("perplexity"),
        rows={BASE: rows},
        slicings=(Slicing(name="x", labels=("a", "b"), of=np.repeat([0, 1], 6).astype(np.int8)),),
    )
    part, rest = cuts(samples, [BASE])[0].parts[BASE]
    assert rest is not None and rest.score.low == rest.score.value
    assert (part is not None) == shown
    assert part is None or (np.isfinite(part.score.value) and part.score.low is None)


def test_many_systems_under_a_statistic_draw_fewer_resamples_and_never_too_few() -> None:
    metric = metrics.load("spearman")
    drawn = {systems: _resamples(metric.table(np.ones((1_000, systems, 3)))) for systems in (1, 2, 4, 1_000)}
    assert drawn == {1: RESAMPLES, 2: RESAMPLES, 4: 1_000, 1_000: 500}
    assert _resamples(metrics.load("exact").table(np.ones((1_000, 1_000, 2)))) == RESAMPLES
