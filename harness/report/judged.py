"""The section on judges: shares as judged and corrected, with the judge's errors, and who can be compared with whom."""

from collections.abc import Sequence
from dataclasses import dataclass

from harness import text as words
from harness.results import Result
from harness.results.judged import JudgedDifference, JudgedRate, JudgedTask, judged


@dataclass(frozen=True, slots=True, kw_only=True)
class JudgedLine:
    """A system with the share that a judge found, and with the corrected difference to its base."""

    rate: JudgedRate
    change: JudgedDifference | None  # None: a base, or a trivial rule

    @property
    def as_judged(self) -> str:
        """Return the share as judged."""
        return words.number(self.rate.score.value)

    @property
    def corrected(self) -> str:
        """Return the corrected share with its interval; "" where it is not known."""
        found = self.rate.corrected
        return "" if found is None else f"{words.number(found.value)} {words.interval(found.low, found.high)}"

    @property
    def errors(self) -> str:
        """Return how often the judge is right, and on whose answers that was seen; or why it is not known."""
        known = self.rate.errors.known
        if known is None:
            return self.rate.errors.problem
        return f"{shares(known.sensitivity)} found, {shares(known.specificity)} rightly not found: {self.rate.errors.source}"

    @property
    def difference(self) -> str:
        """Return the corrected difference to the base with its interval, or why there is none; "" for a base."""
        if self.change is None:
            return ""
        found = self.change.difference
        if found is None:
            own = self.change.problem == self.rate.errors.problem  # which stands beside it
            return "not comparable" if own else self.change.problem
        return f"{words.signed(found.value)} {words.interval(found.low, found.high, words.signed)}"

    @property
    def certainty(self) -> str:
        """Return the corrected p of the difference; "" where there is none."""
        if self.change is None or self.change.p_holm is None:
            return ""
        said = words.p_value(self.change.p_holm, "p_holm")
        return said if self.change.p_holm < words.SIGNIFICANT else f"not significant, {said}"


@dataclass(frozen=True, slots=True, kw_only=True)
class JudgedSection:
    """What one judge found on one task."""

    judged: JudgedTask
    who: str  # the judge: a rule, or a model
    lines: tuple[JudgedLine, ...]
    sentence: str


def shares(one: tuple[float, float, float]) -> str:
    """Return a share in percent with its interval."""
    value, low, high = one
    return f"{words.number(value, 0)}{words.SPACE}% {words.interval(low, high, lambda end: words.number(end, 0))}"


def sections(result: Result) -> tuple[JudgedSection, ...]:
    """Return a section for each judge of each task."""
    return tuple(_section(each) for each in judged(result))


def _section(each: JudgedTask) -> JudgedSection:
    changes = {change.candidate: change for change in each.differences}
    lines = tuple(JudgedLine(rate=rate, change=changes.get(rate.system)) for rate in each.rates)
    return JudgedSection(judged=each, who=_who(each), lines=lines, sentence=_sentence(each, lines))


def _who(each: JudgedTask) -> str:
    if each.metric != "judge":
        return f"the rule {each.metric}"
    model, adapter = each.task.judge.get("model"), each.task.judge.get("adapter")
    return f"{model} + {adapter}" if adapter else str(model)


def _sentence(each: JudgedTask, lines: tuple[JudgedLine, ...]) -> str:
    """Return what the corrected shares say, or that none can be corrected."""
    finds, where = words.visible(each.finds), words.visible(each.task.name)
    if all(line.rate.corrected is None for line in lines):
        first = lines[0].rate.errors.problem if lines else "no answer was judged"
        return f"{finds.capitalize()} on {where} are shown as judged, and nothing may be concluded from them: {first}."
    told = [line for line in lines if line.change and line.change.difference]
    if not told:
        return (
            f"{finds.capitalize()} on {where} are corrected for the judge's errors; no adapter can be compared with "
            "its base."
        )
    sure = [
        line
        for line in told
        if line.change and line.change.p_holm is not None and line.change.p_holm < words.SIGNIFICANT
    ]
    if not sure:
        return f"No adapter has significantly more or fewer {finds} on {where} than its base, the judge's errors counted."
    more, fewer = ([line for line in sure if sign * _value(line) > 0] for sign in (1, -1))
    said = [
        _significant(lines, f"{word} {finds}") for word, lines in (("more", more), ("fewer", fewer)) if lines
    ]
    return f"On {where}, the judge's errors counted, {' and '.join(said)}."


def _significant(lines: Sequence[JudgedLine], what: str) -> str:
    """Return which adapters have significantly more, or fewer, than their bases."""
    last = max(lines, key=lambda line: abs(_value(line)))
    most = f"{words.system(last.rate.system)}, {last.difference} ({last.certainty})"
    if len(lines) == 1:
        return (
            f"{words.system(last.rate.system)} has {what} than its base: {last.difference} ({last.certainty})"
        )
    return f"{len(lines)} adapters have {what} than their bases, the most {most}"


def _value(line: JudgedLine) -> float:
    assert line.change is not None and line.change.difference is not None
    return line.change.difference.value
