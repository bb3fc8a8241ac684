"""What judges found in answers, as the step `judge` writes it and the step `score` reads it."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from harness.files.json_lines import flush, iterate_lines, line
from harness.types import JUDGED

FOUND = "found.jsonl"


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """What a judge found in an answer."""

    id: str
    found: float  # 1, 0, or a half: it could not tell a pair apart
    outside: bool  # it gave none of its options


def write_found(folder: Path, each: Sequence[Found]) -> None:
    """Write what a judge found in the answers of one system."""
    with (folder / FOUND).open("w", encoding="utf-8") as file:
        file.writelines(map(line, each))
        flush(file)


def beside(folder: Path) -> dict[str, dict[str, float]]:
    """Return what a judge found in each answer, by sample, as a score that comes with the answer."""
    return {each.id: {JUDGED: each.found} for each in iterate_lines(folder / FOUND, Found)}
