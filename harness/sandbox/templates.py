"""Render a model's chat template within limits of time, memory and length."""

import os
from collections.abc import Mapping, Sequence
from functools import cached_property, lru_cache

from harness.errors import ModelError
from harness.sandbox import Exceeded, Sandbox, _render
from harness.types import Turn

Chat = tuple[Turn, ...]

SECONDS = 5.0  # of processor time for one prompt; a real template takes some 30 µs, and 50 ms to compile
PROBE = ("You answer about trains.", "Does one go on Monday?")  # a system text, and a turn of the user
LONGEST = 1 << 24  # characters that a template may add to a prompt


class ChatTemplate:
    """Renders one template, in a process that starts with the first prompt."""

    def __init__(
        self, where: str, template: str, tokens: Mapping[str, str], seconds: float = SECONDS
    ) -> None:
        self._where, self._template, self._tokens = where, template, dict(tokens)
        self._seconds = seconds
        self._sandbox: Sandbox | None = None
        # Texts of the block that was rendered ahead, or the last text: a training example is asked for twice.
        self._known: dict[Chat, str] = {}

    def render(self, chat: Chat) -> str:
        """Return the text that a model gets for a chat, up to its next turn; raise ModelError if the template fails."""
        if chat not in self._known:
            said = self._ask([chat])[0]
            if "failed" in said:
                raise self._wrong(" ".join(f"failed ({said['failed'][:200]})".split()))
            self._known = {chat: said["text"]}
        return self._known[chat]

    def render_ahead(self, chats: Sequence[Chat]) -> None:
        """Render the next chats together: a message between processes for each would take longer than the rendering.

        A chat that fails is left for `render`, which says why.
        """
        try:
            found = zip(chats, self._ask(chats), strict=True)
        except ModelError:
            return
        self._known = {chat: said["text"] for chat, said in found if "text" in said}

    @cached_property
    def has_system_role(self) -> bool:
        """Return whether the template shows a system text: some fail with such a turn, others leave it out."""
        said = self._ask([(Turn(role="system", text=PROBE[0]), Turn(role="user", text=PROBE[1]))])[0]
        letters = "".join(said.get("text", "").split()).casefold()
        return all("".join(text.split()).casefold() in letters for text in PROBE)

    def _ask(self, chats: Sequence[Chat]) -> list[dict[str, str]]:
        lengths = (sum(len(turn.text) for turn in chat) for chat in chats)
        request = {
            "template": self._template,
            "variables": {**self._tokens, "tools": None, "documents": None, "add_generation_prompt": True},
            "chats": [[{"role": turn.role, "content": turn.text} for turn in chat] for chat in chats],
            "longest": LONGEST + 4 * max(lengths, default=0),
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
    """Return the renderer of a template; each process that asks has a renderer of its own."""
    return _kept(os.getpid(), where, template, tuple(tokens.items()))


@lru_cache(4)
def _kept(_: int, where: str, template: str, tokens: tuple[tuple[str, str], ...]) -> ChatTemplate:
    return ChatTemplate(where, template, dict(tokens))
