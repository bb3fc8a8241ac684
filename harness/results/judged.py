"""What judges found, corrected for their errors: a rate for each system, and differences of adapters to their bases."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from harness import metrics, stats
from harness.results.records import Result, TaskFacts
from harness.types import Calibration, Score, System

if TYPE_CHECKING:  # pyarrow is loaded where rows are read
    from harness.results.rows import RowFile


@dataclass(frozen=True, slots=True, kw_only=True)
class Errors:
    """A judge's errors on the answers of one system, or the reason why they are not known."""

    known: stats.JudgeErrors | None
    source: str  # whose labelled answers they are from, as a clause
    problem: str = ""  # "" where the errors are known
    uncalibrated: bool = False  # no answer is labelled at all


@dataclass(frozen=True, slots=True, kw_only=True)
class JudgedRate:
    """The share of a system's answers in which a judge found something, as judged and corrected."""

    system: System
    score: Score  # as judged
    errors: Errors
    corrected: stats.Corrected | None  # None: `errors.problem` says why


@dataclass(frozen=True, slots=True, kw_only=True)
class JudgedDifference:
    """The corrected share of an adapter minus that of its base."""

    baseline: System
    candidate: System
    difference: stats.Corrected | None
    p_holm: float | None  # over the adapters of this judge
    problem: str = ""  # why the two cannot be compared


@dataclass(frozen=True, slots=True, kw_only=True)
class JudgedTask:
    """What one judge found on one task."""

    task: TaskFacts
    metric: str  # with settings
    name: str  # of its score
    finds: str  # "refusals"
    calibrations: tuple[Calibration, ...]  # by systems of the labelled answers
    rates: tuple[JudgedRate, ...]
    differences: tuple[JudgedDifference, ...]


def judged(result: Result) -> tuple[JudgedTask, ...]:
    """Return what every judge of a RESULT found; its rows are read."""
    asked = [
        (task, metric, finds)
        for task in result.suite.tasks
        for metric in task.metrics
        if (finds := metrics.finds(metric)) is not None
    ]
    if not asked:
        return ()
    from harness.results.rows import open_rows

    with open_rows(result.folder) as rows:
        return tuple(_judged(result, rows, task, metric, finds) for task, metric, finds in asked)


def errors_of(result: Result, task: str, metric: str, system: System) -> Errors:
    """Return a judge's errors on the answers of a system.

    They are those on labelled answers of the system itself, else of its base, else of all systems together where the judge
    does not err differently on them.
    """
    of_task = [each for each in result.calibrations if (each.task, each.metric) == (task, metric)]
    by_label = {each.system: counted(each) for each in of_task}
    if not by_label:
        return Errors(
            known=None,
            source="",
            problem="uncalibrated: no labelled answers say how often it errs; add `calibrate: FILE` to the task",
            uncalibrated=True,
        )
    for label in (str(system), system.model):
        if label in by_label and by_label[label].enough:
            return _usable(by_label[label], f"labelled answers of {label}")
    whole = list(by_label.values())
    if not stats.alike(whole):
        return Errors(
            known=None,
            source="",
            problem=f"not comparable: {_differing(of_task)}, and too few labelled answers are of {system.model}",
        )
    together = whole[0]
    for each in whole[1:]:
        together = together + each
    if not together.enough:
        return Errors(
            known=None,
            source="",
            problem=(
                f"uncalibrated: {together.positives} labelled answers have it and {together.negatives} have it not; label "
                f"{stats.LABELLED} of each at least"
            ),
        )
    said = (
        "labelled answers of unnamed systems"
        if set(by_label) == {""}
        else "labelled answers of all systems together"
    )
    return _usable(together, said)


def fitting(errors: Errors, judged: stats.Array) -> Errors:
    """Return the errors; only the reason where they do not allow for what was judged: then the labelled answers differ."""
    if errors.known is None or stats.fits(judged, errors.known):
        return errors
    share = 100 * float(judged.mean())
    return Errors(
        known=None,
        source=errors.source,
        problem=(
            f"not comparable: the judge finds it in {share:.0f} % of these answers, which its errors on {errors.source} do "
            "not allow for, so they are unlike these; label answers of this system"
        ),
    )


