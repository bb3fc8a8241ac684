"""Limit how many samples fall by more than some points: many small gains must not hide a broken class."""

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
    """The limit: how many samples may fall, and by how much."""

    drop: float  # points; samples that fall by more are counted
    # Exactly one of the two
    samples: int | None = None  # largest number of the samples of this test set
    percent: float | None = None  # largest share, inferred for samples like these


def judge(limit: WorseSamples, scores: JudgedScores) -> Finding:
    """Return the finding on the number, or the share, of samples that fell."""
    losses = -scores.changes
    if without := int(np.sum(~np.isfinite(losses))):
        raise ResultError(f"{words.plural(without, 'sample')} without a {scores.metric} of their own")
    count = int((losses > limit.drop).sum())
    if limit.samples is not None:
        return decide.exact(count, count <= limit.samples)
    assert limit.percent is not None
    return decide.proportion(count, scores.n, limit.percent)


def check(limit: WorseSamples, at: At) -> None:
    """Raise SuiteError for a limit that is incomplete or out of range."""
    if (limit.samples is None) == (limit.percent is None):
        raise SuiteError(f"{at()}: give either samples or percent, beside drop")
    not_negative(limit.drop, lambda: at("drop"))
    if limit.samples is not None:
        not_negative(limit.samples, lambda: at("samples"))
    if limit.percent is not None:
        within("from 0 to 100", lambda number: 0 <= number <= 100)(limit.percent, lambda: at("percent"))


def limit_text(limit: WorseSamples) -> str:
    """Return the limit in words."""
    most = f"{limit.percent:g} %" if limit.percent is not None else f"{limit.samples}"
    return f"{most} by more than {limit.drop:g}"


def sentence(limit: WorseSamples, finding: Finding, n: int) -> str:
    """Return how many samples fell, and where the interval of their share lies."""
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
