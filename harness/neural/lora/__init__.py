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
from harness.neural.foreign import readable_errors
from harness.neural.load import Base
from harness.neural.lora import heads
from harness.neural.lora.config import LoraConfig, can_be_own, names_to_write, read_config, targeted
from harness.neural.lora.factors import AttachedLora, TrainableFactors, applied, check_products, shapes
from harness.neural.lora.files import inert, read_tensors, save
from harness.neural.lora.fit import check_base, check_labels, check_tensors, unverified_base
from harness.neural.objectives import TrainedHead
from harness.types import Recipe

__all__ = [
    "adapted",
    "attach",
    "begin",
    "check_attach",
    "check_fit",
    "check_labels",
    "inert",
    "save",
    "unverified_base",
]


def attach(base: Base, recipe: Recipe, seed: int, head: TrainedHead | None = None) -> AttachedLora:
    """Attach new factors to the base's modules: A random by the seed, B zero. Their `detach` removes them.

    With a head, new modules take the place of the base's own. Of a recipe with `peft`, peft makes the adapter.
    """
    targets = families.lora_targets(base.family, recipe.targets)
    if recipe.peft:
        with torch.random.fork_rng(devices=[base.device] if base.device.type == "cuda" else []):
            torch.manual_seed(seed)
            named = names_to_write(base.model, targets, base.head)
            other = _by_peft(base, recipe, named)
            return other if head is None else heads.WithHead(base, other, head)
    modules = targeted(base.model, targets, base.head)
    if not modules:
        raise AdapterError(
            f"recipe {recipe.name}: targets {recipe.targets}: {base.name} has no module with one of the names {targets}"
        )
    config = LoraConfig(
        base=base.recorded,  # never a local path
        rank=recipe.rank,
        alpha=recipe.alpha,
        rslora=recipe.rslora,
        targets=names_to_write(base.model, targets, base.head),
    )
    with torch.random.fork_rng(devices=[base.device] if base.device.type == "cuda" else []):
        torch.manual_seed(seed)
        factors = _factors(base, recipe, config, modules, targets)
        return factors if head is None else heads.WithHead(base, factors, head)


def _factors(
    base: Base,
    recipe: Recipe,
    config: LoraConfig,
    modules: Mapping[str, nn.Module],
    targets: tuple[str, ...] | str,
) -> AttachedLora:
    if can_be_own(base.model, modules.values()):
        return TrainableFactors(base, config, cast(dict[str, nn.Linear], modules), recipe.dropout)
    return _by_peft(base, recipe, config.targets if base.head else targets)


def _by_peft(base: Base, recipe: Recipe, targets: tuple[str, ...] | str) -> AttachedLora:
    from harness.neural.lora.by_peft import PeftFactors

    where = f"recipe {recipe.name}: targets {recipe.targets}"
    with readable_errors(where, "name other `targets`, or another `type` below `peft`", AdapterError):
        return PeftFactors(base, recipe, targets)


def begin(attached: AttachedLora, base: Base, folder: Path, head: TrainedHead | None = None) -> None:
    """Let new factors, and a new head, begin with the numbers of a trained adapter of the same kind, rank and targets."""
    _, tensors = _read(base, folder)
    if head is not None:
        check_labels(folder, head.labels, heads.outputs_of(base, tensors))
        tensors = dict(heads.unfolded(base, tensors, head))
    expected = {name: tuple(tensor.shape) for name, tensor in attached.tensors().items()}
    check_tensors(base, folder, expected, tensors)
    attached.put(tensors)


def check_attach(base: Base, recipe: Recipe) -> None:
    """Raise AdapterError where the modules of an outline do not support the kind of adapter that a recipe trains."""
    from harness.neural.lora import by_peft

    targets = families.lora_targets(base.family, recipe.targets)
    by_peft.fits(base, recipe, names_to_write(base.model, targets, base.head))


@contextmanager
def adapted(base: Base, folder: Path) -> Iterator[None]:
    """Attach a trained adapter, with the head that it brings along, to the base for as long as the block runs."""
    config, tensors = _read(base, folder)
    brought = _head(base, folder, config, tensors)
    modules = _own_modules(base, config)
    if modules is not None and brought is not None:
        _check_own(base, folder, config, modules, tensors, heads.shapes(brought))
        with (
            applied(base.model, config, modules, tensors, f"adapter {folder}"),
            heads.in_place(base, brought, tensors),
        ):
            yield
        return
    from harness.neural.lora import by_peft

    with (
        heads.in_place(base, brought or {}),
        by_peft.applied(
            base, folder, tensors, lambda expected: check_tensors(base, folder, expected, tensors)
        ),
    ):
        yield


def check_fit(base: Base, folder: Path) -> None:
    """Raise AdapterError where `adapted` would raise it; the base may be an outline, which has no numbers."""
    config, tensors = _read(base, folder)
    brought = _head(base, folder, config, tensors)
    modules = _own_modules(base, config)
    if modules is not None and brought is not None:
        _check_own(base, folder, config, modules, tensors, heads.shapes(brought))
        check_products(config, modules, tensors, f"adapter {folder}")
        return
    from harness.neural.lora import by_peft

    with heads.in_place(base, brought or {}):
        check_tensors(base, folder, by_peft.shapes(base, folder, tensors), tensors)


def _head(
    base: Base, folder: Path, config: LoraConfig, tensors: Mapping[str, torch.Tensor]
) -> dict[str, nn.Module] | None:
    """Return the modules of the head that an adapter brings along, yet without its numbers; None where only peft can."""
    try:
        names = heads.saved(base, config)
    except AdapterError as error:
        raise AdapterError(f"adapter {folder} does not fit {base.name}: {error}") from error
    if names is None:
        return None
    return heads.made(base, names, heads.outputs_of(base, tensors)) if names else {}


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
    modules = targeted(base.model, config.targets, base.head)
    return cast(dict[str, nn.Linear], modules) if can_be_own(base.model, modules.values()) else None


def _check_own(
    base: Base,
    folder: Path,
    config: LoraConfig,
    modules: Mapping[str, nn.Linear],
    tensors: Mapping[str, torch.Tensor],
    head: Mapping[str, tuple[int, ...]],
) -> None:
    if not modules:
        raise AdapterError(
            f"adapter {folder} does not fit {base.name}: target_modules: the model has no module with one of the names "
            f"{config.targets}; {MISFIT}"
        )
    check_tensors(base, folder, {**shapes(config, modules), **head}, tensors)


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
