"""Read YAML 1.2 as plain data with the line of each value, so that an error can name its place.

YAML 1.1, which PyYAML reads, takes `1e-4` for a string and `no` for false. Only text, numbers, true, false, null, lists
and mappings are constructed; tags, aliases and keys given twice are refused.
"""

import math
import re
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from harness.errors import SuiteError

SURROGATE = re.compile("[\ud800-\udfff]")
_LONGEST_NUMBER = 300  # characters
LARGEST = 10**18  # of a whole number: fits into 64 bits

Keys = tuple[str | int, ...]  # the path to a value: ("tasks", 2, "metrics")


@dataclass(frozen=True, slots=True, kw_only=True)
class Document:
    """A YAML file: its data, and the line of each value."""

    path: Path
    data: Any
    lines: Mapping[Keys, int]

    def at(self, *keys: str | int) -> str:
        """Return FILE:LINE: dotted.key of a value; the line of a missing value is that of the mapping that lacks it.

        Without the line for data that is in no file (line 0).
        """
        held = keys
        while held not in self.lines:
            held = held[:-1]
        line = f":{self.lines[held]}" if self.lines[held] else ""
        return f"{shown(self.path)}{line}" + (f": {dotted(keys)}" if keys else "")


def dotted(keys: Keys) -> str:
    """Return keys as a text: `tasks[2].metrics`."""
    return "".join(f"[{key}]" if isinstance(key, int) else f".{key}" for key in keys).lstrip(".")


def shown(path: Path) -> str:
    """Return the path as a user would type it: relative if it is below the working folder."""
    here = Path.cwd()
    return str(path.relative_to(here)) if path.is_absolute() and path.is_relative_to(here) else str(path)


