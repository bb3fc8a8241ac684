"""Populations whose truth is known: what an interval should cover, drawn from as often as one likes."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cache, cached_property

import numpy as np

from benchmarks.races.rouge import pairs
from harness import stats
from harness.metrics import bleu, load
from harness.stats import Array
from harness.stats.power import DETECTED
from harness.types import Generation, Sample

POOL = 5_000  # members of a made-up population
TEXTS = 5  # populations of 819 texts, of which one is made


@dataclass(frozen=True, kw_only=True)
class World:
    """Samples as likely as their weights say, each with the rows of a baseline and of a candidate."""

    name: str
    pool: Array  # [members, 2, k]
    value: stats.Value
    column: int = 0  # which of the scores that `value` gives
    interval: stats.Interval = "bootstrap"
    weights: Array  # [members]; their sum is 1

    def score(self, totals: Array) -> Array:  # [..., k] -> [...]
        return self.value(totals)[..., self.column]

    @cached_property
    def scores(self) -> Array:  # [2]
        return self.score(np.einsum("m,msk->sk", self.weights, self.pool))

    @property
    def difference(self) -> float:
        return float(self.scores[1] - self.scores[0])

    @cached_property
    def pulls(self) -> Array:  # [members]
        """By how much the difference moves towards each member: its influence, whose mean is nothing."""
        mean, step = np.einsum("m,msk->sk", self.weights, self.pool), 1e-5
        moved = self.score(mean + step * (self.pool - mean))  # [members, 2]
        return (moved[:, 1] - moved[:, 0] - self.difference) / step

    def error(self, n: int) -> float:
        """Standard error of the difference on n samples, of a metric that is as good as linear."""
        return float((self.weights @ self.pulls**2 / n) ** 0.5)

    def tilted(self, slope: float) -> "World":
        """The same members, the likelier the more they speak for the candidate."""
        lift = slope * self.pulls / self.error(1)
        weights = self.weights * np.exp(lift - lift.max())
        return replace(self, weights=weights / weights.sum())

    def at(self, errors: float, n: int) -> "World":
        """Tilted to where the difference is so many of its standard errors on n samples."""
        low, high = -20.0, 20.0
        for _ in range(50):
            middle = (low + high) / 2
            there = self.tilted(middle)
            low, high = (low, middle) if there.difference > errors * there.error(n) else (middle, high)
        return self.tilted((low + high) / 2)

    def detectable(self, n: int) -> "World":
        """Tilted to where the difference is the smallest that n samples should show."""
        return self.at(DETECTED, n)

    def drawn(self, random: np.random.Generator, n: int, repeats: int) -> stats.Table:
        """Repeats of n samples: systems 0 and 1 are the first one's baseline and candidate, and so on."""
        picked = random.choice(len(self.pool), size=(n, repeats), p=self.weights)
        rows = self.pool[picked].reshape(n, 2 * repeats, -1)

        def value(total: Array) -> Array:
            return self.score(total)[..., None]

        return stats.Table(rows=rows, value=value, interval=self.interval)


def mean(total: Array) -> Array:
    return 100 * total[..., :-1] / total[..., -1:]


VALUES = {"rouge": mean, "bleu": bleu.value}  # which another process can be given


def rouge_like(name: str, zeros: float, a: float, b: float) -> World:
    """Scores from 0 to 1 by sample: many of them 0, the others skewed; a candidate's go with its baseline's."""
    random = np.random.default_rng(0)
    ease = random.beta(a, b, POOL)
    # Each side's score strays around what the sample allows, and each side misses some samples altogether.
    stray = random.beta(6 * ease[:, None] + 0.3, 6 * (1 - ease[:, None]) + 0.3, (POOL, 2))
    missed = random.random((POOL, 2)) < zeros * (1 - ease[:, None])
    scores = np.where(missed, 0.0, stray)
    pool = np.stack([scores, np.ones((POOL, 2))], axis=-1)
    return World(name=name, pool=pool, value=mean, weights=np.full(POOL, 1 / POOL))


def texts(plugin: str, score: str) -> World:
    """Answers to summarised dialogues by two systems of unlike damage, scored by the metric itself."""
    sides = (
        np.concatenate([_rows(plugin, 2 * i + side, damage) for i in range(TEXTS)])
        for side, damage in enumerate((0.15, 0.17))
    )
    pool = np.stack([*sides], axis=1)
    return World(
        name=f"{score} of texts",
        pool=pool,
        value=VALUES[plugin],
        column=load(plugin).names.index(score),
        weights=np.full(len(pool), 1 / len(pool)),
    )


@cache
def _rows(plugin: str, seed: int, damage: float) -> Array:
    metric = load(plugin)
    assert metric.row is not None
    return np.array(
        [
            metric.row(
                Sample(id="", input="", references=(reference,)), Generation(sample_id="", text=answer)
            )
            for reference, answer in pairs(seed=seed, damage=damage)
        ],
        dtype=np.float64,
    )


def hits(share: float, won: float, lost: float, interval: stats.Interval = "wilson") -> World:
    """A baseline that hits such a share of all samples; so many the candidate alone hits, and so many it alone misses."""
    weights = np.array([1 - share - won, won, lost, share - lost])  # neither hits, ..., both do
    if weights.min() < 0:
        raise ValueError(f"a share of {share:g} leaves no room for {won:g} won and {lost:g} lost")
    pool = np.array([[[a, 1], [b, 1]] for a, b in ((0, 0), (0, 1), (1, 0), (1, 1))], dtype=float)
    return World(
        name=f"hits of {share:.0%}, {100 * won:g} % won and {100 * lost:g} % lost",
        pool=pool,
        value=mean,
        interval=interval,
        weights=weights,
    )


def made_up() -> Sequence[World]:
    return (
        rouge_like("scores like ROUGE-2: mean 6, two thirds 0", 0.75, 0.5, 4.0),
        rouge_like("scores like ROUGE-L: mean 26, a quarter 0", 0.4, 1.2, 2.5),
        rouge_like("scores near the top: mean 81", 0.2, 5.0, 0.8),
    )
