"""`halving` beside a `sweep`: one recipe for the whole grid, and what a wrong one gets."""

# ruff: noqa: E501 (a table is read along its lines)

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from harness.errors import SuiteError
from harness.plan.plan import plan
from harness.plan.wording import halving
from harness.run.steps.train import Train
from harness.suite.load import load_recipes, load_suite
from harness.text import SPACE
from harness.types import Halving, ModelPin, Pins, Plan

RECIPE: Mapping[str, Any] = {
    "name": "grid", "steps": 40, "sweep": {"learning_rate": [3e-3, 1e-3], "rank": [16, 4]}, "halving": {"rungs": 3},
}  # fmt: skip
PINS = Pins(
    device="cpu",
    models={
        "tiny": ModelPin(revision="1", parameters=1, checkpoint_bytes=4, dtype="float32", family="llama")
    },
    sources={"dialogues": "d"},
    adapters={},
    libraries={},
    test_samples={"dialogues": 3},
)


def suite(**changes: Any) -> dict[str, Any]:
    recipe = {key: value for key, value in {**RECIPE, **changes}.items() if value is not None}
    return {
        "name": "halved",
        "tasks": ["dialogues"],
        "models": [{"name": "tiny", "uri": "zoo:llama2-tiny"}],
        "train_on": ["dialogues"],
        "recipes": [recipe],
    }


def planned(**changes: Any) -> Plan:
    return plan(load_suite(suite(**changes)), PINS)


def test_a_grid_with_halving_is_one_recipe() -> None:
    (recipe,) = load_suite(suite()).recipes
    assert (recipe.name, recipe.halving) == ("grid", Halving(keep="1/2", rungs=3))
    assert recipe.sweep == {"rank": (4, 16), "learning_rate": (1e-3, 3e-3)}


@pytest.mark.parametrize("keep", ["1/2", "2/4", 0.5, "0.5", ".5"])
def test_a_share_may_be_written_in_several_ways(keep: object) -> None:
    assert planned(halving={"keep": keep}) == planned()


def test_a_file_of_adapters_may_halve(tmp_path: Path) -> None:
    path = tmp_path / "wide.yaml"
    path.write_text("steps: 9\nvalidations: 9\nsweep: {rank: [1, 2, 4]}\nhalving: {keep: 1/3, rungs: 2}\n")
    (recipe,) = load_recipes(str(path))
    assert (recipe.name, recipe.halving) == ("wide", Halving(keep="1/3", rungs=2))


def test_the_plan_does_not_depend_on_the_order_of_the_grid() -> None:
    turned = planned(sweep={"rank": [4, 16], "learning_rate": [1e-3, 3e-3]})
    assert turned == planned()


def test_each_seed_has_a_group_of_its_own_and_one_system() -> None:
    found = planned(seeds=[0, 1, 2])
    specs = [step.spec for step in found.steps if isinstance(step.spec, Train)]
    assert [spec.seed for spec in specs] == [0, 1, 2]
    assert {spec.recipe.halving for spec in specs} == {Halving(keep="1/2", rungs=3)}
    systems = {step.spec.system.adapter for step in found.steps if step.kind == "score"}  # type: ignore[attr-defined]
    assert systems >= {"grid#0", "grid#1", "grid#2"} and not any("r4" in str(name) for name in systems)


def test_training_needs_the_samples_alone() -> None:
    found = planned()
    kinds = {step.id: step.kind for step in found.steps}
    (train,) = (step for step in found.steps if step.kind == "train")
    assert [kinds[need] for need in train.needs] == ["load"]


def test_a_score_chooses_in_a_group_too() -> None:
    (train,) = (step.spec for step in planned(choose_by="primary").steps if isinstance(step.spec, Train))
    assert train.chosen_by is not None and train.chosen_by.score == "rougeL"


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({}, "recipe grid: trains 4 combinations to step 10, 2 to step 20 and 1 to step 40, and keeps the best by the validation "
             "samples: 80 optimiser steps in all instead of 160, for each model, task and seed"),
        ({"steps": None, "epochs": 2}, "recipe grid: trains 4 combinations to 25 % of their steps, 2 to 50 % and 1 to 100 %, and keeps "
             "the best by the validation samples: 50 % of the optimiser steps that all to the end would take, for each model, task"),
    ],
)  # fmt: skip
def test_the_plan_says_how_many_steps_a_group_takes(changes: Mapping[str, Any], said: str) -> None:
    (line,) = halving(planned(**changes))
    assert line.replace(SPACE, " ").startswith(said)


