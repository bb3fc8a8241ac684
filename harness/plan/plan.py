"""Make the plan of a suite: every step, each with an id made of all that can move its result.

The plan depends on the suite and its pins alone: no file, clock or environment is read.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from fnmatch import fnmatchcase
from typing import Any

from harness import backends, families, kinds
from harness.backends import trainable
from harness.digest import canonical, digest
from harness.errors import SuiteError, UnknownName
from harness.neural import architectures, objectives
from harness.plan.expected_result import covered
from harness.plugins.choice import parse
from harness.results import AdapterFacts
from harness.run.steps import PlanPart, StepKind, UsedAdapter, UsedModel
from harness.run.steps import compare as compare_step
from harness.run.steps import foreign as foreign_step
from harness.run.steps import generate as generate_step
from harness.run.steps import load as load_step
from harness.run.steps import report as report_step
from harness.run.steps import score as score_step
from harness.run.steps import spectra as spectra_step
from harness.run.steps import train as train_step
from harness.scoring.questions import Cell
from harness.tasks import rules as trivial
from harness.tasks.metric_names import PROGRAM, is_program
from harness.types import (
    Decode,
    Model,
    ModelPin,
    Pins,
    Plan,
    Recipe,
    Source,
    Split,
    Step,
    Suite,
    System,
    Task,
    Unasked,
)

BLOCK = 512  # test samples a generate step covers at most
MOST_TASKS_ACROSS = 4  # up to so many tasks, every adapter is run on all of them


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """An adapter of the plan: trained by the plan (by a recipe, on a task, with a seed), or one that exists already."""

    name: str
    model: Model
    used: UsedAdapter
    trained_on: str | None = None
    recipe: Recipe | None = None
    seed: int | None = None
    step: Step | None = None  # the step that trains it


Parts = list[tuple[PlanPart, Step]]
SUITS = ("answers", "labels")  # objectives without settings, which a recipe need not name


@dataclass(frozen=True, slots=True, kw_only=True)
class Only:
    """The part of a suite that is asked for: patterns of task, model and adapter names ("base" for none)."""

    task: str = "*"
    model: str = "*"
    adapter: str = "*"


def only(pattern: str) -> Only:
    """Return the part of a suite that `task/model/adapter` means, each with * and ?; a pattern left out means all."""
    if not pattern.strip():
        raise SuiteError("--only: found nothing; give task/model/adapter, or leave it out")
    parts = pattern.split("/")
    if len(parts) > 3:
        raise SuiteError(f"--only {pattern}: found {len(parts)} parts; give task/model/adapter")
    return Only(**dict(zip(("task", "model", "adapter"), (part or "*" for part in parts), strict=False)))


@dataclass(slots=True)
class PlanBuilder:
    """A plan while its steps are added."""

    suite: Suite
    pins: Pins
    seed: int
    limit: int | None
    only: Only
    steps: dict[str, Step] = field(default_factory=dict)

    def add(
        self,
        kind: StepKind,
        spec: Any,
        needs: Iterable[Step],
        label: str,
        base: str = "",
        grows: str = "",
        plugins: Iterable[tuple[str, str]] = (),  # group and name of each that can move the result
        libraries_too: Iterable[str] = (),
    ) -> Step:
        """Add a step and return it; its id is made of its kind, version, spec and needs, its libraries and its plug-ins.

        `base` names the lane, for a kind of step that runs in one.
        """
        name = kind.__name__.rpartition(".")[2]
        named = (*kind.LIBRARIES, *libraries_too)
        libraries = {lib: self.pins.libraries[lib] for lib in named if lib in self.pins.libraries}
        ids = tuple(need.id for need in needs)
        scripts = self._scripts(plugins)
        code = (libraries, scripts) if scripts else (libraries,)
        identity = digest(name, kind.VERSION, without_paths(spec), ids, *code)
        shorter = without_paths(replace(spec, **{grows: 0})) if grows else None
        lineage = digest(name, kind.VERSION, shorter, ids, *code) if grows else ""
        lane = base if kind.LANE else None
        step = Step(id=identity, kind=name, spec=spec, needs=ids, lane=lane, label=label, lineage=lineage)
        self.steps.setdefault(identity, step)
        return self.steps[identity]

    def _scripts(self, plugins: Iterable[tuple[str, str]]) -> dict[str, str]:
        """Return the digests of those plug-ins that are files of the user's own project."""
        paths = {(group, name): self.suite.plugins.get(group, {}).get(name) for group, name in plugins}
        return {f"{of[0]}/{of[1]}": self.pins.scripts[path] for of, path in sorted(paths.items()) if path}

    @property
    def asked(self) -> list[Task]:
        """Return the tasks that are asked for."""
        return [task for task in self.suite.tasks if fnmatchcase(task.name, self.only.task)]

    def samples(self, task: Task) -> int:
        """Return how many test samples of a task are asked."""
        found = self.pins.test_samples[task.name]
        return found if self.limit is None else min(self.limit, found)


