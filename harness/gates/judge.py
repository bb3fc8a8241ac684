"""Every gate of a result, judged: pass, fail, inconclusive, or invalid where nothing can be compared."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from fnmatch import fnmatchcase
from pathlib import Path
from statistics import fmean

import numpy as np
from numpy.typing import NDArray

from harness import stats
from harness.errors import HarnessError, ResultError
from harness.gates import rules, verdicts
from harness.gates.checks import Check, checks
from harness.gates.sides import BASE, Evidence, Panel, Side, evidence, unlike
from harness.gates.verdicts import Finding
from harness.records import from_json, read_json, to_json, write_json
from harness.report import words
from harness.result import Result, read
from harness.result.document import check_files
from harness.types import FAMILY_ERROR, Gate, Judgement, System, Verdict, WeightRow
from harness.weights.summary import summarise

ENOUGH_SEEDS = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Answered:
    """A check with what it came to."""

    check: Check
    finding: Finding | None = None  # None: invalid
    because: str = ""
    n: int | None = None
    against: str | None = None
    innocent: float | None = None
    innocent_needs: int | None = None


def judge(
    folder: Path,
    gates: Sequence[Gate] | None = None,
    *,
    family_error: float | None = None,
    baseline: Path | None = None,
) -> Judgement:
    """Judges a RESULT by its suite's gates or by others; nothing but the RESULT and baselines is read."""
    result = read(folder)
    gates = result.suite.gates if gates is None else gates
    family_error = family_error or (
        result.suite.family_error if gates is result.suite.gates else FAMILY_ERROR
    )
    with evidence(result, baseline) as found:
        broken = _edited(found)
        asked = [one for check in checks(gates, result) for one in _sliced(check, found)]
        answered = [_invalid(one, broken) if broken else _answer(one, found) for one in asked]
    corrected = _significant(_corrected(answered, family_error))
    return Judgement(
        name=result.suite.name,
        verdicts=tuple(_verdict(one) for one in corrected),
        remarks=tuple(_remarks(found, answered)),
        family_error=family_error,
    )


def write_verdicts(folder: Path, judged: Judgement) -> None:
    """verdicts.json: what the suite's own gates say, beside the result that they are of."""
    write_json(folder / "verdicts.json", [to_json(one) for one in judged.verdicts])


def read_verdicts(folder: Path) -> tuple[Verdict, ...]:
    """What was written there; nothing where the suite has no gates."""
    path = folder / "verdicts.json"
    return tuple(from_json(Verdict, one) for one in read_json(path)) if path.is_file() else ()


def _edited(found: Evidence) -> str:
    """Rows that are not as they were written prove nothing."""
    rows = found.result.files.get("rows.parquet")
    problems = check_files(found.result.folder, {"files": {"rows.parquet": rows}}) if rows else []
    return problems[0] if problems else ""


def _sliced(check: Check, found: Evidence) -> Iterator[Check]:
    """The check for each value of the column that its gate names."""
    if check.gate.by is None or check.task is None or check.problem:
        yield check
        return
    try:
        values = found.values(check.task, check.gate.by)
    except ResultError as error:
        yield replace(check, problem=str(error))
        return
    for value in values:
        yield replace(check, where=((check.gate.by, value),))


def _invalid(check: Check, because: str) -> Answered:
    against = check.gate.against if check.rule in rules.DROPS else None
    return Answered(check=check, because=because, against=against)


def _answer(check: Check, found: Evidence) -> Answered:
    """What one check comes to; whatever makes it impossible is its reason."""
    if check.problem:
        return _invalid(check, check.problem)
    try:
        for system in check.systems:
            _able(check, system, found.result)
        if check.rule in rules.QUALITY:
            return _quality(check, found)
        if check.rule in rules.COSTS:
            return _cost(check, found)
        return _weights(check, found.result)
    except (HarnessError, ValueError) as error:
        return _invalid(check, str(error))


def _able(check: Check, system: System, result: Result) -> None:
    """ResultError where a step failed that the check needs, or where the adapter changes nothing."""
    for step in result.steps:
        mine = step.system in (system, System(model=system.model)) and step.task in ("", check.task)
        if mine and step.state in ("failed", "skipped") and step.kind in _needed(check):
            raise ResultError(f"the step '{step.label}' {step.state}: {step.reason or 'no reason is known'}")
    if system.adapter is None:
        return
    texts = {(one.task, one.system): one.texts for one in result.answers}
    base = texts.get((check.task or "", System(model=system.model)))
    if check.task is not None and base is not None and texts.get((check.task, system)) == base:
        raise ResultError("the adapter is inert: every answer equals its base's")
    deltas = [
        r for r in result.weights if (r.model, r.adapter, r.part) == (system.model, system.adapter, "delta")
    ]
    if deltas and all(row.status == "zero" for row in deltas):
        raise ResultError("the adapter is inert: its update is zero in every layer")


