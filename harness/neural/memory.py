"""How many tokens are in flight at once, by the machine's memory; fewer after memory has run out."""

import gc
from dataclasses import dataclass
from typing import Any

import psutil
import torch

from harness.checkpoints import shape
from harness.neural.load import Base
from harness.neural.room import affordable


@dataclass(slots=True)
class Budget:
    """The number of prompt and answer tokens in flight. A model keeps its budget, so that memory runs out only once."""

    tokens: int
    halvings: int = 0

    def shrink(self, tokens: int) -> None:
        """Allow at most `tokens` in flight from now on, since more did not fit."""
        self.tokens = max(1, tokens)
        self.halvings += 1
        gc.collect()
        if torch.cuda.is_available():
            torch.cuda.empty_cache()


def affordable_tokens(
    base: Base,
    workers: int,  # that share the memory
) -> int:
    """Return the number of tokens whose keys and values fit into their share of the machine's memory."""
    if base.device.type == "cuda":
        total = torch.cuda.get_device_properties(base.device).total_memory
    else:
        total = psutil.virtual_memory().total
    return affordable(total, bytes_per_token(base), base.device.type, workers)


def bytes_per_token(base: Base) -> int:
    """Return the bytes of the keys and values of one token in all layers."""
    config: Any = base.model.config.get_text_config(decoder=True)
    # transformers answers to its own names of sizes whatever the names in config.json.
    return shape.cached({name: getattr(config, name, None) for name in shape.OF_CACHE}) * base.dtype.itemsize


def out_of_memory(error: BaseException) -> bool:
    """Return whether memory ran out: CUDA has a class for this error, torch's CPU allocator only a message."""
    if isinstance(error, torch.OutOfMemoryError | MemoryError):
        return True
    return isinstance(error, RuntimeError) and "not enough memory" in str(error)
