"""Find the log-probabilities of an option among those of the whole text that ends with it."""

from collections.abc import Callable

from harness.servers.calls import EchoedText
from harness.servers.client import Unanswered
from harness.tasks.prompts import with_answer
from harness.types import Likelihood, Prompt


def whole(prompt: Prompt, option: str) -> str:
    """Return the text of a prompt with an option behind it."""
    return prompt.text + option if prompt.exact else with_answer(prompt.text, option)


def likelihood(text: str, prompt: str, echoed: EchoedText, alone: Callable[[], EchoedText]) -> Likelihood:
    """Return how likely the end of a text is behind its prompt.

    A token in which prompt and option merge belongs to the option. `alone` gives the tokens of the prompt, which are asked
    for only where the tokens do not spell the option, as parts of a character do not.
    """
    first = _spelled(text[len(prompt) :], echoed)
    if first is None:
        before = alone().tokens
        if echoed.tokens[: len(before)] != before or len(before) == len(echoed.tokens):
            raise Unanswered("the server's tokens cannot be split between the prompt and the option")
        first = len(before)
    values = echoed.logprobs[first:]
    if not values or any(value is None for value in values):
        raise Unanswered(
            "an option without a token before it has no likelihood: the server puts no BOS before a text"
        )
    return Likelihood(logprob=sum(value for value in values if value is not None), tokens=len(values))


def _spelled(option: str, echoed: EchoedText) -> int | None:
    """Return the position of the first token of an option; None where the tokens do not spell it."""
    spelled = ""
    for first in range(len(echoed.tokens) - 1, -1, -1):
        spelled = echoed.tokens[first] + spelled
        if len(spelled) >= len(option):
            return first if spelled.endswith(option) else None
    return None
