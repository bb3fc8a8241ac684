from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.errors import HarnessError
from harness.files import json_lines as records
from harness.types import Generation, Recipe, Sample, System

texts = st.text(alphabet=st.characters(codec=None, exclude_categories=()))  # unpaired surrogates too


@settings(deadline=None)  # a disk may be slow
@given(st.lists(st.builds(Generation, sample_id=texts, text=texts)))
def test_lines_come_back_as_they_went(
    tmp_path_factory: pytest.TempPathFactory, generations: list[Generation]
) -> None:
    path = tmp_path_factory.mktemp("lines") / "generations.jsonl"
    records.write_lines(path, generations)
    assert records.read_lines(path, Generation) == generations


def test_nested_records_come_back_as_they_went() -> None:
    for record in (
        Recipe(name="r", steps=3, targets=("q",), seeds=(0, 1)),
        Sample(id="1", input="", references=("a", "b"), metadata={"k": "v"}),
        System(model="m", adapter=None),
    ):
        assert records.from_json(type(record), records.to_json(record)) == record


def test_a_torn_last_line_is_left_out_and_can_be_cut(tmp_path: Path) -> None:
    path = tmp_path / "generations.jsonl"
    records.write_lines(path, [Generation(sample_id="1", text="one")])
    whole = path.read_bytes()
    path.write_bytes(whole + b'{"sample_id": "2", "te')
    assert [g.sample_id for g in records.read_lines(path, Generation)] == ["1"]
    records.drop_torn_line(path)
    assert path.read_bytes() == whole


@settings(deadline=None, max_examples=50)
@given(st.lists(texts, max_size=40), st.integers(0, 45), st.integers(0, 45), st.integers(1, 3))
def test_indexed_records_are_those_of_the_list(
    tmp_path_factory: pytest.TempPathFactory, written: list[str], start: int, stop: int, step: int
) -> None:
    path = tmp_path_factory.mktemp("indexed") / "test.jsonl"
    expected = [Sample(id=str(n), input=text, references=("r",)) for n, text in enumerate(written)]
    assert records.write_indexed(path, expected) == len(expected)
    found = records.IndexedLines(path, Sample)
    assert list(found) == expected == records.read_lines(path, Sample)
    assert found[start:stop:step] == expected[start:stop:step]
    assert [found[-1 - n] for n in range(len(expected))] == expected[::-1]
    with pytest.raises(IndexError):
        found[len(expected)]


def test_a_record_is_read_from_the_mark_before_it(tmp_path: Path) -> None:
    path = tmp_path / "test.jsonl"
    records.write_indexed(path, (Sample(id=str(n), input="x", references=("r",)) for n in range(2_000)))
    found = records.IndexedLines(path, Sample)
    content = path.read_bytes()
    mark = found._bytes[1_500 // records.MARK_EVERY]
    path.write_bytes(b"#" * mark + content[mark:])  # what lies before cannot be read any more
    assert [sample.id for sample in found[1_500:1_503]] == ["1500", "1501", "1502"]
    assert found[1_999].id == "1999"


def test_a_file_that_cannot_be_written_whole_stays_as_it_was(tmp_path: Path) -> None:
    """Its text is longer than files may be here, as on a disk that is full."""
    import resource
    import signal

    path = tmp_path / "base.json"
    path.write_text("old")
    before, ignored = resource.getrlimit(resource.RLIMIT_FSIZE), signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1000, before[1]))
    try:
        with pytest.raises(HarnessError, match=r"base\.json: cannot be written: File too large"):
            records.write_text(path, "new" * 1000)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
        signal.signal(signal.SIGXFSZ, ignored)
    assert path.read_text() == "old"
    assert [one.name for one in tmp_path.iterdir()] == ["base.json"]


def test_a_text_goes_where_a_link_leads_and_keeps_the_permissions(tmp_path: Path) -> None:
    (tmp_path / "real.md").write_text("old")
    (tmp_path / "real.md").chmod(0o640)
    (tmp_path / "page.md").symlink_to("real.md")
    records.write_text(tmp_path / "page.md", "new")
    assert (tmp_path / "page.md").is_symlink()
    assert (tmp_path / "real.md").read_text() == "new"
    assert (tmp_path / "real.md").stat().st_mode & 0o777 == 0o640
