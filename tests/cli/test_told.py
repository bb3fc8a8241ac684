"""Small things that commands say: what is refused names what would do."""

from pathlib import Path

import pytest

from harness import text as words
from harness.errors import UnknownName
from tests.cli import project
from tests.cli.words import harness


@pytest.mark.slow
@pytest.mark.parametrize(
    ("command", "said"),
    [
        ("baseline R -o b.json --metric nope", "--metric: no metric named 'nope'; known: exact"),
        ("weigh R", "R: a RESULT folder: add --against-scores"),
        (
            "weigh nope",
            "nope: found 'nope': no folder ",
        ),
        ("gate R --rules rules.yaml", ""),
    ],
)
def test_what_is_refused_names_what_would_do(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    command: str,
    said: str,
) -> None:
    monkeypatch.chdir(tmp_path)
    project.make(tmp_path)
    (tmp_path / "rules.yaml").write_text("gates: [{recipe: nope, min_value: 1}]\n")
    capsys.readouterr()
    done = harness(capsys, *command.split())
    if command.startswith("gate"):
        assert done.code == 5
        shown = " ".join(done.out.split())
        assert "no recipe named 'nope'; there are none" in shown
        return
    assert (done.code, done.err.count("\n")) == (2, 1)
    assert done.err.startswith(f"error: {said}")
    assert not (tmp_path / "b.json").exists()


@pytest.mark.parametrize("ending", ["", ".yaml", ".yml"])
def test_a_new_file_has_its_ending_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], ending: str
) -> None:
    monkeypatch.chdir(tmp_path)
    assert harness(capsys, "new", "task", f"mine{ending}").out == "suites/tasks/mine.yaml\n"


def test_a_zero_is_never_negative() -> None:
    assert [words.number(one) for one in (-0.0, -0.04, -0.06, 0.0)] == ["0.0", "0.0", "−0.1", "0.0"]
    assert words.interval(-1e-9, -0.0) == f"[0.0,{words.SPACE}0.0]"


def test_equal_samples_cannot_tell_what_may_go_unseen() -> None:
    assert (
        words.unseen(0.0, 2) == "The smallest detectable difference is unknown: all 2 differences are equal."
    )
    assert words.unseen(0.0, 2, "With 2 test samples, ").endswith("unknown: all 2 differences are equal.")
    assert words.unseen(1.23, 2) == "Differences below about 1.2 may go unseen."
    assert words.unseen(0.0, 1).endswith("unknown: it takes at least two samples.")


@pytest.mark.parametrize(
    ("smallest", "said"),
    [(0.06, "0.06"), (0.1, "0.1"), (0.04, "0.04"), (0.004, "0.004"), (0.0005, "0.0005"), (12.34, "12.3")],
)
def test_a_small_detectable_difference_is_never_shown_as_zero(smallest: float, said: str) -> None:
    assert words.unseen(smallest, 9) == f"Differences below about {said} may go unseen."
    assert words.detectable(smallest) == said


def test_rounding_alone_is_no_detectable_difference() -> None:
    assert "all 9 differences are equal" in words.unseen(1e-12, 9)
    assert words.detectable(0.0) == "unknown"


def test_a_name_where_nothing_is_known_has_no_empty_list() -> None:
    assert str(UnknownName("adapter", "x", ())) == "no adapter named 'x'; there are none"
