"""ALBERT: BERT whose layers share one set of weights, so that one pair of factors serves all layers."""

from harness.families import Family

FAMILY = Family(
    name="albert",
    model_types=("albert",),
    architecture="encoder",
    roles=(
        (r"attention\.query", "q"),
        (r"attention\.key", "k"),
        (r"attention\.value", "v"),
        (r"attention\.dense", "o"),
        (r"ffn|ffn_output", "feed-forward"),
        (r"word_embeddings|embedding_hidden_mapping_in", "embedding"),
        (r"predictions\.decoder|classifier", "head"),
    ),
    targets={
        "q": ("query",),
        "k": ("key",),
        "v": ("value",),
        "qkv": ("query", "key", "value"),
        "o": ("attention.dense",),
        "feed-forward": ("ffn", "ffn_output"),
    },
)
