"""Architectures of text models: each file has an `ARCHITECTURE`, which says how such a model is loaded, asked and trained.

    config.json ─ of ─▶ Architecture ─ prompt_ids ─▶ token ids ─ writing: layout, read, step ─▶ an answer, token by token
                                                              ├ writing: answer_ids, logits ─▶ a training loss
                                                              └ head: outputs ─▶ labels or a number

Only `of` decides which architecture a checkpoint has. Another package's architecture is found by its entry point in the
group `harness.architectures`. Reports and plans use architectures too, so no file here imports torch before a function
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

USUAL = "causal"  # the architecture of a checkpoint that no other one recognises
Ids = tuple[int, ...]  # tokens
IGNORED = -100  # the label of a token that has no loss


class Reader(Protocol):
    """All that turns prompts into tokens."""

    @property
    def name(self) -> str:
        """Return the model's name."""

    @property
    def tokenizer(self) -> Any:  # transformers' tokenizers share no useful type
        """Return the tokenizer."""

    @property
    def architecture(self) -> "Architecture":
        """Return the model's architecture."""

    @property
    def chat(self) -> bool:
        """Return whether prompts go through the tokenizer's chat template."""

    @property
    def bos(self) -> int | None:
        """Return the token that every prompt begins with; None where there is none."""

    @property
    def window(self) -> int | None:
        """Return the number of tokens that fit; None where no limit is known."""

    @property
    def end(self) -> int | None:
        """Return the token that ends a training example; None where the model has no end-of-sequence token."""


class TorchModel(Reader, Protocol):
    """A model in memory, with all that turns prompts into its tokens."""

    @property
    def model(self) -> Any:
        """Return the model as transformers loaded it."""

    @property
    def device(self) -> "torch.device":
        """Return the device that holds the weights."""

    @property
    def pad(self) -> int:
        """Return the token that fills up rows."""


class TokenPair(Protocol):
    """A prompt and the answer to learn, in tokens."""

    @property
    def prompt(self) -> tuple[int, ...]:
        """Return the prompt's tokens."""

    @property
    def answer(self) -> tuple[int, ...]:
        """Return the answer's tokens; the last is end-of-sequence, where the model has such a token."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Layout:
    """The columns of a batch of answers."""

    column: int  # the first that a step fills: the tokens of a new row end before it
    prompt_columns: int  # of the encoder; 0: there is no encoder
    window: int | None  # positions that the decoder distinguishes; None: no limit is known


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadPrompts:
    """The result of reading some prompts: logits and caches."""

    logits: "torch.Tensor"  # [rows, vocabulary], of each prompt's last token
    decoder: "DynamicCache"  # of all tokens, padded on the right
    encoder: "DynamicCache | None" = None  # of the encoder's states, where there is an encoder
    tokens: tuple[int, ...]  # of each row in `decoder`


class RowsInFlight(Protocol):
    """A batch of answers whose next token is to be computed. Every tensor is [rows, …]."""

    @property
    def base(self) -> TorchModel:
        """Return the model that answers."""

    next: "torch.Tensor"  # int64 [rows, 1]: the token to read
    position: "torch.Tensor"  # int64 [rows, 1]: of that token
    decoder: "DynamicCache | None"
    encoder: "DynamicCache | None"
    prompt_seen: "torch.Tensor"  # int64 [rows, prompt columns]: 1 for a token of an encoder's prompt

    @property
    def visible(self) -> "torch.Tensor":
        """Return int64 [rows, columns]: 1 for a token of the row."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Writing:
    """How a model writes answers, and how it learns to."""

    # Prompt, answer -> the answer's tokens, without end-of-sequence.
    answer_ids: Callable[[Reader, str, str], tuple[int, ...]]
    # The same for an answer that follows the prompt as it is, without a space between them.
    exact_ids: Callable[[Reader, str, str], tuple[int, ...]]
    # Model, examples, the module to call -> logits [answer tokens, vocabulary] and those tokens.
    logits: "Callable[[TorchModel, Sequence[TokenPair], Any], tuple[torch.Tensor, torch.Tensor]]"
    # Model, prompts, the options of each, the beginning that all prompts share -> logits [option tokens, vocabulary] and
    # those tokens, the options of the first prompt first. A prompt is read once for all of its options.
    option_logits: (
        "Callable[[TorchModel, Sequence[Ids], Sequence[Sequence[Ids]], DynamicCache | None], "
        "tuple[torch.Tensor, torch.Tensor]]"
    )
    # Whether it gives a text without a prompt a likelihood, token by token.
    reads_texts: bool
    answer_code: str  # Python: the answer's tokens in transformers' `output` for `inputs`
    padding_side: Literal["left", "right"]  # of prompts, for transformers' own `generate`
    layout: Callable[[int, int | None], Layout]  # longest prompt, window -> the columns of a batch
    # Whether rows of one batch may have different ages, where all layers keep keys and values.
    mixes_ages: Callable[["PreTrainedConfig"], bool]
    # Reads the beginning that all prompts share, once, as one row; None: a prompt can only be read whole.
    read_prefix: "Callable[[TorchModel, Sequence[int]], DynamicCache] | None"
    # Reads prompts from the end of the prefix that the cache holds.
    read: "Callable[[TorchModel, Sequence[tuple[int, ...]], DynamicCache | None], ReadPrompts]"
    step: "Callable[[RowsInFlight], torch.Tensor]"  # one token of every row -> logits [rows, vocabulary]


