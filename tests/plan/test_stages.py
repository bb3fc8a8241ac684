"""A later stage's training step needs the earlier one's, whose changes retrain both; nothing else moves."""

from dataclasses import replace
from typing import Any

import pytest

from harness.errors import SuiteError
from harness.plan import wording
from harness.plan.only import only
from harness.plan.plan import plan
from harness.results import AdapterFacts
from harness.run.steps.report import Report
from harness.run.steps.train import Train
from harness.types import Model, ModelPin, Pins, Plan, Recipe, Source, Start, Step, Suite, Task

PIN = ModelPin(revision="r1", parameters=1000, checkpoint_bytes=4000, dtype="float32", family="llama")
PAIRS, TEXTS = (
    Task(
        name=name,
        kind=kind,
        source=Source(uri=f"embedded:{name}"),
        prompt="$input",
        metrics=(metric,),
        primary=metric,
    )
    for name, kind, metric in (("pairs", "prefer", "accuracy"), ("texts", "generate", "exact_match"))
)
SFT = Recipe(name="sft", steps=3)
DPO = Recipe(name="dpo", steps=3, objective={"name": "preferences"}, start=Start(recipe="sft"))
SUITE = Suite(
    name="suite",
    tasks=(PAIRS, TEXTS),
    models=(Model(name="a", uri="zoo:a"), Model(name="b", uri="zoo:b")),
    recipes=(DPO, SFT),  # the order of a suite's recipes moves nothing
    train_on=("pairs",),
    weights=None,
)
PINS = Pins(
    device="cpu",
    models={"a": PIN, "b": replace(PIN, revision="r2")},
    sources={"pairs": "d1", "texts": "d2"},
    adapters={},
    libraries={"torch": "2"},
    test_samples={"pairs": 20, "texts": 10},
)


def trained(drawn: Plan) -> dict[str, Step]:
    """The training steps on model a, by adapter."""
    start = "train a + "
    return {
        step.label.removeprefix(start): step for step in drawn.steps if step.label.startswith(start)
    }  # fmt: skip


def ids(recipes: tuple[Recipe, ...], **more: Any) -> dict[str, str]:
    return {
        name: step.id for name, step in trained(plan(replace(SUITE, recipes=recipes), PINS, **more)).items()
    }


def facts(drawn: Plan) -> list[AdapterFacts]:
    spec = drawn.steps[-1].spec
    assert isinstance(spec, Report)
    return [adapter for adapter in spec.adapters if adapter.model == "a"]


def test_the_later_stage_needs_the_earlier_one_of_its_model() -> None:
    drawn = plan(SUITE, PINS)
    steps = trained(drawn)
    load = next(step for step in drawn.steps if step.label == "load pairs")
    assert steps["sft"].needs == (load.id,)
    assert steps["dpo"].needs == (load.id, steps["sft"].id)
    assert [step.label for step in drawn.steps if step.kind == "train"] == [
        "train a + sft",
        "train a + dpo",
        "train b + sft",
        "train b + dpo",
    ]
    assert [(adapter.name, adapter.start) for adapter in facts(drawn)] == [("dpo", "sft"), ("sft", None)]
    asked = {step.label for step in drawn.steps if step.kind == "generate"}
    assert {"generate pairs, a + sft", "generate pairs, a + dpo"} < asked


def test_a_changed_first_stage_retrains_the_second_and_a_changed_second_not_the_first() -> None:
    before = ids((SFT, DPO))
    first = ids((replace(SFT, learning_rate=1e-3), DPO))
    second = ids((SFT, replace(DPO, learning_rate=1e-3)))
    assert before["sft"] != first["sft"] and before["dpo"] != first["dpo"]
    assert before["sft"] == second["sft"] and before["dpo"] != second["dpo"]


def test_names_and_order_move_no_id() -> None:
    before = ids((SFT, DPO))
    renamed = ids((replace(SFT, name="first"), replace(DPO, name="second", start=Start(recipe="first"))))
    assert [*before.values()] == [*renamed.values()]
    assert ids((DPO, SFT)) == before


