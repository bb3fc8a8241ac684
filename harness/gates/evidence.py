"""Collect the rows that a question needs: the same samples in the same order, of the result and of a baseline."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from harness import metrics
from harness.errors import ForeignCode, ResultError
from harness.gates.checks import LENGTH, Where
from harness.gates.preconditions import Preconditions
from harness.gates.rules import BASE
from harness.gates.scores import Claim, PairedRows, Side
from harness.results import Result, TaskFacts, read_samples
from harness.results.baseline import Baseline, asked_digest, decoding, load
from harness.results.document import check_files
from harness.results.judged import Errors, errors_of, fitting
from harness.results.lengths import thirds
from harness.results.rows import RowFile, open_rows
from harness.scoring.agreement import values_of
from harness.scoring.clusters import numbered
from harness.types import System

RowsKey = tuple[str, str, Where]  # task, metric plug-in, slice


@dataclass(kw_only=True)
class GateInputs:
    """A result, its rows, and the baselines that gates name; each is read once, when it is first needed."""

    result: Result
    given: Path | None  # a baseline from the command line
    _opened: ExitStack
    _baselines: dict[str, Baseline | str] = field(default_factory=dict)
    _expected: dict[RowsKey, dict[Side, None]] = field(default_factory=dict)
    _claims: dict[RowsKey, dict[Claim, None]] = field(default_factory=dict)
    _made_rows: dict[RowsKey, tuple[PairedRows | None, dict[Side, str]]] = field(default_factory=dict)

    @cached_property
    def rows(self) -> RowFile:
        """Return the open rows.parquet of the result."""
        return self._opened.enter_context(open_rows(self.result.folder))

    @cached_property
    def changed(self) -> str:
        """Return a sentence on a file of the result that was changed; "" if none was."""
        return next(iter(check_files(self.result.folder, {"files": self.result.files})), "")

    @cached_property
    def preconditions(self) -> Preconditions:
        """Return whether the systems of the result can be judged."""
        return Preconditions(self.result)

    def task(self, name: str) -> TaskFacts:
        """Return the task of this name."""
        return self.result.task(name)

    def baseline(self, name: str) -> Baseline:
        """Return a baseline, read once; ResultError if it cannot be used."""
        if name not in self._baselines:
            try:
                self._baselines[name] = load(Path(name))
            except ResultError as error:
                self._baselines[name] = str(error)
        found = self._baselines[name]
        if isinstance(found, str):
            raise ResultError(found)
        return found

    def against(self, said: str | None) -> str:
        """Return what a gate compares with: "base", or a baseline's file."""
        if said is None:
            return BASE if self.given is None else str(self.given)
        return said if said == BASE or self.given is None else str(self.given)

    @cached_property
    def metadata(self) -> Mapping[str, Mapping[str, Mapping[str, str]]]:
        """Return the columns of every sample by task and id; "length" is its third by words of input."""
        found: dict[str, dict[str, dict[str, str]]] = {}
        words: dict[str, list[int]] = {}
        for task, sample in read_samples(self.result.folder):
            found.setdefault(task, {})[sample.id] = dict(sample.metadata)
            words.setdefault(task, []).append(len(sample.input.split()))
        for task, counts in words.items():
            if (lengths := thirds(np.array(counts))) is not None:
                labels, places = lengths
                for columns, place in zip(found[task].values(), places, strict=True):
                    columns.setdefault(LENGTH, labels[place])
        return found

    def values(self, task: str, column: str) -> list[str]:
        """Return the values of a column; ResultError if no sample has it."""
        here = self.metadata.get(task, {})
        found = sorted({columns[column] for columns in here.values() if column in columns})
        if not found:
            known = sorted({name for columns in here.values() for name in columns})
            raise ResultError(
                f"no sample of {task} has a column {column!r}; there are {', '.join(known) or 'none'}"
            )
        return found

    def expect(self, key: RowsKey, sides: Sequence[Side]) -> None:
        """Announce sides whose rows will be needed, so that one draw serves them all."""
        self._expected.setdefault(key, {}).update(dict.fromkeys(sides))

    def claim(self, key: RowsKey, claim: Claim) -> None:
        """Announce a claim, so that one permutation test serves all claims."""
        self._claims.setdefault(key, {})[claim] = None

    def paired_rows(self, key: RowsKey, sides: Sequence[Side]) -> PairedRows:
        """Return the rows of all announced sides; ResultError where one of `sides` has none, or other samples."""
        if key not in self._made_rows:
            self._made_rows[key] = self._made(key)
        rows, problems = self._made_rows[key]
        for side in sides:
            if side in problems:
                raise ResultError(problems[side])
        assert rows is not None
        return rows

    def let_go(self, key: RowsKey) -> None:
        """Free the rows, once every question on them is answered."""
        self._made_rows.pop(key, None)

    def _made(self, key: RowsKey) -> tuple[PairedRows | None, dict[Side, str]]:
        """Return the rows of the sides that have some, and the problem of each other side."""
        task, plugin, where = key
        metric = metrics.own(plugin)
        if metric is None:
            raise ForeignCode(
                f"{plugin}: {metrics.NOT_OURS}, so no gate runs it; name a metric of the harness"
            )
        if metric.formula is None:
            raise ResultError(f"{plugin} scores a corpus alone: it has no rows, so no interval to judge by")
        tables: dict[Side, NDArray[np.float64]] = {}
        problems: dict[Side, str] = {}
        ids: tuple[str, ...] | None = None
        for side in sorted(self._expected[key], key=lambda side: side[0]):  # the result's own come first
            try:
                own, rows = self._rows(task, plugin, side)
                whose = f"{side[0] or 'rows.parquet'}: {plugin} of {side[1]} on {task}"
                try:
                    values_of(metric, own, rows)
                except ValueError as error:
                    raise ResultError(f"{whose}: {error}") from error
                ids = ids or own
                tables[side] = self._placed(task, ids, side, (own, rows))
            except ResultError as error:
                problems[side] = str(error)
        errors = self._judges_errors(task, plugin, tables)
        for side, errs in errors.items():
            if errs.known is None:
                problems[side] = f"{plugin}: {errs.problem}"
                del tables[side]
        if ids is None or not tables:
            return None, problems
        keep = [place for place, sample in enumerate(ids) if self._within(task, sample, where)]
        if not keep:
            said = " and ".join(column for column, _ in where)
            return None, problems | dict.fromkeys(tables, f"no sample of {task} has that {said}")
        wide = next(iter(tables.values())).shape[1]
        for side in [side for side, rows in tables.items() if rows.shape[1] != wide]:
            problems[side] = f"{side[0] or side[1]}: rows of {plugin} of another width on {task}"
            del tables[side]
        stacked = np.stack([*tables.values()], axis=1)
        paired = PairedRows(
            metric=metric,
            places={side: place for place, side in enumerate(tables)},
            ids=tuple(ids[place] for place in keep),
            table=metric.table(stacked[keep]),
            clusters=self._clusters(task, [ids[place] for place in keep]),
            seed=self._seed(),
            errors=errors,
            claims=tuple(claim for claim in self._claims.get(key, ()) if tables.keys() >= {*claim}),
        )
        return paired, problems

    def _judges_errors(
        self, task: str, plugin: str, tables: Mapping[Side, NDArray[np.float64]]
    ) -> dict[Side, Errors]:
        """Return how a metric that judges errs on each side's answers; nothing for other metrics."""
        if metrics.finds(plugin) is None:
            return {}
        return {
            (origin, system): fitting(errors_of(self.result, task, plugin, system), rows[:, 0])
            if not origin
            else Errors(
                known=None, source="", problem=f"{origin} keeps no labelled answers; write `against: base`"
            )
            for (origin, system), rows in tables.items()
        }

    def _rows(self, task: str, plugin: str, side: Side) -> tuple[tuple[str, ...], NDArray[np.float64]]:
        origin, system = side
        if not origin:
            rows = self.rows.get((task, system, plugin))
            if rows is None:
                raise ResultError(f"the result has no rows of {plugin} for {system} on {task}")
            return rows.ids, rows.stats
        kept = self.baseline(origin).systems.get((task, system))
        if kept is None:
            raise ResultError(
                f"{origin} knows no {system} on {task}: systems are matched by name; give the candidate the name of the "
                "adapter in the baseline (harness run SUITE --adapter NAME=PLACE), or refresh it with a RESULT that may "
                f"stay: harness baseline RESULT -o {origin}"
            )
        if plugin not in kept.rows:
            raise ResultError(
                f"{origin} has no rows of {plugin} for {system} on {task}; "
                f"refresh it: harness baseline RESULT -o {origin}"
            )
        return kept.ids, kept.rows[plugin]

    def _placed(
        self, task: str, ids: Sequence[str], side: Side, table: tuple[tuple[str, ...], NDArray[np.float64]]
    ) -> NDArray[np.float64]:
        own, rows = table
        if list(own) == list(ids):
            return rows
        places = {sample: place for place, sample in enumerate(own)}
        if set(places) != set(ids):
            more, fewer = len(set(places) - set(ids)), len(set(ids) - set(places))
            who = side[0] or str(side[1])
            raise ResultError(
                f"other samples on {task}: {who} has {len(own)}, the result {len(ids)} "
                f"({more} only there, {fewer} only here)"
                + (f"; refresh it: harness baseline RESULT -o {side[0]}" if side[0] else "")
            )
        return rows[[places[sample] for sample in ids]]

    def _within(self, task: str, sample: str, where: Where) -> bool:
        if not where:
            return True
        columns = self.metadata.get(task, {}).get(sample, {})
        return all(columns.get(column) == value for column, value in where)

    def _clusters(self, task: str, ids: Sequence[str]) -> list[int] | None:
        column = self.task(task).cluster
        if column is None:
            return None
        columns = self.metadata.get(task, {})
        return numbered(columns[sample].get(column, "") for sample in ids)

    def _seed(self) -> int:
        return self.result.seed


