"""Add the steps in which judges look at answers, and those in which their errors are measured on labelled answers."""

from collections.abc import Mapping, Sequence

from harness import metrics
from harness.errors import SuiteError
from harness.plan.adapters import Candidate
from harness.plan.builder import Parts, PlanBuilder, model_plugins, used_model
from harness.plugins.choice import parse
from harness.run import judging
from harness.run.steps import PlanPart
from harness.run.steps import calibrate as calibrate_step
from harness.run.steps import judge as judge_step
from harness.types import AnswerJudge, Model, Step, System, Task


def judge(
    builder: PlanBuilder,
    task: Task,
    system: System,
    load: Step,
    rule: str | None,
    answered: Mapping[System, list[Step]],  # the blocks of answers, of the base too
    candidates: Sequence[Candidate],
) -> list[Step]:
    """Return the step in which the task's judge looks at a system's answers; none where the task has no judge."""
    if task.judge is None:
        return []
    blocks, base = answered[system], _base(task.judge, system, answered)
    model, adapter = _judging(builder, task.judge, task, candidates)
    spec = judge_step.JudgeAnswers(
        task=task.name,
        system=system,
        judge=task.judge,
        used=used_model(builder, model),
        adapter=adapter.used if adapter else None,
        samples=builder.samples(task),
        blocks=len(blocks),
        rule=rule,
        device=builder.pins.device,
        beside=len(base),
    )
    needs = [load, *blocks, *base, *([adapter.step] if adapter and adapter.step else [])]
    label = f"judge {task.name}, {system}"
    used = model_plugins(builder, model)
    return [builder.add(judge_step, spec, needs, label, model.name, plugins=used)]


def calibrate(builder: PlanBuilder, task: Task, candidates: Sequence[Candidate]) -> Parts:
    """Return the step in which the errors of a task's judges are measured; none without labelled answers."""
    if task.calibrate is None:
        return []
    finds = {
        metric: found if task.judge is None or parse(metric).own != "judge" else task.judge.finds
        for metric in task.metrics
        if (found := metrics.finds(metric)) is not None
    }
    model, adapter = _judging(builder, task.judge, task, candidates) if task.judge else (None, None)
    spec = calibrate_step.Calibrate(
        task=task.name,
        finds=finds,
        labelled=task.calibrate,
        digest=builder.pins.labelled[task.name],
        device=builder.pins.device,
        judge=task.judge,
        used=used_model(builder, model) if model else None,
        adapter=adapter.used if adapter else None,
    )
    needs = [adapter.step] if adapter and adapter.step else []
    used = [("metrics", parse(metric).own) for metric in finds]
    used += model_plugins(builder, model) if model else []
    lane = model.name if model else "trivial rules"
    step = builder.add(calibrate_step, spec, needs, f"calibrate {task.name}", lane, plugins=used)
    return [(PlanPart(kind="calibrate", task=task.name), step)]


def _base(judge: AnswerJudge, system: System, answered: Mapping[System, list[Step]]) -> list[Step]:
    """Return the blocks of the base's answers, beside which those of a system are judged; none unless in pairs."""
    if not judge.pairs:
        return []
    return answered.get(system.base, [])


def _judging(
    builder: PlanBuilder, judge: AnswerJudge, task: Task, candidates: Sequence[Candidate]
) -> tuple[Model, Candidate | None]:
    """Return the model that judges, and its adapter; raise SuiteError where it cannot judge, or is left out."""
    where = f"task {task.name}: judge"
    model = next((model for model in builder.suite.models if model.name == judge.model), None)
    if model is None:
        raise SuiteError(
            f"{where}: the part asked for leaves out the model {judge.model}, which judges; widen --only"
        )
    by_head = judging.verb(judge, model, builder.pins.models[model.name]) == "head"
    if judge.adapter is None:
        if by_head:
            raise SuiteError(
                f"{where}: {model.uri} is an encoder without a trained head; name an adapter of it that was trained"
            )
        return model, None
    for candidate in candidates:
        if (candidate.model.name, candidate.name) == (model.name, judge.adapter):
            _refuse_other_labels(builder, judge, candidate, where, by_head=by_head)
            return model, candidate
    known = ", ".join(each.name for each in candidates if each.model.name == model.name) or "none"
    raise SuiteError(f"{where}: no adapter of {model.name} is named {judge.adapter!r}; known: {known}")


def _refuse_other_labels(
    builder: PlanBuilder, judge: AnswerJudge, candidate: Candidate, where: str, *, by_head: bool
) -> None:
    """Raise SuiteError where the options of a judge are not the labels that its head was trained for, in their order."""
    trained_on = next((task for task in builder.suite.tasks if task.name == candidate.trained_on), None)
    if by_head and trained_on and trained_on.source.labels != judge.options:
        labels = ", ".join(trained_on.source.labels)
        raise SuiteError(
            f"{where}: found the options {', '.join(judge.options)}, and {candidate.name} was trained for {labels}; "
            f"write `options: [{labels}]`"
        )
