"""Where a layer stands in its model, by its name: the block that it belongs to, counted from the input."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

# "encoder.block.3.layer.0.SelfAttention.q": the part before the first number names the stack.
_BLOCK = re.compile(r"(?:(?P<stack>.+?)\.)?(?P<number>\d+)(?:\.|$)")


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class Block:
    """A layer's stack and its number there."""

    late: bool  # of a decoder, which comes after its encoder
    stack: str
    number: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Depths:
    """The blocks of one model in order. A layer outside all blocks stands before or behind them."""

    blocks: tuple[Block, ...]
    of: Mapping[str, int]  # layer -> 1 … len(blocks); 0 or len(blocks) + 1 for a layer outside

    def label(self, depth: int) -> str:
        """Return the label of a block: `7`, or `d7` where the model has a second stack."""
        if not 1 <= depth <= len(self.blocks):
            return ""
        block = self.blocks[depth - 1]
        several = len({member.stack for member in self.blocks}) > 1
        return f"{block.stack[:1]}{block.number}" if several else str(block.number)


def block(layer: str) -> Block | None:
    """Return the block that a layer's name gives; None where the name has no number."""
    found = _BLOCK.match(layer)
    if found is None:
        return None
    stack = found["stack"] or ""
    return Block(late="decoder" in stack, stack=stack, number=int(found["number"]))


def depths(
    layers: Iterable[tuple[str, str]],  # name and role
) -> Depths:
    """Return where each layer stands: embeddings before all blocks, a head and other layers behind them."""
    placed = {name: (block(name), role) for name, role in layers}
    blocks = tuple(sorted({own for own, _ in placed.values() if own is not None}))
    number = {member: place for place, member in enumerate(blocks, 1)}
    outside = {"embedding": 0}
    return Depths(
        blocks=blocks,
        of={
            name: outside.get(role, len(blocks) + 1) if own is None else number[own]
            for name, (own, role) in placed.items()
        },
    )
