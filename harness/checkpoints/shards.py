"""Where in a checkpoint's files each parameter lies."""

from pathlib import Path

from harness.checkpoints import folder as checkpoint
from harness.checkpoints.safetensors import Tensor


def stored(folder: Path) -> dict[str, Tensor]:
    """Parameter's name to where it lies."""
    files = checkpoint.headers(folder).values()
    return {name: file.tensor(name) for file in files for name in file.names}
