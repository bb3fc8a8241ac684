"""Speed of the statistics: all pairs of a table, BLEU beside sacrebleu's paired bootstrap, and the commands that use them.

    python -m benchmarks.races.stats

Writes benchmarks/results/stats.md.
"""

import json
import shutil
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import contextmanager, redirect_stderr
from functools import partial
from io import StringIO
from itertools import chain, combinations
from os import environ
from pathlib import Path
from statistics import mean, median, stdev
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
from sacrebleu.metrics.bleu import BLEU
from sacrebleu.significance import PairedTest, _bootstrap_resample

from benchmarks.lib import measured
from benchmarks.lib.made_up import write_lines
from benchmarks.lib.race import BENCH, goal, ratio, rounds, seconds, spread, write
from benchmarks.races.rouge import PAIRS, Pair, pairs
from harness import stats
from harness.files.hardware import PeakMemory
from harness.metrics import load
from harness.results import json_lines
from harness.results.document import read_document, write_document
from harness.results.rows import Rows, open_rows, write_rows
from harness.types import Generation, Sample, System

ROUNDS = 5
FEW, MANY = 8, 20  # systems
SEGMENTS, BY_DEFAULT = 3_000, 1_000  # and the resamples that sacrebleu draws unless told otherwise
LARGE = 100_000  # samples
SEEDS = 8
SAMPLES = 800  # of the RESULT that commands read
FASTER = 50.0
SUITE = """
tasks:
  - {name: summaries, source: {uri: "file:.", columns: {id: id}, share: text}, prompt: "$input", metrics: [f1], primary: f1,
     decode: {max_new_tokens: 200}}
weights: false
base_shots: [0]
models:
"""
RULES = """
gates:
  - {adapter: base, max_drop: 1.0, against: baseline.json}
  - {adapter: base, max_relative_drop: 5, against: baseline.json, by: length}
  - {adapter: base, max_worse_samples: {drop: 20, percent: 10}, against: baseline.json, by: length}
  - {adapter: base, min_value: 50}
"""
CODES = (0, 1)  # some of the gates fail

Found = list[list[stats.Paired]]  # [metrics][pairs]


def table(name: str, systems: Sequence[Sequence[Pair]]) -> stats.Table:
    """What systems score on the same samples."""
    metric = load(name)
    assert metric.row is not None and metric.value is not None
    rows = [
        [
            metric.row(
                Sample(id="", input="", references=(reference,)), Generation(sample_id="", text=answer)
            )
            for reference, answer in answers
        ]
        for answers in systems
    ]
    return stats.Table(
        rows=np.stack([np.array(one, dtype=np.float64) for one in rows], axis=1),
        value=metric.value,
        interval=metric.interval,
    )


def timed(work: Callable[[], Any]) -> dict[str, Any]:
    """Seconds by the clock and of the processor. No draw is remembered: draws by other seeds have pushed it out."""
    for seed in range(1, 20):
        stats.bootstrap(np.ones((2, 1)), lambda total: total, resamples=1, seed=seed)
    started, busy = time.perf_counter(), time.process_time()
    found = work()
    return {
        "processor_seconds": time.process_time() - busy,
        "seconds": time.perf_counter() - started,
        "found": found,
    }


def processor(runs: Sequence[Mapping[str, Any]]) -> str:
    return f"{median(run['processor_seconds'] for run in runs):.2f}"


# Pairs of systems.


def every(systems: int) -> list[stats.Pair]:
    return list(combinations(range(systems), 2))


def one_by_one(tables: Sequence[stats.Table], asked: Sequence[stats.Pair]) -> Found:
    return [
        [
            stats.paired(table.rows[:, a], table.rows[:, b], table.value, interval=table.interval)
            for a, b in asked
        ]
        for table in tables
    ]


def assert_equal(these: Found, those: Found) -> None:
    """Differences and p equal, the rest but for the order of additions."""
    for one, other in zip(chain(*these), chain(*those), strict=True):
        same = np.array_equal(one.difference, other.difference) and np.array_equal(one.p, other.p)
        for field in ("low", "high", "detectable"):
            same = same and np.allclose(getattr(one, field), getattr(other, field), rtol=0, atol=1e-12)
        if not same or one.test != other.test:
            sys.exit("pairs compared together are not as alone")


