"""Specifications to SVG by vl-convert, which is Vega on a JavaScript engine, in a thread of its own.

Starting it takes as long as drawing all charts of a page, and both leave Python free: pages are built meanwhile.
"""

import re
from collections.abc import Iterator, Mapping
from concurrent.futures import Executor, ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any
from xml.sax.saxutils import quoteattr


@contextmanager
def pen() -> Iterator[Executor]:
    """The thread that draws; it is ready as soon as may be."""
    with ThreadPoolExecutor(max_workers=1, thread_name_prefix="pen") as thread:
        thread.submit(_svg, {"data": {"values": [{}]}, "mark": "point"})
        yield thread


def draw(spec: Mapping[str, Any], says: str, name: str) -> str:
    """The chart with stand-in colours; `says` is read out in its place, `name` keeps its ids apart in a page."""
    svg = _svg(spec)
    ids = {one: f"{name}-{place}" for place, one in enumerate(dict.fromkeys(_ID.findall(svg)))}
    svg = re.sub("<[^>]+>", lambda tag: _slimmed(tag[0], ids), svg)
    return svg.replace("<svg ", f'<svg role="img" aria-label={quoteattr(says)} ', 1)


def _svg(spec: Mapping[str, Any]) -> str:
    import vl_convert

    drawn: str = vl_convert.vegalite_to_svg(dict(spec))
    return drawn


# Vega counts its ids through all drawings of a process.
_ID = re.compile(r'(?<=id=")[^"]+(?=")')


def _slimmed(tag: str, ids: Mapping[str, str]) -> str:
    """A tag without what only Vega's own runtime reads, and with coordinates to a hundredth of a pixel."""
    tag = re.sub(r' (?:aria-[a-z]+|role|class|pointer-events|xmlns:xlink)="[^"]*"', "", tag)
    tag = re.sub(r"-?\d+\.\d{3,}", lambda found: f"{float(found[0]):.2f}".rstrip("0").rstrip("."), tag)
    return re.sub(r'(?<=id=")[^"]+|(?<=url\(#)[^)]+', lambda found: ids.get(found[0], found[0]), tag)