@dataclass(frozen=True, slots=True, kw_only=True)
class Head:
    """How a model gives the output of a head, which an adapter brings along."""

    # The model as transformers loads it, and the tensors that its checkpoint lacks -> the modules that an adapter brings.
    modules: "Callable[[Any, Sequence[str]], tuple[str, ...]]"
    # Those modules' linear map whose outputs are the labels.
    output: "Callable[[Any], str]"
    # Model, prompts, the module to call -> one row of outputs for each prompt: float32 [prompts, outputs].
    outputs: "Callable[[TorchModel, Sequence[Ids], Any], torch.Tensor]"


@dataclass(frozen=True, slots=True, kw_only=True)
class Architecture:
    """The architecture of a text model: its names in transformers, peft and on the hub, and how it is asked."""

    name: str
    auto_class: str  # of transformers, which loads it
    hub_task: str  # the hub's name for the task of such models
    peft_task_type: str | None  # None: peft wraps the model by its class alone
    recognises: Callable[[Mapping[str, Any]], bool]  # config.json -> whether the checkpoint is built so
    # Window, answer tokens -> the tokens that a prompt may have, 0 or less where none would be left; None: any number.
    prompt_room: Callable[[int | None, int], int | None]
    prompt_ids: Callable[[Reader, str], tuple[int, ...]]
    writing: Writing | None  # None: it writes no text
    head: Head | None = None  # None: it has no head for labels
    about: str = "a decoder"  # what such a model is, in words
    objective: str = "answers"  # the training objective of a recipe that names none


def find(name: str, where: str = "") -> Architecture:
    """Return the architecture of that name; UnknownName where there is none, ModelError where its plug-in is unsound."""
    module = plugins.find("architectures", name, where)
    architecture = getattr(module, "ARCHITECTURE", None)
    if not isinstance(architecture, Architecture):
        raise ModelError(
            f"the plug-in {name!r} ({module.__name__}) is not an architecture: it has no `ARCHITECTURE = "
            "harness.neural.architectures.Architecture(…)`"
        )
    if architecture.name != name:
        raise ModelError(
            f"the plug-in {name!r} ({module.__name__}) has another name: its ARCHITECTURE is named "
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


def head(reader: Reader) -> Head:
    """Return how the model gives the output of a head; ModelError where it has none."""
    found = reader.architecture.head
    if found is None:
        raise ModelError(
            f"{reader.name}: a model of architecture {reader.architecture.name!r} has no head for labels"
        )
    return found


def plain_ids(reader: Reader, text: str) -> tuple[int, ...]:
    """Return a text's tokens without those that the tokenizer puts around it."""
    return tuple(reader.tokenizer(text, add_special_tokens=False).input_ids)
