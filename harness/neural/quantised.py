"""Quantise a base while it is loaded, by bitsandbytes through transformers: 8 bits (Dettmers et al. 2022, arXiv
2208.07339) or 4 bits (Dettmers et al. 2023, arXiv 2305.14314) a weight of its linear layers, on a CPU or a GPU.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch import nn
from transformers import PreTrainedModel

from harness.errors import ModelError
from harness.neural.foreign import silent_import
from harness.types import Model


def arguments(model: Model, dtype: torch.dtype, device: torch.device) -> dict[str, Any]:
    """Return the arguments of `from_pretrained` that quantise a model; none for one that stays as it is."""
    if model.quantization == "none":
        return {}
    try:
        with silent_import():
            import bitsandbytes  # noqa: F401
    except ImportError as error:
        raise ModelError(
            f"model {model.name}: quantization: {model.quantization} needs bitsandbytes; pip install bitsandbytes"
        ) from error
    from transformers import BitsAndBytesConfig

    if model.quantization == "int8":
        how = BitsAndBytesConfig(load_in_8bit=True)  # type: ignore[no-untyped-call]
    else:
        how = BitsAndBytesConfig(  # type: ignore[no-untyped-call]
            load_in_4bit=True,
            bnb_4bit_quant_type=model.quantization,
            bnb_4bit_use_double_quant=True,
            bnb_4bit_compute_dtype=dtype,
        )
    return {"quantization_config": how, "device_map": {"": device}}


@contextmanager
def plain_layers() -> Iterator[None]:
    """Let Falcon be built of torch's own linear layers for as long as the block runs.

    transformers 5.23 quantises layers of exactly the class `nn.Linear`. Falcon's own class computes the same product by
    other words, and would silently stay as it is.
    """
    from transformers.models.falcon import modeling_falcon

    own = modeling_falcon.FalconLinear
    modeling_falcon.FalconLinear = nn.Linear  # type: ignore[assignment, misc]
    try:
        yield
    finally:
        modeling_falcon.FalconLinear = own  # type: ignore[misc]


def settle(where: str, model: Model, loaded: PreTrainedModel) -> None:
    """Let the layers of 4 bits compute alike on every CPU; raise ModelError where not one layer was quantised.

    On processors with AVX512-BF16, bitsandbytes packs such a matrix anew when it is first used, and from then on multiplies
    in bfloat16. Other processors do not, and a matrix whose rows are no multiple of 64 cannot be packed at all.
    """
    if model.quantization == "none":
        return
    from bitsandbytes.nn.modules import Linear4bit, Linear8bitLt

    layers = [module for module in loaded.modules() if isinstance(module, Linear4bit | Linear8bitLt)]
    for layer in layers:
        if isinstance(layer, Linear4bit):
            layer.support_avx512bf16_for_cpu = False
    if not layers:
        raise ModelError(
            f"{where}: quantization: {model.quantization} leaves every layer of {type(loaded).__name__} as it is, because "
            "transformers finds no linear layer that it could quantise; leave it out"
        )
