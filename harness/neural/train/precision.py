"""A base that computes in another type for a while: its weights are cast once, and restored afterwards.

Autocast would cast every frozen matrix again in every forward pass, since it caches only casts of trained parameters.
"""

from collections.abc import Iterator
from contextlib import contextmanager

import torch

from harness.errors import ModelError
from harness.neural.load import DTYPES, Base
from harness.neural.pristine import Pristine


@contextmanager
def computing_in(base: Base, precision: str) -> Iterator[torch.dtype]:
    """Yield the type that the base computes in for as long as the block runs; "auto" is the base's own."""
    dtype = base.dtype if precision == "auto" else DTYPES[precision]
    if dtype == base.dtype:
        yield dtype
        return
    if getattr(base.model, "is_quantized", False):
        raise ModelError(
            f"{base.name}: a quantised base computes in {base.dtype}".replace("torch.", "")
            + "; use precision: auto"
        )
    widens = torch.promote_types(dtype, base.dtype) == dtype  # then casting there and back changes no bit
    pristine = Pristine(base.model)
    cast: dict[str, torch.nn.Parameter] = {}
    try:
        for name, parameter in base.model.named_parameters():
            if parameter.dtype == base.dtype:
                if not widens:
                    pristine.keep(name, parameter)
                cast[name] = parameter
                parameter.data = parameter.data.to(dtype)
        yield dtype
    finally:
        for name, parameter in cast.items():
            like = parameter.data.new_empty(0, dtype=base.dtype)
            parameter.data = parameter.data.to(base.dtype) if widens else pristine.read(name, like)
        pristine.close()
