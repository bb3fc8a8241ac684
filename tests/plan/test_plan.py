import re
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.backends import trainable
from harness.errors import SuiteError, UnknownName
from harness.plan.only import only
from harness.plan.plan import plan, untrained
from harness.plan.steps import BLOCK
from harness.run.steps.generate import Generate
from harness.types import Adapter, Decode, Model, ModelPin, Pins, Plan, Recipe, Source, Suite, Task

PIN = ModelPin(revision="r1", parameters=1000, checkpoint_bytes=4000, dtype="float32", family="llama")
TASKS = tuple(
    Task(
        name=name,
        source=Source(uri=f"embedded:{name}"),
        prompt="$input",
        metrics=("rouge",),
        primary="rougeL",
    )
    for name in ("one", "two")
)
SUITE = Suite(
    name="suite",
    tasks=TASKS,
    models=(Model(name="a", uri="zoo:a"), Model(name="b", uri="zoo:b")),
    recipes=(Recipe(name="r", steps=3),),
    train_on=("one",),
)
PINS = Pins(
    device="cpu",
    models={"a": PIN, "b": replace(PIN, revision="r2")},
    sources={"one": "d1", "two": "d2"},
    adapters={"old": "d3"},
    libraries={"torch": "2", "transformers": "5", "rouge_score": "0.1.2"},
    test_samples={"one": 700, "two": 10},
)


def ids(drawn: Plan) -> dict[str, str]:
    return {f"{step.label} {getattr(step.spec, 'start', '')}": step.id for step in drawn.steps}


def changed(before: Plan, after: Plan) -> set[str]:
    """Kinds of the steps that have another name."""
    old = {step.id for step in before.steps}
    return {step.kind for step in after.steps if step.id not in old}


def test_what_a_recipe_says_of_itself_names_no_step() -> None:
    described = replace(SUITE, recipes=(replace(SUITE.recipes[0], about="For a test."),))
    assert changed(plan(SUITE, PINS), plan(described, PINS)) == set()


def test_needs_come_before_what_needs_them() -> None:
    seen: set[str] = set()
    for step in plan(SUITE, PINS).steps:
        assert seen.issuperset(step.needs), step.label
        assert step.id not in seen
        seen.add(step.id)
    assert step.kind == "report"


def test_base_and_adapter_never_share_an_answer() -> None:
    generated = [step for step in plan(SUITE, PINS).steps if step.kind == "generate"]
    assert len(generated) == 2 * 2 * (2 + 1)  # models × systems × blocks (700 and 10 samples)
    assert len({step.id for step in generated}) == len(generated)


def test_a_block_covers_at_most_512_samples_and_together_they_cover_all() -> None:
    specs = [step.spec for step in plan(SUITE, PINS).steps if step.label == "generate one, a"]
    blocks = [spec for spec in specs if isinstance(spec, Generate)]
    assert [(block.start, block.stop) for block in blocks] == [(0, BLOCK), (BLOCK, 700)]


@given(st.permutations(range(2)), st.permutations(range(2)))
def test_ids_do_not_depend_on_the_order_of_tasks_and_models(tasks: list[int], models: list[int]) -> None:
    other = replace(
        SUITE, tasks=tuple(SUITE.tasks[i] for i in tasks), models=tuple(SUITE.models[i] for i in models)
    )
    ours, theirs = ids(plan(SUITE, PINS)), ids(plan(other, PINS))
    assert {k: v for k, v in ours.items() if not k.startswith(("compare", "report"))} == {
        k: v for k, v in theirs.items() if not k.startswith(("compare", "report"))
    }


TASK = TASKS[0]
AFTER_LOAD = {"train", "generate", "score", "spectra", "compare", "report"}


