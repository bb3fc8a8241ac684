"""Rank the systems of many results: who is significantly ahead of whom, on the same samples under the same metric.

Each sample has a share in a score, and two systems differ by the sum of the differences of their shares. If the systems
were equal, each of these differences could as well have the other sign: divided by its standard error under such sign
flips, the sum is close to normal. This is the approximate randomisation of the reports without drawing, so that all pairs
of thousands of systems come from one product of matrices. Holm's correction is over all pairs of a group, so all its rank
intervals are correct at once with 95 % certainty (Mogstad, Romano, Shaikh and Wilhelm 2024 make rank intervals in this
way from intervals of all differences).
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from statistics import NormalDist

import numpy as np
from numpy.typing import NDArray

from harness import stats
from harness.results import ModelFacts, TaskFacts
from harness.results.costs import Costs
from harness.results.forgotten import Forgotten
from harness.types import Comparison, Score

ERROR = 0.05  # chance that any difference of a group is called significant if all systems are equal
BLOCK = 512  # systems that are compared with all others at once: 20 MB with 5,000 systems

Array = NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class SampleDigests:
    """Digests of the samples of a task; results in which they differ answered different questions."""

    asked: str  # of ids, inputs and references; in older results, of ids and the source
    drawn: str  # of ids, and of what is resampled together
    told: bool = True  # False: an older result, whose digest leaves out inputs and references


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One system on one task in one run; the same system in two runs makes two entries."""

    run: str
    task: TaskFacts
    score: Score  # of the task's primary metric
    samples: SampleDigests
    asked: str  # digest of template, shots, overflow and decode
    # [samples or clusters], in the order of their ids; None: the metric has no rows
    shares: Array | None = None
    model: ModelFacts | None = None  # None: a trivial rule
    to_base: Comparison | None = None
    forgotten: Forgotten | None = None  # None: its suite does not ask, or it is no adapter
    costs: Costs = field(default_factory=Costs)
    hardware: str = ""  # what the costs were measured on; "" if none were measured


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """An entry with its rank."""

    entry: Entry
    rank: int | None  # 1 + the number of significantly better entries; None: not tested
    last: int | None  # the worst place it may have: the number of entries that are not significantly worse


@dataclass(frozen=True, slots=True, kw_only=True)
class RankedGroup:
    """Entries of one task that can be ranked together."""

    lines: tuple[Line, ...]  # best first
    apart: tuple[str, ...] = ()  # why it is ranked apart from the task's first group

    @property
    def first(self) -> Entry:
        """Return the entry that stands first."""
        return self.lines[0].entry


@dataclass(frozen=True, slots=True, kw_only=True)
class Refusal:
    """A RESULT that was left out."""

    run: str
    problem: str
    skipped: bool = False  # no fault: it is partial or unfinished


@dataclass(frozen=True, slots=True, kw_only=True)
class Leaderboard:
    """All ranked groups by task, and the RESULTs that were left out."""

    groups: tuple[RankedGroup, ...]
    runs: tuple[str, ...]
    by_rows: tuple[str, ...]  # runs with withheld texts, where only rows could be checked
    refused: tuple[Refusal, ...]
    unchecked: tuple[str, ...] = ()  # runs with scores that were not recomputed: a metric's code was not run
    verified: bool  # whether every score was recomputed from its answers


def shares(
    rows: Array,  # [n, k]
    value: stats.Formula,
    column: int,  # of the scores that `value` gives
    clusters: Sequence[int] | None = None,  # n labels; samples of one label have a share together
) -> Array | None:  # [units]; None if the score of all but one is not finite
    """Return the share of each sample, or cluster, in the score: its own score over n in a mean, else jackknife."""
    if len(rows) < 2:
        return None
    table = stats.Table(rows=rows[:, None], value=value).drawn_by(clusters)
    n = table.units
    with np.errstate(invalid="ignore", divide="ignore"):
        without = stats.left_out(table.rows[:, 0], value, table.unit_of)[:, column]
        found: Array = (table.scores()[0, column] + (n - 1) * (without.mean() - without)) / n
    return found if np.isfinite(found).all() else None


def rank(entries: Sequence[Entry]) -> tuple[RankedGroup, ...]:
    """Return the groups, by task, and for each task the largest group first."""
    together: dict[tuple[object, ...], list[Entry]] = {}
    for entry in entries:
        together.setdefault(_key(entry), []).append(entry)
    found: list[RankedGroup] = []
    first: dict[str, Entry] = {}
    for members in sorted(
        together.values(), key=lambda group: (group[0].task.name, -len(group), _order(group[0]))
    ):
        name = members[0].task.name
        apart = differences(members[0], first[name]) if name in first else ()
        first.setdefault(name, members[0])
        found.append(RankedGroup(lines=tuple(_ranked(members)), apart=apart))
    return tuple(found)


