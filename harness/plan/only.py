"""Name the part of a suite that is asked for."""

from dataclasses import dataclass

from harness.errors import SuiteError


@dataclass(frozen=True, slots=True, kw_only=True)
class Only:
    """The part of a suite that is asked for: patterns of task, model and adapter names ("base" for none)."""

    task: str = "*"
    model: str = "*"
    adapter: str = "*"


WHOLE = Only()


def only(pattern: str) -> Only:
    """Return the part of a suite that `task/model/adapter` means, each with * and ?; a pattern left out means all."""
    if not pattern.strip():
        raise SuiteError("--only: found nothing; give task/model/adapter, or leave it out")
    parts = pattern.split("/")
    if len(parts) > 3:
        raise SuiteError(f"--only {pattern}: found {len(parts)} parts; give task/model/adapter")
    return Only(**dict(zip(("task", "model", "adapter"), (part or "*" for part in parts), strict=False)))