def without_paths(value: object) -> Any:
    """Return a value as plain data without the paths of files: a folder may move, and its digest stands beside the path."""

    def without(data: Any) -> Any:
        match data:
            case dict():
                return {key: without(inner) for key, inner in data.items()}
            case list():
                return [without(inner) for inner in data]
            case str() if data.startswith("file:"):
                return "file:"
        return data

    return without(canonical(value))


def plan(
    suite: Suite,
    pins: Pins,
    *,
    seed: int = 0,
    limit: int | None = None,
    part: Only = Only(),
) -> Plan:
    """Return all steps of a suite, or of the part that is asked for; each step comes after the steps that it needs.

    Gates that name only what is left out are not part of the plan's suite: `unjudged` says which.
    """
    drawn = _drawn(suite, pins, seed, limit, part)
    if part == Only() or not suite.gates:
        return drawn
    try:
        whole = _drawn(suite, pins, seed, limit, Only())
    except SuiteError:  # the part can be planned where the whole cannot
        return drawn
    kept, unjudged = covered(drawn, whole)
    drawn = _drawn(replace(suite, gates=kept), pins, seed, limit, part) if unjudged else drawn
    return replace(drawn, unjudged=unjudged)


def _drawn(suite: Suite, pins: Pins, seed: int, limit: int | None, part: Only) -> Plan:
    _refuse_untrainable(suite, part)
    _refuse_unknown("task", part.task, (task.name for task in suite.tasks), part)
    _refuse_unknown("model", part.model, (model.name for model in suite.models), part)
    suite = replace(
        suite, models=tuple(model for model in suite.models if fnmatchcase(model.name, part.model))
    )
    builder = PlanBuilder(
        suite=suite, pins=pins, seed=seed, limit=suite.limit if limit is None else limit, only=part
    )
    _refuse_unknown_adapter(suite, part)
    asked = builder.asked
    _refuse_unable(suite, pins, asked)
    loads = {
        task.name: _load(builder, task)
        for task in suite.tasks
        if task in asked or task.name in suite.train_on
    }
    candidates = [*_trained(builder, loads), *_existing(builder)]
    parts: Parts = [(PlanPart(kind="load", task=name), step) for name, step in loads.items()]
    unasked: list[Unasked] = []
    for candidate in candidates:
        if candidate.step:
            system = System(model=candidate.model.name, adapter=candidate.name)
            parts.append((PlanPart(kind="train", system=system), candidate.step))
    for task in asked:
        for system, adapted, model in _systems(builder, task, candidates):
            if model and (reason := _not_applicable(builder, task, adapted, model, system.shots)):
                unasked.append(Unasked(task=task.name, system=system, reason=reason))
                continue
            rule = _stand_in(builder, task, system, model)
            blocks = _blocks(builder, task, system, adapted, None if rule else model, loads[task.name])
            parts += [(PlanPart(kind="generate", task=task.name, system=system), block) for block in blocks]
            scored = _score(builder, task, system, loads[task.name], blocks, model, rule)
            stand_in = rule if rule and model else ""
            about = PlanPart(kind="score", task=task.name, system=system, stand_in=stand_in)
            parts.append((about, scored))
            parts += _foreign(builder, task, system, loads[task.name], scored)
    parts += _spectra(builder, candidates)
    parts += [_compare(builder, task, candidates, parts) for task in asked]
    _report(builder, candidates, parts, unasked)
    return Plan(suite=suite, pins=pins, steps=tuple(builder.steps.values()), unasked=tuple(unasked))


