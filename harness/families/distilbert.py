"""DistilBERT: an encoder with half of BERT's layers, and names of its own."""

from harness.families import Family

FAMILY = Family(
    name="distilbert",
    model_types=("distilbert",),
    architecture="encoder",
    roles=(
        (r"attention\.q_lin", "q"),
        (r"attention\.k_lin", "k"),
        (r"attention\.v_lin", "v"),
        (r"attention\.out_lin", "o"),
        (r"ffn\.lin[12]", "feed-forward"),
        (r"word_embeddings", "embedding"),
        (r"vocab_projector|pre_classifier|classifier", "head"),
    ),
    targets={
        "q": ("q_lin",),
        "k": ("k_lin",),
        "v": ("v_lin",),
        "qkv": ("q_lin", "k_lin", "v_lin"),
        "o": ("out_lin",),
        "feed-forward": ("ffn.lin1", "ffn.lin2"),
    },
)
