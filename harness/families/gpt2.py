"""GPT-2, and GPT before it: one fused matrix for q, k and v, weights stored [in, out], learnt positions."""

from harness.families import Family, Fused

FAMILY = Family(
    name="gpt2",
    model_types=("gpt2", "openai-gpt"),
    architecture="causal",
    roles=(
        (r"attn\.c_attn", "qkv"),
        (r"attn\.c_proj", "o"),
        (r"mlp\.(c_fc|c_proj)", "feed-forward"),
        (r"wte|tokens_embed", "embedding"),
        (r"lm_head", "head"),
    ),
    targets={
        "q": ("c_attn",),
        "k": ("c_attn",),
        "v": ("c_attn",),
        "qkv": ("c_attn",),
        "o": ("attn.c_proj",),
        "feed-forward": ("c_fc", "mlp.c_proj"),
    },
    fused={"c_attn": Fused(parts=("q", "k", "v"), layout="blocks")},
    fan_in_fan_out=True,
    begins="none",
    checkpoints=("openai-community/gpt2", "distilbert/distilgpt2"),
)
