"""Read samples from a data set on the hub, at one commit: `hub:OWNER/NAME[@REVISION]`.

The commit's files are downloaded once into the hub client's cache and read from there by `datasets`, so the state of the
network cannot change what is read. `splits` may slice as `datasets` does: `train[:-2000]`.
"""

from collections.abc import Iterator
from typing import Any

from harness.checkpoints import hub
from harness.data import FileDigests, Row
from harness.errors import DataError
from harness.types import Source, Split

_SPLITS: tuple[Split, ...] = ("train", "validation", "test")


def splits(source: Source, *, offline: bool = False) -> tuple[Split, ...]:
    """Return the splits that the source names; if it names none, all three are expected."""
    return tuple(split for split in _SPLITS if not source.splits or split in source.splits)


def rows(source: Source, split: Split, *, offline: bool = False) -> Iterator[Row]:
    """Yield the rows of a split."""
    name = source.splits.get(split, split)
    for number, values in enumerate(_load(source, name, offline), start=1):
        yield Row(where=f"{source.uri}: {name}: row {number}", values=values)


def pin(source: Source, digests: FileDigests, *, offline: bool = False) -> str:
    """Return the commit that the data set's revision is today."""
    repository, revision = _place(source)
    return hub.commit(repository, "dataset", revision, offline=offline)


def _place(source: Source) -> tuple[str, str | None]:
    repository, _, revision = source.uri.removeprefix("hub:").partition("@")
    return repository, revision or None


def _load(source: Source, split: str, offline: bool) -> Any:
    """Return a split as a `datasets.Dataset`, which reads its rows from disk one after another."""
    import datasets

    repository, revision = _place(source)
    commit = hub.commit(repository, "dataset", revision, offline=offline)
    folder = hub.snapshot(repository, "dataset", commit, None, offline=offline)
    bars = datasets.is_progress_bar_enabled()
    datasets.disable_progress_bars()
    try:
        return datasets.load_dataset(str(folder), name=source.config, split=split)
    except (
        ValueError,
        datasets.exceptions.DatasetsError,
        datasets.exceptions.DatasetGenerationError,
    ) as error:
        raise DataError(f"{source.uri}: split {split!r}: {error}; see `splits` and `config`") from error
    finally:
        if bars:
            datasets.enable_progress_bars()
