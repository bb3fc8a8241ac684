"""Every number against the package on the same float32 matrix; what it computes wrongly, against plain numpy."""

import numpy as np
import pytest
from scipy.spatial.distance import jensenshannon
from scipy.stats import entropy

from harness.types import Weighing
from harness.weights import gram, layer, marchenko_pastur, oracle, spectrum

WHOLE = ("num_pl_spikes", "matrix_rank", "rank_loss", "detX_num", "ERG_gap", "num_evals", "num_spikes")
# A Gram matrix knows the smallest singular value of a square matrix to half its digits.
LOOSE = {"sv_min": 1e-6}


def matrices() -> dict[str, np.ndarray]:
    rng = np.random.default_rng(1)
    tail = (
        rng.standard_normal((160, 120))
        @ np.diag((np.arange(120) + 1.0) ** -0.9)
        @ rng.standard_normal((120, 120))
    )
    found = {
        "tall": rng.standard_normal((200, 120)),
        "wide": rng.standard_normal((96, 256)) * 0.02,
        "square": rng.standard_normal((128, 128)) / 11,
        "heavy": rng.standard_t(2.0, (180, 140)) * 0.05,
        "tailed": tail,
        "product": rng.standard_normal((150, 40)) @ rng.standard_normal((40, 140)),
        "few": rng.standard_normal((40, 12)),
        "small": rng.standard_normal((128, 64)) * 1e-3,
        "large": rng.standard_t(2.5, (700, 600)) / 26,
    }
    return {name: W.astype(np.float32) for name, W in found.items()}


@pytest.mark.parametrize("name", matrices())
def test_every_number_is_the_packages(name: str) -> None:
    W = matrices()[name]
    mine, theirs = layer.whole(name, W, Weighing()).numbers, oracle.spectrum(W)
    assert set(theirs) <= set(mine)
    for number, value in theirs.items():
        if number in WHOLE:
            assert mine[number] == value, number
        else:
            assert mine[number] == pytest.approx(value, rel=LOOSE.get(number, 1e-9)), number


@pytest.mark.slow
@pytest.mark.parametrize(
    "name", ["tall", *(pytest.param(name, marks=pytest.mark.nightly) for name in ("square", "heavy", "wide"))]
)
def test_the_noise_is_the_packages(name: str) -> None:
    """On the package's own shuffled copies: its sigma, edges and spikes."""
    W = matrices()[name]
    theirs = oracle.spectrum(W, randomize=True, seed=3)
    values = np.linalg.svd(W.astype(np.float64), compute_uv=False)[::-1] ** 2
    mine = marchenko_pastur.fit(values, W.shape)
    assert mine.sigma == pytest.approx(theirs["sigma_mp"], rel=1e-6)
    assert mine.high == pytest.approx(theirs["bulk_max"], rel=1e-6)
    assert mine.low == pytest.approx(theirs["bulk_min"], rel=1e-5, abs=1e-12)
    assert mine.softrank == pytest.approx(theirs["mp_softrank"], rel=1e-6)
    assert mine.spikes == theirs["num_spikes"]
    shuffled = layer.whole(name, W, Weighing(randomize=True, seed=3)).numbers
    assert set(oracle.OF_RANDOMIZED) <= set(shuffled)
    for number in ("rand_distance", "max_rand_eval", "rand_sigma_mp"):  # other shuffles of the same entries
        assert shuffled[number] == pytest.approx(theirs[number], rel=0.35), number


def test_the_same_seed_shuffles_alike() -> None:
    W = matrices()["tall"]
    one, other = (layer.whole("W", W, Weighing(randomize=True, seed=seed)).numbers for seed in (1, 1))
    assert one == other != layer.whole("W", W, Weighing(randomize=True, seed=2)).numbers


def test_the_density_is_a_kernel_estimate() -> None:
    rng = np.random.default_rng(0)
    values, at = rng.exponential(1, 200), np.linspace(0, 5, 70)
    plain = np.maximum(0, 1 - np.abs(at[:, None] - values) / 0.1).sum(1) / 200 / 0.1
    assert marchenko_pastur.density(values, at) == pytest.approx(plain, abs=1e-9)


