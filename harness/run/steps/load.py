"""Read a task's splits once, and find the test samples that also occur in training."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from harness.data import pinned, read
from harness.digest import IF_SET
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
from harness.tasks import remarks as counted
from harness.tasks.overlap import Overlap, overlap
from harness.tasks.remarks import NOTED, SKIPPED
from harness.types import Note, Sample, Source, Split

VERSION = 2
LIBRARIES = ("datasets", "pyarrow")
LANE = False
TOLERANT = False
SPLITS: tuple[Split, ...] = ("train", "validation", "test")
OVERLAP = "overlap.json"
REMARKS = "remarks.json"  # remark -> count, over the splits; absent in older steps
FILES = (
    *(
        file.name
        for split in SPLITS
        for path in [split_file(Path(), split)]
        for file in (path, index_file(path))
    ),
    OVERLAP,
    REMARKS,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Load:
    """The settings of loading a task's data."""

    source: Source
    data: str  # revision or digest
    splits: tuple[Split, ...]
    # The rules of reading that changed a text of the data: data that no rule changes keeps its step's id.
    rules: tuple[str, ...] = field(default=(), metadata=IF_SET)


def run(spec: Load, context: StepContext) -> None:
    """Write each split as JSON Lines with an index, and the overlap of training and test."""
    source = pinned(spec.source, spec.data)
    remarks: Counter[str] = Counter()
    for done, split in enumerate(spec.splits, start=1):
        samples = read(source, split, offline=context.runtime.offline, remarks=remarks)
        write_indexed(split_file(context.folder, split), samples)
        context.progress(done, len(spec.splits))
    write_json(context.folder / REMARKS, dict(+remarks))
    if "train" in spec.splits and "test" in spec.splits:
        train, test = (IndexedLines(split_file(context.folder, split), Sample) for split in ("train", "test"))
        write_json(context.folder / OVERLAP, to_json(overlap(train, test, context.folder)))


def contributes(finished: Finished) -> Contribution:
    """Return notes on the reading of texts, and on each way in which test samples overlap with training samples."""
    return Contribution(notes=(*_of_reading(finished), *_of_overlap(finished)))


def _of_reading(finished: Finished) -> Iterator[Note]:
    """Yield a note for each way in which texts were changed or skipped."""
    path = finished.folder / REMARKS
    remarks = read_json(path) if path.exists() else {}
    for kind, among in NOTED.items():
        if count := remarks.get(kind, 0):
            of = remarks.get(among, 0) + (count if kind == SKIPPED else 0)
            yield Note(
                kind=kind,
                where=finished.where,
                count=count,
                of=of,
                detail=counted.detail(kind),
            )


def _of_overlap(finished: Finished) -> Iterator[Note]:
    path = finished.folder / OVERLAP
    if not path.exists():
        return
    shared = from_json(Overlap, read_json(path))
    for ids, detail in (
        (shared.exact, odd.SAME_INPUT),
        (shared.ngram, odd.SHARED_WORDS),
    ):
        if ids:
            yield Note(
                kind=odd.OVERLAP,
                where=finished.where,
                count=len(ids),
                of=shared.test,
                detail=detail,
                samples=ids[:FIRST],
            )
