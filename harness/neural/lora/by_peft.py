"""Adapters that are more than B·A on linear maps (DoRA, whole modules, embeddings, Conv1D, ...), by peft itself.

This is the only file that imports peft: the import takes seconds, and plain LoRA does not need it.
"""

import warnings
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch
from torch import nn

from harness.checkpoints.adapter import CONFIG, MISFIT, MOVES_THE_BASE, PREFIX
from harness.errors import AdapterError
from harness.neural.foreign import readable_errors, silent_import
from harness.neural.load import Base
from harness.neural.lora.config import STARTS, auto_mapping
from harness.neural.lora.factors import overflow, overflowing, put_in
from harness.neural.pristine import Pristine
from harness.types import Recipe

with silent_import():
    from peft import LoraConfig, PeftConfig, PeftModel, get_peft_model_state_dict, set_peft_model_state_dict


class PeftFactors:
    """New factors by peft on a base's modules, ready to be trained."""

    def __init__(self, base: Base, recipe: Recipe, targets: tuple[str, ...] | str) -> None:
        task_type = base.architecture.peft_task_type
        config = LoraConfig(
            r=recipe.rank,
            lora_alpha=recipe.alpha,  # type: ignore[arg-type]  # annotated as int, but any number works
            lora_dropout=recipe.dropout,
            target_modules=targets if isinstance(targets, str) else list(targets),
            use_rslora=recipe.rslora,
            fan_in_fan_out=base.family.fan_in_fan_out,
            bias="none",
            task_type=task_type,
            auto_mapping=auto_mapping(task_type, base.model),
            base_model_name_or_path=base.recorded,  # never a local path
        )
        self._model = _wrap(base, config)
        self._model.eval()

    @property
    def parameters(self) -> list[nn.Parameter]:
        """Return the parameters to train."""
        return [parameter for parameter in self._model.parameters() if parameter.requires_grad]

    def tensors(self) -> dict[str, torch.Tensor]:
        """Return the factors under their names on disk, copied to the CPU."""
        return {name: tensor.detach().cpu().clone() for name, tensor in _state(self._model).items()}

    def put(self, tensors: Mapping[str, torch.Tensor]) -> None:
        """Overwrite the factors."""
        set_peft_model_state_dict(self._model, dict(tensors))

    def drop(self, on: bool) -> None:
        """Switch the dropout of the factors on or off; the base's dropout stays off."""
        for name, module in self._model.named_modules():
            if "lora_dropout" in name:
                module.train(on)

    @contextmanager
    def off(self) -> Iterator[None]:
        """Let the base answer without the factors for as long as the block runs."""
        with self._model.disable_adapter():
            yield

    def settings(self) -> dict[str, Any]:
        """Return the content of adapter_config.json."""
        config = self._model.peft_config["default"].to_dict() | {"inference_mode": True}
        return {name: sorted(value) if isinstance(value, set) else value for name, value in config.items()}

    def detach(self) -> None:
        """Remove the factors from the base, which is then as it was before."""
        self._model.unload()


@contextmanager
def applied(
    base: Base,
    folder: Path,
    tensors: dict[str, torch.Tensor],
    check: Callable[[dict[str, tuple[int, ...]]], None],  # raises where the tensors have other shapes
) -> Iterator[None]:
    """Attach trained factors to the base for as long as the block runs."""
    config = _config(folder)
    _check_ranks(folder, config, tensors)
    with _unchanged(base, config):
        with readable_errors(f"adapter {folder} does not fit {base.name}", MISFIT, AdapterError):
            model = _wrap(base, config)
        try:
            check({name: tuple(tensor.shape) for name, tensor in _state(model).items()})
            set_peft_model_state_dict(model, tensors)
            _check_products(folder, model)
            model.requires_grad_(False)
            model.eval()
            yield
        finally:
            model.unload()


def shapes(base: Base, folder: Path) -> dict[str, tuple[int, ...]]:
    """Return the shapes of the tensors that the adapter would have on an outline, which cannot be used afterwards.

    An initialisation that decomposes the base's matrices is left out: an outline has no numbers.
    """
    config = _config(folder)
    if str(config.init_lora_weights).lower().startswith(MOVES_THE_BASE):
        config.init_lora_weights = False
    with readable_errors(f"adapter {folder} does not fit {base.name}", MISFIT, AdapterError):
        return {name: tuple(tensor.shape) for name, tensor in _state(_wrap(base, config)).items()}


def _config(folder: Path) -> LoraConfig:
    with readable_errors(f"{folder}/{CONFIG}", "save the adapter again", AdapterError):
        config = PeftConfig.from_pretrained(str(folder))
    assert isinstance(config, LoraConfig)
    if config.megatron_config is not None:
        raise AdapterError(  # peft imports whatever module `megatron_core` names
            f"{folder / CONFIG}: megatron_config names code that is not part of this harness; use an adapter without it"
        )
    config.inference_mode = True
    return config


@contextmanager
def _unchanged(base: Base, config: LoraConfig) -> Iterator[None]:
    """Restore the base's modules and numbers when the block ends.

    When peft detaches an adapter, it leaves in the base the whole modules that were saved with the adapter, the biases that
    were trained, and what some initialisations (PiSSA, OLoRA, CorDA, ...) subtracted from the base.
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


def _check_ranks(folder: Path, config: LoraConfig, tensors: Mapping[str, torch.Tensor]) -> None:
    """Raise AdapterError where a rank is larger than any side of a tensor, before peft allocates matrices of that rank."""
    largest = max((size for tensor in tensors.values() for size in tensor.shape), default=1)
    asked = max([config.r, *(config.rank_pattern or {}).values()])
    if asked > largest:
        raise AdapterError(
            f"{folder / CONFIG}: found a rank of {asked:,}, the largest side of any tensor is {largest:,}; "
            f"{MISFIT}"
        )


def _check_products(folder: Path, model: PeftModel) -> None:
    """Raise AdapterError where a number of B·A is too large for the type of the base's matrix."""
    for name, module in model.named_modules():
        for side, other in (("lora_A", "lora_B"), ("lora_embedding_A", "lora_embedding_B")):
            first, second = (getattr(module, name, {}) for name in (side, other))
            for adapter in first:
                A, B = (getattr(part[adapter], "weight", part[adapter]).detach() for part in (first, second))
                weight = module.get_base_layer().weight
                if A.ndim == B.ndim == 2 and overflowing(A, B, module.scaling[adapter], weight):
                    raise overflow(f"adapter {folder}: {name.removeprefix(PREFIX)}", weight.dtype)


def _state(model: PeftModel) -> dict[str, torch.Tensor]:
    return get_peft_model_state_dict(model, save_embedding_layers=False)  # type: ignore[no-any-return]


def _wrap(base: Base, config: LoraConfig) -> PeftModel:
    """Wrap the base with empty factors, in float32 where the base is narrower; clean up after a failure."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", FutureWarning)  # peft uses an old name of transformers
            return PeftModel(base.model, config)
    except Exception:
        if hasattr(base.model, "peft_config"):
            del base.model.peft_config
        raise
