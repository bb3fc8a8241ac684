"""Find the scripts that RESULTs name as metrics (`--allow-code`), and list them before any of them runs."""

from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path

from harness.errors import ResultError
from harness.files.regular import file_digest
from harness.metrics import AllowedScripts, Script
from harness.plugins.choice import parse
from harness.results import read
from harness.tasks.metric_names import is_foreign


def scripts_outside(folders: Sequence[Path]) -> AllowedScripts:
    """Return the scripts outside these RESULTs that their metrics name, and why other scripts are refused."""
    scripts: dict[str, Script] = {}
    refused: dict[str, str] = {}
    named = sorted(set(_named(folders)))
    places = Counter(argument for argument, _ in named)
    for argument, place in named:
        if places[argument] > 1:
            refused[argument] = "these RESULTs name different scripts so; verify them one by one"
            continue
        path = Path(place).expanduser().absolute()
        if problem := _problem(path, folders):
            refused[argument] = problem
        else:
            scripts[argument] = Script(path=path, digest=file_digest(path))
    return AllowedScripts(scripts=scripts, refused=refused)


def lines(shown: AllowedScripts) -> Iterator[str]:
    """Yield a line for each script that will run."""
    for script in shown.scripts.values():
        yield f"runs {script.path} (sha256 {script.digest})"


def _named(folders: Sequence[Path]) -> Iterator[tuple[str, str]]:
    """Yield each foreign metric that the RESULTs name, as code is permitted by (the text after a colon, or a file's name),
    and where its script lies.
    """
    for folder in folders:
        try:
            result = read(folder, changed=True)
        except ResultError:
            continue  # reported where the RESULT is read
        for task in result.suite.tasks:
            for choice in (parse(name) for name in task.metrics if is_foreign(name)):
                named = choice.argument or choice.name
                yield named, result.manifest.scripts.get(named, named)


def _problem(path: Path, folders: Sequence[Path]) -> str:
    """Return why a script is not run, "" if it may be; a link must neither lie in a RESULT nor lead into one."""
    try:
        there = path.suffix == ".py" and path.is_file()
        places = (path.resolve(), path.parent.resolve() / path.name)
    except (OSError, ValueError, RuntimeError):  # not a file's name, or links in a circle
        there, places = False, (path, path)
    if not there:
        return "it is not a script on this machine; name the metric yourself: harness rescore --metric"
    for folder in folders:
        if any(place.is_relative_to(folder.resolve()) for place in places):
            return f"it lies in {folder}; read it, copy it elsewhere and name it yourself: harness rescore --metric"
    return ""