def untrained(plan: Plan) -> Iterator[str]:
    """Yield a line for each model that the suite's recipes leave out because it cannot be trained."""
    for model in plan.suite.models:
        if plan.suite.recipes and not trainable(model):
            yield f"model {model.name}: {model.uri} cannot be trained; it is measured without the recipes' adapters"


def not_applicable(plan: Plan) -> Iterator[str]:
    """Yield a line for each task and reason for which systems of the plan cannot be asked it."""
    systems: dict[tuple[str, str], list[str]] = {}
    for cell in plan.unasked:
        systems.setdefault((cell.task, cell.reason), []).append(str(cell.system))
    for (task, reason), names in systems.items():
        yield f"task {task}: not applicable to {', '.join(names)}: {reason}"


def _refuse_untrainable(suite: Suite, part: Only) -> None:
    """Raise SuiteError where adapters are to be trained, and no model of the suite can be."""
    asked = [name for name, *_ in _to_train(suite) if fnmatchcase(name, part.adapter)]
    if asked and suite.models and not any(map(trainable, suite.models)):
        model = suite.models[0]
        raise SuiteError(
            f"recipe {suite.recipes[0].name}: model {model.name}: {model.uri} cannot be trained; "
            "use a zoo, hub or file model, or leave out `recipes` and `train_on`"
        )


def _refuse_unable(suite: Suite, pins: Pins, asked: Iterable[Task]) -> None:
    """Raise SuiteError where no model of the suite can do what a task's kind asks of it."""
    for task in asked:
        kind = kinds.find(task.kind)
        reasons = [kind.lacks(task, model, pins.models[model.name]) for model in suite.models]
        if reasons and all(reasons):
            raise SuiteError(
                f"task {task.name}, kind {task.kind}: {reasons[0]}; leave out the task, or add a model that can"
            )


def _refuse_unknown_adapter(suite: Suite, part: Only) -> None:
    """Raise UnknownName where neither an adapter of the models nor "base" matches the pattern."""
    models = {model.name for model in suite.models}
    trained = (name for name, *_ in _to_train(suite) if any(map(trainable, suite.models)))
    known = {*trained, *(adapter.name for adapter in suite.adapters if adapter.base in models), "base"}
    _refuse_unknown("adapter", part.adapter, known, part)


def _refuse_unknown(what: str, pattern: str, names: Iterable[str], part: Only) -> None:
    """Raise UnknownName where no name matches the pattern."""
    known = tuple(names)
    if not any(fnmatchcase(name, pattern) for name in known):
        raise UnknownName(what, pattern, known, f"--only {part.task}/{part.model}/{part.adapter}")


def splits_needed(suite: Suite, task: Task) -> tuple[Split, ...]:
    """Return the splits of a task that a run reads.

    Training reads the training split, and validation to choose the checkpoint; few-shot examples are training samples, and
    some trivial rules count them.
    """
    if task.name in suite.train_on and any(recipe.validation_samples for recipe in suite.recipes):
        return ("train", "validation", "test")
    if task.name in suite.train_on and suite.recipes:
        return ("train", "test")
    counted = any(rule in trivial.FROM_TRAINING for rule in task.trivial)
    return ("train", "test") if counted or task.shots or any(suite.base_shots) else ("test",)


def _load(builder: PlanBuilder, task: Task) -> Step:
    splits = splits_needed(builder.suite, task)
    spec = load_step.Load(
        source=replace(task.source, licence=None, share=None),
        data=builder.pins.sources[task.name],
        splits=splits,
        rules=builder.pins.rules.get(task.name, ()),
    )
    used = [("data", task.source.uri.partition(":")[0])]
    return builder.add(load_step, spec, (), f"load {task.name}", plugins=used)


def _asked(task: Task, shots: int, family: str | None) -> Task:
    """Return a task as models of a family are asked it, without the settings that cannot move a prompt or an answer."""
    return replace(
        task.for_family(families.asked_as(task.by_family, family)),
        name="",
        about="",
        source=Source(uri="", labels=task.source.labels),
        metrics=kinds.find(task.kind).answers_by(task),
        primary="",
        cluster=None,
        trivial=(),
        allow_empty=False,
        published=(),
        shots=shots,
    )


