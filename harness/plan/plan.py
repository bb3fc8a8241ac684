"""Suite and pins to Plan: every step, each named by all that can move its result.

Pure: no file, clock or environment is read.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from fnmatch import fnmatchcase
from typing import Any

from harness import backends
from harness.backends import trainable
from harness.digest import canonical, digest
from harness.errors import SuiteError, UnknownName
from harness.plugins.choice import parse
from harness.results import AdapterFacts
from harness.run.steps import Part, StepKind, UsedAdapter, UsedModel
from harness.run.steps import compare as compare_step
from harness.run.steps import foreign as foreign_step
from harness.run.steps import generate as generate_step
from harness.run.steps import load as load_step
from harness.run.steps import report as report_step
from harness.run.steps import score as score_step
from harness.run.steps import spectra as spectra_step
from harness.run.steps import train as train_step
from harness.scoring.questions import Cell
from harness.tasks.metric_names import PROGRAM, is_program
from harness.types import Decode, Model, Pins, Plan, Recipe, Source, Split, Step, Suite, System, Task

BLOCK = 512  # test samples a generate step covers at most
MOST_TASKS_ACROSS = 4  # up to so many tasks, every adapter is run on all of them


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """An adapter of the plan: one that is trained here (by a recipe, on a task, with a seed) or exists already."""

    name: str
    model: Model
    used: UsedAdapter
    trained_on: str | None = None
    recipe: Recipe | None = None
    seed: int | None = None
    step: Step | None = None  # its training


Parts = list[tuple[Part, Step]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Only:
    """The part of a suite that is asked for: patterns of task, model and adapter names ("base" for none)."""

    task: str = "*"
    model: str = "*"
    adapter: str = "*"


def only(pattern: str) -> Only:
    """`task/model/adapter`, each with * and ?; what is left out stands for all."""
    if not pattern.strip():
        raise SuiteError("--only: found nothing; give task/model/adapter, or leave it out")
    parts = pattern.split("/")
    if len(parts) > 3:
        raise SuiteError(f"--only {pattern}: found {len(parts)} parts; give task/model/adapter")
    return Only(**dict(zip(("task", "model", "adapter"), (part or "*" for part in parts), strict=False)))


@dataclass(slots=True)
class Draft:
    """The plan while it is drawn up."""

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
        """Add a step, named by its kind and version, spec, needs and the code of others that can move its result.

        `base` names the lane, for a kind that runs in one.
        """
        name = kind.__name__.rpartition(".")[2]
        named = (*kind.LIBRARIES, *libraries_too)
        libraries = {lib: self.pins.libraries[lib] for lib in named if lib in self.pins.libraries}
        ids = tuple(need.id for need in needs)
        scripts = self._scripts(plugins)
        code = (libraries, scripts) if scripts else (libraries,)
        identity = digest(name, kind.VERSION, placeless(spec), ids, *code)
        shorter = placeless(replace(spec, **{grows: 0})) if grows else None
        lineage = digest(name, kind.VERSION, shorter, ids, *code) if grows else ""
        lane = base if kind.LANE else None
        step = Step(id=identity, kind=name, spec=spec, needs=ids, lane=lane, label=label, lineage=lineage)
        self.steps.setdefault(identity, step)
        return self.steps[identity]

    def _scripts(self, plugins: Iterable[tuple[str, str]]) -> dict[str, str]:
        """Return the digests of those plug-ins that are files of the user's own project."""
        paths = {(group, name): self.suite.plugins.get(group, {}).get(name) for group, name in plugins}
        return {f"{of[0]}/{of[1]}": self.pins.scripts[path] for of, path in sorted(paths.items()) if path}

    def samples(self, task: Task) -> int:
        found = self.pins.test_samples[task.name]
        return found if self.limit is None else min(self.limit, found)


