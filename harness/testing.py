"""For a user's own tests: what must hold of a result, as an assertion."""

from pathlib import Path
from typing import Literal

from harness.errors import ResultError
from harness.gates.judge import judge
from harness.report import verdicts
from harness.results import Result
from harness.suite.rules import check
from harness.types import Gate, Verdict, Word
from harness.types.verdict import WORST_FIRST

__all__ = ["assert_no_drop"]


def assert_no_drop(
    result: Result | Path | str,
    baseline: Path | str,
    *,
    task: str,  # patterns with * and ?, as in a gate
    metric: str | None = None,  # None: the task's primary
    max_drop: float,  # points
    model: str = "*",
    adapter: str = "*",  # "base" for a model without one
    inconclusive: Literal["skip", "fail", "pass"] = "skip",
) -> None:
    """Holds that no system so named has lost more than `max_drop` points against the baseline.

    AssertionError with the numbers where one has; where these samples cannot tell, the test is skipped, or what
    `inconclusive` says. ResultError where nothing can be compared: another metric, other samples or prompts, no such name.
    """
    __tracebackhide__ = True
    if inconclusive not in ("skip", "fail", "pass"):
        raise ValueError(f"inconclusive={inconclusive!r}; give 'skip', 'fail' or 'pass'")
    folder = result.folder if isinstance(result, Result) else Path(result)
    gate = Gate(
        task=task,
        metric=metric,
        model=model,
        adapter=adapter,
        against=str(baseline),
        rules={"max_drop": max_drop},
    )
    check(gate, lambda *keys: ": ".join(map(str, ("assert_no_drop", *keys))))
    judged = judge(folder, [gate], baseline=Path(baseline))
    said = {word: _said(judged.verdicts, word) for word in WORST_FIRST}
    if said["invalid"] or not judged.verdicts:
        raise ResultError(said["invalid"] or f"{folder}: nothing was judged")
    if said["fail"]:
        raise AssertionError(said["fail"])
    if said["inconclusive"] and inconclusive == "fail":
        raise AssertionError(said["inconclusive"])
    if said["inconclusive"] and inconclusive == "skip":
        import pytest

        pytest.skip(said["inconclusive"])


def _said(judged: tuple[Verdict, ...], word: Word) -> str:
    """All verdicts of one word, a line each."""
    return "\n".join(
        f"{verdicts.judged(verdict)}: {verdicts.told(verdict)}"
        for verdict in judged
        if verdict.verdict == word
    )
