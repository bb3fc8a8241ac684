"""Load plug-ins that are files of the user's own project: `plugins: [./choice.py]`, `metrics: ["./my_metric.py"]`.

Such a file is one module and cannot import the files beside it: only its own bytes are part of the ids of steps that use it.
"""

import ast
import sys
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from hashlib import sha256
from pathlib import Path
from types import ModuleType

from harness.errors import SuiteError
from harness.files.regular import LARGEST, file_digest, read_regular

MARKS = {"families": "FAMILY"}  # the mark of every other group is its name without the s


@dataclass(frozen=True, slots=True, kw_only=True)
class PluginFile:
    """A file of the user's own project that is a plug-in, as it was when the user named it."""

    group: str  # "kinds"
    path: Path  # absolute
    digest: str  # SHA-256 of its bytes

    @property
    def name(self) -> str:
        """Return the plug-in's name: the file's name without its ending."""
        return self.path.stem


def plugin_file(group: str, path: Path) -> PluginFile:
    """Return the file as it is now."""
    return PluginFile(group=group, path=path, digest=file_digest(path))


def group_of(path: Path, groups: Iterable[str], where: str) -> str:
    """Return the group that a file serves, by the names that it defines at its top level; the file is not run.

    The mark is the group's name in singular: a value in capitals, `KIND = …`, or a function, `def metric(…)`.
    """
    values, functions = _defined(_parsed(path, read_regular(path, LARGEST)))
    marks = {mark(group): group for group in groups}
    found = [group for name, group in marks.items() if name in values or name.lower() in functions]
    if len(found) == 1:
        return found[0]
    what = f"defines {' and '.join(found)}" if found else f"defines none of {', '.join(marks)}"
    raise SuiteError(
        f"{where}: {path.name} {what}; say which group it serves: `plugins: {{kinds: [{path.name}]}}`"
    )


def mark(group: str) -> str:
    """Return the name that marks a file of a group: `KIND`."""
    return MARKS.get(group, group.removesuffix("s").upper())


def load_file(file: PluginFile, where: str = "") -> ModuleType:
    """Return the file as a module, run once in a process; raise SuiteError if the file changed after it was named."""
    try:
        return _loaded(file)
    except SuiteError as error:
        raise SuiteError(f"{where}: {error}" if where else str(error)) from error.__cause__


@cache
def _loaded(file: PluginFile) -> ModuleType:
    source = read_regular(file.path, LARGEST)
    if sha256(source).hexdigest() != file.digest:
        raise SuiteError(f"{file.path}: changed after it was named; run the command again")
    parsed = _parsed(file.path, source)
    module = ModuleType(f"harness_plugin_{file.name}_{file.digest[:16]}")
    module.__file__ = str(file.path)
    sys.modules[module.__name__] = module  # dataclasses and pickle look it up there
    try:
        code = compile(parsed, str(file.path), "exec", dont_inherit=True)
        exec(code, module.__dict__)  # noqa: S102  the user's own file, named in a suite or command
    except Exception as error:  # foreign code: what it may raise cannot be known
        del sys.modules[module.__name__]
        hint = _beside(file.path, error)
        raise SuiteError(f"{file.path}: cannot be imported: {type(error).__name__}: {error}{hint}") from error
    return module


def _beside(path: Path, error: Exception) -> str:
    """Return what would do where a plug-in imports a file or a folder that lies beside it; "" for other errors."""
    name = error.name.partition(".")[0] if isinstance(error, ImportError) and error.name else ""
    if not name or not any((path.parent / each).exists() for each in (f"{name}.py", name)):
        return ""
    return (
        f"; a plug-in cannot import {name!r}, which lies beside it, since only the plug-in's own bytes are part of the ids "
        "of its steps: move the code into the plug-in, or install it as a package"
    )


def _parsed(path: Path, source: bytes) -> ast.Module:
    try:
        return ast.parse(source, str(path))
    except SyntaxError as error:
        raise SuiteError(f"{path}:{error.lineno or 1}: {error.msg}; fix the plug-in") from None
    except (ValueError, RecursionError, MemoryError) as error:  # NUL bytes, nested too deep
        raise SuiteError(f"{path}: cannot be read as Python: {error}; fix the plug-in") from None


def _defined(module: ast.Module) -> tuple[set[str], set[str]]:
    """Return the names of the values, and of the functions, that a module defines at its top level."""
    values: set[str] = set()
    functions: set[str] = set()
    for node in module.body:
        match node:
            case ast.FunctionDef(name=name):
                functions.add(name)
            case ast.Assign(targets=targets):
                values.update(target.id for target in targets if isinstance(target, ast.Name))
            case ast.AnnAssign(target=ast.Name(id=name)):
                values.add(name)
    return values, functions
