"""Intervals and tests for scores and differences: bootstrap, approximate randomisation, exact McNemar, Wilson, Holm.

Pure functions of rows and a seed, on numpy alone; `scipy.special` is loaded only for quantiles of t.
"""

from harness.stats.draws import CELLS, GATHERED, RESAMPLES, resampled
from harness.stats.families import holm, resamples_for
from harness.stats.gathering import left_out
from harness.stats.intervals import (
    Z_95,
    bca_difference,
    bca_ends,
    bca_interval,
    bootstrap,
    changed_interval,
    percentile_interval,
    score_interval,
    unseen_interval,
    wilson,
)
from harness.stats.judging import (
    LABELLED,
    Corrected,
    JudgeErrors,
    alike,
    corrected,
    corrected_difference,
    fits,
)
from harness.stats.pairs import SCORES, Paired, compare, paired
from harness.stats.power import DETECTED, Z_80, needed_samples, needed_trials, pass_chance, samples_for_pass
from harness.stats.seeds import Estimate, OverSeeds, over_seeds
from harness.stats.significance import MCNEMAR, Pair, chance, mcnemar
from harness.stats.table import TIE, Array, Formula, Interval, RowStatistic, Table, Value, alone, units, whole

__all__ = [
    "CELLS",
    "DETECTED",
    "GATHERED",
    "LABELLED",
    "MCNEMAR",
    "RESAMPLES",
    "SCORES",
    "TIE",
    "Z_80",
    "Z_95",
    "Array",
    "Corrected",
    "Estimate",
    "Formula",
    "Interval",
    "JudgeErrors",
    "OverSeeds",
    "Pair",
    "Paired",
    "RowStatistic",
    "Table",
    "Value",
    "alike",
    "alone",
    "bca_difference",
    "bca_ends",
    "bca_interval",
    "bootstrap",
    "chance",
    "changed_interval",
    "compare",
    "corrected",
    "corrected_difference",
    "fits",
    "holm",
    "left_out",
    "mcnemar",
    "needed_samples",
    "needed_trials",
    "over_seeds",
    "paired",
    "pass_chance",
    "percentile_interval",
    "resampled",
    "resamples_for",
    "samples_for_pass",
    "score_interval",
    "units",
    "unseen_interval",
    "whole",
    "wilson",
]
