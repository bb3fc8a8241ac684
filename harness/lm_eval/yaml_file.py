"""Read YAML 1.1, as PyYAML reads lm-evaluation-harness's files, with the line of each key; `include` joins files.

The tag `!function` is kept as the name of a function and its file: no code is imported here.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from harness.errors import SuiteError
from harness.files.yaml import shown, text_of

MOST_FILES = 64  # that include each other


@dataclass(frozen=True, slots=True, kw_only=True)
class Function:
    """A Python function that a file names: `!function utils.process_docs`."""

    module: str  # "utils"
    name: str  # "process_docs"
    folder: Path  # of the file that names it

    @property
    def path(self) -> Path:
        """Return the file of the function's module, if it lies beside the YAML file."""
        return (self.folder / f"{self.module.replace('.', '/')}.py").resolve()

    def __str__(self) -> str:
        return f"{self.module}.{self.name}"


@dataclass(frozen=True, slots=True, kw_only=True)
class YamlFile:
    """The keys of a file and of the files that it includes."""

    path: Path
    files: tuple[Path, ...]  # all files that were read, this one first
    data: Mapping[str, Any]
    places: Mapping[str, str]  # key -> FILE:LINE

    def at(self, key: str, more: str = "") -> str:
        """Return FILE:LINE: key, for messages; the file alone for a key that is missing."""
        return f"{self.places.get(key, shown(self.path))}: {key}{more}"


def read(path: Path, including: tuple[Path, ...] = ()) -> YamlFile:
    """Return a file joined with what it includes; its own keys win. Raises SuiteError for a file that cannot be read."""
    if path in including or len(including) > MOST_FILES:
        raise SuiteError(f"{shown(including[-1])}: include: {shown(path)} includes itself; remove the circle")
    own, lines = _mapping(path)
    included = own.pop("include", [])
    data: dict[str, Any] = {}
    places: dict[str, str] = {}
    files = [path]
    for name in included if isinstance(included, list) else [included]:
        if not isinstance(name, str):
            raise SuiteError(f"{shown(path)}:{lines['include']}: include: found {name!r}; give a path")
        other = (path.parent / name).resolve()
        if not other.is_file():
            raise SuiteError(
                f"{shown(path)}:{lines['include']}: include: no file {other}; a path starts at the folder of "
                "the file that names it"
            )
        found = read(other, (*including, path))
        data |= {key: value for key, value in found.data.items() if key != "task_list"}
        places |= found.places
        files += found.files
    return YamlFile(
        path=path,
        files=tuple(dict.fromkeys(files)),
        data=data | own,
        places=places | {key: f"{shown(path)}:{line}" for key, line in lines.items()},
    )


def _mapping(path: Path) -> tuple[dict[str, Any], dict[str, int]]:
    """Return the keys of a file, and the line of each."""
    from ruamel.yaml import YAML
    from ruamel.yaml.error import MarkedYAMLError, YAMLError

    yaml = YAML(typ="safe", pure=True)
    yaml.version = (1, 1)
    text = text_of(path)
    try:
        root = yaml.compose(text)
    except MarkedYAMLError as error:
        line = f":{error.problem_mark.line + 1}" if error.problem_mark else ""
        raise SuiteError(f"{shown(path)}{line}: not YAML: {error.problem or error.context}") from error
    except (YAMLError, ValueError, RecursionError) as error:
        raise SuiteError(f"{shown(path)}: not YAML: {' '.join(str(error).split())}") from error
    if root is None or not str(root.tag).endswith(":map"):
        raise SuiteError(f"{shown(path)}: found no mapping; give a task file of lm-evaluation-harness")
    lines = {str(key.value): key.start_mark.line + 1 for key, _ in root.value}
    data = _plain(root, path, yaml.constructor)
    return {str(key): value for key, value in data.items()}, lines


def _plain(node: Any, path: Path, constructor: Any) -> Any:
    """Return the data under a node."""
    match str(node.tag).removeprefix("tag:yaml.org,2002:"):
        case "map":
            found: dict[Any, Any] = {}
            for key, value in node.value:
                if str(key.tag).endswith(":merge"):
                    merged = _plain(value, path, constructor)
                    for part in merged if isinstance(merged, list) else [merged]:
                        found = {**part, **found}
                else:
                    found[_plain(key, path, constructor)] = _plain(value, path, constructor)
            return found
        case "seq":
            return [_plain(item, path, constructor) for item in node.value]
        case "str" | "timestamp":
            return str(node.value)
        case "int" | "float" | "bool" | "null":
            return constructor.construct_object(node)
        case "!function":
            module, _, name = str(node.value).strip().rpartition(".")
            if not module or not name:
                raise SuiteError(
                    f"{shown(path)}:{node.start_mark.line + 1}: found !function {node.value}; write MODULE.NAME"
                )
            return Function(module=module, name=name, folder=path.parent)
        case tag:
            raise SuiteError(
                f"{shown(path)}:{node.start_mark.line + 1}: found the tag {tag!r}; give the plain value"
            )
