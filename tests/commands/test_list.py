"""`harness list`: every kind of name, and what each name is."""

import inspect
from collections.abc import Callable
from pathlib import Path

import pytest

from harness import families, metrics, plugins
from harness.cli.lists import NameKind
from harness.commands.list import LISTINGS, lines
from harness.files import shipped
from harness.plugins.outline import first_sentence, outlines
from harness.suite.load import NOT_IN_SUITES
from harness.suite.named import available
from tests.cli.words import harness

Said = Callable[..., str]


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def entry(kind: str, name: str) -> str:
    """What is said of a name, in one line."""
    found = next(entry for entry in LISTINGS[kind].entries() if entry.name == name)
    return " ".join((found.about, *found.details))


def test_the_command_knows_every_listing() -> None:
    assert [kind.value for kind in NameKind] == list(LISTINGS)


def test_every_group_of_plugins_that_a_user_may_name_is_listed() -> None:
    named = {group for group in plugins.GROUPS if group not in NOT_IN_SUITES} | {"exports"}
    assert named <= set(LISTINGS)
    for group in named:
        assert [entry.name for entry in LISTINGS[group].entries()] == list(plugins.names(group))


@pytest.mark.parametrize("kind", LISTINGS)
def test_each_name_is_followed_by_what_it_is(
    kind: str, here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    done = harness(capsys, "list", kind)
    names = harness(capsys, "list", kind, "--names").out.split()
    assert done.code == 0
    assert names
    for entry in LISTINGS[kind].entries():
        assert entry.about, entry.name
    printed = done.out.splitlines()
    assert [line for line in printed if not line.startswith(" ")] == names
    assert max(map(len, printed)) <= 100


def test_without_a_kind_the_kinds_are_listed(capsys: pytest.CaptureFixture[str]) -> None:
    done = harness(capsys, "list")
    assert [line.split()[0] for line in done.out.splitlines()] == list(LISTINGS)
    assert harness(capsys, "list", "--names").out.split() == list(LISTINGS)


def test_a_metric_has_its_scores_and_settings() -> None:
    assert "settings: tokenize: 13a | intl | zh | char | none = 13a, lowercase: bool = false" in entry(
        "metrics", "bleu"
    )
    assert "Corpus BLEU (Papineni et al. 2002) by sacrebleu (Post 2018), with its defaults." in entry(
        "metrics", "bleu"
    )
    for outline in outlines("metrics"):
        module = plugins.find("metrics", outline.name)
        parameters = inspect.signature(module.metric).parameters.values()
        settings = [one.name for one in parameters if one.kind is one.KEYWORD_ONLY]
        assert [text.partition(":")[0] for text in outline.settings] == settings
        if outline.name != "evaluate":  # whose scores depend on what follows the colon
            assert outline.values["NAMES"] == metrics.score_names(outline.name)


def test_a_model_has_its_parameters_and_context_window() -> None:
    said = entry("models", "zoo:llama2-tiny")
    assert "family llama, 1.4 M parameters, a context window of 512 tokens" in said
    assert "no limit of its context window" in entry("models", "zoo:flan-t5-tiny")
    assert len(list(LISTINGS["models"].entries())) == len(shipped.zoo_names())


def test_families_and_backends_have_what_they_are_found_by() -> None:
    for name in plugins.names("families"):
        if types := families.find(name).model_types:
            assert f"model types: {', '.join(types)}" in entry("families", name)
    assert "schemes: zoo, hub, file" in entry("backends", "hf")


@pytest.mark.parametrize("kind", ["suite", "task", "recipe"])
def test_every_shipped_file_says_what_it_is_for(kind: str, here: Path) -> None:
    for entry in LISTINGS[f"{kind}s"].entries():
        assert len(entry.about) > 20, entry.name
    assert {entry.name for entry in LISTINGS[f"{kind}s"].entries()} == set(available(kind))  # type: ignore[arg-type]


def test_own_files_are_listed_with_their_place_and_a_broken_file_hides_no_other(here: Path) -> None:
    (here / "suites" / "tasks").mkdir(parents=True)
    (here / "suites" / "mine.yaml").write_text(
        "about: Mine.\ntasks: [dialogues, {name: own}]\nmodels: [{name: a}]\ngates: [{min_value: 1}]\n"
    )
    (here / "suites" / "broken.yaml").write_text("tasks: [\n")
    (here / "suites" / "list.yaml").write_text("- 1\n")
    assert (
        entry("suites", "mine") == "Mine. tasks dialogues, own; models a; 1 gate your own: suites/mine.yaml"
    )
    assert entry("suites", "broken").startswith("cannot be read: suites/broken.yaml:")
    assert "quickstart" in "\n".join(lines("suites", 80))
    assert entry("suites", "list") == "  your own: suites/list.yaml"


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("One. Two.", "One."),
        ("One (A et al. 2002) and\nmore. Two.", "One (A et al. 2002) and more."),
        ("A target defines:\n\n    X", "A target defines"),
        ("", ""),
    ],
)
def test_the_first_sentence_of_a_docstring(text: str, sentence: str) -> None:
    assert first_sentence(text) == sentence
