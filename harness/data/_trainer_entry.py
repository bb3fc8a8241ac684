"""Read the rows of an entry that a trainer's own file of data sets names; they lie in a file or on the hub."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from harness.data import FileDigests, Row, file, hub
from harness.digest import digest
from harness.tasks.trainer_rows import Names, as_shape
from harness.types import Source, Split


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainerEntry:
    """An entry for a split."""

    settings: Mapping[str, Any]  # as the trainer's file has them
    names: Names  # of its columns and roles
    below: Source  # of its rows

    def rows(self, split: Split, *, offline: bool) -> Iterator[Row]:
        """Yield the rows of the split with the columns of a shape."""
        reader = hub if self.below.uri.startswith("hub:") else file
        for row in reader.rows(self.below, split, offline=offline):
            yield as_shape(row, self.names)

    def pin(self, split: Split, digests: FileDigests, *, offline: bool) -> str:
        """Return a digest of the split's file, or the commit of its data set."""
        reader = hub if self.below.uri.startswith("hub:") else file
        alone = replace(self.below, splits={"test": self.below.splits[split]})
        found: str = reader.pin(alone, digests, offline=offline)
        return found


def pinned(entries: Mapping[Split, TrainerEntry], digests: FileDigests, *, offline: bool) -> str:
    """Return a digest of the entries of all splits, and of the files or commits that they name."""
    return digest(
        {
            split: [entry.settings, entry.pin(split, digests, offline=offline)]
            for split, entry in entries.items()
        }
    )
