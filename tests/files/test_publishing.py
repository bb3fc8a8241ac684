"""A folder in another's place: whatever is killed when, a reader finds a whole one, and the next publish works."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from harness.errors import HarnessError
from harness.files.publishing import Way, owned, recovered, refuse_unwritable

FILES = 3  # in a folder that is published; each says which folder it belongs to

# Publishes `a` and `b` in turn for ever.
PUBLISH_FOR_EVER = """
import sys
from itertools import cycle
from pathlib import Path
from harness.files.publishing import owned
base, way = Path(sys.argv[1]), sys.argv[2]
for name in cycle("ab"):
    with owned(base / "out", way=way, tell=lambda line: None) as place:
        place.put(place.stage(base / name))
"""

# Does the same in forks, kills each at a random moment, and looks what is left.
KILL_AT_RANDOM = """
import os, random, signal, sys, time
from itertools import cycle
from pathlib import Path
from harness.files.publishing import owned, recovered
base, way, trials = Path(sys.argv[1]), sys.argv[2], int(sys.argv[3])
out, gone = base / "out", 0
random.seed(7)

def publish(name):
    with owned(out, way=way) as place:
        place.put(place.stage(base / name))

def whole():
    found = {path.name: path.read_text() for path in out.iterdir()}
    assert len(found) == int(sys.argv[4]) and len(set(found.values())) == 1, found

publish("a")
for trial in range(trials):
    child = os.fork()
    if child == 0:
        for name in cycle("ba"):
            publish(name)
    end = time.monotonic() + random.uniform(0, 0.02)
    while time.monotonic() < end:
        gone += not out.exists()
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    if way == "exchange":
        assert out.is_dir(), os.listdir(base)
    elif trial % 2:
        assert recovered(out), os.listdir(base)
    else:
        publish("b")
    whole()
publish("a")
whole()
assert way != "exchange" or gone == 0, gone
assert sorted(os.listdir(base)) == ["a", "b", "out"], os.listdir(base)
print("whole")
"""

# Publishes `b` over `a` and kills itself before its first, second, ... operation on files, until it lives to the end.
KILL_BEFORE_EACH_OPERATION = """
import os, signal, sys
from pathlib import Path
from harness.files.publishing import owned, recovered
base, way = Path(sys.argv[1]), sys.argv[2]
out, missing = base / "out", 0

def publish(name):
    with owned(out, way=way) as place:
        place.put(place.stage(base / name))

def killed_before(number):
    left = [number]
    def look(event, arguments):
        if event == "open" or event.startswith(("os.", "shutil.", "fcntl.", "ctypes.")):
            left[0] -= 1
            if left[0] == 0:
                os.kill(os.getpid(), signal.SIGKILL)
    sys.addaudithook(look)

number, status = 0, 1
while status:
    number += 1
    publish("a")
    child = os.fork()
    if child == 0:
        killed_before(number)
        publish("b")
        os._exit(0)
    status = os.waitpid(child, 0)[1]
    if not out.exists():
        assert way == "renames"
        missing += 1
        assert recovered(out)
    found = {path.read_text() for path in out.iterdir()}
    assert len(os.listdir(out)) == int(sys.argv[3]) and len(found) == 1, found
