"""A run that is killed after its first task leaves a readable unfinished RESULT, and continues to the whole one."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

import harness
from harness.results.missing import missing_in
from harness.verification import verify
from tests.run import interim
from tests.run.test_run import comparable

HELD = '''
"""One for each answer, once the file `hold` is gone."""

import time
from pathlib import Path

from harness.metrics import Metric


def metric():
    def row(sample, generation):
        while (Path(__file__).parent / "hold").exists():
            time.sleep(0.02)
        return 1.0, 1.0

    return Metric(names=("held",), signature="held|1", row=row, value=lambda total: total[..., :1] / total[..., 1:])
'''


@pytest.fixture
def place(tmp_path: Path) -> Path:
    """A suite whose second task is not scored before the file `hold` is gone."""
    path = interim.write(tmp_path)
    one, two = path.read_text().split("  - {name: two")
    path.write_text(f"{one}  - {{name: two{two.replace('metrics: [f1]', 'metrics: [f1, ./held.py]', 1)}")
    (tmp_path / "held.py").write_text(HELD)
    return tmp_path


def command(place: Path, name: str) -> list[str]:
    return [
        *(sys.executable, "-m", "harness", "run", str(place / "two.yaml"), "--device", "cpu", "--offline"),
        *("--workers", "2", "--store", str(place / f"{name}-store"), "--out", str(place / name)),
    ]


def document(folder: Path) -> dict[str, object]:
    found: dict[str, object] = json.loads((folder / "result.json").read_bytes())
    return found


@pytest.fixture
def killed(place: Path) -> Iterator[Path]:
    """What a run left at `--out` that was killed, with all of its processes, after its first task."""
    (place / "hold").touch()
    process = subprocess.Popen(
        command(place, "out"), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True
    )
    try:
        deadline = time.monotonic() + 120
        while not (place / "out" / "result.json").exists():
            assert process.poll() is None and time.monotonic() < deadline, "nothing was shown"
            time.sleep(0.02)
    finally:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
    (place / "hold").unlink()
    yield place / "out"


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_a_killed_run_leaves_an_unfinished_result_and_ends_as_an_undisturbed_one(
    place: Path, killed: Path
) -> None:
    lacks = missing_in(document(killed))
    assert lacks is not None and lacks.unfinished
    frames = harness.load(killed)
    assert set(frames.scores["task"]) == {"one"}
    assert len(frames.generations) == 24 and len(frames.rows) > 0
    assert verify(killed) == []
    assert "This RESULT is unfinished: 1 of 2 tasks is shown" in (killed / "report.html").read_text()
    assert (killed / "report.md").read_text().startswith("# two (unfinished)")
    for name in ("out", "undisturbed"):
        subprocess.run(command(place, name), check=True, capture_output=True, timeout=120)
    whole, other = document(killed), document(place / "undisturbed")
    assert missing_in(whole) is None
    assert comparable(whole) == comparable(other)
    for name in ("generations.jsonl.gz", "samples.jsonl.gz", "rows.parquet"):
        assert (killed / name).read_bytes() == (place / "undisturbed" / name).read_bytes()
    left = [path.name for path in place.iterdir() if path.name.startswith((".out", "out."))]
    assert not left, "hidden or partial folders are left beside the RESULT"