def _learnt(task: Task, family: str | None) -> Task:
    """Return a task as adapters of a family are trained on it, without the settings that only move answers."""
    answering = kinds.find(task.kind).of_answers
    settings = {name: value for name, value in task.settings.items() if name not in answering}
    return replace(_asked(task, 0, family), decode=Decode(), metrics=(), settings=settings)


def _model_plugins(builder: PlanBuilder, model: Model) -> list[tuple[str, str]]:
    """Return group and name of the plug-ins that a model's answers and weights go through.

    A checkpoint's files say which architecture it has, and each architecture is asked: so every file of the user's project
    that is an architecture can move the answers of a model with weights.
    """
    used = [("backends", model.uri.partition(":")[0])]
    if family := builder.pins.models[model.name].family:
        used.append(("families", family))
    if backends.of(model).folder is not None:
        used += [("architectures", name) for name in builder.suite.plugins.get("architectures", {})]
    return used


def _used(builder: PlanBuilder, model: Model) -> UsedModel:
    return UsedModel(model=replace(model, revision=None), pin=builder.pins.models[model.name])


def _trained(builder: PlanBuilder, loads: dict[str, Step]) -> list[Candidate]:
    found = []
    for model in filter(trainable, builder.suite.models):
        for name, recipe, task, seed in _to_train(builder.suite):
            if not fnmatchcase(name, builder.only.adapter):
                continue
            if kinds.find(task.kind).lacks(task, model, builder.pins.models[model.name]):
                continue  # `unasked` says why
            if not any(_runs_on(builder.suite, asked, task.name) for asked in builder.asked):
                continue  # nothing that is asked for needs it
            family = builder.pins.models[model.name].family
            objective = _objective(builder, recipe, model)
            spec = train_step.Train(
                used=_used(builder, model),
                task=_learnt(task, family),
                recipe=replace(recipe, name="", about="", seeds=(), objective=_hashed(recipe, objective)),
                seed=seed + builder.seed,
                device=builder.pins.device,
                stop=training_stop(task, builder.pins.models[model.name]),
            )
            label = f"train {model.name} + {name}"
            used = [("kinds", task.kind), ("objectives", objective), *_model_plugins(builder, model)]
            step = builder.add(train_step, spec, (loads[task.name],), label, model.name, plugins=used)
            found.append(
                Candidate(
                    name=name,
                    model=model,
                    used=UsedAdapter(),
                    trained_on=task.name,
                    recipe=recipe,
                    seed=seed + builder.seed,
                    step=step,
                )
            )
    return found


def _objective(builder: PlanBuilder, recipe: Recipe, model: Model) -> str:
    """Return the name of a recipe's objective for a model; raise SuiteError if it cannot train such a model."""
    architecture = architectures.find(builder.pins.models[model.name].architecture)
    if reason := objectives.unfit(recipe, architecture):
        raise SuiteError(
            f"recipe {recipe.name}, model {model.name}: {reason}; leave `objective` out, and each model gets the one that "
            "suits it"
        )
    return objectives.name_of(recipe, architecture)


def _hashed(recipe: Recipe, objective: str) -> Mapping[str, Any]:
    """Return a recipe's objective as it enters a step's id: named or left out, the one that suits the model is the same."""
    suits = objective in SUITS and recipe.objective == {"name": objective}
    return {"name": objectives.AUTO} if suits else recipe.objective


def training_stop(task: Task, pin: ModelPin) -> str:
    """Return the stop string that ends a training example; empty for a model with an end-of-sequence token."""
    return task.decode.stop[0] if pin.endless and task.decode.stop else ""


def _to_train(suite: Suite) -> Iterator[tuple[str, Recipe, Task, int]]:
    """Yield each adapter that is trained on every model: its name, recipe, task and seed."""
    tasks = [task for task in suite.tasks if task.name in suite.train_on]
    for recipe in suite.recipes:
        for task in tasks:
            for seed in recipe.seeds:
                yield adapter_name(recipe, task.name if len(tasks) > 1 else None, seed), recipe, task, seed


