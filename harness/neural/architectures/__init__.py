"""Architectures of text models: each a file with an `ARCHITECTURE`, which says how such a model is loaded, asked and taught.

    config.json ─ of ─▶ Architecture ─ prompt_ids ─▶ token ids ─ writing: layout, read, step ─▶ an answer, token by token
                                                              └ writing: answer_ids, logits ─▶ a training loss

Which architecture a checkpoint has, only `of` decides. Another package's architecture is found by its entry point in the
group `harness.architectures`. Reports and plans ask architectures too, so no file here imports torch before a function
needs it.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, Protocol

from harness import plugins
from harness.checkpoints.window import too_long
from harness.errors import ModelError

if TYPE_CHECKING:
    import torch
    from transformers import DynamicCache, PreTrainedConfig

USUAL = "causal"  # what a checkpoint is that no other architecture recognises
IGNORED = -100  # the label of a token that has no loss


class Reader(Protocol):
    """What turns prompts into tokens."""

    @property
    def name(self) -> str: ...
    @property
    def tokenizer(self) -> Any: ...  # transformers' tokenizers share no useful type
    @property
    def architecture(self) -> "Architecture": ...
    @property
    def chat(self) -> bool: ...  # prompts go through the tokenizer's chat template
    @property
    def bos(self) -> int | None: ...  # the token that every prompt begins with
    @property
    def window(self) -> int | None: ...  # tokens; None: no limit is known


class LoadedModel(Reader, Protocol):
    """A model in memory."""

    @property
    def model(self) -> Any: ...
    @property
    def device(self) -> "torch.device": ...
    @property
    def pad(self) -> int: ...  # the token that fills rows up


class TokenPair(Protocol):
    """A prompt and the answer to learn, in tokens."""

    @property
    def prompt(self) -> tuple[int, ...]: ...
    @property
    def answer(self) -> tuple[int, ...]: ...  # ends with end-of-sequence


@dataclass(frozen=True, slots=True, kw_only=True)
class Layout:
    """The columns of a batch of answers."""

    column: int  # the first that a step fills: a row's tokens end before it when its answer begins
    prompt_columns: int  # of the encoder; 0: there is none
    window: int | None  # positions that the decoder can tell apart; None: no limit is known


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadPrompts:
    """What reading some prompts left behind."""

    logits: "torch.Tensor"  # [rows, vocabulary], of each prompt's last token
    decoder: "DynamicCache"  # of all tokens, filled up on the right
    encoder: "DynamicCache | None" = None  # what a decoder with an encoder looks at
    tokens: tuple[int, ...]  # of each row in `decoder`


class RowsInFlight(Protocol):
    """A batch of answers that are a token short, [rows, …] all."""

    @property
    def base(self) -> LoadedModel: ...

    next: "torch.Tensor"  # int64 [rows, 1]: the token to read
    position: "torch.Tensor"  # int64 [rows, 1]: of that token
    decoder: "DynamicCache | None"
    encoder: "DynamicCache | None"
    prompt_seen: "torch.Tensor"  # int64 [rows, prompt columns]: 1 for a token of an encoder's prompt

    @property
    def visible(self) -> "torch.Tensor": ...  # int64 [rows, columns]: 1 for a token of the row


@dataclass(frozen=True, slots=True, kw_only=True)
class Writing:
    """How a model writes answers, and how it learns to."""

    # Prompt, answer -> the answer's tokens, without end-of-sequence.
    answer_ids: Callable[[Reader, str, str], tuple[int, ...]]
    # Model, examples, the module to call -> logits [answer tokens, vocabulary] and those tokens.
    logits: "Callable[[LoadedModel, Sequence[TokenPair], Any], tuple[torch.Tensor, torch.Tensor]]"
    answer_code: str  # Python: the answer's tokens in transformers' `output` for `inputs`
    padding_side: Literal["left", "right"]  # of prompts, for transformers' own `generate`
    layout: Callable[[int, int | None], Layout]  # longest prompt, window -> the columns of a batch
    # Whether rows of one batch may have different ages, where all layers keep keys and values.
    mixes_ages: Callable[["PreTrainedConfig"], bool]
    # What all prompts begin with, read once, as one row; None: a prompt can only be read whole.
    read_prefix: "Callable[[LoadedModel, Sequence[int]], DynamicCache] | None"
    # Prompts, read from behind the prefix that the cache holds.
    read: "Callable[[LoadedModel, Sequence[tuple[int, ...]], DynamicCache | None], ReadPrompts]"
    step: "Callable[[RowsInFlight], torch.Tensor]"  # one token of every row -> logits [rows, vocabulary]


@dataclass(frozen=True, slots=True, kw_only=True)
class Architecture:
    """How a text model is built: what transformers, peft and the hub call it, and where its tokens go."""

    name: str
    auto_class: str  # of transformers, which loads it
    hub_task: str  # what the hub calls what it does
    peft_task_type: str | None  # None: peft wraps the model by its class alone
    recognises: Callable[[Mapping[str, Any]], bool]  # config.json -> whether the checkpoint is built so
    # Window, answer tokens -> the tokens that a prompt may have, 0 or less where none would be left; None: any number.
    prompt_room: Callable[[int | None, int], int | None]
    prompt_ids: Callable[[Reader, str], tuple[int, ...]]
    writing: Writing | None  # None: it writes no text


def find(name: str, where: str = "") -> Architecture:
    """Return the architecture of that name; UnknownName where there is none, ModelError where its plug-in is unsound."""
    module = plugins.find("architectures", name, where)
    architecture = getattr(module, "ARCHITECTURE", None)
    if not isinstance(architecture, Architecture):
        raise ModelError(
            f"the plug-in {name!r} ({module.__name__}) is no architecture: it has no `ARCHITECTURE = "
            "harness.neural.architectures.Architecture(…)`"
        )
    if architecture.name != name:
        raise ModelError(
            f"the plug-in {name!r} ({module.__name__}) is no architecture of that name: its ARCHITECTURE is named "
            f"{architecture.name!r}"
        )
    return architecture


def of(config: Mapping[str, Any]) -> Architecture:
    """Return the architecture of the checkpoint with this config.json; the package's own are asked first."""
    own = plugins.own_names("architectures")
    others = (name for name in plugins.names("architectures") if name not in own)
    special = (find(name) for name in (*own, *others) if name != USUAL)
    return next((architecture for architecture in special if architecture.recognises(config)), find(USUAL))


def room_of(architecture: Architecture, window: int | None, answer_tokens: int, name: str) -> int | None:
    """Return how many tokens a prompt may have before an answer; None where any number fits.

    Raises ModelError where no prompt would be left.
    """
    found = architecture.prompt_room(window, answer_tokens)
    if window is not None and found is not None and found < 1:
        raise ModelError(too_long(name, window, answer_tokens))
    return found


def writing(reader: Reader) -> Writing:
    """Return how the model writes; ModelError where it writes no text."""
    found = reader.architecture.writing
    if found is None:
        raise ModelError(
            f"{reader.name}: a model of architecture {reader.architecture.name!r} writes no text"
        )
    return found


def plain_ids(reader: Reader, text: str) -> tuple[int, ...]:
    """Return a text's tokens without those that the tokenizer puts around it."""
    return tuple(reader.tokenizer(text, add_special_tokens=False).input_ids)
