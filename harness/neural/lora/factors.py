"""LoRA factors on a base's linear maps, in our own layers, for training and answering. The base is restored afterwards."""

from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from typing import Any, Protocol

import torch
from torch import nn
from transformers import PreTrainedModel

from harness.checkpoints.adapter import PREFIX
from harness.errors import AdapterError
from harness.neural.load import Base
from harness.neural.lora.config import LoraConfig, written
from harness.neural.lora.linear import FrozenLora, TrainableLora, is_plain_product
from harness.neural.pristine import Pristine

UNSOUND = "is damaged or did not converge: fetch it again, or train it again with a lower learning rate"
ROWS_AT_ONCE = 256  # of a product that is checked
Tensors = Mapping[str, torch.Tensor]  # an adapter's, by their names on disk


class AttachedLora(Protocol):
    """New factors on a base, ready to be trained."""

    @property
    def parameters(self) -> list[nn.Parameter]:
        """Return the parameters to train."""

    def tensors(self) -> dict[str, torch.Tensor]:
        """Return the factors under their names on disk, copied to the CPU."""

    def put(self, tensors: Tensors) -> None:
        """Overwrite the factors."""

    def drop(self, on: bool) -> None:
        """Switch the dropout of the factors' input on or off."""

    def off(self) -> AbstractContextManager[None]:
        """Let the base answer without the factors for as long as the block runs."""

    def exported(self, tensors: Tensors) -> Tensors:
        """Return an adapter's tensors as its file has them."""

    def stepped(self, step: int) -> None:
        """Take note of an optimiser step, whose gradients are still there."""

    @property
    def resumable(self) -> bool:
        """Return whether a checkpoint of the factors and their optimiser is all that a run needs to continue."""

    def settings(self) -> dict[str, Any]:
        """Return the content of adapter_config.json."""

    def detach(self) -> None:
        """Remove the factors from the base, which is then as it was before."""


class TrainableFactors:
    """New factors on a base's linear maps, in layers of our own."""

    def __init__(
        self, base: Base, config: LoraConfig, modules: Mapping[str, nn.Linear], dropout: float
    ) -> None:
        self._base, self._config, self._dropout = base, config, dropout
        self._updates = {
            name: TrainableLora(module, config.rank_of(name), config.scale_of(name), dropout).eval()
            for name, module in modules.items()
        }
        for name, update in self._updates.items():
            put_in(base.model, name, update)

    @property
    def parameters(self) -> list[nn.Parameter]:
        """Return the parameters to train: A and B of every module."""
        return [factor for update in self._updates.values() for factor in (update.A, update.B)]

    def tensors(self) -> dict[str, torch.Tensor]:
        """Return the factors under their names on disk, copied to the CPU."""
        return {name: factor.detach().cpu().clone() for name, factor in self._named()}

    @torch.no_grad()
    def put(self, tensors: Tensors) -> None:
        """Overwrite the factors."""
        for name, factor in self._named():
            factor.copy_(tensors[name])

    def drop(self, on: bool) -> None:
        """Switch the dropout of the factors' input on or off."""
        for update in self._updates.values():
            update.dropping = on

    @contextmanager
    def off(self) -> Iterator[None]:
        """Let the base answer without the factors for as long as the block runs."""
        for name, update in self._updates.items():
            put_in(self._base.model, name, update.frozen)
        try:
            yield
        finally:
            for name, update in self._updates.items():
                put_in(self._base.model, name, update)

    def exported(self, tensors: Tensors) -> Tensors:
        """Return the tensors unchanged."""
        return tensors

    def stepped(self, step: int) -> None:
        """Do nothing: the factors have no state of their own."""

    @property
    def resumable(self) -> bool:
        """Return True: the factors have no state of their own."""
        return True

    def settings(self) -> dict[str, Any]:
        """Return the content of adapter_config.json."""
        task_type = self._base.architecture.peft_task_type
        return written(self._config, self._dropout, task_type, self._base.model)

    def detach(self) -> None:
        """Remove the factors from the base, which is then as it was before."""
        for name, update in self._updates.items():
            put_in(self._base.model, name, update.frozen)

    def _named(self) -> Iterator[tuple[str, nn.Parameter]]:
        for name, update in self._updates.items():
            yield key(name, "A"), update.A
            yield key(name, "B"), update.B


def key(module: str, side: str) -> str:
    """Return a factor's name on disk."""
    return f"{PREFIX}{module}.lora_{side}.weight"