def test_a_start_that_names_the_same_task_is_the_same_step() -> None:
    named = replace(DPO, start=Start(recipe="sft", task="pairs"))
    assert ids((SFT, named)) == ids((SFT, DPO))


def test_without_a_start_an_adapter_is_another_one_and_its_spec_says_nothing_of_starts() -> None:
    alone, staged = ids((replace(DPO, start=None),)), ids((SFT, DPO))
    assert alone["dpo"] != staged["dpo"]
    spec = trained(plan(SUITE, PINS))["dpo"].spec
    assert isinstance(spec, Train) and spec.continues and spec.recipe.start is None


def test_each_seed_starts_from_the_same_seed_or_the_only_one() -> None:
    drawn = plan(
        replace(SUITE, recipes=(replace(SFT, seeds=(0, 1)), replace(DPO, seeds=(1, 0)))), PINS, seed=7
    )
    steps = trained(drawn)
    for seed in (0, 1):
        assert steps[f"dpo#{seed}"].needs[1] == steps[f"sft#{seed}"].id
    one = trained(plan(replace(SUITE, recipes=(SFT, replace(DPO, seeds=(0, 1, 2)))), PINS))
    assert {one[f"dpo#{seed}"].needs[1] for seed in (0, 1, 2)} == {one["sft"].id}


def test_a_part_trains_the_earlier_stage_and_asks_it_nothing() -> None:
    other = replace(DPO, start=Start(recipe="sft", task="texts"))
    drawn = plan(replace(SUITE, recipes=(SFT, other)), PINS, part=only("pairs/a/dpo"))
    steps = trained(drawn)
    assert [*steps] == ["sft@texts", "dpo"]
    assert steps["dpo"].needs[1] == steps["sft@texts"].id
    labels = {step.label for step in drawn.steps}
    assert "load texts" in labels and not any("generate" in label and "sft" in label for label in labels)
    assert [adapter.name for adapter in facts(drawn)] == ["dpo"]


def test_a_model_that_cannot_be_trained_on_the_earlier_task_is_refused_in_one_line() -> None:
    encoder = replace(PIN, architecture="encoder", family="bert")
    labelled = replace(
        TEXTS, name="labelled", kind="classify", source=Source(uri="embedded:x", labels=("yes", "no")),
        metrics=("accuracy",), primary="accuracy",
    )  # fmt: skip
    first, second = Recipe(name="first", steps=1), Recipe(name="second", steps=1)
    second = replace(second, start=Start(recipe="first", task="other"))
    other = replace(labelled, name="other", source=Source(uri="embedded:y", labels=("no", "yes")))
    suite = replace(SUITE, tasks=(labelled, other), recipes=(first, second), train_on=("labelled",))
    pins = replace(
        PINS,
        models=dict.fromkeys("ab", encoder),
        sources={"labelled": "d", "other": "e"},
        test_samples={"labelled": 5, "other": 5},
    )
    with pytest.raises(
        SuiteError, match="head was trained for no, yes, and labelled asks for yes, no"
    ) as refused:
        plan(suite, pins)
    assert "\n" not in str(refused.value)
    same = replace(other, source=Source(uri="embedded:y", labels=("yes", "no")))
    assert [*trained(plan(replace(suite, tasks=(labelled, same)), pins))] == [
        "first",
        "first@other",
        "second",
    ]
    texts = replace(suite, tasks=(labelled, replace(TEXTS, name="other")))
    with pytest.raises(SuiteError, match="recipe second: start: first on other, model a: ") as refused:
        plan(texts, replace(pins, models={"a": encoder, "b": PIN}))
    assert "\n" not in str(refused.value)


def test_the_plan_says_what_starts_from_what() -> None:
    assert [*wording.stages(plan(SUITE, PINS))] == [
        "recipe dpo: training starts from the adapter of an earlier stage: dpo from sft; that adapter is the reference of "
        "preferences, in place of the base"
    ]
    later = Recipe(name="later", steps=1, start=Start(recipe="sft"))
    (said,) = wording.stages(plan(replace(SUITE, recipes=(SFT, later)), PINS))
    assert said.endswith("later from sft")
    assert not [*wording.stages(plan(replace(SUITE, recipes=(SFT,)), PINS))]
