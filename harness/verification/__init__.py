"""Whether a RESULT's numbers follow from its answers: scores, comparisons and verdicts are computed again."""

from pathlib import Path


def verify(folder: Path | str) -> list[str]:
    """Return what does not follow from the generations, a sentence each; empty when all does.

    Of tasks whose texts a copy withholds (`Result.withheld`), what does not follow from their rows. No code that the RESULT
    names is run: scores of a metric like `evaluate:PATH` are taken as they are (`harness.verification.scores.check` counts
    them).
    """
    from harness.verification.scores import check

    return [*check(Path(folder)).problems]
