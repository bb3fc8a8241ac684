"""Two RESULTs or two systems side by side: for a terminal, in Markdown and as JSON."""

import json
import os
from collections.abc import Sequence
from pathlib import Path

from rich.console import Console
from rich.table import Table
from rich.text import Text

from harness import text as words
from harness.compare.records import ComparedTask, PairUnderMetric, SampleChange, SideBySide
from harness.compare.texts import shareable
from harness.files.json_lines import to_json, write_text
from harness.gates.shareable import published
from harness.stats import settle
from harness.terminal.consoles import PlainConsole

LONGEST = 240  # characters of one text that a terminal shows
WIDE = 160  # columns if the output is not a terminal


def as_json(found: SideBySide) -> str:
    """Return the comparison as JSON for other programs, unrounded and without texts that may not leave the machine."""
    return json.dumps(to_json(shareable(found)), indent=1, allow_nan=False)


def show(found: SideBySide, console: Console | None = None) -> None:
    """Print every task's sentence, tables, samples and remarks; in the log of a CI, what may leave the machine."""
    if published(os.environ):
        found = shareable(found)
    if console is None:
        console = PlainConsole() if PlainConsole().is_terminal else PlainConsole(width=WIDE)
    for letter, name in (("A", found.a), ("B", found.b)):
        console.print(Text(f"{letter}  {words.visible(name)}", style="bold"))
    _remarks(found.remarks, console)
    for task in found.tasks:
        if sentence := answer(found, task):
            console.print(Text(f"\n{sentence}", style="bold"))
        for metric in metrics(task):
            console.print()
            console.print(_table(found, task, metric), highlight=False)
        _samples(found, task, console)
        _remarks(task.remarks, console)


def metrics(task: ComparedTask) -> list[str]:
    """Return the metrics in the order of the lines."""
    return list(dict.fromkeys(line.metric for line in task.lines))


def answer(found: SideBySide, task: ComparedTask) -> str:
    """Return what the primary metric shows, in a sentence; "" if it was not compared."""
    tested = [line for line in task.lines if line.metric == task.primary and line.comparison is not None]
    if not tested:
        return ""
    where = f"{words.visible(task.name)}, {words.metric(task.primary)}"
    said = _one(found, tested[0]) if len(tested) == 1 else _several(tested)
    detectable = max(line.comparison.detectable for line in tested if line.comparison)
    unseen = words.unseen(detectable, min(line.n for line in tested))
    settled = settle.sentence(tested[0].comparison, "it") if len(tested) == 1 else ""
    return f"{where}: {said}. {unseen} {settled}".rstrip()


def _one(found: SideBySide, line: PairUnderMetric) -> str:
    """Return how B's system does, compared with A's."""
    candidate, baseline = words.system(line.candidate), words.system(line.baseline)
    sure = words.significant(line.comparison)
    how = "does better" if line.gain > 0 else "does worse"
    if line.candidate != line.baseline:
        return (
            f"{candidate} {how} than {baseline}"
            if sure
            else f"{candidate} and {baseline} do not differ significantly"
        )
    return f"{candidate} {how} in B" if sure else f"{candidate} does not differ significantly in A and B"


def _several(lines: Sequence[PairUnderMetric]) -> str:
    """Return how many systems do better in B, and how many worse."""
    sure = [line for line in lines if words.significant(line.comparison)]
    better, worse = (sum(sign * line.gain > 0 for line in sure) for sign in (1, -1))
    unsure = len(lines) - better - worse
    if unsure == len(lines):
        return f"{'neither system' if unsure == 2 else f'none of {unsure:,} systems'} differs significantly in A and B"
    for count, how in ((better, "better"), (worse, "worse")):
        if count == len(lines):
            return f"{'both' if count == 2 else f'all {count:,}'} systems do {how} in B"
    said = [
        (better, "does better in B", "do better in B"),
        (worse, "does worse in B", "do worse in B"),
        (unsure, "shows no significant difference", "show no significant difference"),
    ]
    parts = [f"{count:,} {one if count == 1 else many}" for count, one, many in said if count]
    return f"of {len(lines):,} systems, {words.listed(parts)}"


