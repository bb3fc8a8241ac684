"""Prompts and answers to token ids: the same prompt has the same ids in training and when the model is asked."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice

from transformers import PreTrainedTokenizerBase

from harness.errors import ModelError
from harness.neural.architectures import Reader, room_of, writing
from harness.neural.foreign import readable_errors
from harness.sandbox.templates import Chat, ChatTemplate, chat_template
from harness.tasks.chat import messages
from harness.tasks.prompts import Span, fit
from harness.types import Overflow, Prompt

PROBE = Prompt(sample_id="probe", before="", input="Anna will bring the car on Monday.", after="")
BLOCK = 64  # prompts that go through a chat template together


@dataclass(frozen=True, slots=True, kw_only=True)
class Encoded:
    """A prompt exactly as the model gets it."""

    sample_id: str
    text: str  # as the tokenizer gets it: with the chat template and the shortened input
    ids: tuple[int, ...]
    truncated_tokens: int  # tokens cut from the input


@dataclass(frozen=True, slots=True, kw_only=True)
class Pair:
    """A training example in tokens."""

    sample_id: str
    prompt: tuple[int, ...]
    answer: tuple[int, ...]  # ends with end-of-sequence, where the model has such a token
    truncated_tokens: int

    @property
    def tokens(self) -> int:
        """Return the number of tokens of prompt and answer."""
        return len(self.prompt) + len(self.answer)


def encode(base: Reader, prompt: Prompt, overflow: Overflow, budget: int | None) -> Encoded | None:
    """Return the prompt in at most `budget` tokens; None where it is too long and may not, or cannot, be shortened."""
    ids = prompt_ids(base, text := prompt_text(base, prompt))
    if budget is None or len(ids) <= budget:
        return Encoded(sample_id=prompt.sample_id, text=text, ids=ids, truncated_tokens=0)
    shorter = fit(
        prompt,
        budget,
        lambda shortened: len(prompt_ids(base, prompt_text(base, shortened))),
        lambda part: _spans(base, part),
        overflow,
    )
    if shorter is None:
        return None
    kept = prompt_ids(base, text := prompt_text(base, shorter))
    return Encoded(sample_id=prompt.sample_id, text=text, ids=kept, truncated_tokens=len(ids) - len(kept))


def pair(
    base: Reader,
    prompt: Prompt,
    answer: str,
    overflow: Overflow,
    max_tokens: int,
    stop: str = "",  # ends the answer where the model has no end-of-sequence token
) -> Pair | None:
    """Return a training example of at most `max_tokens` tokens; None where only a shorter answer would fit.

    An answer ends with end-of-sequence; without such a token, with the stop string.
    """
    found = pairs(base, prompt, (answer,), overflow, max_tokens, stop)
    return None if found is None else found[0]


def pairs(
    base: Reader, prompt: Prompt, answers: Sequence[str], overflow: Overflow, max_tokens: int, stop: str = ""
) -> tuple[Pair, ...] | None:
    """Return a training example for each answer to the same prompt, shortened alike; None where it cannot be made to fit.

    The prompt leaves room for the longest answer.
    """
    text = prompt_text(base, prompt)
    if base.end is None:
        found = [answer_ids(base, prompt, text, answer + stop) for answer in answers]
    else:
        found = [(*answer_ids(base, prompt, text, answer), base.end) for answer in answers]
    longest = max(map(len, found))
    budget = max_tokens - longest
    left = base.architecture.prompt_room(base.window, longest)
    if left is not None:
        if left < 1:
            return None
        budget = min(budget, left)
    encoded = encode(base, prompt, overflow, budget)
    if encoded is None:
        return None
    # A text without a prompt, to a model without BOS: nothing comes before its first token, which is only read.
    read = 0 if encoded.ids else 1
    if min(map(len, found)) <= read:
        return None
    return tuple(
        Pair(
            sample_id=prompt.sample_id,
            prompt=encoded.ids or ids[:read],
            answer=ids[read:],
            truncated_tokens=encoded.truncated_tokens,
        )
        for ids in found
    )


def answer_ids(base: Reader, prompt: Prompt, text: str, answer: str) -> tuple[int, ...]:
    """Return an answer's tokens behind a prompt, whose text the tokenizer gets."""
    how = writing(base)
    return (how.exact_ids if prompt.exact else how.answer_ids)(base, text, answer)


