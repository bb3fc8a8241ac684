"""Read samples from files, from the hub, and from the data sets that come with the harness.

A kind of source is a file of this folder, found by the uri's scheme, with three functions:

    splits(source, *, offline)        -> the splits of the source
    rows(source, split, *, offline)   -> Iterator[Row], in file order, one at a time
    pin(source, digests, *, offline)  -> a commit, or a digest of files, that changes with the source's content

It may have `shared_rows(source)`, which yields a sentence for each two splits that take the same rows; `place(source,
split)`, which says where the rows of a split stand; and `hint(source, split)`, which ends the message on a missing split.
`LOCAL = True` says that what follows the scheme is a path of this machine.
"""

import re
from collections import Counter
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from types import ModuleType

from harness import plugins
from harness.errors import DataError, SuiteError, UnknownName
from harness.tasks import prompts
from harness.tasks.remarks import left_out
from harness.tasks.rows import Row, sample_of
from harness.tasks.shapes import shape_of
from harness.types import Prompt, Sample, Shape, Share, Source, Split, Task, Uri

__all__ = [
    "RULES",
    "Ask",
    "FileDigests",
    "Row",
    "check",
    "check_shots",
    "is_local",
    "pin",
    "pinned",
    "raw_rows",
    "read",
    "refuse_missing",
    "schemes",
    "share_of",
    "shared_rows",
    "splits",
]

RULES = 2  # raised when more is counted while data is read: counts that are kept between runs are made again

FileDigests = Callable[[Path], str]
Ask = Callable[[Task, Sample, Sequence[Sample]], Prompt]

# Licences that let samples be shown to others, as the hub's data cards call them.
_PERMISSIVE = re.compile(r"(mit|apache|bsd|isc|cc0|cc-by|odc-by|odbl|pddl|unlicense|public-domain)\b")
_RESTRICTED = re.compile(r"\b(nc|nd|noncommercial|noderivatives|research)\b")

# split -> what needs it, and what to do where it is missing
_NEEDED: Mapping[Split, tuple[str, str]] = {
    "train": ("training and few-shot prompts need", "add the split"),
    "validation": (
        "training needs to choose a checkpoint",
        "add the split, or set `validation_samples: 0` in the recipe",
    ),
    "test": ("every score needs", "add the split"),
}


def schemes() -> tuple[str, ...]:
    """Return the schemes that a source's uri may begin with."""
    return plugins.names("data")


def is_local(uri: str) -> bool:
    """Return whether a uri names a path of this machine; False for every text that is no uri."""
    scheme = Uri.parse(uri).scheme
    return scheme in plugins.names("data") and bool(getattr(plugins.find("data", scheme), "LOCAL", False))


def splits(source: Source, *, offline: bool = False) -> tuple[Split, ...]:
    """Return the splits of a source."""
    found: tuple[Split, ...] = _reader(source).splits(source, offline=offline)
    return found


def read(
    source: Source,
    split: Split,
    *,
    offline: bool = False,
    remarks: Counter[str] | None = None,  # gets the counts that harness.tasks.remarks names
) -> Iterator[Sample]:
    """Yield a split's samples in file order; raise DataError for a row that is no sample, or an id that is there twice."""
    return (sample for _, sample in _placed(source, split, offline=offline, remarks=remarks))


def raw_rows(source: Source, split: Split, *, offline: bool = False) -> Iterator[Row]:
    """Yield a split's rows in file order, as the source has them."""
    found: Iterator[Row] = _reader(source).rows(source, split, offline=offline)
    return found


def _placed(
    source: Source, split: Split, *, offline: bool, remarks: Counter[str] | None
) -> Iterator[tuple[str, Sample]]:
    """Yield a split's samples, each with its place in the data."""
    seen: set[str] = set()
    number, first = 0, ""
    yielded = False
    shape: Shape | None = None
    counts: Counter[str] = Counter()
    for number, row in enumerate(_reader(source).rows(source, split, offline=offline), start=1):
        first = first or row.where
        shape = shape or shape_of(source, row.values, row.where)
        sample = sample_of(row, source, shape, f"{split}-{row.number or number:06d}", counts)
        if sample is None:
            continue
        yielded = True
        if sample.id in seen:
            raise DataError(
                f"{row.where}: the id {sample.id!r} is there twice; ids tell samples apart, make them differ"
            )
        if "id" in source.columns:  # ids made of row numbers cannot repeat
            seen.add(sample.id)
        yield row.where, sample
    if remarks is not None:
        remarks.update(counts)
    if not number:
        where = _split_place(source, split)
        way = "add rows" if split == "test" else "add rows, or leave the split out"
        raise DataError(f"{where}: the {split} split is empty; {way}", _key(source, split))
    if not yielded:
        raise DataError(
            f"{first}: no row of the {split} split is a sample: {left_out(counts)}; "
            "see `shape` of the task's source",
            _key(source, split),
        )


