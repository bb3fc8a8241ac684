import json
import multiprocessing
import multiprocessing.queues
import os
import signal
import socket
import time
from pathlib import Path

import pytest

from harness.errors import StoreError
from harness.store import Busy, Store, finish, lease, open_store, prune, relatives

STEP = "0123456789abcdef"


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return open_store(tmp_path / "store")


def _complete(store: Store, step: str, content: str, lineage: str = "") -> None:
    with lease(store, step) as folder:
        (folder / "result.txt").write_text(content)
        finish(store, step, {"kind": "load"}, lineage)


def test_a_step_is_done_exactly_when_its_folder_is_there(store: Store) -> None:
    with lease(store, STEP) as folder:
        (folder / "result.txt").write_text("half")
        assert not store.has(STEP)
        finish(store, STEP, {"kind": "load"})
    assert store.has(STEP)
    assert sorted(path.name for path in store.done(STEP).iterdir()) == ["result.txt", "step.json"]
    assert not store.work(STEP).exists()


def _open(root: Path) -> str:
    try:
        open_store(root)
    except StoreError as error:
        return str(error)
    return ""


def test_a_store_may_be_opened_by_many_at_once(tmp_path: Path) -> None:
    with multiprocessing.get_context("fork").Pool(4) as pool:
        for number in range(60):
            assert pool.map(_open, [tmp_path / str(number)] * 4, chunksize=1) == [""] * 4


def test_what_an_interrupted_try_left_is_still_there(store: Store) -> None:
    with pytest.raises(RuntimeError), lease(store, STEP) as folder:
        (folder / "generations.jsonl").write_text("one\n")
        raise RuntimeError
    with lease(store, STEP) as folder:
        assert (folder / "generations.jsonl").read_text() == "one\n"


def test_a_live_lease_is_respected(store: Store) -> None:
    with lease(store, STEP), pytest.raises(Busy), lease(store, STEP):
        pass


def _hold(root: Path, held: "multiprocessing.synchronize.Event") -> None:
    with lease(Store(root), STEP):
        held.set()
        time.sleep(60)


def test_the_lease_of_a_killed_process_is_taken_over_at_once(store: Store) -> None:
    context = multiprocessing.get_context("fork")
    held = context.Event()
    process = context.Process(target=_hold, args=(store.root, held))
    process.start()
    assert held.wait(10)
    with pytest.raises(Busy), lease(store, STEP):
        pass
    assert process.pid is not None
    os.kill(process.pid, signal.SIGKILL)
    process.join()
    with lease(store, STEP):
        assert json.loads(store.lease(STEP).read_text())["pid"] == os.getpid()


@pytest.mark.parametrize(("age_seconds", "free"), [(1.0, False), (31.0, True)])
def test_another_machines_lease_lives_as_long_as_its_heart_beats(
    store: Store, age_seconds: float, free: bool
) -> None:
    path = store.lease(STEP)
    path.write_text(json.dumps({"host": f"not-{socket.gethostname()}", "pid": 1, "started": 0.0}))
    then = time.time() - age_seconds
    os.utime(path, (then, then))
    if free:
        with lease(store, STEP):
            pass
    else:
        with pytest.raises(Busy), lease(store, STEP):
            pass


def _compete(root: Path, steps: int, results: "multiprocessing.queues.Queue[str]") -> None:
    """Does what a run does, one step after the other, and tells what should not be."""
    store = Store(root)
    for step in (f"{number:016x}" for number in range(steps)):
        while not store.has(step):
            try:
                with lease(store, step) as folder:
                    if store.has(step):
                        break
                    os.close(os.open(folder / "inside", os.O_CREAT | os.O_EXCL))
                    (folder / "result.txt").write_text("whole")
                    finish(store, step, {"kind": "load"})
            except Busy:
                time.sleep(0.0005)
            except OSError as error:
                results.put(f"{step}: {error!r}")
                return
    results.put("")


def test_of_many_processes_one_at_a_time_has_a_step(store: Store) -> None:
    context = multiprocessing.get_context("fork")
    results: multiprocessing.queues.Queue[str] = context.Queue()
    processes = [context.Process(target=_compete, args=(store.root, 40, results)) for _ in range(4)]
    for process in processes:
        process.start()
    assert [results.get(timeout=60) for _ in processes] == [""] * 4
    for process in processes:
        process.join()
    finished = sorted((store.root / "done").iterdir())
    assert len(finished) == 40
    for folder in finished:
        assert sorted(path.name for path in folder.iterdir()) == ["inside", "result.txt", "step.json"]
    assert not list((store.root / "work").iterdir())
    assert [path.name for path in (store.root / "leases").iterdir()] == [".lock"]


def test_the_loser_of_a_race_discards_its_copy(store: Store) -> None:
    with lease(store, STEP) as folder:
        (folder / "result.txt").write_text("second")
        store.done(STEP).mkdir()
        (store.done(STEP) / "result.txt").write_text("first")
        finish(store, STEP, {"kind": "load"})
    assert (store.done(STEP) / "result.txt").read_text() == "first"
    assert not store.work(STEP).exists()


def test_relatives_are_finished_steps_of_one_lineage(store: Store) -> None:
    _complete(store, STEP, "a", lineage="family")
    _complete(store, "f" * 16, "b", lineage="strangers")
    assert relatives(store, "family") == [store.done(STEP)]
    assert relatives(store, "") == []


def test_pruning_keeps_what_is_named_and_what_is_being_worked_on(store: Store) -> None:
    _complete(store, STEP, "a")
    _complete(store, "e" * 16, "b" * 1000)
    with lease(store, "d" * 16):
        assert prune(store, {STEP}) >= 1000
        assert store.has(STEP)
        assert store.work("d" * 16).is_dir()
    assert not store.has("e" * 16)


def test_what_weigh_and_check_leave_does_not_stand_in_a_stores_way(tmp_path: Path) -> None:
    (tmp_path / "digests.json").write_text("{}")
    (tmp_path / "findings").mkdir()
    assert open_store(tmp_path).root == tmp_path


def test_a_folder_with_other_things_is_not_taken_for_a_store(tmp_path: Path) -> None:
    (tmp_path / "thesis.tex").write_text("…")
    with pytest.raises(StoreError, match="holds other things"):
        open_store(tmp_path)


def test_an_object_store_is_refused() -> None:
    with pytest.raises(StoreError, match="atomic rename"):
        open_store(Path("s3://bucket/store"))
