"""Shorten the absolute paths of this machine to their last part, for copies that leave it.

`file:/home/me/data` becomes `file:data`, and the metric `/home/me/asks.py` becomes `asks.py`. Texts of samples, answers and
prompts are left as they are.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

# Two parts or more: a text such as "yes/no" or "/20" is no path. What stands before may not be part of a path or an address.
_PATH = re.compile(r"(?<![\w./~-])/(?:[^\s/'\"`,;()\[\]{}<>|]+/)+(?P<last>[^\s/'\"`,;()\[\]{}<>|]*)")
_FILE = re.compile(r"(?P<scheme>[a-z_]+):(?P<path>/(?!/).*)", re.DOTALL)
_SCRIPT = re.compile(r"(?:evaluate:)?(?P<path>/.*\.py)(?:\(.*\))?", re.DOTALL)

# Keys of texts that the user wrote and of values of the data: no path is looked for in them.
TEXTS = frozenset({"prompt", "about", "stop", "samples", "sample_id"})


def pathless(data: Any) -> Any:
    """Return plain data, such as result.json's, without absolute paths."""
    known = sorted(_known(data), key=len, reverse=True)

    def shorter(value: Any, key: str = "") -> Any:
        match value:
            case str() if key not in TEXTS:
                place = _FILE.fullmatch(value)
                return f"{place['scheme']}:{_last(place['path'])}" if place else without_paths(value, known)
            case Mapping():
                return {
                    name: inner
                    if name == "where" and isinstance(inner, Mapping)
                    else shorter(inner, str(name))
                    for name, inner in value.items()
                }
            case list():
                return [shorter(inner, key) for inner in value]
        return value

    return shorter(data)


def without_paths(text: str, known: Iterable[str] = ()) -> str:
    """Return a text with each absolute path shortened to its last part; `known` paths may contain blanks."""
    for path in known:
        text = text.replace(path, _last(path))
    return _PATH.sub(lambda found: found["last"] or _last(found[0]), text)


def _known(data: Any) -> Iterator[str]:
    """Yield the paths that values consist of: of `file:` uris and of metrics that are scripts."""
    match data:
        case str():
            if (found := _FILE.fullmatch(data) or _SCRIPT.fullmatch(data)) and "/" in found["path"].strip(
                "/"
            ):
                yield found["path"]
        case Mapping():
            for key, value in data.items():
                if key not in TEXTS:
                    yield from _known(value)
        case list():
            for value in data:
                yield from _known(value)


def _last(path: str) -> str:
    return Path(path).name
