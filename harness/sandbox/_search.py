"""Search texts for a regular expression: the program of a sandbox."""

import re
from functools import lru_cache
from typing import Any

from harness.sandbox._loop import serve


@lru_cache(4)
def _compiled(expression: str) -> re.Pattern[str]:
    return re.compile(expression)


def answer(request: dict[str, Any]) -> list[str]:
    """Return what the expression finds in the text: of each place the first group that took part, or the whole."""
    expression = _compiled(request["expression"])
    return [
        next((group for group in found.groups() if group is not None), found[0])
        for found in expression.finditer(request["text"])
    ]


if __name__ == "__main__":
    serve(answer)
