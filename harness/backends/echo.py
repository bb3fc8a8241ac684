"""A model that is a rule: the public test double. Deterministic, instant, without torch; a token is a word.

`echo:RULE` as a model's uri:

    copy          the input
    first-line    the input's first line
    upper         the input in capitals
    empty         an empty text
    crash-on-ID   like copy, and fails at sample ID
    kill-on-ID    like copy, and ends its process at sample ID

An adapter changes the answer only by a mark: the answer begins with `+`.
"""

import math
import os
import signal
from collections.abc import Callable, Collection, Iterator, Sequence
from pathlib import Path

from harness.backends import At, Backend
from harness.digest import text_digest
from harness.errors import StepError, UnknownName
from harness.tasks import stops
from harness.types import (
    Decode,
    Generation,
    Likelihood,
    Likelihoods,
    Model,
    ModelPin,
    Overflow,
    Prompt,
    Runtime,
    Uri,
)

RULES: dict[str, Callable[[str], str]] = {
    "copy": lambda text: text,
    "first-line": lambda text: text.strip().partition("\n")[0],
    "upper": str.upper,
    "empty": lambda text: "",
}


class Echo:
    """An open backend that answers by a rule."""

    def __init__(self, rule: str, where: str) -> None:
        crash, _, self.crash_on = rule.partition("-on-")
        self.crash = crash if self.crash_on else ""
        if rule not in RULES and self.crash not in ("crash", "kill"):
            raise UnknownName("echo rule", rule, [*RULES, "crash-on-ID", "kill-on-ID"], where)
        self.rule = RULES.get(rule, RULES["copy"])

    def write(
        self,
        prompts: Sequence[Prompt],
        decode: Decode,
        overflow: Overflow,
        adapter: Path | None,
        done: Collection[str] = frozenset(),
    ) -> Iterator[Generation]:
        """Yield the answers in order."""
        for prompt in prompts:
            if prompt.sample_id not in done:
                yield self._answer(prompt, decode, adapter)

    def _answer(self, prompt: Prompt, decode: Decode, adapter: Path | None) -> Generation:
        if self.crash and prompt.sample_id == self.crash_on:
            if self.crash == "kill":
                os.kill(os.getpid(), signal.SIGKILL)
            raise StepError(f"sample {prompt.sample_id}: echo was asked to fail here")
        words = self.rule(prompt.input).split(" ")
        kept = words[: decode.max_new_tokens]
        text = stops.cut(" ".join(kept), decode)
        return Generation(
            sample_id=prompt.sample_id,
            text=("+" if adapter else "") + text,
            prompt_tokens=len(prompt.text.split()),
            output_tokens=len(text.split()),
            finish="length" if len(words) > len(kept) else "stop",
            prompt_digest=text_digest(prompt.text),
        )

    def likelihoods(
        self,
        prompts: Sequence[Prompt],
        overflow: Overflow,
        adapter: Path | None,
        done: Collection[str] = frozenset(),
    ) -> Iterator[Likelihoods]:
        """Yield likelihoods that depend on the texts alone: a rule finds the options likely that its answer resembles."""
        for prompt in prompts:
            if prompt.sample_id not in done:
                yield Likelihoods(
                    sample_id=prompt.sample_id,
                    options=tuple(self._likelihood(prompt.input, option) for option in prompt.options),
                    prompt_tokens=len(prompt.text.split()),
                )

    def rolling(
        self, prompts: Sequence[Prompt], adapter: Path | None, done: Collection[str] = frozenset()
    ) -> Iterator[Likelihoods]:
        """Yield likelihoods that depend on the texts alone."""
        return self.likelihoods(prompts, "keep-start", adapter, done)

    def _likelihood(self, text: str, option: str) -> Likelihood:
        """Return a likelihood: each word of the option that the rule's answer does not contain halves it twice."""
        words = option.split()
        answer = set(self.rule(text).split())
        missing = sum(word not in answer for word in words)
        return Likelihood(logprob=-math.log(2) * (len(words) + 2 * missing), tokens=len(words))

    def tokens(self, prompt: Prompt, overflow: Overflow, answer_tokens: int = 0) -> tuple[str, list[int]]:
        """Return the prompt and a number for each of its words."""
        return prompt.text, list(range(len(prompt.text.split())))

    def close(self) -> None:
        """Do nothing: there is no memory to free."""


def check(model: Model, at: At) -> None:
    """Raise UnknownName for a rule that does not exist."""
    Echo(Uri.parse(model.uri).place, at("uri"))


def open_model(model: Model, pin: ModelPin, runtime: Runtime) -> Echo:
    """Return the rule, ready to answer."""
    return Echo(Uri.parse(model.uri).place, f"model {model.name}: {model.uri}")


BACKEND = Backend(
    schemes=("echo",),
    about="their answers come from a rule, not from weights",
    verbs=("write", "likelihoods", "rolling"),
    draws_by_id=True,  # a rule draws nothing: all of its answers to a prompt agree
    # No answer depends on these libraries, but the ids of answers in existing stores contain them.
    libraries=("torch", "transformers", "tokenizers", "peft"),
    check=check,
    open=open_model,
)
