"""Split samples by the length of their input: short, middle and long."""

import numpy as np
from numpy.typing import NDArray


def thirds(
    words: NDArray[np.intp],  # [n] words of each input
) -> tuple[tuple[str, ...], NDArray[np.int8]] | None:  # labels; [n] a place in them
    """Return thirds as equal in number as equal lengths allow; None where all inputs are of about the same length."""
    if len(words) < 3:
        return None
    first, second = (int(end) for end in np.quantile(words, (1 / 3, 2 / 3), method="inverted_cdf"))
    places = np.searchsorted([first, second], words).astype(np.int8)
    if len(np.unique(places)) < 3:
        return None
    middle = f"{first + 1} to {second}" if second > first + 1 else f"{second}"
    labels = (
        f"short, up to {first} words",
        f"middle, {middle} words",
        f"long, {second + 1} words or more",
    )
    return labels, places
