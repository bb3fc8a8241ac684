"""Ranks, which follow the reports' own tests, and what may stand in one ranking at all."""

from collections.abc import Callable
from dataclasses import replace
from itertools import combinations
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness import metrics, stats
from harness.leaderboard.rank import Entry, RankedGroup, SampleDigests, rank, shares, standings
from harness.results import ModelFacts, TaskFacts
from harness.types import Score, System

MEAN = np.ones(1)


def mean(total: np.ndarray) -> np.ndarray:
    return 100 * total[..., :1] / total[..., 1:]


def entry(name: str, own: np.ndarray | None, **changed: Any) -> Entry:
    value = 0.0 if own is None else float(own.sum())
    score = Score(task="t", system=System(model=name), metric="m", primary=True, signature="m|version:1", unit="%",
                  better="higher", value=value, low=None, high=None, n=100)  # fmt: skip
    made = Entry(
        run="one",
        task=TaskFacts(name="t", primary="m", metrics=("m",)),
        score=score,
        samples=SampleDigests(asked="a", drawn="a"),
        asked="x",
        shares=own,
        model=ModelFacts(name=name),
    )
    of_score = {key: value for key, value in changed.items() if hasattr(score, key) and key != "samples"}
    return replace(
        made,
        score=replace(score, **of_score),
        **{key: value for key, value in changed.items() if key not in of_score},
    )


def of(group: RankedGroup) -> dict[str, tuple[int | None, int | None]]:
    return {line.entry.score.system.model: (line.rank, line.last) for line in group.lines}


values = st.lists(st.lists(st.integers(0, 4), min_size=6, max_size=6), min_size=1, max_size=7)


@given(values)
def test_a_rank_lies_in_its_interval_and_the_best_score_is_never_behind(found: list[list[int]]) -> None:
    entries = [entry(f"s{n}", np.array(own, dtype=float) / 6) for n, own in enumerate(found)]
    (group,) = rank(entries)
    assert all(1 <= line.rank <= line.last <= len(found) for line in group.lines if line.rank and line.last)
    assert max(group.lines, key=lambda line: line.entry.score.value).rank == 1
    ranks = [line.rank for line in group.lines]
    assert ranks == sorted(ranks, key=lambda one: one or 0)


@given(values, st.randoms(use_true_random=False))
def test_the_order_in_which_results_are_given_changes_nothing(found: list[list[int]], chance: object) -> None:
    entries = [entry(f"s{n}", np.array(own, dtype=float)) for n, own in enumerate(found)]
    other = list(entries)
    chance.shuffle(other)  # type: ignore[attr-defined]
    assert rank(entries) == rank(other) or of(rank(entries)[0]) == of(rank(other)[0])


@given(values)
def test_equal_answers_share_a_rank(found: list[list[int]]) -> None:
    entries = [entry(f"s{n}", np.array(own, dtype=float)) for n, own in enumerate(found)]
    twin = replace(entries[0], run="two")
    (group,) = rank([*entries, twin])
    twins = [line for line in group.lines if line.entry.score.system.model == "s0"]
    assert len({(line.rank, line.last) for line in twins}) == 1


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 10_000))
def test_turning_every_score_round_turns_the_ranking_round(seed: int) -> None:
    found = np.random.default_rng(seed).normal(size=(6, 40)) + np.arange(6)[:, None] / 3
    better, worse = standings(found)
    turned_better, turned_worse = standings(-found)
    assert (better == turned_worse).all()
    assert (worse == turned_better).all()


def test_many_systems_in_blocks_stand_as_every_pair_says(monkeypatch: pytest.MonkeyPatch) -> None:
    chance = np.random.default_rng(3)
    found = chance.normal(size=(40, 60)) + chance.normal(size=(40, 1))
    whole = standings(found)
    monkeypatch.setattr("harness.leaderboard.rank.BLOCK", 7)
    for one, other in zip(whole, standings(found), strict=True):
        assert (one == other).all()
    # Holm over all pairs, from the p of each.
    from statistics import NormalDist

    pairs = list(combinations(range(40), 2))
    gaps = [found[b] - found[a] for a, b in pairs]
    errors = [float(gap.sum() / np.sqrt((gap**2).sum())) for gap in gaps]
    adjusted = stats.holm([2 * (1 - NormalDist().cdf(abs(one))) for one in errors])
    better = np.zeros(40, dtype=int)
    for (a, b), error, p in zip(pairs, errors, adjusted, strict=True):
        if p <= 0.05:
            better[a if error > 0 else b] += 1
    assert (better == whole[0]).all()


