"""Expected calibration error (Naeini et al. 2015): how far probabilities of chosen options are from the share of hits.

Answers are put into bins of equal width by the probability of the likeliest option among all options; an answer on the
border of two bins belongs to the lower one. The error is the mean, over answers, of the distance in their bin between mean
probability and share of hits. It is biased upwards for few samples: every bin's distance is counted as positive.
"""

from bisect import bisect_left

import numpy as np

from harness.errors import SuiteError
from harness.metrics import Array, Metric, SampleNumber
from harness.metrics.probability import CERTAIN
from harness.tasks.likelihoods import is_right, probabilities
from harness.types import Generation, Sample

NAMES = ("calibration",)
MOST = 1_000  # bins; each is two numbers in every row


def metric(*, bins: int = 15) -> Metric:
    """Return the expected calibration error."""
    if not 1 <= bins <= MOST:
        raise SuiteError(f"calibration: bins: found {bins}; give a number from 1 to {MOST:,}")
    borders = [float(border) for border in np.linspace(0, 1, bins + 1)[1:-1]]

    def row(sample: Sample, generation: Generation) -> tuple[float, ...]:
        """Return for each bin the probability of the chosen option and whether it is right, then the number of samples."""
        chosen, share = generation.text, 1.0
        if generation.options:
            each = [*zip(generation.options, probabilities(generation), strict=True)]
            option, share = max(each, key=lambda one: one[0].logprob)
            chosen = option.text
        found = [0.0] * (2 * bins) + [1.0]
        place = bisect_left(borders, share)
        found[place], found[bins + place] = share, float(is_right(chosen, sample))
        return tuple(found)

    def value(
        total: Array,  # [..., 2 * bins + 1], as `row` orders them
    ) -> Array:  # [..., 1], 0 to 100
        distance = np.abs(total[..., :bins] - total[..., bins:-1]).sum(axis=-1, keepdims=True)
        return np.asarray(100.0 * distance / total[..., -1:])

    return Metric(
        names=NAMES,
        signature=f"calibration|error:expected|bins:{bins}|width:equal|of:options|no-options:certain|nrefs:var|version:1",
        unit="%",
        better="lower",
        row=row,
        value=value,
        cautions=(CERTAIN,),
        of_sample=SampleNumber(
            name="Error of the probability",
            said="how far the probability of the chosen option is from 100 if the option is right, from 0 if it is wrong",
            of=lambda rows: 100.0 * np.abs(rows[..., :bins].sum(axis=-1) - rows[..., bins:-1].sum(axis=-1)),
            unit="%",
            better="lower",
        ),
    )
