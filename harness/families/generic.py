"""The names that most decoder-only families use, for model types that no other file lists."""

from harness.families import Family, Fused

FAMILY = Family(
    name="generic",
    model_types=(),
    architecture="causal",
    roles=(
        (r"q_proj|query|q_lin|wq", "q"),
        (r"k_proj|key|k_lin|wk", "k"),
        (r"v_proj|value|v_lin|wv", "v"),
        (r"o_proj|out_proj|out_lin|attention\.dense|self_attn\.dense", "o"),
        (r"qkv_proj|query_key_value|Wqkv", "qkv"),
        (r"gate_proj|up_proj|down_proj|gate_up_proj|fc1|fc2|dense_h_to_4h|dense_4h_to_h", "feed-forward"),
        (r"embed_tokens|word_embeddings|embed_in|wte", "embedding"),
        (r"lm_head|embed_out", "head"),
    ),
    targets={
        "q": ("q_proj", "query", "q_lin", "wq", "qkv_proj", "query_key_value", "Wqkv"),
        "k": ("k_proj", "key", "k_lin", "wk", "qkv_proj", "query_key_value", "Wqkv"),
        "v": ("v_proj", "value", "v_lin", "wv", "qkv_proj", "query_key_value", "Wqkv"),
        "qkv": ("q_proj", "k_proj", "v_proj", "query", "key", "value", "qkv_proj", "query_key_value", "Wqkv"),
        "o": ("o_proj", "out_proj", "out_lin", "attention.dense", "self_attn.dense"),
        "feed-forward": (
            *("gate_proj", "up_proj", "down_proj", "gate_up_proj", "fc1", "fc2"),
            *("dense_h_to_4h", "dense_4h_to_h"),
        ),
    },
    fused={"qkv_proj": Fused(parts=("q", "k", "v"), layout="blocks")},
)
