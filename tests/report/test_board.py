"""`harness leaderboard`: what it takes in, what it leaves out and says, and what its files show."""

import csv
import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.cli import main
from harness.commands import leaderboard as boards
from harness.leaderboard.rank import Leaderboard, Refusal
from harness.report import board as pages
from harness.results.document import read_document, write_document
from tests.report.conftest import EVIL, write_result
from tests.report.leaks import keep_private, leaks, private_texts
from tests.report.shapes import SHAPES, make

Run = Callable[..., tuple[int, str]]


@pytest.fixture
def harness(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    """Its exit code, and what it said to stderr."""

    def run(*words: object) -> tuple[int, str]:
        monkeypatch.setattr("sys.argv", ["harness", "leaderboard", *map(str, words)])
        with pytest.raises(SystemExit) as left:
            main()
        return int(left.value.code or 0), capsys.readouterr().err

    return run


@pytest.fixture
def unverified(harness: Run) -> Run:
    """The same on results that are believed, which takes a fifth of the time."""
    return lambda *words: harness("--no-verify", *words)


def change(folder: Path, edit: Callable[[dict[str, Any]], object]) -> Path:
    document = read_document(folder)
    edit(document)
    write_document(folder, document)
    return folder


@pytest.fixture
def two(example: Path, tmp_path: Path) -> Path:
    """A folder of two runs of the same suite."""
    for name in ("monday", "tuesday"):
        shutil.copytree(example, tmp_path / "runs" / name)
    return tmp_path / "runs"


def lines(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


@pytest.mark.slow
def test_all_systems_of_all_runs_stand_there_once_a_run(two: Path, tmp_path: Path, harness: Run) -> None:
    outs = [tmp_path / f"board{ending}" for ending in (".csv", ".html", ".md")]
    assert harness(two, *(word for out in outs for word in ("-o", out)))[0] == 0
    rows = lines(outs[0])
    scored = {tuple(one[key] for key in ("task", "model", "adapter", "shots", "run")) for one in rows}
    assert len(scored) == len(rows) == 2 * 2 * 10
    assert {one["group"] for one in rows} == {"1", "2"}
    again: dict[tuple[str, ...], set[tuple[str, ...]]] = {}
    for one in rows:
        found = again.setdefault((one["task"], one["model"], one["adapter"]), set())
        found.add((one["rank"], one["rank_last"], one["value"]))
    assert all(len(found) == 1 for found in again.values())  # equal answers tie, whatever the run
    assert all(int(one["rank"]) <= int(one["rank_last"]) for one in rows)
    for out in outs[1:]:
        assert "monday" in out.read_text()
        assert "recomputed" in out.read_text()


@pytest.mark.slow
def test_equal_results_give_equal_bytes_in_any_order(two: Path) -> None:
    given = [two / "monday", two / "tuesday"]
    made = [boards.make(order) for order in (given, given, given[::-1])]
    for kind, draw in pages.KINDS.items():
        drawn = [draw(board, {run: run for run in runs}, "harness") for board, runs in made[:2]]
        assert drawn[0] == drawn[1], kind
    forth, _, back = (
        [[line.entry.run for line in group.lines] for group in board.groups] for board, _ in made
    )
    assert forth == back


def test_the_page_says_which_command_wrote_it_and_any_spelling_of_it_checks_the_page(
    two: Path, tmp_path: Path, unverified: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert unverified("runs", "-o", "board.md")[0] == 0
    first = (tmp_path / "board.md").read_text().splitlines()[0]
    assert first == (
        "<!-- Written by `harness leaderboard runs -o board.md --no-verify`; changes by hand are lost. -->"
    )
    assert unverified(two, "-o", tmp_path / "board.md", "--check") == (0, "")
    (tmp_path / "board.md").write_text((tmp_path / "board.md").read_text() + "more")
    code, said = unverified("runs", "-o", "board.md", "--check")
    assert code == 2
    assert said.endswith(
        "out of date; write it by `harness leaderboard runs -o board.md --no-verify`, and commit it\n"
    )


def test_no_folder_of_the_machine_and_no_end_of_a_comment_stands_in_the_first_line(example: Path) -> None:
    made, runs = boards.make([example], verified=False)
    command = boards.command([Path("/home/me/runs --> x")], Path("b.md"))
    first = pages.markdown(made, dict.fromkeys(runs, "x"), command).splitlines()[0]
    assert "/home" not in first
    assert first.count("-->") == 1 and first.endswith(" -->")


def test_equal_systems_have_no_winner_in_bold(tmp_path: Path) -> None:
    for name, bold in (("all equal", False), ("one base and its adapter", True)):
        made, runs = boards.make([make(tmp_path / name, SHAPES[name])], verified=False)
        text = pages.markdown(made, dict.fromkeys(runs, "x"), "harness")
        assert ("| **alpha" in text) == bold


def test_a_single_sample_gives_no_ranks_and_the_page_says_why(tmp_path: Path) -> None:
    made, runs = boards.make([make(tmp_path / "r", SHAPES["one sample"])], verified=False)
    text = pages.markdown(made, dict.fromkeys(runs, "x"), "harness")
    assert "1 sample, data: not said. There are no ranks, because no difference can be tested" in text
    assert "the samples are a single one" in text


def test_runs_that_were_asked_other_samples_are_ranked_apart(
    example: Path, tmp_path: Path, unverified: Run
) -> None:
    fewer = write_result(tmp_path / "fewer", samples=20)
    assert unverified(example, fewer, "-o", tmp_path / "b.md", "-o", tmp_path / "b.csv")[0] == 0
    assert len({one["group"] for one in lines(tmp_path / "b.csv")}) == 4
    assert (
        "Ranked apart from the first table of this task: asked other samples"
        in (tmp_path / "b.md").read_text()
    )


def test_another_signature_is_ranked_apart(two: Path, tmp_path: Path, unverified: Run) -> None:
    def older(document: dict[str, Any]) -> None:
        for one in document["scores"]:
            one["signature"] += "|more:1"

    change(two / "tuesday", older)
    assert unverified(two, "-o", tmp_path / "b.html")[0] == 0
    assert "scored otherwise: more:1 instead of nothing" in (tmp_path / "b.html").read_text()


def test_what_was_asked_otherwise_or_measured_elsewhere_is_marked(
    two: Path, tmp_path: Path, unverified: Run
) -> None:
    def elsewhere(document: dict[str, Any]) -> None:
        document["suite"]["tasks"][0]["prompt"] = "TL;DR $input"
        for one in document["costs"]:
            one["hardware"] = "NVIDIA H100"

    change(two / "tuesday", elsewhere)
    assert unverified(two, "-o", tmp_path / "b.md")[0] == 0
    text = (tmp_path / "b.md").read_text()
    assert "Not all systems were asked in the same way" in text
    assert "(asked B)" in text
    assert "Costs were measured on different hardware" in text


@pytest.mark.slow
def test_a_result_whose_scores_do_not_follow_is_left_out_and_told(
    two: Path, tmp_path: Path, harness: Run
) -> None:
    def better(document: dict[str, Any]) -> None:
        document["scores"][0]["value"] += 1

    change(two / "tuesday", better)
    code, said = harness(two, "-o", tmp_path / "b.md", "-o", tmp_path / "b.csv")
    assert code == 2
    assert said.startswith("left out: tuesday: ")
    assert len(said.splitlines()) == 1
    assert {one["run"] for one in lines(tmp_path / "b.csv")} == {"monday"}
    assert "Left out" in (tmp_path / "b.md").read_text()


def test_unverified_numbers_are_called_so_and_still_have_to_follow_from_their_rows(
    two: Path, tmp_path: Path, harness: Run
) -> None:
    def better(document: dict[str, Any]) -> None:
        for one in document["scores"]:
            one["value"] += 1

    change(two / "tuesday", better)
    code, said = harness(two, "--no-verify", "-o", tmp_path / "b.html")
    assert code == 2
    assert "but rows.parquet gives" in said
    assert "No result was verified (--no-verify)" in (tmp_path / "b.html").read_text()


@pytest.mark.slow
@pytest.mark.parametrize(
    "spoil, said",
    [
        (lambda folder: (folder / "rows.parquet").unlink(), "rows.parquet"),
        (lambda folder: (folder / "result.json").write_text("{"), "not JSON"),
        (lambda folder: (folder / "result.json").write_text('{"schema": 99}'), "update the harness"),
        (lambda folder: (folder / "result.json").write_text('{"schema": 1}'), "broken or changed by hand"),
        (
            lambda folder: change(folder, lambda one: one.update(scores=[], comparisons=[])),
            "contains no scores",
        ),
        (lambda folder: change(folder, lambda one: one.update(suite=[])), "broken or changed by hand"),
        (
            lambda folder: change(folder, lambda one: one["suite"]["models"][0].update(parameters="many")),
            "broken or changed by hand",
        ),
    ],
)
def test_what_cannot_be_read_is_left_out_in_a_line(
    two: Path, tmp_path: Path, harness: Run, spoil: Callable[[Path], object], said: str
) -> None:
    spoil(two / "tuesday")
    for flag in ("--verify", "--no-verify"):
        code, told = harness(two, flag, "-o", tmp_path / "b.csv")
        assert code == 2
        assert told.startswith("left out: tuesday: ")
        assert said in told
        assert len(told.splitlines()) == 1
        assert {one["run"] for one in lines(tmp_path / "b.csv")} == {"monday"}
    code, told = harness(two / "tuesday", "-o", tmp_path / "c.csv")
    assert (code, told.count("\n")) == (2, 1)
    assert told.startswith("error: nothing to rank: tuesday: ")
    assert not (tmp_path / "c.csv").exists()


def test_mistakes_of_the_command_line_are_one_line(two: Path, tmp_path: Path, unverified: Run) -> None:
    (tmp_path / "empty").mkdir()
    for words, said in (
        ((tmp_path / "nowhere",), "no such folder"),
        ((tmp_path / "empty",), "contains no RESULT"),
        ((two, two / "monday"), "given twice"),
        ((two / "monday", two / "monday" / "result.json"), "given twice"),
        ((two / "monday", "-o", tmp_path / "empty" / ("n" * 300 + ".md")), "cannot be written"),
        ((two, "-o", tmp_path / "b.pdf"), "the name must end in .html, .md, .csv"),
    ):
        code, told = unverified(*words, *(() if "-o" in words else ("-o", tmp_path / "b.md")))
        assert code == 2
        assert told.startswith("error: ")
        assert said in told
        assert len(told.splitlines()) == 1
        assert not (tmp_path / "b.md").exists()


def test_runs_in_folders_of_one_name_are_told_apart(example: Path, tmp_path: Path) -> None:
    given = [shutil.copytree(example, tmp_path / place / "same") for place in ("a", "b")]
    board, _ = boards.make(given, verified=False)
    assert len(set(board.runs)) == 2


def test_a_stale_file_is_told_with_what_to_run(two: Path, tmp_path: Path, unverified: Run) -> None:
    out = tmp_path / "b.md"
    code, said = unverified(two, "-o", out, "--check")
    assert code == 2
    assert f"{out}: no such file; write it by `harness leaderboard {two} -o {out} --no-verify`" in said
    assert unverified(two, "-o", out)[0] == 0
    assert unverified(two, "-o", out, "--check")[0] == 0
    out.write_text(out.read_text() + "more\n")
    code, said = unverified(two, "-o", out, "--check")
    assert code == 2
    assert f"out of date; write it by `harness leaderboard {two} -o {out} --no-verify`" in said
    assert len(said.splitlines()) == 1
    assert out.read_text().endswith("more\n")


def test_samples_that_belong_together_are_drawn_together(two: Path, tmp_path: Path, harness: Run) -> None:
    def clustered(document: dict[str, Any]) -> None:
        task = next(one for one in document["suite"]["tasks"] if one["name"] == "dialogues")
        task["cluster"] = "scenario"

    change(two / "tuesday", clustered)
    assert harness(two, "--no-verify", "-o", tmp_path / "b.md")[0] == 0
    assert "grouped otherwise" in (tmp_path / "b.md").read_text()
    change(two / "monday", clustered)
    board, _ = boards.make([two], verified=False)
    shares = board.groups[0].first.shares
    assert shares is not None
    assert len(shares) == 6  # plans of dialogues
    assert shares.sum() == pytest.approx(board.groups[0].first.score.value)


def test_no_text_of_private_sources_reaches_a_board(tmp_path: Path, unverified: Run) -> None:
    private = keep_private(write_result(tmp_path / "private", samples=12))
    document = json.loads((private / "result.json").read_text())
    document["steps"] = [
        step for step in document["steps"] if step["state"] == "done"
    ]  # partial ones are skipped
    document.pop("digest", None)
    write_document(private, document)
    out = tmp_path / "out"
    for ending in pages.KINDS:
        code, *said = unverified(private, "-o", out / f"board{ending}")
        assert code == 0, said
    assert leaks(out, private_texts(private)) == set()


def hostile(example: Path, folder: Path, name: str) -> Path:
    """Every name of a model is that text, where its rows have it too."""
    shutil.copytree(example, folder)
    document = json.dumps(read_document(folder))
    told = json.dumps(name)[1:-1]
    (folder / "result.json").write_text(document.replace("Apache-2.0", told).replace('"llama"', f'"{told}"'))
    return change_names(folder)


def change_names(folder: Path) -> Path:
    document = json.loads((folder / "result.json").read_text())
    document.pop("digest", None)
    write_document(folder, document)
    return folder


@pytest.mark.slow
@pytest.mark.parametrize("name", [text for text in EVIL if text])
def test_hostile_names_are_text_and_break_no_table(example: Path, tmp_path: Path, name: str) -> None:
    board, runs = boards.make([hostile(example, tmp_path / "r", name)], verified=False)
    drawn = {kind: draw(board, dict.fromkeys(runs, "x"), "harness") for kind, draw in pages.KINDS.items()}
    for text in drawn.values():
        text.encode()
    html = drawn[".html"]
    assert html.count("<script") == 2
    assert "<failure" not in html
    assert "javascript:alert" not in html or 'href="javascript' not in html
    tables = [line for line in drawn[".md"].splitlines() if line.startswith("|")]
    assert {line.replace("\\|", "").count("|") for line in tables} == {12}


def test_a_models_licence_stands_beside_its_datas(example: Path) -> None:
    board, runs = boards.make([example], verified=False)
    drawn = {kind: draw(board, dict.fromkeys(runs, "x"), "harness") for kind, draw in pages.KINDS.items()}
    found = {
        (row["model"], row["model_licence"], row["data_licence"])
        for row in csv.DictReader(drawn[".csv"].splitlines())
    }
    assert {("flan-t5-tiny", "mit", "Apache-2.0"), ("llama2-tiny", "", "Apache-2.0")} <= found
    assert "| t5, mit |" in drawn[".md"] and "| llama |" in drawn[".md"]
    assert "t5 <small>mit</small>" in drawn[".html"]


def test_no_cell_of_a_csv_is_a_formula(example: Path, tmp_path: Path) -> None:
    board, runs = boards.make([hostile(example, tmp_path / "r", "=1+cmd|' /C calc'!A0")], verified=False)
    rows = list(csv.DictReader(pages.table(board, dict.fromkeys(runs, "x"), "harness").splitlines()))
    assert "'=1+cmd|' /C calc'!A0" in {row["family"] for row in rows}
    assert "'=1+cmd|' /C calc'!A0" in {row["data_licence"] for row in rows}
    assert not [cell for row in rows for cell in row.values() if cell.startswith(("=", "+", "@"))]
    assert {float(row["to_base"]) for row in rows if row["to_base"].startswith("-")}


@pytest.mark.slow
@settings(max_examples=30, deadline=None)
@given(st.text(st.characters(), max_size=60), st.text(st.characters(), max_size=60))
def test_any_refusal_can_be_told(run: str, problem: str) -> None:
    board = Leaderboard(
        groups=(), runs=(), by_rows=(), refused=(Refusal(run=run, problem=problem),), verified=True
    )
    for draw in pages.KINDS.values():
        draw(board, {}, "harness").encode()
