"""Read a text that names a plug-in with its settings: `rouge`, `bleu(tokenize=zh)`, `evaluate:PATH`, `./mine.py`.

A value is `true`, `false`, `null`, a number or a text; a text that could be read as another value is in double quotes.
Settings are in the order of their names, so that equal choices are equal texts.
"""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from harness.errors import SuiteError

Setting = bool | int | float | str | None

_FILE = re.compile(r"(?P<name>[^:]*\.py)(?:\((?P<settings>.*)\))?", re.DOTALL)
_NAME = re.compile(r"(?P<name>[^:()]+)\((?P<settings>.*)\)", re.DOTALL)
_SETTING = re.compile(r'\s*([^\W\d]\w*)\s*=\s*("(?:[^"\\]|\\.)*"|[^\s",()=]+)\s*(,|$)')
_BARE = re.compile(r"[\w.+-]+")


@dataclass(frozen=True, slots=True, kw_only=True)
class PluginChoice:
    """A plug-in that was chosen, with its settings."""

    name: str  # the plug-in's, or the path of a file
    argument: str = ""  # what follows a colon: "evaluate:ARGUMENT"
    settings: Mapping[str, Setting] = field(default_factory=dict)

    @property
    def path(self) -> Path | None:
        """Return the path of a plug-in that is a file; None for one with a name."""
        return Path(self.name).expanduser() if self.name.endswith(".py") else None

    @property
    def suffix(self) -> str:
        """Return the settings as they follow the name; empty if there are none."""
        said = ",".join(f"{name}={_text(self.settings[name])}" for name in sorted(self.settings))
        return f"({said})" if said else ""

    @property
    def own(self) -> str:
        """Return the plug-in's name; for a file, without folder and ending."""
        return Path(self.name).stem if self.path else self.name

    def __str__(self) -> str:
        return self.name + (f":{self.argument}" if self.argument else "") + self.suffix


def parse(text: str, where: str = "") -> PluginChoice:
    """Return the choice that a text describes; raise SuiteError if its settings cannot be read."""
    found = _FILE.fullmatch(text) or _NAME.fullmatch(text)
    if found is None:
        name, _, argument = text.partition(":")
        return PluginChoice(name=name, argument=argument)
    settings = _settings(found["settings"]) if found["settings"] else {}
    if settings is None or found["settings"] == "":
        place = f"{where}: " if where else ""
        raise SuiteError(f"{place}found {text!r}; write NAME(SETTING=VALUE,SETTING=VALUE)")
    return PluginChoice(name=found["name"], settings=settings)


def _settings(text: str) -> dict[str, Setting] | None:
    """Return the settings between the brackets; None if the text is no list of settings."""
    found: dict[str, Setting] = {}
    start, more = 0, ","
    while more:
        part = _SETTING.match(text, start)
        if part is None or part[1] in found:
            return None
        try:
            found[part[1]] = _value(part[2])
        except ValueError:
            return None
        start, more = part.end(), part[3]
    return found


def _value(text: str) -> Setting:
    try:
        value = json.loads(text)
    except ValueError:
        if text.startswith('"'):
            raise
        return text
    if isinstance(value, bool | int | float | str) or value is None:
        return value
    raise ValueError(text)


def _text(value: Setting) -> str:
    if isinstance(value, str) and _BARE.fullmatch(value):
        try:
            json.loads(value)
        except ValueError:
            return value
    return json.dumps(value, ensure_ascii=False)
