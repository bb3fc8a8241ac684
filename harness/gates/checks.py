"""Gates with wildcards to single questions: one rule about one system on one task, over one slice."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from fnmatch import fnmatchcase

from harness import metrics
from harness import text as words
from harness.errors import HarnessError, UnknownName
from harness.gates import rules
from harness.gates.rules import BASE
from harness.results import Result, TaskFacts
from harness.types import Gate, System

LENGTH = "length"  # a column that every sample has
ENOUGH_SEEDS = 3  # of a recipe, for a claim about it

Where = tuple[tuple[str, str], ...]  # column and value
Judged = tuple[str, tuple[System, ...]]  # who is judged, as it is told, and the systems


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """One question. One that cannot be asked says why in `problem`."""

    gate: Gate
    rule: str
    subject: str
    task: str | None = None
    systems: tuple[System, ...] = ()  # one; or a recipe's adapters, a seed each
    metric: str | None = None
    plugin: str | None = None  # the metric plug-in that gives it
    where: Where = ()
    slice: str = ""  # `where`, as it may be told
    problem: str = ""

    @property
    def system(self) -> System | None:
        return self.systems[0] if len(self.systems) == 1 and self.gate.recipe is None else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Scores:
    """What a task's scores are called."""

    plugins: Mapping[str, str]  # those that can be computed here, with the metric plug-in that gives each
    others: tuple[str, ...]  # those that the result holds besides
    problem: str  # why there are others


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """What gates may name."""

    result: Result
    systems: Mapping[str, Sequence[System]]  # by task
    scores: Mapping[str, Scores]  # by task


def checks(gates: Sequence[Gate], result: Result) -> list[Check]:
    """All questions, gate by gate. A gate that names nothing here is one too: it must not pass unseen."""
    known = Known(
        result=result,
        systems=planned(result),
        scores={task.name: _scores(task, result) for task in result.suite.tasks},
    )
    return [check for gate in gates for rule in rules.given(gate) for check in _of(gate, rule, known)]


def planned(result: Result) -> dict[str, list[System]]:
    """By task, every system that was to be scored, whether it was or not."""
    found: dict[str, dict[System, None]] = {task.name: {} for task in result.suite.tasks}
    for score in result.scores:
        found.setdefault(score.task, {})[score.system] = None
    for step in result.steps:
        if step.kind == "score" and step.system:
            found.setdefault(step.task, {})[step.system] = None
    return {task: [system for system in systems if not system.is_trivial] for task, systems in found.items()}


def _scores(task: TaskFacts, result: Result) -> Scores:
    found: dict[str, str] = {}
    problems: list[str] = []
    for plugin in task.metrics:
        try:
            found |= dict.fromkeys(metrics.score_names(plugin), plugin)
        except HarnessError as error:
            problems.append(f"a plug-in of {task.name} is not installed here: {error}")
    others = dict.fromkeys(
        one.metric for one in result.scores if one.task == task.name and one.metric not in found
    )
    return Scores(plugins=found, others=tuple(others), problem="; ".join(problems))


def _of(gate: Gate, rule: str, known: Known) -> Iterator[Check]:
    result, systems = known.result, known.systems
    tasks = [one for one in result.suite.tasks if fnmatchcase(one.name, gate.task)]
    count = 0
    if rule in rules.WEIGHTS or (rule in rules.COSTS and rule not in rules.BY_TASK):
        named = dict.fromkeys(one for task in tasks for one in systems[task.name] if _matches(gate, one))
        for system in named:
            count += 1
            yield Check(gate=gate, rule=rule, subject=str(system), systems=(system,))
    else:
        for task in tasks:
            for subject, group in _subjects(gate, systems[task.name], result, task):
                for check in _on(gate, rule, task, known.scores[task.name], (subject, group)):
                    count += 1
                    yield check
    if not count:
        yield Check(gate=gate, rule=rule, subject="nothing", problem=_nothing(gate, result, systems))


def _on(gate: Gate, rule: str, task: TaskFacts, scores: Scores, judged: Judged) -> Iterator[Check]:
    """The question under each metric that the gate names."""
    subject, group = judged
    made = Check(gate=gate, rule=rule, subject=subject, task=task.name, systems=group)
    if rule not in rules.QUALITY:
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
    """Who is judged on a task: each system, or each recipe over its seeds."""
    if gate.recipe is None:
        yield from ((str(one), (one,)) for one in systems if _matches(gate, one))
        return
    groups: dict[tuple[str, str, str | None], list[System]] = {}
    for one in result.suite.adapters:
        system = System(model=one.model, adapter=one.name)
        if system not in systems or not fnmatchcase(one.model, gate.model):
            continue
        if one.recipe and fnmatchcase(one.recipe, gate.recipe):
            groups.setdefault((one.model, one.recipe, one.trained_on), []).append(system)
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
    """Which pattern it is that nothing answers to."""
    every = {one for group in systems.values() for one in group}
    if gate.recipe is None and gate.adapter != "base" and every and all(one.adapter is None for one in every):
        return "this gate names nothing here: there are no adapters; say `adapter: base`"
    for what, pattern, known in (
        ("task", gate.task, [one.name for one in result.suite.tasks]),
        ("model", gate.model, {one.model for one in every}),
        ("adapter", gate.adapter, {one.adapter or "base" for one in every}),
        ("recipe", gate.recipe or "*", {one.recipe for one in result.suite.adapters if one.recipe}),
    ):
        if not any(fnmatchcase(one, pattern) for one in known):
            return f"this gate names nothing here: {UnknownName(what, pattern, known)}"
    return "this gate names nothing here: no system that it names answered a task that it names"


def never(check: Check, against: str | None) -> str:
    """Why the check cannot be judged whatever a run comes to; empty where it can."""
    if check.gate.recipe is not None and len(check.systems) < ENOUGH_SEEDS:
        seeds = words.plural(len(check.systems), "seed")
        return f"{seeds}: a claim about a recipe needs {ENOUGH_SEEDS}; name the adapters instead"
    if check.gate.recipe is not None and against not in (None, BASE):
        return "a recipe is compared with its base alone; name `against: base`"
    if against == BASE and any(system.adapter is None for system in check.systems):
        return "the base against itself; name a baseline's file in `against`"
    return ""
