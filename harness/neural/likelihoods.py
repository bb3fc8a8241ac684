"""How likely texts are to a model: the options of a prompt, and whole texts in windows.

    prompts ─ encode ─▶ token ids ─ batches ─▶ option_logits ─▶ sums of log-probabilities ─▶ Likelihoods

A prompt is read once for all of its options. The beginning that all prompts share is read once for all prompts.
"""

import math
from collections import Counter
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass

import torch
from transformers import DynamicCache

from harness.errors import ModelError
from harness.neural.architectures import Reader, TokenPair, plain_ids, writing
from harness.neural.cache import only_attention, reading_cache
from harness.neural.decode import plain
from harness.neural.decode.sessions import common_prefix
from harness.neural.encode import Encoded, ahead, answer_ids, encode, prompt_text
from harness.neural.load import Base
from harness.neural.memory import Budget, out_of_memory
from harness.neural.not_finite import not_finite
from harness.types import Likelihood, Likelihoods, Overflow, Prompt

# Tokens of a batch from which on it is worth a forward pass of its own, and what share of them may be read again.
LEAST = {"cpu": 1024, "cuda": 16_384}
AGAIN = 0.1
PIECE_BYTES = {"cpu": 256e6, "cuda": 2e9}  # of the logits of texts that are read at once


@dataclass(frozen=True, slots=True, kw_only=True)
class PromptOptions:
    """A prompt and its options in tokens."""

    prompt: Encoded
    options: tuple[tuple[int, ...], ...]

    @property
    def tokens(self) -> int:
        """Return how many tokens the rows of the options have together."""
        return sum(len(self.prompt.ids) + len(option) for option in self.options)


@dataclass(frozen=True, slots=True, kw_only=True)
class Window:
    """A part of a text: tokens that are given, the last of them before the first that is asked."""

    sample: str
    given: tuple[int, ...]
    asked: tuple[int, ...]

    @property
    def tokens(self) -> int:
        """Return how many tokens the model reads."""
        return len(self.given) + len(self.asked) - 1


def likelihoods(
    base: Base,
    prompts: Sequence[Prompt],
    overflow: Overflow,
    budget: Budget,
    done: Collection[str] = frozenset(),
) -> Iterator[Likelihoods]:
    """Yield how likely each option of a prompt is as its answer, the longest prompts first.

    Batches are the same whatever samples are done, so a resumed run repeats every bit.
    """
    questions = []
    for prompt in ahead(base, prompts):
        asked = encode_question(base, prompt, overflow)
        if asked is not None:
            questions.append(asked)
        elif prompt.sample_id not in done:
            yield Likelihoods(sample_id=prompt.sample_id, options=())
    cached = writing(base).read_prefix is not None and only_attention(base.model.config.get_text_config())
    prefix = common_prefix([question.prompt.ids for question in questions]) if cached else ()
    begun: DynamicCache | None = None
    least = LEAST[base.device.type] if writing(base).read_prefix is not None else budget.tokens
    for batch in _batches(questions, budget.tokens, least):
        if not all(question.prompt.sample_id in done for question in batch):
            begun = begun or _begun(base, prefix)
            for found in _within(base, batch, budget, begun):
                if found.sample_id not in done:
                    yield found


def rolling(
    base: Base, prompts: Sequence[Prompt], budget: Budget, done: Collection[str] = frozenset()
) -> Iterator[Likelihoods]:
    """Yield how likely the one option of each prompt is as a text of its own.

    The first token is given BOS, or the token that ends answers where the tokenizer has no BOS. A text longer than the
    window is read in windows that share one token, except the last, which is as long as the others: as in
    lm-evaluation-harness.
    """
    first = _first(base)
    texts = {prompt.sample_id: plain_ids(base, prompt.options[0]) for prompt in prompts}
    for sample, tokens in texts.items():
        if not tokens and sample not in done:
            yield Likelihoods(sample_id=sample, options=())
    parts = [part for sample, tokens in texts.items() for part in windows(sample, tokens, first, base.window)]
    left = Counter(part.sample for part in parts)
    sums = dict.fromkeys(left, 0.0)
    for batch in _window_batches(base, parts, budget.tokens):
        if all(part.sample in done for part in batch):
            continue
        for part, logprob in zip(batch, _read(base, batch), strict=True):
            sums[part.sample] += logprob
            left[part.sample] -= 1
            if not left[part.sample] and part.sample not in done:
                option = Likelihood(logprob=sums[part.sample], tokens=len(texts[part.sample]))
                yield Likelihoods(sample_id=part.sample, options=(option,))


