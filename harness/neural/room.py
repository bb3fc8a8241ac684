"""How many tokens go through a model at once: the numbers that decoding, training and a plan's estimates share."""

# Share of all memory for keys and values; not of the free memory, since a resumed run must have the same budget.
SHARE = {"cpu": 1 / 8, "cuda": 1 / 4}
# Tokens of prompts in one forward pass; on CPUs per thread, to stay in its cache.
READ_TOKENS = {"cpu": 512, "cuda": 16384}
SLACK = 32  # columns between two moves of all rows to the left
VALIDATION_TOKENS = 8192  # per forward pass


def affordable(
    total_bytes: int,  # of the machine's memory, or of the GPU's
    bytes_per_token: int,  # of its keys and values in all layers
    device: str,  # "cpu" | "cuda"
    workers: int,  # that share the memory
) -> int:
    """Return the number of tokens whose keys and values fit into their share of the memory."""
    return max(1, int(SHARE[device] * total_bytes / max(1, workers) // bytes_per_token))


def rows_that_fit(longest: int, batch_tokens: int) -> int:
    """Return how many rows fit into a budget of tokens in flight; a batch's spare columns count."""
    return max(1, batch_tokens // (longest + SLACK))


def read_tokens(device: str, threads: int) -> int:
    """Return how many tokens of prompts one forward pass reads."""
    return READ_TOKENS[device] * (threads if device == "cpu" else 1)