def placeless(value: object) -> Any:
    """The value as plain data without the places of files: their digests stand beside them, and a folder may move."""

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
    """All steps of a suite, or of the part that is asked for, needs before what needs them."""
    _refuse_untrainable(suite, part)
    _refuse_unknown("task", part.task, (task.name for task in suite.tasks), part)
    _refuse_unknown("model", part.model, (model.name for model in suite.models), part)
    suite = replace(
        suite, models=tuple(model for model in suite.models if fnmatchcase(model.name, part.model))
    )
    draft = Draft(suite=suite, pins=pins, seed=seed, limit=suite.limit if limit is None else limit, only=part)
    _refuse_unknown_adapter(suite, part)
    asked = [task for task in suite.tasks if fnmatchcase(task.name, part.task)]
    loads = {
        task.name: _load(draft, task) for task in suite.tasks if task in asked or task.name in suite.train_on
    }
    candidates = [*_trained(draft, loads), *_existing(draft)]
    parts: Parts = [(Part(kind="load", task=name), step) for name, step in loads.items()]
    for one in candidates:
        if one.step:
            parts.append(
                (
                    Part(kind="train", system=System(model=one.model.name, adapter=one.name)),
                    one.step,
                )
            )
    for task in asked:
        for system, candidate, model in _systems(draft, task, candidates):
            blocks = _blocks(draft, task, system, candidate, model, loads[task.name])
            parts += [(Part(kind="generate", task=task.name, system=system), block) for block in blocks]
            scored = _score(draft, task, system, loads[task.name], blocks, model)
            parts.append((Part(kind="score", task=task.name, system=system), scored))
            parts += _foreign(draft, task, system, loads[task.name], scored)
    parts += _spectra(draft, candidates)
    parts.append((Part(kind="compare"), _compare(draft, candidates, parts)))
    _report(draft, candidates, parts)
    return Plan(suite=suite, pins=pins, steps=tuple(draft.steps.values()))


def untrained(plan: Plan) -> Iterator[str]:
    """Yield a line for each model that the suite's recipes leave out because it cannot be trained."""
    for model in plan.suite.models:
        if plan.suite.recipes and not trainable(model):
            yield f"model {model.name}: {model.uri} cannot be trained; it is measured without the recipes' adapters"


def _refuse_untrainable(suite: Suite, part: Only) -> None:
    """Raise SuiteError where adapters are to be trained, and no model of the suite can be."""
    asked = [name for name, *_ in _to_train(suite) if fnmatchcase(name, part.adapter)]
    if asked and suite.models and not any(map(trainable, suite.models)):
        one = suite.models[0]
        raise SuiteError(
            f"recipe {suite.recipes[0].name}: model {one.name}: {one.uri} cannot be trained; "
            "use a zoo, hub or file model, or leave out `recipes` and `train_on`"
        )


def _refuse_unknown_adapter(suite: Suite, part: Only) -> None:
    """Raise UnknownName where no adapter of the models, nor "base", is as the pattern says."""
    models = {model.name for model in suite.models}
    trained = (name for name, *_ in _to_train(suite) if any(map(trainable, suite.models)))
    known = {*trained, *(one.name for one in suite.adapters if one.base in models), "base"}
    _refuse_unknown("adapter", part.adapter, known, part)


def _refuse_unknown(what: str, pattern: str, names: Iterable[str], part: Only) -> None:
    """Raise UnknownName where none of the names is as the pattern says."""
    known = tuple(names)
    if not any(fnmatchcase(name, pattern) for name in known):
        raise UnknownName(what, pattern, known, f"--only {part.task}/{part.model}/{part.adapter}")


def splits_needed(suite: Suite, task: Task) -> tuple[Split, ...]:
    """Training needs its split, and one to choose the checkpoint by; few-shot examples come from training."""
    if task.name in suite.train_on and any(recipe.validation_samples for recipe in suite.recipes):
        return ("train", "validation", "test")
    if task.name in suite.train_on and suite.recipes:
        return ("train", "test")
    return ("train", "test") if task.shots or any(suite.base_shots) else ("test",)


def _load(draft: Draft, task: Task) -> Step:
    splits = splits_needed(draft.suite, task)
    spec = load_step.Load(
        source=replace(task.source, licence=None, share=None),
        data=draft.pins.sources[task.name],
        splits=splits,
    )
    used = [("data", task.source.uri.partition(":")[0])]
    return draft.add(load_step, spec, (), f"load {task.name}", plugins=used)


def _asked(task: Task, shots: int) -> Task:
    """The task without what cannot move a prompt or an answer."""
    return replace(
        task,
        name="",
        about="",
        source=Source(uri=""),
        metrics=(),
        primary="",
        cluster=None,
        trivial=(),
        allow_empty=False,
        shots=shots,
    )


