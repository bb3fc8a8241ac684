import io
from pathlib import Path

import pytest
from rich.console import Console

from harness.report import render_terminal


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
