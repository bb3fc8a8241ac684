"""Read and write a RESULT folder: the records of result.json, and the lines of its answers and samples."""

from collections.abc import Container, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from harness.errors import ResultError
from harness.files.zipped import read_zipped
from harness.results.document import SCHEMA, parsed, read_document, recorded_size
from harness.results.plain import plain, record
from harness.results.records import (
    AdapterFacts,
    Curve,
    Halved,
    ImportedFile,
    ModelFacts,
    Point,
    Rescoring,
    Result,
    RunFacts,
    StepFacts,
    SuiteFacts,
    TaskFacts,
)
from harness.types import Generation, Sample, System

__all__ = [
    "SCHEMA",
    "AdapterFacts",
    "Curve",
    "Halved",
    "ImportedFile",
    "ModelFacts",
    "Point",
    "Rescoring",
    "Result",
    "RunFacts",
    "StepFacts",
    "SuiteFacts",
    "TaskFacts",
    "document",
    "from_document",
    "json_lines",
    "located",
    "read",
    "read_document",
    "read_generations",
    "read_samples",
]


def read(folder: Path | str, *, changed: bool = False) -> Result:
    """Return the records of a RESULT folder; ResultError if it was changed by hand, unless `changed` allows that."""
    folder = Path(folder)
    return from_document(folder, read_document(folder, changed=changed))


def document(result: Result) -> dict[str, Any]:
    """Return a result as `write_document` takes it; the inverse of `from_document`."""
    content: dict[str, Any] = plain(result)
    return content


def from_document(folder: Path, data: Mapping[str, Any]) -> Result:
    """Return the records of a document, or of the part that a caller left in it."""
    try:
        return record(Result, data, folder=folder)
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise ResultError(f"{folder / 'result.json'}: broken or changed by hand: {error}") from error


def read_generations(
    folder: Path, of: Container[tuple[str, str]] | None = None
) -> Iterator[tuple[str, System, Generation]]:
    """Yield (task, system, answer) for every sample, or `of` some (task, sample id), in file order."""
    path = folder / "generations.jsonl.gz"
    for number, line in enumerate(json_lines(path), 1):
        with located(path, number):
            if of is not None and (line["task"], line["sample_id"]) not in of:
                continue
            found = str(line["task"]), record(System, line), record(Generation, line)
        yield found


def read_samples(folder: Path, of: Container[tuple[str, str]] | None = None) -> Iterator[tuple[str, Sample]]:
    """Yield (task, sample) for every sample, or `of` some (task, sample id), in file order."""
    path = folder / "samples.jsonl.gz"
    for number, line in enumerate(json_lines(path), 1):
        with located(path, number):
            if of is not None and (line["task"], line["sample_id"]) not in of:
                continue
            found = str(line["task"]), record(Sample, line, id=line["sample_id"])
        yield found


@contextmanager
def located(path: Path, line: int) -> Iterator[None]:
    """Turn an error about a line's content into a ResultError that names the file and the line."""
    try:
        yield
    except (KeyError, TypeError, AttributeError) as error:
        raise ResultError(f"{path}:{line}: broken or changed by hand: {error}") from error


def json_lines(path: Path) -> Iterator[dict[str, Any]]:
    """Yield the JSON object of each line of a compressed file; ResultError for a line that is not a JSON object."""
    for number, line in enumerate(read_zipped(path, lambda: recorded_size(path)), 1):
        try:
            content = parsed(line)
        except (ValueError, RecursionError) as error:
            raise ResultError(f"{path}:{number}: not a JSON line ({error})") from error
        if not isinstance(content, dict):
            raise ResultError(f"{path}:{number}: found no JSON object; broken or changed by hand")
        yield content
