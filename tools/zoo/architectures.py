"""The tiny models as data: the shape of each, its tokenizer, and how long it is trained."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Literal

from harness.errors import UnknownName

POOL = 32  # batches whose documents are sorted by length together, so that a batch has little padding
Spelling = Literal["byte-level", "sentencepiece-bpe", "unigram"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Pretraining:
    """How a model is trained from scratch."""

    steps: int
    row_steps: int = 640  # the first of them, on nothing but rows of words to say again
    batch_size: int = 32  # documents
    learning_rate: float = 8e-3  # at its highest
    warmup: float = 0.02  # share of all steps
    weight_decay: float = 0.05
    prompt_weight: float = 0.3  # of a prompt token in the loss, where an answer's token has 1
    dialogue_share: float = 0.5  # of the documents
    recital_share: float = 0.1  # of the documents; what is left are instructions
    seed: int = 0


STUDY = Pretraining(steps=1350, row_steps=0, batch_size=24, learning_rate=4e-3, seed=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Architecture:
    """One tiny model of a real family."""

    name: str
    stands_for: str  # the real model, in words
    special: str  # what makes the family itself, in words
    model_type: str  # transformers' own name of the family
    config: Mapping[str, object]  # for the family's own configuration class
    spelling: Spelling  # how its tokenizer cuts words
    pretraining: Pretraining
    study: Pretraining  # afterwards, over the data sets' training splits in other tasks than theirs
    vocabulary: int = 2304  # tokens


FALCON = Architecture(
    name="falcon-tiny",
    stands_for="Falcon-7B",
    special="one fused matrix for queries, keys and values; a single key-value head; attention and feed-forward "
    "side by side behind one layer norm; rotary positions; tied embeddings",
    model_type="falcon",
    config={
        "hidden_size": 128,
        "num_hidden_layers": 5,
        "num_attention_heads": 4,
        "new_decoder_architecture": False,
        "multi_query": True,
        "parallel_attn": True,
        "alibi": False,
        "bias": False,
        "max_position_embeddings": 512,
        "initializer_range": 0.05,
        "tie_word_embeddings": True,
    },
    spelling="byte-level",
    pretraining=Pretraining(steps=6000),
    study=STUDY,
)

LLAMA2 = Architecture(
    name="llama2-tiny",
    stands_for="Llama-2-7B",
    special="root-mean-square norms, SwiGLU feed-forward, rotary positions, an untied head",
    model_type="llama",
    config={
        "hidden_size": 128,
        "intermediate_size": 344,
        "num_hidden_layers": 4,
        "num_attention_heads": 4,
        "num_key_value_heads": 4,
        "max_position_embeddings": 512,
        "rms_norm_eps": 1e-5,
        "initializer_range": 0.05,
        "tie_word_embeddings": False,
    },
    spelling="sentencepiece-bpe",
    pretraining=Pretraining(steps=6000),
    study=STUDY,
)

MISTRAL = Architecture(
    name="mistral-tiny",
    stands_for="Mistral-7B",
    special="grouped queries (two query heads to a key-value head), a sliding window of 64 tokens, which is "
    "shorter than its longest prompts, and an untied head",
    model_type="mistral",
    config={
        "hidden_size": 128,
        "intermediate_size": 344,
        "num_hidden_layers": 4,
        "num_attention_heads": 4,
        "num_key_value_heads": 2,
        "sliding_window": 64,
        "max_position_embeddings": 512,
        "rms_norm_eps": 1e-5,
        "initializer_range": 0.05,
        "tie_word_embeddings": False,
    },
    spelling="sentencepiece-bpe",
    pretraining=Pretraining(steps=6000),
    study=STUDY,
)

FLAN_T5 = Architecture(
    name="flan-t5-tiny",
    stands_for="Flan-T5",
    special="an encoder and a decoder, relative positions, a gated GELU feed-forward, an untied head",
    model_type="t5",
    config={
        "d_model": 128,
        "d_kv": 32,
        "d_ff": 256,
        "num_layers": 3,
        "num_decoder_layers": 3,
        "num_heads": 4,
        "relative_attention_num_buckets": 32,
        "relative_attention_max_distance": 128,
        "feed_forward_proj": "gated-gelu",
        "dropout_rate": 0.0,
        "initializer_factor": 1.0,
        "tie_word_embeddings": False,
    },
    spelling="unigram",
    pretraining=Pretraining(steps=6000, learning_rate=4e-3),
    study=replace(STUDY, learning_rate=3e-3),
)

ARCHITECTURES: Mapping[str, Architecture] = {one.name: one for one in (FALCON, LLAMA2, MISTRAL, FLAN_T5)}


def architecture(name: str) -> Architecture:
    """Return the architecture of a tiny model; raise UnknownName if there is no such model."""
    if name not in ARCHITECTURES:
        raise UnknownName("zoo model", name, ARCHITECTURES)
    return ARCHITECTURES[name]
