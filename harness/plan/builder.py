"""Hold a plan while its steps are added: what all steps have in common, and how an id is made."""

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from fnmatch import fnmatchcase
from typing import Any

from harness import backends, families, kinds
from harness.data import is_local
from harness.digest import canonical, digest
from harness.plan.only import Only
from harness.run.steps import PlanPart, StepKind, UsedModel
from harness.types import (
    Model,
    Pins,
    Source,
    Step,
    Suite,
    Task,
    Uri,
)

Parts = list[tuple[PlanPart, Step]]


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
            case str() if data.startswith("file:") or is_local(data):
                return f"{Uri.parse(data).scheme}:"
        return data

    return without(canonical(value))


def used_model(builder: PlanBuilder, model: Model) -> UsedModel:
    """Return a model as steps use it; its pin stands for its revision."""
    return UsedModel(model=replace(model, revision=None), pin=builder.pins.models[model.name])


def asked_task(task: Task, shots: int, family: str | None) -> Task:
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
        judge=None,
        calibrate=None,
        shots=shots,
    )


def model_plugins(builder: PlanBuilder, model: Model) -> list[tuple[str, str]]:
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