def text_of(path: Path) -> str:
    """Return the text of a file; raise SuiteError if it cannot be read, or is not UTF-8."""
    try:
        return path.read_text(encoding="utf-8-sig")
    except OSError as error:
        raise SuiteError(f"{shown(path)}: cannot be read: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise SuiteError(f"{shown(path)}: not UTF-8 at byte {error.start}; save it as UTF-8") from error


def load(path: Path) -> Document:
    """Return the file's only document, with an empty mapping for an empty file."""
    from ruamel.yaml import YAML
    from ruamel.yaml.error import MarkedYAMLError, YAMLError

    yaml = YAML(typ="safe", pure=True)
    text = text_of(path)
    try:
        root = yaml.compose(text)
    except MarkedYAMLError as error:
        line = f":{error.problem_mark.line + 1}" if error.problem_mark else ""
        if error.problem == "but found another document":
            raise SuiteError(
                f"{shown(path)}{line}: a second document begins; keep one, and no `---`"
            ) from error
        if quote := _open_quote(error, text):
            raise SuiteError(
                f"{shown(path)}:{quote.line + 1}: not YAML: column {quote.column + 1}: {_not_closed(error)}; close it"
            ) from error
        raise SuiteError(f"{shown(path)}{line}: not YAML: {_mistake(error, text)}") from error
    except YAMLError as error:
        raise SuiteError(f"{shown(path)}: not YAML: {' '.join(str(error).split())}") from error
    except RecursionError:
        raise SuiteError(f"{shown(path)}: nested too deeply; write it with fewer levels") from None
    except ValueError as error:  # ruamel's own, of escapes that stand for no character
        raise SuiteError(f"{shown(path)}: not YAML: {error}") from error
    tree = _Tree(path=path, source=text, constructor=yaml.constructor)
    data = {} if root is None else tree.plain(root, ())
    return Document(path=path, data=data, lines=tree.lines)


def _open_quote(error: Any, text: str) -> Any:
    """Return the mark of a quote that is not closed; None where the mistake is another one.

    A quote without an end goes on to the next quote, lines below, or to the end of the file.
    """
    from ruamel.yaml import YAML
    from ruamel.yaml.error import YAMLError
    from ruamel.yaml.tokens import ScalarToken

    if _at_end(error) and error.context_mark is not None:
        return error.context_mark
    if error.problem_mark is None:
        return None
    stopped, last = error.problem_mark, None
    with suppress(YAMLError, ValueError):
        for token in YAML(typ="safe", pure=True).scan(text):
            if token.start_mark.index >= stopped.index:
                break
            if isinstance(token, ScalarToken) and token.style in ('"', "'"):
                last = token
    if last is None or last.start_mark.line == last.end_mark.line or last.end_mark.line != stopped.line:
        return None
    return last.start_mark


def _at_end(error: Any) -> bool:
    return "end of stream" in (error.problem or "")


def _not_closed(error: Any) -> str:
    if _at_end(error):
        return "the quote is not closed"
    return f"the quote that begins here ends on line {error.problem_mark.line + 1}, with more text behind it"


def _mistake(error: Any, text: str) -> str:
    """Return what is usually wrong where ruamel's parser stops, with the column, and what would do."""
    problem, mark, opened = error.problem or str(error), error.problem_mark, error.context_mark
    if mark is None:
        return str(problem)
    lines = text.splitlines()
    before = lines[mark.line][: mark.column] if mark.line < len(lines) else ""
    align = "this line is indented otherwise than the line above it, or that line is incomplete; align keys of one level"
    if "'\\t'" in problem:
        said = "a tab; write spaces"
    elif "mapping values are not allowed" in problem:
        said = (
            "a second ': ' in a line; put a text that contains ': ' into quotes" if ": " in before else align
        )
    elif "'<scalar>'" in problem:
        said = "more text behind a closing quote; put the whole text into quotes"
    elif "<block end>" in problem or "<document start>" in problem:
        said = align
    elif "cannot start any token" in problem:
        said = f"a text that begins with {problem.split()[2]}; put it into quotes"
    elif problem.startswith(("expected ',' or '}'", "expected ',' or ']'")):
        said = f"a comma is missing, or the bracket of line {opened.line + 1} is not closed; add it"
    elif problem.startswith("found unknown escape character"):
        said = (
            f"a backslash before {problem.split()[-1]} within double quotes; write two, or use single quotes"
        )
    else:
        said = problem
    return f"column {mark.column + 1}: {said}"


def alias_line(text: str, anchor: str) -> int | None:
    """Return the line of the first alias of an anchor: a node that an alias stands for has the line of the anchor."""
    from ruamel.yaml import YAML
    from ruamel.yaml.events import AliasEvent

    for event in YAML(typ="safe", pure=True).parse(text):
        if isinstance(event, AliasEvent) and event.anchor == anchor:
            return int(event.start_mark.line) + 1
    return None


@dataclass(slots=True, kw_only=True)
class _Tree:
    """Turns ruamel's nodes into plain data, and collects the line of each value in `lines`."""

    path: Path
    source: str  # the text of the file
    constructor: Any  # ruamel's, for scalars only
    lines: dict[Keys, int] = field(default_factory=lambda: {(): 1})
    seen: set[int] = field(default_factory=set)

    def plain(self, node: Any, keys: Keys) -> Any:
        """Return the data under a node."""
        self.lines.setdefault(keys, node.start_mark.line + 1)
        if id(node) in self.seen:
            line = alias_line(self.source, node.anchor) or node.start_mark.line + 1
            raise SuiteError(
                f"{shown(self.path)}:{line}: {dotted(keys)}: found the alias *{node.anchor}; write the value out"
            )
        self.seen.add(id(node))
        match str(node.tag).removeprefix("tag:yaml.org,2002:"):
            case "map":
                return self.mapping(node, keys)
            case "seq":
                return [self.plain(item, (*keys, n)) for n, item in enumerate(node.value)]
            case "str" | "timestamp":
                return self.text(node, keys)
            case "int" | "float" | "bool" | "null":
                return self.scalar(node, keys)
            case tag:
                raise SuiteError(f"{self.at(node, keys)}: found the tag {tag!r}; give the plain value")

    def text(self, node: Any, keys: Keys) -> str:
        """Return a node's text."""
        text = str(node.value)
        if lone := SURROGATE.search(text):
            raise SuiteError(
                f"{self.at(node, keys)}: contains a lone surrogate, \\u{ord(lone[0]):04x}; write valid Unicode"
            )
        return text

    def scalar(self, node: Any, keys: Keys) -> int | float | bool | None:
        """Return a node's number, truth value or null."""
        if len(node.value) > _LONGEST_NUMBER:  # Python reads no whole number of more than some 4,300 digits
            raise SuiteError(
                f"{self.at(node, keys)}: found a number of {len(node.value):,} characters; give a shorter one"
            )
        try:
            value: int | float | bool | None = self.constructor.construct_object(node)
        except ValueError:  # of a tag that the value does not fit: `!!int x`
            raise SuiteError(f"{self.at(node, keys)}: found {node.value!r}; give the plain value") from None
        if isinstance(value, float) and not math.isfinite(value):
            raise SuiteError(f"{self.at(node, keys)}: found {node.value}; give a finite number")
        if isinstance(value, int) and abs(value) > LARGEST:
            raise SuiteError(f"{self.at(node, keys)}: found {node.value}; give a number of at most 18 digits")
        return value

    def mapping(self, node: Any, keys: Keys) -> dict[str, Any]:
        """Return a node's mapping; raise SuiteError for a key that is there twice."""
        data: dict[str, Any] = {}
        for key_node, value_node in node.value:
            key = key_node.value
            if not isinstance(key, str) or key == "<<":
                raise SuiteError(
                    f"{self.at(key_node, keys)}: found a key that is no word; write `key: value`"
                )
            if key in data:
                at, first = self.at(key_node, (*keys, key)), self.lines[(*keys, key)]
                raise SuiteError(f"{at}: given twice, first on line {first}; keep one")
            self.lines[(*keys, key)] = key_node.start_mark.line + 1
            data[key] = self.plain(value_node, (*keys, key))
        return data

    def at(self, node: Any, keys: Keys) -> str:
        """Return the place of a node, for a message."""
        return f"{shown(self.path)}:{node.start_mark.line + 1}" + (f": {dotted(keys)}" if keys else "")
