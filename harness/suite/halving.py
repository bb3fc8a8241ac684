"""Read `halving: {keep: 1/2, rungs: 3}` beside a `sweep`: all combinations become one recipe, which trains one adapter."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from fractions import Fraction
from typing import Any

from harness.errors import SuiteError
from harness.files.validation import At, found, record
from harness.files.yaml import Document, Keys
from harness.neural.rungs import LETTERS, enough_measurements, measurements, most_rungs
from harness.types import Halving, Recipe

SHARE = re.compile(r"\d{1,6}/\d{1,6}|\d{0,6}\.\d{1,6}")
# Fields that cannot be swept with halving -> why
UNEQUAL = {
    "steps": "combinations are compared after equally many steps",
    "epochs": "combinations are compared after equally many steps",
    "max_tokens": "combinations are compared on the same texts",
    "max_samples": "combinations are compared on the same samples",
}


def settings(entry: Mapping[str, Any], document: Document, keys: Keys) -> Halving | None:
    """Return a recipe's `halving`; None if it has none. Raise SuiteError if it has no sweep, or a wrong share."""
    if "halving" not in entry:
        return None
    here = (*keys, "halving")
    if "sweep" not in entry:
        raise SuiteError(f"{document.at(*here)}: no sweep whose combinations could be halved; add `sweep:`")
    given = entry["halving"]
    if not isinstance(given, dict):
        raise SuiteError(
            f"{document.at(*here)}: found {found(given)}; give a mapping: `{{keep: 1/2, rungs: 3}}`"
        )
    keep = given.get("keep")
    if isinstance(keep, int | float) and not isinstance(keep, bool):
        given = {**given, "keep": str(keep)}
    asked = record(Halving, given, document, *here)
    share = Fraction(asked.keep) if SHARE.fullmatch(asked.keep) and not asked.keep.endswith("/0") else None
    if share is None or not 0 < share < 1:
        raise SuiteError(
            f"{document.at(*here, 'keep')}: found {keep!r}; give a share between 0 and 1, such as 1/2 or 0.5"
        )
    if asked.rungs < 1:
        raise SuiteError(f"{document.at(*here, 'rungs')}: found the number {asked.rungs}; give 1 or more")
    return replace(asked, keep=str(share))


def group(cells: Sequence[Recipe], halving: Halving, entry: Mapping[str, Any], at: At) -> Recipe:
    """Return the recipe that all recipes of a sweep become; raise SuiteError if they cannot be compared on the way."""
    swept = [field for field in LETTERS if field in entry["sweep"]]
    for field in swept:
        if field in UNEQUAL:
            raise SuiteError(
                f"{at('sweep', field)}: {UNEQUAL[field]}; leave it out of the sweep, or leave `halving` out"
            )
    first = cells[0]
    if "batch_size" in swept and first.steps is None:
        raise SuiteError(
            f"{at('sweep', 'batch_size')}: {UNEQUAL['steps']}, and with `epochs` their number follows from the batch size; "
            "give `steps`"
        )
    if not first.validation_samples:
        raise SuiteError(
            f"{at('validation_samples')}: halving compares on validation samples, and validation_samples is 0; give a number"
        )
    _check_kind(first, at)
    _check_rungs(first, halving, len(cells), at)
    values = {field: tuple(sorted({getattr(cell, field) for cell in cells})) for field in swept}
    return replace(
        first,
        name=entry.get("name", first.name),
        halving=halving,
        sweep=values,
        **{key: found[0] for key, found in values.items()},
    )


def _check_kind(recipe: Recipe, at: At) -> None:
    """Raise SuiteError for a kind of adapter whose training cannot continue from a checkpoint."""
    kind = str(recipe.peft.get("type", "")).upper()
    if kind == "ADALORA":
        raise SuiteError(
            f"{at('halving')}: {kind} cannot continue from a checkpoint, as halving needs at each rung; leave `halving` "
            "out, or train another kind"
        )


def _check_rungs(recipe: Recipe, halving: Halving, count: int, at: At) -> None:
    """Raise SuiteError where there are more rungs than measurements, or than combinations to drop."""
    most = most_rungs(Fraction(halving.keep), count)
    if halving.rungs > most:
        raise SuiteError(
            f"{at('halving', 'rungs')}: of {count} combinations a single one is left after {most - 1} of {halving.rungs} "
            f"rungs; give {most} at most"
        )
    measured = max(1, min(recipe.validations, recipe.steps or recipe.validations))
    if measured < halving.rungs or len(set(measurements(halving, measured))) < halving.rungs:
        fewest = enough_measurements(halving)
        short = "steps" if recipe.steps is not None and recipe.steps < fewest else "validations"
        raise SuiteError(
            f"{at('halving', 'rungs')}: {halving.rungs} rungs fall on each other in {measured} measurements of the "
            f"validation loss; raise `{short}` to {fewest} or more, or lower `rungs`"
        )
