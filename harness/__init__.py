"""Which base model should I fine-tune, and did the adapter help?"""

from pathlib import Path
from typing import TYPE_CHECKING

from harness._version import __version__

if TYPE_CHECKING:
    from harness.frames import Frames

__all__ = ["__version__", "load"]


def load(path: Path | str) -> "Frames":
    """Return the pandas frames of a RESULT folder: `load("reports/out/quickstart").scores`."""
    from harness.frames import load as frames

    return frames(path)