publish("a")
assert sorted(os.listdir(base)) == ["a", "b", "out"], os.listdir(base)
assert number > 40 and bool(missing) == (way == "renames"), (number, missing)
print("whole")
"""


@pytest.fixture
def base(tmp_path: Path) -> Path:
    for name in "ab":
        (tmp_path / name).mkdir()
        for number in range(FILES):
            (tmp_path / name / f"{number}.txt").write_text(name * 1000)
    return tmp_path


def publish(base: Path, name: str, way: Way = "exchange") -> None:
    with owned(base / "out", way=way) as place:
        place.put(place.stage(base / name))


def content(folder: Path) -> set[str]:
    return {path.read_text()[:1] for path in folder.iterdir()}


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


@pytest.mark.parametrize("way", ["exchange", "renames"])
def test_the_new_folder_takes_the_place_of_the_old_one_and_nothing_is_left_beside(
    base: Path, way: Way
) -> None:
    for name in "aab":
        publish(base, name, way)
        assert content(base / "out") == {name}
        assert names(base) == ["a", "b", "out"]


@pytest.mark.slow
@pytest.mark.parametrize("way", ["exchange", "renames"])
def test_a_publisher_killed_at_any_moment_leaves_the_whole_old_folder_or_the_whole_new_one(
    base: Path, way: Way
) -> None:
    command = [sys.executable, "-c", KILL_AT_RANDOM, str(base), way, "40", str(FILES)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120)
    assert (done.returncode, done.stdout) == (0, "whole\n"), done.stderr


@pytest.mark.slow
@pytest.mark.parametrize("way", ["exchange", "renames"])
def test_a_publisher_killed_before_any_of_its_operations_leaves_a_whole_folder(base: Path, way: Way) -> None:
    command = [sys.executable, "-c", KILL_BEFORE_EACH_OPERATION, str(base), way, str(FILES)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120)
    assert (done.returncode, done.stdout) == (0, "whole\n"), done.stderr


@pytest.mark.parametrize("way", ["exchange", "renames"])
def test_processes_that_publish_into_one_place_at_once_do_so_one_after_the_other(
    base: Path, way: Way
) -> None:
    publish(base, "a", way)
    command = [sys.executable, "-c", PUBLISH_FOR_EVER, str(base), way]
    both = [subprocess.Popen(command, stderr=subprocess.PIPE, text=True) for _ in range(2)]
    for _ in range(10):
        with owned(base / "out", way=way, tell=lambda line: None) as place:
            assert len(names(place.target)) == FILES and len(content(place.target)) == 1
            place.put(place.stage(base / "b"))
    for process in both:
        assert process.poll() is None, process.communicate()[1]
        process.kill()
        process.communicate()
    publish(base, "a", way)
    assert names(base) == ["a", "b", "out"]


def test_who_waits_says_for_whom(base: Path) -> None:
    hold = (
        "import sys, pathlib, harness.files.publishing as p\n"
        "with p.owned(pathlib.Path(sys.argv[1])): print(1, flush=True); input()"
    )
    holder = subprocess.Popen(
        [sys.executable, "-c", hold, str(base / "out")],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    assert holder.stdin is not None and holder.stdout is not None
    holder.stdout.readline()
    said: list[str] = []

    def tell(line: str) -> None:
        said.append(line)
        assert holder.stdin is not None
        holder.stdin.write("\n")
        holder.stdin.flush()

    with owned(base / "out", tell=tell):
        pass
    assert holder.wait(timeout=30) == 0
    assert said == [
        f"{base / 'out'}: waiting for process {holder.pid} on {os.uname().nodename}, which writes there"
    ]
    assert names(base) == ["a", "b"]


def test_a_folder_that_was_renamed_when_its_process_was_killed_comes_back(base: Path) -> None:
    (base / "a").rename(base / ".out.old-0123abcd-45ef")
    assert recovered(base / "out")
    assert content(base / "out") == {"a"}
    assert names(base) == ["b", "out"]
    assert not recovered(base / "nowhere")


def test_a_failure_in_the_block_leaves_what_was_there(base: Path) -> None:
    publish(base, "a")
    with pytest.raises(ZeroDivisionError), owned(base / "out") as place:
        place.stage(base / "b")
        print(1 / len([]))
    assert content(base / "out") == {"a"}
    assert names(base) == ["a", "b", "out"]


def test_a_disk_that_is_full_leaves_what_was_there(base: Path) -> None:
    publish(base, "a")
    (base / "b" / "large.txt").write_bytes(b"b" * 100_000)
    code = (
        "import resource, sys; from pathlib import Path; from harness.files.publishing import owned\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (50_000, 50_000))\n"
        "base = Path(sys.argv[1])\n"
        "with owned(base / 'out') as place: place.put(place.stage(base / 'b'))"
    )
    done = subprocess.run([sys.executable, "-c", code, str(base)], capture_output=True, text=True)
    assert "OSError: [Errno 27]" in done.stderr
    assert content(base / "out") == {"a"}
    assert names(base) == ["a", "b", "out"]


def test_links_stay_links_and_a_target_behind_a_link_is_the_one_that_changes(base: Path) -> None:
    (base / "a" / "link").symlink_to("0.txt")
    (base / "out").symlink_to("far")
    publish(base, "a")
    assert (base / "out").is_symlink()
    assert (base / "far" / "link").readlink() == Path("0.txt")


def test_who_stands_in_the_target_stands_in_the_new_one(base: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    publish(base, "a")
    monkeypatch.chdir(base / "out")
    said: list[str] = []
    with owned(Path(), tell=said.append) as place:
        place.put(place.stage(base / "b"))
    assert content(Path()) == {"b"}
    assert said == [f"{base / 'out'}: the folder that you are in was replaced; `cd .` leads into the new one"]


@pytest.mark.parametrize(
    ("place", "said"),
    [
        ("file", "found a file; name an empty or a new folder"),
        ("file/below", "cannot be made: Not a directory"),
        ("/proc/x", "cannot be made: "),
        ("/proc/x/y/z", "cannot be made: "),
        ("/proc", "found a mount point"),
        ("n" * 250, "cannot be made: File name too long"),
        ("n" * 300, "cannot be made: File name too long"),
        ("circle", "cannot be made: "),
    ],
)
def test_a_place_that_cannot_be_written_is_refused_before_any_work(
    tmp_path: Path, place: str, said: str
) -> None:
    (tmp_path / "file").write_text(json.dumps({}))
    (tmp_path / "circle").symlink_to("circle")
    before = names(tmp_path)
    with pytest.raises(HarnessError) as refused:
        refuse_unwritable(tmp_path / place, "--out")
    assert str(refused.value).startswith(f"--out {tmp_path / place}: {said}")
    assert "\n" not in str(refused.value)
    assert names(tmp_path) == before


def test_a_place_that_can_be_written_is_taken_without_a_trace(tmp_path: Path) -> None:
    for place in ("new", "deep/er/new", "."):
        refuse_unwritable(tmp_path / place, "--out")
    assert names(tmp_path) == []


@pytest.mark.parametrize("planted", ["link", "link to nothing", "own file", "folder", "pipe"])
def test_what_stands_in_the_place_of_the_lock_and_is_none_is_left_as_it_is(
    tmp_path: Path, planted: str
) -> None:
    lock, mine = tmp_path / ".out.lock", tmp_path / "thesis.txt"
    mine.write_text("my thesis")
    match planted:
        case "link":
            lock.symlink_to(mine)
        case "link to nothing":
            lock.symlink_to(tmp_path / "nothing")
        case "own file":
            lock.write_text("mine")
        case "folder":
            lock.mkdir()
        case "pipe":
            os.mkfifo(lock)
    with (
        pytest.raises(HarnessError, match=r"\.out\.lock: not a lock of the harness"),
        owned(tmp_path / "out"),
    ):
        pass
    assert mine.read_text() == "my thesis"
    assert not (tmp_path / "nothing").exists()
    assert os.path.lexists(lock)
    assert planted != "own file" or lock.read_text() == "mine"


def test_a_lock_that_a_killed_process_left_is_taken(tmp_path: Path) -> None:
    (tmp_path / ".out.lock").write_text("process 1 on elsewhere")
    with owned(tmp_path / "out"):
        assert (tmp_path / ".out.lock").read_text().startswith(f"process {os.getpid()} on")
    assert not (tmp_path / ".out.lock").exists()


def test_folders_of_its_user_beside_the_target_are_neither_brought_back_nor_removed(tmp_path: Path) -> None:
    for name in (".out.old-2024", ".out.new-ideas"):
        (tmp_path / name).mkdir()
    assert not recovered(tmp_path / "out")
    with owned(tmp_path / "out"):
        pass
    assert sorted(path.name for path in tmp_path.iterdir()) == [".out.new-ideas", ".out.old-2024"]
