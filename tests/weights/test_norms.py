import numpy as np
import pytest

from harness.checkpoints.adapter import Factors
from harness.weights.norms import effective_rank, low_rank_singular_values, norms
from harness.weights.oracle import spectrum


@pytest.mark.parametrize(("out", "into", "r"), [(30, 20, 5), (20, 30, 5), (4, 30, 8), (30, 4, 8)])
def test_singular_values_of_an_update_are_those_of_the_matrix_that_is_never_formed(rng, out, into, r) -> None:
    factors = Factors(A=rng.standard_normal((r, into)), B=rng.standard_normal((out, r)), scale=-0.3)
    values = np.linalg.svd(factors.delta(), compute_uv=False)[: min(out, into, r)]
    assert low_rank_singular_values(factors) == pytest.approx(values, rel=1e-10)


def test_norms_are_weightwatchers(rng) -> None:
    W = rng.standard_normal((30, 20)).astype(np.float32)
    oracle = spectrum(W)
    ours = norms(np.linalg.svd(W.astype(np.float64), compute_uv=False))
    assert ours == pytest.approx({name: oracle[name] for name in ours}, rel=1e-9)


@pytest.mark.parametrize(("values", "rank"), [([3.0], 1), ([2.0, 2.0, 2.0], 3), ([1.0, 1.0, 0.0], 2)])
def test_equal_values_count_fully_and_zeros_not_at_all(values, rank) -> None:
    assert effective_rank(np.array(values)) == pytest.approx(rank)
