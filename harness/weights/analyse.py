"""The spectra of all layers: of a base, of an adapter's update, and of both together. A layer without numbers says why."""

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
from harness.weights.cache import NO_CACHE, LayerResult, SpectrumCache, key
from harness.weights.directions import directions
from harness.weights.norms import left_directions
from harness.weights.pool import in_order
from harness.weights.quantised import Scheme
from harness.weights.read import NOT_ASKED, TIED, Matrix, TensorLocation, locations
from harness.weights.updates import Update, updates


@dataclass(frozen=True, slots=True, kw_only=True)
class AnalysisOptions:
    """How the layers are worked through. No option changes a number."""

    threads: int = 1
    cache: SpectrumCache = NO_CACHE


@dataclass(frozen=True, slots=True)
class Layer:
    """The layer that a row describes."""

    name: str
    role: str
    shape: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class MatrixResult:
    """The result of one matrix of the base."""

    result: LayerResult
    digest: bytes | None = None
    quantised: Scheme | None = None


DEFAULT_OPTIONS = AnalysisOptions()
NOT_ASKED_RESULT = LayerResult(status=NOT_ASKED, numbers={})
Rows = Callable[..., WeightRow]


def analyse(
    folder: Path,
    family: Family,
    adapter: Path | None,
    *,
    model: str,
    adapter_name: str | None,
    weighing: Weighing,
    options: AnalysisOptions = DEFAULT_OPTIONS,
) -> Iterator[WeightRow]:
    """Return an iterator over the rows of a base or of an adapter.

    A base has a row of part W for each layer; an adapter has rows of parts delta and merged for each layer it changes.
    """
    found = locations(folder, family, split=weighing.split)
    row = partial(_row, model=model, adapter=adapter_name)
    if adapter is None:
        return chain(_of_base(found, weighing, options, row), _of_vectors(folder, found, family, row))
    if not lora.is_lora(adapter):
        return iter([_of_another_kind(adapter, row)])
    weights = lora.read(adapter)
    changed = updates(weights, found, family, adapter=adapter, base=folder)
    return chain(_of_adapter(changed, weighing, options, row), _of_others(weights, family, row))


def _of_base(
    found: Sequence[TensorLocation], weighing: Weighing, options: AnalysisOptions, row: Rows
) -> Iterator[WeightRow]:
    """Yield a row for each matrix of the base; of matrices with the same bytes, the later ones are tied to the first."""

    def work(location: TensorLocation) -> MatrixResult:
        if location.role not in weighing.roles:
            return MatrixResult(finite.unasked(location, options.cache))
        if (known := _known(location, weighing, options.cache)) is not None:
            return known
        matrix = location.read()
        if matrix.digest is not None:
            options.cache.remember(location.identity, matrix.digest)
        return MatrixResult(_base(matrix, weighing, options.cache), matrix.digest, matrix.quantised)

    seen: dict[bytes, str] = {}
    for location, analysed in zip(found, in_order(work, found, options.threads), strict=True):
        result = analysed.result
        first = seen.setdefault(analysed.digest, location.name) if analysed.digest else location.name
        if first != location.name and result.status != "zero":  # zeros are equal without being tied
            result = LayerResult(status=f"{TIED}{first}", numbers={})
        described = Layer(location.name, location.role, location.shape)
        yield row(described, result, part="W", quantised=analysed.quantised)


def _of_vectors(
    folder: Path, found: Sequence[TensorLocation], family: Family, row: Rows
) -> Iterator[WeightRow]:
    """Yield a row for each norm and bias that contains numbers which are not finite; no other vector has a row."""
    quantised = [location.quantised for location in found if location.quantised]
    scales = frozenset(tensor.name for matrix in quantised for tensor in matrix.beside.values())
    for tensor, result in finite.vectors(stored(folder), scales):
        name = tensor.name.removesuffix(".weight")
        yield row(Layer(name, role_of(family, tensor.name), (1, *tensor.shape)), result, part="W")


def _of_adapter(
    changed: Sequence[Update], weighing: Weighing, options: AnalysisOptions, row: Rows
) -> Iterator[WeightRow]:
    """Yield two rows for each matrix that the adapter changes: its update, and the sum."""

    def work(update: Update) -> tuple[LayerResult, LayerResult, Scheme | None]:
        if update.role not in weighing.roles:
            return NOT_ASKED_RESULT, NOT_ASKED_RESULT, None
        matrix = update.location.read() if update.location else None
        scheme = matrix.quantised if matrix else None
        if update.factors is not None and matrix is not None:
            return *_low_rank(update.name, matrix, update.factors, weighing, options.cache), scheme
        assert update.saved is not None
        return *_in_place(matrix, update.saved.read(), weighing, options.cache), scheme

    for update, (delta, merged, scheme) in zip(
        changed, in_order(work, changed, options.threads), strict=True
    ):
        described = Layer(update.name, update.role, update.shape)
        rank = update.factors.A.shape[0] if update.factors else None
        yield row(described, delta, part="delta", rank=rank, quantised=scheme)
        yield row(described, merged, part="merged", quantised=scheme)


