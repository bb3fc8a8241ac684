"""Reads a task's three splits once, and counts what training and test share."""

from dataclasses import dataclass

from harness.data import pinned, read
from harness.files.json_lines import IndexedLines, to_json, write_indexed, write_json
from harness.run.steps import Bench
from harness.tasks.overlap import overlap
from harness.types import Sample, Source, Split

VERSION = 2
LIBRARIES = ("datasets", "pyarrow")
SPLITS: tuple[Split, ...] = ("train", "validation", "test")


@dataclass(frozen=True, slots=True, kw_only=True)
class Load:
    source: Source
    data: str  # revision or digest
    splits: tuple[Split, ...]


def run(spec: Load, bench: Bench) -> None:
    source = pinned(spec.source, spec.data)
    for done, split in enumerate(spec.splits, start=1):
        samples = read(source, split, offline=bench.runtime.offline)
        write_indexed(bench.folder / f"{split}.jsonl", samples)
        bench.progress(done, len(spec.splits))
    if "train" in spec.splits and "test" in spec.splits:
        train, test = (IndexedLines(bench.folder / f"{split}.jsonl", Sample) for split in ("train", "test"))
        write_json(bench.folder / "overlap.json", to_json(overlap(train, test, bench.folder)))
