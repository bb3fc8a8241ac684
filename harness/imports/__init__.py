"""Read the answers that other programs wrote, so that a RESULT can be made of them.

A format is a file of this folder that defines:

    OPTIONS                 the options of `harness import` that it takes, of the fields of `ImportOptions`
    read(place, options)    -> Iterator[ImportedAnswers], each with one system's answers to one task

`place` is a file or folder that the user named. For content that it cannot read, a format raises DataError with the place.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from harness import plugins
from harness.errors import DataError
from harness.files.regular import file_digest
from harness.plugins.choice import PluginChoice, Setting
from harness.results import AdapterFacts, ImportedFile, ModelFacts
from harness.tasks.rows import Row
from harness.types import Generation, Note, Sample, Source, System

NOT_IMPORTED = "not imported"  # kind of a note


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportOptions:
    """What a user says about the files; None or empty: not said."""

    id: str | None = None  # the column of the samples' ids
    text: str | None = None  # the column of the answers
    reference: str | None = None  # the column of the reference answers
    input: str | None = None  # the column of the questions
    task: str | None = None  # the name of the task
    metric: tuple[str, ...] = ()  # plug-ins


@dataclass(frozen=True, slots=True, kw_only=True)
class GivenScore:
    """A score that the other program computed."""

    name: str  # as it is there: "exact_match"
    value: float | None = None  # over all samples; None: it is not there
    better: str = "higher"  # or "lower"
    each: bool = True  # each answer's `given` has a number of this name
    metric: str | None = None  # the plug-in with which we compute the same; None: there is none
    score: str = ""  # the name of that plug-in's score
    scale: float = 1.0  # our number is this many times theirs

    @property
    def kept(self) -> str:
        """Return the name of the metric whose rows are the other program's own numbers."""
        settings: dict[str, Setting] = {"score": self.name}
        if self.better == "lower":
            settings["better"] = "lower"
        return str(PluginChoice(name="theirs", settings=settings))


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportedTask:
    """A task as the other program asked it."""

    name: str
    kind: str = "generate"
    about: str = ""
    source: str = ""
    metrics: tuple[str, ...] = ()  # plug-ins that are computed whether or not the program has the scores
    shots: int = 0
    decode: Mapping[str, object] = field(default_factory=dict)
    cluster: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportedAnswers:
    """One system's answers to one task, in the order of the file."""

    where: str  # the file, for messages
    file: ImportedFile
    task: ImportedTask
    system: System
    model: ModelFacts
    adapter: AdapterFacts | None = None
    samples: tuple[Sample, ...]
    answers: tuple[Generation, ...]  # of the samples, in their order
    documents: Mapping[str, str] = field(default_factory=dict)  # sample -> digest of what was asked about
    given: tuple[GivenScore, ...] = ()
    libraries: Mapping[str, str] = field(default_factory=dict)  # distribution -> version
    notes: tuple[Note, ...] = ()


def read(name: str, place: Path, options: ImportOptions) -> tuple[ImportedAnswers, ...]:
    """Return the answers that a file or folder of a format holds; raise DataError if there are none."""
    found = tuple(format_named(name).read(place, options))
    if not found:
        raise DataError(f"{place}: found no answers; name the files of {name}")
    return found


def format_named(name: str) -> Any:
    """Return the plug-in of a format; `lm-eval` is the file lm_eval.py."""
    return plugins.find("imports", name.replace("-", "_"), "import")


def rows(path: Path) -> Iterator[Row]:
    """Yield the rows of a file of samples: JSON Lines, JSON, CSV or Parquet."""
    reader = plugins.find("data", "file")
    yield from reader.rows(Source(uri=f"file:{path}"), "test", offline=True)


def imported_file(path: Path, program: str, created: str = "") -> ImportedFile:
    """Return the record of a file that was read."""
    return ImportedFile(program=program, name=path.name, digest=file_digest(path), created=created)


def number(value: object) -> float | None:
    """Return a score as a number; None for anything that is none."""
    return float(value) if isinstance(value, int | float) and value == value else None


def distinct(where: str, samples: tuple[Sample, ...]) -> None:
    """Raise DataError if two samples have the same id."""
    seen: set[str] = set()
    for sample in samples:
        if sample.id in seen:
            raise DataError(
                f"{where}: found two samples with the id {sample.id!r}; keep one of them, or name a column of distinct ids"
            )
        seen.add(sample.id)
