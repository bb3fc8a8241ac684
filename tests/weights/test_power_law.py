"""The package's own fit is the oracle, and equality is of bits."""

import logging

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.weights import power_law
from harness.weights.oracle import contained


def package(eigenvalues: np.ndarray) -> tuple[float, ...] | None:
    """alpha, xmin, D, sigma and the number of spikes, by WeightWatcher's fit_powerlaw."""
    with contained():
        from weightwatcher import WeightWatcher

        alpha, _, xmin, _, D, sigma, spikes, *_, status, _ = WeightWatcher(
            log_level=logging.ERROR
        ).fit_powerlaw(eigenvalues, plot=False, savefig=False)
    if status != "success" or not 1 < alpha < np.inf:
        return None
    if (eigenvalues > power_law.THRESHOLD).sum() < power_law.SMALLEST_TAIL:
        sigma = (alpha - 1) / np.sqrt(
            (eigenvalues > power_law.THRESHOLD).sum()
        )  # its own is from an alpha of 0
    return alpha, xmin, D, sigma, spikes


def ours(eigenvalues: np.ndarray) -> tuple[float, ...] | None:
    fit = power_law.fit(eigenvalues)
    return None if fit is None else (fit.alpha, fit.xmin, fit.D, fit.sigma, fit.spikes)


def spectra() -> dict[str, np.ndarray]:
    rng = np.random.default_rng(0)
    gauss = np.linalg.svd(rng.standard_normal((300, 200)), compute_uv=False) ** 2
    return {
        "gaussian": gauss,
        "square": np.linalg.svd(rng.standard_normal((128, 128)), compute_uv=False) ** 2,
        "heavy": rng.pareto(1.5, 500) + 0.01,
        "product": np.linalg.svd(
            rng.standard_normal((200, 64)) @ rng.standard_normal((64, 150)), compute_uv=False
        )
        ** 2,
        "spiked": np.concatenate([gauss, [1e5, 1e6, 3e6]]),
        "lognormal": rng.lognormal(0, 3, 400),
        "tiny": gauss * 1e-6,
        "ties": np.repeat(rng.pareto(2, 40) + 1, 5),
        "nearly equal": 1 + 1e-9 * rng.standard_normal(64),
        "equal": np.ones(50),
        "two values": np.repeat([1.0, 2.0], 30),
        "one large": np.append(np.ones(40), 9.0),
        **{f"{n} values": rng.pareto(1.2, n) + 0.1 for n in (2, 7, 8, 9, 12, 19, 20, 21)},
        "8 equal": np.ones(8),
        "pareto quantiles": (1 - (np.arange(400) + 0.5) / 400) ** (-1 / 2),
    }


@pytest.mark.parametrize("name", spectra())
def test_the_fit_is_the_packages_to_the_last_bit(name: str) -> None:
    values = np.sort(spectra()[name])
    assert ours(values) == package(values)


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.floats(-8, 8), min_size=2, max_size=80),
    st.sampled_from([1.0, 0.01, 10.0]),
)
def test_any_spectrum_gives_the_packages_fit(logs: list[float], spread: float) -> None:
    values = np.sort(np.exp(np.array(logs) * spread))
    assert ours(values) == package(values)


def test_no_tail_is_missed_for_the_bound() -> None:
    """Every tail's distance is at least the bound under which it is not measured."""
    for values in map(np.sort, spectra().values()):
        if len(values) >= power_law.SMALL:
            logs = np.log(values)
            bounds = power_law._bounds(values, logs)
            measured = [power_law._measure(values, logs, at)[1] for at in range(len(values) - 1)]
            assert (bounds <= np.array(measured) + power_law.SLACK).all()


def test_few_eigenvalues_or_none_have_no_fit() -> None:
    for values in ([], [1.0], [0.0] * 30, [1e-6] * 30):
        assert power_law.fit(np.array(values)) is None
