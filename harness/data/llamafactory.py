"""Read data sets that LLaMA-Factory knows: `llamafactory:FOLDER`, which has a dataset_info.json.

`splits` names an entry of that file for each split, or a part of its rows: `train: "my_set[:90%]"`. The entry says where the
rows are, in a file beside it or on the hub, and what its columns and roles are called.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from harness.data import FileDigests, Row, file, hub
from harness.digest import digest
from harness.errors import DataError, UnknownName
from harness.files.row_range import split_name
from harness.files.yaml import shown
from harness.tasks.trainer_rows import Names, as_shape
from harness.types import Source, Split

LOCAL = True  # the uri's place is a path
INFO = "dataset_info.json"
_KEYS = frozenset("file_name hf_hub_url formatting ranking subset split columns tags".split())
_COLUMNS = frozenset("prompt query response history system messages chosen rejected".split())
_TAGS = frozenset(
    "role_tag content_tag user_tag assistant_tag observation_tag function_tag system_tag".split()
)
_SPLITS: tuple[Split, ...] = ("train", "validation", "test")


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


def splits(source: Source, *, offline: bool = False) -> tuple[Split, ...]:
    """Return the splits that the source names."""
    _info(source)
    if not source.splits:
        raise DataError(
            f"{source.uri}: names no entry of {INFO}; write `splits: {{train: NAME, test: NAME}}`, or parts of one: "
            '"NAME[:90%]"',
            ("source", "uri"),
        )
    return tuple(split for split in _SPLITS if split in source.splits)


def rows(source: Source, split: Split, *, offline: bool = False) -> Iterator[Row]:
    """Yield the rows of a split with the columns of a shape."""
    return _entry(source, split).rows(split, offline=offline)


def pin(source: Source, digests: FileDigests, *, offline: bool = False) -> str:
    """Return a digest of the entries, and of the files or commits that they name."""
    entries = {split: _entry(source, split) for split in splits(source)}
    return pinned(entries, digests, offline=offline)


def _info(source: Source) -> tuple[Path, Mapping[str, Any]]:
    place = Path(source.uri.removeprefix("llamafactory:"))
    path = place if place.suffix == ".json" else place / INFO
    return path, file.json_object(path)


def _entry(source: Source, split: Split) -> TrainerEntry:
    """Return the entry that a split names, its columns, and the source of its rows."""
    path, info = _info(source)
    if split not in splits(source):
        raise DataError(
            f"{source.uri}: no {split} split; name its entry: `splits: {{{split}: NAME}}`",
            ("source", "splits"),
        )
    name, _ = split_name(source.splits[split])
    taken = source.splits[split].removeprefix(name)
    if name not in info:
        raise UnknownName("data set", name, info, shown(path), ("source", "splits", split))
    entry, where = info[name], f"{shown(path)}: {name}"
    if not isinstance(entry, dict):
        raise DataError(f"{where}: found no object of settings")
    _refuse_unknown(entry, _KEYS, where)
    if isinstance(place := entry.get("file_name"), str):
        below = replace(source, uri=f"file:{path.parent}", splits={split: f"{place}{taken}"}, config=None)
        if split != "test":  # a folder's files are only complete with a test split
            below = replace(below, splits={**below.splits, "test": f"{place}{taken}"})
    elif isinstance(place := entry.get("hf_hub_url"), str):
        part = entry.get("split", "train")
        below = replace(
            source, uri=f"hub:{place}", splits={split: f"{part}{taken}"}, config=entry.get("subset")
        )
    else:
        raise DataError(f"{where}: names neither file_name nor hf_hub_url, which are all that is read")
    return TrainerEntry(
        settings=entry,
        names=_names(entry, where),
        below=below,
    )


def _names(entry: Mapping[str, Any], where: str) -> Names:
    form, columns, tags = entry.get("formatting", "alpaca"), entry.get("columns", {}), entry.get("tags", {})
    _refuse_unknown(columns, _COLUMNS, f"{where}: columns")
    _refuse_unknown(tags, _TAGS, f"{where}: tags")
    ranking = bool(entry.get("ranking"))
    pair: dict[str, Any] = {
        "chosen": columns.get("chosen", "chosen") if ranking else None,
        "rejected": columns.get("rejected", "rejected") if ranking else None,
    }
    if form == "alpaca":
        return Names(
            instruction=columns.get("prompt", "instruction"),
            input=columns.get("query", "input"),
            output=None if ranking else columns.get("response", "output"),
            history=columns.get("history"),
            system=columns.get("system"),
            **pair,
        )
    if form not in ("sharegpt", "openai"):
        raise DataError(f"{where}: formatting is {form!r}; known: alpaca, sharegpt, openai")
    usual = (
        ("role", "content", "user", "assistant") if form == "openai" else ("from", "value", "human", "gpt")
    )
    role, content, user, assistant = (
        tags.get(key, name)
        for key, name in zip(("role_tag", "content_tag", "user_tag", "assistant_tag"), usual, strict=True)
    )
    return Names(
        messages=columns.get("messages", "messages" if form == "openai" else "conversations"),
        system=columns.get("system"),
        role=role,
        content=content,
        roles={user: "user", assistant: "assistant", tags.get("system_tag", "system"): "system"},
        **pair,
    )


def _refuse_unknown(found: object, known: frozenset[str], where: str) -> None:
    if not isinstance(found, dict):
        raise DataError(f"{where}: found no object of settings")
    for key in found:
        if key not in known:
            raise DataError(f"{where}: has {key!r}, which is not read; known: {', '.join(sorted(known))}")