def of_pairs(rouge: stats.Table, bleu: stats.Table) -> list[str]:
    few = [table.of(list(range(FEW))) for table in (rouge, bleu)]
    cases = {
        f"{FEW} systems, ROUGE-1, -2, -L and -Lsum": (few[:1], FEW, 1.0),
        f"{FEW} systems, BLEU": (few[1:], FEW, None),
        f"{MANY} systems, ROUGE's four": ([rouge], MANY, 1.0),
        f"{MANY} systems, BLEU": ([bleu], MANY, None),
    }
    lines = [
        "## All pairs of a table",
        "",
        f"{PAIRS} samples, 10,000 resamples: for each pair and metric the difference, its 95 % bootstrap interval, p by "
        f"approximate randomisation, and the smallest detectable difference. One process and thread. Seconds by the clock, "
        f"median of {ROUNDS} rounds in turn (lowest to highest), and of the processor.",
        "",
        "| what | pairs | seconds | processor | goal | a call of `stats.paired` for each pair | times as fast |",
        "|---|--:|--:|--:|---|--:|--:|",
    ]
    for name, (tables, systems, most) in cases.items():
        asked = every(systems)
        together = partial(timed, partial(stats.compare, tables, asked))
        alone = partial(timed, partial(one_by_one, tables, asked))
        found = rounds({f"{name}, together": together, f"{name}, one by one": alone}, ROUNDS)
        runs, each = found.values()
        assert_equal(runs[0]["found"], each[0]["found"])
        said = "" if most is None else f"{most:g} s, {'met' if median(seconds(runs)) <= most else 'missed'}"
        lines.append(
            f"| {name} | {len(asked)} | **{spread(seconds(runs))}** | {processor(runs)} | {said} | "
            f"{spread(seconds(each))} | {ratio(each, runs):.0f} |"
        )
    picked = np.random.default_rng(0).integers(0, PAIRS, LARGE)
    many = stats.Table(rows=rouge.rows[picked], value=rouge.value)
    with PeakMemory() as peak:
        run = timed(lambda: stats.compare([many], every(MANY)))
    return [
        *lines,
        "",
        "Differences and p of both are equal; ends of intervals and detectable differences to within 1e-12.",
        "",
        f"{MANY} systems, ROUGE's four, {LARGE:,} samples: {run['seconds']:.0f} s, peak memory {peak.bytes / 1e6:,.0f} MB.",
        "",
    ]


# BLEU beside sacrebleu.


class Counted(BLEU):
    """sacrebleu's metric on counts that it made before: its paired bootstrap is then resampling alone."""

    def __init__(self) -> None:
        super().__init__()
        self.known: dict[int, Any] = {}

    def _extract_corpus_statistics(self, hypotheses: Sequence[str], references: Any) -> Any:
        if id(hypotheses) not in self.known:
            self.known[id(hypotheses)] = super()._extract_corpus_statistics(hypotheses, references)
        return self.known[id(hypotheses)]


@contextmanager
def sacrebleu_seed(seed: int) -> Any:
    environ["SACREBLEU_SEED"] = str(seed)
    try:
        yield
    finally:
        del environ["SACREBLEU_SEED"]


def theirs(systems: Any, references: Any, metric: BLEU, jobs: int = 1, seed: int = 12345) -> list[Any]:
    """Results of sacrebleu's `--paired-bs`: the first system is the baseline."""
    with sacrebleu_seed(seed), redirect_stderr(StringIO()):
        test = PairedTest(
            systems, {"BLEU": metric}, references, test_type="bs", n_samples=BY_DEFAULT, n_jobs=jobs
        )
        return test()[1]["BLEU"]


def each_once(metric: Counted) -> list[Any]:
    """The resampled scores of each system, which the paired bootstrap draws of the baseline again and again."""
    return [_bootstrap_resample(counts, metric, BY_DEFAULT)[1] for counts in metric.known.values()]


def ours(path: Path, resamples: int, seed: int = 0) -> list[stats.Paired]:
    """All systems with the first, from a file of rows."""
    with open_rows(path) as kept:
        rows = [kept.get(key) for key in sorted(kept.keys(), key=lambda key: key[1].model)]
    metric = load("bleu")
    assert metric.value is not None
    both = stats.Table(rows=np.stack([one.stats for one in rows if one], axis=1), value=metric.value)
    return stats.compare([both], [(0, i) for i in range(1, FEW)], resamples=resamples, seed=seed)[0]


