"""Specifications to SVG by vl-convert, which is Vega on a JavaScript engine, in a process of its own.

Starting the engine takes as long as drawing all charts of a page, and vl-convert lets no other Python run meanwhile: in
another process it starts and draws while the page is built. What it drew is kept, where there is a store to keep it in.
"""

import hashlib
import json
import os
import re
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import cache
from importlib.metadata import version
from pathlib import Path
from typing import Any
from xml.sax.saxutils import quoteattr

from harness.errors import StepError

KEPT = 400  # drawings: the charts of some 20 results


@dataclass(slots=True)
class Pen:
    """The process that draws, the thread that waits for it, and what was drawn before."""

    process: subprocess.Popen[str]
    thread: ThreadPoolExecutor
    kept: Path | None  # a folder of drawings, by the digest of what they were drawn from
    used: bool = False

    def draw(self, make: Callable[[], Mapping[str, Any]], of: str, says: str, name: str) -> Future[str]:
        """The chart as SVG with stand-in colours.

        `make` gives its specification, and `of` tells all that goes into it: making it takes longer than to find what
        was drawn of the same before. `says` is read out in its place, `name` keeps its ids apart in a page.
        """
        path = self.kept / f"{hashlib.sha256((_code() + of).encode()).hexdigest()}.svg" if self.kept else None
        if path is not None and path.is_file():
            return self.thread.submit(lambda: _named(path.read_text(encoding="utf-8"), says, name))
        return self.thread.submit(self._drawn, json.dumps(make()), path, says, name)

    def _drawn(self, spec: str, path: Path | None, says: str, name: str) -> str:
        svg = _slim(self._asked(spec, name))
        if path is not None:
            _keep(path, svg)
        return _named(svg, says, name)

    def _asked(self, spec: str, name: str) -> str:
        self.used = True
        assert self.process.stdin is not None and self.process.stdout is not None
        answer = ""
        with suppress(BrokenPipeError):
            self.process.stdin.write(spec + "\n")
            self.process.stdin.flush()
            answer = self.process.stdout.readline()
        if not answer:
            raise StepError(f"chart {name}: the process that draws it ended; repeat the command")
        drawn = json.loads(answer)
        if "error" in drawn:
            raise StepError(f"chart {name}: cannot be drawn: {drawn['error']}")
        return str(drawn["svg"])


@cache
def _code() -> str:
    """What a drawing depends on besides its data."""
    package = Path(__file__).parents[1]
    parts = hashlib.sha256(f"{version('altair')} {version('vl-convert-python')}".encode())
    for folder in ("report", "weights"):
        for path in sorted((package / folder).rglob("*.py")):
            parts.update(path.read_bytes())
    return parts.hexdigest()


@contextmanager
def pen(kept: Path | None = None) -> Iterator[Pen]:
    """A pen, which begins to get ready at once."""
    process = _started()
    with process, ThreadPoolExecutor(max_workers=1) as thread:
        found = Pen(process, thread, kept)
        try:
            yield found
        finally:
            thread.shutdown()
            if not found.used:
                process.kill()  # it may not even be ready yet
            with suppress(BrokenPipeError):  # it has ended before it read everything
                assert process.stdin is not None
                process.stdin.close()


def _started() -> subprocess.Popen[str]:
    try:
        return subprocess.Popen(
            # -P: else Python would look for every module in the working folder first, which may be a stranger's RESULT.
            [sys.executable, "-P", "-m", __name__],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            encoding="utf-8",
            env={
                **os.environ,
                "PYTHONPATH": os.pathsep.join(filter(None, sys.path)),  # it finds what we found
            },
        )
    except OSError as error:
        raise StepError(
            f"charts cannot be drawn: {sys.executable} does not start: {error.strerror}"
        ) from error


def _keep(path: Path, svg: str) -> None:
    """Keeps a drawing, and of all that are kept the latest; where that cannot be, it is drawn again next time."""
    with suppress(OSError):
        path.parent.mkdir(exist_ok=True)
        beside = path.with_suffix(f".{os.getpid()}")
        beside.write_text(svg, encoding="utf-8")
        beside.replace(path)
        oldest_last = sorted(path.parent.iterdir(), key=lambda one: one.stat().st_mtime, reverse=True)
        for old in oldest_last[KEPT:]:
            old.unlink()


def main() -> None:
    """The process: a specification a line in, a drawing a line out, until no more come."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # who asks for drawings decides what Ctrl-C means
    import vl_convert

    vl_convert.vegalite_to_svg({"data": {"values": [{}]}, "mark": "point"})  # ready for the first
    for line in sys.stdin:
        print(json.dumps(_answer(vl_convert.vegalite_to_svg, line)), flush=True)


def _answer(draw: Callable[[Any], str], spec: str) -> dict[str, str]:
    """The drawing, or in a line why there is none."""
    try:
        return {"svg": draw(json.loads(spec))}
    except Exception as error:
        return {"error": " ".join(str(error).split())[:200] or type(error).__name__}


_ID = re.compile(r'(?<= id=")[^"]+|(?<=url\(#)[^)]+')
# What only Vega's own runtime reads, or would be so anyway; backgrounds that have no colour.
_UNREAD = re.compile(
    r' (?:(?:aria-[a-z]+|role|class|pointer-events|xmlns:xlink)="[^"]*"|(?:opacity|stroke-width)="1")'
)
_BLANK = re.compile(r'<path d="[^"]*"(?: display="none")?/>')
_TOLD = re.compile(
    r'<(\w+)([^>]*) aria-label="tip: ([^"]*)"([^>]*)/>'
)  # charts.TIP, whose module loads Altair
_DIGITS = re.compile(r"-?\d+\.\d{3,}")


def _slim(svg: str) -> str:
    """Without what nobody sees, with coordinates to a hundredth of a pixel, and titles of marks that say something."""
    titled = _TOLD.sub(r"<\1\2\4><title>\3</title></\1>", svg)
    return _BLANK.sub("", re.sub("<[^>]+>", _slimmed, titled))


def _slimmed(tag: re.Match[str]) -> str:
    short = _UNREAD.sub("", tag[0])
    return _DIGITS.sub(lambda found: f"{float(found[0]):.2f}".rstrip("0").rstrip("."), short)


def _named(svg: str, says: str, name: str) -> str:
    """With ids of its own, which Vega counts through all drawings of a process, and with what is read out in its place."""
    ids: dict[str, str] = {}
    svg = _ID.sub(lambda found: ids.setdefault(found[0], f"{name}-{len(ids)}"), svg)
    return svg.replace("<svg ", f'<svg role="img" aria-label={quoteattr(says)} ', 1)


if __name__ == "__main__":
    main()
