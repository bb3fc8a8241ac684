"""A page of plain data made from a RESULT; HTML, Markdown and the terminal only lay it out."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from typing import Literal

import numpy as np

from harness import metrics
from harness import text as words
from harness.report import halving, judged
from harness.report.answer import Answer, Field, Sentence, answer
from harness.report.doubts import empty_share, is_doubt
from harness.report.explorer import sample_link
from harness.report.forgetting import Forgetting, forgetting
from harness.report.halving import HalvingTable
from harness.report.judged import JudgedSection
from harness.report.manifest import Manifest, manifest
from harness.report.marks import NONE, marks
from harness.report.matrix import TransferMatrix, matrix
from harness.report.overview import Overview, overview
from harness.report.picks import Pick, change_of, pick
from harness.report.price import price
from harness.report.published import PublishedTable, published
from harness.report.scaling import ScaledAdapter, scaled
from harness.report.slices import Cut, cuts
from harness.report.spending import spending
from harness.report.stages import begun
from harness.report.task_samples import ShownNumber, TaskSamples, Values
from harness.report.unasked import stand_ins, unasked
from harness.report.voted import voted
from harness.report.weighed import WeightSection, section
from harness.results import Curve, ModelFacts, Result, StepFacts, SuiteFacts, TaskFacts
from harness.results import verdicts as gates
from harness.results.costs import Costs, costs
from harness.results.missing import missing, unfinished_sentence
from harness.results.odd import NOT_APPLICABLE, STAND_IN, VOTE, Share
from harness.run.steps import ADAPTER
from harness.scoring.comparisons import counted
from harness.types import Comparison, Note, Score, System, Verdict
from harness.types.plan import HAS_RESULT

Role = Literal["trivial", "base", "adapter"]
TIE = 1e-9  # points: two scores of a sample closer than this differ only by rounding


@dataclass(frozen=True, slots=True, kw_only=True)
class ScoreLine:
    """A line of a task's score table: one system."""

    system: System
    role: Role
    score: Score
    others: tuple[Score, ...]  # the task's other metrics, in the columns' order
    to_base: Comparison | None
    mark: str  # beside its name: "best", "best model, behind copy of the input", "tie" or ""
    best: bool  # no system has a better score, trivial rules included
    tied: bool  # not significantly behind the best model
    away: bool  # an adapter on a task that it was not trained on
    costs: Costs
    empty: Share | None = None  # share of empty answers, if more than 5 %
    moved: tuple[int, int] | None = None  # counts of samples on which it does better and worse than its base
    stand_in: str = ""  # "no trained head: …" if a trivial rule answers in place of the base


