import json
import multiprocessing
import multiprocessing.queues
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest

from harness.errors import StoreError
from harness.run.lease import Busy, Pulse
from harness.run.store import Held, Store, finish, in_use, lease, open_store, relatives
from harness.run.upkeep import prune
from tests.run.test_lease import CONTAINER

STEP = "0123456789abcdef"
RECORD = {"id": STEP, "kind": "load", "label": "load chats", "seconds": 1.0}


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return open_store(tmp_path / "store")


def _fail() -> None:
    raise RuntimeError


def _complete(store: Store, step: str, content: str, lineage: str = "") -> None:
    with lease(store, step) as held:
        (held.folder / "result.txt").write_text(content)
        finish(held, RECORD, lineage)


def test_a_step_is_done_exactly_when_its_folder_is_there(store: Store) -> None:
    with lease(store, STEP) as held:
        (held.folder / "result.txt").write_text("half")
        assert not store.has(STEP)
        finish(held, RECORD)
    assert store.has(STEP)
    assert sorted(path.name for path in store.done(STEP).iterdir()) == ["result.txt", "step.json"]
    assert not store.work(STEP).exists()


def _open(root: Path) -> str:
    try:
        open_store(root)
    except StoreError as error:
        return str(error)
    return ""


@pytest.mark.slow
def test_a_store_may_be_opened_by_many_at_once(tmp_path: Path) -> None:
    with multiprocessing.get_context("spawn").Pool(4) as pool:
        for number in range(60):
            assert pool.map(_open, [tmp_path / str(number)] * 4, chunksize=1) == [""] * 4


def test_what_an_interrupted_try_left_is_still_there(store: Store) -> None:
    with pytest.raises(RuntimeError), lease(store, STEP) as held:
        (held.folder / "generations.jsonl").write_text("one\n")
        _fail()
    with lease(store, STEP) as held:
        assert (held.folder / "generations.jsonl").read_text() == "one\n"


def test_a_live_lease_is_respected(store: Store) -> None:
    with lease(store, STEP), pytest.raises(Busy), lease(store, STEP):
        pass


def _compete(root: Path, steps: int, results: "multiprocessing.queues.Queue[str]") -> None:
    """Does what a run does, one step after the other, and tells what should not be."""
    store = Store(root)
    for step in (f"{number:016x}" for number in range(steps)):
        while not store.has(step):
            try:
                with lease(store, step) as held:
                    if store.has(step):
                        break
                    os.close(os.open(held.folder / "inside", os.O_CREAT | os.O_EXCL))
                    (held.folder / "result.txt").write_text("whole")
                    finish(held, RECORD)
            except Busy:
                time.sleep(0.0005)
            except OSError as error:
                results.put(f"{step}: {error!r}")
                return
    results.put("")


@pytest.mark.slow
def test_of_many_processes_one_at_a_time_has_a_step(store: Store) -> None:
    context = multiprocessing.get_context("spawn")
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
    with lease(store, STEP) as held:
        (held.folder / "result.txt").write_text("second")
        store.done(STEP).mkdir()
        (store.done(STEP) / "result.txt").write_text("first")
        finish(held, RECORD)
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
        assert prune(store, {STEP}).freed >= 1000
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


SHORT = Pulse(beat_seconds=0.05, stale_seconds=1.0)
STOPPED = """
import sys
from pathlib import Path
from harness.run.lease import Lost, Pulse
from harness.run.store import Store, finish, lease
store = Store(Path(sys.argv[1]), Pulse(beat_seconds=0.05, stale_seconds=1.0))
try:
    with lease(store, sys.argv[2]) as held, (held.folder / "curve.jsonl").open("a") as curve:
        for step in range(40):
            print(step, file=curve, flush=True)
            if step == 10:
                print("stop me", flush=True)
                sys.stdin.readline()
        (held.folder / "adapter").mkdir(parents=True)
        finish(held, {"kind": "train", "label": "", "seconds": 1.0})
except Lost:
    print("lost", flush=True)
"""


