"""A model's chat template, rendered within limits of time, memory and length."""

import os
from collections.abc import Mapping, Sequence
from functools import lru_cache

from harness.errors import ModelError
from harness.sandbox import Exceeded, Sandbox, _render

SECONDS = 5.0  # of the processor, for one prompt; a real template takes some 30 µs, and 50 ms to be compiled
LONGEST = 1 << 24  # characters that a template may add to a prompt


class ChatTemplate:
    """Renders one template, in a process that starts with the first prompt."""

    def __init__(
        self, where: str, template: str, tokens: Mapping[str, str], seconds: float = SECONDS
    ) -> None:
        self._where, self._template, self._tokens = where, template, dict(tokens)
        self._seconds = seconds
        self._sandbox: Sandbox | None = None
        self._known: dict[
            str, str
        ] = {}  # the block's, and the last one: a training example is asked for twice

    def render(self, content: str) -> str:
        """Return what a model is given for one turn of the user's; ModelError where the template does not say."""
        if content not in self._known:
            said = self._ask([content])[0]
            if "failed" in said:
                raise self._wrong(" ".join(f"failed ({said['failed'][:200]})".split()))
            self._known = {content: said["text"]}
        return self._known[content]

    def render_ahead(self, contents: Sequence[str]) -> None:
        """Render what will be asked for next in one go: a change of processes for each takes longer than the rendering.

        What fails is left for `render`, which says why.
        """
        try:
            found = zip(contents, self._ask(contents), strict=True)
        except ModelError:
            return
        self._known = {content: said["text"] for content, said in found if "text" in said}

    def _ask(self, contents: Sequence[str]) -> list[dict[str, str]]:
        request = {
            "template": self._template,
            "variables": {**self._tokens, "tools": None, "documents": None, "add_generation_prompt": True},
            "chats": [[{"role": "user", "content": content}] for content in contents],
            "longest": LONGEST + 4 * max(map(len, contents), default=0),
        }
        try:
            self._sandbox = self._sandbox or Sandbox(_render)
            said: list[dict[str, str]] = self._sandbox.ask(request, self._seconds)
        except Exceeded as error:
            self._sandbox = None
            raise self._wrong(str(error)) from error
        return said

    def _wrong(self, reason: str) -> ModelError:
        return ModelError(
            f"{self._where}: its chat template (chat_template.jinja, or in tokenizer_config.json) {reason}; "
            "correct it, or say chat: off"
        )


def chat_template(where: str, template: str, tokens: Mapping[str, str]) -> ChatTemplate:
    """Return the process that renders a template; each asking process has one of its own."""
    return _kept(os.getpid(), where, template, tuple(tokens.items()))


@lru_cache(4)
def _kept(_: int, where: str, template: str, tokens: tuple[tuple[str, str], ...]) -> ChatTemplate:
    return ChatTemplate(where, template, dict(tokens))
