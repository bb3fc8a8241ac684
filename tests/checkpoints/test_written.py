"""Which model or adapter a text means: a uri, a path, OWNER/NAME, a name; or which line refuses it."""

from pathlib import Path

import pytest

from harness import backends
from harness.checkpoints.written import adapter_uri, model_uri, without_revision
from harness.errors import SuiteError, UnknownName

SCHEMES = ("echo", "file", "hub", "zoo")


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with a model, an adapter in a folder in it, and a home beside it."""
    folder = tmp_path / "here"
    for name in ("model", "runs/final", "falcon-tiny", "../home/mine"):
        (folder / name).mkdir(parents=True)
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    return folder


# HERE is that folder, and UP the one around it.
EITHER = [
    ("hub:a/b", "hub:a/b"),
    ("file:x", "file:HERE/x"),
    ("file:/x/y", "file:/x/y"),
    ("file:~/mine", "file:UP/home/mine"),
    ("./model", "file:HERE/model"),
    ("./nowhere", "file:HERE/nowhere"),  # that it is not there is for the reader of the folder to say
    ("../home/mine", "file:UP/home/mine"),
    ("~/mine", "file:UP/home/mine"),
    (".", "file:HERE"),
    ("/x/y", "file:/x/y"),
    ("./runs/final", "file:HERE/runs/final"),
    ("./a:b", "file:HERE/a:b"),
    ("google/flan-t5-base", "hub:google/flan-t5-base"),
    ("google/flan-t5-base@main", "hub:google/flan-t5-base@main"),
    ("a/b/c", "file:HERE/a/b/c"),
    ("runs/final/", "file:HERE/runs/final"),
    ("model", "file:HERE/model"),
]
MODELS = [
    *EITHER,
    ("zoo:falcon-tiny", "zoo:falcon-tiny"),
    ("echo:copy", "echo:copy"),
    ("llama2-tiny", "zoo:llama2-tiny"),
    ("hubb:a/b", "hubb:a/b"),  # refused by the check of schemes, which names the near one
]
ADAPTERS = [*EITHER, ("nowhere", "file:HERE/nowhere"), ("falcon-tiny", "file:HERE/falcon-tiny")]


@pytest.mark.parametrize(("text", "uri"), MODELS)
def test_a_text_names_a_model(here: Path, text: str, uri: str) -> None:
    expected = uri.replace("HERE", str(here)).replace("UP", str(here.parent))
    assert model_uri(text, here, "where", SCHEMES) == expected
    assert model_uri(expected, Path("/elsewhere"), "where", SCHEMES) == expected  # a uri means itself


@pytest.mark.parametrize(("text", "uri"), ADAPTERS)
def test_a_text_names_an_adapter(here: Path, text: str, uri: str) -> None:
    expected = uri.replace("HERE", str(here)).replace("UP", str(here.parent))
    assert adapter_uri(text, here, "where") == expected
    assert adapter_uri(expected, Path("/elsewhere"), "where") == expected


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("runs/final", "where: found 'runs/final', which could be the folder ./runs/final or hub:runs/final on the hub"),
        ("falcon-tiny", "which could be the folder ./falcon-tiny or the tiny model zoo:falcon-tiny; write one of the two"),
        ("gpt2", "where: found 'gpt2': no folder HERE/gpt2, and no tiny model of that name; write ./PATH"),
        ("", "where: found an empty text"),
        (" ", "where: found an empty text"),
    ],
)  # fmt: skip
def test_a_text_that_names_no_model_or_two_is_refused(here: Path, text: str, said: str) -> None:
    with pytest.raises(SuiteError) as refused:
        model_uri(text, here, "where", SCHEMES)
    assert said.replace("HERE", str(here)) in str(refused.value)


def test_an_adapter_that_could_be_two_is_refused(here: Path) -> None:
    with pytest.raises(SuiteError, match=r"folder \./runs/final or hub:runs/final"):
        adapter_uri("runs/final", here, "where")


def test_a_near_name_is_suggested(here: Path) -> None:
    with pytest.raises(
        UnknownName, match="where: no tiny model named 'lama2-tiny'; did you mean 'llama2-tiny'"
    ):
        model_uri("lama2-tiny", here, "where", SCHEMES)


def test_the_schemes_above_are_those_of_the_backends() -> None:
    assert set(SCHEMES) <= set(backends.schemes())


@pytest.mark.parametrize(
    ("uri", "parts"),
    [
        ("hub:a/b@v1", ("hub:a/b", "v1")),
        ("hub:a/b", ("hub:a/b", None)),
        ("file:/x@y", ("file:/x@y", None)),
    ],
)
def test_only_a_uri_of_the_hub_has_a_revision(uri: str, parts: tuple[str, str | None]) -> None:
    assert without_revision(uri) == parts
