"""Expand gates with wildcards into single questions: one rule about one system on one task, over one slice."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from fnmatch import fnmatchcase
from functools import partial
from typing import Any

from harness import metrics
from harness import text as words
from harness.errors import HarnessError, UnknownName
from harness.files.yaml import dotted
from harness.gates import rules
from harness.gates.rules import BASE, Demand, Rule
from harness.results import Result, TaskFacts
from harness.types import Gate, System

LENGTH = "length"  # a column that every sample has
ENOUGH_SEEDS = 3  # of a recipe, for a claim about it

Where = tuple[tuple[str, str], ...]  # column and value
Judged = tuple[str, tuple[System, ...]]  # who is judged, in words, and the systems


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """One question: a rule about a system. A check that cannot be judged says why in `problem`."""

    gate: Gate
    rule: Rule
    limit: Any  # of the rule's own type
    subject: str
    task: str | None = None
    systems: tuple[System, ...] = ()  # a single system; or a recipe's adapters, one for each seed
    metric: str | None = None
    plugin: str | None = None  # the metric plug-in that gives this metric
    where: Where = ()
    slice: str = ""  # `where` in words
    shared_slice: str | None = None  # as it may leave the machine; None: as it is
    problem: str = ""

    @property
    def system(self) -> System | None:
        """Return the only system that is judged; None for a recipe."""
        return self.systems[0] if len(self.systems) == 1 and self.gate.recipe is None else None


@dataclass(frozen=True, slots=True, kw_only=True)
class ScoreNames:
    """The names of a task's scores."""

    plugins: Mapping[str, str]  # scores that can be computed here, each with its metric plug-in
    others: tuple[str, ...]  # other scores of the result
    problem: str  # why there are other scores


@dataclass(frozen=True, slots=True, kw_only=True)
class Nameable:
    """The systems and scores that gates may name."""

    result: Result
    systems: Mapping[str, Sequence[System]]  # by task
    scores: Mapping[str, ScoreNames]  # by task


def checks(gates: Sequence[Gate], result: Result) -> list[Check]:
    """Return all questions, gate by gate; a gate that matches nothing is a question too, so that it does not pass unseen.

    Raises SuiteError for an unknown rule, or a limit that is not of the rule's type.
    """
    nameable = Nameable(
        result=result,
        systems=planned(result),
        scores={task.name: _scores(task, result) for task in result.suite.tasks},
    )
    return [
        check
        for number, gate in enumerate(gates)
        for demand in rules.demands(gate, partial(_place, number))
        for check in _of(gate, demand, nameable)
    ]


def _place(number: int, *keys: str | int) -> str:
    return words.line(words.name(dotted(("gates", number, *keys))))  # a key may come from a stranger's file


def planned(result: Result) -> dict[str, list[System]]:
    """Return, by task, every system that was to be scored, whether it was or not."""
    found: dict[str, dict[System, None]] = {task.name: {} for task in result.suite.tasks}
    for score in result.scores:
        found.setdefault(score.task, {})[score.system] = None
    for step in result.steps:
        if step.kind == "score" and step.system:
            found.setdefault(step.task, {})[step.system] = None
    return {task: [system for system in systems if not system.is_trivial] for task, systems in found.items()}


def _scores(task: TaskFacts, result: Result) -> ScoreNames:
    found: dict[str, str] = {}
    problems: list[str] = []
    for plugin in task.metrics:
        try:
            found |= dict.fromkeys(metrics.score_names(plugin), plugin)
        except HarnessError as error:
            problems.append(f"a plug-in of {task.name} is not installed here: {error}")
    others = dict.fromkeys(
        score.metric for score in result.scores if score.task == task.name and score.metric not in found
    )
    return ScoreNames(plugins=found, others=tuple(others), problem="; ".join(problems))


def _of(gate: Gate, demand: Demand, nameable: Nameable) -> Iterator[Check]:
    result, systems = nameable.result, nameable.systems
    tasks = [task for task in result.suite.tasks if fnmatchcase(task.name, gate.task)]
    (rule, limit), count = demand, 0
    if not rule.by_task:
        named = dict.fromkeys(
            system for task in tasks for system in systems[task.name] if _matches(gate, system)
        )
        for system in named:
            count += 1
            yield Check(gate=gate, rule=rule, limit=limit, subject=str(system), systems=(system,))
    else:
        for task in tasks:
            for subject, group in _subjects(gate, systems[task.name], result, task):
                for check in _on(gate, demand, task, nameable.scores[task.name], (subject, group)):
                    count += 1
                    yield check
    if not count:
        problem = _nothing(gate, result, systems)
        yield Check(gate=gate, rule=rule, limit=limit, subject="nothing", problem=problem)


