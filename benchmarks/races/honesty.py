"""Do the statistics keep what they say: what 95 % intervals cover, how often gates err, what a sample size decides.

    python -m benchmarks.races.honesty [REPEATS]

Writes benchmarks/results/honesty.md. Repeats (4,000) are drawn from populations whose truth is known; what can be counted is
counted: Wilson's intervals, and those of paired hits. tests/stats/test_honesty.py runs the same with few repeats.
"""

import sys
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import cache
from multiprocessing import get_context
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.lib.race import write
from benchmarks.lib.worlds import World, hits, made_up, mean, texts
from harness import stats
from harness.stats import Array

Truths = NDArray[np.bool_]

REPEATS, RESAMPLES = 4_000, 2_500
BLOCK = 250  # repeats that share a draw of resamples; the next ones have another
COVERS, OF_BLEU = (93.5, 96.5), (92.0, 97.0)  # percent
POWER, DECIDES, FALSE_ALARMS = (75.0, 85.0), 75.0, 5.0
SHARES = [round(share, 2) for share in np.arange(0.02, 0.981, 0.01)]
# A baseline's share of hits, and how many samples the candidate alone hits and misses; first where nothing is lost.
EVEN = (
    (0.5, 0.005, 0.005),
    (0.5, 0.015, 0.015),
    (0.5, 0.05, 0.05),
    (0.5, 0.2, 0.2),
    (0.1, 0.025, 0.025),
    (0.9, 0.025, 0.025),
)
UNEVEN = (
    (0.5, 0.01, 0.0),
    (0.5, 0.0075, 0.0025),
    (0.5, 0.008, 0.0),
    (0.5, 0.02, 0.005),
    (0.5, 0.1, 0.05),
    (0.02, 0.04, 0.005),
)
MARGINS = (0.0, 1.96, 2.802, 3.6)  # tolerated drops, in standard errors
OFFSETS = (0.25, 0.5, 1.0, 1.5)  # how far the truth lies from the limit, in standard errors
SEEDS, SCATTERS = (3, 5, 8), (0.3, 1.0, 3.0)  # of seeds, in standard errors of the samples


@dataclass(frozen=True, kw_only=True)
class Asked:
    """Pairs compared by `stats.compare` on repeated draws; arrays [repeats]."""

    truth: float
    difference: Array
    low: Array
    high: Array
    error: Array
    p: Array

    @property
    def covered(self) -> float:
        """Percent, as all shares here."""
        return share((self.low <= self.truth + stats.TIE) & (self.truth - stats.TIE <= self.high))

    @property
    def power(self) -> float:
        return share(self.p < 0.05)

    def passed(self, margin: float) -> Truths:
        return self.low >= -margin - stats.TIE

    def failed(self, margin: float) -> Truths:
        return self.high < -margin - stats.TIE


def share(true: Truths) -> float:
    return 100 * float(np.mean(true))


