"""The tiny encoders as data: the shape of each, its tokenizer, and how long it is trained."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from harness.errors import UnknownName

EncoderSpelling = Literal["wordpiece", "lowercase-unigram"]


@dataclass(frozen=True, slots=True, kw_only=True)
class MaskedPretraining:
    """How an encoder is trained from scratch: masked words are guessed, and pairs of passages are judged."""

    steps: int = 2000
    batch_size: int = 32  # documents
    # At its highest. After 450 steps ALBERT stands at 4.7 nats a masked token with it, and at 5.7 with 8e-3.
    learning_rate: float = 2.5e-3
    warmup: float = 0.02  # share of all steps
    weight_decay: float = 0.05
    masked_share: float = 0.2  # of the tokens
    pair_share: float = 0.6  # of the documents are two passages; the others are one
    seed: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Encoder:
    """One tiny encoder of a real family."""

    name: str
    stands_for: str  # the real model, in words
    special: str  # what makes the family itself, in words
    pairs: str  # what it is asked about two passages, in words
    model_type: str  # transformers' own name of the family
    config: Mapping[str, object]  # for the family's own configuration class
    spelling: EncoderSpelling  # how its tokenizer cuts words
    pretraining: MaskedPretraining = MaskedPretraining()
    vocabulary: int = 4096  # tokens


BERT = Encoder(
    name="bert-tiny",
    stands_for="BERT (uncased)",
    special="an encoder whose tokens see both sides, WordPiece, learnt positions, segments, post-layer norms, a pooler",
    pairs="whether the second passage follows the first, or is another text's",
    model_type="bert",
    config={
        "hidden_size": 128,
        "intermediate_size": 512,
        "num_hidden_layers": 4,
        "num_attention_heads": 4,
        "max_position_embeddings": 512,
        "initializer_range": 0.05,
        "hidden_dropout_prob": 0.0,
        "attention_probs_dropout_prob": 0.0,
    },
    spelling="wordpiece",
)

ALBERT = Encoder(
    name="albert-tiny",
    stands_for="ALBERT",
    special="an encoder whose layers share one set of weights, a factorised embedding, SentencePiece, learnt positions, "
    "segments, a pooler",
    pairs="whether the two passages are in their own order, or swapped",
    model_type="albert",
    config={
        "embedding_size": 128,
        "hidden_size": 192,
        "intermediate_size": 768,
        "num_hidden_layers": 4,
        "num_hidden_groups": 1,
        "num_attention_heads": 4,
        "max_position_embeddings": 512,
        "initializer_range": 0.05,
        "hidden_dropout_prob": 0.0,
        "attention_probs_dropout_prob": 0.0,
        "classifier_dropout_prob": 0.0,
    },
    spelling="lowercase-unigram",
    pretraining=MaskedPretraining(steps=1500),
)

ENCODERS: Mapping[str, Encoder] = {encoder.name: encoder for encoder in (BERT, ALBERT)}


def find_encoder(name: str) -> Encoder:
    """Return the tiny encoder of that name; raise UnknownName if there is none."""
    if name not in ENCODERS:
        raise UnknownName("zoo encoder", name, ENCODERS)
    return ENCODERS[name]
