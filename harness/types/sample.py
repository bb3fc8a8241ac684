"""Define the records of samples, prompts, answers and the systems that answer."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Annotated, Literal

from harness.types.fields import Count, IfSet, Kept, Withheld

Finish = Literal["stop", "length", "refused"]

Role = Literal["system", "user", "assistant"]

SPEAKERS: Mapping[Role, str] = {"user": "User", "assistant": "Assistant"}  # in a conversation as plain text

JUDGED = "judged"  # what a task's judge found in an answer, among the scores that it was given
TRIVIAL = "trivial:"  # begins the name of a system that is a rule


@dataclass(frozen=True, slots=True, kw_only=True)
class Turn:
    """What was said in one turn of a conversation, and by whom."""

    role: Role
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """One question with its reference answers."""

    id: str
    input: str
    references: tuple[str, ...]
    choices: tuple[str, ...] = ()
    metadata: Mapping[str, str] = field(default_factory=dict)  # every other column, as text
    # Of a conversation, whose last turn of the user is the input: the turns before it. None: no conversation
    turns: tuple[Turn, ...] | None = None

    @property
    def told(self) -> tuple[str, ...]:
        """Return all texts of the question: those of earlier turns, and the input."""
        return (*(turn.text for turn in self.turns or ()), self.input)

    @property
    def question(self) -> str:
        """Return the question as people read it: the input, or all turns of a conversation with their speakers."""
        if self.turns is None:
            return self.input
        turns = (*self.turns, Turn(role="user", text=self.input))
        return "\n".join(f"{SPEAKERS.get(turn.role, 'System')}: {turn.text}" for turn in turns)


@dataclass(frozen=True, slots=True, kw_only=True)
class Prompt:
    """A prompt in three parts: text before the input, the input, and text after it.

    In a conversation the three parts are the last turn of the user. If the whole is too long, the oldest of `turns` are
    left out, and then `input` is shortened; nothing else is.
    """

    sample_id: str
    before: str
    input: str
    after: str
    options: tuple[str, ...] = ()  # the texts to choose from, where the task gives some
    answers: tuple[str, ...] = ()  # what each option stands for; empty: itself
    exact: bool = False  # options follow the prompt as they are, without a space between them
    system: str = ""  # what the model is told of its part, before all else
    examples: tuple[Turn, ...] = ()  # of a conversation: turns of worked examples
    # Of a conversation: the turns between the examples and the prompt. None: no conversation
    turns: tuple[Turn, ...] | None = None

    @property
    def own(self) -> str:
        """Return the prompt without what comes before it: in a conversation, the last turn of the user."""
        return self.before + self.input + self.after

    @property
    def text(self) -> str:
        """Return the whole prompt as plain text, a conversation with the names of its speakers: `User: …`."""
        opening = f"{self.system}\n\n" if self.system else ""
        if self.turns is None:
            return opening + self.own
        said = (*self.examples, *self.turns, Turn(role="user", text=self.own))
        lines = (f"{SPEAKERS[turn.role]}: {turn.text}\n" for turn in said)
        return f"{opening}{''.join(lines)}{SPEAKERS['assistant']}:"


@dataclass(frozen=True, slots=True, kw_only=True)
class Option:
    """How likely a system finds one of the answers that a prompt lets it choose from."""

    text: Annotated[str, Withheld()]
    logprob: Kept[float]  # nats, summed over the text's tokens
    tokens: Kept[int] = 0  # of the text; 0: its probability does not come from tokens
    bytes: Kept[int] = 0  # of the text in UTF-8
    # Nats, what `logprob` is compared with: of the text without the prompt, or by the base; None: not asked
    against: Kept[float | None] = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Ballot:
    """One of several sampled answers to a prompt, among which there was a vote."""

    text: Annotated[str, Withheld()]
    found: Annotated[str, Withheld()] = ""  # the result in it, as it is written there
    # A number that answers with equal results share, from 0 by who came first; None: no result, and so no vote
    result: Kept[int | None] = None
    output_tokens: Kept[int] = 0
    finish: Kept[Finish] = "stop"


@dataclass(frozen=True, slots=True, kw_only=True)
class Generation:
    """The answer of a system to one sample."""

    sample_id: Kept[str]
    text: Annotated[str, Withheld()]
    prompt_tokens: Kept[int] = 0
    output_tokens: Kept[int] = 0
    truncated_tokens: Kept[int] = 0  # tokens cut from the input
    finish: Kept[Finish] = "stop"
    prompt_digest: Kept[str] = ""
    logprob: Kept[float | None] = None  # nats, sum over the answer's tokens
    options: Kept[tuple[Option, ...]] = ()  # in the prompt's order; empty: the answer is written
    # The sampled answers that voted, the first drawn first; `output_tokens` are those of all. Empty: no vote
    ballots: Kept[IfSet[tuple[Ballot, ...]]] = ()
    # Scores that another program gave this answer, by their names there; empty unless the answer was imported
    given: Kept[IfSet[Mapping[str, float]]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Likelihood:
    """How likely a text is: the sum over its tokens."""

    logprob: float  # nats
    tokens: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Likelihoods:
    """How likely each of a prompt's options is after the prompt."""

    sample_id: str
    options: tuple[Likelihood, ...]  # in the prompt's order; empty: the prompt is too long and was refused
    prompt_tokens: int = 0
    truncated_tokens: int = 0  # cut from the input


@dataclass(frozen=True, slots=True, kw_only=True)
class HeadOutput:
    """The output of a head for a prompt."""

    sample_id: str
    values: tuple[float, ...]  # a logit for each label, or one number; empty: the prompt was refused
    prompt_tokens: int = 0
    truncated_tokens: int = 0


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class System:
    """A system that answers: a base, a base with an adapter, or a trivial rule."""

    model: Kept[str]  # "trivial:NAME" for a rule
    adapter: Kept[str | None] = None  # None: the base, or a rule
    shots: Kept[Count] = 0

    @property
    def base(self) -> "System":
        """Return the system of the model alone, asked without examples."""
        return System(model=self.model)

    @property
    def is_trivial(self) -> bool:
        """Return whether the system is a trivial rule, not a model."""
        return self.model.startswith(TRIVIAL)

    @property
    def rule(self) -> str | None:
        """Return the trivial rule's name; None for a model."""
        return self.model.removeprefix(TRIVIAL) if self.is_trivial else None

    @classmethod
    def of_rule(cls, rule: str) -> "System":
        """Return the system of a trivial rule."""
        return cls(model=TRIVIAL + rule)

    def __str__(self) -> str:
        name = f"{self.model} + {self.adapter}" if self.adapter else self.model
        return f"{name} ({self.shots}-shot)" if self.shots else name
