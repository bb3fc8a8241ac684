"""Finds plug-ins by name: a file of this package, else another package's entry point.

Nothing is imported before it is named.
"""

from functools import cache
from importlib import import_module
from importlib.metadata import EntryPoints, entry_points
from pathlib import Path
from types import ModuleType

from harness.errors import SuiteError, UnknownName

# Group -> package whose files are its plug-ins; other packages name theirs as entry points of `harness.GROUP`.
GROUPS = {
    "architectures": "neural.architectures",
    "backends": "backends",
    "data": "data",
    "engines": "run.engines",
    "exports": "exports",
    "families": "families",
    "kinds": "kinds",
    "metrics": "metrics",
    "objectives": "neural.objectives",
    "steps": "run.steps",
}


def own_names(group: str) -> tuple[str, ...]:
    """Plug-ins that are a file of this package."""
    if group not in GROUPS:
        raise ValueError(f"no group of plug-ins named {group!r}")
    files = Path(__file__).parent.joinpath(*GROUPS[group].split(".")).glob("*.py")
    return tuple(sorted(file.stem for file in files if not file.stem.startswith("_")))


@cache
def _entry_points(group: str) -> EntryPoints:
    """Other packages' plug-ins; every installed package is asked, which takes some 30 ms."""
    return entry_points(group=f"harness.{group}")


def names(group: str) -> tuple[str, ...]:
    """Every plug-in of the group, other packages' included."""
    others = _entry_points(group).names
    return tuple(sorted({*own_names(group), *others}))


def find(group: str, name: str, where: str = "") -> ModuleType:
    """The plug-in's module. Own names come first, so that another package cannot shadow them."""
    if name in own_names(group):
        return import_module(f"harness.{GROUPS[group]}.{name}")
    for point in _entry_points(group).select(name=name):
        try:
            module = point.load()
        except Exception as error:  # foreign code: what it may raise cannot be known
            place = f"{where}: " if where else ""
            raise SuiteError(
                f"{place}the plug-in {name!r} ({point.value}) cannot be imported: {type(error).__name__}: {error}"
            ) from error
        if not isinstance(module, ModuleType):
            raise UnknownName(
                f"module behind entry point {point.value} of {group[:-1]}", name, names(group), where
            )
        return module
    raise UnknownName(group.rstrip("s"), name, names(group), where)
