"""Data sets of the hub, read from a cache in the hub client's layout: refs/BRANCH, snapshots/COMMIT. No network."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from harness import data
from harness.errors import DataError, HubError
from harness.types import Source, Split

COMMIT = "0123456789abcdef0123456789abcdef01234567"
COLUMNS = {"id": "id", "input": "dialogue", "reference": "summary"}


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """An empty cache of the hub client and of `datasets`; any call to a network would fail."""
    import datasets
    from huggingface_hub import constants

    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path / "hub"))
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    monkeypatch.setattr(datasets.config, "HF_DATASETS_CACHE", tmp_path / "datasets")
    yield tmp_path / "hub"


def put(
    cache: Path, repository: str, files: dict[str, str], commit: str = COMMIT, branch: str = "main"
) -> None:
    """A repository as the client leaves it after a download."""
    folder = cache / ("datasets--" + repository.replace("/", "--"))
    for name, text in files.items():
        blob = folder / "blobs" / f"{commit}-{name.replace('/', '-')}"
        link = folder / "snapshots" / commit / name
        blob.parent.mkdir(parents=True, exist_ok=True)
        link.parent.mkdir(parents=True, exist_ok=True)
        blob.write_text(text, encoding="utf-8")
        link.symlink_to(blob)
    ref = folder / "refs" / branch
    ref.parent.mkdir(parents=True, exist_ok=True)
    ref.write_text(commit)


def lines(*ids: str) -> str:
    return "".join(json.dumps({"id": i, "dialogue": f"A: {i}", "summary": f"{i}."}) + "\n" for i in ids)


def ids(source: Source, split: Split) -> list[str]:
    return [sample.id for sample in data.read(source, split, offline=True)]


def test_a_data_set_is_read_from_the_cache(cache: Path) -> None:
    put(
        cache,
        "me/chats",
        {"train.jsonl": lines("a", "b"), "test.jsonl": lines("c"), "README.md": "# Chats\n"},
    )
    source = Source(uri="hub:me/chats", columns=COLUMNS)
    assert ids(source, "train") == ["a", "b"]
    assert ids(source, "test") == ["c"]
    assert data.pin(source, lambda path: "", offline=True) == COMMIT


def test_a_revision_is_what_was_asked_for(cache: Path) -> None:
    other = COMMIT[::-1]
    put(cache, "me/chats", {"test.jsonl": lines("new")})
    put(cache, "me/chats", {"test.jsonl": lines("old")}, commit=other, branch="v1")
    assert ids(Source(uri="hub:me/chats", columns=COLUMNS), "test") == ["new"]
    assert ids(Source(uri="hub:me/chats@v1", columns=COLUMNS), "test") == ["old"]
    assert ids(Source(uri=f"hub:me/chats@{other}", columns=COLUMNS), "test") == ["old"]
    assert data.pin(Source(uri="hub:me/chats@v1"), lambda path: "", offline=True) == other


def test_a_pinned_source_stays_where_it_was(cache: Path) -> None:
    put(cache, "me/chats", {"test.jsonl": lines("old")})
    source = Source(uri="hub:me/chats@main", columns=COLUMNS)
    pinned = data.pinned(source, data.pin(source, lambda path: "", offline=True))
    put(cache, "me/chats", {"test.jsonl": lines("new")}, commit=COMMIT[::-1])
    assert (ids(source, "test"), ids(pinned, "test")) == (["new"], ["old"])
    assert data.pinned(Source(uri="file:a.csv"), "0123") == Source(uri="file:a.csv")


def test_splits_may_be_slices(cache: Path) -> None:
    put(cache, "me/chats", {"train.jsonl": lines(*"abcdefgh")})
    splits = {"train": "train[:-3]", "validation": "train[-3:-2]", "test": "train[-2:]"}
    source = Source(uri="hub:me/chats", columns=COLUMNS, splits=splits)
    assert [ids(source, split) for split in data.splits(source)] == [list("abcde"), ["f"], ["g", "h"]]


def test_a_configuration_is_chosen(cache: Path) -> None:
    card = "---\nconfigs:\n- config_name: en\n  data_files: en/*.jsonl\n- config_name: de\n  data_files: de/*.jsonl\n---\n"
    put(cache, "me/chats", {"README.md": card, "en/test.jsonl": lines("e"), "de/test.jsonl": lines("d")})
    assert ids(
        Source(uri="hub:me/chats", columns=COLUMNS, config="de", splits={"test": "train"}), "test"
    ) == ["d"]
    with pytest.raises(DataError, match=r"hub:me/chats: split 'test': .*Config name is missing"):
        ids(Source(uri="hub:me/chats", columns=COLUMNS), "test")


def test_a_split_that_the_data_set_lacks(cache: Path) -> None:
    put(cache, "me/chats", {"train.jsonl": lines("a")})
    with pytest.raises(
        DataError, match=r"hub:me/chats: split 'test': Unknown split .*; see `splits` and `config`"
    ):
        ids(Source(uri="hub:me/chats", columns=COLUMNS), "test")


def test_a_row_is_named_in_messages(cache: Path) -> None:
    put(cache, "me/chats", {"test.jsonl": lines("a", "a")})
    with pytest.raises(DataError, match="hub:me/chats: test: row 2: the id 'a' is there twice"):
        ids(Source(uri="hub:me/chats", columns=COLUMNS), "test")


@pytest.mark.parametrize("offline", [True, False])
def test_without_network_and_cache_the_way_out_is_named(cache: Path, offline: bool) -> None:
    with pytest.raises(HubError) as caught:
        list(data.read(Source(uri="hub:me/chats", columns=COLUMNS), "test", offline=offline))
    assert "hub:me/chats: its default branch is not complete in the local cache" in str(caught.value)
    assert "--offline" in str(caught.value)
    assert "`uri: file:PATH`" in str(caught.value)
