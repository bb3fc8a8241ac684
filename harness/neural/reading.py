"""How a checkpoint reads a prompt: its tokenizer, chat template and window, without its weights."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from harness.checkpoints.window import UNBOUNDED, context_window
from harness.errors import ModelError
from harness.neural import architectures
from harness.neural.architectures import Architecture
from harness.types import Model


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """All that turns prompts into tokens (`architectures.Reader`), without the model."""

    name: str
    tokenizer: Any
    architecture: Architecture
    chat: bool  # prompts go through the tokenizer's chat template
    bos: int | None  # the token that every prompt begins with, where the tokenizer adds it
    window: int | None  # tokens that fit; None: no limit is known
    end: int | None  # the token that ends a training example; None: the model has no such token


def reading(folder: Path, model: Model) -> Reading:
    """Return the reader of a checkpoint in a folder; ModelError where its tokenizer cannot be loaded.

    Code that comes with a checkpoint is not run: a checkpoint that needs it raises ModelError too.
    """
    from harness.neural.parts import read_config, read_tokenizer

    where = f"model {model.name}: {folder}"
    config = read_config(folder, where, trust=False)
    tokenizer = read_tokenizer(folder, where, trust=False)
    text_config = config.get_text_config()
    ends = end_tokens(tokenizer.eos_token_id, configured_end(config), below=text_config.vocab_size)
    return Reading(
        name=model.name,
        tokenizer=tokenizer,
        architecture=architectures.of(config.to_dict()),
        chat=uses_chat(model, tokenizer),
        bos=first_token(tokenizer),
        window=window(text_config.to_dict(), tokenizer),
        end=next(iter(ends), None),
    )


@contextmanager
def without_warnings() -> Iterator[None]:
    """Silence transformers for as long as the block runs.

    It warns of each text that is longer than a window, and prints a table of missing tensors; callers report both.
    """
    from transformers.utils import logging

    before = logging.get_verbosity()
    logging.set_verbosity_error()  # type: ignore[no-untyped-call]
    try:
        yield
    finally:
        logging.set_verbosity(before)


def window(config: Mapping[str, object], tokenizer: Any) -> int | None:
    """Return the number of tokens that fit: the configuration's limit, or else the tokenizer's."""
    found = context_window(config)
    if found is not None:
        return found
    limit = tokenizer.model_max_length
    return int(limit) if limit and limit < UNBOUNDED else None


def uses_chat(model: Model, tokenizer: Any) -> bool:
    """Return whether prompts go through the chat template; ModelError for `chat: on` without a template."""
    has_template = bool(getattr(tokenizer, "chat_template", None))
    if model.chat == "on" and not has_template:
        raise ModelError(
            f"model {model.name}: chat: on, but its tokenizer has no chat template; use chat: auto or off"
        )
    return has_template and model.chat != "off"


def configured_end(config: Any) -> object:
    """Return what a configuration names as its end-of-sequence tokens."""
    return getattr(config, "eos_token_id", getattr(config.get_text_config(), "eos_token_id", None))


def end_tokens(*named: object, below: int) -> tuple[int, ...]:
    """Return the tokens that end an answer, each once, in the order of their sources: one token or a list of each.

    Some configurations write -1, or a number past the vocabulary, for none.
    """
    each = (token for ids in named for token in (ids if isinstance(ids, list | tuple) else [ids]))
    return tuple(dict.fromkeys(token for token in each if isinstance(token, int) and 0 <= token < below))


def first_token(tokenizer: Any) -> int | None:
    """Return the token that the tokenizer puts before every text; None where it adds none."""
    ids = tokenizer("a").input_ids
    return tokenizer.bos_token_id if ids and ids[0] == tokenizer.bos_token_id else None
