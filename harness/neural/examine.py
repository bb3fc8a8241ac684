"""A check of a checkpoint and its adapters by headers alone: it finds in seconds what a run would refuse."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from harness.checkpoints import folder as checkpoint
from harness.neural.encode import PROBE, check_chat, prompt_ids, prompt_text
from harness.neural.load import Base, outline
from harness.neural.lora import check_fit, unverified_base
from harness.neural.reading import reading
from harness.types import Model, ModelPin, Runtime

NAMED = 3  # unused tensors that a message names


def examine(
    folder: Path, model: Model, pin: ModelPin, runtime: Runtime, adapters: Mapping[str, Path]
) -> Iterator[str]:
    """Yield warnings about a model and its adapters.

    Raises ModelError where the model cannot be loaded or asked, and AdapterError where an adapter does not fit.
    """
    config = checkpoint.config(folder / checkpoint.CONFIG)
    if model.trust_remote_code and config.get("auto_map"):
        yield "comes with its own code, which a check does not run; its tensors and adapters are checked only by a run"
        return
    if config.get("quantization_config"):
        yield from _quantised(folder, model, config)
        return
    base = outline(folder, model, pin, runtime)
    check_chat(base)
    prompt_ids(base, prompt_text(base, PROBE))
    yield from _unused(base)
    if not base.ends and base.architecture.writing is not None:
        yield (
            "has no end-of-sequence token: only stop strings and max_new_tokens end its answers"
            + (", and a training example ends with the task's first stop string" if pin.endless else "")
        )
    for name, adapter in adapters.items():
        check_fit(base, adapter)
        if reason := unverified_base(base, adapter):
            yield f"adapter {name}: {reason}"


def _quantised(folder: Path, model: Model, config: Mapping[str, Any]) -> Iterator[str]:
    """Yield warnings about a quantised checkpoint, whose tensors only its own library can compare with the model."""
    check_chat(reading(folder, model))
    method = config["quantization_config"]
    name = method.get("quant_method", "unknown") if isinstance(method, Mapping) else "unknown"
    yield f"is stored quantised ({name}); its tensors and adapters are checked only by a run"


def _unused(base: Base) -> Iterator[str]:
    if base.unused:
        named = ", ".join(base.unused[:NAMED]) + (" …" if len(base.unused) > NAMED else "")
        few = len(base.unused) == 1
        have, are = ("has", "is") if few else ("have", "are")
        kind = type(base.model).__name__
        yield f"{len(base.unused)} of its tensors {have} no place in {kind} and {are} left out: {named}"
