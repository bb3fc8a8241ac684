"""Encoders: every token sees the whole prompt, and a head that an adapter brings along gives labels or a number."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from harness.checkpoints.can_write import is_encoder
from harness.errors import ModelError
from harness.neural.architectures import Architecture, Head, Ids, Reader, TorchModel

if TYPE_CHECKING:
    import torch

POOLER = (
    "pooler"  # name of a module of the encoder itself that only heads use; masked-word checkpoints have none
)


def _prompt_room(window: int | None, answer_tokens: int) -> int | None:
    """Return the whole window: there is no answer in tokens."""
    return window


def _prompt_ids(reader: Reader, text: str) -> Ids:
    """Return a prompt's tokens, with those that the tokenizer puts around it."""
    return tuple(reader.tokenizer(text).input_ids)


def _modules(model: Any, missing: Sequence[str]) -> tuple[str, ...]:
    """Return the modules beside the encoder, and the encoder's pooler where the checkpoint has none."""
    prefix = model.base_model_prefix
    beside = [name for name, module in model.named_children() if name != prefix and [*module.parameters()]]
    within = getattr(model, prefix)
    pooler = getattr(within, POOLER, None)
    lacks = any(name.startswith(f"{prefix}.{POOLER}.") for name in missing)
    return (*([f"{prefix}.{POOLER}"] if pooler is not None and lacks else []), *beside)


def _output(model: Any) -> str:
    """Return the last linear map beside the encoder, whose outputs are the labels."""
    from torch import nn

    prefix = model.base_model_prefix
    found: list[str] = [
        name
        for name, module in model.named_modules()
        if isinstance(module, nn.Linear) and name.partition(".")[0] != prefix
    ]
    if not found:
        raise ModelError(
            f"{type(model).__name__}: found no linear map beside the encoder, which gives labels"
        )
    return found[-1]


def _outputs(base: TorchModel, prompts: Sequence[Ids], model: Any) -> "torch.Tensor":
    """Return the head's outputs in float32: [prompts, outputs]."""
    from harness.neural.padding import filled

    seen = filled([(1,) * len(prompt) for prompt in prompts], 0, base.device)
    found: torch.Tensor = model(
        input_ids=filled(prompts, base.pad, base.device), attention_mask=None if bool(seen.all()) else seen
    ).logits
    return found.float()


ARCHITECTURE = Architecture(
    name="encoder",
    about="an encoder",
    auto_class="AutoModelForSequenceClassification",
    hub_task="text-classification",
    peft_task_type="SEQ_CLS",
    recognises=is_encoder,
    prompt_room=_prompt_room,
    prompt_ids=_prompt_ids,
    writing=None,
    head=Head(modules=_modules, output=_output, outputs=_outputs),
    objective="labels",
)
