"""BERT and RoBERTa: encoders."""

from harness.families import Family

FAMILY = Family(
    name="bert",
    model_types=("bert", "roberta", "xlm-roberta", "electra", "camembert"),
    architecture="encoder",
    roles=(
        (r"attention\.self\.query", "q"),
        (r"attention\.self\.key", "k"),
        (r"attention\.self\.value", "v"),
        (r"attention\.output\.dense", "o"),
        (r"intermediate\.dense|layer\.\d+\.output\.dense", "feed-forward"),
        (r"word_embeddings", "embedding"),
        (r"predictions\.decoder|lm_head\.decoder|classifier|classifier\.out_proj", "head"),
    ),
    targets={
        "q": ("query",),
        "k": ("key",),
        "v": ("value",),
        "qkv": ("query", "key", "value"),
        "o": ("attention.output.dense",),
        # The second matrix ends in `output.dense`, as does that of attention: no suffix distinguishes the two.
        "feed-forward": ("intermediate.dense",),
    },
)
