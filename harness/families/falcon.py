"""Falcon: one fused matrix for q, k and v, attention and feed-forward side by side, tied embeddings."""

from harness.families import Family, Fused

FAMILY = Family(
    name="falcon",
    model_types=("falcon", "RefinedWeb", "RefinedWebModel"),
    architecture="causal",
    roles=(
        (r"self_attention\.query_key_value", "qkv"),
        (r"self_attention\.dense", "o"),
        (r"mlp\.dense_(h_to_4h|4h_to_h)", "feed-forward"),
        (r"word_embeddings", "embedding"),
        (r"lm_head", "head"),
    ),
    targets={
        "q": ("query_key_value",),
        "k": ("query_key_value",),
        "v": ("query_key_value",),
        "qkv": ("query_key_value",),
        "o": ("self_attention.dense",),
        "feed-forward": ("dense_h_to_4h", "dense_4h_to_h"),
    },
    # With multi_query there is one group: all queries, the key, the value.
    fused={"query_key_value": Fused(parts=("q", "k", "v"), layout="groups")},
    begins="none",
    checkpoints=("tiiuae/falcon-7b", "tiiuae/falcon-40b", "tiiuae/falcon-rw-1b"),
    notes=(
        "7B has one key-value head for all queries; 40B (`new_decoder_architecture`) has one for each group of queries; "
        "rw-1b has biases and ALiBi in place of rotary positions."
    ),
)