def of_bleu() -> list[str]:
    # So near to each other that p is neither nothing nor one.
    given = [pairs(seed=i, damage=0.15 + 0.0004 * i, count=SEGMENTS) for i in range(FEW)]
    kept = table("bleu", given)
    references = [[reference for reference, _ in given[0]]]
    systems = [(f"s{i}", [answer for _, answer in one]) for i, one in enumerate(given)]
    counted = Counted()
    theirs(systems, references, counted)  # counts are made here
    ids = tuple(f"{i}" for i in range(SEGMENTS))
    with TemporaryDirectory() as place:
        path = Path(place)
        write_rows(
            path / "rows.parquet",
            (
                (("t", System(model=f"s{i}"), "bleu"), Rows(ids=ids, stats=kept.rows[:, i]))
                for i in range(FEW)
            ),
        )
        sides = {
            "sacrebleu, 1 process": lambda: timed(lambda: theirs(systems, references, BLEU())),
            "sacrebleu, 2 processes": lambda: timed(lambda: theirs(systems, references, BLEU(), jobs=2)),
            "harness, from saved rows": lambda: timed(lambda: ours(path, BY_DEFAULT)),
            "harness, 10,000 resamples": lambda: timed(lambda: ours(path, stats.RESAMPLES)),
            "sacrebleu, counts at hand": lambda: timed(lambda: theirs(systems, references, counted)),
            "sacrebleu, counts at hand, each system once": lambda: timed(lambda: each_once(counted)),
            "harness, rows at hand": lambda: timed(
                lambda: stats.compare([kept], [(0, i) for i in range(1, FEW)], resamples=BY_DEFAULT)
            ),
            "harness, rows at hand, no p": lambda: timed(
                lambda: stats.resampled([kept], resamples=BY_DEFAULT)
            ),
        }
        found = rounds(sides, ROUNDS)
    one, two, mine, more, their_test, their_draws, my_test, my_draws = found.values()
    lines = [
        "## BLEU beside sacrebleu's paired bootstrap",
        "",
        f"{FEW} systems, {SEGMENTS:,} segments, the first compared with each other one, {BY_DEFAULT:,} resamples, "
        f"sacrebleu's default. sacrebleu counts n-grams of the texts anew, the harness reads the counts that a run kept "
        "(rows.parquet), and tests by approximate randomisation on top. Seconds by the clock, median of "
        f"{ROUNDS} rounds in turn (lowest to highest), and of this process' processor.",
        "",
        "| what | seconds | processor | sacrebleu takes so many times as long |",
        "|---|--:|--:|--:|",
    ]
    for name, runs in found.items():
        said = ""
        if runs is mine:
            by = (ratio(one, mine), ratio(two, mine))
            said = f"**{by[0]:.0f}** ({goal(by[0], FASTER)}); 2 processes **{by[1]:.0f}** ({goal(by[1], FASTER)})"
        elif runs is my_test:
            said = f"the test without counting: **{ratio(their_test, runs):.1f}**"
        elif runs is my_draws:
            said = f"resampling alone, each system once: **{ratio(their_draws, runs):.1f}**"
        elif runs is more:
            said = f"{ratio(one, more):.0f}, of a tenth of the resamples"
        lines.append(f"| {name} | {spread(seconds(runs), 3)} | {processor(runs)} | {said} |")
    return [*lines, "", *_agreement(kept, systems, references, counted)]


def _agreement(kept: stats.Table, systems: Any, references: Any, counted: Counted) -> list[str]:
    """The same quantities of both, over seeds: half widths, and p as sacrebleu defines it."""
    they: list[list[tuple[float, float]]] = [[] for _ in range(1, FEW)]
    we: list[list[tuple[float, float]]] = [[] for _ in range(1, FEW)]
    tested: list[list[float]] = [[] for _ in range(1, FEW)]
    for seed in range(1, SEEDS + 1):
        for place, result in enumerate(theirs(systems, references, counted, seed=seed)[1:]):
            they[place].append((result.ci, result.p_value))
        drawn = stats.resampled([kept], resamples=BY_DEFAULT, seed=seed)[0][:, 0]
        scores = kept.scores()[:, 0]
        randomised = stats.compare([kept], [(0, i) for i in range(1, FEW)], seed=seed)[0]
        for place in range(FEW - 1):
            low, high = stats.percentile_interval(drawn[place + 1])
            gaps = np.abs(drawn[place + 1] - drawn[0])
            beyond = int(np.sum(gaps - gaps.mean() > abs(scores[place + 1] - scores[0])))
            we[place].append(((high - low) / 2, (1 + beyond) / (1 + BY_DEFAULT)))
            tested[place].append(float(randomised[place].p[0]))
    lines = [
        f"The same, over {SEEDS} seeds each (mean, and standard deviation over seeds): half widths of the score's 95 % "
        "interval, and p as sacrebleu has it (resampled absolute differences less their mean, beyond the difference "
        "that was found). Apart: means' difference in standard errors; up to 3 is resampling error. The harness's own p is "
        "approximate randomisation's, another test of the same question.",
        "",
        "| systems | half width, sacrebleu | harness | apart | p, sacrebleu | harness, alike | apart | harness's own p |",
        "|---|--:|--:|--:|--:|--:|--:|--:|",
    ]
    worst = 0.0
    for place in range(FEW - 1):
        cells = []
        for which, digits in ((0, 3), (1, 4)):
            a, b = [one[which] for one in they[place]], [one[which] for one in we[place]]
            scatter = ((stdev(a) ** 2 + stdev(b) ** 2) / SEEDS) ** 0.5
            apart = abs(mean(a) - mean(b)) / scatter if scatter else float(mean(a) != mean(b)) * 99
            worst = max(worst, apart)
            cells += [*(f"{mean(x):.{digits}f} ± {stdev(x):.{digits}f}" for x in (a, b)), f"{apart:.1f}"]
        lines.append(f"| s0, s{place + 1} | {' | '.join(cells)} | {mean(tested[place]):.4f} |")
    verdict = "all within resampling error" if worst <= 3 else f"not within resampling error: {worst:.1f}"
    return [
        *lines,
        "",
        f"Half widths and p of both are {verdict}." if worst <= 3 else f"A miss: {verdict}.",
        "",
    ]


