"""Llama, and the many families that use the same names."""

from harness.families import Family

FAMILY = Family(
    name="llama",
    model_types=("llama", "olmo2", "granite", "smollm3"),
    architecture="causal",
    roles=(
        (r"self_attn\.q_proj", "q"),
        (r"self_attn\.k_proj", "k"),
        (r"self_attn\.v_proj", "v"),
        (r"self_attn\.o_proj", "o"),
        (r"mlp\.(gate|up|down)_proj", "feed-forward"),
        (r"embed_tokens", "embedding"),
        (r"lm_head", "head"),
    ),
    targets={
        "q": ("q_proj",),
        "k": ("k_proj",),
        "v": ("v_proj",),
        "qkv": ("q_proj", "k_proj", "v_proj"),
        "o": ("o_proj",),
        "feed-forward": ("gate_proj", "up_proj", "down_proj"),
    },
    checkpoints=(
        "meta-llama/Llama-2-7b-hf",
        "meta-llama/Llama-3.2-1B",
        "gorilla-llm/gorilla-7b-hf-v1",
        "HuggingFaceTB/SmolLM2-135M",
    ),
    notes="Llama's own tokenizers put BOS before a text, SmolLM2's does not: the harness does what the tokenizer does.",
)