def _needed(check: Check) -> tuple[str, ...]:
    return ("spectra", "train") if check.rule in rules.WEIGHTS else ("train", "generate", "score")


def _quality(check: Check, found: Evidence) -> Answered:
    assert check.task is not None and check.plugin is not None and check.metric is not None
    against = _against(check, found)
    own: list[Side] = [("", system) for system in check.systems]
    other: list[Side] = []
    if check.gate.recipe is not None and len(check.systems) < ENOUGH_SEEDS:
        seeds = words.plural(len(check.systems), "seed")
        raise ResultError(f"{seeds}: a claim about a recipe needs {ENOUGH_SEEDS}; name the adapters instead")
    if check.gate.recipe is not None and against not in (None, BASE):
        raise ResultError("a recipe is compared with its base alone; name `against: base`")
    if against == BASE:
        if any(system.adapter is None for system in check.systems):
            raise ResultError("the base against itself; name a baseline's file in `against`")
        other = [("", System(model=system.model)) for system in check.systems]
    elif against is not None:
        for system in check.systems:
            if problem := unlike(found, against, found.task(check.task), system, check.metric):
                raise ResultError(problem)
        other = [(against, system) for system in check.systems]
    panel = found.panel(check.task, check.plugin, check.where, [*own, *other])
    if panel.n < 2 or len(set(panel.clusters or range(panel.n))) < 2:
        raise ResultError(f"{words.plural(panel.n, 'sample')} cannot tell: at least 2 are needed, better 100")
    if check.gate.recipe is not None:
        return _recipe(check, panel, own, other, against)
    return _found(check, panel, own, other, against)


def _against(check: Check, found: Evidence) -> str | None:
    """What is compared with: to have beaten is to have beaten the base, unless the gate says otherwise."""
    if check.rule not in rules.DROPS:
        return None
    if check.rule == "must_beat" and check.gate.against is None:
        return BASE
    return found.against(check.gate.against)


def _recipe(check: Check, panel: Panel, own: list[Side], other: list[Side], against: str | None) -> Answered:
    """The rule on the mean over seeds, whose interval counts seeds and samples."""
    assert check.metric is not None and panel.metric.value is not None
    name, sign = panel.metric.names.index(check.metric), 1.0 if panel.metric.better == "higher" else -1.0
    rows = [panel.table.rows[:, panel.places[one]] for one in own]
    base = panel.table.rows[:, panel.places[other[0]]] if other else None
    over = stats.over_seeds(rows, base, panel.metric.value, seed=panel.seed, clusters=panel.clusters)
    estimate = over.difference if over.difference is not None else over.score
    assert estimate.low is not None and estimate.high is not None
    value, ends = sign * float(estimate.value[name]), (float(estimate.low[name]), float(estimate.high[name]))
    low, high = ends if sign > 0 else (-ends[1], -ends[0])
    gate, margin = check.gate, 0.0
    if check.rule == "min_value":
        assert gate.min_value is not None
        margin = -sign * gate.min_value
    elif check.rule == "max_drop":
        assert gate.max_drop is not None
        margin = gate.max_drop
    elif check.rule == "max_relative_drop":
        assert gate.max_relative_drop is not None and base is not None
        margin = gate.max_relative_drop / 100 * float(panel.metric.value(base.sum(axis=0))[name])
    finding = verdicts.between(value, low, high, margin, panel.n)
    if check.rule == "must_beat":
        finding = verdicts.beaten(finding, panel.n)
    return Answered(check=check, finding=finding, n=panel.n, against=against, because=over.method)


