"""Verdicts for a terminal: those that did not pass first, each with its reason; plain text if piped."""

from collections import Counter
from collections.abc import Sequence

from rich.cells import cell_len
from rich.console import Console
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from harness import text as words
from harness.report import verdicts
from harness.report.verdicts import Inconclusive
from harness.types import Judgement, Verdict
from harness.types.verdict import WORST_FIRST

MOST = 200  # rows
MOST_WARNINGS = 10
LONGEST = 600  # characters of a reason
GAP = 2  # terminal columns between two table columns
NARROWEST = 10  # terminal columns that names are folded to at least

HEADINGS = ("verdict", "gate", "judged", "measured", "limit", "n")
NAMES = (1, 2, 4)  # columns that can be folded: names, not numbers
NUMBERS = (5,)


def show(judgement: Judgement, console: Console, inconclusive: Inconclusive) -> None:
    """Print a row for each verdict (up to MOST), gates with too few samples, remarks, and last the answer."""
    ordered = verdicts.worst_first(judgement.verdicts)
    rows = [_cells(verdict) for verdict in ordered[:MOST]]
    widths = _widths([HEADINGS, *rows], console.width)
    if rows and widths:
        console.print(_line([Text(heading, style="dim") for heading in HEADINGS], widths))
    for verdict, cells in zip(ordered[:MOST], rows, strict=True):
        word = Text(cells[0], style=_style(verdict, inconclusive))
        console.print(_line([word, *map(Text, cells[1:])], widths) if widths else _sentence(word, cells))
        if verdict.verdict != "pass":
            because = Text(words.line(words.shorten(verdict.because, LONGEST)), overflow="fold")
            console.print(Padding(because, (0, 0, 0, widths[0] + GAP if widths else GAP)))
    if ordered[MOST:]:
        console.print(Text(_rest(ordered[MOST:]), style="dim"))
    for text in _few(judgement):
        console.print(Text(f"Few samples: {text}", style="yellow", overflow="fold"))
    for text in judgement.remarks:
        console.print(Text(f"Note: {words.line(text)}", style="dim", overflow="fold"))
    console.print(Text(_answer(judgement, inconclusive), style="bold", overflow="fold"))


def _cells(verdict: Verdict) -> tuple[str, ...]:
    foreign = (verdicts.gate(verdict), verdicts.judged(verdict), verdicts.limit(verdict))
    gate, judged, limit = map(words.line, foreign)
    return verdict.verdict, gate, judged, verdicts.measured(verdict), limit, verdicts.samples(verdict)


def _style(verdict: Verdict, inconclusive: Inconclusive) -> str:
    undecided = {"fail": "bold red", "warn": "bold yellow", "pass": "yellow"}[inconclusive]
    return {"fail": "bold red", "invalid": "bold magenta", "inconclusive": undecided, "pass": "green"}[
        verdict.verdict
    ]


def _widths(rows: Sequence[Sequence[str]], width: int) -> list[int]:
    """Return the columns' widths, folding the widest names if needed; empty if even that does not fit."""
    needed = [max(map(cell_len, column)) for column in zip(*rows, strict=True)]
    over = sum(needed) + GAP * (len(needed) - 1) - width
    while over > 0:
        widest = max(NAMES, key=lambda place: needed[place])
        if needed[widest] <= NARROWEST:
            return []
        needed[widest] -= 1
        over -= 1
    return needed


def _sentence(word: Text, cells: Sequence[str]) -> Text:
    """Return the row as a sentence, for a terminal that is too narrow for columns."""
    _, gate, judged, measured, limit, n = cells
    facts = (measured, f"limit {limit}" if limit else "", f"n = {n}" if n else "")
    return Text.assemble(word, f" {gate}, {judged}: {', '.join(filter(None, facts))}", overflow="fold")


def _line(cells: Sequence[Text], widths: Sequence[int]) -> Table:
    """Return the row as a table of its own, so that a sentence can follow it."""
    grid = Table.grid(padding=(0, GAP, 0, 0), pad_edge=False)
    for place, width in enumerate(widths):
        grid.add_column(width=width, overflow="fold", justify="right" if place in NUMBERS else "left")
    grid.add_row(*cells)
    return grid


def _rest(left: Sequence[Verdict]) -> str:
    """Return `and 9,800 more: 10 failed, 9,790 passed`."""
    counts = Counter(verdict.verdict for verdict in left)
    said = ", ".join(verdicts.counted(word, counts[word]) for word in WORST_FIRST if counts[word])
    return f"and {len(left):,} more: {said}"


def _few(judgement: Judgement) -> list[str]:
    """Return the first gates with too few samples, and how many more there are."""
    warnings = [words.line(text) for text in verdicts.warnings(judgement)]
    more = len(warnings) - MOST_WARNINGS
    return (
        [*warnings[:MOST_WARNINGS], f"{words.plural(more, 'more gate')} like these"] if more > 0 else warnings
    )


def _answer(judgement: Judgement, inconclusive: Inconclusive) -> str:
    undecided = any(verdict.verdict == "inconclusive" for verdict in judgement.verdicts)
    meant = {
        "fail": "",
        "warn": "; inconclusive gates only warn",
        "pass": "; inconclusive gates count as passed",
    }[inconclusive]
    return words.line(f"{judgement.name}: {verdicts.answer(judgement)}") + (meant if undecided else "")
