"""A finished step is believed only as long as it is what it was."""

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from harness.errors import StoreError
from harness.run import intact
from harness.run.intact import Inspector
from harness.run.repair import claimed, missing, put_damaged_aside
from harness.run.run import run
from harness.run.runner import Runner
from harness.run.store import Store, existing_store, finish, lease, open_store, set_aside
from harness.run.upkeep import verify
from harness.types import Plan, Runtime
from tests.run.test_run import Silent, comparable, drawn, result, write_suite

STEP = "0123456789abcdef"
RECORD = {"id": STEP, "kind": "load", "label": "load chats", "seconds": 1.0}


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return open_store(tmp_path / "store")


@pytest.fixture
def folder(store: Store) -> Path:
    with lease(store, STEP) as held:
        (held.folder / "adapter").mkdir()
        (held.folder / "adapter" / "weights").write_bytes(bytes(1000))
        (held.folder / "test.jsonl").write_text("one\ntwo\n")
        (held.folder / ".step.json.77").write_text("what a killed process left")
        finish(held, RECORD)
    return store.done(STEP)


def changed(name: str, old: str, new: str) -> Callable[[Path], object]:
    def change(folder: Path) -> None:
        before = (folder / name).read_text()
        assert old in before
        (folder / name).write_text(before.replace(old, new))

    return change


def folder_in_place_of_a_file(folder: Path) -> None:
    (folder / "test.jsonl").unlink()
    (folder / "test.jsonl").mkdir()


DAMAGE: dict[str, tuple[Callable[[Path], object], str]] = {
    "edited": (changed("test.jsonl", "one", "eno"), "test.jsonl: changed since the step finished"),
    "cut": (
        changed("test.jsonl", "two\n", ""),
        "test.jsonl: has 4 bytes, had 8 when the step finished",
    ),
    "gone": (lambda f: (f / "adapter" / "weights").unlink(), "adapter/weights: is missing"),
    "a folder": (
        folder_in_place_of_a_file,
        "test.jsonl: has",
    ),
    "record edited": (changed("step.json", "1.0", "2.0"), "step.json: changed since the step finished"),
    "record cut": (changed("step.json", "}", ""), "step.json: is not JSON"),
    "record empty": (lambda f: (f / "step.json").write_text(""), "step.json: is not JSON"),
    "record NaN": (changed("step.json", "1.0", "NaN"), "step.json: changed since the step finished"),
    "record gone": (lambda f: (f / "step.json").unlink(), "step.json: cannot be read: No such file"),
    "record bytes": (lambda f: (f / "step.json").write_bytes(b"\xff\xfe\x00"), "step.json: is not JSON"),
    "record a list": (lambda f: (f / "step.json").write_text("[]"), "step.json: is not the record of a step"),
    "record deep": (lambda f: (f / "step.json").write_text("[" * 100_000), "step.json: is not JSON"),
    "record's files": (
        lambda f: (f / "step.json").write_text(json.dumps({**RECORD, "files": ["test.jsonl"]})),
        "step.json: is not the record of a step",
    ),
}


def test_a_whole_step_has_no_damage(store: Store, folder: Path) -> None:
    assert Inspector().damage(folder) is None
    assert sorted(json.loads((folder / "step.json").read_text())["files"]) == [
        "adapter/weights",
        "test.jsonl",
    ]
    found = verify(store)
    assert (found.steps, found.damaged, found.undigested) == (1, {}, 0)


@pytest.mark.parametrize("name", DAMAGE)
def test_damage_is_named_with_its_file(store: Store, folder: Path, name: str) -> None:
    damage, said = DAMAGE[name]
    damage(folder)
    found = Inspector().damage(folder)
    assert found is not None
    assert found.startswith(said)
    assert verify(store).damaged == {STEP: found}


def test_a_large_file_is_read_once(store: Store, folder: Path) -> None:
    weights = folder / "adapter" / "weights"
    weights.write_bytes(bytes(intact.LARGE + 1))
    record = {key: value for key, value in store.record(STEP).items() if key not in ("files", "digest")}
    (folder / "step.json").write_text(json.dumps(intact.sealed(folder, record)))
    inspector = Inspector()
    assert inspector.damage(folder) is None
    with weights.open("rb+") as file:
        file.write(b"x")
    assert inspector.damage(folder) is None
    assert Inspector().damage(folder, large=False) is None
    assert Inspector().damage(folder) == "adapter/weights: changed since the step finished"


def test_steps_from_before_digests_stay_readable_and_are_counted(store: Store, folder: Path) -> None:
    (folder / "step.json").write_text(json.dumps(RECORD))
    (folder / "test.jsonl").write_text("whatever")
    assert store.record(STEP) == RECORD
    assert Inspector().damage(folder) is None
    assert verify(store).undigested == 1


# Plans


