"""Percentage of answers that name one of the teams, the right one or another."""

from harness.metrics import Metric

TEAMS = frozenset({"repair", "delivery", "rental", "lessons"})


def metric() -> Metric:
    """Return the metric; docs/extending.md of finetune-harness explains its parts."""

    def row(sample, generation):
        """Return (hits, samples)."""
        return float(generation.text.strip().lower() in TEAMS), 1.0

    def value(total):  # sums of the rows, [..., 2] -> the score, [..., 1]
        return 100.0 * total[..., :1] / total[..., 1:]

    return Metric(
        names=("known_team",),
        signature="known_team|version:1",
        unit="%",
        interval="wilson",  # each row is (hit, 1)
        row=row,
        value=value,
    )
