"""Many results' systems to one ranking: who is ahead of whom for sure, on the same samples by the same measure.

Each sample has a share in a score, and two systems differ by the sum of what their shares differ by. Were they equal,
each of these could as well have the other sign: over its standard error under such flips the sum is close to normal.
That is the reports' approximate randomisation without drawing, so that all pairs of thousands of systems come from
one product of matrices. Holm's correction is over all pairs of a group, so with 95 % certainty all its rank intervals
hold at once (Mogstad, Romano, Shaikh and Wilhelm 2024 make them so from intervals of all differences).
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
from harness.types import Comparison, Score

ERROR = 0.05  # chance that any difference of a group is called real where none is
BLOCK = 512  # systems that are held against all others at once: with 5,000 of them, 20 MB

Array = NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class SampleDigests:
    """Which samples were asked, by digests; results in which these differ answered different questions."""

    asked: str  # of ids, inputs and references; in older results, of ids and the source
    drawn: str  # of ids, and of what is resampled together
    told: bool = True  # False: an older result, in which inputs and references are not counted


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One system on one task, as one run found it: the same system in two runs is two entries."""

    run: str
    task: TaskFacts
    score: Score  # of the task's primary metric
    samples: SampleDigests
    asked: str  # digest of template, shots, overflow and decode
    shares: Array | None = (
        None  # [samples or clusters], in the order of their ids; None: a score that is no sum
    )
    model: ModelFacts | None = None  # None: a trivial rule
    to_base: Comparison | None = None
    costs: Costs = field(default_factory=Costs)
    hardware: str = ""  # what the costs were measured on; "" where none were


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """An entry in its place."""

    entry: Entry
    rank: int | None  # 1 + how many are significantly better; None where nothing can be tested
    last: int | None  # the place that it may have at worst: all but those that are significantly worse


@dataclass(frozen=True, slots=True, kw_only=True)
class RankedGroup:
    """What may be ranked together."""

    lines: tuple[Line, ...]  # best first
    apart: tuple[str, ...] = ()  # why it is not ranked with the task's first group

    @property
    def first(self) -> Entry:
        """Return the entry that stands first."""
        return self.lines[0].entry


@dataclass(frozen=True, slots=True, kw_only=True)
class Refusal:
    """A RESULT that was left out."""

    run: str
    problem: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Leaderboard:
    """All groups, by task; and what is not among them."""

    groups: tuple[RankedGroup, ...]
    runs: tuple[str, ...]
    by_rows: tuple[str, ...]  # those of which some texts are withheld: there, rows alone could be checked
    refused: tuple[Refusal, ...]
    unchecked: tuple[str, ...] = ()  # those with scores that were not recomputed: a metric's code was not run
    verified: bool  # whether every score was recomputed from its answers


def shares(
    rows: Array,  # [n, k]
    value: stats.Value,
    column: int,  # of the scores that `value` gives
) -> Array | None:  # [n]; None where a score of all samples but one is none
    """Return what each sample adds to the score: its own score over n in a mean, else its jackknife influence."""
    n, total = len(rows), rows.sum(axis=0)
    with np.errstate(invalid="ignore", divide="ignore"):
        without = value(total - rows)[:, column]
        found: Array = (value(total)[column] + (n - 1) * (without.mean() - without)) / n
    return found if n > 1 and np.isfinite(found).all() else None


def rank(entries: Sequence[Entry]) -> tuple[RankedGroup, ...]:
    """By task, and of each task the largest group first."""
    together: dict[tuple[object, ...], list[Entry]] = {}
    for entry in entries:
        together.setdefault(_key(entry), []).append(entry)
    found: list[RankedGroup] = []
    first: dict[str, Entry] = {}
    for members in sorted(together.values(), key=lambda one: (one[0].task.name, -len(one), _order(one[0]))):
        name = members[0].task.name
        apart = differences(members[0], first[name]) if name in first else ()
        first.setdefault(name, members[0])
        found.append(RankedGroup(lines=tuple(_ranked(members)), apart=apart))
    return tuple(found)


def differences(one: Entry, other: Entry) -> tuple[str, ...]:
    """Why two entries of a task are not ranked together."""
    said = []
    if one.score.metric != other.score.metric:
        said.append(f"judged by {one.score.metric} instead of {other.score.metric}")
    elif one.score.signature != other.score.signature:
        said.append(f"scored otherwise: {_changed(one.score.signature, other.score.signature)}")
    if one.samples.told != other.samples.told:
        said.append("an older result, which does not tell whether the samples are the same")
    elif one.samples.asked != other.samples.asked:
        said.append(
            f"asked other samples: {one.score.n:,} instead of {other.score.n:,}"
            if one.score.n != other.score.n
            else "asked other samples, or the same with other inputs or references"
        )
    elif not (one.samples.drawn and other.samples.drawn):
        said.append("no sample's own part in the score is kept, so nothing can be tested")
    elif one.samples.drawn != other.samples.drawn:
        said.append("samples that belong together are grouped otherwise")
    if (one.score.unit, one.score.better) != (other.score.unit, other.score.better):
        said.append("on another scale")
    return tuple(said)


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
    tested = [one.shares for one in entries if one.shares is not None]
    if len(tested) < len(entries):  # one score that is no sum of samples cannot be held against any other
        return [Line(entry=one, rank=None, last=None) for one in sorted(entries, key=_order)]
    sign = 1 if entries[0].score.better == "higher" else -1
    better, worse = standings(sign * np.array(tested))
    lines = [
        Line(entry=entry, rank=1 + int(above), last=len(entries) - int(below))
        for entry, above, below in zip(entries, better, worse, strict=True)
    ]
    return sorted(lines, key=lambda line: (line.rank or 0, *_order(line.entry)))


def _order(entry: Entry) -> tuple[object, ...]:
    """By score; equal ones always in the same order."""
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
    """Of each system, how many others are significantly better, and how many worse."""
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
    """By how many errors later systems are ahead of a block's; each pair once, and 0 elsewhere."""
    block, later = found[start : start + BLOCK], found[start:]
    gaps = later.sum(axis=1) - block.sum(axis=1)[:, None]
    gaps[np.abs(gaps) <= stats.TIE] = 0.0
    variance = block @ later.T
    variance *= -2
    variance += np.sum(block**2, axis=1)[:, None]
    variance += np.sum(later**2, axis=1)
    # What rounding leaves of large sums' difference is held above the least that there can be (Cauchy, Schwarz).
    np.maximum(variance, gaps**2 / found.shape[1], out=variance)
    np.divide(gaps, np.sqrt(variance, out=variance), out=gaps, where=gaps != 0)
    return np.triu(gaps.astype(np.float32), 1)


def _line(blocks: Sequence[NDArray[np.float32]], pairs: int) -> float:
    """How many errors make a difference significant, after Holm's correction for all pairs.

    Holm goes from the largest on and asks less of each next one. Whatever passes what is asked of the next passes as well.
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
    """Where a group's costs were measured, the most usual place first."""
    counted = Counter(line.entry.hardware for line in group.lines if line.entry.hardware)
    return tuple(sorted(counted, key=lambda name: (-counted[name], name)))


def ways(group: RankedGroup) -> tuple[str, ...]:
    """Return the digests of prompts by which a group's models were asked, the most frequent first; rules have none."""
    counted = Counter(line.entry.asked for line in group.lines if line.entry.model)
    return tuple(sorted(counted, key=lambda name: (-counted[name], name)))
