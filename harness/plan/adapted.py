"""The matrices that a recipe puts factors beside, by the sizes of a model and the names of its family."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import chain

from harness import families
from harness.checkpoints.shape import Matrix, ModelSizes
from harness.families import Family

Group = tuple[Matrix, ...]  # matrices that multiply the same input


@dataclass(frozen=True, slots=True, kw_only=True)
class Adapted:
    """The matrices with factors in a layer, those that multiply the same input together."""

    attention: tuple[Group, ...]  # of one attention: queries, keys and values; the output
    feed_forward: tuple[Group, ...]


def adapted(shape: ModelSizes, family: Family, targets: Sequence[str]) -> Adapted:
    """Return the matrices that a recipe's targets name."""
    wanted = families.lora_targets(family, targets)

    def asked(role: str) -> bool:
        return isinstance(wanted, str) or not set(wanted).isdisjoint(family.targets.get(role, ()))

    queries, keys, values, output = shape.attention_matrices
    inputs = [matrix for role, matrix in (("q", queries), ("k", keys), ("v", values)) if asked(role)]
    if (
        inputs
        and not family.fused.keys().isdisjoint(family.targets.get("q", ()))
        and family.name != "generic"
    ):
        inputs = [(shape.queries + 2 * shape.keys, shape.hidden)]  # one matrix for all three
    wide = _feed_forward(shape, family, named=wanted != "all-linear") if asked("feed-forward") else ()
    return Adapted(attention=(tuple(inputs), (output,) if asked("o") else ()), feed_forward=wide)


def _feed_forward(shape: ModelSizes, family: Family, *, named: bool) -> tuple[Group, ...]:
    """Return the matrices of a feed-forward part; `named`: only those that the family has suffixes for."""
    *into, back = shape.feed_forward_matrices
    suffixes = family.targets.get("feed-forward", ())
    if family.name != "generic" and not family.fused.keys().isdisjoint(suffixes):
        into = [(sum(rows for rows, _ in into), shape.hidden)]  # gate and up are one matrix
    if named and len(suffixes) == 1:
        return (tuple(into),)  # no suffix means the second matrix alone, as in BERT
    return tuple(into), (back,)


def trainable_parameters(shape: ModelSizes, family: Family, targets: Sequence[str], rank: int) -> int:
    """Return the numbers in the factors of an adapter."""
    layer = adapted(shape, family, targets)
    of_attention, of_feed_forward = sides(layer.attention), sides(layer.feed_forward)
    decoder = shape.stored_layers * ((2 if shape.encoder_layers else 1) * of_attention + of_feed_forward)
    return rank * (decoder + shape.encoder_layers * (of_attention + of_feed_forward))


def sides(groups: Sequence[Group]) -> int:
    """Return the sum of rows and columns of matrices: the numbers in their factors of rank 1."""
    return sum(map(sum, chain.from_iterable(groups)))