def title(task: ComparedTask, metric: str) -> str:
    """Return `dialogues, ROUGE-L, lower is better, exploratory`."""
    lower = any(line.better == "lower" for line in task.lines if line.metric == metric)
    return ", ".join(
        [words.visible(task.name), words.metric(metric)]
        + ["lower is better"] * lower
        + ["exploratory"] * (metric != task.primary)
    )


def system(found: SideBySide, line: PairUnderMetric) -> str:
    """Return which systems are compared."""
    if not found.named:
        return words.system(line.candidate)
    return f"{words.system(line.candidate)} against {words.system(line.baseline)}"


HEADINGS = ("system", "A", "B", "B − A", "certainty", "detectable", "better / equal / worse", "n")


def cells(found: SideBySide, line: PairUnderMetric) -> list[str]:
    """Return the cells of a line, one for each of HEADINGS."""
    comparison = line.comparison
    scores = [words.number(line.baseline_score), words.number(line.candidate_score)]
    if comparison is None:
        return [
            system(found, line),
            *scores,
            words.signed(line.difference),
            "not tested",
            "",
            "",
            f"{line.n:,}",
        ]
    chance = (
        f"{words.p_value(comparison.p)}, exploratory"
        if comparison.p_holm is None
        else words.certainty(comparison)
    )
    shares = " / ".join(f"{words.number(share, 0)} %" for share in line.shares or ())
    return [
        *(system(found, line), *scores, words.difference(comparison), chance),
        *(words.detectable(comparison.detectable), shares, f"{line.n:,}"),
    ]


def _table(found: SideBySide, task: ComparedTask, metric: str) -> Table:
    table = Table(
        title=Text(title(task, metric)), title_justify="left", box=None, pad_edge=False, padding=(0, 2, 0, 0)
    )
    for heading in HEADINGS:
        right = heading in ("A", "B", "detectable", "better / equal / worse", "n")
        table.add_column(
            *(heading,), header_style="dim", no_wrap=heading != "system", overflow="fold",
            justify="right" if right else "left",
        )  # fmt: skip
    for line in task.lines:
        if line.metric == metric:
            sure = words.significant(line.comparison)
            style = ("green" if line.gain > 0 else "red") if sure else "dim"
            name, a, b, *rest, n = cells(found, line)
            table.add_row(name, a, b, *(Text(cell, style=style) for cell in rest), n)
    return table


def _samples(found: SideBySide, task: ComparedTask, console: Console) -> None:
    for line in task.lines:
        if line.changes:
            which = f"{system(found, line)}, {words.metric(line.metric)}: the samples that changed most"
            console.print(Text(f"\n{which}"))
        for change in line.changes:
            console.print(Text(f"  {moved(change)}"))
            for name, text in texts(change):
                shown = words.shorten(words.visible(text), LONGEST).replace("\n", " ⏎ ")
                console.print(Text(f"    {name:<10}{shown}", style="dim"))


def moved(change: SampleChange) -> str:
    """Return `test-000017  71.2 → 12.0 (−59.2)`."""
    ends = f"{words.number(change.baseline)} → {words.number(change.candidate)}"
    return f"{words.visible(change.sample)}  {ends} ({words.signed(change.candidate - change.baseline)})"


def texts(change: SampleChange) -> Sequence[tuple[str, str]]:
    """Return the texts of a sample with their names; empty if the RESULTs have none."""
    if change.texts is None:
        return ()
    texts_of = change.texts
    references = (("reference", text) for text in texts_of.references)
    return ("input", texts_of.input), *references, ("A", texts_of.baseline), ("B", texts_of.candidate)


def _remarks(remarks: Sequence[str], console: Console) -> None:
    for remark in remarks:
        console.print(Text(f"· {words.visible(remark)}", style="yellow"))


def write_markdown(found: SideBySide, path: Path) -> None:
    """Write the comparison as Markdown, for others: without texts that may not leave the machine."""
    from harness.report import markdown

    found = shareable(found)

    shown = {
        "found": found, "headings": HEADINGS, "cells": cells, "answer": answer, "title": title, "metrics": metrics,
        "system": system, "moved": moved, "texts": texts,
    }  # fmt: skip
    text = markdown.document("side_by_side.md.j2", shown)
    write_text(path, text)
