"""Collect what the finished steps of a run contribute to its report."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

from harness.files.json_lines import iterate_lines
from harness.results.written import generation_line, sample_line
from harness.run.intact import read_record
from harness.run.steps import ANSWERS, Contribution, Finished, PlanPart, find, split_file
from harness.scoring import stored
from harness.types import (
    Calibration,
    Comparison,
    Cost,
    Generation,
    Note,
    RecipeScore,
    Sample,
    Scaling,
    Score,
    System,
    WeightRow,
)

if TYPE_CHECKING:  # pyarrow is loaded where rows are written
    from harness.results import Curve, Halved
    from harness.results.rows import Key, Rows


def finished_needs(
    parts: tuple[PlanPart, ...], needs: tuple[tuple[str, Path], ...]
) -> "tuple[Finished, ...]":
    """Return those steps needed by a report that finished, in order; a step that failed has no folder."""
    return tuple(
        Finished(id=step, part=part, folder=folder, record=read_record(folder))
        for part, (step, folder) in zip(parts, needs, strict=True)
        if folder.is_dir()
    )


@dataclass(frozen=True)
class FinishedSteps:
    """The finished steps of a run, in the order of its plan."""

    steps: tuple[Finished, ...]
    samples_asked: Mapping[str, int]  # task -> how many test samples were asked, counted from the first

    def of(self, kind: str, task: str = "", system: System | None = None) -> Iterator[Finished]:
        """Yield the steps of a kind; with a task or a system, only the steps of that task or system."""
        for step in self.steps:
            part = step.part
            if part.kind == kind and task in ("", part.task) and system in (None, part.system):
                yield step

    @cached_property
    def _contributions(self) -> "tuple[tuple[str, Contribution], ...]":
        """Return each step's kind with what the step contributes."""
        return tuple((step.part.kind, find(step.part.kind).contributes(step)) for step in self.steps)

    @property
    def scores(self) -> list[Score]:
        """Return the scores of all steps."""
        return [score for _, added in self._contributions for score in added.scores]

    @property
    def comparisons(self) -> list[Comparison]:
        """Return the comparisons of all steps."""
        return [comparison for _, added in self._contributions for comparison in added.comparisons]

    @property
    def recipes(self) -> list[RecipeScore]:
        """Return the scores of recipes over their seeds."""
        return [recipe for _, added in self._contributions for recipe in added.recipes]

    @property
    def weights(self) -> list[WeightRow]:
        """Return the rows of the weight analysis."""
        return [row for _, added in self._contributions for row in added.weights]

    @property
    def curves(self) -> "list[Curve]":
        """Return the loss curves of training."""
        return [curve for _, added in self._contributions for curve in added.curves]

    @property
    def scalings(self) -> list[Scaling]:
        """Return the adapters at several scales of their updates."""
        return [each for _, added in self._contributions for each in added.scalings]

    @property
    def calibrations(self) -> list[Calibration]:
        """Return how the judges of all tasks erred on labelled answers."""
        return [each for _, added in self._contributions for each in added.calibrations]

    @property
    def halvings(self) -> "list[Halved]":
        """Return the combinations of each sweep with halving."""
        return [halved for _, added in self._contributions for halved in added.halvings]

    @property
    def costs(self) -> list[Cost]:
        """Return the measured costs. A cost of a system and of no task, such as an adapter's size, is returned once."""
        found: dict[object, Cost] = {}
        for _, added in self._contributions:
            for cost in added.costs:
                key = (cost.system, cost.quantity, cost.task, None if cost.task is None else cost.step)
                found.setdefault(key, cost)
        return list(found.values())

    @property
    def notes(self) -> list[Note]:
        """Return the notes of all steps, grouped by kind of step."""
        kinds = dict.fromkeys(kind for kind, _ in self._contributions)
        return [
            note
            for kind in kinds
            for noted, added in self._contributions
            if noted == kind
            for note in added.notes
        ]

    # The following yield sample by sample, so that not all texts or rows are in memory at once.

    def samples(self) -> Iterator[dict[str, Any]]:
        """Yield the lines of samples.jsonl.gz."""
        for step in self.of("load"):
            for sample in self._asked(step):
                yield sample_line(step.part.task, sample)

    def generations(self) -> Iterator[dict[str, Any]]:
        """Yield the lines of generations.jsonl.gz."""
        for loaded in self.of("load"):
            for scored in self.of("score", loaded.part.task):
                generations = iterate_lines(scored.folder / ANSWERS, Generation)
                for sample, g in zip(self._asked(loaded), generations, strict=True):  # both are in data order
                    yield generation_line(scored.part.task, scored.system, sample, g)

    def rows(self) -> "Iterator[tuple[Key, Rows]]":
        """Yield the rows of rows.parquet, a table for each task, system and metric."""
        from harness.results.rows import Rows

        for step in self.of("score"):
            ids = stored.read_ids(step.folder)
            for metric, table in stored.tables(step.folder):
                yield (step.part.task, step.system, metric), Rows(ids=ids, stats=table)

    def _asked(self, loaded: Finished) -> Iterator[Sample]:
        samples = iterate_lines(split_file(loaded.folder, "test"), Sample)
        return islice(samples, self.samples_asked[loaded.part.task])
