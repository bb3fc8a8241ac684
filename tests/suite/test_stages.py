"""A recipe that starts from another one is accepted where it can go on with its factors, and else refused in one line."""

from pathlib import Path
from typing import Any

import pytest

from harness.errors import SuiteError
from harness.suite.load import load_suite
from harness.suite.stages import before, pairs, trained_tasks, trainings
from harness.types import Start

SFT: dict[str, Any] = {"name": "sft", "steps": 1}
DPO: dict[str, Any] = {"name": "dpo", "steps": 1, "start": "sft", "objective": "preferences"}


def suite(*recipes: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {
        "tasks": ["preferences", "dialogues", "instructions"],
        "models": [{"name": "m", "uri": "zoo:llama2-tiny"}],
        "recipes": list(recipes),
        "train_on": ["preferences"],
        **more,
    }


def starts(written: dict[str, Any]) -> dict[str, str | None]:
    """The adapter that each adapter of a suite starts from."""
    found = load_suite(written)
    earlier = {training.name: before(found, training) for training in trainings(found)}
    return {name: one.name if one else None for name, one in earlier.items()}


def test_a_start_is_a_name_or_a_mapping() -> None:
    short, full = suite(SFT, DPO), suite(SFT, {**DPO, "start": {"recipe": "sft"}})
    assert load_suite(short).recipes == load_suite(full).recipes
    assert load_suite(short).recipes[1].start == Start(recipe="sft")


def test_it_starts_from_the_same_task() -> None:
    assert starts(suite(SFT, DPO)) == {"sft": None, "dpo": "sft"}
    later = {"name": "later", "steps": 1, "start": "sft"}
    assert starts(suite(SFT, later, train_on=["dialogues", "instructions"])) == {
        "sft@dialogues": None,
        "sft@instructions": None,
        "later@dialogues": "sft@dialogues",
        "later@instructions": "sft@instructions",
    }


def test_another_task_of_the_start_is_trained_on_too_and_by_that_recipe_alone() -> None:
    written = suite(SFT, {**DPO, "start": {"recipe": "sft", "task": "dialogues"}})
    assert starts(written) == {"sft": None, "dpo": "sft@dialogues", "sft@dialogues": None}
    found = load_suite(written)
    assert trained_tasks(found) == {"preferences", "dialogues"}
    assert [(recipe.name, task) for recipe, task in pairs(found)] == [
        ("sft", "preferences"),
        ("dpo", "preferences"),
        ("sft", "dialogues"),
    ]


def test_there_may_be_three_stages() -> None:
    first = {"name": "first", "steps": 1}
    third = suite({**DPO}, {**SFT, "start": "first"}, first)
    assert starts(third) == {"dpo": "sft", "sft": "first", "first": None}


@pytest.mark.parametrize(
    ("first", "second", "expected"),
    [
        ([0], [0, 1], {"dpo#0": "sft", "dpo#1": "sft"}),
        ([3], [0], {"dpo": "sft"}),
        ([0, 1, 2], [2, 1], {"dpo#2": "sft#2", "dpo#1": "sft#1"}),
    ],
)
def test_it_has_the_same_seed_or_the_only_one(
    first: list[int], second: list[int], expected: dict[str, str]
) -> None:
    found = starts(suite({**SFT, "seeds": first}, {**DPO, "seeds": second}))
    assert {name: start for name, start in found.items() if name.startswith("dpo")} == expected


ALIKE = ", whose factors training starts with, has"
REFUSED: list[tuple[dict[str, Any], dict[str, Any], str]] = [
    ({}, {"start": "sfd"}, "recipes[1].start: no recipe in this suite named 'sfd'; did you mean 'sft'?"),
    ({}, {"start": {"recipe": "sft", "task": "x"}}, "recipes[1].start.task: no task in this suite named 'x'"),
    ({}, {"start": {"recipe": "sft", "of": "x"}}, "recipes[1].start.of: no key named 'of'"),
    ({}, {"start": {"task": "dialogues"}}, "recipes[1].start.recipe: missing"),
    ({}, {"start": "dpo"}, "recipes[1].start: a circle: dpo starts from dpo; leave one `start` out"),
    ({"start": "dpo"}, {}, "recipes[0].start: a circle: sft starts from dpo starts from sft"),
    ({}, {"start": "old"}, "recipes[1].start: old is an adapter that exists already; training starts from"),
    ({"rank": 8}, {}, f"recipes[1].rank: found 16, and sft{ALIKE} 8; write the same in both"),
    ({}, {"alpha": 8}, f"recipes[1].alpha: found 8, and sft{ALIKE} 32"),
    ({}, {"rslora": True}, f"recipes[1].rslora: found true, and sft{ALIKE} false"),
    ({"targets": ["v", "o"]}, {}, f"recipes[1].targets: found q, v, and sft{ALIKE} o, v"),
    ({"peft": {"type": "IA3"}}, {}, f"recipes[1].peft: found type: LORA, and sft{ALIKE} type: IA3"),
    ({"peft": {"init": "pissa"}}, {}, "recipes[1].start: sft takes its first factors out of the base (init: pissa)"),
    ({}, {"peft": {"init": "orthogonal"}}, "recipes[1].peft.init: training starts with the factors of sft, so"),
    ({"seeds": [0, 1]}, {"seeds": [1, 2]}, "recipes[1].start: dpo has the seed 2, and sft has the seeds 0, 1; give"),
]  # fmt: skip


@pytest.mark.parametrize(("first", "second", "said"), REFUSED, ids=[said[:50] for _, _, said in REFUSED])
def test_what_it_cannot_go_on_with_is_refused(
    first: dict[str, Any], second: dict[str, Any], said: str
) -> None:
    old = {"name": "old", "base": "m", "uri": "someone/old"}
    with pytest.raises(SuiteError) as refused:
        load_suite(suite({**SFT, **first}, {**DPO, **second}, adapters=[old]))
    assert str(refused.value).startswith(f"suite: {said}") and "\n" not in str(refused.value)


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ({"targets": ["v", "q"], "dropout": 0.1}, {"targets": ["q", "v"]}),
        ({"peft": {"init": "orthogonal"}}, {}),
        ({"peft": {"type": "ia3"}}, {"peft": {"type": "IA3"}}),
        ({"peft": {"use_dora": True}}, {"peft": {"use_dora": True}}),
    ],
)
def test_what_moves_no_shape_may_differ(first: dict[str, Any], second: dict[str, Any]) -> None:
    assert starts(suite({**SFT, **first}, {**DPO, **second}))["dpo"] == "sft"


def test_the_objective_of_the_start_must_suit_its_task() -> None:
    pairs_first = {**SFT, "objective": "preferences"}
    with pytest.raises(SuiteError, match=r"recipes\[0\].objective: 'preferences' learns from a chosen"):
        load_suite(suite(pairs_first, {**DPO, "start": {"recipe": "sft", "task": "dialogues"}}))


ASKING = """
from dataclasses import replace

from harness.neural.objectives.preferences import OBJECTIVE as ASKED_ONCE

OBJECTIVE = replace(ASKED_ONCE, name="asking", refer=None)
"""


def test_an_objective_that_asks_the_base_at_every_step_is_refused(tmp_path: Path) -> None:
    (tmp_path / "asking.py").write_text(ASKING)
    plugins = {"objectives": [str(tmp_path / "asking.py")]}
    with pytest.raises(SuiteError) as refused:
        load_suite(suite(SFT, {**DPO, "objective": "asking"}, plugins=plugins))
    assert "recipes[1].start: objective 'asking' asks the base at every step" in str(refused.value)
