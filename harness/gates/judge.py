"""Judge every gate of a result: pass, fail, inconclusive, or invalid if nothing can be compared."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

from harness import stats
from harness import text as words
from harness.errors import HarnessError, ResultError, SuiteError
from harness.gates import measured, questions, regressions, rules
from harness.gates.answered import Answered
from harness.gates.checks import LENGTH, Check, checks
from harness.gates.evidence import GateInputs, RowsKey, opened
from harness.gates.questions import RowsQuestion
from harness.gates.regressions import Loss
from harness.gates.rules import BASE
from harness.gates.seen import doubted
from harness.gates.sentences import sentence
from harness.results import Result, read
from harness.types import FAMILY_ERROR, Gate, Judgement, Verdict

WITHHELD = "withheld"


def judge(
    folder: Path,
    gates: Sequence[Gate] | None = None,
    *,
    family_error: float | None = None,
    baseline: Path | None = None,
) -> Judgement:
    """Judge a RESULT by its suite's gates, or by others; only the RESULT and baselines are read."""
    result = read(folder)
    if family_error is None:
        family_error = result.suite.family_error if gates is None else FAMILY_ERROR
    with opened(result, baseline) as inputs:
        sliced = [each for check in _checks(gates, result) for each in _sliced(check, inputs)]
        asked = [_ask(check, inputs) for check in sliced]
        answers, losses = _answers(asked, inputs)
        corrected = _significant(_corrected(answers, family_error))
        corrected = [doubted(answer, result) for answer in corrected]
        suspects = [lost for answer, lost in zip(corrected, losses, strict=True) if _lost(answer)]
        worst = regressions.worst(suspects, inputs)
    return Judgement(
        name=result.suite.name,
        verdicts=tuple(_verdict(answer) for answer in corrected),
        regressions=worst,
        remarks=tuple(_remarks(inputs, answers)),
        family_error=family_error,
    )


def _checks(gates: Sequence[Gate] | None, result: Result) -> list[Check]:
    """Return the checks of these gates, or of the suite's own; ResultError if those in result.json are not sound."""
    if gates is not None:
        return checks(gates, result)
    try:
        return checks(result.suite.gates, result)
    except SuiteError as error:
        raise ResultError(f"{result.folder / 'result.json'}: suite.{error}") from error


def _sliced(check: Check, inputs: GateInputs) -> Iterator[Check]:
    """Yield the check for each value of the column that its gate names."""
    if check.rule.of_samples and not check.problem and inputs.changed:
        # Changed answers prove nothing
        check = replace(check, problem=inputs.changed)
    if check.problem or check.task is None or not (check.gate.by or check.where):
        yield check
        return
    shared = inputs.task(check.task).share == "text"
    if check.gate.by is None:
        said = ", ".join(f"{column} = {value}" for column, value in check.where)
        withheld = ", ".join(f"{column} = {WITHHELD}" for column, _ in check.where)
        yield replace(check, slice=said, shared_slice=None if shared else withheld)
        return
    column = check.gate.by
    try:
        values = inputs.values(check.task, column)
    except ResultError as error:
        yield replace(check, problem=str(error))
        return
    for number, value in enumerate(values, 1):
        # Values of columns are text of the data, which may be private.
        numbered = None if shared or column == LENGTH else f"{column} = value {number} of {len(values)}"
        yield replace(check, where=((column, value),), slice=f"{column} = {value}", shared_slice=numbered)


def _invalid(check: Check, because: str) -> Answered:
    against = check.gate.against if check.rule.compares else None
    return Answered(check=check, because=because, against=against)


def _ask(check: Check, inputs: GateInputs) -> RowsQuestion | Answered:
    """Return a question about rows, or the answer at once; a question that cannot be judged is answered *invalid*."""
    if check.problem:
        return _invalid(check, check.problem)
    if not rules.finite(check.limit):
        return _invalid(check, f"{rules.title(check.rule, check.limit)}: a limit that is not finite")
    try:
        inputs.preconditions.refuse_lost(check)
        if check.rule.reads == "cost":
            return measured.cost(check, inputs)
        if check.rule.reads == "weights":
            return measured.weights(check, inputs.result)
        return questions.question(check, inputs)
    except (HarnessError, ValueError) as error:
        return _invalid(check, str(error))


