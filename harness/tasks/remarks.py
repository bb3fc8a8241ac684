"""Name what is counted while data is read, and what `check` and the notes of a RESULT say of it."""

from collections.abc import Mapping

from harness import text as words

ROWS = "rows"
READ = "references"
SEVERAL = "several references"
TRIMMED = "trimmed references"
SKIPPED = "empty reference cells"
LISTS = "JSON lists"
UNCLEAR = "bracketed references"
LINE_ENDS = "line ends"
# The rules that make other texts than the data has: they are part of the id of the step that reads the data.
CHANGES = (TRIMMED, LISTS, LINE_ENDS)
# What becomes a note of a RESULT -> what it is counted among.
NOTED: Mapping[str, str] = {TRIMMED: READ, SKIPPED: READ, LISTS: READ, LINE_ENDS: ROWS}
# What is counted, in singular, and what is said of it.
SAID: Mapping[str, tuple[str, str]] = {
    SEVERAL: (
        "sample",
        "with several references: an answer is compared with all of them, and an adapter learns the first",
    ),
    TRIMMED: ("reference", "with white space at an edge, which is removed"),
    SKIPPED: ("empty cell", "in reference columns, skipped"),
    LISTS: ("reference cell", "with a JSON list, read as a list"),
    UNCLEAR: ("reference cell", "in brackets without a JSON list of texts, read as text"),
    LINE_ENDS: ("row", "with line ends of Windows or of old Macs in a cell, read as line feeds"),
}


def said(kind: str, count: int) -> str:
    """Return a remark with its count, as `check` says it."""
    what, more = SAID[kind]
    return f"{words.plural(count, what)} {more}"