def room(base: Reader, answer_tokens: int) -> int | None:
    """Return how many tokens a prompt may have before an answer; None where any number fits.

    Raises ModelError where no prompt would be left.
    """
    return room_of(base.architecture, base.window, answer_tokens, base.name)


def ahead(base: Reader, prompts: Iterable[Prompt]) -> Iterator[Prompt]:
    """Yield the prompts unchanged; a block of prompts at a time is rendered by the chat template ahead of its use."""
    left = iter(prompts)
    while block := tuple(islice(left, BLOCK)):
        if base.chat and _has_plain_template(base):
            template = _chat_template(base)
            template.render_ahead([_chat(template, prompt) for prompt in block])
        yield from block


def prompt_text(base: Reader, prompt: Prompt) -> str:
    """Return the text that the tokenizer gets: the prompt, in the chat template where the model uses it."""
    if not base.chat:
        return prompt.text
    if _has_plain_template(base):
        template = _chat_template(base)
        return template.render(_chat(template, prompt))
    chat = [{"role": turn.role, "content": turn.text} for turn in messages(prompt)]
    with readable_errors(
        f"{base.name}: its chat template fails", "correct chat_template, or set `chat: off`"
    ):
        text: str = base.tokenizer.apply_chat_template(chat, tokenize=False, add_generation_prompt=True)
    return text


def _chat(template: ChatTemplate, prompt: Prompt) -> Chat:
    """Return a prompt as a chat; a system text stands before the first turn where the template has no role for it."""
    return messages(prompt, system_role=not prompt.system or template.has_system_role)


def check_chat(base: Reader) -> None:
    """Raise ModelError where the chat template fails, or leaves out the user's message.

    Space and case may differ: some templates trim a message.
    """
    text = prompt_text(base, PROBE)
    if base.chat and _letters(PROBE.text) not in _letters(text):
        where = base.tokenizer.name_or_path or base.name
        raise ModelError(
            f"{where}: its chat template leaves out the user's message; correct it, or set `chat: off`"
        )


def _letters(text: str) -> str:
    return "".join(text.split()).casefold()


def _has_plain_template(base: Reader) -> bool:
    """Return whether the tokenizer renders chats by transformers' own code."""
    return type(base.tokenizer).apply_chat_template is PreTrainedTokenizerBase.apply_chat_template


def _chat_template(base: Reader) -> ChatTemplate:
    where = base.tokenizer.name_or_path or base.name
    return chat_template(where, _template(where, base.tokenizer), base.tokenizer.special_tokens_map)


def _template(where: str, tokenizer: PreTrainedTokenizerBase) -> str:
    try:
        found: str = tokenizer.get_chat_template()
    except ValueError as error:
        raise ModelError(f"{where}: several chat templates and no default; set `chat: off`") from error
    if not isinstance(found, str):
        raise ModelError(f"{where}: the chat template in tokenizer_config.json is not text; set `chat: off`")
    return found


def prompt_ids(base: Reader, text: str) -> tuple[int, ...]:
    """Return the tokens of a prompt's text, with the special tokens that the architecture puts around it."""
    return base.architecture.prompt_ids(base, text)


def _spans(base: Reader, text: str) -> Sequence[Span]:
    """Return where each token of a text begins and ends; for a tokenizer without offsets, one span for each character."""
    if not base.tokenizer.is_fast:
        return [(at, at + 1) for at in range(len(text))]
    spans: list[Span] = base.tokenizer(
        text, add_special_tokens=False, return_offsets_mapping=True
    ).offset_mapping
    return spans