@pytest.mark.parametrize(
    ("suite", "pins", "seed", "kinds"),
    [
        (replace(SUITE, about="other words"), PINS, 0, {"report"}),
        (
            replace(SUITE, tasks=(replace(TASK, metrics=("rouge", "bleu")), TASKS[1])),
            PINS,
            0,
            {"score", "compare", "report"},
        ),
        (replace(SUITE, tasks=(replace(TASK, prompt="Sum: $input"), TASKS[1])), PINS, 0, AFTER_LOAD),
        (
            replace(SUITE, tasks=(replace(TASK, decode=Decode(max_new_tokens=3)), TASKS[1])),
            PINS,
            0,
            {"generate", "score", "compare", "report"},
        ),
        (replace(SUITE, recipes=(Recipe(name="r", steps=4),)), PINS, 0, AFTER_LOAD),
        (
            replace(SUITE, recipes=(Recipe(name="renamed", steps=3),)),
            PINS,
            0,
            {"score", "spectra", "compare", "report"},
        ),
        (SUITE, replace(PINS, sources={"one": "new", "two": "d2"}), 0, AFTER_LOAD | {"load"}),
        (SUITE, replace(PINS, models={**PINS.models, "a": replace(PIN, revision="r9")}), 0, AFTER_LOAD),
        (
            SUITE,
            replace(PINS, libraries={**PINS.libraries, "rouge_score": "9"}),
            0,
            {"score", "compare", "report"},
        ),
        (SUITE, replace(PINS, device="cuda"), 0, AFTER_LOAD),
        (SUITE, PINS, 1, AFTER_LOAD),
    ],
)
def test_exactly_what_a_change_can_move_has_another_name(
    suite: Suite, pins: Pins, seed: int, kinds: set[str]
) -> None:
    assert changed(plan(SUITE, PINS), plan(suite, pins, seed=seed)) == kinds


def test_a_folder_may_move() -> None:
    def at(place: str) -> Plan:
        task = replace(TASK, source=Source(uri=f"file:{place}/data"))
        model = Model(name="a", uri=f"file:{place}/model")
        return plan(replace(SUITE, tasks=(task,), models=(model,)), PINS)

    assert changed(at("/here"), at("/there")) == set()


def test_a_prompt_moves_training_only_where_it_is_trained_on() -> None:
    other = replace(SUITE, tasks=(TASK, replace(TASKS[1], prompt="Sum: $input")))
    assert changed(plan(SUITE, PINS), plan(other, PINS)) == {"generate", "score", "compare", "report"}


def test_raising_the_limit_keeps_whole_blocks_and_continues_the_last() -> None:
    short, long = plan(SUITE, PINS, limit=600), plan(SUITE, PINS, limit=650)
    blocks = [[s for s in p.steps if s.label == "generate one, a"] for p in (short, long)]
    assert blocks[0][0].id == blocks[1][0].id
    assert blocks[0][1].id != blocks[1][1].id
    assert blocks[0][1].lineage == blocks[1][1].lineage != blocks[0][0].lineage
    assert changed(short, long) == {"generate", "score", "compare", "report"}


def test_an_adapter_runs_on_its_own_task_or_on_all() -> None:
    def labels(across: object) -> set[str]:
        drawn = plan(replace(SUITE, across=across), PINS)  # type: ignore[arg-type]
        return {step.label for step in drawn.steps if step.kind == "score" and "+ r" in step.label}

    own = {"score one, a + r", "score one, b + r"}
    assert labels("own") == own
    assert labels("all") == labels(None) == labels(("two",)) == own | {"score two, a + r", "score two, b + r"}


def test_names_tell_tasks_and_seeds_apart_where_there_are_several() -> None:
    several = replace(SUITE, train_on=("one", "two"), recipes=(Recipe(name="r", steps=3, seeds=(0, 1)),))
    names = {s.label for s in plan(several, PINS).steps if s.kind == "train" and "train a" in s.label}
    assert names == {f"train a + r@{task}#{seed}" for task in ("one", "two") for seed in (0, 1)}


def test_an_existing_adapter_is_answered_without_training() -> None:
    suite = replace(SUITE, recipes=(), train_on=(), adapters=(Adapter(name="old", base="a", uri="file:/x"),))
    drawn = plan(suite, PINS)
    assert {step.kind for step in drawn.steps} == {
        "load",
        "generate",
        "score",
        "spectra",
        "compare",
        "report",
    }
    assert "generate one, a + old" in {step.label for step in drawn.steps}


