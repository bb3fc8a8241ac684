"""Warnings of metrics: what a metric's library logs, and what the metric counts in the answers. They become notes.

A library warns of a whole corpus, and here it gets a sample at a time: so a metric counts itself what makes its library warn
(`Metric.cautions`).
"""

import logging
from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from harness.files.json_lines import from_json, read_json, to_json, write_json
from harness.scoring.accumulate import Tally
from harness.types import Note

KIND = "metric warning"  # of a note
FILE = "warnings.json"
# Whose messages are constant texts: a message with a text of a sample must not get into a RESULT.
LOGGERS = ("sacrebleu",)


@dataclass(frozen=True, slots=True, kw_only=True)
class MetricWarning:
    """A warning about one system's answers to one task."""

    said: str
    count: int  # of the answers; for a message of a library, how often it was logged
    of: int


@contextmanager
def heard() -> Iterator[Counter[str]]:
    """Yield the warnings that libraries log while the block runs, with how often; they are not printed."""
    messages: Counter[str] = Counter()

    class Listener(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            messages[f"{record.name}: {record.getMessage()}"] += 1

    listener = Listener(logging.WARNING)
    loggers = [logging.getLogger(name) for name in LOGGERS]
    before = [logger.propagate for logger in loggers]
    for logger in loggers:
        logger.addHandler(listener)
        logger.propagate = False
    try:
        yield messages
    finally:
        for logger, propagate in zip(loggers, before, strict=True):
            logger.removeHandler(listener)
            logger.propagate = propagate


def counted(tallies: Iterable[Tally]) -> tuple[MetricWarning, ...]:
    """Return a warning for each caution of a metric that enough answers of a system give reason for."""
    return tuple(
        MetricWarning(said=f"{tally.metric.names[0]}: {said}", count=count, of=tally.samples)
        for tally in tallies
        for said, count in tally.cautions().items()
    )


def as_notes(warnings: Iterable[MetricWarning], where: str) -> tuple[Note, ...]:
    """Return a note for each warning; `where` names the task and the system."""
    return tuple(
        Note(kind=KIND, where=where, count=warning.count, of=warning.of, detail=warning.said)
        for warning in warnings
    )


def write(folder: Path, tallies: Iterable[Tally], messages: Counter[str], samples: int) -> None:
    """Write the warnings of a score step. Without warnings no file is written, as in steps of an earlier version."""
    logged = (MetricWarning(said=said, count=count, of=samples) for said, count in messages.items())
    if found := (*counted(tallies), *logged):
        write_json(folder / FILE, [to_json(warning) for warning in found])


def notes(folder: Path, where: str) -> tuple[Note, ...]:
    """Return a note for each warning of a score step."""
    if not (folder / FILE).exists():
        return ()
    return as_notes((from_json(MetricWarning, warning) for warning in read_json(folder / FILE)), where)
