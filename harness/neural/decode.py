"""Prompts to answers: batches of like lengths, one token at a time, and rows that are done leave their batch."""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, cast

import torch
from transformers import DynamicCache, EncoderDecoderCache

from harness.digest import digest, text_digest
from harness.neural.cache import roomy_cache
from harness.neural.encode import Encoded, encode, room
from harness.neural.load import Base
from harness.types import Decode, Finish, Generation, Overflow, Prompt

LEAVE = 0.25  # share of a batch that is done when it leaves; 0.05 to 0.5 take alike, never up to a third more


def write(
    base: Base,
    prompts: Sequence[Prompt],
    decode: Decode,
    overflow: Overflow,
    batch_tokens: int,  # prompt and answer tokens in flight at once
    done: Collection[str] = frozenset(),  # sample ids that are answered already
) -> Iterator[Generation]:
    """The answers, as they finish.

    Whoever goes on after a crash gives all prompts again, and in `done` those that are answered: the batches are then
    what they were, and so is the last bit of every logit. What a checkpoint's own generation config says about
    sampling or penalties is not followed.
    """
    encoded: list[Encoded] = []
    for prompt in prompts:
        one = encode(base, prompt, overflow, room(base, decode.max_new_tokens))
        if one is not None:
            encoded.append(one)
        elif prompt.sample_id not in done:
            yield Generation(
                sample_id=prompt.sample_id, text="", finish="refused", prompt_digest=text_digest(prompt.text)
            )
    for batch in batches([len(one.ids) for one in encoded], decode.max_new_tokens, batch_tokens):
        rows = [encoded[at] for at in batch]
        if all(row.sample_id in done for row in rows):
            continue
        for generation in _with_less_memory(base, rows, decode):
            if generation.sample_id not in done:
                yield generation


