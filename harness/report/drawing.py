"""Draw Vega-Lite specifications as SVG with vl-convert (Vega on a JavaScript engine), in a process of its own.

Starting the engine takes as long as drawing all charts of a page, and vl-convert does not release the GIL meanwhile: in
another process it starts and draws while the page is built. Drawings are cached if there is a store.
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

KEPT = 400  # drawings in the cache: the charts of some 20 RESULTs


@dataclass(slots=True)
class Pen:
    """The process that draws, the thread that waits for it, and the cache of earlier drawings."""

    process: subprocess.Popen[str]
    thread: ThreadPoolExecutor
    kept: Path | None  # folder of cached drawings, named by the digest of what they were drawn from
    used: bool = False

    def draw(self, make: Callable[[], Mapping[str, Any]], of: str, says: str, name: str) -> Future[str]:
        """Return a future of the chart as SVG with stand-in colours.

        `make` returns its specification, and `of` identifies everything that goes into it, because making a specification
        takes longer than finding a cached drawing. `says` is the text for screen readers; `name` makes ids unique in a page.
        """
        path = self.kept / f"{hashlib.sha256((_code() + of).encode()).hexdigest()}.svg" if self.kept else None
        if path is not None and path.is_file():
            return self.thread.submit(lambda: _named(path.read_text(encoding="utf-8"), says, name))
        return self.thread.submit(self._drawn, json.dumps(make()), path, says, name)

    def _drawn(self, spec: str, path: Path | None, says: str, name: str) -> str:
        svg = _slim(self._drawing(spec, name))
        if path is not None:
            _keep(path, svg)
        return _named(svg, says, name)

    def _drawing(self, spec: str, name: str) -> str:
        self.used = True
        assert self.process.stdin is not None and self.process.stdout is not None
        answer = ""
        with suppress(BrokenPipeError):
            self.process.stdin.write(spec + "\n")
            self.process.stdin.flush()
            answer = self.process.stdout.readline()
        if not answer:
            raise StepError(f"chart {name}: the drawing process ended; run the command again")
        drawn = json.loads(answer)
        if "error" in drawn:
            raise StepError(f"chart {name}: cannot be drawn: {drawn['error']}")
        return str(drawn["svg"])


@cache
def _code() -> str:
    """Return a digest of everything that a drawing depends on besides its data: libraries and our own code."""
    package = Path(__file__).parents[1]
    parts = hashlib.sha256(f"{version('altair')} {version('vl-convert-python')}".encode())
    for folder in ("report", "weights"):
        for path in sorted((package / folder).rglob("*.py")):
            parts.update(path.read_bytes())
    return parts.hexdigest()


@contextmanager
def pen(kept: Path | None = None) -> Iterator[Pen]:
    """Yield a pen, whose process starts at once."""
    process = _started()
    with process, ThreadPoolExecutor(max_workers=1) as thread:
        found = Pen(process, thread, kept)
        try:
            yield found
        finally:
            thread.shutdown()
            if not found.used:
                process.kill()  # it may still be starting
            with suppress(BrokenPipeError):  # it ended before it read everything
                assert process.stdin is not None
                process.stdin.close()


def _started() -> subprocess.Popen[str]:
    try:
        return subprocess.Popen(
            # -P: otherwise Python would look for every module in the working folder first, which may be a foreign RESULT.
            [sys.executable, "-P", "-m", __name__],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            encoding="utf-8",
            env={
                **os.environ,
                "PYTHONPATH": os.pathsep.join(filter(None, sys.path)),  # the same modules as in this process
            },
        )
    except OSError as error:
        raise StepError(
            f"charts cannot be drawn: {sys.executable} does not start: {error.strerror}"
        ) from error


def _keep(path: Path, svg: str) -> None:
    """Cache a drawing and delete the oldest beyond KEPT; do nothing if the folder cannot be written."""
    with suppress(OSError):
        path.parent.mkdir(exist_ok=True)
        beside = path.with_suffix(f".{os.getpid()}")
        beside.write_text(svg, encoding="utf-8")
        beside.replace(path)
        oldest_last = sorted(path.parent.iterdir(), key=lambda drawing: drawing.stat().st_mtime, reverse=True)
        for old in oldest_last[KEPT:]:
            old.unlink()


def main() -> None:
    """Run the drawing process: read one specification per line, write one drawing per line, until input ends."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent process decides what Ctrl-C means
    import vl_convert

    vl_convert.vegalite_to_svg({"data": {"values": [{}]}, "mark": "point"})  # warm up the engine
    for line in sys.stdin:
        print(json.dumps(_answer(vl_convert.vegalite_to_svg, line)), flush=True)


def _answer(draw: Callable[[Any], str], spec: str) -> dict[str, str]:
    """Return the drawing, or the error on one line."""
    try:
        return {"svg": draw(json.loads(spec))}
    except Exception as error:
        return {"error": " ".join(str(error).split())[:200] or type(error).__name__}


_ID = re.compile(r'(?<= id=")[^"]+|(?<=url\(#)[^)]+')
# Attributes that only Vega's own runtime reads, attributes at their default, and backgrounds without a colour.
_UNREAD = re.compile(
    r' (?:(?:aria-[a-z]+|role|class|pointer-events|xmlns:xlink)="[^"]*"|(?:opacity|stroke-width)="1")'
)
_BLANK = re.compile(r'<path d="[^"]*"(?: display="none")?/>')
# A mark with a tooltip; `tip: ` is charts.TIP, which is not imported here because its module loads Altair.
_TIPPED = re.compile(r'<(\w+)([^>]*) aria-label="tip: ([^"]*)"([^>]*)/>')
_DIGITS = re.compile(r"-?\d+\.\d{3,}")


def _slim(svg: str) -> str:
    """Return the SVG without invisible parts, with coordinates rounded to 0.01 pixel, and with tooltips as titles."""
    titled = _TIPPED.sub(r"<\1\2\4><title>\3</title></\1>", svg)
    return _BLANK.sub("", re.sub("<[^>]+>", _slimmed, titled))


def _slimmed(tag: re.Match[str]) -> str:
    short = _UNREAD.sub("", tag[0])
    return _DIGITS.sub(lambda found: f"{float(found[0]):.2f}".rstrip("0").rstrip("."), short)


def _named(svg: str, says: str, name: str) -> str:
    """Return the SVG with ids unique in a page (Vega numbers them per process) and with the text for screen readers."""
    ids: dict[str, str] = {}
    svg = _ID.sub(lambda found: ids.setdefault(found[0], f"{name}-{len(ids)}"), svg)
    return svg.replace("<svg ", f'<svg role="img" aria-label={quoteattr(says)} ', 1)


if __name__ == "__main__":
    main()
