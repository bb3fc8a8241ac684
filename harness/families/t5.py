"""T5 and its descendants: an encoder, a decoder that also attends to it, relative positions."""

from harness.families import Family

FAMILY = Family(
    name="t5",
    model_types=("t5", "mt5", "umt5", "longt5"),
    architecture="seq2seq",
    roles=(
        (r"(SelfAttention|EncDecAttention|LocalSelfAttention|TransientGlobalSelfAttention)\.q", "q"),
        (r"(SelfAttention|EncDecAttention|LocalSelfAttention|TransientGlobalSelfAttention)\.k", "k"),
        (r"(SelfAttention|EncDecAttention|LocalSelfAttention|TransientGlobalSelfAttention)\.v", "v"),
        (r"(SelfAttention|EncDecAttention|LocalSelfAttention|TransientGlobalSelfAttention)\.o", "o"),
        (r"DenseReluDense\.(wi|wi_0|wi_1|wo)", "feed-forward"),
        (r"relative_attention_bias", "other"),
        (r"shared|embed_tokens", "embedding"),
        (r"lm_head", "head"),
    ),
    targets={
        "q": ("q",),
        "k": ("k",),
        "v": ("v",),
        "qkv": ("q", "k", "v"),
        "o": ("o",),
        "feed-forward": (
            "wi",
            "wi_0",
            "wi_1",
            "wo",
        ),  # wi in version 1.0; wi_0 and wi_1 where the feed-forward is gated
    },
    begins="none",
    checkpoints=("google-t5/t5-small", "google/t5-v1_1-small", "google/flan-t5-base", "google/mt5-small"),
    notes="Its tokenizers end a text with `</s>`. Refused in float16, in which it overflows.",
)
