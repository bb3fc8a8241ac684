"""What a score is: rows of sums, one per sample, and a function of their total.

    row(sample, generation) -> k sums        value(sum of rows) -> the scores

A corpus score is `value` of the sum of all rows, so a resampled one is a matrix product of resampling counts
with rows. A metric that is no function of sums gives `corpus` instead, and has no interval.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from types import ModuleType
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from harness import plugins
from harness.errors import ForeignCode, SuiteError
from harness.metrics._code import NAMED, NOT_OURS, OWN, AllowedScripts, Code, Script
from harness.types import Generation, Sample

__all__ = [
    "NAMED",
    "NOT_OURS",
    "OWN",
    "AllowedScripts",
    "Array",
    "Code",
    "Metric",
    "Script",
    "load",
    "names",
    "own",
    "reads",
    "score_names",
]

Array = NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class Metric:
    """One way to judge answers. Holds either `row` and `value`, or `corpus`."""

    names: tuple[str, ...]  # of the scores that `value` gives, in order
    signature: str  # every setting that can move them, library version last
    unit: str  # "points" (0 to 100), "%", or "raw" for a foreign metric's own scale
    better: Literal["higher", "lower"] = "higher"
    interval: Literal["bootstrap", "wilson"] = "bootstrap"  # "wilson": each row is (hit, 1)
    row: Callable[[Sample, Generation], Sequence[float]] | None = None  # k sums
    value: Callable[[Array], Array] | None = None  # totals [..., k] -> scores [..., len(names)]
    corpus: Callable[[Sequence[Sample], Sequence[Generation]], Mapping[str, float]] | None = None

    def signature_on(self, samples: Sequence[Sample]) -> str:
        """The signature with the samples' number of references; "var" where it varies, as in sacrebleu."""
        counts = {len(sample.references) for sample in samples}
        return (
            self.signature.replace("nrefs:var", f"nrefs:{counts.pop()}")
            if len(counts) == 1
            else self.signature
        )


def names() -> tuple[str, ...]:
    """Every metric there is; "evaluate" is used with what it shall load: "evaluate:NAME", "evaluate:PATH"."""
    return plugins.names("metrics")


def load(name: str, where: str = "", *, code: Code = OWN) -> Metric:
    """Return the metric of that name; "evaluate:PATH" hands PATH to the plug-in `evaluate`.

    ForeignCode where the name leads to code that `code` does not allow. Only who wrote the name himself, or was shown what
    it leads to, may give another than OWN.
    """
    plugin, argument = _find(name, where)
    metric: Metric = plugin.metric(code.permit(name, argument)) if argument else plugin.metric()
    return metric


def own(name: str) -> Metric | None:
    """Return the metric that a RESULT names; None where that leads to code which is not part of this harness."""
    try:
        return load(name)
    except ForeignCode:
        return None


def score_names(metric: str, where: str = "") -> tuple[str, ...]:
    """What its scores are called, without loading what computes them."""
    plugin, argument = _find(metric, where)
    found: tuple[str, ...] = plugin.score_names(argument) if argument else plugin.NAMES
    return found


def reads(metric: str, text: str) -> bool:
    """Return whether the metric finds anything to compare in a reference, as far as its plug-in says (`reads`)."""
    plugin, _ = _find(metric, "")
    look: Callable[[str], bool] | None = getattr(plugin, "reads", None)
    return look is None or look(text)


def _find(name: str, where: str) -> tuple[ModuleType, str]:
    """The plug-in, and what follows the colon. One that takes an argument has `score_names`, others NAMES."""
    head, _, argument = name.partition(":")
    plugin = plugins.find("metrics", head, where)
    takes_argument = hasattr(plugin, "score_names")
    if takes_argument == bool(argument):
        return plugin, argument
    hint = f"write {head}:NAME or {head}:PATH" if takes_argument else f"{head!r} takes nothing after a colon"
    raise SuiteError(f"{where}{': ' if where else ''}no metric named {name!r}; {hint}")