def blocks(repeats: int) -> Iterable[tuple[int, int]]:
    """Seed and size of each."""
    return ((start // BLOCK, min(BLOCK, repeats - start)) for start in range(0, repeats, BLOCK))


# What is found by drawing.


def compared(world: World, n: int, repeats: int, resamples: int = RESAMPLES) -> Asked:
    found: list[stats.Paired] = []
    for seed, size in blocks(repeats):
        table = world.drawn(np.random.default_rng((1, seed)), n, size)
        pairs = [(2 * i, 2 * i + 1) for i in range(size)]
        found += stats.compare([table], pairs, resamples=resamples, seed=seed)[0]
    parts = {
        name: np.array([getattr(one, name)[0] for one in found])
        for name in ("difference", "low", "high", "error", "p")
    }
    return Asked(truth=world.difference, **parts)


def scores(world: World, n: int, repeats: int, resamples: int = RESAMPLES) -> tuple[float, float]:
    """What percentile and BCa intervals of a score cover."""
    truth = world.scores[1]
    by_percentile, by_bca = [], []
    for seed, size in blocks(repeats):
        table = world.drawn(np.random.default_rng((2, seed)), n, size).of([2 * i + 1 for i in range(size)])
        drawn = stats.resampled([table], resamples=resamples, seed=seed)[0][:, 0]  # [size, resamples]
        left_out = stats.left_out(table.rows, table.value)[..., 0]  # [n, size]
        by_percentile += [np.quantile(drawn, (0.025, 0.975), axis=1).T]
        by_bca += [np.array(stats.bca_ends(table.scores()[:, 0], drawn.T, left_out)).T]
    percentile, bca = np.concatenate(by_percentile), np.concatenate(by_bca)
    return (
        share((percentile[:, 0] <= truth) & (truth <= percentile[:, 1])),
        share((bca[:, 0] <= truth) & (truth <= bca[:, 1])),
    )


def recipes(seeds: int, scatter: float, repeats: int, n: int = 200) -> tuple[float, float]:
    """What intervals of a recipe's mean and of its difference to the base cover.

    A seed moves all samples alike, by so many standard errors of the samples' mean, and each sample by itself.
    """
    random = np.random.default_rng((3, seeds, int(10 * scatter)))
    score: list[bool] = []
    gain: list[bool] = []
    for repeat in range(repeats):
        base = random.normal(0.3, 0.2, n)
        moved = 0.02 + scatter * 0.2 / n**0.5 * random.standard_normal((seeds, 1))
        adapters = base + moved + 0.1 * random.standard_normal((seeds, n))
        rows = np.stack([np.vstack([adapters, base]), np.ones((seeds + 1, n))], axis=-1)
        found = stats.over_seeds([*rows[:seeds]], rows[-1], mean, resamples=1_000, seed=repeat % 8)
        assert found.difference is not None
        for estimate, truth, covered in ((found.score, 32.0, score), (found.difference, 2.0, gain)):
            covered.append(float(estimate.low[0]) <= truth <= float(estimate.high[0]))
    return share(np.array(score)), share(np.array(gain))


def settled(world: World, n: int, offset: float, repeats: int) -> tuple[float, float]:
    """How many repeats are open, and of these how many the named number of samples decides.

    The first n samples stay and others are added. The interval of all is a normal one: there are so many by then.
    """
    world = world.at(0.0, n)
    margin = offset * world.error(n)
    random = np.random.default_rng((4, n))
    opened, decided = 0, 0
    for seed, size in blocks(repeats):
        draw = np.random.default_rng((1, seed))
        picked = draw.choice(len(world.pool), size=(n, size), p=world.weights)
        table = world.drawn(np.random.default_rng((1, seed)), n, size)
        pairs = [(2 * i, 2 * i + 1) for i in range(size)]
        for i, one in enumerate(stats.compare([table], pairs, resamples=RESAMPLES, seed=seed)[0]):
            if one.low[0] >= -margin - stats.TIE or one.high[0] < -margin - stats.TIE:
                continue
            opened += 1
            needed = stats.needed_samples(float(one.difference[0]), float(one.error[0]), n, margin=-margin)
            more = random.choice(len(world.pool), size=needed - n, p=world.weights)
            decided += _decides(world, np.concatenate([picked[:, i], more]), margin)
    return 100 * opened / repeats, 100 * decided / max(1, opened)


def _decides(world: World, picked: Array, margin: float) -> bool:
    counts = np.bincount(picked, minlength=len(world.pool))
    if world.interval == "wilson":
        low, high, _ = stats.changed_interval(int(counts[1]), int(counts[2]), len(picked))
    else:
        a, b = world.score(np.einsum("m,msk->sk", counts, world.pool))
        pull = counts @ world.pulls / len(picked)
        half = stats.Z_95 * float(counts @ (world.pulls - pull) ** 2) ** 0.5 / len(picked)
        low, high = b - a - half, b - a + half
    return low >= -margin or high < -margin


# What is counted.


def binomial(n: int, share: float) -> Array:  # [n + 1]
    """Chances of 0 to n hits."""
    hit = np.arange(n + 1)
    return np.exp(_ways(n)[0] + hit * np.log(share) + (n - hit) * np.log1p(-share))


@cache
def _ways(n: int) -> tuple[Array, Array]:
    """Logarithms of how many ways lead to each number of hits, and of all factorials up to n."""
    factorials = np.concatenate([[0.0], np.cumsum(np.log(np.arange(1, n + 1)))])
    return factorials[n] - factorials - factorials[::-1], factorials


def wilson(n: int, true_share: float) -> float:
    """What Wilson's interval covers."""
    ends = np.array([stats.wilson(k, n) for k in range(n + 1)])
    inside = (ends[:, 0] <= 100 * true_share) & (100 * true_share <= ends[:, 1])
    return 100 * float(binomial(n, true_share) @ inside)


def of_changed(world: World, n: int, z: float = stats.Z_95) -> float:
    """What the interval of changed samples covers, over all numbers won and lost."""
    won, lost = (float(world.weights[place]) for place in (1, 2))
    _, logs = _ways(n)
    a, b = np.meshgrid(np.arange(n + 1), np.arange(n + 1), indexing="ij")
    same = np.maximum(n - a - b, 0)
    ways = np.exp(
        logs[n] - logs[a] - logs[b] - logs[same] + same * np.log1p(-won - lost) + _log(a, won) + _log(b, lost)
    )
    chances = np.where(a + b <= n, ways, 0.0)
    inside = 0.0
    for i, j in zip(*np.nonzero(chances > 1e-9), strict=True):
        low, high, _ = stats.changed_interval(int(i), int(j), n)
        centre, half = (low + high) / 2, (high - low) / 2 * z / stats.Z_95
        inside += chances[i, j] * (
            centre - half <= world.difference + stats.TIE <= centre + half + 2 * stats.TIE
        )
    return 100 * inside / float(chances.sum())


def _log(times: NDArray[np.integer[Any]], chance: float) -> Array:
    """Logarithm of what happens with that chance, so many times."""
    return times * np.log(chance) if chance > 0 else np.where(times > 0, -np.inf, 0.0)


def settled_share(true_share: float, n: int, offset: float) -> tuple[float, float]:
    """As `settled`, of a share that is to be at most so much: counted over all numbers of hits, first and further."""
    limit = true_share + offset * (true_share * (1 - true_share) / n) ** 0.5
    opened = decided = 0.0
    for k, chance in enumerate(binomial(n, true_share)):
        low, high = stats.wilson(k, n)
        if chance < 1e-6 or not low <= 100 * limit < high:
            continue
        opened += chance
        total = stats.needed_trials(k, n, limit)
        further = binomial(total - n, true_share)
        held = np.array(
            [further[m] for m in range(total - n + 1) if further[m] > 1e-12 and _closed(k + m, total, limit)]
        )
        decided += chance * float(held.sum())
    return 100 * opened, 100 * decided / opened


def _closed(hit: int, n: int, limit: float) -> bool:
    low, high = stats.wilson(hit, n)
    return high <= 100 * limit or low > 100 * limit


# The page.

Row = Sequence[Any]
Job = tuple[str, str, Callable[..., Any], tuple[Any, ...]]  # section, row's name, work, what it is given


def all_worlds() -> list[World]:
    return [*made_up(), texts("rouge", "rougeL"), texts("rouge", "rouge2"), texts("bleu", "bleu")]


def sizes(world: World) -> tuple[int, ...]:
    return (200,) if world.name.startswith("bleu") else (200, 800)


def jobs(repeats: int) -> list[Job]:
    found: list[Job] = []
    for world in all_worlds():
        for n in sizes(world):
            name = f"{world.name}, n = {n}"
            found += [
                ("scores", name, scores, (world, n, repeats)),
                ("differences", name, compared, (world, n, repeats)),
                ("gates", name, compared, (world.at(0.0, n), n, repeats)),
                ("power", name, compared, (world.detectable(n), n, repeats)),
            ]
    for shares in (*EVEN, *UNEVEN):
        for n in (200, 800):
            world = hits(*shares)
            name = f"{world.name}, n = {n}"
            found += [("bootstrapped hits", name, compared, (hits(*shares, "bootstrap"), n, repeats))]
            if shares in EVEN:
                found += [("gates", name, compared, (world, n, repeats))]
            if shares in EVEN and 2 * shares[1] * n >= 20:  # of fewer that change, no difference is found
                found += [("power", name, compared, (world.detectable(n), n, repeats))]
    some = (made_up()[0], made_up()[1], texts("bleu", "bleu"), hits(0.5, 0.05, 0.05))
    for world in some:
        found += [("settled", world.name, settled, (world, 200, offset, repeats)) for offset in OFFSETS]
    for seeds in SEEDS:
        found += [("recipes", f"{seeds} seeds", recipes, (seeds, scatter, repeats)) for scatter in SCATTERS]
    return found


def done(job: Job) -> tuple[str, str, tuple[Any, ...], Any]:
    section, name, work, given = job
    return section, name, given, work(*given)


def within(percent: float, ends: tuple[float, float]) -> str:
    """The number, set off where it meets its goal, else called a miss."""
    return f"**{percent:.1f}**" if ends[0] <= percent <= ends[1] else f"{percent:.1f} (miss)"


def goal_of(name: str) -> tuple[float, float]:
    return OF_BLEU if name.startswith("bleu") else COVERS


def main(repeats: int = REPEATS) -> None:
    asked = jobs(repeats)
    found: dict[str, list[tuple[str, tuple[Any, ...], Any]]] = {}
    # Forked: populations are made once, and the largest of them take as long as a row.
    with ProcessPoolExecutor(2, mp_context=get_context("fork")) as pool:
        for number, (section, name, given, result) in enumerate(pool.map(done, asked), 1):
            print(f"  {number} of {len(asked)}: {section}, {name}", file=sys.stderr, flush=True)
            found.setdefault(section, []).append((name, given, result))
    write(
        "honesty",
        "Do the statistics keep what they say",
        page(found, repeats),
        ("numpy", "sacrebleu", "rouge-score"),
    )


def page(found: dict[str, list[tuple[str, tuple[Any, ...], Any]]], repeats: int) -> list[str]:
    stray = 100 * (0.95 * 0.05 / repeats) ** 0.5
    return [
        f"Percent of {repeats:,} repeats drawn from populations whose truth is known, {RESAMPLES:,} resamples each: a "
        f"coverage of 95 strays by {stray:.2f} (one standard error). What can be counted is counted. "
        "Set off: the goal is met.",
        "",
        *_coverage(found),
        *_proportions(found),
        *_recipes(found),
        *_gates(found),
        *_power(found),
        *_settled(found),
    ]


def _coverage(found: dict[str, Any]) -> list[str]:
    differences = {name: result for name, _, result in found["differences"]}
    return [
        "## 95 % intervals of scores and of paired differences",
        "",
        f"Goals: {COVERS[0]} to {COVERS[1]}, of BLEU {OF_BLEU[0]:g} to {OF_BLEU[1]:g}. The harness gives percentiles.",
        "",
        "| population | score, percentile | score, BCa | difference, percentile |",
        "|---|--:|--:|--:|",
        *(
            f"| {name} | {within(plain, goal_of(name))} | {within(bca, goal_of(name))} | "
            f"{within(differences[name].covered, goal_of(name))} |"
            for name, _, (plain, bca) in found["scores"]
        ),
        "",
    ]


def _proportions(found: dict[str, Any]) -> list[str]:
    lines = [
        "## Proportions",
        "",
        "Wilson's interval of a share, counted exactly for shares of 0.02, 0.03, … 0.98. A count of hits is whole, so that "
        "coverage jumps with the share.",
        "",
        f"| n | mean | lowest | highest | shares within {COVERS[0]} to {COVERS[1]} |",
        "|--:|--:|--:|--:|--:|",
    ]
    for n in (200, 800):
        covered = {one: wilson(n, one) for one in SHARES}
        inside = sum(COVERS[0] <= one <= COVERS[1] for one in covered.values())
        worst, best = min(covered, key=covered.__getitem__), max(covered, key=covered.__getitem__)
        lines.append(
            f"| {n} | {within(float(np.mean([*covered.values()])), COVERS)} | "
            f"{within(covered[worst], COVERS)} at {worst} | {within(covered[best], COVERS)} at {best} | "
            f"{inside} of {len(covered)} |"
        )
    bootstrapped = {name: result.covered for name, _, result in found["bootstrapped hits"]}
    lines += [
        "",
        "Differences of paired hits: the interval of Agresti and Min, counted exactly, and the bootstrap's beside it.",
        "",
        "| population | Agresti and Min | bootstrap |",
        "|---|--:|--:|",
    ]
    for shares in (*EVEN, *UNEVEN):
        for n in (200, 800):
            world = hits(*shares)
            name = f"{world.name}, n = {n}"
            lines.append(
                f"| {name} | {within(of_changed(world, n), COVERS)} | {within(bootstrapped[name], COVERS)} |"
            )
    return [*lines, ""]


def _recipes(found: dict[str, Any]) -> list[str]:
    return [
        "## Recipes over training seeds",
        "",
        f"n = 200; goal {COVERS[0]} to {COVERS[1]}. Seeds scatter by so many standard errors of the samples' mean.",
        "",
        "| seeds | interval | seeds scatter by | mean score | difference to the base |",
        "|--:|---|--:|--:|--:|",
        *(
            f"| {seeds} | {'two-level bootstrap' if seeds >= 5 else 't'} | {scatter:g} | {within(score, COVERS)} | "
            f"{within(gain, COVERS)} |"
            for _, (seeds, scatter, _), (score, gain) in found["recipes"]
        ),
        "",
    ]


def _gates(found: dict[str, Any]) -> list[str]:
    lines = [
        "## `max_drop` where nothing was lost",
        "",
        "Tolerated drops in standard errors of the difference. Fails: the whole interval lies below it, goal "
        f"at most {FALSE_ALARMS:g}. Passes, which the plan foretells as Φ(drop / SE − 1.96): "
        + ", ".join(f"{100 * stats.pass_chance(m, 1):.0f} at {m:g} SE" for m in MARGINS)
        + ". What does neither is inconclusive.",
        "",
        "| population | fails at 0 | "
        + " | ".join(f"passes at {m:g} SE" for m in MARGINS)
        + " | does not pass, at the last |",
        "|---|" + "--:|" * (len(MARGINS) + 2),
    ]
    for name, (world, n, _), result in found["gates"]:
        margins = [m * world.error(n) for m in MARGINS]
        passes = [share(result.passed(margin)) for margin in margins]
        lines.append(
            f"| {name} | {within(share(result.failed(0.0)), (0.0, FALSE_ALARMS))} | "
            + " | ".join(f"{one:.1f}" for one in passes)
            + f" | {100 - passes[-1]:.1f} |"
        )
    return [*lines, ""]


def _power(found: dict[str, Any]) -> list[str]:
    return [
        "## Power at the smallest detectable difference",
        "",
        f"How often p < 0.05 where the truth is that difference; goal {POWER[0]:g} to {POWER[1]:g}. Stated: the median of "
        "what the repeats state.",
        "",
        "| population | truth | stated | power |",
        "|---|--:|--:|--:|",
        *(
            f"| {name} | {result.truth:.2f} | {float(np.median(result.error)) * stats.DETECTED:.2f} | "
            f"{within(result.power, POWER)} |"
            for name, _, result in found["power"]
        ),
        "",
    ]


def _settled(found: dict[str, Any]) -> list[str]:
    lines = [
        "## The sample size named with an inconclusive verdict",
        "",
        f"n = 200. Of the repeats that are open, those that so many samples decide; goal at least {DECIDES:g}. The truth "
        "lies so many standard errors (at n = 200) from the limit: where it is nearer than the estimate says, the named "
        "number is too small.",
        "",
        "| population | " + " | ".join(f"{offset:g} SE" for offset in OFFSETS) + " |",
        "|---|" + "--:|" * len(OFFSETS),
    ]
    by_world: dict[str, list[str]] = {}
    for name, _, result in found["settled"]:
        by_world.setdefault(name, []).append(_decided(result))
    for true_share in (0.05, 0.5, 0.9):
        by_world[f"a share of {true_share:g} (Wilson), counted"] = [
            _decided(settled_share(true_share, 200, offset)) for offset in OFFSETS
        ]
    return [*lines, *(f"| {name} | " + " | ".join(each) + " |" for name, each in by_world.items())]


def _decided(result: tuple[float, float]) -> str:
    opened, decided = result
    return f"{within(decided, (DECIDES, 100.0))} of {opened:.0f} open"


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