def counted(calibration: Calibration) -> stats.JudgeErrors:
    """Return a calibration's counts."""
    return stats.JudgeErrors(
        positives=calibration.positives,
        found=calibration.found,
        negatives=calibration.negatives,
        mistaken=calibration.mistaken,
    )


def _usable(errors: stats.JudgeErrors, source: str) -> Errors:
    if errors.tells:
        return Errors(known=errors, source=source)
    hits, misses = 100 * errors.found / errors.positives, 100 * errors.mistaken / errors.negatives
    return Errors(
        known=None,
        source=source,
        problem=(
            f"the judge cannot tell: it finds it in {hits:.0f} % of the {source} that have it, and in {misses:.0f} % of "
            "those that have it not"
        ),
    )


def _differing(calibrations: Sequence[Calibration]) -> str:
    """Return between which systems the judge's sensitivity differs most."""
    shares = {each.system: each.found / each.positives for each in calibrations if each.positives}
    least, most = min(shares, key=lambda name: shares[name]), max(shares, key=lambda name: shares[name])
    return (
        f"the judge's error differs between systems: it finds {100 * shares[most]:.0f} % in answers of {most} and "
        f"{100 * shares[least]:.0f} % in answers of {least}"
    )


def _judged(result: Result, rows: "RowFile", task: TaskFacts, metric: str, finds: str) -> JudgedTask:
    if task.judge and metric == "judge":
        finds = str(task.judge.get("finds", finds))
    name = metrics.score_names(metric)[0]
    rates = []
    given: dict[System, tuple[tuple[str, ...], stats.Array]] = {}
    for score in result.scores:
        if (score.task, score.metric) != (task.name, name):
            continue
        errors = errors_of(result, task.name, metric, score.system)
        found = rows.get((task.name, score.system, metric))
        corrected = None
        if found is not None:
            given[score.system] = found.ids, found.stats[:, 0]
            errors = fitting(errors, found.stats[:, 0])
            corrected = stats.corrected(found.stats[:, 0], errors.known) if errors.known else None
        rates.append(JudgedRate(system=score.system, score=score, errors=errors, corrected=corrected))
    return JudgedTask(
        task=task,
        metric=metric,
        name=name,
        finds=finds,
        calibrations=tuple(
            each for each in result.calibrations if (each.task, each.metric) == (task.name, metric)
        ),
        rates=tuple(rates),
        differences=_differences(rates, given),
    )


def _differences(
    rates: Sequence[JudgedRate], given: Mapping[System, tuple[tuple[str, ...], stats.Array]]
) -> tuple[JudgedDifference, ...]:
    """Return each adapter's difference to its base, with Holm's correction over all of them."""
    by_system = {rate.system: rate for rate in rates}
    found = [
        _difference(by_system[rate.system.base], rate, given)
        for rate in rates
        if rate.system.adapter and rate.system.base in by_system
    ]
    told = [each.difference.p for each in found if each.difference and each.difference.p is not None]
    adjusted = iter(stats.holm(told))
    return tuple(replace(each, p_holm=next(adjusted)) if each.difference else each for each in found)


def _difference(
    before: JudgedRate, after: JudgedRate, given: Mapping[System, tuple[tuple[str, ...], stats.Array]]
) -> JudgedDifference:
    pair = JudgedDifference(baseline=before.system, candidate=after.system, difference=None, p_holm=None)
    for one in (before, after):
        if one.errors.known is None or one.system not in given:
            return replace(pair, problem=one.errors.problem or "no rows")
    (ids, first), (others, second) = given[before.system], given[after.system]
    if ids != others:
        return replace(pair, problem="they answered different samples")
    assert before.errors.known and after.errors.known
    return replace(
        pair,
        difference=stats.corrected_difference(
            first,
            second,
            before.errors.known,
            after.errors.known,
            same=before.errors.source == after.errors.source,
        ),
    )
