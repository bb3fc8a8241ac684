"""Mean probability of the right options among all options (softmax of their log-likelihoods).

It moves where accuracy stands still: an adapter that raises the right option from 10 % to 40 % gains nothing in accuracy.
An answer without options, as a trivial rule's, counts as certain. A refused answer has a probability of 0.
"""

from harness.metrics import Caution, Metric, exact
from harness.tasks.likelihoods import has_no_options, is_right, probabilities
from harness.types import Generation, Sample

NAMES = ("probability",)
CERTAIN = Caution(
    said="answers without likelihoods of options, as a trivial rule's and a written one's: they count as certain",
    holds=has_no_options,
)


def metric() -> Metric:
    """Return the mean probability of the right options."""
    return Metric(
        names=NAMES,
        signature="probability|of:options|mean:samples|no-options:certain|nrefs:var|refs:sum|version:1",
        unit="%",
        row=row,
        value=exact.value,
        cautions=(CERTAIN,),
    )


def row(sample: Sample, generation: Generation) -> tuple[float, ...]:
    """Return the probability of the right options, 0 to 1, and the number of samples."""
    if not generation.options:
        return float(is_right(generation.text, sample)), 1.0
    shares = zip(generation.options, probabilities(generation), strict=True)
    return sum(share for option, share in shares if is_right(option.text, sample)), 1.0
