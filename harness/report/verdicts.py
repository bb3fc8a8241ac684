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
    counts = Counter(one.verdict for one in judgement.verdicts)
    total = len(judgement.verdicts)
    if not total:
        return "No gate was judged"
    if counts["pass"] == total:
        return f"{words.every(total, 'gate')} passed"
    said = [counted(word, counts[word]) for word in WORST_FIRST if counts[word]]
    number, verb = said[0].split(" ", 1)
    return ", ".join([f"{number} of {words.plural(total, 'gate')} {verb}", *said[1:]])


def counted(word: Word, n: int) -> str:
    """Return `1 is invalid`, `2 are invalid`."""
    return f"{n:,} {_SAID[word][n != 1]}"


def worst_first(verdicts: Sequence[Verdict]) -> list[Verdict]:
    """Return the verdicts ordered: failed, invalid, inconclusive, passed; otherwise the order is kept."""
    return sorted(verdicts, key=lambda one: WORST_FIRST.index(one.verdict))


def not_passed(judgement: Judgement, inconclusive: Inconclusive) -> list[str]:
    """Return a line for each verdict that did not pass, worst first.

    `max_drop 1: failed: m + x on t, F1: −1.42 [−2.51, −0.33], n = 200`
    """
    return [
        words.line(f"{words.name(one.gate)}: {_SAID[one.verdict][0]}: {judged(one)}: {told(one)}")
        for one in worst_first(judgement.verdicts)
        if one.verdict != "pass" and not (one.verdict == "inconclusive" and inconclusive == "pass")
    ]


def gate(one: Verdict) -> str:
    """Return the name given to a gate, or else its rule."""
    return words.name(one.gate if _named(one) else one.rule)


def limit(one: Verdict) -> str:
    """Return the rule's limit, preceded by the rule if the gate has a name of its own."""
    if _named(one):
        return words.name(f"{one.rule} {one.limit or ''}".strip())
    return words.name(one.limit or one.gate.removeprefix(one.rule).strip())


def _named(one: Verdict) -> bool:
    return one.gate != one.rule and not one.gate.startswith(f"{one.rule} ")


def judged(one: Verdict) -> str:
    """Return what was judged: `llama2-tiny + quickstart on samsum, ROUGE-L, category = reasoning`."""
    who = f"{words.name(one.subject)} on {words.name(one.task)}" if one.task else words.name(one.subject)
    metric = words.name(words.metric(one.metric)) if one.metric else ""
    return ", ".join(filter(None, (who, metric, words.name(one.slice or ""))))


def fell(one: Regression) -> str:
    """Return where a sample fell: `llama2-tiny + quickstart on samsum, ROUGE-L`."""
    return f"{words.name(words.system(one.system))} on {words.name(one.task)}, {words.name(words.metric(one.metric))}"


def measured(one: Verdict) -> str:
    """Return `−1.42 [−2.51, −0.33]`: two digits, since limits are often whole numbers and values near them."""
    finite = all(isfinite(number) for number in (one.value, one.low, one.high) if number is not None)
    form = rules.form(one.rule) if finite else rules.score_form
    return f"{form(one.value)} {words.interval(one.low, one.high, form)}".strip()


def told(one: Verdict) -> str:
    """Return numbers and reason: `−1.42 [−2.51, −0.33], n = 200: −1 lies within the interval`."""
    n = f"n = {samples(one)}" if one.n is not None else ""
    numbers = ", ".join(filter(None, (measured(one) if one.value is not None else "", n)))
    return ": ".join(filter(None, (numbers, one.because)))


def samples(one: Verdict) -> str:
    """Return the number of samples, "" if unknown."""
    return "" if one.n is None else f"{one.n:,}"


def warnings(judgement: Judgement) -> list[str]:
    """Return a sentence for each gate that an adapter without any true drop would often fail, for its weakest system.

    `max_drop 1.0 needs n ≥ 1,600 here …`
    """
    weakest: dict[tuple[str | None, ...], list[Verdict]] = {}
    for one in judgement.verdicts:
        if one.pass_probability_if_equal is not None and one.pass_probability_if_equal < LIKELY:
            weakest.setdefault((one.gate, one.task, one.metric, one.slice, one.against), []).append(one)
    return [_warning(group) for group in weakest.values()]


def _warning(group: Sequence[Verdict]) -> str:
    one = min(group, key=lambda each: each.pass_probability_if_equal or 0.0)
    others = f" and {words.plural(len(group) - 1, 'other')}" if len(group) > 1 else ""
    rule = words.name(one.gate)
    need = (
        f"{rule} needs n ≥ {one.samples_for_80_percent:,} here"
        if one.samples_for_80_percent
        else f"{rule} is too strict here"
    )
    here = f" with n = {one.n:,}" if one.n is not None else ""
    chance = int(
        100 * (one.pass_probability_if_equal or 0.0)
    )  # rounded down: 79.9 % is not the required 80 %
    return f"{need}:{here} an adapter with no true drop passes {chance} times in 100 ({judged(one)}{others})"
