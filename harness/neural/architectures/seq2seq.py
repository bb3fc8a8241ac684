"""Encoder-decoders: an encoder reads the prompt; a decoder writes the answer and attends to the encoder's states."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from harness.neural.architectures import (
    IGNORED,
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

if TYPE_CHECKING:
    import torch
    from transformers import DynamicCache, PreTrainedConfig


def _recognises(config: Mapping[str, Any]) -> bool:
    return bool(config.get("is_encoder_decoder"))


def _prompt_room(window: int | None, answer_tokens: int) -> int | None:
    """Return the whole window: an encoder's prompt does not share it with the answer."""
    return window


def _prompt_ids(reader: Reader, text: str) -> tuple[int, ...]:
    """Return a prompt's tokens, with the end that the tokenizer adds."""
    return tuple(reader.tokenizer(text).input_ids)


def _answer_ids(reader: Reader, text: str, answer: str) -> tuple[int, ...]:
    """Return the answer's tokens, which do not depend on the prompt: the decoder's row has no prompt.

    They begin as every text of the tokenizer does: BART has learnt answers that begin with BOS, behind the start token.
    """
    ids = plain_ids(reader, answer)
    return ids if reader.bos is None else (reader.bos, *ids)


def _decoder_start(base: TorchModel) -> int:
    """Return the token that every answer begins with."""
    given = base.model.config.decoder_start_token_id
    return int(given if given is not None else base.pad)


def _logits(base: TorchModel, batch: Sequence[TokenPair], model: Any) -> "tuple[torch.Tensor, torch.Tensor]":
    """Return logits [answer tokens, vocabulary] and the answer's tokens; the decoder reads the answer shifted by one."""
    from harness.neural.padding import filled

    prompts = filled([pair.prompt for pair in batch], base.pad, base.device)
    seen = filled([(1,) * len(pair.prompt) for pair in batch], 0, base.device)
    labels = filled([pair.answer for pair in batch], IGNORED, base.device)
    asked = labels != IGNORED
    start = _decoder_start(base)
    read = filled([(start, *pair.answer[:-1]) for pair in batch], base.pad, base.device)
    logits = model(
        input_ids=prompts,
        attention_mask=None if bool(seen.all()) else seen,
        decoder_input_ids=read,
        use_cache=False,
    ).logits
    return logits[asked], labels[asked]


def _option_logits(
    base: TorchModel,
    prompts: Sequence[tuple[int, ...]],
    options: Sequence[Sequence[tuple[int, ...]]],
    begun: "DynamicCache | None",
) -> "tuple[torch.Tensor, torch.Tensor]":
    """Return logits [option tokens, vocabulary] and those tokens; the encoder reads each prompt once."""
    import torch

    from harness.neural.padding import filled

    ids = filled(prompts, base.pad, base.device)
    seen = filled([(1,) * len(prompt) for prompt in prompts], 0, base.device)
    states = base.model.get_encoder()(input_ids=ids, attention_mask=seen).last_hidden_state
    counts = torch.tensor([len(texts) for texts in options], device=base.device)
    answers = [text for texts in options for text in texts]
    labels = filled(answers, IGNORED, base.device)
    asked, start = labels != IGNORED, _decoder_start(base)
    logits = base.model(
        encoder_outputs=(states.repeat_interleave(counts, dim=0),),
        attention_mask=seen.repeat_interleave(counts, dim=0),
        decoder_input_ids=filled([(start, *text[:-1]) for text in answers], base.pad, base.device),
        use_cache=False,
    ).logits
    return logits[asked], labels[asked]


def _layout(longest: int, window: int | None) -> Layout:
    return Layout(column=1, prompt_columns=longest, window=None)


def _mixes_ages(config: "PreTrainedConfig") -> bool:
    """Return whether positions are relative; absolute positions count from the start of the batch."""
    return hasattr(config, "relative_attention_num_buckets")


def _read(base: TorchModel, prompts: Sequence[tuple[int, ...]], begun: "DynamicCache | None") -> ReadPrompts:
    """Return the logits and caches of some prompts, read by the encoder; the decoder has read the start token."""
    import torch
    from transformers import EncoderDecoderCache

    from harness.neural.cache import reading_cache
    from harness.neural.padding import sent

    longest = max(map(len, prompts))
    ids = torch.full((len(prompts), longest), base.pad)
    seen = torch.zeros(len(prompts), longest, dtype=torch.long)
    for row, prompt in enumerate(prompts):
        ids[row, : len(prompt)] = torch.tensor(prompt)
        seen[row, : len(prompt)] = 1
    ids, seen = sent(ids, base.device), sent(seen, base.device)
    config = base.model.config
    cache = EncoderDecoderCache(reading_cache(config), reading_cache(config))
    logits = base.model(
        encoder_outputs=(base.model.get_encoder()(input_ids=ids, attention_mask=seen).last_hidden_state,),
        attention_mask=seen,
        decoder_input_ids=torch.full((len(prompts), 1), _decoder_start(base), device=base.device),
        past_key_values=cache,
        use_cache=True,
    ).logits[:, -1]
    return ReadPrompts(
        logits=logits,
        decoder=cache.self_attention_cache,
        encoder=cache.cross_attention_cache,
        tokens=(1,) * len(prompts),
    )


def _step(rows: RowsInFlight) -> "torch.Tensor":
    import torch
    from transformers import EncoderDecoderCache

    assert rows.encoder is not None
    asked = rows.encoder.get_seq_length()
    # Only the shape of the encoder's states counts: the decoder attends to their keys and values in the cache.
    states = torch.zeros(1, 1, 1, device=rows.base.device).expand(len(rows.next), asked, 1)
    logits: torch.Tensor = rows.base.model(
        encoder_outputs=(states,),
        attention_mask=rows.prompt_seen[:, :asked],
        decoder_input_ids=rows.next,
        decoder_attention_mask=rows.visible,
        past_key_values=EncoderDecoderCache(rows.decoder, rows.encoder),
        use_cache=True,
    ).logits
    return logits[:, -1]


ARCHITECTURE = Architecture(
    name="seq2seq",
    auto_class="AutoModelForSeq2SeqLM",
    hub_task="text2text-generation",
    about="an encoder-decoder",
    # peft 0.21's wrapper for SEQ_2_SEQ_LM asks for a method that transformers 5.23 has renamed; the plain one serves.
    peft_task_type=None,
    recognises=_recognises,
    prompt_room=_prompt_room,
    prompt_ids=_prompt_ids,
    writing=Writing(
        answer_ids=_answer_ids,
        exact_ids=_answer_ids,
        logits=_logits,
        option_logits=_option_logits,
        reads_texts=False,
        answer_code="output[0]",
        padding_side="right",
        layout=_layout,
        mixes_ages=_mixes_ages,
        read_prefix=None,
        read=_read,
        step=_step,
    ),
)