def windows(sample: str, tokens: tuple[int, ...], first: int, window: int | None) -> Iterator[Window]:
    """Yield the windows of a text, which ask for each of its tokens once."""
    size = window or len(tokens)
    if tokens:
        yield Window(sample=sample, given=(first,), asked=tokens[:size])
    for start in range(size, len(tokens), size or 1):
        stop = min(start + size, len(tokens))
        given = tokens[max(0, stop - size - 1) : start]
        yield Window(sample=sample, given=given, asked=tokens[start:stop])


def _window_batches(base: Base, parts: Sequence[Window], budget: int) -> Iterator[list[Window]]:
    """Yield the windows in batches whose tokens and logits fit, the longest first."""
    most = int(PIECE_BYTES[base.device.type] / 4 / base.model.config.get_text_config().vocab_size)
    ordered = sorted(parts, key=lambda part: (-part.tokens, part.sample))
    while ordered:
        count = max(1, min(budget, most) // ordered[0].tokens)
        yield ordered[:count]
        ordered = ordered[count:]


def encode_question(base: Reader, prompt: Prompt, overflow: Overflow) -> PromptOptions | None:
    """Return a prompt with its options in tokens; None where it is too long and may not, or cannot, be shortened."""
    text = prompt_text(base, prompt) if prompt.text else ""
    options = _options(base, text, prompt)
    left = base.architecture.prompt_room(base.window, max(map(len, options)))
    if left is not None and left < 1:
        return None  # the longest option alone is longer than the window
    if not prompt.text:
        empty = Encoded(sample_id=prompt.sample_id, text="", ids=(_first(base),), truncated_tokens=0)
        return PromptOptions(prompt=empty, options=options)
    encoded = encode(base, prompt, overflow, left)
    if encoded is None:
        return None
    if encoded.truncated_tokens:
        options = _options(base, encoded.text, prompt)
    return PromptOptions(prompt=encoded, options=options)


def _options(base: Reader, text: str, prompt: Prompt) -> tuple[tuple[int, ...], ...]:
    found = tuple(answer_ids(base, prompt, text, option) for option in prompt.options)
    for option, ids in zip(prompt.options, found, strict=True):
        if not ids:
            raise ModelError(
                f"{base.name}: sample {prompt.sample_id!r}: the option {option!r} has no tokens; change it"
            )
    return found


def _first(base: Reader) -> int:
    """Return the token before a text without a prompt."""
    found = base.bos if base.bos is not None else base.end
    if found is None:
        raise ModelError(f"{base.name} has neither a BOS nor an end-of-sequence token to begin a text with")
    return found


def _batches(questions: Sequence[PromptOptions], budget: int, least: int) -> Iterator[list[PromptOptions]]:
    """Yield the questions in batches of at most `budget` tokens, the longest first.

    A batch reads its prompts once as far as the shortest goes; the rest of a longer one goes along with each of its options.
    So a batch of `least` tokens or more ends where a shorter prompt would make it read more than a tenth beyond its need.
    """
    batch: list[PromptOptions] = []
    width = rows = needed = 0
    for question in sorted(
        questions, key=lambda question: (-len(question.prompt.ids), question.prompt.sample_id)
    ):
        size = len(question.prompt.ids)
        longest = size + max(map(len, question.options))
        wider, more = max(width, longest), rows + len(question.options)
        again = sum((len(one.options) - 1) * (len(one.prompt.ids) - size) for one in batch)
        if batch and (wider * more > budget or (needed >= least and again > AGAIN * needed)):
            yield batch
            batch, wider, more, needed = [], longest, len(question.options), 0
        batch.append(question)
        width, rows = wider, more
        needed += size + sum(map(len, question.options))
    if batch:
        yield batch


def _within(
    base: Base, batch: Sequence[PromptOptions], budget: Budget, begun: DynamicCache | None
) -> Iterator[Likelihoods]:
    """Yield the likelihoods of a batch; after memory has run out, of its halves."""
    try:
        sums = _sums(base, batch, begun)
    except Exception as error:
        if len(batch) == 1 or not out_of_memory(error):
            raise
        sums = None
    if sums is None:
        budget.shrink(sum(question.tokens for question in batch) // 2)
        middle = len(batch) // 2
        yield from _within(base, batch[:middle], budget, begun)
        yield from _within(base, batch[middle:], budget, begun)
        return
    left = iter(sums)
    for question in batch:
        yield Likelihoods(
            sample_id=question.prompt.sample_id,
            options=tuple(Likelihood(logprob=next(left), tokens=len(ids)) for ids in question.options),
            prompt_tokens=len(question.prompt.ids),
            truncated_tokens=question.prompt.truncated_tokens,
        )


@dataclass(frozen=True, slots=True)
class _Pair:
    prompt: tuple[int, ...]
    answer: tuple[int, ...]


@torch.no_grad()
def _begun(base: Base, prefix: tuple[int, ...]) -> DynamicCache | None:
    """Return the beginning that all prompts share, read once; None where they share none, or it cannot be kept."""
    read = writing(base).read_prefix
    return read(base, prefix) if read is not None and prefix else None


@torch.no_grad()  # not inference_mode: some rotary embeddings keep tensors, which training then could not use
def _sums(base: Base, batch: Sequence[PromptOptions], begun: DynamicCache | None) -> list[float]:
    """Return the log-likelihood of each option, in order."""
    how = writing(base)
    rows: list[TokenPair] = [
        _Pair(question.prompt.ids, ids) for question in batch for ids in question.options
    ]
    if any(_alone(base, len(row.prompt) + len(row.answer)) for row in rows):
        parts = [how.logits(base, [row], base.model) for row in rows]
        logits, labels = torch.cat([part[0] for part in parts]), torch.cat([part[1] for part in parts])
    elif how.read_prefix is not None and not only_attention(base.model.config.get_text_config()):
        logits, labels = how.logits(base, rows, base.model)
    else:
        prompts = [question.prompt.ids for question in batch]
        logits, labels = how.option_logits(base, prompts, [question.options for question in batch], begun)
    found = _logprobs(logits, labels)
    lengths = [len(ids) for question in batch for ids in question.options]
    sums = [float(part.sum()) for part in torch.split(found.double(), lengths)]
    if not all(map(math.isfinite, sums)):
        position = next(at for at, value in enumerate(sums) if not math.isfinite(value))
        owners = [question.prompt.sample_id for question in batch for _ in question.options]
        raise ModelError(_not_finite(base, owners[position]))
    return sums


def _alone(base: Base, tokens: int) -> bool:
    """Return whether a row of so many tokens must be read alone, because it changes the positions of others."""
    most = plain.tokens_in_company(base)
    return most is not None and tokens > most


def _logprobs(logits: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
    """Return the log-probability of each label, in float32 or wider.

    By logsumexp: over 49,152 tokens torch's log_softmax in float32, and so its cross entropy, is 2e-5 too high for each.
    """
    wide = logits if logits.dtype == torch.float64 else logits.float()
    return wide.gather(1, labels[:, None]).squeeze(1) - wide.logsumexp(1)


@torch.no_grad()
def _read(base: Base, batch: Sequence[Window]) -> list[float]:
    """Return the log-likelihood of each window's asked tokens."""
    if len(batch) > 1 and any(_alone(base, part.tokens) for part in batch):
        sums = [_read_in_pieces(base, part) for part in batch]
    elif len(batch) == 1:
        sums = [_read_in_pieces(base, batch[0])]
    else:
        pairs: list[TokenPair] = [_Pair(part.given, part.asked) for part in batch]
        found = _logprobs(*writing(base).logits(base, pairs, base.model))
        sums = [
            float(part.sum()) for part in torch.split(found.double(), [len(part.asked) for part in batch])
        ]
    for part, value in zip(batch, sums, strict=True):
        if not math.isfinite(value):
            raise ModelError(_not_finite(base, part.sample))
    return sums


def _read_in_pieces(base: Base, window: Window) -> float:
    """Return the log-likelihood of a window's asked tokens, read in pieces, so that the logits of a long window fit."""
    config = base.model.config
    text = config.get_text_config()
    ids = (*window.given, *window.asked)[:-1]
    labels = torch.tensor(window.asked, device=base.device)
    in_pieces = only_attention(text) and not _alone(base, window.tokens)
    cache = reading_cache(config) if in_pieces else None
    piece = max(1, int(PIECE_BYTES[base.device.type] / 4 / text.vocab_size))
    size = piece if cache is not None else len(ids)
    total, unread = 0.0, len(window.given) - 1  # tokens without a label
    for start in range(0, len(ids), size):
        part = torch.tensor([ids[start : start + size]], device=base.device)
        positions = torch.arange(start, start + part.shape[1], device=base.device)[None]
        logits = base.model(
            input_ids=part, position_ids=positions, past_key_values=cache, use_cache=cache is not None
        ).logits[0]
        skipped = max(0, unread - start)
        wanted = logits[skipped:]
        at = start + skipped - unread
        total += float(_logprobs(wanted, labels[at : at + len(wanted)]).double().sum())
    return total


def _not_finite(base: Base, sample: str) -> str:
    return not_finite(base, sample, "log-likelihoods")
