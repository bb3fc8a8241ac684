"""Adapters that are more than B·A on linear maps (DoRA, whole modules, embeddings, Conv1D, ...), by peft itself.

The only file that imports peft: it takes seconds, and plain LoRA does without.
"""

import warnings
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch
from peft import LoraConfig, PeftConfig, PeftModel, get_peft_model_state_dict, set_peft_model_state_dict
from torch import nn

from harness.errors import AdapterError
from harness.neural.factors import put_in
from harness.neural.load import Base
from harness.neural.lora_config import STARTS
from harness.neural.pristine import Pristine
from harness.types import Recipe


class PeftFactors:
    """New factors by peft on a base's modules, ready to be trained."""

    def __init__(self, base: Base, recipe: Recipe, targets: tuple[str, ...] | str) -> None:
        config = LoraConfig(
            r=recipe.rank,
            lora_alpha=recipe.alpha,  # type: ignore[arg-type]  # peft says int and takes any number
            lora_dropout=recipe.dropout,
            target_modules=targets if isinstance(targets, str) else list(targets),
            use_rslora=recipe.rslora,
            fan_in_fan_out=base.family.fan_in_fan_out,
            bias="none",
            task_type=None if base.seq2seq else "CAUSAL_LM",
            auto_mapping={
                "base_model_class": type(base.model).__name__,
                "parent_library": type(base.model).__module__,
            }
            if base.seq2seq
            else None,
            base_model_name_or_path=base.name,  # never where the base lies on this disk
        )
        self._model = _wrap(base, config)
        self._model.eval()

    @property
    def parameters(self) -> list[nn.Parameter]:
        return [parameter for parameter in self._model.parameters() if parameter.requires_grad]

    def tensors(self) -> dict[str, torch.Tensor]:
        return {name: tensor.detach().cpu().clone() for name, tensor in _state(self._model).items()}

    def put(self, tensors: Mapping[str, torch.Tensor]) -> None:
        set_peft_model_state_dict(self._model, dict(tensors))

    def drop(self, on: bool) -> None:
        """Dropout of the factors alone; peft keeps it in modules whose name says so."""
        for name, module in self._model.named_modules():
            if "lora_dropout" in name:
                module.train(on)

    def settings(self) -> dict[str, Any]:
        config = self._model.peft_config["default"].to_dict() | {"inference_mode": True}
        return {name: sorted(value) if isinstance(value, set) else value for name, value in config.items()}

    def detach(self) -> None:
        self._model.unload()


@contextmanager
def applied(
    base: Base,
    folder: Path,
    tensors: dict[str, torch.Tensor],
    check: Callable[[dict[str, tuple[int, ...]]], None],  # raises where these are not the tensors' shapes
) -> Iterator[None]:
    """Trained factors at work for as long as the block runs."""
    config = PeftConfig.from_pretrained(str(folder))
    assert isinstance(config, LoraConfig)
    if config.megatron_config is not None:
        raise AdapterError(  # peft imports whatever module `megatron_core` names
            f"{folder / 'adapter_config.json'}: megatron_config names code that is not part of this harness; take an "
            "adapter without it"
        )
    config.inference_mode = True
    with _unchanged(base, config):
        try:
            model = _wrap(base, config)
        except (ValueError, NotImplementedError, ImportError) as error:
            raise AdapterError(f"adapter {folder} does not fit {base.name}: {error}") from error
        try:
            check({name: tuple(tensor.shape) for name, tensor in _state(model).items()})
            set_peft_model_state_dict(model, tensors)
            model.requires_grad_(False)
            model.eval()
            yield
        finally:
            model.unload()


@contextmanager
def _unchanged(base: Base, config: LoraConfig) -> Iterator[None]:
    """The base's modules and numbers are afterwards what they were.

    Taking an adapter off, peft leaves whole modules that were saved with it in their place, biases that it trained, and what
    some of its starts (PiSSA, OLoRA, CorDA, ...) took off the base.
    """
    writes = config.init_lora_weights not in STARTS or config.kasa_config is not None or config.bias != "none"
    modules = dict(base.model.named_modules())
    parameters = dict(base.model.named_parameters()) if writes else {}
    pristine = Pristine(base.model)
    try:
        for name, parameter in parameters.items():
            pristine.keep(name, parameter)
        yield
    finally:
        for name, module in modules.items():
            if name and base.model.get_submodule(name) is not module:
                put_in(base.model, name, module)
        with torch.no_grad():
            for name, parameter in parameters.items():
                parameter.copy_(pristine.read(name, parameter))
        base.model.requires_grad_(False)
        pristine.close()


def _state(model: PeftModel) -> dict[str, torch.Tensor]:
    return get_peft_model_state_dict(model, save_embedding_layers=False)  # type: ignore[no-any-return]


def _wrap(base: Base, config: LoraConfig) -> PeftModel:
    """Puts empty factors on the base, in float32 where the base is narrower; what a failure leaves is taken off."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", FutureWarning)  # peft asks transformers by an old name
            return PeftModel(base.model, config)
    except Exception:
        if hasattr(base.model, "peft_config"):
            del base.model.peft_config
        raise
