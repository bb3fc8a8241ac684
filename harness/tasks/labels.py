"""Turn labels into numbers, so that the rows of a metric over classes are numbers as all rows are."""

from hashlib import sha256

from harness.types import Generation, Sample

BITS = 52  # a float64 holds such a number exactly


def label_code(text: str) -> float:
    """Return a number that stands for a text, the same on every machine; blanks around the text do not count."""
    digest = sha256(text.strip().encode("utf-8", "surrogatepass")).digest()
    return float(int.from_bytes(digest[:8]) >> (64 - BITS))


def label_row(sample: Sample, generation: Generation) -> tuple[float, ...]:
    """Return the codes of the label that is wanted and of the one that is given; of several references the one given."""
    given = generation.text.strip()
    wanted = next((text for text in sample.references if text.strip() == given), sample.references[0])
    return label_code(wanted), label_code(given)
