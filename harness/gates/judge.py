"""Every gate of a result, judged: pass, fail, inconclusive, or invalid where nothing can be compared."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from math import isfinite
from pathlib import Path

from harness import stats
from harness import text as words
from harness.errors import HarnessError, ResultError
from harness.files.json_lines import to_json, write_json
from harness.gates import measured, quality, regressions, rules
from harness.gates.answered import Answered
from harness.gates.because import sentence
from harness.gates.checks import LENGTH, Check, checks
from harness.gates.evidence import Evidence, PanelKey, evidence
from harness.gates.quality import Question
from harness.gates.regressions import Fall
from harness.gates.rules import BASE
from harness.results import read
from harness.types import FAMILY_ERROR, Gate, Judgement, Verdict

WITHHELD = "withheld"


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
        asked = [one for check in checks(gates, result) for one in _sliced(check, found)]
        put = [_put(one, found) for one in asked]
        answered, fallen = _answers(put, found)
        corrected = _significant(_corrected(answered, family_error))
        suspects = [falls for one, falls in zip(corrected, fallen, strict=True) if _lost(one)]
        worst = regressions.worst(suspects, found)
    return Judgement(
        name=result.suite.name,
        verdicts=tuple(_verdict(one) for one in corrected),
        regressions=worst,
        remarks=tuple(_remarks(found, answered)),
        family_error=family_error,
    )


def write_verdicts(folder: Path, judged: Judgement) -> None:
    """verdicts.json: what the suite's own gates say, beside the result that they are of."""
    write_json(folder / "verdicts.json", [to_json(one) for one in judged.verdicts])


def _sliced(check: Check, found: Evidence) -> Iterator[Check]:
    """The check for each value of the column that its gate names."""
    if check.rule in rules.QUALITY and not check.problem and found.changed:
        check = replace(check, problem=found.changed)  # answers that are not as they were given prove nothing
    if check.problem or check.task is None or not (check.gate.by or check.where):
        yield check
        return
    shared = found.task(check.task).share == "text"
    if check.gate.by is None:
        said = ", ".join(f"{column} = {value if shared else WITHHELD}" for column, value in check.where)
        yield replace(check, slice=said)
        return
    column = check.gate.by
    try:
        values = found.values(check.task, column)
    except ResultError as error:
        yield replace(check, problem=str(error))
        return
    for number, value in enumerate(values, 1):
        # Values of columns are text of the data, which may not be its user's to show.
        told = value if shared or column == LENGTH else f"value {number} of {len(values)}"
        yield replace(check, where=((column, value),), slice=f"{column} = {told}")


def _invalid(check: Check, because: str) -> Answered:
    against = check.gate.against if check.rule in rules.DROPS else None
    return Answered(check=check, because=because, against=against)


def _put(check: Check, found: Evidence) -> Question | Answered:
    """A question about rows, or at once what it comes to; whatever makes it impossible is its reason."""
    if check.problem:
        return _invalid(check, check.problem)
    if not rules.finite(check.gate, check.rule):
        return _invalid(check, f"{rules.title(check.gate, check.rule)}: a limit that is not finite")
    try:
        found.standing.hold(check)
        if check.rule in rules.COSTS:
            return _finite(measured.cost(check, found))
        if check.rule in rules.WEIGHTS:
            return _finite(measured.weights(check, found.result))
        return quality.put(check, found)
    except (HarnessError, ValueError) as error:
        return _invalid(check, str(error))


def _finite(one: Answered) -> Answered:
    """What is no number is never passed: every comparison with NaN is false, whichever way it is put."""
    finding = one.finding
    if finding is None:
        return one
    numbers = (finding.value, finding.low, finding.high, finding.chance, finding.error)
    if all(isfinite(number) for number in numbers if number is not None):
        return one
    return _invalid(one.check, f"what was measured is not finite: {finding.value:g}")


def _answers(
    put: Sequence[Question | Answered], found: Evidence
) -> tuple[list[Answered], list[tuple[Fall, ...]]]:
    """What each comes to, and the samples that fell most; those over the same rows together, which are then let go."""
    answered = {place: one for place, one in enumerate(put) if isinstance(one, Answered)}
    fallen: dict[int, tuple[Fall, ...]] = {}
    questions: dict[PanelKey, list[tuple[int, Question]]] = {}
    for place, one in enumerate(put):
        if isinstance(one, Question):
            questions.setdefault(one.key, []).append((place, one))
    for key, together in questions.items():
        for place, question in together:
            try:
                answered[place] = _finite(quality.answer(question, found))
                fallen[place] = regressions.falls(question, found)
            except (HarnessError, ValueError) as error:
                answered[place] = _invalid(question.check, str(error))
        found.let_go(key)
    return [answered[place] for place in range(len(put))], [fallen.get(p, ()) for p in range(len(put))]


def _lost(one: Answered) -> bool:
    """Whether its samples are worth a look: it compares, and did not pass."""
    return one.finding is not None and one.finding.word != "pass" and one.against is not None


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
    title = rules.title(check.gate, check.rule)
    return Verdict(
        gate=rules.name(check.gate, check.rule),
        rule=check.rule,
        limit=title.removeprefix(check.rule).strip() or None,
        verdict=finding.word if finding else "invalid",
        because=sentence(one),
        subject=check.subject,
        task=check.task,
        system=check.system,
        metric=check.metric,
        slice=check.slice or None,
        against=one.against,
        value=finding.value if finding else None,
        low=finding.low if finding else None,
        high=finding.high if finding else None,
        n=one.n,
        needed=finding.needed if finding else None,
        innocent=one.innocent,
        innocent_needs=one.innocent_needs,
    )


def _remarks(found: Evidence, answered: Sequence[Answered]) -> Iterator[str]:
    """What differs from a baseline without making it no baseline."""
    for name in dict.fromkeys(
        one.against for one in answered if one.finding and one.against not in (None, BASE)
    ):
        assert name is not None
        baseline = found.baseline(name)
        mine = found.result.manifest.libraries
        theirs = baseline.environment.get("libraries")
        if isinstance(theirs, dict):
            other = [
                f"{k} {theirs[k]} there, {mine[k]} here" for k in theirs if k in mine and mine[k] != theirs[k]
            ]
            if other:
                yield f"{name} was made with other libraries: {', '.join(other)}"
        for model in found.result.suite.models:
            revision = baseline.revisions.get(model.name)
            if revision and model.revision and revision != model.revision:
                yield f"{name} was made with another revision of {model.name}: {revision}, here {model.revision}"
