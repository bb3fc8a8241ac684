"""A name that is not there: what has the name instead, which suites use it, and what is near."""

from pathlib import Path

import pytest

from harness.errors import SuiteError, UnknownName
from harness.suite.load import load_recipes, load_suite, load_task
from harness.suite.named import kind_of


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def refusal(load: object, name: str) -> str:
    with pytest.raises(UnknownName) as refused:
        load(name)  # type: ignore[operator]
    return str(refused.value)


def test_a_task_in_a_suites_place_names_the_suites_that_use_it() -> None:
    assert refusal(load_suite, "dialogues") == (
        "no suite named 'dialogues'; it is a task, which these suites use: "
        "alignment, ci, everything, everything-full, quickstart, quickstart-full, sweep-quickstart"
    )
    assert refusal(load_suite, "instruction-qa").endswith("it is a task, which this suite uses: samsum")


def test_a_recipe_that_no_suite_uses_says_how_to_use_it() -> None:
    said = refusal(load_suite, "lora-r64")
    assert said.endswith("it is a recipe; no suite uses it: list it in a suite, `recipes: [lora-r64]`")


def test_a_suite_in_a_tasks_or_recipes_place() -> None:
    assert refusal(load_task, "samsum-full").startswith("no task named 'samsum-full'")
    assert refusal(load_task, "quickstart-full") == "no task named 'quickstart-full'; it is a suite"
    assert refusal(load_recipes, "dialogues").startswith("no recipe named 'dialogues'; it is a task")


def test_near_names_of_other_kinds_are_suggested_only_if_none_of_its_own_kind_is_near() -> None:
    assert refusal(load_suite, "dialoges") == "no suite named 'dialoges'; did you mean the task 'dialogues'?"
    assert refusal(load_suite, "quikstart").startswith(
        "no suite named 'quikstart'; did you mean 'quickstart'"
    )
    assert ", ci, " in refusal(load_suite, "zzzz").partition("known: ")[2]


def test_own_suites_count_and_a_broken_suite_is_passed_over(here: Path) -> None:
    (here / "suites" / "tasks").mkdir(parents=True)
    (here / "suites" / "tasks" / "own.yaml").touch()
    (here / "suites" / "a.yaml").write_text("tasks: [own]\n")
    (here / "suites" / "b.yaml").write_text("tasks: [\n")
    assert refusal(load_suite, "own").endswith("it is a task, which this suite uses: a")


def test_in_a_suite_the_place_comes_first(here: Path) -> None:
    (here / "s.yaml").write_text("tasks: [quickstart-full]\nmodels: []\n")
    with pytest.raises(
        SuiteError, match=r"^s\.yaml:1: tasks\[0\]: no task named 'quickstart-full'; it is a suite"
    ):
        load_suite("s.yaml")


@pytest.mark.parametrize(
    ("name", "content", "kind"),
    [
        ("mine.yaml", "source: {uri: embedded:dialogues}\nprompt: $input\n", "task"),
        ("mine.yaml", "rank: 4\nepochs: 1\n", "recipe"),
        ("mine.yaml", "sweep: {rank: [4, 8]}\n", "recipe"),
        ("mine.yaml", "tasks: [dialogues]\nmodels: []\n", "suite"),
        ("mine.yaml", "about: nothing that tells\nname: x\ntasks: []\n", "suite"),
        ("mine.yaml", "[broken", "suite"),
        ("tasks/mine.yaml", "rank: 4\n", "task"),
        ("adapters/mine.yaml", "source: {}\n", "recipe"),
        ("nowhere.yaml", None, "suite"),
    ],
)
def test_a_file_is_what_its_folder_or_its_keys_say(name: str, content: str | None, kind: str) -> None:
    if content is not None:
        Path(name).parent.mkdir(exist_ok=True)
        Path(name).write_text(content)
    assert kind_of(name) == kind


@pytest.mark.parametrize(
    ("name", "kind"), [("quickstart", "suite"), ("dialogues", "task"), ("lora-r64", "recipe"), ("x", "suite")]
)
def test_a_name_is_what_has_it(name: str, kind: str) -> None:
    assert kind_of(name) == kind