def _found(check: Check, panel: Panel, own: list[Side], other: list[Side], against: str | None) -> Answered:
    """The rule on its panel; numbers are turned so that larger is better."""
    assert check.metric is not None
    name, sign = panel.metric.names.index(check.metric), 1.0 if panel.metric.better == "higher" else -1.0
    scores = panel.table.scores()[:, name]
    mine, theirs = [panel.places[one] for one in own], [panel.places[one] for one in other]
    value = float(scores[mine].mean())
    drawn = _drawn(panel, mine, name)
    gate, n = check.gate, panel.n
    if check.rule == "min_value":
        assert gate.min_value is not None
        if panel.metric.interval == "wilson" and panel.clusters is None and len(mine) == 1:
            hits, total = panel.table.rows[:, mine[0]].sum(axis=0)
            finding = _least(int(hits), int(total), gate.min_value)
        else:
            finding = verdicts.above(sign * value, sign * drawn, -sign * gate.min_value, n)
            finding = _turned(finding) if sign < 0 else finding
        return Answered(check=check, finding=finding, n=n)
    before = float(scores[theirs].mean())
    difference, spread = sign * (value - before), sign * (drawn - _drawn(panel, theirs, name))
    if check.rule == "max_worse_samples":
        return Answered(
            check=check, finding=_worse(check, panel, mine[0], theirs[0], name, sign), n=n, against=against
        )
    if check.rule == "must_beat":
        finding = verdicts.beaten(verdicts.above(difference, spread, 0.0, n), n)
        return Answered(check=check, finding=finding, n=n, against=against)
    margin = gate.max_drop
    if check.rule == "max_relative_drop":
        assert gate.max_relative_drop is not None
        if before <= 0:
            raise ResultError(f"{against} scores {before:g}: a share of it can not be lost")
        share = gate.max_relative_drop / 100
        margin = share * before
        # The tolerated drop is itself uncertain, as the score is that it is a share of.
        spread = spread + share * (_drawn(panel, theirs, name) - before)
    assert margin is not None
    finding = verdicts.above(difference, spread, margin, n)
    error = finding.error or 0.0
    return Answered(
        check=check,
        finding=finding,
        n=n,
        against=against,
        innocent=stats.pass_chance(margin, error),
        innocent_needs=stats.samples_for_pass(margin, error, n),
    )


def _drawn(panel: Panel, places: list[int], name: int) -> NDArray[np.float64]:
    """Resampled scores of one system."""
    (place,) = places
    return np.asarray(panel.drawn[place, name])


def _least(hits: int, n: int, least: float) -> Finding:
    """A share that is to be at least so much is one of misses that is to be at most the rest."""
    return _turned(verdicts.proportion(n - hits, n, 100 - least), 100.0)


def _turned(one: Finding, whole: float = 0.0) -> Finding:
    low = None if one.high is None else whole - one.high
    high = None if one.low is None else whole - one.low
    return replace(one, value=whole - one.value, low=low, high=high)


def _worse(check: Check, panel: Panel, mine: int, theirs: int, name: int, sign: float) -> Finding:
    worse = check.gate.max_worse_samples
    assert worse is not None
    falls = sign * (panel.alone[:, theirs, name] - panel.alone[:, mine, name]) > worse.drop
    count = int(falls.sum())
    if worse.samples is not None:
        return verdicts.exact(count, count <= worse.samples)
    assert worse.percent is not None
    return verdicts.proportion(count, panel.n, worse.percent)


def _cost(check: Check, found: Evidence) -> Answered:
    quantity, unit, by_hardware = rules.COSTS[check.rule]
    (system,) = check.systems
    costs = [
        one
        for one in found.result.costs
        if one.system == system
        and one.quantity == quantity
        and (check.task is None or one.task == check.task)
    ]
    if not costs:
        raise ResultError(f"the result holds no {quantity} of {system}: it was not measured in this run")
    here = costs[0].hardware
    if by_hardware:
        agreed = check.gate.hardware
        if agreed is not None and not fnmatchcase(here, agreed):
            raise ResultError(f"measured on other hardware: {here}, agreed for {agreed}")
        against = found.against(check.gate.against)
        if agreed is None and against != BASE:
            there = found.baseline(against).environment.get("hardware")
            mine = found.result.manifest.get("hardware")
            if there != mine:
                raise ResultError(f"measured on other hardware than {against}: {mine}, there {there}")
    value, limit = fmean(one.value for one in costs), getattr(check.gate, check.rule)
    holds = value >= limit if check.rule.startswith("min_") else value <= limit
    return Answered(
        check=check, finding=verdicts.exact(value, holds), because=f"{value:,.4g} {unit} on {here}"
    )


def _weights(check: Check, result: Result) -> Answered:
    (system,) = check.systems
    rows = [one for one in result.weights if (one.model, one.adapter) == (system.model, system.adapter)]
    gate = check.gate
    if check.rule == "alpha_within":
        assert gate.alpha_within is not None
        part = "merged" if system.adapter else "W"
        medians = [one.median_alpha for one in summarise(rows) if one.part == part]
        if not medians or medians[0] is None:
            raise ResultError(
                f"no alpha is known of {system}: its weights were not looked at, or are too small"
            )
        low, high = gate.alpha_within
        return Answered(check=check, finding=verdicts.exact(medians[0], low <= medians[0] <= high))
    name, limit = (
        ("delta_ratio", gate.max_delta_ratio)
        if check.rule == "max_delta_ratio"
        else ("intruder_dimensions", gate.max_intruder_dimensions)
    )
    worst = max((one for one in rows if name in one.numbers), key=lambda one: one.numbers[name], default=None)
    if worst is None:
        raise ResultError(f"no {name.replace('_', ' ')} is known of {system}: see `weights` in the suite")
    assert limit is not None
    return Answered(
        check=check,
        finding=verdicts.exact(worst.numbers[name], worst.numbers[name] <= limit),
        because=_layer(worst),
    )


