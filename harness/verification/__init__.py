"""Check whether a RESULT's numbers follow from its answers: scores, comparisons and verdicts are recomputed."""

from pathlib import Path


def verify(folder: Path | str) -> list[str]:
    """Return a sentence for each number that does not follow from the generations; empty if all follow.

    Tasks whose texts a copy withholds (`Result.withheld`) are checked against their stored rows. No code that the RESULT
    names is run: scores of a metric like `evaluate:PATH` are not recomputed (`harness.verification.scores.check` lists
    these metrics).
    """
    from harness.verification.scores import check

    return [*check(Path(folder)).problems]
