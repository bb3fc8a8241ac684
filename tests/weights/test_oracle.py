import subprocess
import sys

import numpy as np
import pytest

from harness.weights.oracle import spectrum

LEAKS = """
import logging, sys, warnings
import matplotlib, numpy as np
import harness.weights.analyse
assert "weightwatcher" not in sys.modules and "torch" not in sys.modules
from harness.weights.oracle import spectrum
logging.getLogger("matplotlib").setLevel(logging.INFO)

def state():
    root = logging.getLogger()
    backend = dict.__getitem__(matplotlib.rcParams, "backend")
    return (root.level, list(root.handlers), root.manager.disable, logging.getLogger("matplotlib").level,
            logging.getLogger("weightwatcher").level, list(warnings.filters), warnings.showwarning, np.geterr(),
            np.random.get_state()[1].tolist(), np.get_printoptions(), str(backend), sys.stdout, sys.stderr, sys.excepthook)

W = np.random.default_rng(0).standard_normal((16, 12))  # few enough for its own prints
before = state()
first = spectrum(W)
assert state() == before
assert spectrum(W) == first and state() == before
warnings.simplefilter("error")
try:
    warnings.warn("still heard")
except UserWarning:
    sys.exit(0)
sys.exit("warnings are silenced")
"""


@pytest.mark.slow
def test_nothing_of_the_package_leaks_into_the_process_and_it_is_imported_when_asked() -> None:
    done = subprocess.run([sys.executable, "-c", LEAKS], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_the_matrix_stays_as_it_was_and_lambda_max_is_not_divided_by_n(rng) -> None:
    W = rng.standard_normal((64, 32)).astype(np.float32)
    before = W.copy()
    numbers = spectrum(W)
    assert np.array_equal(W, before)
    assert numbers["lambda_max"] == pytest.approx(
        np.linalg.eigvalsh(W.T.astype(np.float64) @ W)[-1], rel=1e-6
    )
    assert numbers["spectral_norm"] == numbers["lambda_max"]


def test_a_known_power_law_is_found() -> None:
    """Eigenvalues at the quantiles of a Pareto density with exponent 3."""
    eigenvalues = (1 - (np.arange(400) + 0.5) / 400) ** (-1 / 2)
    assert spectrum(np.diag(np.sqrt(eigenvalues)))["alpha"] == pytest.approx(3.0, abs=0.15)


def test_a_matrix_longer_than_the_packages_own_limit_is_not_left_out(rng) -> None:
    assert "alpha" in spectrum(rng.standard_normal((50_001, 8)).astype(np.float32))
