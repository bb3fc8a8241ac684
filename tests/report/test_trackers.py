"""Runs of W&B and Trackio, written without a network and read back by the packages themselves."""

import json
import shutil
import struct
import subprocess
import sys
from collections.abc import Iterator, Mapping
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

from harness.commands.export import export
from harness.errors import HarnessError
from harness.report import tracked_runs
from harness.report.tracked_runs import SystemRun
from harness.results import read

INSTALL = (
    "pip install 'finetune-harness[{0}]', in an environment of its own: it is not in the one for developers"
)


def found_in(example: Path) -> Mapping[str, SystemRun]:
    """What has to arrive, by the names of the systems."""
    found = {str(run.system): run for run in tracked_runs.by_system(read(example))}
    assert len(found) > 2 and any(run.curves for run in found.values())
    return found


def numbers(run: SystemRun) -> dict[str, float]:
    """A score has its interval beside it, and its name begins with its task."""
    assert any(name.endswith(".low") for name in run.numbers)
    assert all("/" in name for name in run.numbers)
    return dict(run.numbers)


def records(content: bytes) -> Iterator[bytes]:
    """The records of a file of W&B: seven bytes, then a log of LevelDB, which its log_format.md describes."""
    assert content[:4] == b":W&B"
    at, parts = 7, b""
    while at < len(content):
        if (room := -at % 32768) and room < 7:  # a block's end, too short for a header
            at += room
            continue
        _, size, kind = struct.unpack("<IHB", content[at : at + 7])
        parts += content[at + 7 : at + 7 + size]
        at += 7 + size
        if kind in (1, 4):  # whole, or the last part
            yield parts
            parts = b""


@pytest.mark.slow
def test_wandb_reads_scores_curves_and_recipe(example: Path, tmp_path: Path) -> None:
    pytest.importorskip("wandb", reason=INSTALL.format("wandb"))
    from wandb.proto import wandb_internal_pb2

    out = tmp_path / "runs"
    for _ in range(2):  # the second export replaces the first
        said = export(example, "wandb", uri=None, out=out, offline=True)
    assert "wandb sync " in said and "\n" not in said
    files = sorted(out.rglob("*.wandb"))
    wanted = found_in(example)
    assert len(files) == len(wanted)
    for file in files:
        config: dict[str, Any] = {}
        summary: dict[str, Any] = {}
        history: dict[int, dict[str, Any]] = {}
        name = ""
        for data in records(file.read_bytes()):
            record = wandb_internal_pb2.Record()
            record.ParseFromString(data)
            kind = record.WhichOneof("record_type")
            if kind == "run":
                name = record.run.display_name
                config |= {item.key: json.loads(item.value_json) for item in record.run.config.update}
            elif kind == "config":
                config |= {item.key: json.loads(item.value_json) for item in record.config.update}
            elif kind == "summary":
                for item in record.summary.update:
                    summary[item.key or "/".join(item.nested_key)] = json.loads(item.value_json)
            elif kind == "history":
                row = {
                    item.key or "/".join(item.nested_key): json.loads(item.value_json)
                    for item in record.history.item
                }
                history.setdefault(record.history.step.num, {}).update(
                    {key: value for key, value in row.items() if not key.startswith("_")}
                )
        run = wanted[name]
        assert {key: summary[key] for key in run.numbers} == numbers(run)
        assert {step: row for step, row in history.items() if row} == run.points
        for key, value in run.settings.items():
            assert config[tracked_runs.named(key)] == value


@pytest.mark.slow
def test_trackio_reads_scores_curves_and_recipe(example: Path, tmp_path: Path) -> None:
    if find_spec("trackio") is None:  # which is not imported: that would fix its folder
        pytest.skip(INSTALL.format("trackio"))
    out = tmp_path / "runs"
    for _ in range(2):  # the second export replaces the first
        said = export(example, "trackio", uri=None, out=out, offline=True)
    assert "trackio show" in said and "\n" not in said
    from trackio.sqlite_storage import SQLiteStorage

    project = tracked_runs.named(read(example).suite.name)
    wanted = found_in(example)
    assert len(SQLiteStorage.get_runs(project)) == len(wanted)
    for name in SQLiteStorage.get_runs(project):
        run = wanted[name.rpartition(" ")[0]]
        points: dict[int, dict[str, float]] = {}
        for line in SQLiteStorage.get_logs(project, name):
            points[line["step"]] = {
                key: value for key, value in line.items() if key not in ("step", "timestamp")
            }
        last = max(run.points, default=0)
        assert points[last] == {**run.points.get(last, {}), **numbers(run)}
        assert {step: row for step, row in points.items() if step != last} == {
            step: row for step, row in run.points.items() if step != last
        }
        config = SQLiteStorage.get_run_config(project, name)
        for key, value in run.settings.items():
            assert config[tracked_runs.named(key)] == value
    with pytest.raises(HarnessError, match="export in another process"):
        export(example, "trackio", uri=None, out=tmp_path / "elsewhere")


@pytest.mark.parametrize("name", ["wandb", "trackio"])
def test_without_the_package_one_line_says_what_to_install(name: str, example: Path, tmp_path: Path) -> None:
    """In an interpreter that lacks the package, whatever is installed here."""
    code = (
        "import sys; sys.modules[sys.argv[1]] = None\n"
        "from harness.cli import main\n"
        "sys.argv = ['harness', 'export', sys.argv[2], '--to', sys.argv[1], '-o', sys.argv[3]]\n"
        "main()\n"
    )
    result = Path(shutil.copytree(example, tmp_path / "result"))
    done = subprocess.run(
        [sys.executable, "-c", code, name, str(result), str(tmp_path / "out")],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 2
    assert f"--to {name}: the package" in done.stderr
    assert f"pip install 'finetune-harness[{name}]'" in " ".join(done.stderr.split())
    assert not (tmp_path / "out").exists()
