"""Read the references of a row: from one column or several, from a list, or from a JSON list in a cell of a CSV file.

The rules, each with a count that `check` shows:

- All references of a sample are compared with an answer. An adapter learns the first, and a few-shot example shows it.
- White space at the edges of a reference is removed.
- With several columns, the order is that of the columns, and empty cells are skipped.
- A cell of a CSV file can only contain text. If the text is valid JSON, a list of texts, it is the list; any other text that
  begins with a bracket stays text.
"""

import json
from collections import Counter
from collections.abc import Sequence

from harness.tasks.remarks import LISTS, READ, SEVERAL, SKIPPED, TRIMMED, UNCLEAR


def references(
    cells: Sequence[object],  # texts or lists of texts, a cell for each reference column
    remarks: Counter[str],  # gets the counts that harness.tasks.remarks names
    *,
    textual: bool,  # cells can only contain text, so a list is written as JSON
) -> tuple[str, ...]:
    """Return the references of a row; an empty one where a cell, or an entry of a list, is empty."""
    lists = [_entries(cell, remarks) if textual else cell for cell in cells]
    if len(cells) > 1:
        given = [entry for entry in lists if not _is_empty(entry)]
        remarks[SKIPPED] += len(lists) - len(given)
        lists = given
    texts = [text for entry in lists for text in (entry if isinstance(entry, list) else [entry])]
    found = tuple(map(text_of, texts))
    trimmed = tuple(text.strip() for text in found)
    remarks[TRIMMED] += sum(text != whole for text, whole in zip(trimmed, found, strict=True))
    remarks[READ] += len(trimmed)
    remarks[SEVERAL] += len(trimmed) > 1
    return trimmed


def text_of(value: object) -> str:
    """Return a value as text: text as it is, None as an empty text, anything else as JSON."""
    if value is None:
        return ""
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=str)


def _is_empty(cell: object) -> bool:
    return not cell if isinstance(cell, list) else not text_of(cell).strip()


def _entries(cell: object, remarks: Counter[str]) -> object:
    """Return the list of texts that a cell contains as JSON; return any other cell as it is."""
    text = cell.strip() if isinstance(cell, str) else ""
    if not (text.startswith("[") and text.endswith("]")):
        return cell
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        found = None
    if isinstance(found, list) and all(isinstance(entry, str) for entry in found):
        remarks[LISTS] += 1
        return found
    remarks[UNCLEAR] += 1
    return cell