def _answers(
    asked: Sequence[RowsQuestion | Answered], inputs: GateInputs
) -> tuple[list[Answered], list[tuple[Loss, ...]]]:
    """Return each answer, and the samples that lost most; questions on the same rows are answered together."""
    answers = {place: answer for place, answer in enumerate(asked) if isinstance(answer, Answered)}
    losses: dict[int, tuple[Loss, ...]] = {}
    by_rows: dict[RowsKey, list[tuple[int, RowsQuestion]]] = {}
    for place, question in enumerate(asked):
        if isinstance(question, RowsQuestion):
            by_rows.setdefault(question.key, []).append((place, question))
    for key, together in by_rows.items():
        for place, question in together:
            try:
                answers[place] = questions.answer(question, inputs)
                losses[place] = regressions.losses(question, inputs)
            except (HarnessError, ValueError) as error:
                answers[place] = _invalid(question.check, str(error))
        inputs.let_go(key)
    places = range(len(asked))
    return [answers[place] for place in places], [losses.get(place, ()) for place in places]


def _lost(answer: Answered) -> bool:
    """Return whether the samples that lost most are worth showing: the check compares, and did not pass."""
    return answer.finding is not None and answer.finding.word != "pass" and answer.against is not None


def _corrected(answers: list[Answered], family_error: float) -> list[Answered]:
    """Apply Holm over all gates that could fail by chance: a failure that is not significant becomes inconclusive."""
    could = [
        place
        for place, answer in enumerate(answers)
        if answer.finding and answer.finding.chance is not None and not answer.check.rule.claim
    ]
    adjusted = stats.holm([_chance(answers[place]) for place in could])
    found = list(answers)
    for place, p in zip(could, adjusted, strict=True):
        finding = answers[place].finding
        if finding and finding.word == "fail" and p >= family_error:
            needed = stats.needed_samples(stats.Z_95, 1.0, answers[place].n or 2)
            because = f"it fails by itself, but not among {len(could)} gates (p_holm = {p:.3f})"
            found[place] = replace(
                answers[place], finding=replace(finding, word="inconclusive", needed=needed), because=because
            )
    return found


def _significant(answers: list[Answered]) -> list[Answered]:
    """Apply Holm over all claims (`must_beat`) of the file: a pass that is not significant becomes inconclusive."""
    claims = [place for place, answer in enumerate(answers) if answer.finding and answer.check.rule.claim]
    adjusted = stats.holm([_chance(answers[place]) for place in claims])
    found = list(answers)
    for place, p in zip(claims, adjusted, strict=True):
        answer, finding = answers[place], answers[place].finding
        assert finding is not None
        among = f"{words.p_value(p, 'p_holm')} among {words.plural(len(claims), 'claim')}"
        because = "; ".join(filter(None, (answer.because, among)))
        if finding.word == "pass" and p >= words.SIGNIFICANT:
            needed = stats.needed_samples(finding.value, finding.error or 0.0, answer.n or 2)
            finding = replace(finding, word="inconclusive", needed=needed)
        found[place] = replace(answer, finding=finding, because=because)
    return found


def _chance(answer: Answered) -> float:
    assert answer.finding is not None and answer.finding.chance is not None
    return answer.finding.chance


def _verdict(answer: Answered) -> Verdict:
    check, finding = answer.check, answer.finding
    return Verdict(
        gate=rules.name(check.gate, check.rule, check.limit),
        rule=check.rule.name,
        limit=check.rule.limit_text(check.limit) or None,
        verdict=finding.word if finding else "invalid",
        because=sentence(answer),
        subject=check.subject,
        task=check.task,
        system=check.system,
        metric=check.metric,
        slice=check.slice or None,
        shared_slice=check.shared_slice,
        against=answer.against,
        value=finding.value if finding else None,
        low=finding.low if finding else None,
        high=finding.high if finding else None,
        n=answer.n,
        needed=finding.needed if finding else None,
        pass_probability_if_equal=answer.pass_probability_if_equal,
        samples_for_80_percent=answer.samples_for_80_percent,
    )


def _remarks(inputs: GateInputs, answers: Sequence[Answered]) -> Iterator[str]:
    """Yield what differs from a baseline but does not prevent a comparison: libraries and revisions."""
    for name in dict.fromkeys(
        answer.against for answer in answers if answer.finding and answer.against not in (None, BASE)
    ):
        assert name is not None
        baseline = inputs.baseline(name)
        mine = inputs.result.manifest.libraries
        theirs = baseline.environment.get("libraries")
        if isinstance(theirs, dict):
            other = [
                f"{k} {theirs[k]} there, {mine[k]} here" for k in theirs if k in mine and mine[k] != theirs[k]
            ]
            if other:
                yield f"{name} was made with other libraries: {', '.join(other)}"
        for model in inputs.result.suite.models:
            revision = baseline.revisions.get(model.name)
            if revision and model.revision and revision != model.revision:
                yield f"{name} was made with another revision of {model.name}: {revision}, here {model.revision}"