def test_a_recipe_without_halving_has_the_id_that_it_had() -> None:
    """The digest of a training step as the version before halving made it."""
    plain = plan(load_suite(suite(sweep=None, halving=None)), PINS)
    (step,) = (step for step in plain.steps if step.kind == "train")
    assert step.id == "1bb136571255ac96"
    assert isinstance(step.spec, Train) and step.spec.recipe == replace(
        step.spec.recipe, sweep={}, halving=None
    )


REFUSED = [
    # (changes, the message)
    ({"sweep": None}, "recipes[0].halving: no sweep whose combinations could be halved; add `sweep:`"),
    ({"halving": 2}, "recipes[0].halving: found the number 2; give a mapping: `{keep: 1/2, rungs: 3}`"),
    ({"halving": None, "halvin": {}}, "recipes[0].halvin: no key named 'halvin'; did you mean 'halving'?"),
    ({"halving": {"kep": 0.5}}, "recipes[0].halving.kep: no key named 'kep'; did you mean 'keep'?"),
    ({"halving": {"keep": 1}}, "recipes[0].halving.keep: found 1; give a share between 0 and 1, such as 1/2 or 0.5"),
    ({"halving": {"keep": 0.0}}, "recipes[0].halving.keep: found 0.0; give a share between 0 and 1"),
    ({"halving": {"keep": "3/2"}}, "recipes[0].halving.keep: found '3/2'; give a share between 0 and 1"),
    ({"halving": {"keep": "1/0"}}, "recipes[0].halving.keep: found '1/0'; give a share between 0 and 1"),
    ({"halving": {"keep": "half"}}, "recipes[0].halving.keep: found 'half'; give a share between 0 and 1"),
    ({"halving": {"keep": True}}, "recipes[0].halving.keep: found true; give text"),
    ({"halving": {"rungs": 0}}, "recipes[0].halving.rungs: found the number 0; give 1 or more"),
    ({"halving": {"rungs": 2.5}}, "recipes[0].halving.rungs: found the number 2.5; give a whole number"),
    ({"halving": {"rungs": 4}}, "recipes[0].halving.rungs: of 4 combinations a single one is left after 2 of 4 rungs; give 3 at most"),
    ({"steps": 2}, "recipes[0].halving.rungs: 3 rungs fall on each other in 2 measurements of the validation loss; raise `steps` to 3 or more, or lower `rungs`"),
    ({"validations": 2}, "recipes[0].halving.rungs: 3 rungs fall on each other in 2 measurements of the validation loss; raise `validations` to 3 or more"),
    ({"validation_samples": 0}, "recipes[0].validation_samples: halving compares on validation samples, and validation_samples is 0"),
    ({"steps": None, "sweep": {"steps": [20, 40]}}, "recipes[0].sweep.steps: combinations are compared after equally many steps; leave it out"),
    ({"steps": None, "sweep": {"epochs": [1, 2]}}, "recipes[0].sweep.epochs: combinations are compared after equally many steps"),
    ({"sweep": {"max_tokens": [128, 256]}}, "recipes[0].sweep.max_tokens: combinations are compared on the same texts"),
    ({"sweep": {"max_samples": [128, 256]}}, "recipes[0].sweep.max_samples: combinations are compared on the same samples"),
    ({"steps": None, "epochs": 1, "sweep": {"batch_size": [8, 16]}}, "recipes[0].sweep.batch_size: combinations are compared after equally many steps, and with `epochs` their number"),
    ({"sweep": {"learning_rate": [1e-3, 2e-3, 3e-3, 4e-3]}, "peft": {"type": "AdaLoRA", "init_r": 8, "target_r": 4, "tinit": 2, "tfinal": 2}},
     "recipes[0].halving: ADALORA cannot continue from a checkpoint, as halving needs at each rung; leave `halving` out"),
]  # fmt: skip


@pytest.mark.parametrize(("changes", "said"), REFUSED)
def test_what_cannot_be_halved_is_refused(changes: Mapping[str, Any], said: str) -> None:
    with pytest.raises(SuiteError) as refused:
        load_suite(suite(**changes))
    assert said in str(refused.value) and "\n" not in str(refused.value)
