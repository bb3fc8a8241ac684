"""Phi-1, Phi-1.5 and Phi-2: attention and feed-forward side by side, rotary positions on a part of each head."""

from harness.families import Family

FAMILY = Family(
    name="phi",
    model_types=("phi",),
    architecture="causal",
    roles=(
        (r"self_attn\.q_proj", "q"),
        (r"self_attn\.k_proj", "k"),
        (r"self_attn\.v_proj", "v"),
        (r"self_attn\.dense", "o"),
        (r"mlp\.(fc1|fc2)", "feed-forward"),
        (r"embed_tokens", "embedding"),
        (r"lm_head", "head"),
    ),
    targets={
        "q": ("q_proj",),
        "k": ("k_proj",),
        "v": ("v_proj",),
        "qkv": ("q_proj", "k_proj", "v_proj"),
        "o": ("self_attn.dense",),
        "feed-forward": ("fc1", "fc2"),
    },
    begins="none",
    checkpoints=("microsoft/phi-1_5", "microsoft/phi-2"),
)
