"""Check whether verdicts.json follows from its RESULT: the suite's gates are judged again."""

from collections.abc import Mapping
from dataclasses import dataclass
from math import isclose
from pathlib import Path

from harness.errors import HarnessError
from harness.results import Result
from harness.scoring.agreement import EXACT
from harness.types import Verdict
from harness.verification.comparisons import SPREAD, made_alike

EXACTLY = (
    "because",
    "needed",
    "pass_probability_if_equal",
    "samples_for_80_percent",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckedVerdicts:
    """The outcome of judging the gates again."""

    problems: tuple[str, ...] = ()  # what does not follow, a sentence each
    left: str = ""  # why the gates were not judged again; "" if they were


def check_verdicts(result: Result) -> CheckedVerdicts:
    """Judge the gates of result.json again, and compare the verdicts beside it with the outcome."""
    from harness.gates.judge import judge
    from harness.results import verdicts as gates

    path = result.folder / gates.FILE
    if missing := gates.missing(result):
        return CheckedVerdicts(left=missing)
    if not path.is_file():
        return CheckedVerdicts()
    if not result.suite.gates:
        return CheckedVerdicts(problems=(f"{path}: has verdicts, but result.json holds no gate",))
    if result.withheld:
        return CheckedVerdicts(left="verdicts: not judged again, because this copy withholds texts")
    away = [file for file in _baselines(result) if not Path(file).is_file()]
    if away:
        return CheckedVerdicts(left=f"verdicts: not judged again, because the baseline {away[0]} is not here")
    try:
        recorded, fresh = gates.read(result.folder), judge(result.folder).verdicts
    except HarnessError as error:
        return CheckedVerdicts(problems=(str(error),))
    return CheckedVerdicts(problems=tuple(_differing(path, recorded, fresh, made_alike(result))))


def _baselines(result: Result) -> list[str]:
    from harness.gates.rules import BASE

    named = (gate.against for gate in result.suite.gates)
    return [name for name in named if name is not None and name != BASE]


def _differing(
    path: Path, recorded: tuple[Verdict, ...], fresh: tuple[Verdict, ...], alike: bool
) -> list[str]:
    before, now = _by_key(recorded), _by_key(fresh)
    problems = [] if len(recorded) == len(before) else [f"{path}: a verdict is listed twice"]
    for key, verdict in before.items():
        if key not in now:
            problems.append(f"{_said(path, verdict)}: no gate of result.json gives this verdict")
        else:
            problems += _unlike(path, verdict, now[key], alike)
    problems += [
        f"{_said(path, verdict)}: the verdict is missing" for key, verdict in now.items() if key not in before
    ]
    return problems


def _by_key(verdicts: tuple[Verdict, ...]) -> Mapping[tuple[object, ...], Verdict]:
    return {
        (
            verdict.gate,
            verdict.rule,
            verdict.limit,
            verdict.subject,
            verdict.task,
            verdict.system,
            verdict.metric,
            verdict.shared_slice or verdict.slice,  # an older RESULT has only the slice as others may see it
            verdict.against,
        ): verdict
        for verdict in verdicts
    }


def _unlike(path: Path, recorded: Verdict, fresh: Verdict, alike: bool) -> list[str]:
    """Return the first field in which a verdict differs from the recomputed verdict, as a sentence."""
    width = (fresh.high - fresh.low) if fresh.low is not None and fresh.high is not None else 0.0
    tolerance = EXACT if alike else EXACT + SPREAD * width
    for name in ("verdict", "value", "low", "high", "n", *(EXACTLY if alike else ())):
        was, now = getattr(recorded, name), getattr(fresh, name)
        if was == now:
            continue
        numbers = isinstance(was, int | float) and isinstance(now, int | float) and name != "n"
        if not (numbers and isclose(was, now, rel_tol=1e-9, abs_tol=tolerance)):
            return [f"{_said(path, recorded)}: {name} {was} in it, {now} when judged again"]
    return []


def _said(path: Path, verdict: Verdict) -> str:
    return " / ".join(
        filter(
            None,
            (f"{path}: {verdict.gate}", verdict.subject, verdict.task, verdict.shared_slice or verdict.slice),
        )
    )
