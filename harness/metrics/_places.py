"""Where a metric of the user's own lies: `evaluate:PATH`.

A path in a task's file starts at that file's folder, a path on the command line at the working folder. Both become
absolute where they are read, so a RESULT names one file only.
"""

from pathlib import Path

_SCHEME = "evaluate:"


def path_of(metric: str) -> Path | None:
    """Return the path that a metric's name holds; None for a name of the harness or of the hub."""
    place = metric.removeprefix(_SCHEME)
    if place == metric or not (place.endswith(".py") or place.startswith((".", "/", "~"))):
        return None
    return Path(place).expanduser()


def anchored(metric: str, folder: Path) -> str:
    """Return the metric's name with its relative path made absolute, from a folder on."""
    path = path_of(metric)
    return metric if path is None else f"{_SCHEME}{(folder / path).resolve()}"