def _key(source: Source, split: Split) -> tuple[str, ...]:
    """Return the key of a task that names the data of a split."""
    return ("source", "splits", split) if split in source.splits else ("source", "uri")


def _split_place(source: Source, split: Split) -> str:
    """Return where the rows of a split stand: a file, for a source of files."""
    find: Callable[[Source, Split], str] | None = getattr(_reader(source), "place", None)
    return find(source, split) if find else source.uri


def shared_rows(source: Source) -> tuple[str, ...]:
    """Return a sentence for each two splits that take the same rows of a file."""
    find: Callable[[Source], Iterator[str]] | None = getattr(_reader(source), "shared_rows", None)
    return tuple(find(source)) if find else ()


def check(
    task: Task,
    ask: Ask = prompts.render,
    *,
    offline: bool = False,
    remarks: Counter[str] | None = None,  # gets the counts that harness.tasks.remarks names
    watch: Callable[[Split, str, Sample], None]
    | None = None,  # gets each sample with its split and its place
) -> dict[Split, int]:
    """Return the number of samples in each split; raise SuiteError for a sample that cannot be read or asked.

    `ask` is the function of the task's kind.
    """
    counts: dict[Split, int] = {}
    wordings = [task, *map(task.for_family, task.by_family)]
    for split in splits(task.source, offline=offline):
        samples = _placed(task.source, split, offline=offline, remarks=remarks)
        for count, (where, sample) in enumerate(samples, start=1):
            for wording in wordings:
                try:
                    ask(wording, sample, ())
                except SuiteError as error:
                    error.args = (f"{where}: {error}",)
                    error.key = _of_family(task, wording, error.key)
                    raise
            if watch is not None:
                watch(split, where, sample)
            if task.cluster is not None and task.cluster not in sample.metadata:
                raise UnknownName("column", task.cluster, sample.metadata, f"{where}: cluster", ("cluster",))
            counts[split] = count
    return counts


def _of_family(task: Task, wording: Task, key: tuple[str | int, ...]) -> tuple[str | int, ...]:
    """Return the key of a task's prompt, which may be one that a family of models has for itself."""
    for family, own in task.by_family.items():
        if key == ("prompt",) and own.prompt is not None and wording == task.for_family(family):
            return ("by_family", family, *key)
    return key


def refuse_missing(task: Task, needed: Collection[Split], found: Collection[Split]) -> None:
    """Raise DataError if the task's source lacks a split that a run reads."""
    for split in needed:
        if split not in found:
            why, remedy = _NEEDED[split]
            raise DataError(
                f"{task.source.uri} has no {split} split, which {why}; {remedy}{_hint(task.source, split)}",
                ("source", "splits" if task.source.splits else "uri"),
            )


def _hint(source: Source, split: Split) -> str:
    """Return the end of the message on a missing split, where a kind of source has one."""
    find: Callable[[Source, Split], str] | None = getattr(_reader(source), "hint", None)
    return find(source, split) if find else ""


def check_shots(task: Task, counts: Mapping[Split, int], base_shots: Sequence[int] = (0,)) -> None:
    """Raise DataError if a task asks for more examples than its training split has samples."""
    shots, samples = task.shots + max(base_shots, default=0), counts.get("train", 0)
    if shots > samples:
        has = f"{samples:,} samples" if "train" in counts else "no training split"
        hint = "" if "train" in counts else _hint(task.source, "train")
        raise DataError(
            f"task {task.name}: {shots:,} examples before a prompt, and {task.source.uri} has {has} to take them from; "
            f"lower `shots` or `base_shots`, or add training samples{hint}"
        )


def pin(source: Source, digests: FileDigests, *, offline: bool = False) -> str:
    """Return a commit or a digest that changes with the source's content."""
    name: str = _reader(source).pin(source, digests, offline=offline)
    return name


def pinned(source: Source, name: str) -> Source:
    """Return the source at its pin, so that a data set of the hub cannot change between plan and run."""
    if not source.uri.startswith("hub:"):
        return source
    return replace(source, uri=f"{source.uri.partition('@')[0]}@{name}")


def share_of(source: Source) -> Share:
    """Return what may leave the machine: scores alone, or also texts if the source, its licence or the harness allows."""
    if source.share is not None:
        return source.share
    if source.uri.startswith("embedded:"):
        return "text"
    if is_local(source.uri) or source.licence is None:
        return "scores"
    licence = re.sub(r"[\s_]+", "-", source.licence.lower())
    return "text" if _PERMISSIVE.match(licence) and not _RESTRICTED.search(licence) else "scores"


def _reader(source: Source) -> ModuleType:
    return plugins.find("data", Uri.parse(source.uri).scheme)
