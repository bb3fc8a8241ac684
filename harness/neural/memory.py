"""How many tokens are in flight at once, by the machine's memory; fewer after memory has run out."""

import gc
from dataclasses import dataclass
from typing import Any

import psutil
import torch

from harness.neural.load import Base

# Share of all memory for keys and values; not of the free memory, since a resumed run must have the same budget.
SHARE = {"cpu": 1 / 8, "cuda": 1 / 4}


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
    share = SHARE[base.device.type] * total / max(1, workers)
    return max(1, int(share // bytes_per_token(base)))


def bytes_per_token(base: Base) -> int:
    """Return the bytes of the keys and values of one token in all layers."""
    config: Any = base.model.config.get_text_config(decoder=True)
    heads = config.num_attention_heads
    if getattr(config, "multi_query", False) and not getattr(config, "new_decoder_architecture", False):
        kept = 1  # in the configuration of Falcon-7B
    else:
        kept = getattr(config, "num_key_value_heads", None) or getattr(config, "num_kv_heads", None) or heads
    width = getattr(config, "head_dim", None) or getattr(config, "d_kv", None) or config.hidden_size // heads
    layers = getattr(config, "num_decoder_layers", None) or config.num_hidden_layers
    return 2 * int(layers) * int(kept) * int(width) * base.dtype.itemsize


def out_of_memory(error: BaseException) -> bool:
    """Return whether memory ran out: CUDA has a class for this error, torch's CPU allocator only a message."""
    if isinstance(error, torch.OutOfMemoryError | MemoryError):
        return True
    return isinstance(error, RuntimeError) and "not enough memory" in str(error)
