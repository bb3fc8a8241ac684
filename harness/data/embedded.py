"""Read samples that come with the harness: `embedded:NAME`, a folder of JSON Lines files."""

from collections.abc import Iterator
from dataclasses import replace

from harness.data import FileDigests, Row, file
from harness.errors import UnknownName
from harness.files import shipped
from harness.types import Source, Split


def splits(source: Source, *, offline: bool = False) -> tuple[Split, ...]:
    """Return the splits of an embedded data set."""
    return file.splits(_as_file(source))


def rows(source: Source, split: Split, *, offline: bool = False) -> Iterator[Row]:
    """Yield the rows of a split."""
    return file.rows(_as_file(source), split)


def shared_rows(source: Source) -> Iterator[str]:
    """Yield a sentence for each two splits that take the same rows of a file."""
    return file.shared_rows(_as_file(source))


def place(source: Source, split: Split) -> str:
    """Return the file of a split, with the rows that the split takes of it."""
    return file.place(_as_file(source), split)


def pin(source: Source, digests: FileDigests, *, offline: bool = False) -> str:
    """Return a digest of the data set's files."""
    return file.pin(_as_file(source), digests)


def _as_file(source: Source) -> Source:
    name = source.uri.removeprefix("embedded:")
    if name not in shipped.data_names():
        raise UnknownName("embedded data set", name, shipped.data_names())
    return replace(source, uri=f"file:{shipped.folder('suites') / 'data' / name}")
