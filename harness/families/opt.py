"""OPT: learnt positions, biases, and embeddings that may be narrower than the layers."""

from harness.families import Family

FAMILY = Family(
    name="opt",
    model_types=("opt",),
    architecture="causal",
    roles=(
        (r"self_attn\.q_proj", "q"),
        (r"self_attn\.k_proj", "k"),
        (r"self_attn\.v_proj", "v"),
        (r"self_attn\.out_proj", "o"),
        (r"fc1|fc2", "feed-forward"),
        (r"embed_tokens|project_in", "embedding"),
        (r"lm_head|project_out", "head"),
    ),
    targets={
        "q": ("q_proj",),
        "k": ("k_proj",),
        "v": ("v_proj",),
        "qkv": ("q_proj", "k_proj", "v_proj"),
        "o": ("out_proj",),
        "feed-forward": ("fc1", "fc2"),
    },
    begins="bos",
    checkpoints=("facebook/opt-125m", "facebook/opt-350m", "facebook/opt-6.7b"),
    notes="BOS and end-of-sequence are the same token, `</s>`. 350m has narrower embeddings, with a matrix behind each.",
)
