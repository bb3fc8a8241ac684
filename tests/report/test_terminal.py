import io
import json
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from rich.console import Console

from harness.frames import load
from harness.report import render_json, render_terminal


@pytest.mark.parametrize("width", [80, 140])
def test_the_terminal_says_the_answer_and_the_table_and_no_colour_when_piped(
    example: Path, width: int
) -> None:
    out = io.StringIO()
    render_terminal(example, Console(file=out, width=width))
    text = out.getvalue().replace("\N{NO-BREAK SPACE}", " ")
    assert "On dialogues, flan-t5-tiny + quickstart scores highest" in text
    assert "All 4 adapters beat their base" in " ".join(text.split())
    assert "+ quickstart (best)" in text
    assert "\x1b" not in text
    assert max(map(len, text.splitlines())) <= width
    assert ("tokens/s" in text) == (width == 140)


@pytest.mark.parametrize("width", [20, 30, 45])
def test_a_narrow_terminal_shows_every_system_and_every_number_whole(example: Path, width: int) -> None:
    wide, narrow = io.StringIO(), io.StringIO()
    render_terminal(example, Console(file=wide, width=90))
    render_terminal(example, Console(file=narrow, width=width))
    text = " ".join(narrow.getvalue().replace("\N{NO-BREAK SPACE}", " ").split())
    for row in wide.getvalue().splitlines():
        for number in re.findall(r"\d+\.\d \[[^]]+\]", row.replace("\N{NO-BREAK SPACE}", " ")):
            assert number in text
    for name in ("falcon-tiny:", "llama2-tiny:", "+ quickstart (best): ", "first 3 sentences:"):
        assert name in text
    assert max(map(len, narrow.getvalue().splitlines())) <= max(width, 40)


def test_json_holds_the_answer_and_numbers_that_nobody_rounded(example: Path) -> None:
    document = json.loads(render_json(example))
    task = document["tasks"][0]
    assert task["task"] == "dialogues"
    assert task["answer"][0].startswith("On dialogues, flan-t5-tiny + quickstart scores highest")
    assert "chosen as the best of 8" in task["answer"][2]
    kept = [
        one
        for one in json.loads((example / "result.json").read_bytes())["scores"]
        if one["task"] == "dialogues"
    ]
    values = {(one["model"], one["adapter"]): one["value"] for one in kept if one["primary"]}
    for line in task["systems"]:
        system = line["score"]["system"]
        assert line["score"]["value"] == values[system["model"], system["adapter"]]


@pytest.mark.slow
@pytest.mark.parametrize(("flags", "said"), [((), "report  "), (("--quiet",), ""), (("--json",), '"tasks"')])
def test_the_command_says_as_much_as_is_asked(
    example: Path, drawings: Path, tmp_path: Path, flags: tuple[str, ...], said: str
) -> None:
    folder = shutil.copytree(example, tmp_path / "result")
    command = [
        sys.executable,
        "-m",
        "harness",
        "report",
        str(folder),
        "--store",
        str(drawings.parent),
        *flags,
    ]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    assert said in done.stdout if said else not done.stdout
    assert not done.stderr
    assert "\x1b" not in done.stdout


def test_a_notebook_shows_the_answer_before_the_scores(example: Path) -> None:
    shown = load(example)._repr_html_()
    assert shown.index("On dialogues, flan-t5-tiny + quickstart scores highest") < shown.index("<table")