def _of_another_kind(adapter: Path, row: Rows) -> WeightRow:
    """Return the row of an adapter whose update is not read: only LoRA's is two factors that need not be multiplied."""
    kind = lora.read_settings(adapter, "measured")["peft_type"]
    status = f"failed: an adapter of kind {kind} is not weighed; only LoRA's update is B·A on its matrices"
    return row(Layer("all", "other", (0, 0)), LayerResult(status=status, numbers={}), part="delta")


def _of_others(weights: LoraWeights, family: Family, row: Rows) -> Iterator[WeightRow]:
    """Yield a row for each saved tensor that is not an update of a matrix; vectors are left out."""
    for name, shape in weights.others.items():
        if len(shape) > 1:
            status = f"failed: {name} is neither a low-rank update nor a whole matrix"
            role = role_of(family, name)
            yield row(Layer(name, role, shape), LayerResult(status=status, numbers={}), part="delta")


def _known(location: TensorLocation, weighing: Weighing, cache: SpectrumCache) -> MatrixResult | None:
    """Return a matrix's cached result; None where there is none, or its file has changed. The matrix is not read."""
    digest = cache.remembered(location.identity)
    if digest is None:
        return None
    result = cache.find(_key(location.name, digest, location.shape, weighing))
    scheme = location.quantised.scheme if location.quantised else None
    return None if result is None else MatrixResult(result, digest, scheme)


def _key(name: str, digest: bytes, shape: tuple[int, ...], weighing: Weighing) -> str:
    return key("W", name, digest.hex(), shape, *_number_options(weighing))


def _base(matrix: Matrix, weighing: Weighing, cache: SpectrumCache) -> LayerResult:
    if matrix.array is None or matrix.digest is None:
        return LayerResult(status=matrix.status, numbers={})
    name = _key(matrix.name, matrix.digest, matrix.shape, weighing)
    return cache.find(name) or cache.keep(name, layer.whole(matrix.name, matrix.array, weighing))


def _low_rank(
    name: str, matrix: Matrix, factors: Factors, weighing: Weighing, cache: SpectrumCache
) -> tuple[LayerResult, LayerResult]:
    """Return the results of ΔW and of W + ΔW."""
    # DoRA's update is not of low rank.
    if matrix.array is not None and factors.magnitude is not None and factors.finite:
        delta = _difference(name, matrix.array, factors.merged(matrix.array), weighing)
    else:
        delta = layer.delta(name, factors, matrix.array)
    if matrix.array is None or matrix.digest is None:
        return delta, LayerResult(status=matrix.status, numbers={})
    if not factors.finite:
        return delta, delta
    with_directions = max(matrix.shape) <= weighing.intruders_up_to
    merged_key = key(
        "merged",
        name,
        matrix.digest.hex(),
        matrix.shape,
        factors.digest,
        with_directions,
        *_number_options(weighing),
    )
    if (merged := cache.find(merged_key)) is None:
        merged = layer.whole(name, matrix.array, weighing, factors)
        more = dict(layer.shift(merged, _base(matrix, weighing, cache)))
        if with_directions and merged.numbers and delta.numbers:
            more |= directions(matrix.array, factors.merged(matrix.array), left_directions(factors))
        merged = cache.keep(merged_key, replace(merged, numbers={**merged.numbers, **more}))
    return delta, merged


def _in_place(
    matrix: Matrix | None, saved: Matrix, weighing: Weighing, cache: SpectrumCache
) -> tuple[LayerResult, LayerResult]:
    """Return the results of the difference, and of the matrix that replaces the base's."""
    merged = _base(saved, weighing, cache)
    if matrix is None or matrix.array is None or saved.array is None:
        return LayerResult(
            status=f"failed: {saved.name} has no matrix in the base to be compared with", numbers={}
        ), merged
    if matrix.shape != saved.shape:
        sizes = f"{list(saved.shape)}, the base's {list(matrix.shape)}"
        return LayerResult(status=f"failed: {saved.name} was resized: {sizes}", numbers={}), merged
    base = _base(matrix, weighing, cache)
    merged = replace(merged, numbers={**merged.numbers, **layer.shift(merged, base)})
    return _difference(saved.name, matrix.array, saved.array, weighing), merged


def _difference(name: str, base: layer.Matrix, merged: layer.Matrix, weighing: Weighing) -> LayerResult:
    """Return the result of a ΔW that is not of low rank."""
    delta = layer.whole(name, merged.astype(np.float64) - base, weighing)
    size = np.linalg.norm(base.astype(np.float64))
    if size > 0 and "norm" in delta.numbers:
        share = float(np.sqrt(delta.numbers["norm"]) / size)
        delta = replace(delta, numbers={**delta.numbers, "delta_ratio": share})
    return replace(delta, density=None)


def _number_options(weighing: Weighing) -> tuple[object, ...]:
    """Return the options that can change a matrix's numbers."""
    return weighing.oracle, weighing.randomize, weighing.randomize and weighing.seed


def _row(
    of: Layer,
    result: LayerResult,
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
        status=result.status,
        rows=rows,
        cols=cols,
        eigenvalues=min(rows, cols, rank or rows),
        numbers=result.numbers,
        density=result.density,
        quantised=quantised,
    )
