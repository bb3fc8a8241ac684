"""Which samples to show: where adapters lost most, where they gained most, and some drawn without looking."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from harness import metrics
from harness.digest import text_digest
from harness.result import Result, Rows, TaskFacts, read_generations, read_rows, read_samples
from harness.types import Generation, Sample, Score, System

EACH = 3  # samples of each kind

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


Values = Mapping[System, Mapping[str, float]]  # system -> sample id -> primary metric


def pick(result: Result) -> dict[str, tuple[Pick, ...]]:
    """Task -> samples worth reading; the same result gives the same ones."""
    rows = read_rows(result.folder)
    values = {task.name: sample_values(task, rows) for task in result.suite.tasks}
    samples: dict[str, dict[str, Sample]] = {}
    for name, sample in read_samples(result.folder):
        samples.setdefault(name, {})[sample.id] = sample
    chosen = {
        task.name: choose(task, values[task.name], tuple(samples.get(task.name, {})), _lower(result, task))
        for task in result.suite.tasks
    }
    wanted = {(name, one) for name, picks in chosen.items() for one in picks}
    answers: dict[tuple[str, str], dict[System, Generation]] = {}
    for name, system, generation in read_generations(result.folder):
        if (name, generation.sample_id) in wanted:
            answers.setdefault((name, generation.sample_id), {})[system] = generation
    return {
        name: tuple(
            Pick(
                why=why,
                about=about,
                change=None if about is None else _change(values[name], about, one),
                sample=samples[name][one],
                answers=_answers(result, name, values[name], one, answers.get((name, one), {})),
            )
            for one, (why, about) in picks.items()
        )
        for name, picks in chosen.items()
    }


def sample_values(task: TaskFacts, rows: Mapping[tuple[str, System, str], Rows]) -> Values:
    """The primary metric of each sample alone; none for a metric that is no function of sums."""
    for plugin in task.metrics:
        if task.primary in metrics.score_names(plugin):
            metric = metrics.load(plugin)
            if metric.value is None:
                return {}
            place = metric.names.index(task.primary)
            return {
                system: dict(zip(one.ids, metric.value(one.stats)[:, place].tolist(), strict=True))
                for (name, system, used), one in rows.items()
                if name == task.name and used == plugin
            }
    return {}


def choose(
    task: TaskFacts, values: Values, samples: Sequence[str], lower: bool = False
) -> dict[str, tuple[Why, System | None]]:
    """Sample id -> why it is shown, worst regressions first; a sample is shown once."""
    changes = [
        (-change if lower else change, one, system)
        for system in values
        if system.adapter
        for one in values[system]
        if (change := _change(values, system, one)) is not None
    ]
    changes.sort(key=lambda entry: (entry[0], entry[1], str(entry[2])))
    chosen: dict[str, tuple[Why, System | None]] = {}
    _spread(chosen, "regression", [entry for entry in changes if entry[0] < 0])
    _spread(chosen, "gain", [entry for entry in changes[::-1] if entry[0] > 0])
    unseen = sorted(
        (one for one in samples if one not in chosen), key=lambda one: text_digest(f"{task.name} {one}")
    )
    chosen |= dict.fromkeys(unseen[:EACH], ("random", None))
    return chosen


def _spread(
    chosen: dict[str, tuple[Why, System | None]], why: Why, ordered: Sequence[tuple[float, str, System]]
) -> None:
    """Adds the first few, from different adapters as long as there are any."""
    seen: set[System] = set()
    for again in (False, True):
        for _, one, system in ordered:
            if sum(kind == why for kind, _ in chosen.values()) == EACH:
                return
            if one not in chosen and (again or system not in seen):
                chosen[one] = (why, system)
                seen.add(system)


def _change(values: Values, system: System, one: str) -> float | None:
    base = values.get(System(model=system.model), {})
    return values[system][one] - base[one] if one in base and one in values.get(system, {}) else None


def _lower(result: Result, task: TaskFacts) -> bool:
    scores: list[Score] = [one for one in result.scores if one.task == task.name and one.primary]
    return any(one.better == "lower" for one in scores)


def _answers(
    result: Result, task: str, values: Values, one: str, given: Mapping[System, Generation]
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
                    value=values.get(system, {}).get(one),
                    change=_change(values, system, one) if system.adapter else None,
                )
                for system in systems
            )
        )
    return tuple(group for group in found if group)
