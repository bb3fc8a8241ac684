"""LoRA factors on a base: attached for training or answering, detached, saved, checked. The base itself never changes."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import cast

import torch
from torch import nn

from harness import families
from harness.checkpoints.adapter import BASES_OWN, CONFIG, MISFIT, PREFIX, read_settings
from harness.checkpoints.patterns import check_patterns
from harness.errors import AdapterError
from harness.neural.load import Base
from harness.neural.lora.config import LoraConfig, can_be_own, names_to_write, read_config, targeted
from harness.neural.lora.factors import AttachedLora, TrainableFactors, applied, check_products, shapes
from harness.neural.lora.files import inert, read_tensors, save
from harness.neural.lora.fit import check_base, check_tensors, unverified_base
from harness.types import Recipe

__all__ = ["adapted", "attach", "check_fit", "inert", "save", "unverified_base"]


def attach(base: Base, recipe: Recipe, seed: int) -> AttachedLora:
    """Attach new factors to the base's modules: A random by the seed, B zero. Their `detach` removes them."""
    targets = families.lora_targets(base.family, recipe.targets)
    modules = targeted(base.model, targets)
    if not modules:
        raise AdapterError(
            f"recipe {recipe.name}: targets {recipe.targets}: {base.name} has no module with one of the names {targets}"
        )
    config = LoraConfig(
        base=base.recorded,  # never a local path
        rank=recipe.rank,
        alpha=recipe.alpha,
        rslora=recipe.rslora,
        targets=names_to_write(base.model, targets),
    )
    with torch.random.fork_rng(devices=[base.device] if base.device.type == "cuda" else []):
        torch.manual_seed(seed)
        if can_be_own(base.model, modules.values()):
            return TrainableFactors(base, config, cast(dict[str, nn.Linear], modules), recipe.dropout)
        from harness.neural.lora.by_peft import PeftFactors

        try:
            return PeftFactors(base, recipe, targets)
        except ValueError as error:
            raise AdapterError(f"recipe {recipe.name}: targets {recipe.targets}: {error}") from error


@contextmanager
def adapted(base: Base, folder: Path) -> Iterator[None]:
    """Attach a trained adapter to the base for as long as the block runs."""
    config, tensors = _read(base, folder)
    modules = _own_modules(base, config)
    if modules is not None:
        _check_own(base, folder, config, modules, tensors)
        with applied(base.model, config, modules, tensors, f"adapter {folder}"):
            yield
        return
    from harness.neural.lora import by_peft

    with by_peft.applied(
        base, folder, tensors, lambda expected: check_tensors(base, folder, expected, tensors)
    ):
        yield


def check_fit(base: Base, folder: Path) -> None:
    """Raise AdapterError where `adapted` would raise it; the base may be an outline, which has no numbers."""
    config, tensors = _read(base, folder)
    modules = _own_modules(base, config)
    if modules is not None:
        _check_own(base, folder, config, modules, tensors)
        check_products(config, modules, tensors, f"adapter {folder}")
        return
    from harness.neural.lora import by_peft

    check_tensors(base, folder, by_peft.shapes(base, folder), tensors)


def _read(base: Base, folder: Path) -> tuple[LoraConfig, dict[str, torch.Tensor]]:
    names = [name for name, _ in base.model.named_modules()]
    check_patterns(folder / CONFIG, read_settings(folder, "measured"), names)
    config = read_config(folder)
    check_base(base, folder, config)
    return config, _without_the_bases_own(base, read_tensors(folder))


def _own_modules(base: Base, config: LoraConfig) -> dict[str, nn.Linear] | None:
    """Return the modules that the factors belong to; None where only peft can attach them."""
    if not config.plain:
        return None
    modules = targeted(base.model, config.targets)
    return cast(dict[str, nn.Linear], modules) if can_be_own(base.model, modules.values()) else None


def _check_own(
    base: Base,
    folder: Path,
    config: LoraConfig,
    modules: Mapping[str, nn.Linear],
    tensors: Mapping[str, torch.Tensor],
) -> None:
    if not modules:
        raise AdapterError(
            f"adapter {folder} does not fit {base.name}: target_modules: the model has no module with one of the names "
            f"{config.targets}; {MISFIT}"
        )
    check_tensors(base, folder, shapes(config, modules), tensors)


def _without_the_bases_own(base: Base, tensors: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    """Return the tensors without copies of the base's own: peft also saves the matrix of a targeted embedding or head."""
    modules = dict(base.model.named_modules())

    def is_bases(name: str, tensor: torch.Tensor) -> bool:
        if not name.endswith(BASES_OWN):
            return False
        own = modules.get(name.removeprefix(PREFIX).removesuffix(BASES_OWN))
        weight = getattr(own, "weight", None)
        if not isinstance(weight, torch.Tensor) or weight.is_meta:  # an outline has its shape alone
            return isinstance(weight, torch.Tensor) and weight.shape == tensor.shape
        return torch.equal(tensor.to(weight.device, weight.dtype), weight)

    return {name: tensor for name, tensor in tensors.items() if not is_bases(name, tensor)}
