"""Withhold from verdicts what a source with `share: scores` keeps on the machine: the values of its columns."""

from collections.abc import Mapping
from dataclasses import replace

from harness.types import Judgement, Verdict


def shareable(judgement: Judgement) -> Judgement:
    """Return the judgement as it may leave the machine: in a comment, a JUnit file, the log of a CI."""
    return replace(judgement, verdicts=tuple(map(shareable_verdict, judgement.verdicts)))


def shareable_verdict(verdict: Verdict) -> Verdict:
    """Return the verdict with its slice as others may see it."""
    return (
        verdict
        if verdict.shared_slice is None
        else replace(verdict, slice=verdict.shared_slice, shared_slice=None)
    )


def published(environment: Mapping[str, str]) -> bool:
    """Return whether the terminal's text is kept where others may read it: the log of a CI."""
    return any(
        environment.get(name, "").lower() not in ("", "false", "0")
        for name in ("CI", "GITHUB_ACTIONS", "TF_BUILD")
    )
