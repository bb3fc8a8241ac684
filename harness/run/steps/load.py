"""Read a task's splits once, and find the test samples that also occur in training."""

from dataclasses import dataclass
from pathlib import Path

from harness.data import pinned, read
from harness.files.json_lines import (
    IndexedLines,
    from_json,
    index_file,
    read_json,
    to_json,
    write_indexed,
    write_json,
)
from harness.results import odd
from harness.run.steps import FIRST, Contribution, Finished, StepContext, split_file
from harness.tasks.overlap import Overlap, overlap
from harness.types import Note, Sample, Source, Split

VERSION = 2
LIBRARIES = ("datasets", "pyarrow")
LANE = False
TOLERANT = False
SPLITS: tuple[Split, ...] = ("train", "validation", "test")
OVERLAP = "overlap.json"
FILES = (
    *(
        file.name
        for split in SPLITS
        for path in [split_file(Path(), split)]
        for file in (path, index_file(path))
    ),
    OVERLAP,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Load:
    """The settings of loading a task's data."""

    source: Source
    data: str  # revision or digest
    splits: tuple[Split, ...]


def run(spec: Load, context: StepContext) -> None:
    """Write each split as JSON Lines with an index, and the overlap of training and test."""
    source = pinned(spec.source, spec.data)
    for done, split in enumerate(spec.splits, start=1):
        samples = read(source, split, offline=context.runtime.offline)
        write_indexed(split_file(context.folder, split), samples)
        context.progress(done, len(spec.splits))
    if "train" in spec.splits and "test" in spec.splits:
        train, test = (IndexedLines(split_file(context.folder, split), Sample) for split in ("train", "test"))
        write_json(context.folder / OVERLAP, to_json(overlap(train, test, context.folder)))


def contributes(finished: Finished) -> Contribution:
    """Return a note for each way in which test samples overlap with training samples."""
    if not (finished.folder / OVERLAP).exists():
        return Contribution()
    shared = from_json(Overlap, read_json(finished.folder / OVERLAP))
    return Contribution(
        notes=tuple(
            Note(
                kind=odd.OVERLAP,
                where=finished.where,
                count=len(ids),
                of=shared.test,
                detail=detail,
                samples=ids[:FIRST],
            )
            for ids, detail in (
                (shared.exact, odd.SAME_INPUT),
                (shared.ngram, odd.SHARED_WORDS),
            )
            if ids
        )
    )
