"""Phi-3 and Phi-4: one fused matrix for q, k and v, and one for the two that the feed-forward part begins with."""

from harness.families import Family, Fused

FAMILY = Family(
    name="phi3",
    model_types=("phi3",),
    architecture="causal",
    roles=(
        (r"self_attn\.qkv_proj", "qkv"),
        (r"self_attn\.o_proj", "o"),
        (r"mlp\.(gate_up|down)_proj", "feed-forward"),
        (r"embed_tokens", "embedding"),
        (r"lm_head", "head"),
    ),
    targets={
        "q": ("qkv_proj",),
        "k": ("qkv_proj",),
        "v": ("qkv_proj",),
        "qkv": ("qkv_proj",),
        "o": ("o_proj",),
        "feed-forward": ("gate_up_proj", "down_proj"),
    },
    fused={
        "qkv_proj": Fused(parts=("q", "k", "v"), layout="blocks"),
        "gate_up_proj": Fused(parts=("gate", "up"), layout="equal"),
    },
    checkpoints=("microsoft/Phi-3-mini-4k-instruct", "microsoft/phi-4"),
)
