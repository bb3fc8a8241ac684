"""A file that a command is asked for never takes the place of a file of another kind."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cli import project
from tests.cli.words import harness


@pytest.fixture(scope="module")
def here(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    folder = tmp_path_factory.mktemp("project")
    project.make(folder)
    before = Path.cwd()
    os.chdir(folder)
    yield folder
    os.chdir(before)


@pytest.mark.parametrize(
    "command",
    [
        "baseline R -o FILE",
        "compare R#first R#copy --markdown FILE",
        "gate R --junit FILE",
        "gate R --comment FILE",
        "leaderboard R -o FILE",
        "weigh zoo:t5-tiny --html FILE",
        "weigh zoo:t5-tiny --csv FILE",
        "weigh zoo:t5-tiny --parquet FILE",
        "weigh R --against-scores --html FILE",
        "weigh R --against-scores --markdown FILE",
        "card R --model first --adapter mine -o FILE",
        "export R --to csv -o FILE",
        "export R --to mlflow --uri sqlite:///FILE",
    ],
)
def test_a_suite_is_never_written_over(here: Path, capsys: pytest.CaptureFixture[str], command: str) -> None:
    suite = here / "mine.yaml"
    suite.write_text(project.SUITE)
    done = harness(capsys, *command.replace("FILE", "mine.yaml").split())
    assert suite.read_text() == project.SUITE
    assert done.code == 2, done
    assert "mine.yaml" in done.err and done.err.count("\n") == 1
    assert not done.out


@pytest.mark.parametrize("file", ["R/result.json", "adapter/adapter_config.json", "data/test.jsonl"])
def test_a_baseline_takes_the_place_of_baselines_alone(
    here: Path, capsys: pytest.CaptureFixture[str], file: str
) -> None:
    before = (here / file).read_bytes()
    done = harness(capsys, "baseline", "R", "-o", file)
    assert (done.code, (here / file).read_bytes()) == (2, before)
    assert f"-o {file}: is there already and no baseline of the harness" in done.err


@pytest.mark.parametrize(
    ("command", "name", "content"),
    [
        ("baseline R -o", "again.json", "{\n \"schema\": 1,\n \"suite\": \"small\",\n<<<<<<< cut short"),
        ("baseline R -o", "made-by-mktemp", ""),
        ("gate R --junit", "old.xml", "<testsuites"),
        ("gate R --junit", "old.txt", "<?xml version='1.0' encoding='utf-8'?>\n<testsuites name='x'>"),
        ("gate R --comment", "old.md", "# Mine"),
        ("compare R#first R#copy --markdown", "old.md", "# Mine"),
        ("leaderboard R -o", "old.csv", "a,b"),
    ],
)  # fmt: skip
def test_a_file_of_the_same_kind_is_written_anew(
    here: Path, capsys: pytest.CaptureFixture[str], command: str, name: str, content: str
) -> None:
    (here / name).write_text(content)
    done = harness(capsys, *command.split(), name)
    assert "is there already" not in done.err
    assert (here / name).read_text() != content


def test_what_is_no_file_may_be_written_to(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert harness(capsys, "baseline", "R", "-o", os.devnull).code == 0