def adapter_name(recipe: Recipe, task: str | None, seed: int) -> str:
    """Return an adapter's name: the recipe's, with the task and the seed where there are several."""
    return recipe.name + (f"@{task}" if task else "") + (f"#{seed}" if len(recipe.seeds) > 1 else "")


def _existing(builder: PlanBuilder) -> list[Candidate]:
    models = {model.name: model for model in builder.suite.models}
    return [
        Candidate(
            name=adapter.name,
            model=models[adapter.base],
            used=UsedAdapter(
                existing=replace(adapter, revision=None), revision=builder.pins.adapters[adapter.name]
            ),
        )
        for adapter in builder.suite.adapters
        if adapter.base in models and fnmatchcase(adapter.name, builder.only.adapter)
    ]


def _systems(
    builder: PlanBuilder, task: Task, candidates: Sequence[Candidate]
) -> list[tuple[System, Candidate | None, Model | None]]:
    """Return the systems that answer a task: trivial rules, bases at each number of shots, and adapters."""
    suite = builder.suite
    found: list[tuple[System, Candidate | None, Model | None]] = [
        (System.of_rule(rule), None, None) for rule in task.trivial
    ]
    for model in suite.models:
        found += [(System(model=model.name, shots=shots), None, model) for shots in suite.base_shots]
        found += [
            (System(model=model.name, adapter=candidate.name), candidate, model)
            for candidate in candidates
            if candidate.model == model and _runs_on(suite, task, candidate.trained_on)
        ]
    return found


def _not_applicable(
    builder: PlanBuilder, task: Task, candidate: Candidate | None, model: Model, shots: int
) -> str | None:
    """Return why a system cannot be asked a task, as a clause; None where it can."""
    kind, pin = kinds.find(task.kind), builder.pins.models[model.name]
    if kind.verb(task, model, pin) == "head":
        if candidate and candidate.trained_on not in (None, task.name):
            return f"its head was trained for the labels of {candidate.trained_on}"
        if shots:
            return "an encoder reads no examples"
        if candidate is None and "train" not in splits_needed(builder.suite, task):
            return "its head is not trained"
    return kind.lacks(task, model, pin)


def _stand_in(builder: PlanBuilder, task: Task, system: System, model: Model | None) -> str | None:
    """Return the trivial rule that answers for a system: its own, or that in place of a base without a trained head."""
    if model is None or system.adapter:
        return system.rule
    kind = kinds.find(task.kind)
    return kind.stand_in if kind.verb(task, model, builder.pins.models[model.name]) == "head" else None


def _runs_on(suite: Suite, task: Task, trained_on: str | None) -> bool:
    """Return whether adapters that were trained on a task are measured on another; None: it is not known on which."""
    across = suite.across or ("all" if len(suite.tasks) <= MOST_TASKS_ACROSS else "own")
    if across == "all" or trained_on in (None, task.name):
        return True
    return across != "own" and task.name in across


def _blocks(
    builder: PlanBuilder,
    task: Task,
    system: System,
    candidate: Candidate | None,
    model: Model | None,
    load: Step,
) -> list[Step]:
    if model is None:
        return []
    needs = [load, candidate.step] if candidate and candidate.step else [load]
    total = builder.samples(task)
    asked = _asked(task, task.shots + system.shots, builder.pins.models[model.name].family)
    found = []
    for start in range(0, total, BLOCK):
        spec = generate_step.Generate(
            used=_used(builder, model),
            adapter=candidate.used if candidate else None,
            task=asked,
            start=start,
            stop=min(start + BLOCK, total),
            device=builder.pins.device,
        )
        label = f"generate {task.name}, {system}"
        used = [("kinds", task.kind), *_model_plugins(builder, model)]
        libraries = backends.of(model).libraries
        found.append(
            builder.add(
                generate_step,
                spec,
                needs,
                label,
                model.name,
                grows="stop",
                plugins=used,
                libraries_too=libraries,
            )
        )
    return found


def _score(
    builder: PlanBuilder,
    task: Task,
    system: System,
    load: Step,
    blocks: list[Step],
    model: Model | None,
    rule: str | None,
) -> Step:
    spec = score_step.ScoreAnswers(
        task=task.name,
        system=system,
        metrics=_own(task.metrics),
        primary=task.primary,
        cluster=task.cluster,
        rule=rule,
        samples=builder.samples(task),
        seed=builder.seed,
    )
    base = model.name if model else "trivial rules"
    used = [("metrics", parse(metric).own) for metric in spec.metrics]
    label = f"score {task.name}, {system}"
    return builder.add(score_step, spec, (load, *blocks), label, base, plugins=used)


