"""Format numbers and foreign text for readers: rounding happens here and nowhere before."""

import math
import re
from collections.abc import Callable, Sequence

from harness.types import Comparison, RecipeScore, Score, System

METRICS = {
    "rouge1": "ROUGE-1",
    "rouge2": "ROUGE-2",
    "rougeL": "ROUGE-L",
    "rougeLsum": "ROUGE-Lsum",
    "bleu": "BLEU",
    "chrf": "chrF",
    "exact": "Exact match",
    "f1": "Token F1",
    "accuracy": "Accuracy",
    "balanced_accuracy": "Balanced accuracy",
    "f1_macro": "Macro F1",
    "matthews": "Matthews correlation",
    "probability": "Probability of the right option",
    "calibration": "Calibration error",
    "margin": "Margin",
    "pearson": "Pearson correlation",
    "spearman": "Spearman correlation",
    "mse": "Mean squared error",
    "bits_per_byte": "Bits per byte",
    "word_perplexity": "Word perplexity",
    "token_perplexity": "Token perplexity",
    "extract": "Right results",
    "ast": "Right calls",
    "hallucinated": "Hallucinated calls",
    "argument_errors": "Wrong arguments",
    "ter": "TER",
}
RULES = {"lead-3": "first 3 sentences", "copy": "copy of the input"}
MINUS, SPACE = "\N{MINUS SIGN}", "\N{NO-BREAK SPACE}"
LEAST_P = 0.001
LONGEST_NAME = 120  # characters of a name in a sentence
SIGNIFICANT = 0.05
NOISE = 1e-6  # points: a detectable difference below this is rounding, and the samples do not vary

# C0 and C1 controls except tab and line feed; marks that reorder the text around them; halves of a surrogate pair.
_UNSEEN = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff\ufff9-\ufffb\ud800-\udfff]"
)

# In a log of GitHub Actions these begin a command to the runner: `::add-mask::…`, `##[group]…`.
_BLANKS = re.compile(f"[^\\S{SPACE}]+")  # all but the no-break space between a number and its unit
_ORDER = re.compile(r":(?=:)|#(?=#\[)")


def visible(text: str) -> str:
    """Return the text with invisible, reordering and control characters replaced by their code points."""
    return _UNSEEN.sub(lambda found: f"⟦U+{ord(found[0]):04X}⟧", text)


def line(text: str) -> str:
    """Return the text on one line, without workflow commands that a log reader such as GitHub Actions would obey."""
    return _ORDER.sub(lambda found: found[0] + " ", _BLANKS.sub(" ", visible(text)).strip())


def shorten(text: str, most: int) -> str:
    """Return the first `most` characters, followed by the count of those left out."""
    return text if len(text) <= most else f"{text[:most]} … ({len(text) - most:,} more characters)"


def name(text: str) -> str:
    """Return a name from a suite or from data, cut to LONGEST_NAME characters."""
    return shorten(text, LONGEST_NAME)


def metric(name: str) -> str:
    """Return a score's display name, with the metric's settings if the name gives any."""
    bare, bracket, settings = name.partition("(")
    if bare not in METRICS:
        return visible(name)
    return METRICS[bare] + visible(f" {bracket}{settings}" if bracket else "")


def system(system: System) -> str:
    """Return a system's display name; a trivial rule's says what it does."""
    if system.rule is not None:
        return visible(RULES.get(system.rule, system.rule))
    return visible(str(system))


def as_number(text: str) -> float | None:
    """Return the finite number that a text is, with or without a fraction; None for any other text."""
    try:
        found = float(text.strip().replace("−", "-"))
    except ValueError:
        return None
    return found if math.isfinite(found) and "_" not in text else None


def number(value: float | None, digits: int = 1) -> str:
    """Return a number with `digits` decimals; a zero has no sign; "" for None."""
    return "" if value is None else f"{value:z.{digits}f}".replace("-", MINUS)


def nonzero(value: float) -> str:
    """Return a number above zero with one decimal, or with as many as it takes to show a digit: `1.2`, `0.004`."""
    digits = 1
    while value < 10.0**-digits:
        digits += 1
    return number(value, digits)


def signed(value: float | None, digits: int = 1) -> str:
    """Return a number with its sign and `digits` decimals; a zero has no sign; "" for None."""
    if value is None:
        return ""
    text = f"{value:+.{digits}f}"
    return f"{0:.{digits}f}" if not float(text) else text.replace("-", MINUS)


def signed_2(value: float | None) -> str:
    """Return a number with its sign and two decimals, for values between −1 and 1."""
    return signed(value, 2)


def interval(low: float | None, high: float | None, form: Callable[[float | None], str] = number) -> str:
    """Return `[39.9, 42.6]`, or "" if there is no interval."""
    return "" if low is None or high is None else f"[{form(low)},{SPACE}{form(high)}]"


def score(score: Score) -> str:
    """Return `41.2 [39.9, 42.6]`."""
    return f"{number(score.value)} {interval(score.low, score.high)}".rstrip()


def difference(comparison: Comparison) -> str:
    """Return `+1.4 [+0.3, +2.5]`."""
    return f"{signed(comparison.difference)} {interval(comparison.low, comparison.high, signed)}"


def to_base(recipe_score: RecipeScore) -> str:
    """Return `+1.4 [+0.3, +2.5]`, over seeds."""
    ends = interval(recipe_score.difference_low, recipe_score.difference_high, signed)
    return f"{signed(recipe_score.difference)} {ends}".rstrip()


