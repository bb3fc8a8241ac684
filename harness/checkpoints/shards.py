"""The location of each parameter in a checkpoint's files."""

from pathlib import Path

from harness.checkpoints import folder as checkpoint
from harness.checkpoints.safetensors import Tensor


def stored(folder: Path) -> dict[str, Tensor]:
    """Return the location of each parameter, by its name."""
    files = checkpoint.headers(folder).values()
    return {name: file.tensor(name) for file in files for name in file.names}
