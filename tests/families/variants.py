"""The model families, each with the forms of it that people use: small configurations for models with random weights."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

# What a tokenizer puts around a text: nothing; BOS before it; an end after it; both; the end token before it.
Habit = Literal["plain", "begins", "ends", "surrounds", "begins with its end"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Variant:
    """A form of a family, small enough to be built in a moment."""

    family: str
    model_type: str
    habit: Habit
    settings: Mapping[str, Any] = field(default_factory=dict)  # of its configuration
    quick: bool = False  # stands for its family in the quick tests
    std: float = 0.3  # of the matrices
    embedding_std: float = 0.3  # of a tied head that drowns the layers, less
    slides: bool = False  # has layers that see the last 16 tokens alone, fewer than the prompts have


SIZES = {"hidden_size": 32, "num_hidden_layers": 2, "num_attention_heads": 4, "max_position_embeddings": 256}
GATED = {**SIZES, "intermediate_size": 64, "num_key_value_heads": 4}
GROUPED = {**GATED, "num_key_value_heads": 2}
MIXED = {"layer_types": ["sliding_attention", "full_attention"], "sliding_window": 16}
LLAMA3_ROPE = {"rope_type": "llama3", "factor": 8.0, "low_freq_factor": 1.0, "high_freq_factor": 4.0, "rope_theta": 5e5,
               "original_max_position_embeddings": 32}  # fmt: skip
T5 = {
    "d_model": 32,
    "d_kv": 8,
    "d_ff": 64,
    "num_layers": 2,
    "num_heads": 4,
    "relative_attention_num_buckets": 8,
}
GEMMA = {**GROUPED, "head_dim": 16, "query_pre_attn_scalar": 16}
BART = {"d_model": 32, "encoder_layers": 2, "decoder_layers": 2, "encoder_attention_heads": 4, "encoder_ffn_dim": 64,
        "decoder_attention_heads": 4, "decoder_ffn_dim": 64, "max_position_embeddings": 256}  # fmt: skip

VARIANTS: dict[str, Variant] = {
    "falcon-7b": Variant(
        family="falcon", model_type="falcon", habit="plain", quick=True,
        settings={**SIZES, "multi_query": True, "parallel_attn": True, "bias": False},
    ),
    "falcon-40b": Variant(
        family="falcon", model_type="falcon", habit="plain",
        settings={**SIZES, "new_decoder_architecture": True, "num_kv_heads": 2, "bias": False},
    ),
    "falcon-rw-1b": Variant(
        family="falcon", model_type="falcon", habit="plain",
        settings={**SIZES, "alibi": True, "multi_query": False, "parallel_attn": False, "bias": True},
    ),
    "llama-2": Variant(family="llama", model_type="llama", habit="begins", settings=GATED, quick=True),
    "llama-3": Variant(
        family="llama", model_type="llama", habit="begins",
        settings={**GROUPED, "rope_parameters": LLAMA3_ROPE},
    ),
    "smollm2": Variant(
        family="llama", model_type="llama", habit="plain", settings={**GROUPED, "tie_word_embeddings": True}
    ),
    "mistral": Variant(
        family="mistral", model_type="mistral", habit="begins", settings={**GROUPED, "sliding_window": 16},
        quick=True, slides=True,
    ),
    "t5-1.0": Variant(
        family="t5", model_type="t5", habit="ends", settings={**T5, "feed_forward_proj": "relu"}, quick=True
    ),
    "flan-t5": Variant(
        family="t5", model_type="t5", habit="ends",
        settings={**T5, "feed_forward_proj": "gated-gelu", "tie_word_embeddings": False},
    ),
    "mt5": Variant(
        family="t5", model_type="mt5", habit="ends",
        settings={**T5, "feed_forward_proj": "gated-gelu", "tie_word_embeddings": False},
    ),
    "gpt2": Variant(
        family="gpt2", model_type="gpt2", habit="plain", quick=True,
        settings={"n_embd": 32, "n_layer": 2, "n_head": 4, "n_positions": 256},
    ),
    "pythia": Variant(
        family="gpt_neox", model_type="gpt_neox", habit="plain", quick=True,
        settings={**SIZES, "intermediate_size": 64, "rotary_pct": 0.5},
    ),
    "redpajama": Variant(
        family="gpt_neox", model_type="gpt_neox", habit="plain",
        settings={**SIZES, "intermediate_size": 64, "rotary_pct": 1.0, "use_parallel_residual": False},
    ),
    "opt": Variant(
        family="opt", model_type="opt", habit="begins with its end", quick=True,
        settings={**SIZES, "ffn_dim": 64, "word_embed_proj_dim": 32},
    ),
    "opt-350m": Variant(
        family="opt", model_type="opt", habit="begins with its end",
        settings={**SIZES, "ffn_dim": 64, "word_embed_proj_dim": 16, "do_layer_norm_before": False},
    ),
    "phi-2": Variant(
        family="phi", model_type="phi", habit="plain", quick=True,
        settings={**GATED, "partial_rotary_factor": 0.5},
    ),
    "phi-3": Variant(
        family="phi3", model_type="phi3", habit="plain", settings={**GATED, "sliding_window": 16},
        quick=True, slides=True,
    ),
    "phi-4": Variant(
        family="phi3", model_type="phi3", habit="plain", settings={**GROUPED, "partial_rotary_factor": 0.5}
    ),
    "qwen2.5": Variant(
        family="qwen2", model_type="qwen2", habit="plain", settings={**GROUPED, "tie_word_embeddings": True},
        quick=True,
    ),
    "qwen2-sliding": Variant(
        family="qwen2", model_type="qwen2", habit="plain", slides=True,
        settings={**GROUPED, "use_sliding_window": True, "sliding_window": 16, "max_window_layers": 1},
    ),
    "qwen3": Variant(
        family="qwen3", model_type="qwen3", habit="plain", settings={**GROUPED, "head_dim": 16}, quick=True
    ),
    "gemma": Variant(
        family="gemma", model_type="gemma", habit="begins", settings={**GROUPED, "head_dim": 16}, quick=True,
        embedding_std=0.02,
    ),
    "gemma2": Variant(
        family="gemma2", model_type="gemma2", habit="begins", settings={**GEMMA, **MIXED}, quick=True, slides=True,
        embedding_std=0.02,
    ),
    "gemma3": Variant(
        family="gemma3", model_type="gemma3_text", habit="begins", settings={**GEMMA, **MIXED}, quick=True,
        slides=True, embedding_std=0.02,
    ),
    "bart-base": Variant(family="bart", model_type="bart", habit="surrounds", settings=BART, quick=True,
        std=0.6,
    ),
    "bart-large-cnn": Variant(
        family="bart", model_type="bart", habit="surrounds", settings={**BART, "forced_bos_token_id": 1},
        std=0.6,
    ),
}  # fmt: skip
