"""BART: an encoder and a decoder that also attends to it, learnt positions, biases."""

from harness.families import Family

FAMILY = Family(
    name="bart",
    model_types=("bart",),
    architecture="seq2seq",
    roles=(
        (r"(self_attn|encoder_attn)\.q_proj", "q"),
        (r"(self_attn|encoder_attn)\.k_proj", "k"),
        (r"(self_attn|encoder_attn)\.v_proj", "v"),
        (r"(self_attn|encoder_attn)\.out_proj", "o"),
        (r"fc1|fc2", "feed-forward"),
        (r"shared|embed_tokens", "embedding"),
        (r"lm_head", "head"),
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
    checkpoints=("facebook/bart-base", "facebook/bart-large-cnn"),
    notes=(
        "Answers begin with BOS too, in training and where `forced_bos_token_id` says so. Positions are absolute, so "
        "the rows of a batch are answered by transformers' own `generate`."
    ),
)
