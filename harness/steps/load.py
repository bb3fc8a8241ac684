"""Reads a task's three splits once, and counts what training and test share."""

from dataclasses import dataclass

from harness.data import pinned, read
from harness.data.overlap import overlap
from harness.records import to_json, write_json, write_lines
from harness.steps import Bench
from harness.types import Source, Split

VERSION = 1
LIBRARIES = ("datasets", "pyarrow")
SPLITS: tuple[Split, ...] = ("train", "validation", "test")


@dataclass(frozen=True, slots=True, kw_only=True)
class Load:
    source: Source
    data: str  # revision or digest
    splits: tuple[Split, ...]


def run(spec: Load, bench: Bench) -> None:
    source, splits = pinned(spec.source, spec.data), {}
    for done, split in enumerate(spec.splits, start=1):
        splits[split] = list(read(source, split, offline=bench.runtime.offline))
        write_lines(bench.folder / f"{split}.jsonl", splits[split])
        bench.progress(done, len(spec.splits))
    if "train" in splits and "test" in splits:
        write_json(bench.folder / "overlap.json", to_json(overlap(splits["train"], splits["test"])))
