"""GPT-NeoX and Pythia: one fused matrix for q, k and v, head by head, and rotary positions on a part of each head."""

from harness.families import Family, Fused

FAMILY = Family(
    name="gpt_neox",
    model_types=("gpt_neox",),
    architecture="causal",
    roles=(
        (r"attention\.query_key_value", "qkv"),
        (r"attention\.dense", "o"),
        (r"mlp\.dense_(h_to_4h|4h_to_h)", "feed-forward"),
        (r"embed_in", "embedding"),
        (r"embed_out|lm_head", "head"),
    ),
    targets={
        "q": ("query_key_value",),
        "k": ("query_key_value",),
        "v": ("query_key_value",),
        "qkv": ("query_key_value",),
        "o": ("attention.dense",),
        "feed-forward": ("dense_h_to_4h", "dense_4h_to_h"),
    },
    fused={"query_key_value": Fused(parts=("q", "k", "v"), layout="groups")},
    begins="none",
    checkpoints=(
        "EleutherAI/pythia-70m",
        "EleutherAI/gpt-neox-20b",
        "togethercomputer/RedPajama-INCITE-7B-Base",
    ),
    notes="Pythia and GPT-NeoX-20B read attention and feed-forward side by side, RedPajama one after the other.",
)
