"""Verdicts in words: the answer in a sentence, the order from the worst on, measured values and limits.

Names come from suites and data, so all text here is still foreign: callers must escape it for where it is shown.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from math import isfinite
from typing import Literal

from harness import text as words
from harness.gates import rules
from harness.types import Judgement, Regression, Verdict, Word
from harness.types.verdict import LIKELY, WORST_FIRST

Inconclusive = Literal["fail", "pass", "warn"]  # how to treat inconclusive verdicts


_SAID: Mapping[Word, tuple[str, str]] = {  # for one gate, for several
    "fail": ("failed", "failed"),
    "invalid": ("is invalid", "are invalid"),
    "inconclusive": ("is inconclusive", "are inconclusive"),
    "pass": ("passed", "passed"),
}


def answer(judgement: Judgement) -> str:
    """Return `2 of 9 gates failed, 1 is inconclusive, 6 passed`."""
    counts = Counter(verdict.verdict for verdict in judgement.verdicts)
    total = len(judgement.verdicts)
    if not total:
        return "No gate was judged"
    if counts["pass"] == total:
        return f"{words.every(total, 'gate')} passed"
    said = [counted(word, counts[word]) for word in WORST_FIRST if counts[word]]
    if total == 1:
        return f"The gate {said[0].split(' ', 1)[1]}"
    number, verb = said[0].split(" ", 1)
    return ", ".join([f"{number} of {words.plural(total, 'gate')} {verb}", *said[1:]])


def counted(word: Word, n: int) -> str:
    """Return `1 is invalid`, `2 are invalid`."""
    return f"{n:,} {_SAID[word][n != 1]}"


def worst_first(verdicts: Sequence[Verdict]) -> list[Verdict]:
    """Return the verdicts ordered: failed, invalid, inconclusive, passed; otherwise the order is kept."""
    return sorted(verdicts, key=lambda verdict: WORST_FIRST.index(verdict.verdict))


def not_passed(judgement: Judgement, inconclusive: Inconclusive) -> list[str]:
    """Return a line for each verdict that did not pass, worst first.

    `max_drop 1: failed: m + x on t, F1: −1.42 [−2.51, −0.33], n = 200`
    """
    return [
        words.line(
            f"{words.name(verdict.gate)}: {_SAID[verdict.verdict][0]}: {judged(verdict)}: {explained(verdict)}"
        )
        for verdict in worst_first(judgement.verdicts)
        if verdict.verdict != "pass" and not (verdict.verdict == "inconclusive" and inconclusive == "pass")
    ]


def gate(verdict: Verdict) -> str:
    """Return the name given to a gate, or else its rule."""
    return words.name(verdict.gate if _named(verdict) else verdict.rule)


def limit(verdict: Verdict) -> str:
    """Return the rule's limit, preceded by the rule if the gate has a name of its own."""
    if _named(verdict):
        return words.name(f"{verdict.rule} {verdict.limit or ''}".strip())
    return words.name(verdict.limit or verdict.gate.removeprefix(verdict.rule).strip())


def _named(verdict: Verdict) -> bool:
    return verdict.gate != verdict.rule and not verdict.gate.startswith(f"{verdict.rule} ")


def judged(verdict: Verdict) -> str:
    """Return what was judged: `llama2-tiny + quickstart on samsum, ROUGE-L, category = reasoning`."""
    who = (
        f"{words.name(verdict.subject)} on {words.name(verdict.task)}"
        if verdict.task
        else words.name(verdict.subject)
    )
    metric = words.name(words.metric(verdict.metric)) if verdict.metric else ""
    return ", ".join(filter(None, (who, metric, words.name(verdict.slice or ""))))


def fell(regression: Regression) -> str:
    """Return where a sample fell: `llama2-tiny + quickstart on samsum, ROUGE-L`."""
    where = f"{words.name(words.system(regression.system))} on {words.name(regression.task)}"
    return f"{where}, {words.name(words.metric(regression.metric))}"


def measured(verdict: Verdict) -> str:
    """Return `−1.42 [−2.51, −0.33]`: two digits, since limits are often whole numbers and values near them."""
    finite = all(
        isfinite(number) for number in (verdict.value, verdict.low, verdict.high) if number is not None
    )
    form = rules.form(verdict.rule) if finite else rules.score_form
    return f"{form(verdict.value)} {words.interval(verdict.low, verdict.high, form)}".strip()


def explained(verdict: Verdict) -> str:
    """Return numbers and reason: `−1.42 [−2.51, −0.33], n = 200: −1 lies within the interval`."""
    n = f"n = {samples(verdict)}" if verdict.n is not None else ""
    numbers = ", ".join(filter(None, (measured(verdict) if verdict.value is not None else "", n)))
    return ": ".join(filter(None, (numbers, verdict.because)))


def samples(verdict: Verdict) -> str:
    """Return the number of samples, "" if unknown."""
    return "" if verdict.n is None else f"{verdict.n:,}"


def warnings(judgement: Judgement) -> list[str]:
    """Return a sentence for each gate that an adapter without any true drop would often fail, for its weakest system.

    `max_drop 1.0 needs n ≥ 1,600 here …`
    """
    weakest: dict[tuple[str | None, ...], list[Verdict]] = {}
    for verdict in judgement.verdicts:
        if verdict.pass_probability_if_equal is not None and verdict.pass_probability_if_equal < LIKELY:
            weakest.setdefault(
                (verdict.gate, verdict.task, verdict.metric, verdict.slice, verdict.against), []
            ).append(verdict)
    return [_warning(group) for group in weakest.values()]


def _warning(group: Sequence[Verdict]) -> str:
    weakest = min(group, key=lambda each: each.pass_probability_if_equal or 0.0)
    others = f" and {words.plural(len(group) - 1, 'other')}" if len(group) > 1 else ""
    rule = words.name(weakest.gate)
    need = (
        f"{rule} needs n ≥ {weakest.samples_for_80_percent:,} here"
        if weakest.samples_for_80_percent
        else f"{rule} is too strict here"
    )
    here = f" with n = {weakest.n:,}" if weakest.n is not None else ""
    # Rounded down: 79.9 % is not the required 80 %.
    chance = int(100 * (weakest.pass_probability_if_equal or 0.0))
    return (
        f"{need}:{here} an adapter with no true drop passes {chance} times in 100 ({judged(weakest)}{others})"
    )