def differences(entry: Entry, other: Entry) -> tuple[str, ...]:
    """Return why two entries of a task are not ranked together; empty if they are."""
    reasons = []
    if entry.score.metric != other.score.metric:
        reasons.append(f"judged by {entry.score.metric} instead of {other.score.metric}")
    elif entry.score.signature != other.score.signature:
        reasons.append(f"scored otherwise: {_changed(entry.score.signature, other.score.signature)}")
    if entry.samples.told != other.samples.told:
        reasons.append("an older result, which does not say whether the samples are the same")
    elif entry.samples.asked != other.samples.asked:
        reasons.append(
            f"asked other samples: {entry.score.n:,} instead of {other.score.n:,}"
            if entry.score.n != other.score.n
            else "asked other samples, or the same with other inputs or references"
        )
    elif not (entry.samples.drawn and other.samples.drawn):
        reasons.append("no sample's own part in the score is kept, so nothing can be tested")
    elif entry.samples.drawn != other.samples.drawn:
        reasons.append("samples that belong together are grouped otherwise")
    if (entry.score.unit, entry.score.better) != (other.score.unit, other.score.better):
        reasons.append("on another scale")
    return tuple(reasons)


def _key(entry: Entry) -> tuple[object, ...]:
    """Return what must be equal for two scores to be comparable."""
    score = entry.score
    return (entry.task.name, score.metric, score.signature, score.unit, score.better, entry.samples)


def _changed(one: str, other: str) -> str:
    """Return the parts of a signature that are not in the other one."""
    mine, theirs = one.split("|"), other.split("|")
    new, gone = [x for x in mine if x not in theirs], [x for x in theirs if x not in mine]
    return f"{'|'.join(new) or 'nothing'} instead of {'|'.join(gone) or 'nothing'}"


def _ranked(entries: Sequence[Entry]) -> list[Line]:
    tested = [entry.shares for entry in entries if entry.shares is not None]
    if len(tested) < len(entries):  # a score without shares cannot be tested against any other
        return [Line(entry=entry, rank=None, last=None) for entry in sorted(entries, key=_order)]
    sign = 1 if entries[0].score.better == "higher" else -1
    better, worse = standings(sign * np.array(tested))
    lines = [
        Line(entry=entry, rank=1 + int(above), last=len(entries) - int(below))
        for entry, above, below in zip(entries, better, worse, strict=True)
    ]
    return sorted(lines, key=lambda line: (line.rank or 0, *_order(line.entry)))


def _order(entry: Entry) -> tuple[object, ...]:
    """Return the key that sorts entries by score; entries of equal score always get the same order."""
    sign = -1 if entry.score.better == "higher" else 1
    return (
        sign * entry.score.value,
        str(entry.score.system),
        entry.run,
        entry.score.signature,
        entry.samples.asked,
    )


def standings(
    found: Array,  # shares [systems, samples], more is better
) -> tuple[NDArray[np.intp], NDArray[np.intp]]:  # [systems]
    """Return, for each system, how many others are significantly better, and how many worse."""
    systems = len(found)
    blocks = [(start, _ahead(found, start)) for start in range(0, systems, BLOCK)]
    line = _line([ahead for _, ahead in blocks], systems * (systems - 1) // 2)
    better, worse = np.zeros(systems, dtype=np.intp), np.zeros(systems, dtype=np.intp)
    for start, ahead in blocks:
        above, below = ahead >= line, ahead <= -line
        better[start : start + BLOCK] += above.sum(axis=1)
        worse[start : start + BLOCK] += below.sum(axis=1)
        better[start:] += below.sum(axis=0)
        worse[start:] += above.sum(axis=0)
    return better, worse


def _ahead(found: Array, start: int) -> NDArray[np.float32]:  # [BLOCK, all from start on]
    """Return by how many standard errors later systems are ahead of a block's systems; each pair once, 0 elsewhere."""
    block, later = found[start : start + BLOCK], found[start:]
    gaps = later.sum(axis=1) - block.sum(axis=1)[:, None]
    gaps[np.abs(gaps) <= stats.TIE] = 0.0
    variance = block @ later.T
    variance *= -2
    variance += np.sum(block**2, axis=1)[:, None]
    variance += np.sum(later**2, axis=1)
    # Rounding of large sums could make the variance too small: keep it above its lower bound (Cauchy-Schwarz).
    np.maximum(variance, gaps**2 / found.shape[1], out=variance)
    np.divide(gaps, np.sqrt(variance, out=variance), out=gaps, where=gaps != 0)
    return np.triu(gaps.astype(np.float32), 1)


def _line(blocks: Sequence[NDArray[np.float32]], pairs: int) -> float:
    """Return how many standard errors make a difference significant, after Holm's correction for all pairs.

    Holm goes from the largest difference on and requires less of each next one: all above the last line are significant.
    """
    passed, line = 0, np.inf
    while passed < pairs:
        line = NormalDist().inv_cdf(1 - ERROR / 2 / (pairs - passed))
        more = sum(int(np.count_nonzero(np.abs(ahead) >= line)) for ahead in blocks)
        if more == passed:
            break
        passed = more
    return float(line)


def hardware(group: RankedGroup) -> tuple[str, ...]:
    """Return the hardware that a group's costs were measured on, the most frequent first."""
    counted = Counter(line.entry.hardware for line in group.lines if line.entry.hardware)
    return tuple(sorted(counted, key=lambda name: (-counted[name], name)))


def ways(group: RankedGroup) -> tuple[str, ...]:
    """Return the digests of the prompt settings of a group's models, the most frequent first; rules have none."""
    counted = Counter(line.entry.asked for line in group.lines if line.entry.model)
    return tuple(sorted(counted, key=lambda name: (-counted[name], name)))
