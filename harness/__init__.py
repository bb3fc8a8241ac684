"""Which base model should I fine-tune, and did the adapter help?

`harness.run("quickstart")` does what `harness run quickstart` does; docs/python.md describes all functions.
"""

import sys
from types import FunctionType, ModuleType

from harness import errors
from harness._version import __version__
from harness.api import compare, gate, load, plan, run, verify

__all__ = ["__version__", "compare", "errors", "gate", "load", "plan", "run", "verify"]


class _Package(ModuleType):
    """The package: an import of the rooms `run`, `plan` and `compare` does not replace the functions of these names."""

    def __setattr__(self, name: str, value: object) -> None:
        if not (isinstance(value, ModuleType) and isinstance(self.__dict__.get(name), FunctionType)):
            super().__setattr__(name, value)


sys.modules[__name__].__class__ = _Package