def samples(comparison: Comparison) -> str:
    """Return `better on 61 %, worse on 30 %` (shares of the samples)."""
    if comparison.better is None or comparison.worse is None or not comparison.n:
        return ""
    better, worse = (100 * count / comparison.n for count in (comparison.better, comparison.worse))
    return f"better on {better:.0f}{SPACE}%, worse on {worse:.0f}{SPACE}%"


def alike(metric: str, slices: Sequence[str]) -> str:
    """Return a sentence on slices whose references are all equal: a correlation with them says nothing."""
    return f"{metric} has no meaning where all references are equal: {listed(list(slices))}."


def p_value(p: float, name: str = "p") -> str:
    """Return `p = 0.012` or `p < 0.001`; rounding never moves a p across the significance level."""
    if p < LEAST_P:
        return f"{name}{SPACE}<{SPACE}{LEAST_P}"
    digits = 3 if p < 0.1 else 2
    text = f"{p:.{digits}f}"
    if (float(text) < SIGNIFICANT) != (p < SIGNIFICANT):
        text = f"{p:.5f}"
    return f"{name}{SPACE}={SPACE}{text}"


def certainty(comparison: Comparison) -> str:
    """Return the corrected p, or "exploratory" if there is none."""
    return "exploratory" if comparison.p_holm is None else p_value(comparison.p_holm, "p_holm")


def significant(comparison: Comparison | None) -> bool:
    """Return whether a difference is significant after correction."""
    return comparison is not None and comparison.p_holm is not None and comparison.p_holm < SIGNIFICANT


def minus(limit: float) -> str:
    """Return a tolerated drop as a difference: `−1` for 1, `0` for 0."""
    return f"{MINUS}{limit:g}" if limit else f"{limit:g}"


def plain(value: float | None) -> str:
    """Return a whole number without decimals, any other number with one."""
    return number(value, 0 if value is not None and value == round(value) else 1)


def seconds(value: float | None) -> str:
    """Return a duration: `0.4 s`, `41 s`, `3 min 20 s`, `2 h 5 min`."""
    if value is None:
        return ""
    if value < 10:
        return f"{value:.1f} s"
    whole = round(value)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60} s" if whole % 60 else f"{whole // 60} min"
    return f"{whole // 3600} h {whole % 3600 // 60} min"


def brief(value: float | None) -> str:
    """Return a duration that may be short: `4.1 ms`, `0.12 s`, `3.4 s`."""
    if value is None:
        return ""
    if value < 0.1:
        return f"{1000 * value:.{1 if value < 0.01 else 0}f} ms"
    return f"{value:.2f} s" if value < 1 else seconds(value)


def megabytes(value: float | None) -> str:
    """Return a size in megabytes."""
    if value is None:
        return ""
    if value >= 1000:
        return f"{value / 1000:.1f} GB"
    return f"{value:.{0 if value >= 10 else 1 if value >= 1 else 2}f} MB"


def percent(count: int, of: int) -> str:
    """Return a share of a count as `12 %`; a few of many are `under 1 %`, all but a few `over 99 %`."""
    share = 100 * count / of
    if 0 < share <= 0.5:
        return f"under 1{SPACE}%"
    if 99.5 <= share < 100:
        return f"over 99{SPACE}%"
    return f"{share:.0f}{SPACE}%"


def percent_empty(share: float) -> str:
    """Return `12 % empty`, shown after a system's name."""
    return f"{100 * share:.0f}{SPACE}% empty"


def count(value: float | None) -> str:
    """Return a count: `950`, `12.3 k`, `1.9 M`, `7.2 B`."""
    if value is None:
        return ""
    for size, letter in ((1e9, " B"), (1e6, " M"), (1e3, " k")):
        if value >= size:
            return f"{value / size:.{0 if value >= 100 * size else 1}f}{letter}"
    return f"{value:.0f}"


def plural(n: int, one: str, many: str | None = None) -> str:
    """Return `1 sample`, `2 samples`."""
    return f"{n:,} {one if n == 1 else many or one + 's'}"


def detectable(value: float) -> str:
    """Return the smallest detectable difference; "unknown" if the samples do not vary."""
    return nonzero(value) if value > NOISE else "unknown"


def unseen(smallest: float, n: int, before: str = "") -> str:
    """Return a sentence on the smallest difference that n samples can detect; `before` begins it: `With 200 samples, `."""
    if smallest > NOISE:
        said = f"differences below about {nonzero(smallest)} may go unseen."
    elif n == 1:
        said = "the smallest detectable difference is unknown: it takes at least two samples."
    else:
        said = f"the smallest detectable difference is unknown: all {n:,} differences are equal."
    return before + (said if before else said[0].upper() + said[1:])


def every(n: int, one: str, many: str | None = None) -> str:
    """Return `The adapter`, `Both adapters` or `All 3 adapters`."""
    return {1: f"The {one}", 2: f"Both {many or one + 's'}"}.get(n) or f"All {plural(n, one, many)}"


def listed(names: list[str]) -> str:
    """Return `a`, `a and b` or `a, b and c`."""
    return " and ".join(filter(None, [", ".join(names[:-1]), *names[-1:]]))


def portable(command: str) -> str:
    """Return a command without the folders of the machine that it ran on: `harness run /home/me/s.yaml` names `…/s.yaml`."""
    return re.sub(r"(^|[\s='\"])[/~]\S*/", r"\1…/", command)


def withheld(tasks: Sequence[str]) -> str:
    """Return the sentence that says why a copy has no texts for some tasks."""
    return (
        f"For {listed([visible(task) for task in tasks])} this copy contains ids and numbers only: the licence or setting "
        "of the source does not allow its texts to be shared."
    )
