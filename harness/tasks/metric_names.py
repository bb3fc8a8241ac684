"""Read the name that a task gives a metric: `rouge`, `bleu(tokenize=zh)`, `evaluate:PATH`, `./my_metric.py`.

A path in a task's file starts at that file's folder, a path on the command line at the working folder. The path of a
program of `evaluate` becomes absolute where it is read, so a RESULT names one file only. A metric that is a Python file of
the harness's own form is called by the file's name; the RESULT's manifest says where the file lay.
"""

import warnings
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

from harness.errors import SuiteError
from harness.plugins.choice import parse

# Begins the name of a metric that gets all answers at once and may fail by itself, so it has a step of its own.
PROGRAM = "evaluate:"


def is_program(metric: str) -> bool:
    """Return whether the metric is a program of Hugging Face's `evaluate`."""
    return metric.startswith(PROGRAM)


def is_foreign(metric: str) -> bool:
    """Return whether the name leads to code of neither the harness nor an installed package."""
    choice = parse(metric)
    return bool(choice.argument) or choice.path is not None


def path_of(metric: str) -> Path | None:
    """Return the path of a program in a metric's name; None for every other name."""
    place = parse(metric).argument
    if not is_program(metric) or not (place.endswith(".py") or place.startswith((".", "/", "~"))):
        return None
    return Path(place).expanduser()


def anchored(metric: str, folder: Path) -> str:
    """Return the metric's name with the path of its program made absolute; a relative path starts at the folder."""
    path = path_of(metric)
    return metric if path is None else str(replace(parse(metric), argument=str((folder / path).resolve())))


def refuse_broken(files: Iterable[Path]) -> None:
    """Raise SuiteError if a file of a metric is not valid Python; no file is run."""
    for path in files:
        if not path.is_file():
            continue  # reading the file reports it
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                compile(path.read_bytes(), str(path), "exec", dont_inherit=True)
        except SyntaxError as error:
            raise SuiteError(f"{path}:{error.lineno or 1}: {error.msg}; fix the metric's script") from None
        except (ValueError, RecursionError, MemoryError) as error:  # NUL bytes, nested too deep
            raise SuiteError(f"{path}: cannot be read as Python: {error}; fix the metric's script") from None