@pytest.mark.parametrize(
    ("pattern", "expected"),
    [
        ("one/a/base", {"score one, a"}),
        ("one/a", {"score one, a", "score one, a + r"}),
        ("two/?/r", {"score two, a", "score two, a + r", "score two, b", "score two, b + r"}),
    ],
)
def test_only_a_part_of_the_suite(pattern: str, expected: set[str]) -> None:
    drawn = plan(SUITE, PINS, part=only(pattern))
    assert {step.label for step in drawn.steps if step.kind == "score"} == expected


def test_a_part_trains_no_adapter_that_nothing_in_it_is_measured_on() -> None:
    def trained(across: object) -> set[str]:
        suite = replace(SUITE, train_on=("one", "two"), across=across)  # type: ignore[arg-type]
        drawn = plan(suite, PINS, part=only("two/a"))
        return {step.label for step in drawn.steps if step.kind == "train"}

    assert trained("own") == {"train a + r@two"}
    assert trained("all") == {"train a + r@one", "train a + r@two"}


@pytest.mark.parametrize(
    ("pattern", "message"),
    [
        ("three/*", "--only three/*/*: no task named 'three'; known: one, two"),
        ("one/c", "--only one/c/*: no model named 'c'; known: a, b"),
        ("a/b/c/d", "--only a/b/c/d: found 4 parts; give task/model/adapter"),
        (" ", "--only: found nothing; give task/model/adapter, or leave it out"),
    ],
)
def test_a_part_that_is_not_there_is_refused_with_those_that_are(pattern: str, message: str) -> None:
    with pytest.raises(SuiteError, match=re.escape(message)):
        plan(SUITE, PINS, part=only(pattern))


@pytest.mark.parametrize("pattern", ["one/a/zzz", "*/*/zz*", "one/b/old"])
def test_an_adapter_that_is_not_there_is_refused_with_those_that_are(pattern: str) -> None:
    suite = replace(SUITE, adapters=(Adapter(name="old", base="a", uri="file:/x"),))
    with pytest.raises(
        UnknownName, match=rf"--only {re.escape(pattern)}: no adapter named '.*'; known: base, "
    ):
        plan(suite, PINS, part=only(pattern))
    for fine in ("one/a/old", "one/a/r", "one/a/base", "one/a/b*", "one/b"):
        plan(suite, PINS, part=only(fine))


ECHO = Model(name="e", uri="echo:copy")
WITH_ECHO = replace(PINS, models={**PINS.models, "e": PIN})


def test_a_recipe_for_models_of_which_none_can_be_trained_is_refused_unless_it_is_left_out() -> None:
    suite = replace(SUITE, models=(ECHO,))
    with pytest.raises(SuiteError, match="recipe r: model e: echo:copy cannot be trained; use a zoo, hub or"):
        plan(suite, WITH_ECHO)
    assert not [step for step in plan(suite, WITH_ECHO, part=only("*/*/base")).steps if step.kind == "train"]


def test_of_several_models_those_that_can_be_trained_are_and_the_others_are_named() -> None:
    drawn = plan(replace(SUITE, models=(*SUITE.models, ECHO)), WITH_ECHO)
    labels = {step.label for step in drawn.steps}
    assert {"train a + r", "train b + r", "score one, e"} <= labels
    assert not {"train e + r", "score one, e + r"} & labels
    assert list(untrained(drawn)) == [
        "model e: echo:copy cannot be trained; it is measured without the recipes' adapters"
    ]
    assert list(untrained(plan(SUITE, PINS))) == []


def test_what_is_said_of_training_holds_for_every_backend() -> None:
    for scheme in ("zoo", "hub", "file", "echo"):
        assert trainable(Model(name="m", uri=f"{scheme}:x")) == (scheme != "echo")
