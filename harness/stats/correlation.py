"""Compute correlations of many resamples at once; a side that does not vary correlates with nothing: 0."""

import numpy as np

from harness.stats.classes import summed
from harness.stats.table import Array


def correlation(
    x: Array,  # [..., n]
    y: Array,  # [..., n]
) -> Array:  # [...], -1 to 1
    """Return Pearson's correlation."""
    a, b = _direction(x), _direction(y)
    return np.asarray(np.clip((a * b).sum(axis=-1), -1.0, 1.0))


def average_ranks(
    x: Array,  # [..., n]
) -> Array:  # [..., n], from 1
    """Return ranks along the last axis; equal numbers have the mean of their ranks."""
    order = np.argsort(x, axis=-1)
    ordered = np.take_along_axis(x, order, axis=-1)
    n = x.shape[-1]
    place = np.broadcast_to(np.arange(n), x.shape)
    new = np.ones(x.shape, dtype=bool)
    new[..., 1:] = ordered[..., 1:] != ordered[..., :-1]
    last = np.ones(x.shape, dtype=bool)
    last[..., :-1] = new[..., 1:]
    first_of = np.maximum.accumulate(np.where(new, place, 0), axis=-1)
    last_of = np.minimum.accumulate(np.where(last, place, n)[..., ::-1], axis=-1)[..., ::-1]
    ranks = np.empty(x.shape)
    np.put_along_axis(ranks, order, 1 + (first_of + last_of) / 2, axis=-1)
    return ranks


def drawn_correlation(
    x: Array,  # [n, resamples]: distances from the mean
    y: Array,
    drawn: Array,  # [n, resamples] how often each row is drawn
) -> Array:  # [resamples]
    """Return Pearson's correlation in resamples."""
    together, of_x, of_y = (np.einsum("nr,nr,nr->r", drawn, *sides) for sides in ((x, y), (x, x), (y, y)))
    length = np.sqrt(of_x) * np.sqrt(of_y)
    return np.asarray(np.clip(together / np.where(length > 0, length, 1.0), -1.0, 1.0))


def drawn_ranks(
    x: Array,  # [n]
    drawn: Array,  # [n, resamples]
) -> Array:  # [n, resamples]
    """Return the distances of average ranks from the middle rank in each resample, for rows that are drawn."""
    values, places = np.unique(x, return_inverse=True)
    times = summed(places, drawn, len(values))
    middles = np.cumsum(times, axis=0) - (times - 1) / 2
    return np.asarray((middles - (1 + drawn.sum(axis=0)) / 2)[places])


def _direction(x: Array) -> Array:
    """Return the distances from the mean, scaled to a length of 1; zeros where all numbers are equal."""
    moved = x - x.mean(axis=-1, keepdims=True)
    moved = np.where((x == x[..., :1]).all(axis=-1, keepdims=True), 0.0, moved)  # not the mean's rounding
    size = np.abs(moved).max(axis=-1, keepdims=True)
    moved = moved / np.where(size > 0, size, 1.0)  # squares then neither overflow nor underflow
    length = np.sqrt((moved**2).sum(axis=-1, keepdims=True))
    return np.asarray(moved / np.where(length > 0, length, 1.0))