def _layer(row: WeightRow) -> str:
    return f"the largest is in {words.visible(row.layer)}"


def _corrected(answered: list[Answered], family_error: float) -> list[Answered]:
    """Holm over all gates that could fail by chance: what fails alone but not among so many cannot tell."""
    could = [
        place
        for place, one in enumerate(answered)
        if one.finding and one.finding.chance is not None and one.check.rule != "must_beat"
    ]
    adjusted = stats.holm([_chance(answered[place]) for place in could])
    found = list(answered)
    for place, p in zip(could, adjusted, strict=True):
        finding = answered[place].finding
        if finding and finding.word == "fail" and p >= family_error:
            needed = stats.needed_samples(stats.Z_95, 1.0, answered[place].n or 2)
            because = f"it fails by itself, but not among {len(could)} gates (p_holm = {p:.3f})"
            found[place] = replace(
                answered[place], finding=replace(finding, word="inconclusive", needed=needed), because=because
            )
    return found


def _significant(answered: list[Answered]) -> list[Answered]:
    """`must_beat` is a claim: significant after Holm over all such claims of the file."""
    claims = [p for p, one in enumerate(answered) if one.finding and one.check.rule == "must_beat"]
    adjusted = stats.holm([_chance(answered[place]) for place in claims])
    found = list(answered)
    for place, p in zip(claims, adjusted, strict=True):
        one, finding = answered[place], answered[place].finding
        assert finding is not None
        among = f"{words.p_value(p, 'p_holm')} among {words.plural(len(claims), 'claim')}"
        because = "; ".join(filter(None, (one.because, among)))
        if finding.word == "pass" and p >= words.SIGNIFICANT:
            needed = stats.needed_samples(finding.value, finding.error or 0.0, one.n or 2)
            finding = replace(finding, word="inconclusive", needed=needed)
        found[place] = replace(one, finding=finding, because=because)
    return found


def _chance(one: Answered) -> float:
    assert one.finding is not None and one.finding.chance is not None
    return one.finding.chance


def _verdict(one: Answered) -> Verdict:
    check, finding = one.check, one.finding
    slice_ = ", ".join(f"{column} = {value}" for column, value in check.where) or None
    title = rules.title(check.gate, check.rule)
    return Verdict(
        gate=rules.name(check.gate, check.rule),
        rule=check.rule,
        limit=title.removeprefix(check.rule).strip() or None,
        verdict=finding.word if finding else "invalid",
        because=_because(one),
        subject=check.subject,
        task=check.task,
        system=check.system,
        metric=check.metric,
        slice=slice_,
        against=one.against,
        value=finding.value if finding else None,
        low=finding.low if finding else None,
        high=finding.high if finding else None,
        n=one.n,
        needed=finding.needed if finding else None,
        innocent=one.innocent,
        innocent_needs=one.innocent_needs,
    )


def _because(one: Answered) -> str:
    """The sentence with the numbers."""
    finding = one.finding
    if finding is None:
        return one.because
    said = words.number(finding.value, 2)
    if finding.low is not None:
        said += f" {words.interval(finding.low, finding.high)}"
    asked = rules.title(one.check.gate, one.check.rule)
    parts = [f"{said} for {asked}"]
    if one.n is not None:
        parts.append(f"n = {one.n:,}")
    if one.because:
        parts.append(one.because)
    if finding.needed is not None:
        parts.append(f"some {finding.needed:,} samples would probably decide")
    return "; ".join(parts)


def _remarks(found: Evidence, answered: Sequence[Answered]) -> Iterator[str]:
    """What differs from a baseline without making it no baseline."""
    for name in dict.fromkeys(
        one.against for one in answered if one.finding and one.against not in (None, BASE)
    ):
        assert name is not None
        baseline = found.baseline(name)
        mine = found.result.manifest.get("libraries")
        theirs = baseline.environment.get("libraries")
        if isinstance(mine, dict) and isinstance(theirs, dict):
            other = [
                f"{k} {theirs[k]} there, {mine[k]} here" for k in theirs if k in mine and mine[k] != theirs[k]
            ]
            if other:
                yield f"{name} was made with other libraries: {', '.join(other)}"
        for model in found.result.suite.models:
            revision = baseline.revisions.get(model.name)
            if revision and model.revision and revision != model.revision:
                yield f"{name} was made with another revision of {model.name}: {revision}, here {model.revision}"