def finished(tmp_path: Path, store: Store) -> tuple[Plan, dict[str, str]]:
    """A plan that has run, and its steps' ids by their labels."""
    drawn_up = drawn(write_suite(tmp_path), store)
    run(drawn_up, store, Runtime(workers=0), Silent())
    return drawn_up, {step.label: step.id for step in drawn_up.steps}


def again(plan: Plan, store: Store) -> tuple[list[str], dict[str, str]]:
    """What a second run says of damage, and what it does."""
    lines, watch = put_damaged_aside(plan, store), Silent()
    done = run(plan, store, Runtime(workers=0), watch)
    assert not done.failed
    return lines, {label: outcome.state for label, outcome in watch.outcomes.items()}


def test_damage_in_a_finished_plan_is_named_and_done_again(tmp_path: Path, store: Store) -> None:
    plan, ids = finished(tmp_path, store)
    answers = store.done(ids["generate chats, copy"]) / "generations.jsonl"
    whole = answers.read_bytes()
    answers.write_bytes(whole.replace(b"Ann", b"Eve", 1))
    lines, states = again(plan, store)
    assert len(lines) == 1
    assert "generate chats, copy" in lines[0]
    assert "generations.jsonl: changed since the step finished; moved to" in lines[0]
    assert states == {"generate chats, copy": "done"}
    assert answers.read_bytes() == whole
    assert again(plan, store) == ([], {})


def test_damage_is_found_before_what_needs_it_is_scheduled(tmp_path: Path, store: Store) -> None:
    """And what was made from it while it was whole stays."""
    plan, ids = finished(tmp_path, store)
    whole = comparable(json.loads((store.done(plan.steps[-1].id) / "result.json").read_text()))
    for label in ("score chats, copy", "report"):
        path = store.done(next(step for name, step in ids.items() if name.startswith(label)))
        (path / "step.json").unlink()
    (store.done(ids["generate chats, copy"]) / "generations.jsonl").write_text("torn")
    lines, states = again(plan, store)
    assert len(lines) == 3
    assert len(states) == 3
    assert set(states.values()) == {"done"}
    assert comparable(json.loads((store.done(plan.steps[-1].id) / "result.json").read_text())) == whole


def test_a_killed_run_does_not_forget_what_it_put_aside(tmp_path: Path, store: Store) -> None:
    plan, ids = finished(tmp_path, store)
    (store.done(ids["generate chats, copy"]) / "cost.json").unlink()
    put_damaged_aside(plan, store)
    assert [step.label for step in missing(plan, store)] == ["generate chats, copy"]


def test_damage_that_comes_while_a_plan_runs_ends_the_step_by_name(tmp_path: Path, store: Store) -> None:
    plan, ids = finished(tmp_path, store)
    steps = {step.id: step for step in plan.steps}
    score = ids["score chats, copy"]
    (store.done(score) / "ids.json").unlink()
    put_damaged_aside(plan, store)
    (store.done(ids["generate chats, copy"]) / "generations.jsonl").write_text("")
    outcome = Runner(store=store, runtime=Runtime(workers=0), steps=steps)(
        steps[score], lambda d, t, doing="": None
    )
    assert outcome.state == "failed"
    assert "generate chats, copy" in outcome.reason
    assert "generations.jsonl: has 0 bytes" in outcome.reason
    assert again(plan, store)[1] == {"generate chats, copy": "done", "score chats, copy": "done"}


def test_answers_of_a_damaged_relative_are_not_continued(tmp_path: Path, store: Store) -> None:
    path = write_suite(tmp_path)
    short = drawn(path, store, limit=10)
    run(short, store, Runtime(workers=0), Silent())
    step = next(step for step in short.steps if step.label == "generate chats, copy")
    answers = store.done(step.id) / "generations.jsonl"
    answers.write_bytes(answers.read_bytes().replace(b"Ann", b"Eve"))
    longer = drawn(path, store, limit=20)
    lines, _ = again(longer, store)
    assert len(lines) == 1
    assert "generations.jsonl" in lines[0]
    new = next(step for step in longer.steps if step.label == "generate chats, copy")
    assert "Eve" not in (store.done(new.id) / "generations.jsonl").read_text()


def test_two_runs_put_the_same_step_aside_once(store: Store, folder: Path) -> None:
    assert set_aside(store, STEP) is None, "it is whole"
    (folder / "test.jsonl").unlink()
    assert set_aside(store, STEP) == store.root / "damaged" / f"{STEP}-1"
    assert set_aside(store, STEP) is None


def test_a_run_under_way_keeps_its_steps_from_being_pruned(tmp_path: Path, store: Store) -> None:
    plan, _ = finished(tmp_path, store)
    with claimed(plan, store):
        assert harness("store", "prune", "--yes", "--store", store.root) == (
            0,
            f"{len(plan.steps)} finished steps are kept: a running command needs them\n0.0 MB freed\n",
            "",
        )
    code, said, _ = harness("store", "prune", "--yes", "--store", store.root)
    assert (code, store.finished()) == (0, [])
    assert "MB freed" in said


