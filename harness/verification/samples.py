"""Read the answers of a RESULT, each with its sample; only the ids of a task's samples stay in memory."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import groupby, islice
from pathlib import Path

from harness.errors import ResultError
from harness.files.json_lines import IndexedLines, write_indexed
from harness.results import read_samples
from harness.results.digests import RunningDigest, samples_noted
from harness.scoring.accumulate import Tally
from harness.scoring.clusters import numbered
from harness.tasks.rules import FROM_TRAINING, prepared
from harness.types import Generation, Sample, System


@dataclass(frozen=True, slots=True, kw_only=True)
class Samples:
    """A task's samples, unpacked on disk, since they are read once for each system."""

    lines: Sequence[Sample] = ()
    places: Mapping[str, int] = field(default_factory=dict)  # id -> place in the task's data


def unpacked(folder: Path, place: Path, passed: dict[str, RunningDigest] | None = None) -> dict[str, Samples]:
    """Unpack the samples into a folder, a file for each task; `passed` gets the digest of each task's samples."""
    passed = {} if passed is None else passed
    return {
        name: _unpacked(
            samples_noted((sample for _, sample in group), passed.setdefault(name, RunningDigest())),
            place / f"{number}.jsonl",
        )
        for number, (name, group) in enumerate(groupby(read_samples(folder), key=lambda named: named[0]))
    }


def _unpacked(samples: Iterator[Sample], path: Path) -> Samples:
    places: dict[str, int] = {}

    def placed() -> Iterator[Sample]:
        for sample in samples:
            places[sample.id] = len(places)
            yield sample

    write_indexed(path, placed())
    return Samples(lines=IndexedLines(path, Sample), places=places)


def by_rule(system: System, samples: Samples) -> Iterator[Generation]:
    """Yield a trivial rule's answers, computed again unless it needs training data: a RESULT need not contain them."""
    if system.rule is not None and system.rule not in FROM_TRAINING:
        answer = prepared(system.rule)
        for sample in samples.lines:
            yield Generation(sample_id=sample.id, text=answer(sample))


def paired(here: str, samples: Samples, answers: Iterator[Generation]) -> Iterator[tuple[Sample, Generation]]:
    """Yield each answer with its sample. Answers stand in the order of their samples; a sample may have no answer."""
    lines, passed = iter(samples.lines), 0
    for generation in answers:
        place = samples.places.get(generation.sample_id)
        if place is None:
            raise ResultError(f"{here}: a generation without a sample, {generation.sample_id!r}")
        if place < passed:
            raise ResultError(f"{here}: generation {generation.sample_id!r} is listed twice or out of order")
        yield next(islice(lines, place - passed, None)), generation
        passed = place + 1


def add_answers(
    here: str,
    samples: Samples,
    answers: Iterator[Generation],
    tallies: Collection[Tally],
    cluster: str | None,  # column whose equal values are resampled together
) -> tuple[tuple[str, ...], list[int] | None]:  # ids, and a number for each sample's cluster
    """Add each answer to the tallies; return the ids that were answered and the clusters of their samples."""
    ids: list[str] = []
    labels: list[str] = []
    for sample, generation in paired(here, samples, answers):
        ids.append(sample.id)
        labels.append(sample.metadata.get(cluster or "", ""))
        for tally in tallies:
            tally.add(sample, generation)
    return tuple(ids), numbered(labels) if cluster else None
