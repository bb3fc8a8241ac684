from dataclasses import dataclass, field
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.digest import IF_SET, canonical, digest
from harness.files.regular import file_digest

plain = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)


@dataclass(frozen=True)
class Cat:
    name: str


@dataclass(frozen=True)
class Dog:
    name: str


@pytest.mark.slow
@given(st.dictionaries(st.text(), plain))
def test_the_order_of_keys_does_not_matter(value: dict[str, object]) -> None:
    assert digest(value) == digest(dict(reversed(value.items())))


@given(plain, plain)
def test_different_values_have_different_names(a: object, b: object) -> None:
    assert (digest(a) == digest(b)) == (repr(a) == repr(b)) or a == b


def test_records_of_two_types_differ_though_their_fields_agree() -> None:
    assert digest(Cat("Tom")) != digest(Dog("Tom"))


def test_a_value_without_a_canonical_form_is_refused() -> None:
    with pytest.raises(TypeError, match="set"):
        digest({1, 2})


def test_a_files_digest_is_sha_256(tmp_path: Path) -> None:
    path = tmp_path / "empty"
    path.touch()
    assert file_digest(path) == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"


@dataclass(frozen=True)
class Before:
    rank: int = 8


@dataclass(frozen=True)
class After:
    rank: int = 8
    objective: str = field(default="answers", metadata=IF_SET)


def test_a_setting_added_later_renames_only_what_uses_it() -> None:
    before, after = canonical(Before()), canonical(After())
    assert before | {"": "After"} == after
    assert digest(After()) != digest(After(objective="labels"))
