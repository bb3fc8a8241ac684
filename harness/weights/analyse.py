"""Every layer of a base, or of an adapter's update and of both together, with its numbers or with why it has none."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Literal

import numpy as np

from harness import adapter as lora
from harness.adapter import Factors
from harness.families import Family
from harness.types import Weighing, WeightRow
from harness.weights import layer
from harness.weights.directions import directions
from harness.weights.kept import NOTHING_KEPT, Finding, Kept, key
from harness.weights.norms import left_directions
from harness.weights.pool import in_order
from harness.weights.quantised import Scheme
from harness.weights.read import NOT_ASKED, TIED, Matrix, Place, places
from harness.weights.updates import Update, updates


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """How the layers are gone through; nothing here moves a number."""

    threads: int = 1
    kept: Kept = NOTHING_KEPT


@dataclass(frozen=True, slots=True)
class Looked:
    """What a matrix of the base gave."""

    finding: Finding
    digest: bytes | None = None
    quantised: Scheme | None = None


AS_USUAL = Look()
NOTHING = Finding(status=NOT_ASKED, numbers={})
Rows = Callable[..., WeightRow]


def analyse(
    folder: Path,
    family: Family,
    adapter: Path | None,
    *,
    model: str,
    adapter_name: str | None,
    weighing: Weighing,
    look: Look = AS_USUAL,
) -> Iterator[WeightRow]:
    """Rows of part W for the base alone; of parts delta and merged, for each layer it touches, with an adapter."""
    found = places(folder, family, split=weighing.split)
    row = partial(_row, model=model, adapter=adapter_name)
    if adapter is None:
        return _of_base(found, weighing, look, row)
    changed = updates(lora.read(adapter), found, family, adapter=adapter, base=folder)
    return _of_adapter(changed, weighing, look, row)


def _of_base(found: Sequence[Place], weighing: Weighing, look: Look, row: Rows) -> Iterator[WeightRow]:
    """Of matrices with the same bytes the later are tied to the first."""

    def work(place: Place) -> Looked:
        if place.role not in weighing.roles:
            return Looked(NOTHING)
        matrix = place.read()
        return Looked(_base(matrix, weighing, look.kept), matrix.digest, matrix.quantised)

    seen: dict[bytes, str] = {}
    for place, looked in zip(found, in_order(work, found, look.threads), strict=True):
        finding = looked.finding
        first = seen.setdefault(looked.digest, place.name) if looked.digest else place.name
        if first != place.name and finding.status != "zero":  # zeros are equal without being tied
            finding = Finding(status=f"{TIED}{first}", numbers={})
        yield row(place, finding, part="W", quantised=looked.quantised)


def _of_adapter(
    changed: Sequence[Update], weighing: Weighing, look: Look, row: Rows
) -> Iterator[WeightRow]:
    def work(update: Update) -> tuple[Finding, Finding, Scheme | None]:
        if update.role not in weighing.roles:
            return NOTHING, NOTHING, None
        matrix = update.place.read() if update.place else None
        scheme = matrix.quantised if matrix else None
        if update.factors is not None and matrix is not None:
            return *_low_rank(update.name, matrix, update.factors, weighing, look.kept), scheme
        assert update.saved is not None
        return *_in_place(matrix, update.saved.read(), weighing, look.kept), scheme

    for update, (delta, merged, scheme) in zip(changed, in_order(work, changed, look.threads), strict=True):
        place = update.place or update.saved
        rank = update.factors.A.shape[0] if update.factors else None
        here = partial(row, place, name=update.name, role=update.role, quantised=scheme)
        yield here(delta, part="delta", rank=rank)
        yield here(merged, part="merged")


def _base(matrix: Matrix, weighing: Weighing, kept: Kept) -> Finding:
    if matrix.array is None or matrix.digest is None:
        return Finding(status=matrix.status, numbers={})
    name = key("W", matrix.name, matrix.digest.hex(), matrix.shape, *_options(weighing))
    return kept.find(name) or kept.keep(name, layer.whole(matrix.name, matrix.array, weighing))


def _low_rank(
    name: str, matrix: Matrix, factors: Factors, weighing: Weighing, kept: Kept
) -> tuple[Finding, Finding]:
    """Findings of ΔW and of W + ΔW."""
    delta = layer.delta(name, factors, matrix.array)
    if matrix.array is None or matrix.digest is None:
        return delta, Finding(status=matrix.status, numbers={})
    if not factors.finite:
        return delta, delta
    into = max(matrix.shape) <= weighing.intruders_up_to
    merged_key = key(
        "merged", name, matrix.digest.hex(), matrix.shape, factors.digest, into, *_options(weighing)
    )
    if (merged := kept.find(merged_key)) is None:
        merged = layer.whole(name, matrix.array, weighing, factors)
        more = dict(layer.shift(merged, _base(matrix, weighing, kept)))
        if into and merged.numbers and delta.numbers:
            more |= directions(matrix.array, factors.merged(matrix.array), left_directions(factors))
        merged = kept.keep(merged_key, replace(merged, numbers={**merged.numbers, **more}))
    return delta, merged


def _in_place(
    matrix: Matrix | None, saved: Matrix, weighing: Weighing, kept: Kept
) -> tuple[Finding, Finding]:
    """Findings of the difference, and of a matrix that the adapter puts in the base's place."""
    merged = _base(saved, weighing, kept)
    if matrix is None or matrix.array is None or saved.array is None:
        return Finding(status=f"failed: {saved.name} has nothing to be compared with", numbers={}), merged
    if matrix.shape != saved.shape:
        sizes = f"{list(saved.shape)}, the base's {list(matrix.shape)}"
        return Finding(status=f"failed: {saved.name} was resized: {sizes}", numbers={}), merged
    base = _base(matrix, weighing, kept)
    merged = replace(merged, numbers={**merged.numbers, **layer.shift(merged, base)})
    delta = layer.whole(saved.name, saved.array.astype(np.float64) - matrix.array, weighing)
    size = base.numbers.get("norm", 0.0)
    if size and "norm" in delta.numbers:
        share = float(np.sqrt(delta.numbers["norm"] / size))
        delta = replace(delta, numbers={**delta.numbers, "delta_ratio": share}, density=None)
    return delta, merged


def _options(weighing: Weighing) -> tuple[object, ...]:
    """What moves a number of a matrix."""
    return weighing.oracle, weighing.randomize, weighing.randomize and weighing.seed


def _row(
    place: Place,
    finding: Finding,
    *,
    part: Literal["W", "delta", "merged"],
    model: str,
    adapter: str | None,
    name: str = "",
    role: str = "",
    rank: int | None = None,
    quantised: Scheme | None = None,
) -> WeightRow:
    rows, cols = place.shape[-2:]
    return WeightRow(
        model=model,
        adapter=adapter,
        part=part,
        layer=name or place.name,
        role=role or place.role,
        status=finding.status,
        rows=rows,
        cols=cols,
        eigenvalues=min(rows, cols, rank or rows),
        numbers=finding.numbers,
        density=finding.density,
        quantised=quantised,
    )
