"""Complete names that a shell asks for. A name that is not there, a folder that cannot be read: no suggestion, no error."""

from collections.abc import Callable, Iterable
from contextlib import suppress

from harness.errors import HarnessError

Completer = Callable[[str], list[str]]


def _completer(names: Callable[[], Iterable[str]]) -> Completer:
    """Return a function that gives the names which begin with what is typed; the shell itself completes paths."""

    def complete(incomplete: str) -> list[str]:
        with suppress(HarnessError, OSError):
            return [name for name in names() if name.startswith(incomplete)]
        return []

    return complete


def _suites() -> Iterable[str]:
    from harness.suite.named import available

    return available("suite")


def _tasks() -> Iterable[str]:
    from harness.suite.named import available

    return available("task")


def _checked() -> Iterable[str]:
    from harness.suite.named import available

    return sorted({*available("suite"), *available("task"), *available("recipe")})


def _models() -> Iterable[str]:
    from harness.files import shipped

    return shipped.zoo_names()


def _plugins(group: str) -> Callable[[], Iterable[str]]:
    def names() -> Iterable[str]:
        from harness import plugins

        return plugins.names(group)

    return names


def _formats(group: str) -> Callable[[], Iterable[str]]:
    return lambda: [name.replace("_", "-") for name in _plugins(group)()]


suites = _completer(_suites)
tasks = _completer(_tasks)
checked = _completer(_checked)  # whatever `harness check` takes
models = _completer(_models)
metrics = _completer(_plugins("metrics"))
engines = _completer(_plugins("engines"))
exports = _completer(_formats("exports"))
imports = _completer(_formats("imports"))
devices = _completer(lambda: ("auto", "cpu", "cuda"))