# Commands.


def made(folder: Path) -> None:
    """A RESULT of eight systems, of which no two answer alike, a second of other answers by all, and a baseline of that."""
    rows = (
        {"id": f"s{i}", "input": one, "reference": one} for i, (one, _) in enumerate(pairs(count=SAMPLES))
    )
    (folder / "test.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    models = "".join(f'  - {{name: m{i}, uri: "echo:copy"}}\n' for i in range(FEW))
    (folder / "first.yaml").write_text(SUITE + models, encoding="utf-8")
    measured.run(["run", "first.yaml", "--out", "result", "--device", "cpu"], folder)
    shutil.copytree(folder / "result", folder / "other")
    for name, seed in (("result", 1), ("other", 1 + FEW)):
        _answered_anew(folder / name, seed)
        measured.run(["rescore", name, "--again", "--metric", "f1"], folder)
    measured.run(["baseline", "other", "-o", "baseline.json"], folder)
    (folder / "rules.yaml").write_text(RULES, encoding="utf-8")


def _answered_anew(folder: Path, seed: int) -> None:
    given = {f"m{i}": pairs(seed=seed + i, damage=0.3 + i / 200, count=SAMPLES) for i in range(FEW)}
    path = folder / "generations.jsonl.gz"
    lines = [*json_lines(path)]
    write_lines(
        path, ({**line, "text": given[line["model"]][int(line["sample_id"][1:])][1]} for line in lines)
    )
    write_document(folder, read_document(folder))


def of_commands() -> list[str]:
    with TemporaryDirectory() as place:
        folder = Path(place)
        made(folder)
        commands: dict[str, Callable[[int], list[str]]] = {
            "harness gate RESULT": lambda _: ["gate", "result", "--rules", "rules.yaml"],
            "harness compare RESULT OTHER": lambda _: ["compare", "result", "other"],
            "harness compare RESULT#m0 RESULT#m1": lambda _: ["compare", "result#m0", "result#m1"],
        }
        for name in ("exact", "rouge", "bleu", "chrf"):
            commands[f"harness rescore RESULT --metric {name}"] = partial(_rescore, name)
        found: dict[str, list[dict[str, Any]]] = {name: [] for name in commands}
        for number in range(ROUNDS):
            for name, words in commands.items():
                found[name].append(measured.run(words(number), folder, CODES))
        torch = {name: _loads(words(ROUNDS), folder, "torch") for name, words in commands.items()}
    lines = [
        "## Commands on a RESULT",
        "",
        f"{SAMPLES} samples, {FEW} systems, {len(every(FEW))} comparisons, 10,000 resamples; a whole process. "
        f"Seconds by the clock, median of {ROUNDS} rounds in turn (lowest to highest), and of the processor. Goal: 1 s, no "
        "torch.",
        "",
        "| command | seconds | processor | goal | imports torch |",
        "|---|--:|--:|---|---|",
    ]
    for name, runs in found.items():
        met = "met" if median(seconds(runs)) <= 1 else "missed"
        lines.append(
            f"| `{name}` | **{spread(seconds(runs))}** | {processor(runs)} | {met} | {'yes' if torch[name] else 'no'} |"
        )
    return lines


def _rescore(name: str, number: int) -> list[str]:
    return ["rescore", "result", "--metric", name, "--out", f"{name}{number}"]


def _loads(words: list[str], folder: Path, module: str) -> bool:
    measured.run(words, folder, CODES, PYTHONPROFILEIMPORTTIME="1")
    lines = (BENCH / "harness.log").read_text(encoding="utf-8").splitlines()
    imported = {line.rpartition("|")[2].strip() for line in lines if line.startswith("import time:")}
    return any(name == module or name.startswith(f"{module}.") for name in imported)


def main() -> None:
    given = [
        pairs(seed=i, damage=0.1 + 0.005 * i) for i in range(MANY)
    ]  # each a little worse than the one before
    lines = [*of_pairs(table("rouge", given), table("bleu", given)), *of_bleu(), *of_commands()]
    write("stats", "Speed of the statistics", lines, ("numpy", "sacrebleu", "rouge-score", "pyarrow"))


if __name__ == "__main__":
    main()