@dataclass(frozen=True, slots=True, kw_only=True)
class ComparisonFamily:
    """The comparisons of one question, which are corrected together (a Holm family)."""

    title: str
    comparisons: tuple[Comparison, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskPage:
    """Everything that the page shows about one task."""

    facts: TaskFacts
    metric: str  # its name for people
    unit: str
    lower_is_better: bool
    signature: str
    samples: int
    top: float  # end of the axis of the interval bars
    bottom: float  # its beginning: 0, or less where a score or an interval is negative
    answer: Answer | None
    price: Sentence  # what the winner cost
    untrained: bool  # every adapter that answered was trained on another task
    other_metrics: tuple[str, ...]
    lines: tuple[ScoreLine, ...]
    groups: tuple[ComparisonFamily, ...]
    unasked: tuple[str, ...] = ()  # lines about systems that cannot be asked it
    votes: tuple[str, ...] = ()  # a line for each system whose answers are decided by a vote
    stages: tuple[str, ...] = ()  # a line for each adapter whose training began with another's factors
    spending: tuple[str, ...] = ()  # a line for each system that a server answered for
    picks: tuple[Pick, ...] = ()
    shown: ShownNumber | None = None  # what the numbers of single samples are; None: without samples
    cuts: tuple[Cut, ...] = ()
    published: PublishedTable | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """The content of a report, without its layout."""

    title: str
    suite: SuiteFacts
    models: Mapping[str, ModelFacts]
    tasks: tuple[TaskPage, ...]
    overview: Overview | None
    matrix: TransferMatrix | None
    forgetting: Forgetting | None
    judged: tuple[JudgedSection, ...]
    scaled: tuple[ScaledAdapter, ...]
    verdicts: tuple[Verdict, ...]
    curves: tuple[Curve, ...]
    halvings: tuple[HalvingTable, ...]
    weights: WeightSection
    notes: tuple[Note, ...]
    failed: tuple[StepFacts, ...]
    steps: tuple[StepFacts, ...]
    manifest: Manifest
    command: str
    created: str
    withheld: tuple[str, ...] = ()  # tasks whose texts this copy leaves out

    @property
    def partial(self) -> str:
        """Return a sentence if steps have no result, "" if all are done."""
        if (lacks := missing(self.steps)) is None:
            return ""
        if lacks.unfinished:
            return unfinished_sentence(self.steps, len(self.suite.tasks))
        have = "has" if len(lacks.labels) == 1 else "have"
        return (
            f"This RESULT is partial: {len(lacks.labels)} of {words.plural(lacks.of, 'step')} {have} no result, "
            "and what is missing is not shown."
        )

    @property
    def trained(self) -> tuple[tuple[str, str], ...]:
        """Return each adapter that was trained, and its folder within the store of finished steps."""
        return tuple(
            (words.system(step.system) if step.system else step.label, f"done/{step.id}/{ADAPTER}")
            for step in self.steps
            if step.kind == "train" and step.state in HAS_RESULT
        )

    @property
    def further(self) -> str:
        """Return how many notes and failed steps there are besides the doubts beside the answers; "" without any."""
        answered = {task.facts.name for task in self.tasks if task.answer}
        told = [note for note in self.notes if is_doubt(note) and note.where.split(", ")[0] in answered]
        count = len(self.notes) - len(told) + len(self.failed)
        further = "further note" if told else "note"
        return f"{words.plural(count, further)} on what did not go as planned" if count else ""

    @property
    def unfinished(self) -> bool:
        """Return whether the run went on when the RESULT was written."""
        return any(step.state == "waiting" for step in self.steps)

    def sample_link(self, note: Note, sample: str) -> str | None:
        """Return the link to a sample that a note names; `note.where` begins with the task's name."""
        names = [task.facts.name for task in self.tasks]
        task = next(
            (name for name in names if note.where == name or note.where.startswith(f"{name}, ")), None
        )
        return None if task is None else sample_link(task, sample)


def build(result: Result, task_samples: Mapping[str, TaskSamples] | None = None) -> Page:
    """Return the page; without samples it is made from result.json and the gates' verdicts only."""
    result = _counted(result)
    tasks = sorted(result.suite.tasks, key=lambda task: not _trained_here(result, task))
    pages = tuple(_task(result, task) for task in tasks if _scored(result, task))
    verdicts, left_out = gates.follow(gates.read(result.folder), result)
    page = Page(
        title=result.suite.name,
        suite=result.suite,
        models={model.name: model for model in result.suite.models},
        tasks=pages,
        overview=overview(pages),
        matrix=matrix(pages),
        forgetting=forgetting(result, pages),
        judged=judged.sections(result),
        scaled=scaled(result),
        verdicts=verdicts,
        curves=result.curves,
        halvings=halving.tables(result),
        weights=section(result.weights),
        notes=(
            # Notes on steps are left out: `failed` has more details. Notes on cells stand in the tables.
            *(
                note
                for note in result.notes
                if not note.kind.startswith(("step ", NOT_APPLICABLE, STAND_IN, VOTE))
            ),
            *left_out,
        ),
        failed=tuple(step for step in result.steps if step.state in ("failed", "skipped")),
        steps=result.steps,
        manifest=manifest(result),
        command=result.manifest.command,
        created=result.manifest.created,
        withheld=result.withheld,
    )
    return page if task_samples is None else with_samples(page, result, task_samples)


def _counted(result: Result) -> Result:
    """Return the RESULT without counts of samples under metrics that give a single sample no score."""
    primary = {task.name: (task.primary, task.metrics) for task in result.suite.tasks}

    @cache
    def metric(task: str) -> metrics.Metric | None:
        score, plugins = primary[task]
        plugin = next((plugin for plugin in plugins if score in metrics.score_names(plugin)), None)
        return None if plugin is None else metrics.own(plugin)

    def one(comparison: Comparison) -> Comparison:
        idle = comparison.better == comparison.worse == 0
        if not idle or comparison.metric != primary[comparison.task][0]:
            return comparison
        found = metric(comparison.task)
        return comparison if found is None else counted(comparison, found)

    return replace(result, comparisons=tuple(map(one, result.comparisons)))


def with_samples(page: Page, result: Result, task_samples: Mapping[str, TaskSamples]) -> Page:
    """Return the page with what needs single samples: picked samples, slices, counts of samples that moved."""
    if not task_samples:
        return page
    chosen = pick(result, task_samples)
    tasks = []
    for task in page.tasks:
        here = task_samples.get(task.facts.name)
        if here is not None:
            lines = task.lines
            if not here.shown.instead:
                lines = tuple(_with_moved(line, here.values, task.lower_is_better) for line in lines)
            found = cuts(here, [line.system for line in task.lines])
            task = replace(task, picks=chosen[task.facts.name], shown=here.shown, lines=lines, cuts=found)
        tasks.append(task)
    return replace(page, tasks=tuple(tasks))


def _with_moved(line: ScoreLine, values: Values, lower_is_better: bool) -> ScoreLine:
    """Return the line with counts of moved samples; older RESULTs, whose comparisons have none, are counted here."""
    if line.to_base is None or line.moved is not None or line.system not in values:
        return line
    change = change_of(values, line.system) * (-1 if lower_is_better else 1)
    if np.isnan(change).all():
        return line
    return replace(line, moved=(int((change > TIE).sum()), int((change < -TIE).sum())))


def _trained_here(result: Result, task: TaskFacts) -> bool:
    return any(adapter.trained_on == task.name for adapter in result.suite.adapters)


def _untrained(field: Field) -> bool:
    """Return whether adapters answered, each of them known to be trained on another task."""
    facts = [field.facts.get(system) for system in field.models if system.adapter is not None]
    trained_on = {None if adapter is None else adapter.trained_on for adapter in facts}
    return bool(trained_on) and not trained_on & {None, field.task.name}


def _scored(result: Result, task: TaskFacts) -> bool:
    return any(score.task == task.name and score.primary for score in result.scores)


def _task(result: Result, task: TaskFacts) -> TaskPage:
    field = Field(result, task)
    scores = field.scores
    first = next(iter(scores.values()))
    lines = _lines(result, field)
    return TaskPage(
        facts=task,
        metric=words.metric(task.primary),
        unit=first.unit,
        lower_is_better=first.better == "lower",
        signature=first.signature,
        samples=first.n,
        top=_axis_end([score.high if score.high is not None else score.value for score in scores.values()]),
        bottom=_axis_beginning(
            [score.value if score.low is None else score.low for score in scores.values()]
        ),
        answer=answer(result, task),
        price=price(field, {line.system: line.costs for line in lines}),
        untrained=_untrained(field),
        other_metrics=tuple(
            dict.fromkeys(
                score.metric for score in result.scores if score.task == task.name and not score.primary
            )
        ),
        lines=tuple(lines),
        unasked=unasked(result, task),
        votes=voted(result, task),
        stages=begun(result, task),
        spending=spending(result, task.name, ((line.system, line.costs) for line in lines)),
        groups=tuple(_groups(result, task)),
        published=published(task),
    )


def _axis_end(values: Sequence[float]) -> float:
    """Return the next round number above all values."""
    most = max((value for value in values if value == value), default=0.0)
    return next(
        (end for end in (10.0, 20.0, 30.0, 40.0, 50.0, 60.0, 80.0, 100.0) if most <= end), max(most, 1.0)
    )


def _axis_beginning(values: Sequence[float]) -> float:
    """Return 0, or the next round number below all values if one of them is negative."""
    below = [-value for value in values if value < 0]
    return -_axis_end(below) if below else 0.0


def _lines(result: Result, field: Field) -> list[ScoreLine]:
    """Return the lines: models in the suite's order, each base, its adapters, the base with examples; trivial rules last."""
    scores, facts = field.scores, field.facts
    models = [model.name for model in result.suite.models]
    marked = marks(field)
    others: dict[System, list[Score]] = {}
    for score in result.scores:
        if score.task == field.task.name and not score.primary:
            others.setdefault(score.system, []).append(score)

    empty, standing_in = empty_share(result, field.task), stand_ins(result, field.task)

    def place(system: System) -> tuple[object, ...]:
        known = models.index(system.model) if system.model in models else len(models)
        with_examples = (
            system.adapter is None and system.shots > 0
        )  # below the adapters, which it is no base of
        return system.is_trivial, known, with_examples, system.adapter is not None, system.shots

    return [
        ScoreLine(
            system=system,
            role="trivial" if system.is_trivial else "adapter" if system.adapter else "base",
            score=scores[system],
            others=tuple(others.get(system, ())),
            to_base=pair,
            mark=mark.said,
            best=mark.best,
            tied=mark.tied,
            away=system in facts and facts[system].trained_on not in (None, field.task.name),
            costs=costs(result.costs, system, field.task.name, scores[system].n),
            empty=empty.get(system),
            moved=_moved(pair),
            stand_in=standing_in.get(system, ""),
        )
        for system in sorted(scores, key=place)
        for pair in (field.between(system, system.base) if system.adapter else None,)
        for mark in (marked.get(system, NONE),)
    ]


def _moved(pair: Comparison | None) -> tuple[int, int] | None:
    return None if pair is None or pair.better is None or pair.worse is None else (pair.better, pair.worse)


def _groups(result: Result, task: TaskFacts) -> list[ComparisonFamily]:
    """Return the primary metric's comparisons, grouped by family."""
    found: dict[str, list[Comparison]] = {}
    for comparison in result.comparisons:
        if comparison.task == task.name and comparison.metric == task.primary:
            title = (comparison.family or "exploratory").removeprefix(f"{task.name}: ")
            found.setdefault(title, []).append(comparison)
    return [
        ComparisonFamily(title=title[:1].upper() + title[1:], comparisons=tuple(these))
        for title, these in found.items()
    ]
