"""What is asked, who answers, and what is answered."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from harness.types.fields import Count, Kept

Finish = Literal["stop", "length", "refused"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """One question with its reference answers."""

    id: str
    input: str
    references: tuple[str, ...]
    choices: tuple[str, ...] = ()
    metadata: Mapping[str, str] = field(default_factory=dict)  # every other column, as text


@dataclass(frozen=True, slots=True, kw_only=True)
class Prompt:
    """What is asked of a model: text before the input, the input, text after it.

    Only `input` may be shortened when the whole is too long.
    """

    sample_id: str
    before: str
    input: str
    after: str

    @property
    def text(self) -> str:
        """Return the whole prompt."""
        return self.before + self.input + self.after


@dataclass(frozen=True, slots=True, kw_only=True)
class Generation:
    """What a model answered to one sample."""

    sample_id: str
    text: str
    prompt_tokens: int = 0
    output_tokens: int = 0
    truncated_tokens: int = 0  # tokens cut from the input
    finish: Finish = "stop"
    prompt_digest: str = ""
    logprob: float | None = None  # nats, sum over the answer's tokens


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class System:
    """Who answered: a base, a base with an adapter, or a trivial rule."""

    model: Kept[str]  # "trivial:NAME" for a rule
    adapter: Kept[str | None] = None  # None: the base, or a rule
    shots: Kept[Count] = 0

    def __str__(self) -> str:
        name = f"{self.model} + {self.adapter}" if self.adapter else self.model
        return f"{name} ({self.shots}-shot)" if self.shots else name
