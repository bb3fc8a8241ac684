"""Render templates of documents as lm-evaluation-harness does, but in jinja's sandbox: the program of a sandbox.

The environment is that of its `lm_eval/utils.py`: a name that a document lacks is an error, the line feed at the end of a
template stays, and there is a filter `regex_replace`. A template cannot reach Python's own attributes or change a document.
"""

import re
from functools import lru_cache
from typing import Any

from jinja2 import StrictUndefined, Template
from jinja2.sandbox import ImmutableSandboxedEnvironment

from harness.sandbox._loop import serve
from harness.sandbox._rendered import rendered


def _regex_replace(string: str, pattern: str, repl: str, count: int = 0) -> str:
    return re.sub(pattern, repl, string, count=count)


@lru_cache(64)
def _compiled(text: str) -> Template:
    environment = ImmutableSandboxedEnvironment(undefined=StrictUndefined, keep_trailing_newline=True)
    environment.filters["regex_replace"] = _regex_replace
    return environment.from_string(text)


def answer(request: dict[str, Any]) -> list[list[dict[str, str]]]:
    """Return for each document the text of each template, or why it failed; `longest` limits all texts together."""
    left = request["longest"]
    found = []
    for document in request["documents"]:
        texts = [rendered(_compiled, template, document, left) for template in request["templates"]]
        left -= sum(len(text.get("text", "")) for text in texts)
        found.append(texts)
    return found


if __name__ == "__main__":
    serve(answer)
