"""Share of right answers: of the answer as it stands, or of the likeliest option by token, byte, character or another text.

`by: answer` compares the answer's text. For options that is the one with the greatest sum of log-likelihoods, so it is
`acc` of lm-evaluation-harness. `by: character` is its `acc_norm`, `by: byte` its `acc_bytes`, `by: against` its
`acc_mutual_info`. An answer without options, as a trivial rule's, is judged by its text. A refused answer
is a miss.
"""

from collections.abc import Mapping
from typing import Literal

from harness.metrics import Caution, Metric, exact
from harness.tasks.likelihoods import best, is_right
from harness.types import Generation, Option, Sample

NAMES = ("accuracy",)

By = Literal["answer", "token", "byte", "character", "against"]


def metric(*, by: By = "answer") -> Metric:
    """Return accuracy; of all settings but `answer`, a right option must be strictly likelier than all others."""

    def row(sample: Sample, generation: Generation) -> tuple[float, ...]:
        """Return (hits, samples)."""
        if by == "answer" or not generation.options:
            return float(is_right(generation.text, sample)), 1.0
        found = best(sample, generation, by)
        if found is None:  # all options are right, or none is
            return float(any(is_right(option.text, sample) for option in generation.options)), 1.0
        return float(found[0] > found[1]), 1.0

    return Metric(
        names=NAMES,
        signature=f"accuracy|by:{by}|space:trimmed|nrefs:var|refs:any|version:1",
        unit="%",
        interval="wilson",
        row=row,
        value=exact.value,
        cautions=_CAUTIONS.get(by, (TIED,)),
    )


def _tied(sample: Sample, generation: Generation) -> bool:
    found = best(sample, generation, "sum")
    return found is not None and found[0] == found[1]


TIED = Caution(
    said="answers with a right and a wrong option that are equally likely: `by: answer` takes the first of the two, other "
    "settings count a miss",
    holds=_tied,
)


def _begins(one: Option, other: Option) -> bool:
    """Return whether an option is the first words of another, as the model is asked for both."""
    shorter, longer = one.text.strip(), other.text.strip()
    whole = not longer[len(shorter) :][:1].isalnum()
    return longer.startswith(shorter) and whole and 0 < one.tokens < other.tokens


def _has_beginning(sample: Sample, generation: Generation) -> bool:
    right = [option for option in generation.options if is_right(option.text, sample)]
    wrong = [option for option in generation.options if not is_right(option.text, sample)]
    return any(_begins(one, other) or _begins(other, one) for one in right for other in wrong)


BEGINNING = Caution(
    said="answers where a right and a wrong option begin with the same words and one of them ends there: by the sum of "
    "log-likelihoods the shorter one always wins; see `by: token`, or `options: letter` of kind choice",
    holds=_has_beginning,
)
UNCOMPARED = Caution(
    said="answers whose likelihoods are compared with nothing, which count as misses: say `unconditional: true` in the "
    "settings of kind choice, `against_base: true` in those of kind prefer; a base has no base to be compared with",
    holds=lambda sample, generation: any(option.against is None for option in generation.options),
)
_CAUTIONS: Mapping[By, tuple[Caution, ...]] = {"answer": (TIED, BEGINNING), "against": (TIED, UNCOMPARED)}
