"""Specifications to SVG by vl-convert, which is Vega on a JavaScript engine, in a process of its own.

Starting the engine takes as long as drawing all charts of a page, and vl-convert lets no other Python run meanwhile. In
another process it starts and draws while the page is built.
"""

import json
import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any
from xml.sax.saxutils import quoteattr


@dataclass(frozen=True, slots=True)
class Pen:
    """The process that draws, and the thread that waits for it."""

    process: subprocess.Popen[str]
    thread: ThreadPoolExecutor

    def draw(self, spec: Mapping[str, Any], says: str, name: str) -> Future[str]:
        """The chart as SVG with stand-in colours.

        `says` is read out in its place, `name` keeps its ids apart in a page.
        """
        return self.thread.submit(self._drawn, spec, says, name)

    def _drawn(self, spec: Mapping[str, Any], says: str, name: str) -> str:
        assert self.process.stdin is not None and self.process.stdout is not None
        self.process.stdin.write(json.dumps(spec) + "\n")
        self.process.stdin.flush()
        answer = self.process.stdout.readline()
        if not answer:
            raise RuntimeError(f"chart {name}: the process that draws it ended; what it said stands above")
        return _slim(json.loads(answer), says, name)


@contextmanager
def pen() -> Iterator[Pen]:
    """A pen, which begins to get ready at once."""
    process = subprocess.Popen(
        [sys.executable, "-m", __name__],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        encoding="utf-8",
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},  # it finds what we found
    )
    with process, ThreadPoolExecutor(max_workers=1) as thread:
        yield Pen(process, thread)
        process.stdin.close()


def main() -> None:
    """The process: a specification a line in, a drawing a line out, until no more come."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # who asks for drawings decides what Ctrl-C means
    import vl_convert

    vl_convert.vegalite_to_svg({"data": {"values": [{}]}, "mark": "point"})  # ready for the first
    for line in sys.stdin:
        print(json.dumps(vl_convert.vegalite_to_svg(json.loads(line))), flush=True)


# Vega counts its ids through all drawings of a process.
_ID = re.compile(r'(?<=id=")[^"]+(?=")')


def _slim(svg: str, says: str, name: str) -> str:
    ids = {one: f"{name}-{place}" for place, one in enumerate(dict.fromkeys(_ID.findall(svg)))}
    svg = re.sub("<[^>]+>", lambda tag: _slimmed(tag[0], ids), svg)
    return svg.replace("<svg ", f'<svg role="img" aria-label={quoteattr(says)} ', 1)


def _slimmed(tag: str, ids: Mapping[str, str]) -> str:
    """A tag without what only Vega's own runtime reads, and with coordinates to a hundredth of a pixel."""
    tag = re.sub(r' (?:aria-[a-z]+|role|class|pointer-events|xmlns:xlink)="[^"]*"', "", tag)
    tag = re.sub(r"-?\d+\.\d{3,}", lambda found: f"{float(found[0]):.2f}".rstrip("0").rstrip("."), tag)
    return re.sub(r'(?<=id=")[^"]+|(?<=url\(#)[^)]+', lambda found: ids.get(found[0], found[0]), tag)


if __name__ == "__main__":
    main()
