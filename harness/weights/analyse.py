"""Every layer of a base, or of an adapter's update and of both together, with its numbers or with why it has none."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from itertools import chain
from pathlib import Path
from typing import Literal

import numpy as np

from harness.checkpoints import adapter as lora
from harness.checkpoints.adapter import Factors, LoraWeights
from harness.checkpoints.shards import stored
from harness.families import Family
from harness.families import role as role_of
from harness.types import Weighing, WeightRow
from harness.weights import finite, layer
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
class Layer:
    """What a row is of."""

    name: str
    role: str
    shape: tuple[int, ...]


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
        return chain(_of_base(found, weighing, look, row), _of_vectors(folder, found, family, row))
    weights = lora.read(adapter)
    changed = updates(weights, found, family, adapter=adapter, base=folder)
    return chain(_of_adapter(changed, weighing, look, row), _of_others(weights, family, row))


def _of_base(found: Sequence[Place], weighing: Weighing, look: Look, row: Rows) -> Iterator[WeightRow]:
    """Of matrices with the same bytes the later are tied to the first."""

    def work(place: Place) -> Looked:
        if place.role not in weighing.roles:
            return Looked(finite.unasked(place, look.kept))
        if (known := _known(place, weighing, look.kept)) is not None:
            return known
        matrix = place.read()
        if matrix.digest is not None:
            look.kept.remember(place.identity, matrix.digest)
        return Looked(_base(matrix, weighing, look.kept), matrix.digest, matrix.quantised)

    seen: dict[bytes, str] = {}
    for place, looked in zip(found, in_order(work, found, look.threads), strict=True):
        finding = looked.finding
        first = seen.setdefault(looked.digest, place.name) if looked.digest else place.name
        if first != place.name and finding.status != "zero":  # zeros are equal without being tied
            finding = Finding(status=f"{TIED}{first}", numbers={})
        here = Layer(place.name, place.role, place.shape)
        yield row(here, finding, part="W", quantised=looked.quantised)


def _of_vectors(folder: Path, found: Sequence[Place], family: Family, row: Rows) -> Iterator[WeightRow]:
    """Norms and biases come only where they hold numbers that are not finite."""
    scales = [one for place in found if place.quantised for one in place.quantised.beside.values()]
    for tensor, finding in finite.vectors(stored(folder), frozenset(one.name for one in scales)):
        name = tensor.name.removesuffix(".weight")
        yield row(Layer(name, role_of(family, tensor.name), (1, *tensor.shape)), finding, part="W")


def _of_adapter(changed: Sequence[Update], weighing: Weighing, look: Look, row: Rows) -> Iterator[WeightRow]:
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
        here = Layer(update.name, update.role, update.shape)
        rank = update.factors.A.shape[0] if update.factors else None
        yield row(here, delta, part="delta", rank=rank, quantised=scheme)
        yield row(here, merged, part="merged", quantised=scheme)


def _of_others(weights: LoraWeights, family: Family, row: Rows) -> Iterator[WeightRow]:
    """Yield a row for each saved tensor that is not an update of a matrix; vectors are left out."""
    for name, shape in weights.others.items():
        if len(shape) > 1:
            status = f"failed: {name} is neither a low-rank update nor a whole matrix"
            role = role_of(family, name)
            yield row(Layer(name, role, shape), Finding(status=status, numbers={}), part="delta")


def _known(place: Place, weighing: Weighing, kept: Kept) -> Looked | None:
    """Return the kept numbers of a matrix whose file has not changed since; the matrix is not read."""
    digest = kept.remembered(place.identity)
    if digest is None:
        return None
    finding = kept.find(_key(place.name, digest, place.shape, weighing))
    scheme = place.quantised.scheme if place.quantised else None
    return None if finding is None else Looked(finding, digest, scheme)


def _key(name: str, digest: bytes, shape: tuple[int, ...], weighing: Weighing) -> str:
    return key("W", name, digest.hex(), shape, *_options(weighing))


def _base(matrix: Matrix, weighing: Weighing, kept: Kept) -> Finding:
    if matrix.array is None or matrix.digest is None:
        return Finding(status=matrix.status, numbers={})
    name = _key(matrix.name, matrix.digest, matrix.shape, weighing)
    return kept.find(name) or kept.keep(name, layer.whole(matrix.name, matrix.array, weighing))


def _low_rank(
    name: str, matrix: Matrix, factors: Factors, weighing: Weighing, kept: Kept
) -> tuple[Finding, Finding]:
    """Return the findings of ΔW and of W + ΔW."""
    if (
        matrix.array is not None and factors.magnitude is not None and factors.finite
    ):  # DoRA's is not of low rank
        delta = _difference(name, matrix.array, factors.merged(matrix.array), weighing)
    else:
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
    """Return the findings of the difference and of the matrix that replaces the base's."""
    merged = _base(saved, weighing, kept)
    if matrix is None or matrix.array is None or saved.array is None:
        return Finding(status=f"failed: {saved.name} has nothing to be compared with", numbers={}), merged
    if matrix.shape != saved.shape:
        sizes = f"{list(saved.shape)}, the base's {list(matrix.shape)}"
        return Finding(status=f"failed: {saved.name} was resized: {sizes}", numbers={}), merged
    base = _base(matrix, weighing, kept)
    merged = replace(merged, numbers={**merged.numbers, **layer.shift(merged, base)})
    return _difference(saved.name, matrix.array, saved.array, weighing), merged


def _difference(name: str, base: layer.Matrix, merged: layer.Matrix, weighing: Weighing) -> Finding:
    """Of a ΔW that is not of low rank."""
    delta = layer.whole(name, merged.astype(np.float64) - base, weighing)
    size = np.linalg.norm(base.astype(np.float64))
    if size > 0 and "norm" in delta.numbers:
        share = float(np.sqrt(delta.numbers["norm"]) / size)
        delta = replace(delta, numbers={**delta.numbers, "delta_ratio": share})
    return replace(delta, density=None)


def _options(weighing: Weighing) -> tuple[object, ...]:
    """Return the options that can change a matrix's numbers."""
    return weighing.oracle, weighing.randomize, weighing.randomize and weighing.seed


def _row(
    of: Layer,
    finding: Finding,
    *,
    part: Literal["W", "delta", "merged"],
    model: str,
    adapter: str | None,
    rank: int | None = None,
    quantised: Scheme | None = None,
) -> WeightRow:
    rows, cols = of.shape[-2:]
    return WeightRow(
        model=model,
        adapter=adapter,
        part=part,
        layer=of.name,
        role=of.role,
        status=finding.status,
        rows=rows,
        cols=cols,
        eigenvalues=min(rows, cols, rank or rows),
        numbers=finding.numbers,
        density=finding.density,
        quantised=quantised,
    )
