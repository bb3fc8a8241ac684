"""Define the errors that a user sees, as one tree.

    HarnessError                 a sentence for the user; exit code 2 unless a class says otherwise
    ├── SuiteError               the suite or a file it names is wrong
    │   ├── UnknownName          no such task, model, metric …; suggests similar names
    │   └── DataError            a data file is wrong, with file and line
    ├── ModelError               a checkpoint cannot be used
    │   └── AdapterError         an adapter does not fit its base
    ├── HubError                 the hub cannot be reached, or refuses
    ├── ResultError              a RESULT folder cannot be read or was changed by hand
    │   └── ForeignCode          a RESULT names code that is not run
    ├── NotRegular               a pipe or a device is where a file should be
    ├── StoreError               the store cannot hold the work
    └── StepError                a step failed; exit code 3
        └── Diverged             a training whose loss is NaN or infinite

A message says where, what was found, and what to do.
"""

from collections.abc import Iterable
from difflib import get_close_matches


class HarnessError(Exception):
    """A failure that the user is told in one line, without a traceback."""

    exit_code = 2


class SuiteError(HarnessError):
    """The suite, or a file that it names, is wrong."""

    def __init__(self, message: str, key: tuple[str | int, ...] = ()) -> None:
        super().__init__(message)
        self.key = (
            key  # of the task, whose file names what is wrong; its place is added where the file is known
        )


class UnknownName(SuiteError):
    """A name that is not known; the message suggests similar names."""

    def __init__(
        self,
        what: str,
        name: str,
        known: Iterable[str],
        where: str = "",
        key: tuple[str | int, ...] = (),
        more: str = "",  # said last
    ) -> None:
        known = sorted(known)
        near = get_close_matches(name, known, n=3, cutoff=0.5)
        there = f"known: {', '.join(known)}" if known else "there are none"
        hint = f"did you mean {' or '.join(map(repr, near))}?" if near else there
        super().__init__(f"{where}{': ' if where else ''}no {what} named {name!r}; {hint}{more}", key)


class DataError(SuiteError):
    """A data file is wrong."""


class ModelError(HarnessError):
    """A checkpoint cannot be used."""


class AdapterError(ModelError):
    """An adapter does not fit its base."""


class HubError(HarnessError):
    """The hub cannot be reached, or refuses."""


class ResultError(HarnessError):
    """A RESULT folder cannot be read, or was changed by hand."""


class ForeignCode(ResultError):
    """A RESULT names code that is not part of this harness, so it is not run."""


class NotRegular(HarnessError):
    """A pipe, a device or a socket is where a file should be."""


class StoreError(HarnessError):
    """The store cannot hold the work."""


class StepError(HarnessError):
    """A step failed."""

    exit_code = 3


class Diverged(StepError):
    """A training whose loss or gradient is NaN or infinite."""

    def __init__(self, what: str, more: str) -> None:
        super().__init__(f"{what}{more}")
        self.what = what  # without names of samples
