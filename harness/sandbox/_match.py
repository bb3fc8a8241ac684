"""The program that tries regular expressions on names."""

import re
import time
from typing import Any

from harness.sandbox._loop import serve

names: list[str] = []


def answer(request: dict[str, Any]) -> float | str:
    """Seconds of the processor that one expression took on all names; a text: why it is none."""
    names.extend(request.get("names", ()))
    begin = time.process_time()
    try:
        expression = re.compile(request["expression"])
    except (re.error, RecursionError, OverflowError) as error:
        return str(error) or type(error).__name__
    for name in names:
        expression.match(name)
        expression.fullmatch(name)
    return time.process_time() - begin


if __name__ == "__main__":
    serve(answer)
