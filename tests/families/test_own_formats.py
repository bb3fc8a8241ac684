"""Families that were tuned on a format of their own: known by name on the hub, or said; asked in their own words."""

import shutil
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import pytest

from harness import families, plugins
from harness.files.shipped import zoo_folder
from harness.plan.pins import pins
from harness.plan.plan import plan
from harness.plan.wording import own_words
from harness.run.steps.generate import Generate
from harness.suite.load import load_suite, load_task
from harness.tasks.prompts import render
from harness.types import Model, Sample, Suite, Task, Wording
from tests.cli.words import harness

COMMIT = "0123456789abcdef0123456789abcdef01234567"
NAMES = {
    "epfl-llm/meditron-7b": "meditron",
    "epfl-llm/meditron-70b": "meditron",
    "EPFL-LLM/Meditron-7B": "meditron",
    "gorilla-llm/gorilla-openfunctions-v0": "gorilla",
    "gorilla-llm/gorilla-openfunctions-v1": "gorilla",
    "gorilla-llm/gorilla-openfunctions-v2": "gorilla2",
    "gorilla-llm/gorilla-7b-hf-v1": "llama",
    "meta-llama/Llama-2-7b-hf": "llama",
    "someone/meditron-7b": "llama",
    "": "llama",
}
SAMPLE = Sample(
    id="1",
    input="Which one?",
    references=("red",),
    choices=("red", "blue"),
    metadata={"formulary": "PAGE", "api": "f(x): does it", "question": "Does it?"},
)


@pytest.mark.parametrize(("repository", "family"), NAMES.items())
def test_a_checkpoints_name_on_the_hub_tells_its_family(repository: str, family: str) -> None:
    assert families.of("llama", repository).name == family
    assert families.of("falcon", repository).name == "falcon"  # other matrices: not what its name says


def test_what_was_tuned_from_a_family_has_its_matrices() -> None:
    tuned = [family for family in map(families.find, plugins.own_names("families")) if family.tuned_from]
    assert {family.name for family in tuned} >= {"meditron", "gorilla", "gorilla2"}
    for family in tuned:
        other = families.find(str(family.tuned_from))
        assert other.tuned_from is None and not family.model_types and family.repositories
        assert (family.roles, family.targets, family.fused) == (other.roles, other.targets, other.fused)
        assert all(families.of(other.model_types[0], name) == family for name in family.checkpoints)
        assert all(pattern == pattern.lower() for pattern in family.repositories)


@pytest.mark.parametrize(
    ("by_family", "family", "asked"),
    [
        ({"meditron"}, "meditron", "meditron"),
        ({"llama"}, "meditron", "llama"),
        ({"llama", "meditron"}, "meditron", "meditron"),
        ({"meditron"}, "llama", None),
        ({"t5"}, "meditron", None),
        ({"llama"}, "no-such-family", None),
        ({"llama"}, None, None),
    ],
)
def test_words_are_those_of_the_family_or_of_what_it_was_tuned_from(
    by_family: set[str], family: str | None, asked: str | None
) -> None:
    assert families.asked_as(by_family, family) == asked


QUESTION = "<|im_start|> system\n<|im_end|>\n <|im_start|> question\n{}<|im_end|>\n <|im_start|> answer\n"


@pytest.mark.parametrize(
    ("task", "family", "text"),
    [
        ("medical-qa", "meditron", QUESTION.format("PAGE\n\nWhich one?\nA. red\nB. blue")),
        ("medqa", "meditron", QUESTION.format("Which one?\nA. red\nB. blue")),
        ("medical-yesno", "meditron", QUESTION.format("Which one?\nQuestion: Does it?")),
        ("api-call", "gorilla", "USER: <<question>> Which one? <<function>> f(x): does it\nASSISTANT: "),
        ("api-call", "gorilla2", "<<function>>f(x): does it\n<<question>>Which one?"),
        ("api-call", "meditron", "f(x): does it\n\nTask: Which one?\nCall:"),
        ("api-call", "llama", "f(x): does it\n\nTask: Which one?\nCall:"),
        ("medqa", "gorilla", "Which one?\nA. red\nB. blue\nAnswer:"),
    ],
)
def test_the_formats_of_shipped_tasks(task: str, family: str, text: str) -> None:
    found = load_task(task)
    assert render(found.for_family(families.asked_as(found.by_family, family)), SAMPLE).text == text


@pytest.fixture
def hub_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Tiny Llamas under the names of larger ones, as the hub's client leaves them after a download."""
    from huggingface_hub import constants

    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path / "hub"))
    for name in ("epfl-llm/meditron-7b", "gorilla-llm/gorilla-openfunctions-v1", "someone/llama"):
        folder = tmp_path / "hub" / f"models--{name.replace('/', '--')}"
        (folder / "refs").mkdir(parents=True)
        (folder / "refs" / "main").write_text(COMMIT)
        shutil.copytree(zoo_folder("llama2-tiny"), folder / "snapshots" / COMMIT)
    return tmp_path