def shapes(config: LoraConfig, modules: Mapping[str, nn.Linear]) -> dict[str, tuple[int, ...]]:
    """Return the shapes of the tensors of an adapter for these modules."""
    found: dict[str, tuple[int, ...]] = {}
    for name, module in modules.items():
        rank = config.rank_of(name)
        found[key(name, "A")] = (rank, module.in_features)
        found[key(name, "B")] = (module.out_features, rank)
    return found


def overflowing(
    A: torch.Tensor,  # [r, in], finite
    B: torch.Tensor,  # [out, r], finite
    scale: float,
    W: torch.Tensor,  # the matrix that the product is added to, as it is stored
) -> bool:
    """Return whether scale·B·A contains a number that is too large for W's type.

    No number of the product is larger than its row's norm times its column's, a bound that suffices for all real
    adapters; only where the bound is too large the product itself is computed, some rows at a time.
    """
    largest = torch.finfo(W.dtype if W.dtype.is_floating_point else torch.float32).max / 2
    rows, columns = B.double().norm(dim=1), A.double().norm(dim=0)
    if abs(scale) * float(rows.max()) * float(columns.max()) < largest:
        return False
    return any(
        bool(((part.double() @ A.double()).abs().max() * abs(scale) >= largest).item())
        for part in torch.split(B, ROWS_AT_ONCE)
    )


def check_products(
    config: LoraConfig, modules: Mapping[str, nn.Linear], tensors: Tensors, where: str
) -> None:
    """Raise AdapterError where a number of B·A is too large for the type of the base's matrix, which may be an outline's."""
    for name, module in modules.items():
        A, B = (tensors[key(name, side)].float() for side in "AB")
        if overflowing(A, B, config.scale_of(name), module.weight):
            raise overflow(f"{where}: {name}", module.weight.dtype)


@contextmanager
def applied(
    model: PreTrainedModel, config: LoraConfig, modules: Mapping[str, nn.Linear], tensors: Tensors, where: str
) -> Iterator[None]:
    """Attach trained factors to the base for as long as the block runs.

    In float32 the product is added to the matrices, which costs no time per token, and the matrices are restored
    afterwards: subtracting the product again would leave rounding errors. A narrower or quantised matrix would round the
    product away, and a matrix with a second user, such as a tied head, must not change: there the factors are computed
    beside the matrix.
    """
    users = Counter(id(weight) for _, weight in _weights(model))
    pristine = Pristine(model)
    merged: dict[str, nn.Linear] = {}
    wrapped: dict[str, nn.Linear] = {}
    try:
        with torch.no_grad():
            for name, module in modules.items():
                weight, scale = module.weight, config.scale_of(name)
                A, B = (tensors[key(name, side)].to(weight.device, torch.float32) for side in "AB")
                if overflowing(A, B, scale, weight):
                    raise overflow(f"{where}: {name}", weight.dtype)
                if weight.dtype == torch.float32 and users[id(weight)] == 1 and is_plain_product(module):
                    before = pristine.keep(f"{name}.weight", weight)
                    merged[name] = module
                    torch.addmm(before, B, A, alpha=scale, out=weight)
                else:
                    wrapped[name] = module
                    put_in(model, name, FrozenLora(module, A, B, scale).eval())
        yield
    finally:
        with torch.no_grad():
            for name, module in merged.items():
                module.weight.copy_(pristine.read(f"{name}.weight", module.weight))
        for name, module in wrapped.items():
            put_in(model, name, module)
        pristine.close()


def overflow(module: str, dtype: torch.dtype) -> AdapterError:
    """Return the error for a product B·A that is too large for the type of the base's matrix."""
    kind = str(dtype).removeprefix("torch.") if dtype.is_floating_point else "float32"
    return AdapterError(f"{module}: lora_alpha / r · B·A is larger than {kind} can be; the adapter {UNSOUND}")


def _weights(model: nn.Module) -> Iterator[tuple[str, torch.Tensor]]:
    """Yield the weight of every module that has one; a weight that two modules share comes twice."""
    for name, module in model.named_modules(remove_duplicate=False):
        if isinstance(weight := getattr(module, "weight", None), torch.Tensor):
            yield name, weight


def put_in(model: nn.Module, name: str, module: nn.Module) -> None:
    """Replace the module of that name in a model."""
    parent, _, child = name.rpartition(".")
    setattr(model.get_submodule(parent), child, module)