def test_the_distance_of_two_spectra_is_scipys() -> None:
    rng = np.random.default_rng(0)
    p, q = np.sort(rng.exponential(1, 50)), np.sort(rng.exponential(1, 50))
    assert marchenko_pastur.distance(p, q / q.sum() * p.sum()) == pytest.approx(
        jensenshannon(p, q), rel=1e-12
    )
    m = (p + q) / 2
    assert marchenko_pastur.distance(p, q) == pytest.approx(
        np.sqrt((entropy(p, m) + entropy(q, m)) / 2), rel=1e-12
    )


@pytest.mark.slow
@pytest.mark.parametrize(
    "shape",
    [
        (60, 40),
        (40, 60),
        (50, 50),
        *(pytest.param(shape, marks=pytest.mark.nightly) for shape in ((2100, 20), (20, 2100), (900, 700))),
    ],
)
def test_a_gram_matrix_with_an_update_is_that_of_the_sum(shape: tuple[int, int]) -> None:
    from harness.checkpoints.adapter import Factors

    rng = np.random.default_rng(0)
    W = rng.standard_normal(shape).astype(np.float32)
    A, B = rng.standard_normal((4, shape[1])), rng.standard_normal((shape[0], 4))
    factors = Factors(A=A.astype(np.float32), B=B.astype(np.float32), scale=0.7)
    total = gram.gram(W)
    gram.add_update(total, W, factors)
    merged = W.astype(np.float64) + factors.delta()
    plain = merged.T @ merged if shape[0] >= shape[1] else merged @ merged.T
    assert np.tril(total) == pytest.approx(np.tril(plain), rel=1e-11, abs=1e-9)


def test_a_matrix_without_full_rank_keeps_its_small_values() -> None:
    """Where the Gram matrix has lost them, singular values are computed."""
    rng = np.random.default_rng(0)
    left, right = (np.linalg.qr(rng.standard_normal((40, 40)))[0] for _ in range(2))
    values = np.geomspace(1, 1e-11, 40)
    found = layer.whole("W", (left * values) @ right.T, Weighing()).numbers
    assert found["sv_min"] == pytest.approx(1e-11, rel=1e-3)
    assert (found["matrix_rank"], found["rank_loss"]) == (40, 0)


def test_the_condition_on_the_product_survives_thousands_of_eigenvalues() -> None:
    """The package multiplies them, and the product overflows."""
    values = np.sort(np.random.default_rng(0).lognormal(0, 2, 5000))
    logs = np.log(values / values.mean())
    tails = np.cumsum(logs[::-1])
    assert spectrum.det_x(values) == int(np.flatnonzero(tails < 0)[0]) + 1


def test_alpha_with_a_threshold_that_goes_with_the_scale_is_told_where_it_differs() -> None:
    W = matrices()["heavy"]
    plain = layer.whole("W", W, Weighing()).numbers
    assert "scale_free_alpha" not in plain
    small = layer.whole("W", W * np.float32(1e-3), Weighing()).numbers
    assert small["scale_free_alpha"] == pytest.approx(plain["alpha"], rel=1e-6)
    assert abs(small["scale_free_alpha"] - small["alpha"]) > spectrum.DIFFERS
    none = layer.whole("W", W * np.float32(1e-4), Weighing())  # all under the package's threshold
    assert none.status.startswith("failed: no power law fits")
    assert none.numbers["scale_free_alpha"] == pytest.approx(plain["alpha"], rel=1e-6)


def test_what_cannot_be_analysed_says_why() -> None:
    ones = np.ones((12, 10), np.float32)
    bad = ones.copy()
    bad[3, 4] = np.nan
    weighing = Weighing()
    assert layer.whole("W", np.zeros((9, 9), np.float32), weighing).status == "zero"
    assert layer.whole("W", bad, weighing).status == "not finite: 1 of 120 numbers are NaN or infinite"
    few = layer.whole("W", np.random.default_rng(0).standard_normal((1, 30)).astype(np.float32), weighing)
    assert few.status == "too few eigenvalues"
    assert few.numbers["stable_rank"] == pytest.approx(1.0)
    assert layer.whole("W", ones, weighing).status.startswith("failed: no power law fits")


def test_a_vocabulary_longer_than_the_packages_limit_is_analysed() -> None:
    W = np.random.default_rng(0).standard_normal((50_001, 16)).astype(np.float32)
    assert layer.whole("W", W, Weighing()).status == "analysed"