def batches(lengths: Sequence[int], max_new_tokens: int, batch_tokens: int) -> list[list[int]]:
    """Positions in batches of about one length, the longest first: what does not fit shows at once."""
    found: list[list[int]] = []
    limit = 0
    for at in sorted(range(len(lengths)), key=lambda at: (-lengths[at], at)):
        if not found or len(found[-1]) == limit:
            found.append([])
            limit = max(1, batch_tokens // (lengths[at] + max_new_tokens))
        found[-1].append(at)
    return found


def _with_less_memory(base: Base, rows: list[Encoded], decode: Decode) -> Iterator[Generation]:
    """Answers a batch; one that does not fit the GPU's memory is halved."""
    told: set[str] = set()
    try:
        for generation in _answer(base, rows, decode):
            told.add(generation.sample_id)
            yield generation
        return
    except torch.cuda.OutOfMemoryError:
        if len(rows) == 1:
            raise
    torch.cuda.empty_cache()
    rest = [row for row in rows if row.sample_id not in told]
    middle = (len(rest) + 1) // 2
    for half in (rest[:middle], rest[middle:]):
        if half:
            yield from _with_less_memory(base, half, decode)


@dataclass(slots=True)
class Row:
    """An answer on its way."""

    prompt: Encoded
    output: list[int] = field(default_factory=list)
    finish: Finish | None = None


@torch.no_grad()  # not inference_mode: some rotary embeddings keep tensors, which training then could not use
def _answer(base: Base, encoded: Sequence[Encoded], decode: Decode) -> Iterator[Generation]:
    """Answers one batch."""
    rows = [Row(prompt=one) for one in encoded]  # of the batch as it is now
    chance = _chance(rows, decode, base.device) if decode.temperature > 0 else None
    state = _start(base, rows)
    for step in range(decode.max_new_tokens):
        logits = _forward(base, state)
        tokens = _choose(logits, decode, None if chance is None else chance[:, step])
        for row, token in zip(rows, tokens.tolist(), strict=True):
            if row.finish is None:
                row.finish = _append(base, row, token, decode)
                if row.finish is not None:
                    yield _generation(base, row, decode)
        left = [at for at, row in enumerate(rows) if row.finish is None]
        if not left:
            return
        state.next = tokens[:, None]
        if len(rows) - len(left) >= LEAVE * len(rows):
            keep = torch.tensor(left, device=base.device)
            state.select(keep)
            rows = [rows[at] for at in left]
            chance = None if chance is None else chance[keep]
    for row in rows:
        if row.finish is None:
            yield _generation(base, row, decode)


@dataclass(slots=True)
class State:
    """What the model has read so far. [rows, ...] all."""

    next: torch.Tensor  # int64 [rows, tokens] to read now
    mask: torch.Tensor  # int64 [rows, tokens read and to read]; of a seq2seq model the encoder's
    cache: Any
    encoder_states: torch.Tensor | None = None  # [rows, prompt tokens, width]

    def select(self, keep: torch.Tensor) -> None:
        self.next, self.mask = self.next[keep], self.mask[keep]
        if self.encoder_states is not None:
            self.encoder_states = self.encoder_states[keep]
        self.cache.batch_select_indices(keep)


def _start(base: Base, rows: Sequence[Row]) -> State:
    """Prompts are filled up on the left where answers follow them in the same row, on the right for an encoder."""
    longest = max(len(row.prompt.ids) for row in rows)
    ids, mask = [], []
    for row in rows:
        fill = longest - len(row.prompt.ids)
        if base.seq2seq:
            ids.append([*row.prompt.ids, *[base.pad] * fill])
            mask.append([1] * len(row.prompt.ids) + [0] * fill)
        else:
            ids.append([*[base.pad] * fill, *row.prompt.ids])
            mask.append([0] * fill + [1] * len(row.prompt.ids))
    prompt = torch.tensor(ids, device=base.device)
    seen = torch.tensor(mask, device=base.device)
    config = base.model.config
    if not base.seq2seq:
        return State(next=prompt, mask=seen, cache=roomy_cache(config))
    states = base.model.get_encoder()(input_ids=prompt, attention_mask=seen).last_hidden_state
    first = torch.full((len(rows), 1), decoder_start(base), device=base.device)
    cache = EncoderDecoderCache(roomy_cache(config), DynamicCache(config=config))
    return State(next=first, mask=seen, cache=cache, encoder_states=states)


def decoder_start(base: Base) -> int:
    given = base.model.config.decoder_start_token_id
    return int(given if given is not None else base.pad)


def _forward(base: Base, state: State) -> torch.Tensor:  # [rows, vocabulary], of the last token
    if state.encoder_states is not None:
        read = base.model(
            encoder_outputs=(state.encoder_states,),
            attention_mask=state.mask,
            decoder_input_ids=state.next,
            past_key_values=state.cache,
            use_cache=True,
        )
        return cast(torch.Tensor, read.logits[:, -1])
    positions = (state.mask.cumsum(-1) - 1).clamp(min=0)[:, -state.next.shape[1] :]
    read = base.model(
        input_ids=state.next,
        attention_mask=state.mask,
        position_ids=positions,
        past_key_values=state.cache,
        use_cache=True,
        logits_to_keep=1,
    )
    state.mask = torch.cat([state.mask, state.mask.new_ones(len(state.mask), 1)], dim=-1)
    return cast(torch.Tensor, read.logits[:, -1])


def _choose(
    logits: torch.Tensor, decode: Decode, chance: torch.Tensor | None
) -> torch.Tensor:  # int64 [rows]
    if chance is None:
        return logits.argmax(-1)
    likely, order = (logits.float() / decode.temperature).softmax(-1).sort(descending=True, stable=True)
    total = likely.cumsum(-1)
    likely = likely.masked_fill(total - likely >= decode.top_p, 0.0)  # the first always stays
    total = likely.cumsum(-1)
    at = torch.searchsorted(total, (chance * total[:, -1])[:, None], right=True)
    return order.gather(-1, at.clamp(max=logits.shape[-1] - 1))[:, 0]


def _chance(rows: Sequence[Row], decode: Decode, device: torch.device) -> torch.Tensor:  # [rows, new tokens]
    """Every sample has random numbers of its own, so that they do not depend on its company."""
    drawn = []
    for row in rows:
        generator = torch.Generator().manual_seed(int(digest(decode.seed, row.prompt.sample_id)[:15], 16))
        drawn.append(torch.rand(decode.max_new_tokens, generator=generator))
    return torch.stack(drawn).to(device)


def _append(base: Base, row: Row, token: int, decode: Decode) -> Finish | None:
    """Takes a token into an answer; says if it was the last."""
    if token in base.ends:
        return "stop"
    row.output.append(token)
    stopped = decode.stop and any(stop in _text(base, row.output) for stop in decode.stop)
    return "stop" if stopped else None


def _text(base: Base, output: Sequence[int]) -> str:
    text: str = base.tokenizer.decode(output, skip_special_tokens=True, clean_up_tokenization_spaces=False)
    return text


def _generation(base: Base, row: Row, decode: Decode) -> Generation:
    text = _text(base, row.output)
    for stop in decode.stop:
        text = text.partition(stop)[0]
    return Generation(
        sample_id=row.prompt.sample_id,
        text=text.strip(),
        prompt_tokens=len(row.prompt.ids),
        output_tokens=len(row.output),
        truncated_tokens=row.prompt.truncated_tokens,
        finish=row.finish or "length",
        prompt_digest=text_digest(row.prompt.text),
    )
