from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from harness import records
from harness.types import Generation, Recipe, Sample, System

texts = st.text(alphabet=st.characters(codec=None, exclude_categories=()))  # unpaired surrogates too


@given(st.lists(st.builds(Generation, sample_id=texts, text=texts)))
def test_lines_come_back_as_they_went(tmp_path_factory, generations: list[Generation]) -> None:  # type: ignore[no-untyped-def]
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
