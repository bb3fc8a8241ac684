"""What is asked of a server and what it answers: completions, chat, and the log-probabilities of a given text."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from harness.servers.client import Client, Unanswered
from harness.tasks.chat import messages
from harness.types import Decode, Prompt

COMPLETIONS, CHAT = "/completions", "/chat/completions"


@dataclass(frozen=True, slots=True, kw_only=True)
class Written:
    """A text that a server wrote."""

    text: str
    prompt_tokens: int | None  # None: not counted
    output_tokens: int | None
    at_length: bool  # max_tokens ended it
    model: str | None  # that answered, as the server says


@dataclass(frozen=True, slots=True, kw_only=True)
class EchoedText:
    """The tokens of a given text, with the log-probability of each; None for the first, before which nothing stands."""

    tokens: tuple[str, ...]
    logprobs: tuple[float | None, ...]
    model: str | None


def write(
    client: Client,
    model: str,
    prompt: Prompt,
    decode: Decode,
    *,
    chat: bool,
    seed: int,
    retries: int | None = None,
) -> Written:
    """Return a server's answer to a prompt."""
    body: dict[str, object] = {
        "model": model,
        "max_tokens": decode.max_new_tokens,
        "temperature": decode.temperature,
    }
    if decode.temperature > 0:
        body |= {"top_p": decode.top_p, "seed": seed}
    if decode.stop:
        body["stop"] = list(decode.stop)
    if chat:
        body["messages"] = [{"role": turn.role, "content": turn.text} for turn in messages(prompt)]
        answer = client.post(CHAT, body, retries)
        message = _choices(answer, 1)[0].get("message")
        text = message.get("content") if isinstance(message, dict) else None
        text = "" if text is None and isinstance(message, dict) else text
    else:
        answer = client.post(COMPLETIONS, body | {"prompt": prompt.text}, retries)
        text = _choices(answer, 1)[0].get("text")
    if not isinstance(text, str):
        raise Unanswered("an answer without a text")
    return Written(
        text=text,
        prompt_tokens=_usage(answer, "prompt_tokens"),
        output_tokens=_usage(answer, "completion_tokens"),
        at_length=_choices(answer, 1)[0].get("finish_reason") == "length",
        model=_model(answer),
    )


def write_list(
    client: Client, model: str, texts: Sequence[str], max_tokens: int, retries: int | None = None
) -> tuple[str, ...]:
    """Return the completions of several texts, which are asked in one request."""
    body = {"model": model, "prompt": list(texts), "max_tokens": max_tokens, "temperature": 0.0}
    choices = _in_order(_choices(client.post(COMPLETIONS, body, retries), len(texts)))
    if not all(isinstance(choice.get("text"), str) for choice in choices):
        raise Unanswered("an answer without a text")
    return tuple(str(choice["text"]) for choice in choices)


def read_back(
    client: Client, model: str, texts: Sequence[str], retries: int | None = None
) -> tuple[EchoedText, ...]:
    """Return the tokens of given texts with their log-probabilities; raise Unanswered where the server does not give them.

    One more token is asked for, since some servers refuse to write none; it is left out.
    """
    asked = {"model": model, "max_tokens": 1, "temperature": 0.0, "echo": True, "logprobs": 1}
    body = asked | {"prompt": texts[0] if len(texts) == 1 else list(texts)}
    answer = client.post(COMPLETIONS, body, retries)
    choices = _in_order(_choices(answer, len(texts)))
    given, written = _usage(answer, "prompt_tokens"), _usage(answer, "completion_tokens")
    lists = [_logprobs(choice) for choice in choices]
    if given is None or written is None:
        raise Unanswered("an answer without a count of tokens")
    if sum(len(tokens) for tokens, _ in lists) != given + written or written not in (0, len(texts)):
        found = sum(len(tokens) for tokens, _ in lists)
        raise Unanswered(f"{found} log-probabilities for {given} tokens of the text and {written} more")
    more = written // len(texts)
    return tuple(
        EchoedText(
            tokens=tokens[: len(tokens) - more],
            logprobs=values[: len(values) - more],
            model=_model(answer),
        )
        for tokens, values in lists
    )


def _logprobs(choice: Mapping[str, Any]) -> tuple[tuple[str, ...], tuple[float | None, ...]]:
    """Return the tokens of a choice and their log-probabilities; Unanswered where there are none."""
    found = choice.get("logprobs")
    if not isinstance(found, dict):
        raise Unanswered("no log-probabilities in the answer")
    tokens, values = found.get("tokens"), found.get("token_logprobs")
    if not isinstance(tokens, list) or not isinstance(values, list) or len(tokens) != len(values):
        raise Unanswered("no log-probability for each token")
    if not all(isinstance(token, str) for token in tokens):
        raise Unanswered("tokens that are no texts")
    read = [None if at == 0 and value is None else _logprob(value) for at, value in enumerate(values)]
    return tuple(tokens), tuple(read)


def _logprob(value: object) -> float:
    if not isinstance(value, int | float) or isinstance(value, bool) or not math.isfinite(value) or value > 0:
        raise Unanswered(f"a log-probability that is none: {value!r:.40}")
    return float(value)


def _choices(answer: Mapping[str, Any], count: int) -> list[Mapping[str, Any]]:
    """Return the choices of an answer; Unanswered where there are fewer or more than asked."""
    found = answer.get("choices")
    if not isinstance(found, list) or not all(isinstance(choice, dict) for choice in found):
        raise Unanswered("an answer without `choices`")
    if len(found) != count:
        raise Unanswered(f"an answer with {len(found)} choices, and {count} were asked for")
    return found


def _in_order(choices: list[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """Return the choices in the order of their prompts."""
    places = [choice.get("index") for choice in choices]
    if sorted(place for place in places if isinstance(place, int)) != list(range(len(choices))):
        raise Unanswered("choices that do not say to which prompt they belong")
    return sorted(choices, key=lambda choice: int(choice["index"]))


def _usage(answer: Mapping[str, Any], name: str) -> int | None:
    usage = answer.get("usage")
    found = usage.get(name) if isinstance(usage, dict) else None
    return found if isinstance(found, int) and not isinstance(found, bool) and found >= 0 else None


def _model(answer: Mapping[str, Any]) -> str | None:
    found = answer.get("model")
    return found if isinstance(found, str) and found else None
