"""At most so many samples fall by more than so many points: many small gains must not hide a broken class."""

from dataclasses import dataclass

import numpy as np

from harness import text as words
from harness.errors import ResultError, SuiteError
from harness.gates import decide
from harness.gates.decide import Finding
from harness.gates.rules import At, Rule, not_negative, within
from harness.gates.scores import JudgedScores
from harness.gates.wording import lies


@dataclass(frozen=True, slots=True, kw_only=True)
class WorseSamples:
    """How many samples may fall."""

    drop: float  # points; a sample that falls by more is counted
    samples: int | None = None  # exactly one of: at most so many of the samples that were asked
    percent: float | None = None  # at most so many of a hundred, of samples like these


def judge(limit: WorseSamples, scores: JudgedScores) -> Finding:
    losses = -scores.changes
    if without := int(np.sum(~np.isfinite(losses))):
        raise ResultError(f"{words.plural(without, 'sample')} without a {scores.metric} of their own")
    count = int((losses > limit.drop).sum())
    if limit.samples is not None:
        return decide.exact(count, count <= limit.samples)
    assert limit.percent is not None
    return decide.proportion(count, scores.n, limit.percent)


def check(limit: WorseSamples, at: At) -> None:
    if (limit.samples is None) == (limit.percent is None):
        raise SuiteError(f"{at()}: give either samples or percent, beside drop")
    not_negative(limit.drop, lambda: at("drop"))
    if limit.samples is not None:
        not_negative(limit.samples, lambda: at("samples"))
    if limit.percent is not None:
        within("from 0 to 100", lambda number: 0 <= number <= 100)(limit.percent, lambda: at("percent"))


def limit_text(limit: WorseSamples) -> str:
    most = f"{limit.percent:g} %" if limit.percent is not None else f"{limit.samples}"
    return f"{most} by more than {limit.drop:g}"


def sentence(limit: WorseSamples, finding: Finding, n: int) -> str:
    count = finding.value if limit.percent is None else finding.value * n / 100
    fell = f"{count:.0f} of {words.plural(n, 'sample')} fell by more than {limit.drop:g}"
    return fell if limit.percent is None else f"{fell}; {lies(finding, f'{limit.percent:g} %', at_most=True)}"


RULE = Rule(
    name="max_worse_samples",
    limit=WorseSamples,
    reads="difference",
    judge=judge,
    check=check,
    limit_text=limit_text,
    sentence=sentence,
    form=words.plain,
    fewest=2,  # samples are counted, and not inferred from
)