@pytest.mark.parametrize("plugin, column", [("rouge", 2), ("bleu", 0), ("chrf", 0), ("exact", 0), ("f1", 0)])
def test_differences_are_as_many_errors_as_the_randomisation_of_reports_says(
    plugin: str, column: int, example_rows: Callable[[str], tuple[metrics.Metric, np.ndarray]]
) -> None:
    metric, rows = example_rows(plugin)
    assert metric.value is not None
    table = stats.Table(rows=rows, value=metric.value)
    pairs = list(combinations(range(rows.shape[1]), 2))
    drawn = stats.chance(table, pairs, resamples=4_000, seed=1)[0][:, column]
    from statistics import NormalDist

    own = [shares(rows[:, system], metric.value, column) for system in range(rows.shape[1])]
    for (a, b), p in zip(pairs, drawn, strict=True):
        first, second = own[a], own[b]
        assert first is not None
        assert second is not None
        gap = second - first
        normal = 2 * (1 - NormalDist().cdf(abs(float(gap.sum() / np.sqrt((gap**2).sum())))))
        # Resampling noise at 4,000, what a normal tail differs from that of few changes, and of hits their steps.
        assert abs(normal - p) < 0.03 + 0.15 * p, (a, b)


@pytest.fixture(scope="module")
def example_rows() -> Callable[[str], tuple[metrics.Metric, np.ndarray]]:
    """Rows of made-up answers by systems of near skills: [n, systems, k]."""
    import random

    from harness.types import Generation
    from tests.report.conftest import answer, dialogue

    def rows(plugin: str) -> tuple[metrics.Metric, np.ndarray]:
        chance = random.Random(5)
        metric = metrics.load(plugin)
        assert metric.row is not None
        samples = [dialogue(place, chance) for place in range(150)]
        skills = (0.6, 0.62, 0.65, 0.7) if plugin != "exact" else (0.96, 0.97, 0.98, 0.99)
        found = [
            [
                metric.row(one, Generation(sample_id=one.id, text=answer(one, skill, chance)))
                for skill in skills
            ]
            for one in samples
        ]
        return metric, np.array(found, dtype=float)

    return rows


def test_shares_of_a_mean_are_each_samples_own_and_always_sum_to_the_score() -> None:
    rows = np.stack([np.array([1.0, 0, 1, 1, 0]), np.ones(5)], axis=1)
    assert shares(rows, mean, 0) == pytest.approx([20, 0, 20, 20, 0])
    metric = metrics.load("bleu")
    assert metric.value is not None and metric.row is not None
    assert shares(rows[:1], mean, 0) is None  # one sample has no spread


def test_three_samples_never_make_a_difference_significant() -> None:
    better, worse = standings(np.array([[0.0, 0, 0], [33, 33, 33]]))
    assert not better.any()
    assert not worse.any()


def test_where_less_is_better_the_least_is_first() -> None:
    chance = np.random.default_rng(0)
    low, high = chance.normal(1, 0.1, 50), chance.normal(2, 0.1, 50)
    (group,) = rank([entry("high", high, better="lower"), entry("low", low, better="lower")])
    assert of(group) == {"low": (1, 1), "high": (2, 2)}


@pytest.mark.parametrize(
    "changed, said",
    [
        ({"signature": "m|version:2"}, "scored otherwise: version:2 instead of version:1"),
        ({"metric": "other"}, "judged by other instead of m"),
        ({"samples": SampleDigests(asked="b", drawn="b")}, "with other inputs or references"),
        ({"samples": SampleDigests(asked="b", drawn="b"), "n": 50}, "asked other samples: 50 instead of 100"),
        ({"samples": SampleDigests(asked="a", drawn="b")}, "grouped otherwise"),
        ({"samples": SampleDigests(asked="a", drawn="a", told=False)}, "an older result"),
        ({"unit": "points"}, "on another scale"),
    ],
)
def test_what_means_another_thing_is_ranked_apart_and_says_why(changed: dict[str, object], said: str) -> None:
    own = np.arange(100.0)
    usual = [entry("a", own), entry("b", own + 1)]
    groups = rank([entry("c", own, **changed), *usual])
    assert [len(group.lines) for group in groups] == [2, 1]
    assert groups[0].apart == ()
    assert said in groups[1].apart[0]


def test_a_score_that_is_no_sum_leaves_its_group_without_ranks_but_in_order() -> None:
    (group,) = rank([entry("a", None, value=1.0), entry("b", None, value=2.0)])
    assert of(group) == {"b": (None, None), "a": (None, None)}
    assert next(iter(of(group))) == "b"


def test_tasks_are_never_ranked_together() -> None:
    other = TaskFacts(name="u", primary="m", metrics=("m",))
    assert len(rank([entry("a", np.ones(5)), replace(entry("a", np.ones(5)), task=other)])) == 2