def unlike(inputs: GateInputs, against: str, task: TaskFacts, system: System, metric: str | None) -> str:
    """Return why a result cannot be compared with a baseline, and how to fix it; "" if it can."""
    baseline = inputs.baseline(against)
    refresh = f"; if that is meant, refresh it: harness baseline RESULT -o {against}"
    kept = baseline.tasks.get(task.name)
    if kept is None:
        return f"{against} knows no task {task.name}{refresh}"
    if not task.samples:
        return "an older result, which does not say what was asked; run the suite again"
    here = {score.metric: score.signature for score in inputs.result.scores if score.task == task.name}
    prompts = {(answers.task, answers.system): answers.prompts for answers in inputs.result.answers}
    system_kept = baseline.systems.get((task.name, system))
    asked_alike = system_kept is None or system_kept.prompts == prompts.get((task.name, system))
    n = max((score.n for score in inputs.result.scores if score.task == task.name), default=0)
    if kept.n != n:
        return f"other samples: {against} has {kept.n}, the result {n}{refresh}"
    if kept.samples != task.samples:
        return f"other data: the samples' digest is {kept.samples} in {against}, {task.samples} here{refresh}"
    here_decoded = {key: list(v) if isinstance(v, tuple) else v for key, v in decoding(task).items()}
    if dict(kept.decode) != here_decoded:
        return f"other decode settings: {dict(kept.decode)} in {against}, {here_decoded} here{refresh}"
    if kept.asked != asked_digest(task) or not asked_alike:
        return f"other prompts than those of {against}{refresh}"
    if metric is not None and kept.signatures.get(metric) != here.get(metric):
        return (
            f"another signature of {metric}: {kept.signatures.get(metric, 'none')} in {against}, "
            f"{here.get(metric, 'none')} here{refresh}"
        )
    return ""


@contextmanager
def opened(result: Result, given: Path | None) -> Iterator[GateInputs]:
    """Yield the inputs of a result's gates; their files are closed at the end."""
    with ExitStack() as opened:
        yield GateInputs(result=result, given=given, _opened=opened)
