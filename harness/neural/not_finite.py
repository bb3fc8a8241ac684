"""What is said of a model whose numbers are NaN or infinite."""

from harness.neural.load import Base


def not_finite(base: Base, sample: str, what: str) -> str:
    """Return the message for a sample of which a model computes such numbers; `what` they are, in plural."""
    dtype = str(base.dtype).removeprefix("torch.")
    overflow = ", or for numbers too large for float16: try dtype: bfloat16" if dtype == "float16" else ""
    return (
        f"{base.name} in {dtype}: sample {sample!r}: {what} are NaN or infinite; look for such numbers in the "
        f"weights with `harness weigh`{overflow}"
    )