def _model_plugins(draft: Draft, model: Model) -> list[tuple[str, str]]:
    """Return the plug-ins that a model's answers and weights go through."""
    family = draft.pins.models[model.name].family
    return [("backends", model.uri.partition(":")[0]), *([("families", family)] if family else [])]


def _used(draft: Draft, model: Model) -> UsedModel:
    return UsedModel(model=replace(model, revision=None), pin=draft.pins.models[model.name])


def _trained(draft: Draft, loads: dict[str, Step]) -> list[Candidate]:
    found = []
    for model in filter(trainable, draft.suite.models):
        for name, recipe, task, seed in _to_train(draft.suite):
            if not fnmatchcase(name, draft.only.adapter):
                continue
            spec = train_step.Train(
                used=_used(draft, model),
                task=replace(_asked(task, shots=0), decode=Decode()),
                recipe=replace(recipe, name="", seeds=()),
                seed=seed + draft.seed,
                device=draft.pins.device,
            )
            label = f"train {model.name} + {name}"
            used = [("kinds", task.kind), *_model_plugins(draft, model)]
            step = draft.add(train_step, spec, (loads[task.name],), label, model.name, plugins=used)
            found.append(
                Candidate(
                    name=name,
                    model=model,
                    used=UsedAdapter(),
                    trained_on=task.name,
                    recipe=recipe,
                    seed=seed + draft.seed,
                    step=step,
                )
            )
    return found


def _to_train(suite: Suite) -> Iterator[tuple[str, Recipe, Task, int]]:
    """Yield what is trained on each model: the adapter's name, its recipe, its task and its seed."""
    tasks = [task for task in suite.tasks if task.name in suite.train_on]
    for recipe in suite.recipes:
        for task in tasks:
            for seed in recipe.seeds:
                yield adapter_name(recipe, task.name if len(tasks) > 1 else None, seed), recipe, task, seed


def adapter_name(recipe: Recipe, task: str | None, seed: int) -> str:
    """The recipe's name, with the task and the seed where there are several."""
    return recipe.name + (f"@{task}" if task else "") + (f"#{seed}" if len(recipe.seeds) > 1 else "")


def _existing(draft: Draft) -> list[Candidate]:
    models = {model.name: model for model in draft.suite.models}
    return [
        Candidate(
            name=adapter.name,
            model=models[adapter.base],
            used=UsedAdapter(
                existing=replace(adapter, revision=None), revision=draft.pins.adapters[adapter.name]
            ),
        )
        for adapter in draft.suite.adapters
        if adapter.base in models and fnmatchcase(adapter.name, draft.only.adapter)
    ]


def _systems(
    draft: Draft, task: Task, candidates: Sequence[Candidate]
) -> list[tuple[System, Candidate | None, Model | None]]:
    """Who answers the task: trivial rules, bases at each number of shots, adapters."""
    suite = draft.suite
    found: list[tuple[System, Candidate | None, Model | None]] = [
        (System.of_rule(rule), None, None) for rule in task.trivial
    ]
    for model in suite.models:
        found += [(System(model=model.name, shots=shots), None, model) for shots in suite.base_shots]
        found += [
            (System(model=model.name, adapter=one.name), one, model)
            for one in candidates
            if one.model == model and _runs_on(suite, task, one)
        ]
    return found


def _runs_on(suite: Suite, task: Task, candidate: Candidate) -> bool:
    across = suite.across or ("all" if len(suite.tasks) <= MOST_TASKS_ACROSS else "own")
    if across == "all" or candidate.trained_on in (None, task.name):
        return True
    return across != "own" and task.name in across


