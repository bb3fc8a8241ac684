"""Whatever foreign text holds, printing it never raises, orders nothing and stays what it was."""

import ast
import io
import json
import os
import pty
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from rich.table import Table
from rich.text import Text

import harness
from harness.commands.course import Course
from harness.commands.progress import Bars, Label, Lines
from harness.report import junit, page, terminal
from harness.results import from_document
from harness.terminal import printed
from harness.terminal.consoles import PlainConsole
from harness.types import Judgement, Outcome, Step

HOSTILE = (
    "[/INST]", "[/x]", "[red]", "[link=http://x]y", ":smile:", "::error::x", " ::stop-commands::t", "##[error]x",
    "\x1b[2J", "\x1b]8;;http://x\x07", "\r", "\n", "\x85", "\u2028", "\u202e", "\ud800", "\x00", "\x08",
    "\x0c", ":", "#", "[", "]", "a", " ",
)  # fmt: skip
texts = st.one_of(st.text(), st.lists(st.sampled_from(HOSTILE), max_size=6).map("".join))
widths = st.sampled_from([8, 20, 80, 160])
SGR = re.compile("\x1b\\[[0-9;?]*[A-Za-z]")  # what rich writes on a terminal: colours, and moves of the bars


def harmless(shown: str) -> None:
    """Holds that a terminal and GitHub's runner would obey nothing of it."""
    shown.encode()
    assert not re.search("[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069]", shown), repr(shown)
    assert not any(line.lstrip().startswith("::") for line in shown.split("\n")), repr(shown)
    assert "##[" not in shown


def on(draw: Callable[[PlainConsole], None], width: int, *, coloured: bool) -> str:
    out = io.StringIO()
    draw(PlainConsole(file=out, width=width, force_terminal=coloured or None))
    shown = out.getvalue()
    return SGR.sub("", shown).replace("\r", "") if coloured else shown


@given(texts)
@example("\n::error::x")
@example(":\x1b[1m:error::x")
def test_a_line_orders_nothing(text: str) -> None:
    harmless(printed.safe(text))


@given(texts, widths, st.booleans())
@settings(deadline=None)
@example("[/x]", 80, True)
@example("[/INST]", 80, False)
@example("aaaaaaa ::error::x", 8, False)
def test_a_table_a_title_and_a_sentence_order_nothing(text: str, width: int, coloured: bool) -> None:
    def draw(console: PlainConsole) -> None:
        table = Table("a", text, title=text)
        table.add_column(text, overflow="fold")
        table.add_row(text, Text(text), text)
        console.print(table)
        console.print(text)
        console.print(f"\n{text}", style="yellow")
        console.print(Text.assemble((text, "red"), text, overflow="fold"))

    harmless(on(draw, width, coloured=coloured))


@pytest.mark.parametrize("text", ["[/x]", "[red]x[/red]", ":smile:", "[link=http://x]y[/link]", "100 %"])
def test_what_looks_like_markup_is_printed_as_it_is(text: str) -> None:
    def draw(console: PlainConsole) -> None:
        table = Table(text, box=None)
        table.add_row(text)
        console.print(table, text)

    assert on(draw, 80, coloured=False).count(text) == 3
    assert on(draw, 80, coloured=True).count(text) == 3


@given(texts, texts)
@settings(deadline=None)
@example("[/x]", "[/INST]")
def test_a_step_that_fails_is_told_in_bars_and_in_lines(label: str, reason: str) -> None:
    from rich.progress import BarColumn, Progress

    step = Step(id="0" * 16, kind="generate", label=label, spec=None)
    outcome = Outcome(step=step.id, state="failed", seconds=1.0, reason=reason)

    def draw(console: PlainConsole) -> None:
        with Progress(Label(), BarColumn(), console=console, transient=True) as progress:
            watch = Bars(progress, Course([step], 1))
            watch.started(step)
            watch.progress(step, 1, 2)
            watch.ended(step, outcome)

    shown = on(draw, 80, coloured=True)
    harmless(shown)
    assert "failed" in shown
    err, sys.stderr = sys.stderr, io.StringIO()
    try:
        Lines(Course([step], 1)).ended(step, outcome)
        harmless(sys.stderr.getvalue())
    finally:
        sys.stderr = err


