"""What a plan says of a run's time and memory, and where each number comes from."""

import json
import os
import subprocess
import sys
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import pytest

from harness.commands.asked import planned
from harness.files import speed
from harness.files.hardware import machine
from harness.files.json_lines import to_json
from harness.files.speed import Speed
from harness.plan.estimates import Estimates, estimate
from harness.plan.plan import plan as draw_up
from harness.run.store import Store, open_store
from harness.types import Halving, Model, Plan, Runtime, Step

RUNTIME = Runtime(workers=2, threads=1, offline=True)
SPEED = Speed(thin=2e10, narrow=5e10, wide=8e10, stream=1e10, call=1e-6)


@pytest.fixture
def store(tmp_path: Path) -> Store:
    store = open_store(tmp_path / "store")
    (store.root / speed.FILE).write_text(json.dumps({speed.name_of(1): asdict(SPEED)}))
    return store


def drawn(store: Store, seed: int = 0, limit: int = 20) -> Plan:
    return planned("quickstart", store, limit, "dialogues", "cpu", True, seed)


def estimated(plan: Plan, store: Store, **changed: Any) -> Estimates:
    return estimate(plan, store, replace(RUNTIME, **changed), machine())


def step(plan: Plan, kind: str, model: str) -> Step:
    return next(step for step in plan.steps if step.kind == kind and step.lane == model)


def finish(store: Store, done: Step, seconds: float, **changed: Any) -> None:
    """Put a finished training step into the store, as a run on this machine would leave it."""
    folder = store.done(done.id)
    folder.mkdir(parents=True)
    record = {
        "id": done.id,
        "kind": done.kind,
        "label": done.label,
        "spec": to_json(done.spec),
        "seconds": seconds + 3.0,
        "peak_bytes": 700_000_000,
        "hardware": str(machine()),
        "workers": 2,
        "threads": 1,
    }
    (folder / "step.json").write_text(json.dumps(record | changed))
    (folder / "trained.json").write_text(json.dumps({"seconds": seconds}))


@pytest.mark.slow
def test_every_step_of_a_new_run_has_a_time_that_is_estimated(store: Store) -> None:
    plan = drawn(store)
    found = estimated(plan, store)
    assert [time.step for time in found.steps] == [step.id for step in plan.steps]
    assert {time.basis for time in found.steps} == {"estimated"} == {found.basis}
    assert all(time.seconds > 0 for time in found.steps) and not found.unknown
    assert {lane.lane for lane in found.lanes} == {step.lane for step in plan.steps if step.lane}
    together = sum(time.seconds for time in found.steps)
    assert together / 2 < found.seconds < together + 60
    assert estimated(plan, store, workers=1).seconds > found.seconds


@pytest.mark.slow
def test_more_samples_and_more_training_take_longer(store: Store) -> None:
    few, many = drawn(store, limit=20), drawn(store, limit=200)
    for model in ("llama2-tiny", "flan-t5-tiny"):
        short, long = (
            estimated(plan, store).of(step(plan, "generate", model).id).seconds for plan in (few, many)
        )
        assert 2 * short < long
    suite = few.suite
    longer = replace(suite, recipes=tuple(replace(recipe, steps=400) for recipe in suite.recipes))
    train = step(drawn(store), "train", "llama2-tiny")
    redrawn = draw_up(longer, few.pins, limit=20)
    assert estimated(redrawn, store).of(step(redrawn, "train", "llama2-tiny").id).seconds > 2 * (
        estimated(few, store).of(train.id).seconds
    )


@pytest.mark.slow
def test_a_group_takes_the_time_of_the_steps_of_all_its_combinations(store: Store) -> None:
    """Weight decay takes no time: 4 combinations to a quarter, 2 to a half and 1 to the end are 2 whole trainings."""
    few = drawn(store)
    grid = {"sweep": {"weight_decay": (0.0, 0.1, 0.2, 0.3)}, "halving": Halving()}
    recipes = tuple(replace(recipe, steps=40, **grid) for recipe in few.suite.recipes)  # type: ignore[arg-type]
    plain = tuple(replace(recipe, sweep={}, halving=None) for recipe in recipes)
    alone, group = (
        draw_up(replace(few.suite, recipes=given), few.pins, limit=20) for given in (plain, recipes)
    )
    one = estimated(alone, store).of(step(alone, "train", "llama2-tiny").id).seconds
    assert estimated(group, store).of(step(group, "train", "llama2-tiny").id).seconds == pytest.approx(
        2 * one
    )
    finish(store, step(group, "train", "llama2-tiny"), 6 * one)
    corrected = estimated(alone, store).of(step(alone, "train", "llama2-tiny").id)
    assert corrected.basis == "measured here" and corrected.seconds == pytest.approx(3 * one)


@pytest.mark.slow
def test_a_finished_step_of_the_model_on_this_machine_corrects_later_ones(store: Store) -> None:
    first, later = drawn(store, seed=0), drawn(store, seed=1)
    trained = step(first, "train", "llama2-tiny")
    given = estimated(first, store).of(trained.id).seconds
    finish(store, trained, 3 * given)
    found = estimated(later, store)
    corrected = found.of(step(later, "train", "llama2-tiny").id)
    assert corrected.basis == "measured here" and corrected.seconds == pytest.approx(3 * given)
    for other in (step(later, "train", "falcon-tiny"), step(later, "generate", "llama2-tiny")):
        assert found.of(other.id).basis == "estimated"
    assert found.basis == "estimated"
    memory = {model.model: model for model in found.models}
    assert memory["llama2-tiny"].training.bytes == 700_000_000
    assert memory["llama2-tiny"].training.basis == "measured here"
    assert memory["falcon-tiny"].training.basis == "estimated" == memory["llama2-tiny"].answering.basis
    assert found.of(trained.id) is None  # kept


