"""Try regular expressions on names: the program of a sandbox."""

import re
import time
from typing import Any

from harness.sandbox._loop import serve

names: list[str] = []


def answer(request: dict[str, Any]) -> float | str:
    """Return the seconds of processor time that an expression took on all names; a text says why it is not valid."""
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
