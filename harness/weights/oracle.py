"""WeightWatcher 0.7.7 on one matrix, run so that the process afterwards is as it was before.

Importing the package gives the root logger a handler and a level, ignores every warning from then on and prints; a run
prints more. It takes numpy arrays under names that end in `.weight`. Torch tensors would be cast to float16 where there
is a GPU, and its "fast" decomposition is float32 there; so it gets arrays and "accurate", which are the same everywhere.
"""

import logging
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from io import StringIO

import numpy as np
from numpy.typing import NDArray

FEWEST = 8  # eigenvalues that it fits a power law to
LARGEST = (
    300_000  # rows or columns; the package silently leaves out larger matrices, by default from 50,000 on
)
NUMBERS = (
    *("alpha", "D", "sigma", "xmin", "num_pl_spikes", "alpha_weighted", "log_alpha_norm", "ERG_gap"),
    *("lambda_max", "spectral_norm", "log_spectral_norm", "norm", "log_norm", "stable_rank", "matrix_rank"),
    *("rank_loss", "entropy", "detX_num", "Q", "num_evals", "sv_max", "sv_min"),
)
OF_RANDOMIZED = (
    *("rand_distance", "max_rand_eval", "ww_softrank", "ww_maxdist", "num_traps", "rand_sigma_mp"),
    *("rand_mp_softrank", "sigma_mp", "mp_softrank", "num_spikes", "bulk_max", "bulk_min"),
)
OF_THE_FIT = frozenset(NUMBERS[:8])


def spectrum(
    W: NDArray[np.floating],  # [rows, cols], finite, not all zero, at least FEWEST of both
    *,
    randomize: bool = False,
    seed: int = 0,  # of what it randomizes
) -> Mapping[str, float]:
    """Return the package's numbers under its names; without those of the fit (`alpha` …) where it found no power law.

    Raises ValueError where the package leaves the matrix out, or where the decomposition does not converge.
    `lambda_max` and `spectral_norm` are both the largest eigenvalue of WᵀW, not divided by N.
    """
    with contained():
        from weightwatcher import WeightWatcher

        np.random.seed(seed)
        details = WeightWatcher().analyze(
            model={"matrix.weight": W},
            min_evals=FEWEST,
            max_evals=LARGEST,
            max_N=LARGEST,
            svd_method="accurate",
            plot=False,
            savefig=False,
            randomize=randomize,
            mp_fit=randomize,
            ERG=True,
        )
    if len(details) != 1:
        raise ValueError(f"weightwatcher left out a matrix of shape {list(W.shape)}")
    row = details.iloc[0]
    # Where all values are equal, the package reports success too, with an alpha of 0, 1 or infinity.
    fitted = row["status"] == "success" and 1 < row["alpha"] < np.inf
    names = NUMBERS + (OF_RANDOMIZED if randomize else ())
    return {name: float(row[name]) for name in names if fitted or name not in OF_THE_FIT}


@contextmanager
def contained() -> Iterator[None]:
    """Restore loggers, warning filters, numpy's settings and random state, and both streams when the block ends."""
    root, others = logging.getLogger(), [logging.getLogger(name) for name in ("weightwatcher", "matplotlib")]
    handlers, level, disabled = list(root.handlers), root.level, root.manager.disable
    levels = [logger.level for logger in others]
    random = np.random.get_state()  # the global one, from which the package draws
    output = StringIO()
    try:
        with (
            redirect_stdout(output),
            redirect_stderr(output),
            warnings.catch_warnings(),
            np.errstate(all="ignore"),
        ):
            warnings.simplefilter("ignore")
            logging.disable(logging.CRITICAL)
            yield
    finally:
        np.random.set_state(random)
        logging.disable(disabled)
        root.handlers[:] = handlers
        root.setLevel(level)
        for logger, before in zip(others, levels, strict=True):
            logger.setLevel(before)
