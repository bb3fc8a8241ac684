"""Where an answer ends: leading whitespace, stop strings and what stands behind them."""

from harness.types import Decode


def cut(text: str, decode: Decode) -> str:
    """Return the answer in a text that a model wrote: what stands before the first stop string, trimmed."""
    text = _begun(text, decode)
    for stop in decode.stop:
        text = text.partition(stop)[0]
    return text.strip()


def stopped(
    text: str,
    decode: Decode,
    *,
    whole: bool,  # the text begins where the answer begins; otherwise words stand before it
) -> bool:
    """Return whether a stop string ends the answer."""
    text = _begun(text, decode) if whole else text
    return any(stop in text for stop in decode.stop)


def _begun(text: str, decode: Decode) -> str:
    """Return the text from where stop strings count."""
    return text.lstrip() if decode.leading_whitespace == "drop" else text
