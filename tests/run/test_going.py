"""What a run shows while it goes on: an unfinished RESULT after each finished task, which changes nothing of its end."""

import json
from pathlib import Path
from typing import Any

import pytest

from harness.results.missing import missing_in, unfinished_sentence
from harness.run.going import Interim
from harness.run.run import FinishedRun, run
from harness.run.store import Store, open_store
from harness.types import Outcome, Runtime, Step
from harness.verification import verify
from tests.run.interim import two_tasks
from tests.run.test_run import Silent, comparable, drawn, result, write_suite


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return open_store(tmp_path / "store")


class Shown:
    """Remembers each unfinished RESULT as it was when it was shown."""

    def __init__(self) -> None:
        self.tasks: list[tuple[str, ...]] = []
        self.documents: list[dict[str, Any]] = []
        self.problems: list[list[str]] = []

    def __call__(self, interim: Interim) -> None:
        self.tasks.append(interim.tasks)
        self.documents.append(json.loads((interim.report / "result.json").read_bytes()))
        self.problems.append(verify(interim.report))


def go(folder: Path, store: Store, workers: int = 0, first: str = "first-line") -> tuple[FinishedRun, Shown]:
    shown = Shown()
    plan = two_tasks(folder, store, first)
    return run(plan, store, Runtime(workers=workers), Silent(), command="test", show=shown), shown


def states(document: dict[str, Any]) -> dict[str, str]:
    return {step["label"]: step["state"] for step in document["steps"]}


def test_after_each_task_but_the_last_an_unfinished_result_is_shown(tmp_path: Path, store: Store) -> None:
    done, shown = go(tmp_path, store)
    assert shown.tasks == [("one",)]
    (found,) = shown.documents
    assert {score["task"] for score in found["scores"]} == {"one"}
    assert {pair["task"] for pair in found["comparisons"]} == {"one"}
    said = states(found)
    assert said["compare one"] == said["score one, copy"] == "done"
    assert said["compare two"] == said["score two, copy"] == "waiting"
    assert said["score two, first"] == "done"
    lacks = missing_in(found)
    assert lacks is not None and lacks.unfinished and lacks.word == "unfinished"
    assert missing_in(result(done)) is None


def test_an_unfinished_result_verifies(tmp_path: Path, store: Store) -> None:
    _, shown = go(tmp_path, store)
    assert shown.problems == [[]]


def test_its_scores_and_comparisons_are_those_of_the_whole_one(tmp_path: Path, store: Store) -> None:
    done, shown = go(tmp_path, store)
    whole, part = result(done), shown.documents[0]
    for kind in ("scores", "comparisons"):
        assert part[kind] == [found for found in whole[kind] if found["task"] == "one"]
        assert part[kind]


@pytest.mark.slow
@pytest.mark.parametrize("workers", [0, 2])
def test_showing_changes_nothing_of_the_end(tmp_path: Path, workers: int) -> None:
    store, other = open_store(tmp_path / "a"), open_store(tmp_path / "b")
    done, _ = go(tmp_path, store, workers)
    plain = run(two_tasks(tmp_path, other), other, Runtime(workers=workers), Silent(), command="test")
    assert comparable(result(done)) == comparable(result(plain))
    assert store.finished() == other.finished()
    assert not list((store.root / "work").iterdir()), "unfinished results are left in the store"


def test_a_task_that_an_earlier_run_finished_is_shown_at_once(tmp_path: Path, store: Store) -> None:
    class Stop(Exception):
        pass

    class Stopping(Silent):
        def started(self, step: Step) -> None:
            if step.label == "generate two, copy":
                raise Stop

    with pytest.raises(Stop):
        run(two_tasks(tmp_path, store), store, Runtime(workers=0), Stopping(), show=Shown())
    watch = Order()
    run(two_tasks(tmp_path, store), store, Runtime(workers=0), watch, show=watch.show)
    assert watch.events[0] == "shown: one"
    assert "generate two, copy" in watch.events[1:]


class Order(Silent):
    """Remembers in which order steps ended and tasks were shown."""

    def __init__(self) -> None:
        super().__init__()
        self.events: list[str] = []

    def ended(self, step: Step, outcome: Outcome) -> None:
        self.events.append(step.label)

    def show(self, interim: Interim) -> None:
        self.events.append(f"shown: {', '.join(interim.tasks)}")


def test_a_task_is_shown_before_the_steps_of_another_have_ended(tmp_path: Path, store: Store) -> None:
    watch = Order()
    run(two_tasks(tmp_path, store), store, Runtime(workers=0), watch, show=watch.show)
    shown = watch.events.index("shown: one")
    assert watch.events.index("compare one") < shown < watch.events.index("compare two")


def test_what_needs_no_model_runs_first(tmp_path: Path, store: Store) -> None:
    """A task is finished only when its trivial rules are scored, too; they must not wait for the last model."""
    watch = Order()
    drawn_up = drawn(write_suite(tmp_path), store)
    run(drawn_up, store, Runtime(workers=0), watch)
    assert watch.events[:2] == ["load chats", "score chats, trivial:lead-3"]


def test_a_failed_step_does_not_keep_the_other_task_from_being_shown(tmp_path: Path, store: Store) -> None:
    done, shown = go(tmp_path, store, first="crash-on-s007")
    assert shown.tasks == [("one",)]
    assert states(shown.documents[0])["generate one, first"] == "failed"
    whole = missing_in(result(done))
    assert whole is not None and not whole.unfinished


def test_a_run_with_nothing_to_do_shows_nothing(tmp_path: Path, store: Store) -> None:
    go(tmp_path, store)
    _, shown = go(tmp_path, store)
    assert shown.tasks == []


def test_the_sentence_says_what_is_shown_and_what_is_still_to_come(tmp_path: Path, store: Store) -> None:
    from harness.results import from_document

    _, shown = go(tmp_path, store)
    steps = from_document(tmp_path, shown.documents[0]).steps
    assert unfinished_sentence(steps, 2) == (
        "This RESULT is unfinished: 1 of 2 tasks is shown, still to come: two (1 of 2 systems scored). "
        "If its run was stopped, the same command continues it."
    )
