"""20 systems compared pairwise: all pairs by one draw, and one call a pair, in turn.

    python -m benchmarks.comparisons

Writes benchmarks/results/comparisons.md.
"""

import platform
import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime
from itertools import chain, combinations
from pathlib import Path
from statistics import median

import numpy as np

from benchmarks.rouge import PAIRS, pairs
from harness import stats
from harness.hardware import PeakMemory, machine
from harness.metrics import load
from harness.types import Generation, Sample

RESULTS = Path(__file__).parent / "results"
SYSTEMS = 20
ASKED = list(combinations(range(SYSTEMS), 2))
REPETITIONS = 5
LARGE = 100_000  # samples
GOAL = 1.0  # seconds

Found = list[list[stats.Paired]]  # [metrics][pairs]


def scored(name: str) -> stats.Table:
    """What 20 systems, each a little worse than the one before, score on the same 819 samples."""
    metric = load(name)
    assert metric.row is not None and metric.value is not None
    rows = [
        [
            metric.row(
                Sample(id="", input="", references=(reference,)), Generation(sample_id="", text=answer)
            )
            for reference, answer in pairs(seed=system, damage=0.1 + 0.005 * system)
        ]
        for system in range(SYSTEMS)
    ]
    return stats.Table(
        rows=np.stack([np.array(one, dtype=np.float64) for one in rows], axis=1),
        value=metric.value,
        interval=metric.interval,
    )


def together(tables: list[stats.Table]) -> Found:
    return stats.compare(tables, ASKED)


def one_by_one(tables: list[stats.Table]) -> Found:
    return [
        [
            stats.paired(table.rows[:, a], table.rows[:, b], table.value, interval=table.interval)
            for a, b in ASKED
        ]
        for table in tables
    ]


def timed(work: Callable[[list[stats.Table]], Found], tables: list[stats.Table]) -> tuple[float, Found]:
    """Seconds by the clock. No draw is remembered from before: draws by other seeds have pushed it out."""
    for seed in range(1, 20):
        stats.bootstrap(np.ones((2, 1)), lambda total: total, resamples=1, seed=seed)
    started = time.perf_counter()
    found = work(tables)
    return time.perf_counter() - started, found


def assert_equal(these: Found, those: Found) -> None:
    """Differences and p equal, the rest but for the order of additions."""
    for one, other in zip(chain(*these), chain(*those), strict=True):
        same = np.array_equal(one.difference, other.difference) and np.array_equal(one.p, other.p)
        for field in ("low", "high", "detectable"):
            same = same and np.allclose(getattr(one, field), getattr(other, field), rtol=0, atol=1e-12)
        if not same or one.test != other.test:
            sys.exit("pairs compared together are not as alone")


def main() -> None:
    rouge, bleu = scored("rouge"), scored("bleu")
    cases = {
        "ROUGE-1, -2, -L and -Lsum": [rouge],
        "BLEU, no mean": [bleu],
        "both": [rouge, bleu],
    }
    seconds: dict[str, tuple[list[float], list[float]]] = {case: ([], []) for case in cases}
    with PeakMemory() as peak:
        for _ in range(REPETITIONS):
            for case, tables in cases.items():
                taken, found = timed(together, tables)
                seconds[case][0].append(taken)
                if case != "both":
                    taken, alone = timed(one_by_one, tables)
                    seconds[case][1].append(taken)
                    assert_equal(found, alone)
    text = table(seconds, peak.bytes / 1e6, *large(rouge))
    print(text)
    RESULTS.mkdir(exist_ok=True)
    (RESULTS / "comparisons.md").write_text(text + "\n", encoding="utf-8")


def large(few: stats.Table) -> tuple[float, float]:
    """Seconds and peak memory in MB where there are 100,000 samples: the few ones, drawn again and again."""
    picked = np.random.default_rng(0).integers(0, PAIRS, LARGE)
    many = stats.Table(rows=few.rows[picked], value=few.value)
    with PeakMemory() as peak:
        started = time.perf_counter()
        together([many])
    return time.perf_counter() - started, peak.bytes / 1e6


def table(
    seconds: dict[str, tuple[list[float], list[float]]],
    megabytes: float,
    large_seconds: float,
    large_megabytes: float,
) -> str:
    lines = [
        f"# {SYSTEMS} systems compared pairwise",
        "",
        f"{datetime.now(UTC):%Y-%m-%d}, {machine()}, {machine().memory_gb} GB; Python {platform.python_version()}, "
        f"numpy {np.__version__}; one process.",
        "",
        f"{len(ASKED)} pairs on {PAIRS} samples, 10,000 resamples: for each pair and metric the difference, its 95 % "
        "bootstrap interval, p by approximate randomisation, and the smallest detectable difference.",
        "",
        f"Seconds by the clock, median of {REPETITIONS} runs in turn (lowest to highest). Goal for ROUGE's four: "
        f"under {GOAL:g} s.",
        "",
        "| metrics | all pairs together | a call of `stats.paired` for each | times as fast |",
        "|---|--:|--:|--:|",
        *(_row(case, *times) for case, times in seconds.items()),
        "",
        "Differences and p of both are equal; ends of intervals and detectable differences to within 1e-12.",
        "",
        f"- peak memory: {megabytes:,.0f} MB, the interpreter and the libraries included",
        f"- ROUGE's four on {LARGE:,} samples: {large_seconds:.0f} s, peak {large_megabytes:,.0f} MB",
    ]
    return "\n".join(lines)


def _row(case: str, together: list[float], alone: list[float]) -> str:
    ratio = median(b / a for a, b in zip(together, alone, strict=True)) if alone else None
    met = f"**{_spread(together)}**" if median(together) < GOAL else _spread(together)
    return (
        f"| {case} | {met} | {_spread(alone) if alone else ''} | {'' if ratio is None else f'{ratio:.0f}'} |"
    )


def _spread(times: list[float]) -> str:
    return f"{median(times):.2f} ({min(times):.2f} to {max(times):.2f})"


if __name__ == "__main__":
    main()
