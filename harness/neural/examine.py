"""A checkpoint and its adapters compared by headers alone: what a run would refuse, in seconds."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from harness.checkpoints import folder as checkpoint
from harness.neural.encode import PROBE, check_chat, prompt_ids, prompt_text
from harness.neural.load import Base, outline
from harness.neural.lora import check_fit, unproven
from harness.neural.reading import reading
from harness.types import Model, ModelPin, Runtime

NAMED = 3  # tensors that nobody uses


def examine(
    folder: Path, model: Model, pin: ModelPin, runtime: Runtime, adapters: Mapping[str, Path]
) -> Iterator[str]:
    """Raise ModelError where the model could not be loaded or asked, or an adapter not be put on; yield doubts."""
    said = checkpoint.config(folder / checkpoint.CONFIG)
    if model.trust_remote_code and said.get("auto_map"):
        yield "brings code of its own, which a check does not run; its tensors and adapters are checked only by a run"
        return
    if said.get("quantization_config"):
        yield from _quantised(folder, model, said)
        return
    base = outline(folder, model, pin, runtime)
    check_chat(base)
    prompt_ids(base, prompt_text(base, PROBE))
    yield from _unused(base)
    for name, adapter in adapters.items():
        check_fit(base, adapter)
        if doubt := unproven(base, adapter):
            yield f"adapter {name}: {doubt}"


def _quantised(folder: Path, model: Model, said: Mapping[str, Any]) -> Iterator[str]:
    """Yield doubts about a checkpoint that is stored quantised: only its library can compare its tensors with the model."""
    check_chat(reading(folder, model))
    method = said["quantization_config"]
    name = method.get("quant_method", "unknown") if isinstance(method, Mapping) else "unknown"
    yield f"is stored quantised ({name}); its tensors and adapters are checked only by a run"


def _unused(base: Base) -> Iterator[str]:
    if base.unused:
        named = ", ".join(base.unused[:NAMED]) + (" …" if len(base.unused) > NAMED else "")
        few = len(base.unused) == 1
        have, are = ("has", "is") if few else ("have", "are")
        kind = type(base.model).__name__
        yield f"{len(base.unused)} of its tensors {have} no place in {kind} and {are} left out: {named}"
