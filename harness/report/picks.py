"""Choose samples to show: the largest losses, the largest gains, and some at random."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from heapq import nlargest, nsmallest
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from harness.digest import text_digest
from harness.report.task_samples import TaskSamples, Values
from harness.results import Result, TaskFacts, read_generations, read_samples
from harness.types import Generation, Sample, System

EACH = 3  # samples of each kind
# The most changes of one adapter that can be needed: EACH, after up to 2 * EACH samples that are shown already.
MOST = 3 * EACH

Why = Literal["regression", "gain", "random"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Given:
    """One system's answer to one sample."""

    system: System
    generation: Generation
    value: float | None  # what is shown of this sample
    change: float | None  # difference from its base, for an adapter


@dataclass(frozen=True, slots=True, kw_only=True)
class Pick:
    """A sample with every system's answer, and why it is shown."""

    why: Why
    about: System | None  # the adapter that lost or gained most
    change: float | None
    sample: Sample
    # A base and its adapters together, in the order of the score table.
    answers: tuple[tuple[Given, ...], ...]


Change = tuple[float, str, System]  # change, sample id, and the adapter


def pick(result: Result, task_samples: Mapping[str, TaskSamples]) -> dict[str, tuple[Pick, ...]]:
    """Return the samples to show for each task; the choice is deterministic.

    Only numbers and ids of all samples are kept in memory, and the texts of the chosen samples.
    """
    ids = {name: samples.ids for name, samples in task_samples.items()}
    values = {name: samples.values for name, samples in task_samples.items()}
    chosen = {
        name: choose(samples.task, values[name], ids[name], samples.shown.better == "lower")
        if samples.texts
        else {}  # the copy has no texts
        for name, samples in task_samples.items()
    }
    wanted = {(name, sample_id) for name, picks in chosen.items() for sample_id in picks}
    samples = {(name, sample.id): sample for name, sample in read_samples(result.folder, wanted)}
    answers: dict[tuple[str, str], dict[System, Generation]] = {}
    for name, system, generation in read_generations(result.folder, wanted):
        answers.setdefault((name, generation.sample_id), {})[system] = generation
    found: dict[str, tuple[Pick, ...]] = {}
    for name, picks in chosen.items():
        places = {sample_id: place for place, sample_id in enumerate(ids[name]) if sample_id in picks}
        found[name] = tuple(
            Pick(
                why=why,
                about=about,
                change=None if about is None else _at(change_of(values[name], about), places[sample_id]),
                sample=samples[name, sample_id],
                answers=_answers(result, values[name], places[sample_id], answers.get((name, sample_id), {})),
            )
            for sample_id, (why, about) in picks.items()
        )
    return found


def choose(
    task: TaskFacts, values: Values, ids: Sequence[str], lower: bool = False
) -> dict[str, tuple[Why, System | None]]:
    """Return sample id -> why it is shown, worst regressions first; a sample is shown once."""
    changes = {
        system: change_of(values, system) * (-1 if lower else 1) for system in values if system.adapter
    }
    chosen: dict[str, tuple[Why, System | None]] = {}
    lost = [entry for system, change in changes.items() for entry in _furthest(change, ids, system, -1)]
    _spread(chosen, "regression", sorted(lost, key=_order))
    gained = [entry for system, change in changes.items() for entry in _furthest(change, ids, system, 1)]
    _spread(chosen, "gain", sorted(gained, key=_order, reverse=True))
    unseen = nsmallest(
        EACH,
        (sample_id for sample_id in ids if sample_id not in chosen),
        key=lambda sample_id: text_digest(f"{task.name} {sample_id}"),
    )
    chosen |= dict.fromkeys(unseen, ("random", None))
    return chosen


def _spread(chosen: dict[str, tuple[Why, System | None]], why: Why, ordered: Sequence[Change]) -> None:
    """Add the first EACH samples, from different adapters as far as possible."""
    seen: set[System] = set()
    for again in (False, True):
        for _, sample_id, system in ordered:
            if sum(kind == why for kind, _ in chosen.values()) == EACH:
                return
            if sample_id not in chosen and (again or system not in seen):
                chosen[sample_id] = (why, system)
                seen.add(system)


def _furthest(
    changes: NDArray[np.float64], ids: Sequence[str], system: System, sign: Literal[-1, 1]
) -> list[Change]:
    """Return the adapter's largest losses (sign -1) or gains (sign 1)."""
    places = np.flatnonzero(sign * changes > 0)
    if len(places) > MOST:
        sizes = sign * changes[places]
        places = places[sizes >= np.partition(sizes, -MOST)[-MOST]]  # more than MOST if some are equal
    entries = ((float(changes[place]), ids[place], system) for place in places.tolist())
    return (nlargest if sign > 0 else nsmallest)(MOST, entries, key=_order)


def _order(entry: Change) -> tuple[float, str, str]:
    change, one, system = entry
    return change, one, str(system)


def change_of(values: Values, system: System) -> NDArray[np.float64]:
    """Return the adapter's value minus its base's for each sample; NaN if either is missing."""
    base = values.get(system.base)
    return np.full_like(values[system], np.nan) if base is None else values[system] - base


def _at(values: NDArray[np.float64] | None, place: int) -> float | None:
    return None if values is None or np.isnan(values[place]) else float(values[place])


def _answers(
    result: Result, values: Values, place: int, given: Mapping[System, Generation]
) -> tuple[tuple[Given, ...], ...]:
    """Return the answers: models in the suite's order, each base before its adapters, no trivial rules."""
    found = []
    for model in result.suite.models:
        systems = sorted(
            (it for it in given if it.model == model.name),
            key=lambda it: (not it.adapter and it.shots > 0, bool(it.adapter), it.shots),
        )
        found.append(
            tuple(
                Given(
                    system=system,
                    generation=given[system],
                    value=_at(values.get(system), place),
                    change=_at(change_of(values, system), place)
                    if system.adapter and system in values
                    else None,
                )
                for system in systems
            )
        )
    return tuple(group for group in found if group)
