"""BERT, and ELECTRA, which uses the same names: encoders."""

from harness.families import Family

FAMILY = Family(
    name="bert",
    model_types=("bert", "electra"),
    architecture="encoder",
    roles=(
        (r"attention\.self\.query", "q"),
        (r"attention\.self\.key", "k"),
        (r"attention\.self\.value", "v"),
        (r"attention\.output\.dense", "o"),
        (r"intermediate\.dense|layer\.\d+\.output\.dense", "feed-forward"),
        (r"word_embeddings", "embedding"),
        (r"predictions\.decoder|lm_head\.decoder|classifier(\.(dense|out_proj))?", "head"),
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
