"""Expand a recipe with a sweep: `sweep: {rank: [4, 16], epochs: [1, 2]}` describes a grid of ordinary recipes.

The grid is expanded when the suite is read: plan, ids, store and report only know single recipes. With `halving`, which
`suite/halving.py` reads, the grid becomes one recipe.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import product
from math import prod
from typing import Any

from harness.errors import SuiteError, UnknownName
from harness.files.validation import found
from harness.files.yaml import Document, Keys
from harness.neural.rungs import LETTERS, name_part

MOST = 256  # recipes of one grid: each trains an adapter for every base, task and seed


def recipes(
    entry: Mapping[str, Any],  # the data under `keys` of the document
    document: Document,
    keys: Keys,
) -> Iterator[tuple[dict[str, Any], Document]]:
    """Yield each recipe of the grid, the last field changing fastest; without a sweep the entry alone.

    NAME-r4-lr0.001 is the recipe of rank 4 and learning rate 0.001, the fields in the sweep's order. In its document the
    line of a swept value is that of the value in the list.
    """
    if "sweep" not in entry:
        yield dict(entry), document
        return
    lists = _lists(entry, document, keys)
    plain = {key: value for key, value in entry.items() if key != "sweep"}
    for places in product(*(range(len(values)) for values in lists.values())):
        swept = {field: values[n] for (field, values), n in zip(lists.items(), places, strict=True)}
        cell = {**plain, **swept}
        if isinstance(plain.get("name"), str):  # anything else is refused with the rest of the recipe
            cell["name"] = "-".join(
                [plain["name"], *(name_part(field, value) for field, value in swept.items())]
            )
        lines = {
            (*keys, field): document.lines[(*keys, "sweep", field, n)]
            for field, n in zip(lists, places, strict=True)
        }
        yield cell, replace(document, lines={**document.lines, **lines})


def _lists(entry: Mapping[str, Any], document: Document, keys: Keys) -> Mapping[str, Sequence[Any]]:
    """Return the sweep; raise SuiteError if it is not a grid of 1 to `MOST` recipes."""
    sweep = entry["sweep"]
    here = (*keys, "sweep")
    if not isinstance(sweep, dict) or not sweep:
        what = "an empty mapping" if sweep == {} else found(sweep)
        raise SuiteError(f"{document.at(*here)}: found {what}; give fields and their values: `rank: [4, 16]`")
    for field, values in sweep.items():
        at = document.at(*here, field)
        if field not in LETTERS:
            raise UnknownName("field to sweep", field, LETTERS, at)
        if not isinstance(values, list) or not values:
            what = "an empty list" if values == [] else found(values)
            raise SuiteError(f"{at}: found {what}; give a list of numbers")
        if field in entry:
            line = document.lines[(*here, field)]
            where = f", on line {line}" if line else ""
            raise SuiteError(f"{document.at(*keys, field)}: {field} is swept as well{where}; keep one")
        for n, value in enumerate(values):
            if value in values[:n]:
                raise SuiteError(f"{document.at(*here, field, n)}: {value!r} is there twice; keep one")
    size = prod(map(len, sweep.values()))
    if size > MOST:
        counts = " × ".join(str(len(values)) for values in sweep.values())
        raise SuiteError(
            f"{document.at(*here)}: {counts} = {size:,} recipes; leave values out, at most {MOST} are allowed"
        )
    return sweep
