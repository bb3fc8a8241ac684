"""A base prepared for training new factors on it, and restored afterwards."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

import torch
from transformers.modeling_layers import GradientCheckpointingLayer

from harness.errors import ModelError
from harness.neural import lora
from harness.neural.kernels import quick, quick_attention
from harness.neural.load import Base
from harness.neural.lora.factors import AttachedLora
from harness.neural.objectives import TrainedHead
from harness.neural.train.precision import computing_in
from harness.types import Recipe


@contextmanager
def prepared(
    base: Base, recipe: Recipe, seed: int, head: TrainedHead | None = None
) -> Iterator[AttachedLora]:
    """Yield new factors on the base, which is prepared for training them for as long as the block runs."""
    with ExitStack() as changed:
        dtype = changed.enter_context(computing_in(base, recipe.precision))
        if dtype == torch.float16:
            raise ModelError(
                f"{base.name}: gradients underflow in float16; train with precision: bfloat16 or float32"
            )
        attached = lora.attach(base, recipe, seed, head)
        changed.callback(attached.detach)
        changed.enter_context(quick(base.model, base.device))
        changed.enter_context(quick_attention(base.device, dtype))
        if recipe.gradient_checkpointing:
            changed.enter_context(_checkpointing(base))
        changed.enter_context(
            torch.random.fork_rng(devices=[base.device] if base.device.type == "cuda" else [])
        )
        yield attached


@contextmanager
def _checkpointing(base: Base) -> Iterator[None]:
    """Compute a layer's activations again in the backward pass instead of keeping them."""
    if not base.model.supports_gradient_checkpointing:
        raise ModelError(
            f"{base.name}: a {type(base.model).__name__} cannot compute activations again; leave gradient_checkpointing out"
        )
    layers = [layer for layer in base.model.modules() if isinstance(layer, GradientCheckpointingLayer)]
    base.model.activation_checkpointing_enable({"use_reentrant": False})
    # Enabling also adds a hook to the embedding, which only reentrant checkpointing needs and `disable` leaves there.
    base.model.disable_input_require_grads()  # type: ignore[no-untyped-call]
    try:
        for layer in layers:
            layer.training = True  # else transformers keeps all activations; its children stay as they are
        yield
    finally:
        base.model.activation_checkpointing_disable()  # type: ignore[no-untyped-call]
        base.model.eval()  # type: ignore[no-untyped-call]