def _on(gate: Gate, demand: Demand, task: TaskFacts, scores: ScoreNames, judged: Judged) -> Iterator[Check]:
    """Yield the question under each metric that the gate names."""
    subject, group = judged
    rule, limit = demand
    made = Check(gate=gate, rule=rule, limit=limit, subject=subject, task=task.name, systems=group)
    if not rule.of_samples:
        yield made
        return
    pattern = gate.metric or task.primary
    asked = [name for name in scores.plugins if fnmatchcase(name, pattern)]
    lost = [name for name in scores.others if fnmatchcase(name, pattern)]
    where = tuple(gate.where.items())
    for name in asked:
        yield replace(made, metric=name, plugin=scores.plugins[name], where=where)
    for name in lost:
        problem = scores.problem or f"no metric of {task.name} gives a score {name!r}"
        yield replace(made, metric=name, problem=problem)
    if not asked and not lost:
        unknown = UnknownName("metric", pattern, (*scores.plugins, *scores.others), f"task {task.name}")
        yield replace(made, problem="; ".join(filter(None, (str(unknown), scores.problem))))


def _subjects(
    gate: Gate, systems: Sequence[System], result: Result, task: TaskFacts
) -> Iterator[tuple[str, tuple[System, ...]]]:
    """Yield who is judged on a task: each system, or each recipe over its seeds."""
    if gate.recipe is None:
        yield from ((str(system), (system,)) for system in systems if _matches(gate, system))
        return
    groups: dict[tuple[str, str, str | None], list[System]] = {}
    for adapter in result.suite.adapters:
        system = System(model=adapter.model, adapter=adapter.name)
        if system not in systems or not fnmatchcase(adapter.model, gate.model):
            continue
        if adapter.recipe and fnmatchcase(adapter.recipe, gate.recipe):
            groups.setdefault((adapter.model, adapter.recipe, adapter.trained_on), []).append(system)
    several = len({trained for _, _, trained in groups}) > 1
    for (model, recipe, trained), group in groups.items():
        on = f" trained on {trained}" if several else ""
        yield f"{model}, recipe {recipe}{on} over {len(group)} seeds", tuple(group)


def _matches(gate: Gate, system: System) -> bool:
    if system.shots or not fnmatchcase(system.model, gate.model):
        return False
    if system.adapter is None:
        return gate.adapter == "base"
    return fnmatchcase(system.adapter, gate.adapter)


def _nothing(gate: Gate, result: Result, systems: Mapping[str, Sequence[System]]) -> str:
    """Say which pattern of the gate matches nothing."""
    every = {system for group in systems.values() for system in group}
    if (
        gate.recipe is None
        and gate.adapter != "base"
        and every
        and all(system.adapter is None for system in every)
    ):
        return "this gate names nothing here: there are no adapters; say `adapter: base`"
    for what, pattern, known in (
        ("task", gate.task, [task.name for task in result.suite.tasks]),
        ("model", gate.model, {system.model for system in every}),
        ("adapter", gate.adapter, {system.adapter or "base" for system in every}),
        (
            "recipe",
            gate.recipe or "*",
            {adapter.recipe for adapter in result.suite.adapters if adapter.recipe},
        ),
    ):
        if not any(fnmatchcase(name, pattern) for name in known):
            return f"this gate names nothing here: {UnknownName(what, pattern, known)}"
    return "this gate names nothing here: no system that it names answered a task that it names"


def never_judged(check: Check, against: str | None) -> str:
    """Return why the check cannot be judged, whatever a run finds; "" if it can."""
    if check.gate.recipe is not None and len(check.systems) < ENOUGH_SEEDS:
        seeds = words.plural(len(check.systems), "seed")
        return f"{seeds}: a claim about a recipe needs {ENOUGH_SEEDS}; name the adapters instead"
    if check.gate.recipe is not None and against not in (None, BASE):
        return "a recipe is compared with its base alone; name `against: base`"
    if against == BASE and any(system.adapter is None for system in check.systems):
        return "the base against itself; name a baseline's file in `against`, which `harness baseline RESULT -o FILE` writes"
    return ""
