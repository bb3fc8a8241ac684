"""Weight metrics for a terminal: a line for each matrix, summaries, and how far these can be trusted."""

from collections.abc import Sequence

from rich.console import Console
from rich.table import Table
from rich.text import Text

from harness import text as words
from harness.report.weighed import PARTS, WeightSection, columns, number, percent, requested, status, statuses
from harness.terminal.consoles import PlainConsole
from harness.types import WeightRow
from harness.weights.beside import Beside
from harness.weights.summary import FEW, WeightSummary

NEAREST = 10  # layers of two models that are shown side by side
UNSEEN = 400  # columns if the output is not a terminal: in a file a line may be long
PROSE = 100  # columns of a sentence
MOST = 60  # columns of a text in a table


def show(found: WeightSection, console: Console | None = None, *, layers: bool = False) -> None:
    """Print the summaries, how far these can be trusted, and with `layers` a line for each matrix."""
    console = console or PlainConsole()
    width = console.width
    if not console.is_terminal:
        width, console = PROSE, PlainConsole(file=console.file, width=UNSEEN)
    tables = [_summaries("", found.summaries), _summaries("role", found.roles)]
    if found.beside:
        tables.append(_beside(found.beside))
    for drawing in tables:
        console.print(drawing, highlight=False)
        console.print()
    for sentence in found.not_finite:
        console.print(Text(sentence, style="bold red"), highlight=False, width=min(width, PROSE))
        console.print()
    for sentence in filter(None, (found.reading, found.worth, found.updates, found.scales)):
        console.print(Text(sentence, style="dim"), highlight=False, width=min(width, PROSE))
        console.print()
    if layers:
        _show_layers(found.rows, console)
    else:
        console.print("--layers prints a line for each matrix, --csv FILE writes every number", style="dim")


def _show_layers(rows: Sequence[WeightRow], console: Console) -> None:
    """Print a line for each matrix, and which numbers have no room."""
    drawn, left_out = table(rows, console.width)
    console.print(drawn, highlight=False)
    console.print()
    if left_out:
        console.print(f"no room for {', '.join(left_out)}: --csv FILE has every number", style="dim")
        console.print()


def table(
    rows: Sequence[WeightRow],
    width: int,  # columns of the terminal
) -> tuple[Table, list[str]]:
    """Return a table with a line for each requested matrix and the metrics that fit, and the names of those that do not.

    Systems are named if there is more than one.
    """
    rows = requested(rows)
    several = len({(row.model, row.adapter) for row in rows}) > 1
    headings = (*(["system"] if several else []), "part", "layer", "role", "shape", "status")
    texts = [_texts(row)[0 if several else 1 :] for row in rows]
    room = width - sum(_wide(column) for column in zip(headings, *texts, strict=True))
    shown: list[str] = []
    left_out: list[str] = []
    for name in columns(rows):
        numbers = [number(row, name) for row in rows]
        room -= _wide((name, *numbers))
        (shown if room >= 0 or not shown else left_out).append(name)
    drawn = Table(box=None)
    for heading in headings:
        drawn.add_column(heading, overflow="fold")
    for name in shown:
        drawn.add_column(name, justify="right", no_wrap=True)
    for row, named in zip(rows, texts, strict=True):
        numbers = [number(row, name) for name in shown]
        drawn.add_row(*(Text(words.visible(text)) for text in named), *numbers)
    return drawn, left_out


def _texts(row: WeightRow) -> tuple[str, ...]:
    system = f"{row.model} + {row.adapter}" if row.adapter else row.model
    return system, PARTS[row.part], row.layer, row.role, f"{row.rows}×{row.cols}", status(row)


def _wide(column: Sequence[str]) -> int:
    """Return a column's width as rich draws it, with a blank on either side; long texts are folded to MOST."""
    return 2 + min(MOST, max(map(len, column)))


def _summaries(by: str, summaries: Sequence[WeightSummary]) -> Table:
    drawn = Table(box=None)
    for heading in ("system", "part", *([by] if by else [])):
        drawn.add_column(heading, overflow="fold")
    for heading in ("layers", "alphas", "mean", "median", "< 2", "2 to 6", "> 6", f"n < {FEW}"):
        drawn.add_column(heading, justify="right", no_wrap=True)
    drawn.add_column("others", overflow="fold")
    for summary in summaries:
        drawn.add_row(
            Text(f"{summary.model} + {summary.adapter}" if summary.adapter else summary.model),
            PARTS[summary.part],
            *([summary.role or ""] if by else []),
            str(summary.layers),
            str(summary.analysed),
            words.number(summary.mean_alpha, 2),
            words.number(summary.median_alpha, 2),
            *map(percent, (summary.below_2, summary.from_2_to_6, summary.above_6)),
            str(summary.few) if summary.analysed else "",
            statuses(summary),
        )
    return drawn


def _beside(pair: Beside) -> Table:
    """Return a table of the roles' medians, then of the layers of equal name that differ most."""
    drawn = Table("role or layer", box=None)
    for heading in (f"{pair.one}, alpha", f"{pair.other}, alpha", "difference"):
        drawn.add_column(heading, justify="right")
    for role in pair.roles:
        medians = [summary.median_alpha if summary else None for summary in (role.one, role.other)]
        drawn.add_row(
            f"{role.role}, median",
            *(words.number(median, 2) for median in medians),
            words.signed(role.difference, 2),
        )
    for layer in pair.layers[:NEAREST]:
        drawn.add_row(
            Text(words.visible(layer.layer)),
            words.number(layer.one, 2),
            words.number(layer.other, 2),
            words.signed(layer.difference, 2),
        )
    return drawn
