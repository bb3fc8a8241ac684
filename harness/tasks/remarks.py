"""Name what is counted while data is read, and what `check` and the notes of a RESULT say of it."""

from collections.abc import Mapping

from harness import text as words

ROWS = "rows"
READ_AS = "read as "  # before the name of a shape: rows of that shape (harness/tasks/shapes.py)
READ = "references"
SEVERAL = "several references"
TRIMMED = "trimmed references"
SKIPPED = "empty reference cells"
LISTS = "JSON lists"
UNCLEAR = "bracketed references"
LINE_ENDS = "line ends"
UNANSWERED = "unanswered turns"
AMBIGUOUS = "ambiguous right choices"
NO_ANSWER = "rows without an answer"
EMPTY_ANSWER = "rows with an empty answer"
EQUAL_PAIR = "equal pairs"
LONG_PAIR = "pairs that differ early"
OUT_OF_ORDER = "turns out of order"
# Rows that are left out -> what is said of them, as a clause.
LEFT_OUT: Mapping[str, str] = {
    NO_ANSWER: "have no assistant turn",
    EMPTY_ANSWER: "have an empty answer",
    EQUAL_PAIR: "have the same answer as chosen and as rejected",
    LONG_PAIR: "have a chosen and a rejected side that differ in more than one answer of the assistant",
    OUT_OF_ORDER: "have turns of user and assistant that do not alternate, or do not begin with the user's",
}
# The rules that make other texts than the data has: they are part of the id of the step that reads the data.
CHANGES = (TRIMMED, LISTS, LINE_ENDS)
# What becomes a note of a RESULT -> what it is counted among.
NOTED: Mapping[str, str] = {
    TRIMMED: READ,
    SKIPPED: READ,
    LISTS: READ,
    LINE_ENDS: ROWS,
    UNANSWERED: ROWS,
    AMBIGUOUS: ROWS,
    **dict.fromkeys(LEFT_OUT, ROWS),
}
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
    AMBIGUOUS: (
        "right choice",
        "taken as the text of a choice, and not as the label, letter or number of another",
    ),
    UNANSWERED: ("conversation", "with turns after the last answer, which are left out"),
}


def said(kind: str, count: int) -> str:
    """Return a remark with its count, as `check` says it."""
    what, more = SAID[kind]
    return f"{words.plural(count, what)} {more}"


def detail(kind: str) -> str:
    """Return what a note of a RESULT says of the counted texts or rows."""
    return (
        f"rows that {LEFT_OUT[kind]}: left out" if kind in LEFT_OUT else f"{SAID[kind][0]}s {SAID[kind][1]}"
    )


def left_out(remarks: Mapping[str, int]) -> str:
    """Return what is said of the rows that were left out: `3 of 1,000 have no assistant turn: left out`; "" for none."""
    found = [
        f"{remarks[kind]:,} of {remarks[ROWS]:,} {what}"
        for kind, what in LEFT_OUT.items()
        if remarks.get(kind)
    ]
    return f"{', '.join(found)}: left out" if found else ""
