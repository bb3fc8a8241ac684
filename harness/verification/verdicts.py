"""Whether verdicts.json follows from its RESULT: the suite's gates are judged again."""

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
class Judged:
    """What of the verdicts does not follow, a sentence each; or why they were not judged again."""

    problems: tuple[str, ...] = ()
    left: str = ""


def check_verdicts(result: Result) -> Judged:
    """Judge the gates that result.json holds, and hold the verdicts beside it against what they say."""
    from harness.gates.judge import judge
    from harness.results import verdicts as gates

    path = result.folder / gates.FILE
    if not path.is_file():
        return Judged()
    if not result.suite.gates:
        return Judged(problems=(f"{path}: verdicts, and result.json holds no gate",))
    if result.withheld:
        return Judged(left="verdicts: not judged again, for this copy withholds texts")
    away = [file for file in _baselines(result) if not Path(file).is_file()]
    if away:
        return Judged(left=f"verdicts: not judged again, for the baseline {away[0]} is not here")
    try:
        told, anew = gates.read(result.folder), judge(result.folder).verdicts
    except HarnessError as error:
        return Judged(problems=(str(error),))
    return Judged(problems=tuple(_differing(path, told, anew, made_alike(result))))


def _baselines(result: Result) -> list[str]:
    from harness.gates.rules import BASE

    named = (gate.against for gate in result.suite.gates)
    return [name for name in named if name is not None and name != BASE]


def _differing(path: Path, told: tuple[Verdict, ...], anew: tuple[Verdict, ...], alike: bool) -> list[str]:
    left = _by_key(told)
    fresh = _by_key(anew)
    problems = [] if len(told) == len(left) else [f"{path}: a verdict is there twice"]
    for key, verdict in left.items():
        if key not in fresh:
            problems.append(f"{_said(path, verdict)}: no gate of result.json gives this verdict")
        else:
            problems += _unlike(path, verdict, fresh[key], alike)
    problems += [
        f"{_said(path, verdict)}: the verdict is missing" for key, verdict in fresh.items() if key not in left
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
            verdict.slice,
            verdict.against,
        ): verdict
        for verdict in verdicts
    }


def _unlike(path: Path, told: Verdict, anew: Verdict, alike: bool) -> list[str]:
    """Return the first field in which a verdict differs from the recomputed one."""
    width = (anew.high - anew.low) if anew.low is not None and anew.high is not None else 0.0
    room = EXACT if alike else EXACT + SPREAD * width
    for name in ("verdict", "value", "low", "high", "n", *(EXACTLY if alike else ())):
        was, now = getattr(told, name), getattr(anew, name)
        if was == now:
            continue
        numbers = isinstance(was, int | float) and isinstance(now, int | float) and name != "n"
        if not (numbers and isclose(was, now, rel_tol=1e-9, abs_tol=room)):
            return [f"{_said(path, told)}: {name} {was} in it, {now} when judged again"]
    return []


def _said(path: Path, verdict: Verdict) -> str:
    return " / ".join(filter(None, (f"{path}: {verdict.gate}", verdict.subject, verdict.task, verdict.slice)))
