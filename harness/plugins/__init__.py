"""Find plug-ins by name: a file of this package, a file of the user's own project, or another package's entry point.

A plug-in is imported only when it is named.
"""

from collections.abc import Iterable
from functools import cache
from importlib import import_module
from importlib.metadata import EntryPoint, EntryPoints, entry_points
from pathlib import Path
from types import ModuleType

from harness.errors import SuiteError, UnknownName
from harness.plugins.files import PluginFile, load_file

# Group -> package whose files are its plug-ins; other packages have entry points of the group `harness.GROUP`.
GROUPS = {
    "architectures": "neural.architectures",
    "backends": "backends",
    "data": "data",
    "engines": "run.engines",
    "exports": "exports",
    "families": "families",
    "imports": "imports",
    "kinds": "kinds",
    "metrics": "metrics",
    "objectives": "neural.objectives",
    "rules": "gates.rules",
    "steps": "run.steps",
}

_used: dict[tuple[str, str], PluginFile] = {}  # group and name -> file of the user's own project


def own_names(group: str) -> tuple[str, ...]:
    """Return the names of the plug-ins that are files of the harness."""
    if group not in GROUPS:
        raise ValueError(f"no group of plug-ins named {group!r}")
    files = Path(__file__).parents[1].joinpath(*GROUPS[group].split(".")).glob("*.py")
    return tuple(sorted(file.stem for file in files if not file.stem.startswith("_")))


@cache
def _entry_points() -> EntryPoints:
    """Return the plug-ins of other packages: to search all installed packages takes some 30 ms, so it is done once."""
    everything = entry_points()
    return EntryPoints(point for group in GROUPS for point in everything.select(group=_group(group)))


def _group(group: str) -> str:
    """Return the entry points' name of a group."""
    return f"harness.{group}"


def others(group: str) -> tuple[EntryPoint, ...]:
    """Return the entry points of installed packages in a group."""
    return tuple(sorted(_entry_points().select(group=_group(group)), key=lambda point: point.name))


def names(group: str) -> tuple[str, ...]:
    """Return the names of all plug-ins of a group: the harness's, other packages' and those of the user's own project."""
    others = _entry_points().select(group=_group(group)).names
    files = (name for of, name in _used if of == group)
    return tuple(sorted({*own_names(group), *others, *files}))


def find(group: str, name: str, where: str = "") -> ModuleType:
    """Return a plug-in's module; the harness's own come first, so that no other can replace them."""
    if name in own_names(group):
        return import_module(f"harness.{GROUPS[group]}.{name}")
    if (file := _used.get((group, name))) is not None:
        return load_file(file, where)
    for point in _entry_points().select(group=_group(group), name=name):
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


def use(files: Iterable[PluginFile]) -> None:
    """Let these files of the user's own project be found by name, instead of the files that were used before.

    Only a file that the user named, in a suite or on the command line, may be used; never one that a RESULT names.
    """
    wanted = {(file.group, file.name): file for file in files}
    if wanted != _used:  # threads look names up meanwhile: the same files are not taken away for a moment
        _used.clear()
        _used.update(wanted)


def used() -> tuple[PluginFile, ...]:
    """Return the used files of the user's own project, for a worker process to `use`."""
    return tuple(_used.values())


def refuse_taken(file: PluginFile, where: str) -> None:
    """Raise SuiteError for a file with the name of a plug-in of the harness or of an installed package."""
    installed = _entry_points().select(group=_group(file.group)).names
    others = {"the harness": own_names(file.group), "an installed package": installed}
    for whose, taken in others.items():
        if file.name in taken:
            raise SuiteError(
                f"{where}: {file.path.name}: {whose} has {file.name!r} among its {file.group}; rename the file"
            )
