"""Where in its model a layer stands, told by its name: the block it belongs to, counted from the input on."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

# "encoder.block.3.layer.0.SelfAttention.q": what stands before the first number names the stack.
_BLOCK = re.compile(r"(?:(?P<stack>.+?)\.)?(?P<number>\d+)(?:\.|$)")


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class Block:
    """A layer's stack and its number there."""

    late: bool  # a decoder's: it comes after its encoder
    stack: str
    number: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Depths:
    """The blocks of one model in order; what belongs to none stands before or behind them all."""

    blocks: tuple[Block, ...]
    of: Mapping[str, int]  # layer -> 1 … len(blocks); 0 and len(blocks) + 1 for what is outside

    def label(self, depth: int) -> str:
        """`7`, and `d7` for a block of the second of two stacks."""
        if not 1 <= depth <= len(self.blocks):
            return ""
        block = self.blocks[depth - 1]
        several = len({one.stack for one in self.blocks}) > 1
        return f"{block.stack[:1]}{block.number}" if several else str(block.number)


def block(layer: str) -> Block | None:
    """Return the block that a layer's name counts; None where it counts none."""
    found = _BLOCK.match(layer)
    if found is None:
        return None
    stack = found["stack"] or ""
    return Block(late="decoder" in stack, stack=stack, number=int(found["number"]))


def depths(
    layers: Iterable[tuple[str, str]],  # name and role
) -> Depths:
    """Embeddings stand before all blocks, a head and the rest behind."""
    placed = {name: (block(name), role) for name, role in layers}
    blocks = tuple(sorted({one for one, _ in placed.values() if one is not None}))
    number = {one: place for place, one in enumerate(blocks, 1)}
    outside = {"embedding": 0}
    return Depths(
        blocks=blocks,
        of={
            name: outside.get(role, len(blocks) + 1) if one is None else number[one]
            for name, (one, role) in placed.items()
        },
    )
