"""Where a RESULT's numbers can be taken: a target is a file of this folder with one function and two words about it.

    PLACE                   "folder" or "uri": how the place is called that it writes to
    PAGES                   whether it takes report.html along
    export(folder, place)   -> what was written, in a line

The folder is a RESULT whose texts may all be shown: private ones are not in it. The same RESULT exported again to the
same place takes the place of what is there, or is left as it is, and is never there twice.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Literal

from harness.errors import HarnessError

Place = Literal["folder", "uri"]


@contextmanager
def package_of(extra: str) -> Iterator[None]:
    """Turn a failed import into a line that says what to install."""
    try:
        yield
    except ModuleNotFoundError as error:
        raise HarnessError(
            f"--to {extra}: the package {error.name!r} is not installed; pip install 'finetune-harness[{extra}]'"
        ) from error
