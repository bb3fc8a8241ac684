"""Export targets for a RESULT's numbers.

A target is a file of this folder that defines:

    PLACE                   "folder" or "uri": what kind of place it writes to
    PAGES                   whether it includes report.html
    export(folder, place)   -> one line that says what was written

The folder is a RESULT without private texts. If the same RESULT is exported again to the same place, it replaces the
earlier export or leaves it unchanged; it is never stored twice.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Literal

from harness.errors import HarnessError

Place = Literal["folder", "uri"]


@contextmanager
def package_of(extra: str) -> Iterator[None]:
    """Turn a failed import into an error that says what to install."""
    try:
        yield
    except ModuleNotFoundError as error:
        raise HarnessError(
            f"--to {extra}: the package {error.name!r} is not installed; pip install 'finetune-harness[{extra}]'"
        ) from error
