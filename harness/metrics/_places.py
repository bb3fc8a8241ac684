"""Where a metric of the user's own lies: `evaluate:PATH`.

A path in a task's file starts at that file's folder, a path on the command line at the working folder. Both become
absolute where they are read, so a RESULT names one file only.
"""

import warnings
from collections.abc import Iterable
from pathlib import Path

from harness.errors import SuiteError

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


def refuse_broken(files: Iterable[Path]) -> None:
    """Raise SuiteError where one of a metric's files is no Python; none of them is run."""
    for path in files:
        if not path.is_file():
            continue  # whoever reads it tells
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                compile(path.read_bytes(), str(path), "exec", dont_inherit=True)
        except SyntaxError as error:
            raise SuiteError(f"{path}:{error.lineno or 1}: {error.msg}; fix the metric's script") from None
        except (ValueError, RecursionError, MemoryError) as error:  # NUL bytes, nested too deep
            raise SuiteError(f"{path}: cannot be read as Python: {error}; fix the metric's script") from None
