"""Read data sets that a configuration of Axolotl names: `axolotl:CONFIG.yml`.

`splits` names an entry for each split, or a part of its rows: `train: "datasets.0[:90%]"`. Without `splits`, the first entry
of `datasets` is the training split and the first of `test_datasets` the test split.
"""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from harness.data import FileDigests, Row
from harness.data.llamafactory import TrainerEntry, pinned
from harness.errors import DataError
from harness.files import yaml
from harness.files.row_range import split_name
from harness.tasks.trainer_rows import Names
from harness.types import Source, Split

LOCAL = True  # the uri's place is a path
_KEYS = frozenset(
    "path type ds_type split name data_files field field_messages message_property_mappings message_field_role "
    "message_field_content roles field_chosen field_rejected field_system".split()
)
_FIELDS = frozenset("field_instruction field_input field_output field_system".split())
_SPLITS: tuple[Split, ...] = ("train", "validation", "test")
_USUAL: Mapping[Split, str] = {"train": "datasets.0", "test": "test_datasets.0"}
# A type -> its columns
_TYPES: Mapping[str, Names] = {
    "alpaca": Names(instruction="instruction", input="input", output="output"),
    "alpaca_chat.load_qa": Names(instruction="question", output="answer"),
    "alpaca_w_system.load": Names(instruction="instruction", input="input", output="output", system="system"),
}


def splits(source: Source, *, offline: bool = False) -> tuple[Split, ...]:
    """Return the splits that the source names, or those that the configuration has entries for."""
    return tuple(split for split in _SPLITS if split in _named(source))


def rows(source: Source, split: Split, *, offline: bool = False) -> Iterator[Row]:
    """Yield the rows of a split with the columns of a shape."""
    return _entry(source, split).rows(split, offline=offline)


def pin(source: Source, digests: FileDigests, *, offline: bool = False) -> str:
    """Return a digest of the entries, and of the files or commits that they name."""
    entries = {split: _entry(source, split) for split in splits(source)}
    return pinned(entries, digests, offline=offline)


def _config(source: Source) -> tuple[Path, Mapping[str, Any]]:
    path = Path(source.uri.removeprefix("axolotl:"))
    content = yaml.load(path).data
    if not isinstance(content, dict):
        raise DataError(f"{yaml.shown(path)}: no configuration of Axolotl: found no keys", ("source", "uri"))
    return path, content


def _named(source: Source) -> Mapping[str, str]:
    if source.splits:
        return source.splits
    _, config = _config(source)
    return {split: name for split, name in _USUAL.items() if config.get(name.partition(".")[0])}


def _entry(source: Source, split: Split) -> TrainerEntry:
    """Return the entry that a split names, its columns, and the source of its rows."""
    path, config = _config(source)
    if split not in splits(source):
        raise DataError(
            f"{source.uri}: no {split} split; name its entry: `splits: {{{split}: datasets.0}}`",
            ("source", "splits"),
        )
    named = _named(source)[split]
    name, _ = split_name(named)
    taken = named.removeprefix(name)
    group, _, number = name.partition(".")
    entries = config.get(group)
    if not isinstance(entries, list) or not number.isdecimal() or int(number) >= len(entries):
        raise DataError(
            f"{yaml.shown(path)}: has no entry {name}; name one as datasets.0 or test_datasets.0, counted from 0",
            ("source", "splits", split),
        )
    entry, where = entries[int(number)], f"{yaml.shown(path)}: {name}"
    if not isinstance(entry, dict) or not isinstance(place := entry.get("path"), str):
        raise DataError(f"{where}: names no path")
    _refuse_unknown(entry, _KEYS, where)
    return TrainerEntry(
        settings=entry,
        names=_names(entry, where),
        below=_below(source, split, entry, path.parent, place, taken),
    )


def _below(
    source: Source, split: Split, entry: Mapping[str, Any], folder: Path, place: str, taken: str
) -> Source:
    """Return the source of an entry's rows: a file beside the configuration, else a data set of the hub."""
    local = folder / place
    if not local.exists():
        part = entry.get("split", "train")
        return replace(source, uri=f"hub:{place}", splits={split: f"{part}{taken}"}, config=entry.get("name"))
    files = entry.get("data_files")
    if local.is_dir():
        one = files[0] if isinstance(files, list) and len(files) == 1 else files
        if not isinstance(one, str):
            raise DataError(f"{local}: a folder; name one file of it as `data_files`")
        local = local / one
    taken_of = f"{local.name}{taken}"
    parts = {str(split): taken_of, "test": taken_of}
    return replace(source, uri=f"file:{local.parent}", splits=parts, config=None)


def _names(entry: Mapping[str, Any], where: str) -> Names:
    kind = entry.get("type")
    if isinstance(kind, dict):
        _refuse_unknown(kind, _FIELDS, f"{where}: type")
        return Names(
            instruction=kind.get("field_instruction", "instruction"),
            input=kind.get("field_input", "input"),
            output=kind.get("field_output", "output"),
            system=kind.get("field_system"),
        )
    if kind == "completion":
        return Names(text=entry.get("field", "text"))
    if kind in ("chat_template", "sharegpt", "chat_template.default"):
        return _conversation(entry, kind)
    if isinstance(kind, str) and kind in _TYPES:
        return _TYPES[kind]
    known = ", ".join([*_TYPES, "completion", "chat_template", "chat_template.default", "sharegpt"])
    raise DataError(f"{where}: type is {kind!r}; known: {known}, or a mapping of fields")


def _conversation(entry: Mapping[str, Any], kind: str) -> Names:
    keys = entry.get("message_property_mappings", {})
    usual = ("from", "value", "conversations") if kind == "sharegpt" else ("role", "content", "messages")
    roles = {theirs: ours for ours, several in entry.get("roles", {}).items() for theirs in several}
    pair = kind == "chat_template.default"
    return Names(
        messages=entry.get("field_messages", usual[2]),
        role=keys.get("role", entry.get("message_field_role", usual[0])),
        content=keys.get("content", entry.get("message_field_content", usual[1])),
        roles=roles,
        system=entry.get("field_system"),
        chosen=entry.get("field_chosen", "chosen") if pair else None,
        rejected=entry.get("field_rejected", "rejected") if pair else None,
    )


def _refuse_unknown(found: Mapping[str, Any], known: frozenset[str], where: str) -> None:
    for key in found:
        if key not in known:
            raise DataError(f"{where}: has {key!r}, which is not read; known: {', '.join(sorted(known))}")
