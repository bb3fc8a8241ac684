"""docs/everything.md: on which task which tiny model learnt something, from the published results."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from harness import results
from harness import text as words
from harness.report.answer.field import Field
from harness.results import Result
from harness.types import Comparison, System
from tools.docs.tables import table

PUBLISHED = Path(__file__).parents[2] / "reports" / "results"
RESULTS = ("everything-full", "encoders")  # the tasks of the first hold those of the second
HEAD = """# What the tiny models learn

`harness run everything-full` trains an adapter for every tiny model that writes on every embedded task, and `harness run
encoders` one for both tiny encoders on each task that has labels or a number. Each adapter is asked all 300 test samples of
its task. A cell counts as learnt where the adapter is significantly better than its base **and** than each of the task's
trivial rules (p corrected over the task's adapters). The base of an encoder has no trained head: its row is the majority
class or the mean, which is a trivial rule too.

This page is written by `python -m tools.docs` from `reports/results/everything-full` and `reports/results/encoders`. It says
what a model of one or two million parameters can learn from 1,000 samples in some hundred steps, and that the harness
measures it, on every kind of task. It says nothing about the models whose shapes they have.
"""
LISTED = """## What was not learnt

The difference is that to the best of the base and the trivial rules, on the scale of the task's score. A difference of the
smallest detectable size would be found in four of five such tests.
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Cell:
    """An adapter on the task that it was trained on."""

    task: str
    metric: str
    model: str
    value: float
    gain: Comparison  # over the best of base and trivial rules, turned so that more is better
    over: System
    learnt: bool


def cells(result: Result) -> Iterator[Cell]:
    """Yield a cell for each adapter that was asked its own task."""
    for task in result.suite.tasks:
        field = Field(result, task)
        for adapter in field.models:
            if adapter.adapter is None or field.facts[adapter].trained_on != task.name:
                continue
            others = [
                other for other in field.scores
                if other.is_trivial or (other.model == adapter.model and other.adapter is None)
            ]  # fmt: skip
            found = {other: field.between(adapter, other) for other in others}
            best = field.best(others)
            gain = found[best] if best is not None else None
            assert best is not None and gain is not None, f"{task.name}, {adapter}: nothing to compare with"
            yield Cell(
                task=task.name,
                metric=task.primary,
                model=adapter.model,
                value=field.scores[adapter].value,
                gain=gain,
                over=best,
                learnt=all(
                    words.significant(one) and one is not None and field.better(one.difference) > 0
                    for one in found.values()
                ),
            )


def page() -> str:
    """Return the page."""
    read = [results.read(PUBLISHED / name) for name in RESULTS]
    found = [cell for result in read for cell in cells(result)]
    learnt = [cell for cell in found if cell.learnt]
    models = [model.name for result in read for model in result.suite.models]
    share = 100 * len(learnt) / len(found)
    return "\n".join(
        [
            HEAD,
            f"**{len(learnt)} of {len(found)} cells were learnt** ({share:.0f} %). Each shows the adapter's score and its "
            "difference to the best of base and trivial rules; those that were learnt are bold.\n",
            table(
                ("task", "score", *models),
                [
                    (f"`{task.name}`", task.primary, *(_cell(found, task.name, model) for model in models))
                    for task in read[0].suite.tasks
                ],
            ),
            "",
            LISTED,
            table(
                ("task", "model", "against", "difference", "95 %", "p", "smallest detectable"),
                [_line(cell) for cell in found if not cell.learnt],
            ),
            "",
        ]
    )


def _line(cell: Cell) -> tuple[str, ...]:
    """Return the row of a cell that was not learnt."""
    return (
        f"`{cell.task}`",
        cell.model,
        words.system(cell.over),
        words.signed_2(cell.gain.difference),
        f"[{words.signed_2(cell.gain.low)}, {words.signed_2(cell.gain.high)}]",
        words.certainty(cell.gain),
        words.number(cell.gain.detectable, 2),
    )


def _cell(found: list[Cell], task: str, model: str) -> str:
    """Return what the table says of a model on a task."""
    for cell in found:
        if (cell.task, cell.model) == (task, model):
            said = f"{words.number(cell.value)} ({words.signed(cell.gain.difference)})"
            return f"**{said}**" if cell.learnt else said
    return "–"
