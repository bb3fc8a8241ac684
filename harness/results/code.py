"""`--allow-code`: the scripts that RESULTs name for metrics, found and shown before any of them runs."""

from collections.abc import Iterator, Sequence
from pathlib import Path

from harness.errors import ResultError
from harness.files.regular import file_digest
from harness.metrics import AllowedScripts, Script
from harness.plugins.choice import parse
from harness.results import read
from harness.tasks.metric_names import is_foreign


def scripts_outside(folders: Sequence[Path]) -> AllowedScripts:
    """Return the scripts outside of these RESULTs that their metrics name, and why others are refused."""
    scripts: dict[str, Script] = {}
    refused: dict[str, str] = {}
    for argument in dict.fromkeys(_named(folders)):
        path = Path(argument).expanduser().absolute()
        if problem := _problem(path, folders):
            refused[argument] = problem
        else:
            scripts[argument] = Script(path=path, digest=file_digest(path))
    return AllowedScripts(scripts=scripts, refused=refused)


def lines(shown: AllowedScripts) -> Iterator[str]:
    """A line for each script that will run."""
    for script in shown.scripts.values():
        yield f"runs {script.path} (sha256 {script.digest})"


def _named(folders: Sequence[Path]) -> Iterator[str]:
    """Yield what the names of the RESULTs' metrics lead to: what follows a colon, or the path of a file."""
    for folder in folders:
        try:
            tasks = read(folder, changed=True).suite.tasks
        except ResultError:
            continue  # whoever reads it says what is wrong with it
        for task in tasks:
            for choice in (parse(name) for name in task.metrics if is_foreign(name)):
                yield choice.argument or choice.name


def _problem(path: Path, folders: Sequence[Path]) -> str:
    """Why a script is not run; empty where it may be. Links count by where they lie and by where they lead."""
    try:
        there = path.suffix == ".py" and path.is_file()
        places = (path.resolve(), path.parent.resolve() / path.name)
    except (OSError, ValueError, RuntimeError):  # no name of a file, or links in a circle
        there, places = False, (path, path)
    if not there:
        return "it is no script on this machine; name the metric yourself: harness rescore --metric"
    for folder in folders:
        if any(place.is_relative_to(folder.resolve()) for place in places):
            return f"it lies in {folder}; read it, copy it elsewhere and name it yourself: harness rescore --metric"
    return ""
