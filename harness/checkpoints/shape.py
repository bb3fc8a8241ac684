"""The sizes of a text model, from its config.json alone: how many numbers its matrices, its cache and a token need."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from harness.checkpoints.window import RELATIVE, context_window
from harness.errors import ModelError

Matrix = tuple[int, int]  # rows, columns

# Names that transformers' configurations have for a size; the first that is there counts.
HIDDEN = ("hidden_size", "n_embd", "d_model", "dim")
LAYERS = ("num_hidden_layers", "n_layer", "n_layers", "num_layers", "decoder_layers")
DECODER_LAYERS = ("num_decoder_layers", "decoder_layers", *LAYERS)
HEADS = ("num_attention_heads", "n_head", "n_heads", "num_heads", "decoder_attention_heads")
SHARED_HEADS = ("num_key_value_heads", "num_kv_heads")
HEAD_WIDTH = ("head_dim", "d_kv")
FEED_FORWARD = (
    "intermediate_size",
    "ffn_hidden_size",
    "n_inner",
    "d_ff",
    "ffn_dim",
    "decoder_ffn_dim",
    "hidden_dim",
)
MULTI_QUERY, NEW_FALCON = "multi_query", "new_decoder_architecture"
# All names of sizes that the keys and values of a token depend on.
OF_CACHE = (*DECODER_LAYERS, *HEADS, *SHARED_HEADS, *HEAD_WIDTH, *HIDDEN, MULTI_QUERY, NEW_FALCON)
VOCABULARY = "vocab_size"
# Model types whose feed-forward part has two matrices; the others multiply a third, the gate.
PLAIN = frozenset(
    "bart bloom codegen falcon gpt2 gpt_bigcode gpt_neo gpt_neox gptj mbart mpt opt pegasus phi RefinedWeb RefinedWebModel "
    "starcoder2 xglm albert bert camembert deberta deberta-v2 distilbert electra mpnet roberta xlm-roberta".split()
)
# Model types whose configuration says nothing about the head where it has weights of its own.
UNTIED = frozenset("gpt_neox gptj llama mistral mixtral olmo olmo2 phi phi3 qwen2 qwen3 stablelm".split())
# Names of the function between the matrices of the feed-forward part; "gelu_new" is composed of seven functions of torch.
ACTIVATION = ("dense_act_fn", "activation_function", "hidden_act", "hidden_activation", "activation")
COMPOSED = "gelu_new"


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelSizes:
    """The sizes of a text model."""

    hidden: int  # width of a token's state
    layers: int  # of the decoder
    stored_layers: int  # those of them that have matrices of their own: ALBERT's layers share theirs
    encoder_layers: int  # 0: there is no encoder
    heads: int
    shared_heads: int  # heads of keys and values
    head_width: int
    feed_forward: int
    gated: bool  # the feed-forward part has three matrices
    vocabulary: int
    tied: bool  # the head is the embedding
    composed: bool  # the activation function is composed of several, each of which keeps what it gives
    masked: bool  # attention reads a mask with a number for each pair of tokens
    window: int | None  # tokens that it can see at once; None: no limit is known

    @property
    def queries(self) -> int:
        """Return the width of all queries together."""
        return self.heads * self.head_width

    @property
    def keys(self) -> int:
        """Return the width of all keys together, which is that of the values."""
        return self.shared_heads * self.head_width

    @property
    def attention_matrices(self) -> tuple[Matrix, ...]:
        """Return rows and columns of the matrices of one attention."""
        h = self.hidden
        return ((self.queries, h), (self.keys, h), (self.keys, h), (h, self.queries))

    @property
    def feed_forward_matrices(self) -> tuple[Matrix, ...]:
        """Return rows and columns of the matrices of one feed-forward part."""
        h, wide = self.hidden, self.feed_forward
        return ((wide, h),) * (2 if self.gated else 1) + ((h, wide),)

    @property
    def decoder_parameters(self) -> int:
        """Return the numbers in the matrices of the decoder's layers, which each of its tokens goes through."""
        attentions = 2 if self.encoder_layers else 1
        layer = attentions * _numbers(self.attention_matrices) + _numbers(self.feed_forward_matrices)
        return self.layers * layer

    @property
    def encoder_parameters(self) -> int:
        """Return the numbers in the matrices of the encoder's layers; 0 without an encoder."""
        return self.encoder_layers * (
            _numbers(self.attention_matrices) + _numbers(self.feed_forward_matrices)
        )

    @property
    def head_parameters(self) -> int:
        """Return the numbers in the matrix that turns a state into logits."""
        return self.vocabulary * self.hidden

    @property
    def embedding_parameters(self) -> int:
        """Return the numbers in the embedding and the head, which a quantisation leaves as they are."""
        return self.head_parameters * (1 if self.tied else 2)

    @property
    def parameters(self) -> int:
        """Return the numbers in all matrices; norms and biases, under one in a hundred, are left out."""
        return self.decoder_parameters + self.encoder_parameters + self.embedding_parameters

    @property
    def keeps_attention(self) -> bool:
        """Return whether attention's matrix is kept for training: only torch's slowest kernel takes one shared head."""
        return self.shared_heads == 1 < self.heads

    @property
    def cached(self) -> int:
        """Return the keys and values of one token in all layers of the decoder."""
        return 2 * self.layers * self.keys