# The command line


def harness(*words: object, before: tuple[str, ...] = ()) -> tuple[int, str, str]:
    command = [*before, sys.executable, "-m", "harness", *map(str, words)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    return done.returncode, done.stdout, done.stderr


def test_verify_says_what_is_damaged_and_changes_nothing(store: Store, folder: Path) -> None:
    assert harness("store", "verify", "--store", store.root) == (
        0,
        "1 finished step: 1 intact, 0 damaged\n",
        "",
    )
    (folder / "test.jsonl").write_text("")
    code, said, _ = harness("store", "verify", "--store", store.root)
    assert code == 3
    assert said == (
        f"{folder}: test.jsonl: has 0 bytes, had 8 when the step finished\n"
        "1 finished step: 0 intact, 1 damaged\n"
    )
    assert folder.is_dir()


@pytest.mark.slow
@pytest.mark.parametrize("command", ["ls", "du", "verify", "prune"])
def test_a_store_that_is_not_there_is_refused_and_not_made(tmp_path: Path, command: str) -> None:
    code, said, error = harness("store", command, "--store", tmp_path / "nope")
    assert (code, said) == (2, "")
    assert error == (
        f"error: --store {tmp_path / 'nope'}: is not there; name the folder that `harness run` filled\n"
    )
    assert not (tmp_path / "nope").exists()
    with pytest.raises(StoreError, match="contains no store"):
        existing_store(tmp_path)


def test_a_cut_record_is_listed_as_damaged(store: Store, folder: Path) -> None:
    (folder / "step.json").write_text('{"kind": "lo')
    assert harness("store", "ls", "--store", store.root)[:2] == (
        0,
        f"{STEP}  damaged: step.json: is not JSON\n",
    )
    code, said, _ = harness("store", "du", "--store", store.root)
    assert code == 0
    assert "damaged" in said


def mounted(script: str) -> tuple[str, ...]:
    """Begins a command for which a shell script has arranged file systems of its own."""
    words = ("unshare", "--mount", "sh", "-ec", f'{script}; exec "$@"', "sh")
    if subprocess.run([*words, "true"], capture_output=True, check=False).returncode:
        pytest.skip("no mounts of one's own: unshare --mount needs root")
    return words


@pytest.mark.slow
def test_a_store_that_can_only_be_read_will_do_where_everything_is_finished(
    tmp_path: Path, store: Store
) -> None:
    path = write_suite(tmp_path)
    words = ("run", path, "--offline", "--device", "cpu", "--workers", "0", "--store", store.root)
    assert harness(*words, "--out", tmp_path / "a")[0] == 0
    read_only = mounted(f"mount --bind {store.root} {store.root}; mount -o remount,ro,bind {store.root}")
    code, _, error = harness(*words, "--out", tmp_path / "b", before=read_only)
    assert (code, error) == (0, "")
    first, second = (json.loads((tmp_path / name / "result.json").read_text()) for name in "ab")
    assert first == second
    code, said, error = harness(*words, "--limit", "5", "--out", tmp_path / "c", before=read_only)
    assert (code, said) == (2, "")
    assert error.startswith(f"error: --store {store.root}: cannot be written: Read-only file system; ")
    assert error.count("\n") == 1


@pytest.mark.slow
@pytest.mark.parametrize(("kilobytes", "workers"), [(60, 0), (200, 1), (800, 0)])
def test_a_full_disk_is_a_line_and_nothing_finished_is_lost(
    tmp_path: Path, workers: int, kilobytes: int
) -> None:
    """The store lies on a small disk, and is continued on a large one."""
    path = write_suite(tmp_path, samples=2000)
    small, saved = tmp_path / "small", tmp_path / "saved"
    small.mkdir()
    mount = f"mount -t tmpfs -o size={kilobytes}k none {small}"
    script = f'{mount}; "$@"; code=$?; cp -r {small}/store {saved}; exit $code'
    before = (*mounted(mount)[:3], "-c", script, "sh")
    words = ("run", path, "--offline", "--device", "cpu", "--workers", workers)
    code, _, error = harness(*words, "--store", small / "store", "--out", tmp_path / "out", before=before)
    assert code in (2, 3)
    assert "Traceback" not in error
    assert "No space left on device" in error
    kept = existing_store(saved)
    assert verify(kept).damaged == {}
    finished_before = set(kept.finished())
    watch = Silent()
    done = run(drawn(path, kept), kept, Runtime(workers=0), watch)
    assert not done.failed
    assert not finished_before & {outcome.step for outcome in watch.outcomes.values()}
    assert len(result(done)["scores"]) > 0
