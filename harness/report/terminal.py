"""The answer and the score tables for a terminal; plain text if piped."""

from collections.abc import Collection, Iterable
from pathlib import Path
from typing import Any

from rich.console import Console, Group
from rich.table import Table
from rich.text import Text

from harness import text as words
from harness.files.json_lines import to_json
from harness.report.answer import Sentence, plain
from harness.report.page import Page, ScoreLine, TaskPage
from harness.types import Comparison

NARROWEST = 100  # columns: in a narrower terminal the costs are left out
NAME = 12  # columns that a name needs at least; a longer name is folded


def show(page: Page, console: Console, above: Collection[str] = ()) -> None:
    """Print every task's answer and table; of the tasks `above`, whose tables were printed before, only the names."""
    if page.partial:
        console.print()
        console.print(Text(page.partial, style="bold yellow"), highlight=False)
    printed = [words.visible(task.facts.name) for task in page.tasks if task.facts.name in above]
    if printed:
        console.print(Text(f"\nThe results of {words.listed(printed)} are printed above."), highlight=False)
    show_tasks((task for task in page.tasks if task.facts.name not in above), console)
    if page.forgetting:
        console.print()
        console.print(Text(page.forgetting.sentence), highlight=False)
    for one in page.judged:
        console.print()
        console.print(Text(one.sentence), highlight=False)
    if page.further:
        console.print(f"\n{page.further}: see the report", style="yellow")


def show_tasks(tasks: Iterable[TaskPage], console: Console) -> None:
    """Print the answer and the table of each task."""
    for task in tasks:
        console.print()
        console.print(_task(task, console), highlight=False)


def _task(task: TaskPage, console: Console) -> Group:
    parts: list[Text | Table] = []
    if task.answer:
        doubts = [Text(doubt, style="yellow") for doubt in task.answer.doubts]
        parts += [_sentence(task.answer.lead), *doubts, _sentence(task.answer.gain), Text()]
    below = [Text(line, style="dim") for line in (*task.unasked, *task.votes, *task.spending)]
    table = _table(task, wide=console.width >= NARROWEST)
    if _least_width(table, console) > console.width:  # rich would cut numbers and leave out columns
        return Group(*parts, *_lines(task), *below)
    return Group(*parts, table, *below)


def _least_width(table: Table, console: Console) -> int:
    """Return how many columns the table needs so that no number is cut."""
    numbers = [[column.header, *column.cells] for column in table.columns[1:]]
    return NAME + sum(2 + max(console.measure(cell).maximum for cell in cells) for cells in numbers)


def _lines(task: TaskPage) -> list[Text]:
    """Return the table's title and a sentence for each system, for a terminal that is too narrow for the table."""
    sentences = [Text(_title(task), style="bold")]
    for line in task.lines:
        name, score, difference, certainty = _cells(task, line, wide=False)
        sentence = Text(": ").join([name, score])
        if difference.plain:
            sentence = Text(", ").join([sentence + Text("; against its base ") + difference, certainty])
        sentences.append(sentence)
    return sentences


def _sentence(sentence: Sentence) -> Text:
    text = Text()
    for span in sentence:
        text.append(span.text, style="bold" if span.strong else "")
    return text


def _table(task: TaskPage, *, wide: bool) -> Table:
    table = Table(
        title=Text(_title(task), style="bold"),
        title_justify="left",
        box=None,
        pad_edge=False,
        padding=(0, 2, 0, 0),
    )
    for heading in ("system", task.metric, "against its base", ""):
        # A cut name would make two seeds of one recipe look alike: it is folded instead.
        table.add_column(heading, header_style="dim", no_wrap=heading != "system", overflow="fold")
    if wide:
        for heading in ("tokens/s", "memory", "training", "adapter"):
            table.add_column(heading, header_style="dim", justify="right", no_wrap=True)
    for line in task.lines:
        table.add_row(*_cells(task, line, wide=wide))
    return table


def _title(task: TaskPage) -> str:
    return f"{words.visible(task.facts.name)}, {task.metric}, {words.plural(task.samples, 'sample')}"


def _cells(task: TaskPage, line: ScoreLine, *, wide: bool) -> list[Text]:
    mark = f" ({line.mark})" if line.mark else ""
    mark += f" ({words.percent_empty(line.empty.share)})" if line.empty else ""
    mark += f" ({line.stand_in})" if line.stand_in else ""
    adapter = words.visible(
        (line.system.adapter or "").removesuffix(f"@{task.facts.name}")
    )  # its own task is the title
    name = Text((f"  + {adapter}" if adapter else words.system(line.system)) + mark)
    name.stylize("bold" if line.best else "dim" if line.role == "trivial" else "")
    cells = [name, Text(words.score(line.score), style="bold" if line.best else "")]
    cells += _difference(task, line.to_base, wide=wide)
    if wide:
        costs = line.costs
        cells += [Text(words.count(costs.tokens_per_second)), Text(words.megabytes(costs.peak_megabytes))]
        cells += [Text(words.seconds(costs.training_seconds)), Text(words.megabytes(costs.adapter_megabytes))]
    return cells


def _difference(task: TaskPage, comparison: Comparison | None, *, wide: bool) -> list[Text]:
    if comparison is None:
        return [Text(), Text()]
    if not words.significant(comparison):
        unsure = "not significant, " if wide and comparison.p_holm is not None else ""
        return [
            Text(words.difference(comparison), style="dim"),
            Text(unsure + words.certainty(comparison), style="dim"),
        ]
    colour = "green" if (comparison.difference > 0) != task.lower_is_better else "red"
    return [Text(words.difference(comparison), style=colour), Text(words.certainty(comparison))]


def as_json(page: Page, folder: Path) -> dict[str, Any]:
    """Return the content of the tables as plain data for other programs, unrounded."""
    return {
        "result": str(folder),
        "report": str(folder / "report.html"),
        "partial": bool(page.partial),
        "tasks": [_task_as_json(task) for task in page.tasks],
        "verdicts": [to_json(verdict) for verdict in page.verdicts],
        "notes": [to_json(note) for note in page.notes],
        "failed": [to_json(step) for step in page.failed],
    }


def plain_sentences(task: TaskPage) -> list[str]:
    """Return the answer as plain sentences."""
    if task.answer is None:
        return []
    sentences = (task.answer.lead, task.answer.gain, task.price)
    texts = [plain(sentence) for sentence in sentences if sentence]
    return [text.replace(words.SPACE, " ") for text in (*texts, *task.answer.doubts)]


def _task_as_json(task: TaskPage) -> dict[str, Any]:
    return {
        "task": task.facts.name,
        "answer": plain_sentences(task),
        "systems": [
            {
                "role": line.role,
                "mark": line.mark,
                "best": line.best,
                "tied": line.tied,
                "empty": line.empty.share if line.empty else None,
                "stand_in": line.stand_in,
                "score": to_json(line.score),
                "to_base": to_json(line.to_base) if line.to_base else None,
                "costs": to_json(line.costs),
            }
            for line in task.lines
        ],
        "not_applicable": list(task.unasked),
        "votes": list(task.votes),
        **({"spending": list(task.spending)} if task.spending else {}),
    }
