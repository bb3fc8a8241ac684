"""Read the comments of a record's fields: what a page says about a key is what the code says about it."""

import ast
import inspect
import re
import sys
from functools import cache


@cache
def of_fields(record: type) -> dict[str, str]:
    """Return the comment of each field: the one behind it, else the lines right above it; "" without one."""
    lines = inspect.getsource(sys.modules[record.__module__]).splitlines()
    (found,) = (
        node
        for node in ast.parse("\n".join(lines)).body
        if isinstance(node, ast.ClassDef) and node.name == record.__name__
    )
    return {
        node.target.id: _comment(lines, node)
        for node in found.body
        if isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name)
    }


def _comment(lines: list[str], field: ast.AnnAssign) -> str:
    assert field.end_lineno is not None and field.end_col_offset is not None
    last = lines[field.end_lineno - 1].encode()[field.end_col_offset :].decode()
    if (behind := last.strip()).startswith("#"):
        return behind.lstrip("# ")
    above: list[str] = []
    for line in reversed(lines[: field.lineno - 1]):
        if not line.strip().startswith("#"):
            break
        above.insert(0, line.strip().lstrip("# "))
    return " ".join(above)


def sentence(comment: str) -> str:
    """Return a comment as a page says it: with a capital if a plain word comes first, quoted names as code."""
    text = re.sub(r'"([^"\s]+)"', r"`\1`", comment.strip().rstrip(".")).replace("` | `", "` or `")
    begin = text.partition(" ")[0]
    return text[:1].upper() + text[1:] if begin.isalpha() else text
