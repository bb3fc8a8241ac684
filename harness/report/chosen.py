"""The text of an answer that was chosen or read and not written: the choice with the probability of each option."""

import math
from collections.abc import Mapping, Sequence
from typing import Any

from harness import text as words
from harness.tasks import votes
from harness.types import Generation


def answered(generation: Generation) -> str:
    """Return an answer as people read it: with all options, all votes, or for a read text its likelihood."""
    options = [(option.text, option.logprob) for option in generation.options]
    if generation.ballots:
        return _voted(generation.text, [(ballot.found, ballot.result) for ballot in generation.ballots])
    return _said(generation.text, options, generation.logprob, generation.output_tokens)


def answered_line(line: Mapping[str, Any]) -> str:
    """Return the answer of a line of generations.jsonl.gz as people read it."""
    options = [(str(option["text"]), float(option["logprob"])) for option in line.get("options", ())]
    if ballots := line.get("ballots"):
        return _voted(line["text"], [(str(ballot["found"]), ballot["result"]) for ballot in ballots])
    return _said(line["text"], options, line.get("logprob"), line.get("output_tokens", 0))


def _said(text: str, options: Sequence[tuple[str, float]], logprob: float | None, tokens: int) -> str:
    if options:
        return "\n".join([text, "", *(f"{share}  {option}" for share, option in _shares(options))])
    if logprob is not None and not text:
        return f"log-likelihood {words.number(logprob)} nats of {words.plural(tokens, 'token')}"
    return text


def _voted(text: str, ballots: Sequence[tuple[str, int | None]]) -> str:
    """Return an answer with the votes for each result below it."""
    said = [
        f"{words.plural(count, 'vote')}  {found}"
        if found
        else f"{words.plural(count, 'answer')} without a result"
        for found, count in votes.shares(ballots).items()
    ]
    return "\n".join([text, "", *said])


def _shares(options: Sequence[tuple[str, float]]) -> list[tuple[str, str]]:
    """Return each option with its share of the probability that all options have together, in percent."""
    most = max(logprob for _, logprob in options)
    weights = [math.exp(logprob - most) for _, logprob in options]
    return [
        (f"{100 * weight / sum(weights):.0f}{words.SPACE}%", option)
        for weight, (option, _) in zip(weights, options, strict=True)
    ]