MODELS = (
    Model(name="meditron", uri="hub:epfl-llm/meditron-7b"),
    Model(name="gorilla", uri="hub:gorilla-llm/gorilla-openfunctions-v1"),
    Model(name="llama", uri="hub:someone/llama"),
    Model(name="declared", uri="zoo:llama2-tiny", family="meditron"),
    Model(name="tiny", uri="zoo:llama2-tiny"),
)


def asked(suite: Suite, cache: Path) -> Mapping[str, Mapping[str, str]]:
    """The prompt of each task, by model, as the steps of a plan that answer have it."""
    drawn = plan(suite, pins(suite, offline=True, device="cpu", cache=cache / "digests.json"))
    found: dict[str, dict[str, str]] = {}
    for step in drawn.steps:
        if isinstance(step.spec, Generate):
            task = step.label.removeprefix("generate ").partition(",")[0]
            found.setdefault(step.spec.used.model.name, {})[task] = step.spec.task.prompt
    return found


def test_a_plan_asks_each_model_in_the_words_of_its_family(hub_cache: Path) -> None:
    tasks = tuple(map(load_task, ("medical-qa", "api-call")))
    own: dict[str, Task] = {task.name: task for task in tasks}
    found = asked(Suite(name="s", tasks=tasks, models=MODELS, limit=3), hub_cache)
    medical, call = own["medical-qa"], own["api-call"]
    assert found["meditron"] == found["declared"]
    assert found["meditron"] == {
        "medical-qa": medical.by_family["meditron"].prompt,
        "api-call": call.prompt,
    }
    assert found["gorilla"] == {"medical-qa": medical.prompt, "api-call": call.by_family["gorilla"].prompt}
    assert found["llama"] == found["tiny"] == {"medical-qa": medical.prompt, "api-call": call.prompt}


def test_words_of_llama_still_reach_what_was_tuned_from_it(hub_cache: Path) -> None:
    task = replace(load_task("api-call"), by_family={"llama": Wording(prompt="Call: $input")})
    found = asked(Suite(name="s", tasks=(task,), models=MODELS, limit=3), hub_cache)
    assert {prompts["api-call"] for prompts in found.values()} == {"Call: $input"}


def test_a_plan_says_which_model_is_asked_in_whose_words(hub_cache: Path) -> None:
    tasks = tuple(map(load_task, ("medical-qa", "medical-yesno", "api-call")))
    suite = Suite(name="s", tasks=tasks, models=MODELS, limit=3)
    drawn = plan(suite, pins(suite, offline=True, device="cpu", cache=hub_cache / "digests.json"))
    assert [*own_words(drawn)] == [
        "model meditron: asked in the words of the family meditron (by_family): medical-qa, medical-yesno",
        "model gorilla: asked in the words of the family gorilla (by_family): api-call",
        "model declared: asked in the words of the family meditron (by_family): medical-qa, medical-yesno",
    ]


def test_models_of_the_shipped_suite_have_their_formats() -> None:
    suite = load_suite("choose-a-base")
    found = {model.name: families.of("llama", model.uri.removeprefix("hub:")).name for model in suite.models}
    assert (found["meditron-7b"], found["gorilla-7b"], found["llama2-7b"]) == (
        "meditron",
        "gorilla2",
        "llama",
    )
    tasks = {task.name: task for task in suite.tasks}
    assert "meditron" in tasks["medqa"].by_family and "gorilla2" in tasks["api-call"].by_family


SUITE = """
tasks: [medical-qa, api-call]
models:
  - {name: medic, uri: zoo:llama2-tiny, family: meditron}
  - {name: tiny, uri: zoo:llama2-tiny}
weights: false
limit: 2
"""


@pytest.mark.slow
def test_check_plan_and_show_say_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HARNESS_STORE", str(tmp_path / "store"))
    Path("small.yaml").write_text(SUITE)
    line = "model medic: asked in the words of the family meditron (by_family): medical-qa"
    for command in ("check", "plan"):
        done = harness(capsys, command, "small.yaml", "--device", "cpu")
        assert done.code == 0, done.err
        assert line in " ".join(done.out.split())
    for family, whose in (("meditron", "the words of the family meditron"), ("", "the task's own words")):
        given = ("--family", family) if family else ()
        shown = harness(capsys, "show", "medical-qa", "--model", "zoo:llama2-tiny", "--n", "1", *given)
        assert shown.code == 0, shown.err
        assert f"tokens · {whose}\n" in shown.out
        assert ("<|im_start|> question\n" in shown.out) == bool(family)
    wrong = harness(capsys, "show", "medical-qa", "--model", "zoo:llama2-tiny", "--family", "meditrom")
    assert wrong.code == 2
    assert "no family named 'meditrom'; did you mean 'meditron'" in wrong.err
