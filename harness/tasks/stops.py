"""Find where an answer ends: cut leading whitespace, stop strings and the text after them."""

from harness.types import Decode


def cut(text: str, decode: Decode) -> str:
    """Return the answer in a text that a model wrote: the text before the first stop string, trimmed."""
    text = _begun(text, decode)
    for stop in decode.stop:
        text = text.partition(stop)[0]
    return text.strip()


def stopped(
    text: str,
    decode: Decode,
    *,
    whole: bool,  # the text begins where the answer begins; else earlier words of the answer are missing
) -> bool:
    """Return whether a stop string ends the answer."""
    text = _begun(text, decode) if whole else text
    return any(stop in text for stop in decode.stop)


def _begun(text: str, decode: Decode) -> str:
    """Return the text from the position on where stop strings count."""
    return text.lstrip() if decode.leading_whitespace == "drop" else text
