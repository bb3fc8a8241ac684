"""Choose among the options of an answer by their likelihoods, and turn likelihoods into probabilities."""

import math
from typing import Literal

from harness.types import Generation, Option, Sample

By = Literal["sum", "token", "byte", "character", "against"]


def is_right(text: str, sample: Sample) -> bool:
    """Return whether a text is a reference; blanks around both do not count."""
    return text.strip() in (reference.strip() for reference in sample.references)


def likelihood(option: Option, by: By) -> float:
    """Return how likely an option is: its sum, its mean over tokens, bytes or characters, or its sum beyond `against`.

    An option of a head has no tokens: its sum is its mean. An option that is compared with nothing, as a base's own, lies 0
    beyond it.
    """
    match by:
        case "sum":
            return option.logprob
        case "token":
            return option.logprob / max(option.tokens, 1)
        case "byte":
            return option.logprob / max(option.bytes, 1)
        case "character":
            return option.logprob / max(len(option.text), 1)
        case "against":
            return 0.0 if option.against is None else option.logprob - option.against


def best(sample: Sample, generation: Generation, by: By) -> tuple[float, float] | None:
    """Return the greatest likelihood among right options, and among wrong ones; None without one of either."""
    right = [likelihood(each, by) for each in generation.options if is_right(each.text, sample)]
    wrong = [likelihood(each, by) for each in generation.options if not is_right(each.text, sample)]
    return (max(right), max(wrong)) if right and wrong else None


def probabilities(generation: Generation) -> tuple[float, ...]:
    """Return the probability of each option among all of them (softmax of their sums); they add up to 1."""
    most = max((option.logprob for option in generation.options), default=0.0)
    shares = [math.exp(option.logprob - most) for option in generation.options]
    total = math.fsum(shares)
    return tuple(share / total for share in shares)


def has_no_options(sample: Sample, generation: Generation) -> bool:
    """Return whether an answer comes without likelihoods of options."""
    return not generation.options
