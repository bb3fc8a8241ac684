"""One adapter's layers summed up in a few numbers, without any data: what might distinguish a good adapter from a bad one.

A number that a row lacks (a failed fit, too few eigenvalues, a number of a later version) enters no mean. A number that
no row has is left out.
"""

from collections.abc import Iterable, Mapping, Sequence
from math import isfinite
from statistics import fmean

from harness.types import WeightRow
from harness.weights.summary import OVER_TRAINED, UNDER_TRAINED

MERGED = ("alpha", "alpha_weighted", "log_norm", "log_spectral_norm", "stable_rank")
DELTA = ("delta_ratio", "log_norm", "log_spectral_norm", "stable_rank", "effective_rank")
# Where a row has them, of ΔW or of W + ΔW, whichever says them.
LATER = ("overlap", "intruder_cosine", "rand_distance", "mp_softrank", "ERG_gap")
COUNTED = ("intruder_dimensions", "num_traps")

# The meaning of each number, for a page; a number is a mean over layers unless its name says otherwise.
MEANINGS = {
    "alpha of W + ΔW": "exponent of the power law; its shift from W ranks the adapters of a base the same way",
    "shift of alpha, either way": "|alpha of W + ΔW − alpha of W|, over the layers that the adapter touches",
    "alpha outside 2 to 6": "share of the merged model's layers",
    "alpha_weighted of W + ΔW": "alpha · log10 λ_max",
    "log_norm of W + ΔW": "log10 of the squared Frobenius norm",
    "log_spectral_norm of W + ΔW": "log10 λ_max",
    "stable_rank of W + ΔW": "squared Frobenius norm over λ_max",
    "delta_ratio of ΔW": "‖ΔW‖ / ‖W‖, Frobenius",
    "log_norm of ΔW": "log10 of the squared Frobenius norm",
    "log_spectral_norm of ΔW": "log10 λ_max",
    "stable_rank of ΔW": "squared Frobenius norm over λ_max",
    "effective_rank of ΔW": "exponential of the entropy of its singular values",
    "alpha of ΔW": "where enough singular values make it worth reading",
    "overlap": "of ΔW's leading directions with W's",
    "intruder_cosine": "the least cosine of a leading direction of W + ΔW to all of W's",
    "rand_distance": "from the spectrum of the same entries in another order",
    "mp_softrank": "edge of that spectrum's bulk over λ_max",
    "ERG_gap": "between where the tail begins and where its product of eigenvalues is one",
    "intruder_dimensions, all layers": "leading directions of W + ΔW that are none of W's",
    "num_traps, all layers": "correlation traps",
}


def data_free(
    adapter: Sequence[WeightRow],  # parts delta and merged, of one adapter
    base: Iterable[WeightRow],  # part W, of its base
) -> Mapping[str, float]:
    """Return the adapter's numbers by name.

    Numbers of W + ΔW are means over all layers of the base: a layer that the adapter does not change counts with W.
    """
    delta = [row for row in adapter if row.part == "delta"]
    touched = {row.layer: row for row in adapter if row.part == "merged"}
    before = {row.layer: row for row in base if row.part == "W"}
    whole = list({**before, **touched}.values())
    alphas = _values(whole, "alpha")
    outside = [float(not OVER_TRAINED <= alpha <= UNDER_TRAINED) for alpha in alphas]
    shifts = [
        abs(row.numbers["alpha"] - before[layer].numbers["alpha"])
        for layer, row in touched.items()
        if layer in before and _has(row, "alpha") and _has(before[layer], "alpha")
    ]
    found = {
        **{f"{key} of W + ΔW": _values(whole, key) for key in MERGED},
        "alpha outside 2 to 6": outside,
        "shift of alpha, either way": shifts,
        **{f"{key} of ΔW": _values(delta, key) for key in DELTA},
        "alpha of ΔW": _values([row for row in delta if row.numbers.get("reliable") == 1], "alpha"),
        **{key: _values(adapter, key) for key in LATER},
    }
    means = {name: fmean(values) for name, values in found.items() if values}
    counts = {f"{key}, all layers": _values(adapter, key) for key in COUNTED}
    return means | {name: sum(values) for name, values in counts.items() if values}


def _values(rows: Iterable[WeightRow], key: str) -> list[float]:
    return [row.numbers[key] for row in rows if _has(row, key)]


def _has(row: WeightRow, key: str) -> bool:
    return key in row.numbers and isfinite(row.numbers[key])
