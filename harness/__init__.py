"""Which base model should I fine-tune, and did the adapter help?"""

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from harness.result.frames import Frames

__version__ = "0.1.0"
__all__ = ["__version__", "load"]


def load(path: Path | str) -> "Frames":
    """The pandas frames of a RESULT folder: `load("reports/out/quickstart").scores`."""
    from harness import result

    return result.load(path)
