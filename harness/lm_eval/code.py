"""Call the Python functions that a task file names, after the user said that they may run."""

import importlib.util
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import cache
from types import ModuleType
from typing import Any

from harness.errors import DataError, SuiteError
from harness.files.regular import file_digest
from harness.files.yaml import shown
from harness.lm_eval.yaml_file import Function


def called(function: Function, argument: object) -> Any:
    """Return what a function gives for a document; raise DataError if it fails."""
    try:
        return _loaded(function)(argument)
    except Exception as error:  # foreign code: what it may raise cannot be known
        raise DataError(
            f"{shown(function.path)}: {function.name} failed: {type(error).__name__}: {' '.join(str(error).split())[:200]}"
        ) from error


def processed(function: Function, documents: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Return the documents that `process_docs` makes of a split, which it gets as a `datasets.Dataset`."""
    import datasets

    bars = datasets.is_progress_bar_enabled()
    datasets.disable_progress_bars()
    try:
        found = called(function, datasets.Dataset.from_list([dict(document) for document in documents]))
        if not isinstance(found, Iterable):
            raise DataError(f"{shown(function.path)}: {function.name} returned no documents")
        return [dict(document) for document in found]
    finally:
        if bars:
            datasets.enable_progress_bars()


def samples(function: Function) -> list[dict[str, Any]]:
    """Return the examples that a function gives."""
    try:
        return [dict(document) for document in _loaded(function)()]
    except Exception as error:  # foreign code: what it may raise cannot be known
        raise DataError(
            f"{shown(function.path)}: {function.name} failed: {type(error).__name__}: {error}"
        ) from error


def _loaded(function: Function) -> Callable[..., Any]:
    if not function.path.is_file():
        raise SuiteError(
            f"!function {function}: no file {shown(function.path)}; only files beside the task file are run"
        )
    module = _module(function, file_digest(function.path))
    found = getattr(module, function.name, None)
    if not callable(found):
        raise SuiteError(f"{shown(function.path)}: has no function {function.name!r}")
    result: Callable[..., Any] = found
    return result


@cache
def _module(function: Function, digest: str) -> ModuleType:
    name = f"harness_lm_eval_{function.module.replace('.', '_')}_{digest[:16]}"
    spec = importlib.util.spec_from_file_location(name, function.path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    try:
        spec.loader.exec_module(module)
    except Exception as error:  # foreign code: what it may raise cannot be known
        del sys.modules[name]
        raise SuiteError(
            f"{shown(function.path)}: cannot be imported: {type(error).__name__}: {error}"
        ) from error
    return module
