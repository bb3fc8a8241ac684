"""Prompts and answers to token ids: the same ids for the same prompt, in training and when the model is asked."""

from collections.abc import Sequence
from dataclasses import dataclass

from harness.neural.reading import Reader
from harness.prompts import Span, fit, with_answer
from harness.types import Overflow, Prompt
from harness.window import prompt_room


@dataclass(frozen=True, slots=True, kw_only=True)
class Encoded:
    """A prompt exactly as the model gets it."""

    sample_id: str
    text: str  # given to the tokenizer: chat template included, input shortened
    ids: tuple[int, ...]
    truncated_tokens: int  # that shortening the input took away


@dataclass(frozen=True, slots=True, kw_only=True)
class Pair:
    """A training example in tokens."""

    sample_id: str
    prompt: tuple[int, ...]
    answer: tuple[int, ...]  # ends with end-of-sequence
    truncated_tokens: int

    @property
    def tokens(self) -> int:
        return len(self.prompt) + len(self.answer)


def encode(base: Reader, prompt: Prompt, overflow: Overflow, budget: int | None) -> Encoded | None:
    """The prompt in at most `budget` tokens; None where it does not fit and may not, or cannot, be shortened."""
    ids = prompt_ids(base, text := prompt_text(base, prompt))
    if budget is None or len(ids) <= budget:
        return Encoded(sample_id=prompt.sample_id, text=text, ids=ids, truncated_tokens=0)
    shorter = fit(
        prompt,
        budget,
        lambda one: len(prompt_ids(base, prompt_text(base, one))),
        lambda part: _spans(base, part),
        overflow,
    )
    if shorter is None:
        return None
    kept = prompt_ids(base, text := prompt_text(base, shorter))
    return Encoded(sample_id=prompt.sample_id, text=text, ids=kept, truncated_tokens=len(ids) - len(kept))


def pair(base: Reader, prompt: Prompt, answer: str, overflow: Overflow, max_tokens: int) -> Pair | None:
    """Return a training example of at most `max_tokens` tokens; None where only a shorter answer would fit.

    An answer's last token is a label alone, so the window is one token wider than what is read, as in `room`.
    """
    answer_ids = _answer_ids(base, prompt, answer)
    budget = max_tokens - len(answer_ids)
    if base.window is not None:
        if len(answer_ids) > base.window and not base.seq2seq:
            return None
        budget = min(budget, room(base, len(answer_ids)) or 0)
    encoded = encode(base, prompt, overflow, budget)
    if encoded is None:
        return None
    return Pair(
        sample_id=prompt.sample_id,
        prompt=encoded.ids,
        answer=answer_ids,
        truncated_tokens=encoded.truncated_tokens,
    )


def room(base: Reader, answer_tokens: int) -> int | None:
    """Return how many tokens a prompt may have before an answer of so many; None where any number fits."""
    return prompt_room(base.window, seq2seq=base.seq2seq, answer_tokens=answer_tokens, name=base.name)


def prompt_text(base: Reader, prompt: Prompt) -> str:
    if not base.chat:
        return prompt.text
    turns = [{"role": "user", "content": prompt.text}]
    text: str = base.tokenizer.apply_chat_template(turns, tokenize=False, add_generation_prompt=True)
    return text


def prompt_ids(base: Reader, text: str) -> tuple[int, ...]:
    """An encoder's prompt ends as its tokenizer ends it; a decoder's has one BOS, or none if the tokenizer puts none."""
    if base.seq2seq:
        return tuple(base.tokenizer(text).input_ids)
    ids = _plain_ids(base, text)
    if base.bos is None:
        return tuple(ids)
    start = next((at for at, token in enumerate(ids) if token != base.bos), len(ids))
    return (base.bos, *ids[start:])


def _answer_ids(base: Reader, prompt: Prompt, answer: str) -> tuple[int, ...]:
    """The answer's tokens as they stand behind the prompt, and end-of-sequence.

    Where prompt and answer would merge into one token the answer is cut into tokens on its own: the prompt's ids
    must be those that the model meets when it is asked.
    """
    eos = base.tokenizer.eos_token_id
    if base.seq2seq:
        return (*_plain_ids(base, answer), eos)
    text = prompt_text(base, prompt)
    whole_text = text + answer if base.chat else with_answer(text, answer)
    before, whole = _plain_ids(base, text), _plain_ids(base, whole_text)
    if whole[: len(before)] == before:
        return (*whole[len(before) :], eos)
    return (*_plain_ids(base, whole_text[len(text) :]), eos)


def _plain_ids(base: Reader, text: str) -> list[int]:
    ids: list[int] = base.tokenizer(text, add_special_tokens=False).input_ids
    return ids


def _spans(base: Reader, text: str) -> Sequence[Span]:
    """Where each token of a text begins and ends; a tokenizer that cannot say gets one per character."""
    if not base.tokenizer.is_fast:
        return [(at, at + 1) for at in range(len(text))]
    spans: list[Span] = base.tokenizer(
        text, add_special_tokens=False, return_offsets_mapping=True
    ).offset_mapping
    return spans
