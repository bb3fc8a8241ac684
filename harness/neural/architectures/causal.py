"""Decoders: a prompt and its answer are one row of tokens; each token sees those before it."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from harness.neural.architectures import (
    Architecture,
    Layout,
    Reader,
    ReadPrompts,
    RowsInFlight,
    TokenPair,
    TorchModel,
    Writing,
    plain_ids,
)
from harness.tasks.prompts import with_answer

if TYPE_CHECKING:
    import torch
    from transformers import DynamicCache, PreTrainedConfig


def _recognises(config: Mapping[str, Any]) -> bool:
    """Return True: a checkpoint that no other architecture recognises is a decoder."""
    return True


def _prompt_room(window: int | None, answer_tokens: int) -> int | None:
    """Return how many tokens of the window an answer leaves for the prompt.

    The last token of an answer is never read, so prompt and answer together may have one token more than the window.
    """
    return None if window is None else window - max(answer_tokens - 1, 0)


def _prompt_ids(reader: Reader, text: str) -> tuple[int, ...]:
    """Return a prompt's tokens, which begin with one BOS, or none if the tokenizer puts none."""
    ids = plain_ids(reader, text)
    if reader.bos is None:
        return ids
    start = next((at for at, token in enumerate(ids) if token != reader.bos), len(ids))
    return (reader.bos, *ids[start:])


def _answer_ids(reader: Reader, text: str, answer: str) -> tuple[int, ...]:
    """Return the answer's tokens as they stand behind the prompt.

    Where the end of the prompt and the start of the answer would merge into one token, the answer is tokenized on its
    own: the prompt's ids must be the same as when the model is asked.
    """
    whole_text = text + answer if reader.chat else with_answer(text, answer)
    before, whole = plain_ids(reader, text), plain_ids(reader, whole_text)
    return (
        whole[len(before) :] if whole[: len(before)] == before else plain_ids(reader, whole_text[len(text) :])
    )


def _exact_ids(reader: Reader, text: str, answer: str) -> tuple[int, ...]:
    """Return the tokens of prompt and answer together that come after as many as the prompt has.

    Where the end of the prompt and the start of the answer merge into one token, a part of the answer is lost, as in
    lm-evaluation-harness.
    """
    return plain_ids(reader, text + answer)[len(plain_ids(reader, text)) :]


def _logits(base: TorchModel, batch: Sequence[TokenPair], model: Any) -> "tuple[torch.Tensor, torch.Tensor]":
    """Return logits [answer tokens, vocabulary] and the tokens that follow, at the positions of answers alone.

    Rows are padded on the right, which none of their tokens sees: no mask is needed. A row's last token is only a
    label: it is left out where it would stand one position past the window.
    """
    import torch

    from harness.neural.padding import filled

    ids = filled([pair.prompt + pair.answer for pair in batch], base.pad, base.device)
    asked = torch.zeros_like(ids, dtype=torch.bool)  # [rows, tokens]: the next token is the answer's
    for row, pair in enumerate(batch):
        asked[row, len(pair.prompt) - 1 : len(pair.prompt) + len(pair.answer) - 1] = True
    labels = ids.roll(-1, dims=1)[asked]
    ids, asked = ids[:, : base.window], asked[:, : base.window]
    logits = model(input_ids=ids, use_cache=False, logits_to_keep=asked).logits
    if logits.ndim == 3:  # a class without logits_to_keep returns all of them
        logits = logits[asked]
    return logits, labels


