"""How much is in flight at once, and what happens where memory does not suffice."""

import gc
from dataclasses import dataclass

import torch


@dataclass(slots=True)
class Budget:
    """Prompt and answer tokens in flight; a model keeps its own, so that what it learned of the memory stays known."""

    tokens: int
    halvings: int = 0

    def shrink(self, tokens: int) -> None:
        """What was tried did not fit: no more than so many from now on."""
        self.tokens = max(1, tokens)
        self.halvings += 1
        gc.collect()
        if torch.cuda.is_available():
            torch.cuda.empty_cache()


def out_of_memory(error: BaseException) -> bool:
    """Whether it says so: CUDA has a class of its own for it, torch's CPU allocator only words."""
    if isinstance(error, torch.OutOfMemoryError | MemoryError):
        return True
    return isinstance(error, RuntimeError) and "not enough memory" in str(error)