def _own(metrics: Iterable[str]) -> tuple[str, ...]:
    """Return the metrics that are no programs of other people: each such program has a step of its own."""
    return tuple(metric for metric in metrics if not is_program(metric))


def _foreign(builder: PlanBuilder, task: Task, system: System, load: Step, scored: Step) -> Parts:
    """Return a step for each metric that is a program of other people: where it fails, the other scores stay."""
    found: Parts = []
    for metric in (metric for metric in task.metrics if is_program(metric)):
        spec = foreign_step.ForeignScore(
            task=task.name,
            system=system,
            metric=metric,
            script=builder.pins.scripts.get(metric),
            primary=task.primary,
            samples=builder.samples(task),
        )
        label = f"score {task.name}, {system} by {PROGRAM}{metric.rpartition('/')[2].removeprefix(PROGRAM)}"
        step = builder.add(foreign_step, spec, (load, scored), label.removesuffix(".py"), scored.lane or "")
        found.append((PlanPart(kind="foreign", task=task.name, system=system), step))
    return found


def _spectra(builder: PlanBuilder, candidates: Sequence[Candidate]) -> Parts:
    found: Parts = []
    if builder.suite.weights is None:
        return found
    for model in builder.suite.models:
        if backends.of(model).folder is None:
            continue  # no weights to look at
        for candidate in [None, *(candidate for candidate in candidates if candidate.model == model)]:
            name = candidate.name if candidate else None
            spec = spectra_step.Spectra(
                used=_used(builder, model),
                adapter=candidate.used if candidate else None,
                name=name,
                weighing=builder.suite.weights,
            )
            needs = (candidate.step,) if candidate and candidate.step else ()
            system = System(model=model.name, adapter=name)
            used = _model_plugins(builder, model)
            step = builder.add(spectra_step, spec, needs, f"weigh {system}", model.name, plugins=used)
            found.append((PlanPart(kind="spectra", system=system), step))
    return found


def _compare(
    builder: PlanBuilder, task: Task, candidates: Sequence[Candidate], parts: Parts
) -> tuple[PlanPart, Step]:
    """Return the step that compares a task's systems: each task has its own, so that a finished task can be shown."""
    known = {
        System(model=candidate.model.name, adapter=candidate.name): candidate for candidate in candidates
    }
    scored = [(part, step) for part, step in parts if part.kind == "score" and part.task == task.name]
    cells = tuple(
        Cell(
            task=task.name,
            system=part.system,
            metrics=_own(task.metrics),
            primary=task.primary,
            recipe=candidate.recipe.name if candidate and candidate.recipe else None,
            trained_on=candidate.trained_on if candidate else None,
            seed=candidate.seed if candidate else None,
        )
        for part, _ in scored
        if part.system
        for candidate in [known.get(part.system)]
    )
    spec = compare_step.Compare(cells=cells, seed=builder.seed)
    step = builder.add(compare_step, spec, [step for _, step in scored], f"compare {task.name}")
    return PlanPart(kind="compare", task=task.name), step


def _report(
    builder: PlanBuilder, candidates: Sequence[Candidate], parts: Parts, unasked: Sequence[Unasked]
) -> Step:
    recipes = tuple(replace(recipe, about="") for recipe in builder.suite.recipes)
    spec = report_step.Report(
        suite=replace(builder.suite, recipes=recipes),
        pins=builder.pins,
        seed=builder.seed,
        limit=builder.limit,
        parts=tuple(part for part, _ in parts),
        unasked=tuple(unasked),
        adapters=tuple(
            AdapterFacts(
                name=candidate.name,
                model=candidate.model.name,
                recipe=candidate.recipe.name if candidate.recipe else None,
                trained_on=candidate.trained_on,
                seed=candidate.seed,
                uri=candidate.used.existing.uri if candidate.used.existing else None,
            )
            for candidate in candidates
        ),
    )
    return builder.add(report_step, spec, [step for _, step in parts], "report")