def _option_logits(
    base: TorchModel,
    prompts: Sequence[tuple[int, ...]],
    options: Sequence[Sequence[tuple[int, ...]]],
    begun: "DynamicCache | None",
) -> "tuple[torch.Tensor, torch.Tensor]":
    """Return logits [option tokens, vocabulary] and those tokens.

    The tokens that all prompts have by position, all but the last of the shortest prompt, are read once for each prompt; the
    rest of a prompt goes along with each of its options. So no row has a gap, and no mask is needed.
    """
    import torch

    from harness.neural.cache import reading_cache, repeated
    from harness.neural.padding import filled

    skip = 0 if begun is None else begun.get_seq_length()
    shared = min(map(len, prompts)) - 1
    cache = None
    if shared > 0:
        cache = reading_cache(base.model.config, begun, len(prompts))
        if shared > skip:
            ids = torch.tensor([prompt[skip:shared] for prompt in prompts], device=base.device)
            positions = torch.arange(skip, shared, device=base.device).expand(len(prompts), -1)
            base.model(
                input_ids=ids,
                position_ids=positions,
                past_key_values=cache,
                use_cache=True,
                logits_to_keep=1,
            )
        cache = repeated(base.model.config, cache, [len(texts) for texts in options])
    rows = [(prompt[shared:], text) for prompt, texts in zip(prompts, options, strict=True) for text in texts]
    ids = filled([rest + text for rest, text in rows], base.pad, base.device)
    asked = torch.zeros_like(ids, dtype=torch.bool)  # [rows, tokens]: the next token is an option's
    for row, (rest, text) in enumerate(rows):
        asked[row, len(rest) - 1 : len(rest) + len(text) - 1] = True
    labels = ids.roll(-1, dims=1)[asked]
    # The last column is only read by rows that end in it, as a label: it may lie past the window.
    ids, asked = ids[:, :-1], asked[:, :-1]
    positions = torch.arange(shared, shared + ids.shape[1], device=base.device).expand(len(rows), -1)
    logits = base.model(
        input_ids=ids,
        position_ids=positions,
        past_key_values=cache,
        use_cache=cache is not None,
        logits_to_keep=asked,
    ).logits
    if logits.ndim == 3:  # a class without logits_to_keep returns all of them
        logits = logits[asked]
    return logits, labels


def _layout(longest: int, window: int | None) -> Layout:
    return Layout(column=longest, prompt_columns=0, window=window)


def _mixes_ages(config: "PreTrainedConfig") -> bool:
    return True


def _read_prefix(base: TorchModel, prefix: Sequence[int]) -> "DynamicCache":
    import torch

    from harness.neural.cache import reading_cache

    cache = reading_cache(base.model.config)
    base.model(
        input_ids=torch.tensor([prefix], device=base.device),
        past_key_values=cache,
        use_cache=True,
        logits_to_keep=1,
    )
    return cache


def _read(base: TorchModel, prompts: Sequence[tuple[int, ...]], begun: "DynamicCache | None") -> ReadPrompts:
    """Return the logits and the cache of some prompts.

    Rows are padded on the right, which none of their tokens sees: a decoder needs no mask.
    """
    import torch

    from harness.neural.cache import reading_cache
    from harness.neural.padding import sent

    skip = 0 if begun is None else begun.get_seq_length()
    longest = max(map(len, prompts)) - skip
    ids = torch.full((len(prompts), longest), base.pad)
    last = torch.zeros(len(prompts), longest, dtype=torch.bool)
    for row, prompt in enumerate(prompts):
        own = prompt[skip:]
        ids[row, : len(own)] = torch.tensor(own)
        last[row, len(own) - 1] = True
    ids, last = sent(ids, base.device), sent(last, base.device)
    cache = reading_cache(base.model.config, begun, len(prompts))
    positions = torch.arange(skip, skip + longest, device=base.device).expand(len(prompts), -1)
    logits = base.model(
        input_ids=ids, position_ids=positions, past_key_values=cache, use_cache=True, logits_to_keep=last
    ).logits
    if logits.ndim == 3:  # a class without logits_to_keep returns all of them
        logits = logits[last]
    return ReadPrompts(logits=logits, decoder=cache, tokens=tuple(map(len, prompts)))


def _step(rows: RowsInFlight) -> "torch.Tensor":
    logits: torch.Tensor = rows.base.model(
        input_ids=rows.next,
        attention_mask=rows.visible,
        position_ids=rows.position,
        past_key_values=rows.decoder,
        use_cache=True,
        logits_to_keep=1,
    ).logits
    return logits[:, -1]


ARCHITECTURE = Architecture(
    name="causal",
    auto_class="AutoModelForCausalLM",
    hub_task="text-generation",
    peft_task_type="CAUSAL_LM",
    recognises=_recognises,
    prompt_room=_prompt_room,
    prompt_ids=_prompt_ids,
    writing=Writing(
        answer_ids=_answer_ids,
        exact_ids=_exact_ids,
        logits=_logits,
        option_logits=_option_logits,
        reads_texts=True,
        answer_code='output[0, inputs["input_ids"].shape[1] :]',
        padding_side="left",
        layout=_layout,
        mixes_ages=_mixes_ages,
        read_prefix=_read_prefix,
        read=_read,
        step=_step,
    ),
)
