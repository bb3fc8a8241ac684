"""Which samples to show: where adapters lost most, where they gained most, and some drawn without looking."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from heapq import nlargest, nsmallest
from typing import TYPE_CHECKING, Literal

import numpy as np
from numpy.typing import NDArray

from harness import metrics
from harness.digest import text_digest
from harness.result import Result, TaskFacts, read_generations, read_samples, sample_ids
from harness.types import Generation, Sample, Score, System

if TYPE_CHECKING:
    from harness.result.rows import RowFile

EACH = 3  # samples of each kind
# Of one adapter's changes no more can matter: EACH, after as many samples again that are shown already in either kind.
MOST = 3 * EACH

Why = Literal["regression", "gain", "random"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Given:
    """One system's answer to one sample."""

    system: System
    generation: Generation
    value: float | None  # the primary metric on this sample alone
    change: float | None  # against the system's base, for adapters


@dataclass(frozen=True, slots=True, kw_only=True)
class Pick:
    """One sample with every system's answer, and why it is shown."""

    why: Why
    about: System | None  # the adapter that lost or gained most
    change: float | None
    sample: Sample
    answers: tuple[
        tuple[Given, ...], ...
    ]  # a base and its adapters together, in the order of the score table


Values = Mapping[System, NDArray[np.float64]]  # the primary metric of each sample; NaN where there is none
Entry = tuple[float, str, System]  # change, sample id and the adapter that changed so


def pick(result: Result) -> dict[str, tuple[Pick, ...]]:
    """Task -> samples worth reading; the same result gives the same ones.

    Of all samples only numbers and ids are held; texts are kept of those that are chosen.
    """
    from harness.result.rows import open_rows

    ids: dict[str, list[str]] = {task.name: [] for task in result.suite.tasks}
    for name, one in sample_ids(result.folder):
        ids.setdefault(name, []).append(one)
    with open_rows(result.folder) as rows:
        values = {task.name: sample_values(task, ids[task.name], rows) for task in result.suite.tasks}
    chosen = {
        task.name: {}  # there is nothing to read
        if task.name in result.withheld
        else choose(task, values[task.name], ids[task.name], _lower(result, task))
        for task in result.suite.tasks
    }
    wanted = {(name, one) for name, picks in chosen.items() for one in picks}
    samples = {(name, one.id): one for name, one in read_samples(result.folder, wanted)}
    answers: dict[tuple[str, str], dict[System, Generation]] = {}
    for name, system, generation in read_generations(result.folder, wanted):
        answers.setdefault((name, generation.sample_id), {})[system] = generation
    found: dict[str, tuple[Pick, ...]] = {}
    for name, picks in chosen.items():
        places = {one: place for place, one in enumerate(ids[name]) if one in picks}
        found[name] = tuple(
            Pick(
                why=why,
                about=about,
                change=None if about is None else _at(_changes(values[name], about), places[one]),
                sample=samples[name, one],
                answers=_answers(result, values[name], places[one], answers.get((name, one), {})),
            )
            for one, (why, about) in picks.items()
        )
    return found


def sample_values(task: TaskFacts, ids: Sequence[str], rows: "RowFile") -> Values:
    """The primary metric of each sample alone; none for a metric that is no function of sums."""
    for plugin in task.metrics:
        if task.primary in metrics.score_names(plugin):
            metric = metrics.load(plugin)
            if metric.value is None:
                return {}
            column = metric.names.index(task.primary)
            found: dict[System, NDArray[np.float64]] = {}
            for key in rows.keys():  # noqa: SIM118  a file, and not a mapping
                name, system, used = key
                if name == task.name and used == plugin and (own := rows.get(key)) is not None:
                    found[system] = _placed(metric.value(own.stats)[:, column], own.ids, ids)
            return found
    return {}


def _placed(values: NDArray[np.float64], of: Sequence[str], ids: Sequence[str]) -> NDArray[np.float64]:
    """The values in the order of the ids; NaN for one that has none."""
    if list(of) == list(ids):  # as the harness writes them
        return values.copy()
    rows = {one: row for row, one in enumerate(of)}
    return np.array([values[rows[one]] if one in rows else np.nan for one in ids])


def choose(
    task: TaskFacts, values: Values, ids: Sequence[str], lower: bool = False
) -> dict[str, tuple[Why, System | None]]:
    """Sample id -> why it is shown, worst regressions first; a sample is shown once."""
    changes = {system: _changes(values, system) * (-1 if lower else 1) for system in values if system.adapter}
    chosen: dict[str, tuple[Why, System | None]] = {}
    lost = [entry for system, one in changes.items() for entry in _furthest(one, ids, system, -1)]
    _spread(chosen, "regression", sorted(lost, key=_order))
    gained = [entry for system, one in changes.items() for entry in _furthest(one, ids, system, 1)]
    _spread(chosen, "gain", sorted(gained, key=_order, reverse=True))
    unseen = nsmallest(
        EACH, (one for one in ids if one not in chosen), key=lambda one: text_digest(f"{task.name} {one}")
    )
    chosen |= dict.fromkeys(unseen, ("random", None))
    return chosen


def _spread(chosen: dict[str, tuple[Why, System | None]], why: Why, ordered: Sequence[Entry]) -> None:
    """Adds the first few, from different adapters as long as there are any."""
    seen: set[System] = set()
    for again in (False, True):
        for _, one, system in ordered:
            if sum(kind == why for kind, _ in chosen.values()) == EACH:
                return
            if one not in chosen and (again or system not in seen):
                chosen[one] = (why, system)
                seen.add(system)


def _furthest(
    changes: NDArray[np.float64], ids: Sequence[str], system: System, sign: Literal[-1, 1]
) -> list[Entry]:
    """The adapter's largest losses (-1) or gains (1)."""
    places = np.flatnonzero(sign * changes > 0)
    if len(places) > MOST:
        sizes = sign * changes[places]
        places = places[sizes >= np.partition(sizes, -MOST)[-MOST]]  # more than MOST where some are equal
    entries = ((float(changes[place]), ids[place], system) for place in places.tolist())
    return (nlargest if sign > 0 else nsmallest)(MOST, entries, key=_order)


def _order(entry: Entry) -> tuple[float, str, str]:
    change, one, system = entry
    return change, one, str(system)


def _changes(values: Values, system: System) -> NDArray[np.float64]:
    """The adapter's value less its base's, sample by sample; NaN where either has none."""
    base = values.get(System(model=system.model))
    return np.full_like(values[system], np.nan) if base is None else values[system] - base


def _at(values: NDArray[np.float64] | None, place: int) -> float | None:
    return None if values is None or np.isnan(values[place]) else float(values[place])


def _lower(result: Result, task: TaskFacts) -> bool:
    scores: list[Score] = [one for one in result.scores if one.task == task.name and one.primary]
    return any(one.better == "lower" for one in scores)


def _answers(
    result: Result, values: Values, place: int, given: Mapping[System, Generation]
) -> tuple[tuple[Given, ...], ...]:
    """Models in the suite's order, each base before its adapters; trivial rules have nothing to read."""
    found = []
    for model in result.suite.models:
        systems = sorted(
            (it for it in given if it.model == model.name), key=lambda it: (bool(it.adapter), it.shots)
        )
        found.append(
            tuple(
                Given(
                    system=system,
                    generation=given[system],
                    value=_at(values.get(system), place),
                    change=_at(_changes(values, system), place)
                    if system.adapter and system in values
                    else None,
                )
                for system in systems
            )
        )
    return tuple(group for group in found if group)
