"""Put what a chat template gets together: the system text, the turns before a prompt, and the prompt."""

from collections.abc import Iterable

from harness.types import Prompt, Sample, Turn


def messages(prompt: Prompt, *, system_role: bool = True) -> tuple[Turn, ...]:
    """Return a prompt as the turns of a chat; without a system role, the system text stands before the first of them."""
    own = Turn(role="user", text=prompt.own)
    turns = (*prompt.examples, *(prompt.turns or ()), own)
    if not prompt.system:
        return turns
    if system_role:
        return (Turn(role="system", text=prompt.system), *turns)
    first, *others = turns
    return (Turn(role="user", text=f"{prompt.system}\n\n{first.text}"), *others)


def system_of(sample: Sample, told: str) -> str:
    """Return the system text of a sample's prompt: what the task tells, and then what the sample's conversation does."""
    own = [turn.text for turn in sample.turns or () if turn.role == "system"]
    return "\n\n".join(text for text in (told, *own) if text)


def said(turns: Iterable[Turn]) -> tuple[Turn, ...]:
    """Return the turns of the user and the assistant."""
    return tuple(turn for turn in turns if turn.role != "system")


def without_oldest(turns: tuple[Turn, ...]) -> tuple[Turn, ...]:
    """Return the turns without the oldest question and its answer, so that the user's turn still comes first."""
    return turns[2:]
