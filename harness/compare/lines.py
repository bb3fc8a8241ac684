"""Compare the systems of one task: a line for each pair under each metric, the primary metric first."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from harness import stats
from harness.compare.comparable import Joint, Scores
from harness.compare.records import PairUnderMetric, SampleChange
from harness.compare.sides import ComparisonRequest, Remarks, Systems
from harness.metrics import Array
from harness.results import read_samples
from harness.scoring import comparisons as pairs
from harness.scoring.clusters import numbered
from harness.types import Score


@dataclass(frozen=True, slots=True, kw_only=True)
class PairsOnSameSamples:
    """Pairs on the same samples under the same metrics, which share tables and a draw."""

    ids: tuple[str, ...]
    systems: tuple[Systems, ...]
    # B's scores of each pair under each metric's names, in the tables' order
    scores: tuple[tuple[Score, ...], ...]
    scored: pairs.Scored  # all systems of A, then all of B

    def place(self, pair: int) -> stats.Pair:
        """Return the places of a pair's systems in the tables."""
        return pair, pair + len(self.systems)


def lines(
    request: ComparisonRequest, task: str, joints: Sequence[Joint], bare: Sequence[Scores], remarks: Remarks
) -> list[PairUnderMetric]:
    """Return a line for each pair and metric, with Holm over the lines of A's primary metric, which come first."""
    primary = request.a.task(task).primary
    groups = _groups(request, task, joints)
    decides = (group for group in groups if any(primary in metric.names for metric in group.scored.metrics))
    size = sum(len(group.systems) for group in decides)
    found = [line for group in groups for line in _lines(request, group, primary, size, remarks)]
    found = [
        *_corrected(found, primary, f"{task}: B against A"),
        *(_bare(scores, remarks) for scores in bare),
    ]
    order = list(dict.fromkeys(line.metric for line in found))

    def place(line: PairUnderMetric) -> tuple[bool, int, int]:
        pair = request.systems.index((line.baseline, line.candidate))
        return line.metric != primary, order.index(line.metric), pair

    return sorted(found, key=place)


def _groups(request: ComparisonRequest, task: str, joints: Sequence[Joint]) -> list[PairsOnSameSamples]:
    of_pair: dict[tuple[tuple[str, ...], Systems], list[Joint]] = {}
    for joint in joints:
        of_pair.setdefault((joint.ids, joint.systems), []).append(joint)
    alike: dict[tuple[object, ...], list[list[Joint]]] = {}
    for (ids, _), own in of_pair.items():
        metrics = ((joint.plugin, joint.metric.names) for joint in own)
        alike.setdefault((ids, *metrics), []).append(own)
    labels = _labels(request, task) if joints else None
    return [_group(task, together, labels) for together in alike.values()]


def _group(
    task: str, together: Sequence[Sequence[Joint]], labels: Mapping[str, str] | None
) -> PairsOnSameSamples:
    first = together[0]
    ids, systems = first[0].ids, tuple(own[0].systems for own in together)
    return PairsOnSameSamples(
        ids=ids,
        systems=systems,
        scores=tuple(tuple(score for joint in own for _, score in joint.scores) for own in together),
        scored=pairs.Scored(
            task=task,
            systems=tuple(pair[side] for side in (0, 1) for pair in systems),
            metrics=tuple(joint.metric for joint in first),
            tables=tuple(_table([own[place] for own in together]) for place in range(len(first))),
            clusters=None if labels is None else numbered([labels.get(sample, "") for sample in ids]),
        ),
    )


def _table(joints: Sequence[Joint]) -> stats.Table:
    rows = np.stack([joint.rows[side] for side in (0, 1) for joint in joints], axis=1)
    return joints[0].metric.table(rows)


def _labels(request: ComparisonRequest, task: str) -> Mapping[str, str] | None:
    """Return the cluster label of each sample: A's, or B's if A names no cluster column; None without one."""
    side = request.a if request.a.task(task).cluster is not None else request.b
    column = side.task(task).cluster
    if column is None:
        return None
    samples = (sample for name, sample in read_samples(side.result.folder) if name == task)
    return {sample.id: sample.metadata.get(column, "") for sample in samples}


def _lines(
    request: ComparisonRequest, group: PairsOnSameSamples, primary: str, family_size: int, remarks: Remarks
) -> list[PairUnderMetric]:
    scored = group.scored
    values = np.concatenate([table.scores() for table in scored.tables], axis=1)  # [systems, names]
    alone = (
        np.concatenate([table.of_samples() for table in scored.tables], axis=2) if request.samples else None
    )
    metrics = [metric for metric in scored.metrics for _ in metric.names]
    places = [group.place(pair) for pair in range(len(group.systems))]
    found: pairs.Found = {}
    if scored.tells:
        found = pairs.compared(scored, places, request.seed)
        found = pairs.refined(scored, found, primary, family_size, request.seed)
    else:
        drawn = "sample" if scored.clusters is None else "cluster of samples"
        for pair in group.systems:
            remarks.add(f"not tested: a single {drawn} cannot show a difference", pair)
    return [
        PairUnderMetric(
            metric=score.metric,
            signature=score.signature,
            unit=score.unit,
            better=score.better,
            baseline=group.systems[pair][0],
            candidate=group.systems[pair][1],
            baseline_score=float(values[places[pair][0], name]),
            candidate_score=float(values[places[pair][1], name]),
            n=scored.n,
            comparison=pairs.counted(found[places[pair]][name], metrics[name]) if found else None,
            changes=() if alone is None else _changes(request, group.ids, alone[:, places[pair], name]),
        )
        for pair, scores in enumerate(group.scores)
        for name, score in enumerate(scores)
    ]


def _changes(request: ComparisonRequest, ids: Sequence[str], alone: Array) -> tuple[SampleChange, ...]:
    """Return the samples that changed most; samples without a change or without a score of their own are left out."""
    moved = np.nan_to_num(np.abs(alone[:, 1] - alone[:, 0]))
    first = np.argsort(-moved, kind="stable")[: request.samples]
    return tuple(
        SampleChange(sample=ids[place], baseline=float(alone[place, 0]), candidate=float(alone[place, 1]))
        for place in first
        if moved[place] > stats.TIE
    )


def _corrected(found: Sequence[PairUnderMetric], primary: str, family: str) -> list[PairUnderMetric]:
    tested = [line.comparison for line in found if line.comparison is not None]
    comparisons = iter(pairs.corrected(tested, primary, family))
    return [
        line if line.comparison is None else replace(line, comparison=next(comparisons)) for line in found
    ]


def _bare(scores: Scores, remarks: Remarks) -> PairUnderMetric:
    ours, theirs = scores
    counts = "" if ours.n == theirs.n else f", of {ours.n:,} samples in A and {theirs.n:,} in B"
    remarks.add(
        f"{ours.metric} is not tested: it has no rows by sample, only whole scores{counts}",
        (ours.system, theirs.system),
    )
    return PairUnderMetric(
        metric=ours.metric,
        signature=ours.signature,
        unit=ours.unit,
        better=ours.better,
        baseline=ours.system,
        candidate=theirs.system,
        baseline_score=ours.value,
        candidate_score=theirs.value,
        n=min(ours.n, theirs.n),
        comparison=None,
    )
