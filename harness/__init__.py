"""Which base model should I fine-tune, and did the adapter help?

`harness.run("quickstart")` does what `harness run quickstart` does; docs/python.md describes all functions.
"""

import sys
from importlib import import_module
from types import ModuleType
from typing import TYPE_CHECKING, Any

from harness._version import __version__

if TYPE_CHECKING:
    from harness import errors
    from harness.api import compare, gate, load, plan, run, verify

__all__ = ["__version__", "compare", "errors", "gate", "load", "plan", "run", "verify"]

_FUNCTIONS = ("compare", "gate", "load", "plan", "run", "verify")


if not TYPE_CHECKING:  # type checkers would take any name for a name of the package

    def __getattr__(name: str) -> Any:
        """Return a public name when it is first used.

        Everybody's pytest imports the plug-in of the harness, which should load nothing else.
        """
        if name in _FUNCTIONS:
            return getattr(import_module("harness.api"), name)
        if name == "errors":
            return import_module("harness.errors")
        raise AttributeError(f"module 'harness' has no attribute {name!r}")


def __dir__() -> list[str]:
    return [*globals(), *__all__]


class _Package(ModuleType):
    """The package: an import of the rooms `run`, `plan` and `compare` does not take the place of these functions."""

    def __setattr__(self, name: str, value: object) -> None:
        if name not in _FUNCTIONS:
            super().__setattr__(name, value)


sys.modules[__name__].__class__ = _Package