def shape(config: Mapping[str, Any], where: str = "config.json") -> ModelSizes:
    """Return the sizes in a config.json; raise ModelError where one is missing."""
    text = config.get("text_config")
    level = {**config, **text} if isinstance(text, Mapping) else config
    kind = str(level.get("model_type", ""))
    hidden, heads = _size(level, HIDDEN, where), _size(level, HEADS, where)
    encodes = bool(level.get("is_encoder_decoder"))
    layers = _size(level, DECODER_LAYERS if encodes else LAYERS, where)
    return ModelSizes(
        hidden=hidden,
        layers=layers,
        stored_layers=_stored_layers(level, kind, layers),
        encoder_layers=_size(level, ("num_layers", "encoder_layers"), where) if encodes else 0,
        heads=heads,
        shared_heads=shared_heads(level, heads),
        head_width=_found(level, HEAD_WIDTH) or hidden // heads,
        feed_forward=_found(level, FEED_FORWARD) or 4 * hidden,
        gated=_gated(level, kind),
        vocabulary=_size(level, (VOCABULARY,), where),
        tied=bool(level.get("tie_word_embeddings", kind not in UNTIED)),
        composed=any(level.get(name) == COMPOSED for name in ACTIVATION),
        masked=RELATIVE in level or bool(_found(level, ("sliding_window",))),
        window=context_window(level),
    )


def cached(config: Mapping[str, Any], where: str = "config.json") -> int:
    """Return the keys and values of one token in all layers of the decoder; raise ModelError where a size is missing."""
    heads = _size(config, HEADS, where)
    width = _found(config, HEAD_WIDTH) or _size(config, HIDDEN, where) // heads
    return 2 * _size(config, DECODER_LAYERS, where) * shared_heads(config, heads) * width


def shared_heads(config: Mapping[str, Any], heads: int) -> int:
    """Return how many heads of keys and values a configuration has: 1 in Falcon-7B, whose `num_kv_heads` does not count."""
    if config.get(MULTI_QUERY) and not config.get(NEW_FALCON):
        return 1
    return _found(config, SHARED_HEADS) or heads


def _stored_layers(config: Mapping[str, Any], kind: str, layers: int) -> int:
    """Return how many layers of the decoder have matrices of their own."""
    if kind != "albert":
        return layers
    return (_found(config, ("num_hidden_groups",)) or 1) * (_found(config, ("inner_group_num",)) or 1)


def _gated(config: Mapping[str, Any], kind: str) -> bool:
    said = config.get("feed_forward_proj")
    if isinstance(said, str):  # T5: "relu" in version 1.0, "gated-gelu" in Flan-T5
        return said.startswith("gated")
    return kind not in PLAIN


def _size(config: Mapping[str, Any], names: tuple[str, ...], where: str) -> int:
    found = _found(config, names)
    if found is None:
        raise ModelError(f"{where}: found no {names[0]}, which the memory of a model is estimated from")
    return found


def _found(config: Mapping[str, Any], names: tuple[str, ...]) -> int | None:
    values = (config.get(name) for name in names)
    return next((value for value in values if type(value) is int and value > 0), None)


def _numbers(matrices: tuple[Matrix, ...]) -> int:
    return sum(rows * columns for rows, columns in matrices)