@pytest.mark.slow
@pytest.mark.parametrize(
    "changed", [{"hardware": "another machine"}, {"spec": {}}, {"kind": "generate"}, {"peak_bytes": None}]
)
def test_a_step_of_another_machine_or_with_a_broken_record_corrects_nothing(
    store: Store, changed: dict[str, Any]
) -> None:
    first, later = drawn(store, seed=0), drawn(store, seed=1)
    before = estimated(later, store)
    finish(store, step(first, "train", "llama2-tiny"), 500.0, **changed)
    assert estimated(later, store).steps == before.steps


@pytest.mark.slow
def test_a_model_that_is_not_here_yet_has_neither_times_nor_memory(store: Store) -> None:
    plan = drawn(store)
    models = tuple(
        Model(name=model.name, uri="hub:nobody/nothing") if model.name == "falcon-tiny" else model
        for model in plan.suite.models
    )
    absent = replace(plan, suite=replace(plan.suite, models=models))
    found = estimated(absent, store)
    assert {step.lane for step in plan.steps if step.id in found.unknown} == {"falcon-tiny"}
    memory = {model.model: model for model in found.models}
    assert memory["falcon-tiny"].weights is None and memory["falcon-tiny"].training is None
    assert memory["llama2-tiny"].training is not None


@pytest.mark.slow
def test_a_gpu_that_is_not_here_has_memory_but_no_times(store: Store) -> None:
    plan = drawn(store)
    for_gpu = replace(plan, pins=replace(plan.pins, device="cuda"))
    found = estimated(for_gpu, store)
    assert {step.kind for step in plan.steps if step.id in found.unknown} == {"train", "generate"}
    assert all(model.answering is not None and model.training is not None for model in found.models)
    here = replace(machine(), gpu="NVIDIA A100-SXM4-40GB", gpu_bytes=40 * 10**9)
    published = estimate(for_gpu, store, RUNTIME, here)
    assert not published.unknown and published.basis == "estimated from the data sheet"
    assert published.seconds < estimated(plan, store).seconds


@pytest.mark.slow
def test_lengths_are_counted_once_and_kept(store: Store) -> None:
    plan = drawn(store)
    first = estimated(plan, store)
    kept = store.root / "lengths.json"
    text = kept.read_text()
    assert all(entry["counted"] for entry in json.loads(text).values())
    assert estimated(plan, store) == first and kept.read_text() == text
    kept.write_text("[]")
    assert estimated(plan, store) == first


@pytest.mark.slow
def test_the_command_says_of_each_number_whether_it_was_measured_and_needs_no_torch(store: Store) -> None:
    code = (
        "import sys; from harness.cli import main\n"
        "try: main()\n"
        "finally: assert not {'torch', 'transformers'} & set(sys.modules), 'torch was imported'"
    )
    plan = drawn(store)
    finish(store, step(plan, "train", "llama2-tiny"), 40.0)
    words = f"plan quickstart --only dialogues --limit 20 --workers 2 --seed 1 --offline --device cpu --store {store.root}"
    done = subprocess.run(
        [sys.executable, "-c", code, *words.split()],
        capture_output=True,
        text=True,
        env=os.environ | {"COLUMNS": "200"},
    )
    assert done.returncode == 0, done.stderr
    said = done.stdout.replace("\N{NO-BREAK SPACE}", " ")
    rows = {line.split("  train  ")[1].strip(): line for line in said.splitlines() if "  train  " in line}
    trained = {name.split(" ")[1]: name for name in rows if name.startswith("train ")}
    assert " 40 s " in trained["llama2-tiny"] and "≈" not in trained["llama2-tiny"]
    assert "≈" in trained["falcon-tiny"]
    assert "the run: ≈ " in said and " with 2 workers; of its steps' time " in said
    assert "the run's has also the start of processes" in said  # why it is longer than a lane
    assert "≈ is estimated, from the models' sizes and this processor's measured speed" in said
    assert f"is from steps that ran on {machine()}" in said


@pytest.mark.slow
def test_votes_take_the_time_of_all_their_answers(store: Store) -> None:
    plan = planned("reasoning", store, 20, "reasoning-steps/*/base", "cpu", True, 0)
    (task,) = (task for task in plan.suite.tasks if task.name == "reasoning-steps")

    def seconds(votes: int) -> float:
        voted = replace(task, decode=replace(task.decode, temperature=0.7), settings={"votes": votes})
        tasks = tuple(voted if each.name == task.name else each for each in plan.suite.tasks)
        suite = replace(plan.suite, tasks=tasks, recipes=(), train_on=(), across=None)
        again = draw_up(suite, plan.pins, limit=20)
        times = {time.step: time.seconds for time in estimated(again, store).steps}
        return sum(
            times[step.id] for step in again.steps if step.kind == "generate" and task.name in step.label
        )

    one, two, twenty = seconds(1), seconds(2), seconds(20)
    assert one < two < twenty
    assert 4 * one < twenty <= 20 * one  # rows of a batch are written together
