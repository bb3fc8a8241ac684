"""A run that is stopped for longer than its leases live, while another does its work, ends with the same result."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from harness.run.lease import Pulse
from harness.run.repair import claimed
from harness.run.run import run
from harness.run.store import Store, open_store
from harness.run.upkeep import verify
from harness.types import Runtime
from tests.run.test_lease import CONTAINER
from tests.run.test_run import Silent, comparable, drawn, go, result, write_suite


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return open_store(tmp_path / "store")


PULSE = Pulse(beat_seconds=0.05, stale_seconds=1.0)
STOPPED = """
import json, sys
from pathlib import Path
from harness.run.run import run
from harness.run.store import Store
from harness.types import Runtime
from tests.run.test_run import Silent, comparable, drawn, result
from tests.run.test_two_owners import PULSE

class Stopping(Silent):
    asked = False

    def progress(self, step, done, total, doing=""):
        if step.label == "generate chats, copy" and done == 7 and not self.asked:
            self.asked = True
            print("stop me", flush=True)
            sys.stdin.readline()

store, watch = Store(Path(sys.argv[1]), PULSE), Stopping()
done = run(drawn(Path(sys.argv[2]), store), store, Runtime(workers=0), watch)
states = {outcome.step: outcome.state for outcome in watch.outcomes.values()}
print(json.dumps([[one.reason for one in done.failed], states, comparable(result(done))]), flush=True)
"""


@pytest.mark.slow
def test_a_run_that_was_stopped_ends_with_what_the_other_finished(tmp_path: Path) -> None:
    if subprocess.run([*CONTAINER, "true"], capture_output=True, check=False).returncode:
        pytest.skip("no namespaces of process ids: unshare --pid needs root")
    path = write_suite(tmp_path)
    store = Store(open_store(tmp_path / "store").root, PULSE)
    stopped = subprocess.Popen(
        [*CONTAINER, sys.executable, "-c", STOPPED, str(store.root), str(path)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    try:
        assert stopped.stdout is not None
        assert stopped.stdout.readline() == "stop me\n"
        os.killpg(stopped.pid, signal.SIGSTOP)
        plan, watch = drawn(path, store), Silent()
        ours = run(plan, store, Runtime(workers=0), watch)
        assert watch.outcomes["generate chats, copy"].state == "done"
        os.killpg(stopped.pid, signal.SIGCONT)
        failed, states, found = json.loads(stopped.communicate("\n", timeout=60)[0])
    finally:
        if stopped.poll() is None:
            os.killpg(stopped.pid, signal.SIGKILL)
            stopped.communicate()
    step = next(step.id for step in plan.steps if step.label == "generate chats, copy")
    assert failed == []
    assert states[step] == "kept"
    assert found == comparable(result(ours))
    alone, _ = go(path, open_store(tmp_path / "alone"))
    assert found == comparable(result(alone))
    assert verify(store).damaged == {}
    assert list((store.root / "work").iterdir()) == []
    assert "took it over while this one was stopped" in store.log(step).read_text()


def test_what_one_run_shows_of_its_part_another_leaves_alone(tmp_path: Path, store: Store) -> None:
    """A step fails in both, and each has a report of what there is."""
    path = write_suite(tmp_path, "crash-on-s007")
    plan = drawn(path, store)
    with claimed(plan, store), claimed(plan, store):
        first, second = go(path, store)[0], go(path, store)[0]
        assert first.report is not None and second.report is not None
        assert first.report != second.report
        assert comparable(result(first)) == comparable(result(second))
    with claimed(plan, store):
        last = go(path, store)[0]
    assert last.report is not None
    assert not first.report.exists()
    parts = [path.name.partition(".")[0] for path in (store.root / "work").glob("*.part")]
    assert sorted(parts) == sorted(set(parts)), "one of each step is kept"