def _blocks(
    draft: Draft, task: Task, system: System, candidate: Candidate | None, model: Model | None, load: Step
) -> list[Step]:
    if model is None:
        return []
    needs = [load, candidate.step] if candidate and candidate.step else [load]
    total = draft.samples(task)
    found = []
    for start in range(0, total, BLOCK):
        spec = generate_step.Generate(
            used=_used(draft, model),
            adapter=candidate.used if candidate else None,
            task=_asked(task, shots=task.shots + system.shots),
            start=start,
            stop=min(start + BLOCK, total),
            device=draft.pins.device,
        )
        label = f"generate {task.name}, {system}"
        used = [("kinds", task.kind), *_model_plugins(draft, model)]
        libraries = backends.of(model).libraries
        found.append(
            draft.add(
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
    draft: Draft, task: Task, system: System, load: Step, blocks: list[Step], model: Model | None
) -> Step:
    spec = score_step.ScoreAnswers(
        task=task.name,
        system=system,
        metrics=_own(task.metrics),
        primary=task.primary,
        cluster=task.cluster,
        rule=system.rule,
        samples=draft.samples(task),
        seed=draft.seed,
    )
    base = model.name if model else "trivial rules"
    used = [("metrics", parse(metric).own) for metric in spec.metrics]
    label = f"score {task.name}, {system}"
    return draft.add(score_step, spec, (load, *blocks), label, base, plugins=used)


def _own(metrics: Iterable[str]) -> tuple[str, ...]:
    """Return the metrics that are no programs of others; those have a step each."""
    return tuple(metric for metric in metrics if not is_program(metric))


def _foreign(draft: Draft, task: Task, system: System, load: Step, scored: Step) -> Parts:
    """Return a step for each metric that is somebody's own program: where it fails, the other scores stand."""
    found: Parts = []
    for metric in (metric for metric in task.metrics if is_program(metric)):
        spec = foreign_step.ForeignScore(
            task=task.name,
            system=system,
            metric=metric,
            script=draft.pins.scripts.get(metric),
            primary=task.primary,
            samples=draft.samples(task),
        )
        label = f"score {task.name}, {system} by {PROGRAM}{metric.rpartition('/')[2].removeprefix(PROGRAM)}"
        step = draft.add(foreign_step, spec, (load, scored), label.removesuffix(".py"), scored.lane or "")
        found.append((Part(kind="foreign", task=task.name, system=system), step))
    return found


def _spectra(draft: Draft, candidates: Sequence[Candidate]) -> Parts:
    found: Parts = []
    if draft.suite.weights is None:
        return found
    for model in draft.suite.models:
        if backends.of(model).folder is None:
            continue  # no weights to look at
        for one in [None, *(one for one in candidates if one.model == model)]:
            name = one.name if one else None
            spec = spectra_step.Spectra(
                used=_used(draft, model),
                adapter=one.used if one else None,
                name=name,
                weighing=draft.suite.weights,
            )
            needs = (one.step,) if one and one.step else ()
            system = System(model=model.name, adapter=name)
            used = _model_plugins(draft, model)
            step = draft.add(spectra_step, spec, needs, f"weigh {system}", model.name, plugins=used)
            found.append((Part(kind="spectra", system=system), step))
    return found


def _compare(draft: Draft, candidates: Sequence[Candidate], parts: Parts) -> Step:
    tasks = {task.name: task for task in draft.suite.tasks}
    known = {System(model=one.model.name, adapter=one.name): one for one in candidates}
    scored = [(part, step) for part, step in parts if part.kind == "score"]
    cells = tuple(
        Cell(
            task=part.task,
            system=part.system,
            metrics=_own(tasks[part.task].metrics),
            primary=tasks[part.task].primary,
            recipe=one.recipe.name if one and one.recipe else None,
            trained_on=one.trained_on if one else None,
            seed=one.seed if one else None,
        )
        for part, _ in scored
        if part.system
        for one in [known.get(part.system)]
    )
    spec = compare_step.Compare(cells=cells, seed=draft.seed)
    return draft.add(compare_step, spec, [step for _, step in scored], "compare")


def _report(draft: Draft, candidates: Sequence[Candidate], parts: Parts) -> Step:
    spec = report_step.Report(
        suite=draft.suite,
        pins=draft.pins,
        seed=draft.seed,
        limit=draft.limit,
        parts=tuple(part for part, _ in parts),
        adapters=tuple(
            AdapterFacts(
                name=one.name,
                model=one.model.name,
                recipe=one.recipe.name if one.recipe else None,
                trained_on=one.trained_on,
                seed=one.seed,
                uri=one.used.existing.uri if one.used.existing else None,
            )
            for one in candidates
        ),
    )
    return draft.add(report_step, spec, [step for _, step in parts], "report")