@pytest.fixture(scope="module")
def document(example: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((example / "result.json").read_bytes())
    return found


def renamed(data: Any, names: dict[str, str]) -> Any:
    """The document with other names of its tasks, models and adapters, wherever they stand."""
    if isinstance(data, dict):
        return {key: renamed(value, names) for key, value in data.items()}
    if isinstance(data, list):
        return [renamed(value, names) for value in data]
    return names.get(data, data) if isinstance(data, str) else data


@pytest.mark.slow
@given(texts, texts, widths, st.booleans())
@settings(deadline=None, max_examples=25)
def test_the_tables_of_a_result_order_nothing(
    document: dict[str, Any], example: Path, one: str, other: str, width: int, coloured: bool
) -> None:
    names = {"dialogues": f"t{one}", "llama2-tiny": f"m{other}", "quickstart": f"a{one}{other}"}
    result = from_document(example, renamed(document, names))
    harmless(on(lambda console: terminal.show(page.build(result), console), width, coloured=coloured))


@given(judgement=...)
@settings(deadline=None, max_examples=50)
def test_no_name_or_message_begins_a_line_of_junit_xml(judgement: Judgement) -> None:
    root = ElementTree.fromstring(junit.render(judgement, inconclusive="fail"))
    for element in root.iter():
        for text in (*element.attrib.values(), element.text or ""):
            assert not any(line.lstrip().startswith("::") for line in text.split("\n"))
            assert "##[" not in text
        assert "\n" not in element.attrib.get("message", "")


def test_json_is_what_it_was_and_orders_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    said = {"id": "\u202e##[error]x\n::error::"}
    printed.say_json(json.dumps(said, indent=1))
    shown = capsys.readouterr().out
    harmless(shown)
    assert json.loads(shown) == said


# That nothing is printed by another way.

OWN = {
    "terminal/printed.py",
    "report/drawing.py",
    "results/schema.py",
    "files/speed.py",
}  # drawing and speed answer their parent process, schema prints a file of documentation
PACKAGE = Path(harness.__file__).parent


def test_everything_is_printed_by_one_of_two_files() -> None:
    for path in sorted(PACKAGE.rglob("*.py")):
        name = path.relative_to(PACKAGE).as_posix()
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            match node:
                case ast.Call(func=ast.Name(id="print")):
                    assert name in OWN, f"{name}:{node.lineno}: print; take harness.terminal.printed"
                case ast.Call(func=ast.Name(id="Console")) | ast.ClassDef(bases=[ast.Name(id="Console")]):
                    assert name == "terminal/consoles.py", f"{name}:{node.lineno}: Console; take PlainConsole"
                case ast.Attribute(attr="from_markup" | "echo" | "secho") | ast.Name(id="TextColumn"):
                    raise AssertionError(
                        f"{name}:{node.lineno}: texts that are parsed as markup, or not escaped"
                    )
                case ast.Attribute(value=ast.Attribute(attr="stdout" | "stderr"), attr="write"):
                    raise AssertionError(f"{name}:{node.lineno}: take harness.terminal.printed")
                case ast.Import() if any(one.name == "rich" for one in node.names):
                    raise AssertionError(f"{name}:{node.lineno}: rich has a print of its own")
                case ast.ImportFrom(module="rich" | "rich.markup"):
                    raise AssertionError(f"{name}:{node.lineno}: rich has a print of its own")


SUITE = """
tasks:
  - name: t
    source: {uri: "file:data", columns: {id: id}, share: text}
    prompt: "$input"
    metrics: [f1, "evaluate:./bad.py"]
    primary: f1
models: [{name: a, uri: "echo:copy"}]
weights: false
"""
BAD = "raise RuntimeError('[/INST] ::error::x')\n"


@pytest.mark.slow
def test_a_run_on_a_terminal_goes_on_after_a_reason_with_brackets(tmp_path: Path) -> None:
    pytest.importorskip("evaluate")
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "test.jsonl").write_text('{"id": "[/x]", "input": "a", "reference": "a"}\n')
    (tmp_path / "suite.yaml").write_text(SUITE)
    (tmp_path / "bad.py").write_text(BAD)
    mine, theirs = pty.openpty()
    words_ = ("run", "suite.yaml", "--workers", "0", "--device", "cpu", "--store", "store", "--out", "out")
    process = subprocess.Popen(
        [sys.executable, "-m", "harness", *words_], cwd=tmp_path, stdin=theirs, stdout=theirs, stderr=theirs
    )
    os.close(theirs)
    shown = b""
    try:
        while more := os.read(mine, 65536):
            shown += more
    except OSError:  # how Linux says that the other end is closed
        pass
    os.close(mine)
    assert process.wait() == 3
    said = " ".join(SGR.sub("", shown.decode()).split())
    assert "MarkupError" not in said
    assert "[/INST]" in said
    assert "Traceback" not in said
