"""The rows that a question rests on: the same samples in the same order, of the result and of a baseline."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from harness import metrics, stats
from harness.errors import ForeignCode, ResultError
from harness.gates.checks import LENGTH, Where
from harness.gates.rules import BASE
from harness.gates.standing import Standing
from harness.results import Result, TaskFacts, read_samples
from harness.results.baseline import Baseline, asked_digest, decoding, load
from harness.results.document import check_files
from harness.results.lengths import thirds
from harness.results.rows import RowFile, open_rows
from harness.scoring.agreement import values_of
from harness.scoring.clusters import numbered
from harness.types import System

PanelKey = tuple[str, str, Where]  # task, metric plug-in, slice
Side = tuple[str, System]  # "" for the result, or a baseline's file; and who answered
Claim = tuple[Side, Side]  # what is to have been beaten, and who claims it


@dataclass(frozen=True, kw_only=True)
class Panel:
    """Everything that is asked of one task under one metric plug-in over one slice: one draw serves it all."""

    metric: metrics.Metric
    places: Mapping[Side, int]
    ids: tuple[str, ...]
    table: stats.Table
    clusters: list[int] | None
    seed: int
    claims: tuple[Claim, ...] = ()

    @property
    def n(self) -> int:
        return len(self.ids)

    @cached_property
    def drawn(self) -> NDArray[np.float64]:
        """[sides, names, resamples]"""
        return stats.resampled([self.table], seed=self.seed, clusters=self.clusters)[0]

    @cached_property
    def chances(self) -> tuple[dict[Claim, NDArray[np.float64]], str]:
        """The p of each claim, by names, and the test in words."""
        pairs = [(self.places[theirs], self.places[mine]) for theirs, mine in self.claims]
        p, test = stats.chance(
            self.table, pairs, resamples=stats.RESAMPLES, seed=self.seed, clusters=self.clusters
        )
        return dict(zip(self.claims, p, strict=True)), test

    @cached_property
    def alone(self) -> NDArray[np.float64]:
        """The metric on each sample by itself: [n, sides, names]."""
        return self.table.of_samples()


@dataclass(kw_only=True)
class Evidence:
    """What gates may look at: a result, its rows, and the baselines that they name; each read once, when it is asked for."""

    result: Result
    given: Path | None  # a baseline given by hand
    _opened: ExitStack
    _baselines: dict[str, Baseline | str] = field(default_factory=dict)
    _expected: dict[PanelKey, dict[Side, None]] = field(default_factory=dict)
    _claims: dict[PanelKey, dict[Claim, None]] = field(default_factory=dict)
    _panels: dict[PanelKey, tuple[Panel | None, dict[Side, str]]] = field(default_factory=dict)

    @cached_property
    def rows(self) -> RowFile:
        return self._opened.enter_context(open_rows(self.result.folder))

    @cached_property
    def changed(self) -> str:
        """Which file of the result is not as it was written; empty where all are."""
        return next(iter(check_files(self.result.folder, {"files": self.result.files})), "")

    @cached_property
    def standing(self) -> Standing:
        return Standing(self.result)

    def task(self, name: str) -> TaskFacts:
        return self.result.task(name)

    def baseline(self, name: str) -> Baseline:
        """Read once; ResultError with what is wrong with it."""
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
        """What a gate compares with: "base", or a baseline's file."""
        if said is None:
            return BASE if self.given is None else str(self.given)
        return said if said == BASE or self.given is None else str(self.given)

    @cached_property
    def metadata(self) -> Mapping[str, Mapping[str, Mapping[str, str]]]:
        """Columns of every sample by task and id; "length" is a third by words of input."""
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
        """What a column holds; ResultError where no sample has it."""
        here = self.metadata.get(task, {})
        found = sorted({columns[column] for columns in here.values() if column in columns})
        if not found:
            known = sorted({name for columns in here.values() for name in columns})
            raise ResultError(
                f"no sample of {task} has a column {column!r}; there are {', '.join(known) or 'none'}"
            )
        return found

    def expect(self, key: PanelKey, sides: Sequence[Side]) -> None:
        """Says beforehand what will be asked, so that one draw serves it all."""
        self._expected.setdefault(key, {}).update(dict.fromkeys(sides))

    def claim(self, key: PanelKey, claim: Claim) -> None:
        """Says beforehand what is to be told from chance, likewise."""
        self._claims.setdefault(key, {})[claim] = None

    def panel(self, key: PanelKey, sides: Sequence[Side]) -> Panel:
        """The rows of everything expected; ResultError where one of these sides has none, or other samples."""
        if key not in self._panels:
            self._panels[key] = self._made(key)
        panel, problems = self._panels[key]
        for side in sides:
            if side in problems:
                raise ResultError(problems[side])
        assert panel is not None
        return panel

    def let_go(self, key: PanelKey) -> None:
        """Once all that was expected of it has been asked."""
        self._panels.pop(key, None)

    def _made(self, key: PanelKey) -> tuple[Panel | None, dict[Side, str]]:
        """A panel of the sides that have rows, and what is wrong with the others."""
        task, plugin, where = key
        metric = metrics.own(plugin)
        if metric is None:
            raise ForeignCode(
                f"{plugin}: {metrics.NOT_OURS}, so no gate runs it; name a metric of the harness"
            )
        if metric.value is None:
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
        if ids is None:
            return None, problems
        keep = [place for place, one in enumerate(ids) if self._within(task, one, where)]
        if not keep:
            said = " and ".join(column for column, _ in where)
            return None, problems | dict.fromkeys(tables, f"no sample of {task} has that {said}")
        wide = next(iter(tables.values())).shape[1]
        for side in [side for side, rows in tables.items() if rows.shape[1] != wide]:
            problems[side] = f"{side[0] or side[1]}: rows of {plugin} of another width on {task}"
            del tables[side]
        stacked = np.stack([*tables.values()], axis=1)
        panel = Panel(
            metric=metric,
            places={side: place for place, side in enumerate(tables)},
            ids=tuple(ids[place] for place in keep),
            table=stats.Table(rows=stacked[keep], value=metric.value, interval=metric.interval),
            clusters=self._clusters(task, [ids[place] for place in keep]),
            seed=self._seed(),
            claims=tuple(claim for claim in self._claims.get(key, ()) if tables.keys() >= {*claim}),
        )
        return panel, problems

    def _rows(self, task: str, plugin: str, side: Side) -> tuple[tuple[str, ...], NDArray[np.float64]]:
        origin, system = side
        if not origin:
            rows = self.rows.get((task, system, plugin))
            if rows is None:
                raise ResultError(f"the result has no rows of {plugin} for {system} on {task}")
            return rows.ids, rows.stats
        kept = self.baseline(origin).systems.get((task, system))
        if kept is None or plugin not in kept.rows:
            raise ResultError(
                f"{origin} has no rows of {plugin} for {system} on {task}; "
                f"refresh it: harness baseline {self.result.folder} -o {origin}"
            )
        return kept.ids, kept.rows[plugin]

    def _placed(
        self, task: str, ids: Sequence[str], side: Side, table: tuple[tuple[str, ...], NDArray[np.float64]]
    ) -> NDArray[np.float64]:
        own, rows = table
        if list(own) == list(ids):
            return rows
        places = {one: place for place, one in enumerate(own)}
        if set(places) != set(ids):
            more, fewer = len(set(places) - set(ids)), len(set(ids) - set(places))
            who = side[0] or str(side[1])
            raise ResultError(
                f"other samples on {task}: {who} has {len(own)}, the result {len(ids)} "
                f"({more} only there, {fewer} only here)"
                + (f"; refresh it: harness baseline {self.result.folder} -o {side[0]}" if side[0] else "")
            )
        return rows[[places[one] for one in ids]]

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


def unlike(evidence: Evidence, against: str, task: TaskFacts, system: System, metric: str | None) -> str:
    """What makes a result and a baseline no pair, and how to mend it; empty where they are one."""
    baseline = evidence.baseline(against)
    refresh = f"; if that is meant, refresh it: harness baseline {evidence.result.folder} -o {against}"
    kept = baseline.tasks.get(task.name)
    if kept is None:
        return f"{against} knows no task {task.name}{refresh}"
    if not task.samples:
        return "an older result, which does not say what was asked; run the suite again"
    here = {one.metric: one.signature for one in evidence.result.scores if one.task == task.name}
    prompts = {(one.task, one.system): one.prompts for one in evidence.result.answers}
    system_kept = baseline.systems.get((task.name, system))
    asked_alike = system_kept is None or system_kept.prompts == prompts.get((task.name, system))
    n = max((one.n for one in evidence.result.scores if one.task == task.name), default=0)
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
def evidence(result: Result, given: Path | None) -> Iterator[Evidence]:
    with ExitStack() as opened:
        yield Evidence(result=result, given=given, _opened=opened)
