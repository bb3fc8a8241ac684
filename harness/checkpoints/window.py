"""The context window of a model: the number of tokens that it can see at once."""

from collections.abc import Mapping

# Keys of configurations for the number of positions that a model was built for.
NAMES = ("max_position_embeddings", "n_positions", "max_sequence_length", "max_seq_len")
# Encoders whose first position is the one after the padding token's, as RoBERTa's: 514 positions are a window of 512.
BEHIND_PADDING = frozenset(
    "camembert data2vec-text esm ibert longformer luke mpnet roberta roberta-prelayernorm xlm-roberta xlm-roberta-xl "
    "xmod".split()
)
PADDING = 1  # RoBERTa's padding token, where its configuration names none
UNBOUNDED = 1_000_000  # tokenizers without a limit have 1e30
RELATIVE = "relative_attention_num_buckets"  # T5's n_positions is a leftover: its positions are relative


def context_window(config: Mapping[str, object]) -> int | None:
    """Return the number of positions that a config.json gives its model; None where it gives no limit."""
    text = config.get("text_config")
    text_config = text if isinstance(text, Mapping) else config
    if RELATIVE in text_config:
        return None
    found = (text_config.get(name) for name in NAMES)
    positions = next((number for number in found if type(number) is int and number > 0), None)
    if positions is None or text_config.get("model_type") not in BEHIND_PADDING:
        return positions
    padding = text_config.get("pad_token_id")
    return positions - (padding if type(padding) is int else PADDING) - 1


def too_long(name: str, window: int, answer_tokens: int) -> str:
    """Return the message for answers that leave no room for a prompt in the window."""
    return (
        f"{name}: answers of {answer_tokens:,} tokens leave no room for a prompt in its window of {window:,} tokens; "
        "lower max_new_tokens or choose a model with a longer window"
    )