@contextmanager
def _when_free(store: Store) -> Iterator[Held]:
    """The step, as soon as it can be had."""
    until = time.monotonic() + 20
    with ExitStack() as ours:
        while True:
            try:
                held = ours.enter_context(lease(store, STEP))
                break
            except Busy:
                assert time.monotonic() < until
                time.sleep(0.01)
        yield held


@pytest.mark.slow
@pytest.mark.parametrize("wakes", ["before the other has finished", "after the other has finished"])
def test_an_owner_that_was_stopped_and_replaced_writes_nothing_into_the_others_step(
    tmp_path: Path, wakes: str
) -> None:
    if subprocess.run([*CONTAINER, "true"], capture_output=True, check=False).returncode:
        pytest.skip("no namespaces of process ids: unshare --pid needs root")
    store = Store(open_store(tmp_path / "store").root, SHORT)
    stopped = subprocess.Popen(
        [*CONTAINER, sys.executable, "-c", STOPPED, str(store.root), STEP],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    try:
        assert stopped.stdin is not None and stopped.stdout is not None
        assert stopped.stdout.readline() == "stop me\n"
        os.killpg(stopped.pid, signal.SIGSTOP)

        def wake() -> None:
            os.killpg(stopped.pid, signal.SIGCONT)
            assert stopped.communicate("\n", timeout=20)[0] == "lost\n"

        with _when_free(store) as held:
            lines = (held.folder / "curve.jsonl").read_text().splitlines()
            assert lines == [str(step) for step in range(11)]
            if wakes.startswith("before"):
                wake()
            with (held.folder / "curve.jsonl").open("a") as curve:
                curve.writelines(f"{step}\n" for step in range(11, 40))
            finish(held, RECORD)
        if wakes.startswith("after"):
            wake()
    finally:
        if stopped.poll() is None:
            os.killpg(stopped.pid, signal.SIGKILL)
            stopped.communicate()
    lines = (store.done(STEP) / "curve.jsonl").read_text().splitlines()
    assert lines == [str(step) for step in range(40)]
    assert store.tries(STEP) == []


def test_what_a_try_left_is_found_though_the_next_was_killed_while_it_copied(store: Store) -> None:
    """A kill leaves the old folder under its new name, and half a copy."""
    left = store.root / "work" / f"{STEP}.1-00000000.left"
    left.mkdir()
    (left / "curve.jsonl").write_text("1\n2\n")
    half = store.root / "work" / f"{STEP}.2-00000000.new"
    half.mkdir()
    (half / "curve.jsonl").write_text("1\n")
    with lease(store, STEP) as held:
        assert (held.folder / "curve.jsonl").read_text() == "1\n2\n"
        assert list((store.root / "work").iterdir()) == [held.folder]


def test_what_a_store_from_before_left_is_continued(store: Store) -> None:
    (store.root / "work" / STEP).mkdir()
    (store.root / "work" / STEP / "curve.jsonl").write_text("1\n")
    with lease(store, STEP) as held:
        assert (held.folder / "curve.jsonl").read_text() == "1\n"


def test_pruning_keeps_what_a_run_under_way_needs(store: Store) -> None:
    for step in (STEP, "e" * 16):
        _complete(store, step, "a")
    with in_use(store, [STEP, "f" * 16]):
        assert prune(store, set()).in_use == 1
        assert store.finished() == [STEP]
    assert prune(store, set()).in_use == 0
    assert store.finished() == []


def test_a_run_that_was_killed_keeps_nothing_from_being_pruned(store: Store) -> None:
    _complete(store, STEP, "a")
    run = store.root / "leases" / "run-0"
    run.write_text(json.dumps({"owner": None, "steps": [STEP]}))
    assert prune(store, set()).in_use == 1
    os.utime(run, (0, 0))
    assert prune(store, set()).in_use == 0
    assert store.finished() == []
