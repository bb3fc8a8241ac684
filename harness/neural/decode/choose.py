"""The next token of every answer: the likeliest, or a random draw."""

from collections.abc import Sequence

import torch

from harness.digest import digest
from harness.neural.decode.answer import NOT_FINITE
from harness.neural.encode import Encoded
from harness.types import Decode


def choose(
    logits: torch.Tensor,  # [rows, vocabulary]
    decode: Decode,
    chance: torch.Tensor,  # [rows], 0 to 1
) -> torch.Tensor:  # int64 [rows]
    """Return the next token of every row; NOT_FINITE where the logits are NaN or infinite."""
    highest, first = logits.max(-1)  # argmax takes three times as long; max takes NaN for the highest
    if decode.temperature == 0:
        return first.masked_fill_(~highest.isfinite(), NOT_FINITE)
    likely, order = (logits.float() / decode.temperature).softmax(-1).sort(descending=True, stable=True)
    total = likely.cumsum(-1)
    likely = likely.masked_fill(total - likely >= decode.top_p, 0.0)  # the likeliest always stays
    total = likely.cumsum(-1)
    at = torch.searchsorted(total, (chance * total[:, -1])[:, None], right=True)
    drawn = order.gather(-1, at.clamp(max=logits.shape[-1] - 1))[:, 0]
    return drawn.masked_fill_(~highest.isfinite(), NOT_FINITE)


def chances(
    part: Sequence[Encoded], decode: Decode, device: torch.device
) -> torch.Tensor:  # [rows, new tokens]
    """Return random numbers from 0 to 1 for each prompt; a sample's numbers do not depend on the rest of its batch."""
    drawn = []
    for prompt in part:
        generator = torch.Generator().manual_seed(int(digest(decode.seed, prompt.sample_id)[:15], 16))
        drawn.append(torch.rand(decode.max_new_tokens, generator=generator))
    return torch.stack(drawn).to(device)
