"""LoRA factors of our own on a base's linear maps: to train, or to answer with. The base is afterwards what it was."""

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
ROWS_AT_ONCE = 256  # of a product that is looked at
Tensors = Mapping[str, torch.Tensor]  # an adapter's, by the names that they have on disk


class AttachedLora(Protocol):
    """New factors on a base, ready to be trained."""

    @property
    def parameters(self) -> list[nn.Parameter]: ...

    def tensors(self) -> dict[str, torch.Tensor]:
        """Return the factors under the names that they have on disk, copied to the CPU."""

    def put(self, tensors: Tensors) -> None:
        """Write factors over those that are there."""

    def drop(self, on: bool) -> None:
        """Switch the dropout of what the factors see."""

    def off(self) -> AbstractContextManager[None]:
        """Let the base answer without the factors for as long as the block runs."""

    def settings(self) -> dict[str, Any]:
        """Return what adapter_config.json says of them."""

    def detach(self) -> None:
        """Take them off the base, which is then what it was."""


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
        return [factor for update in self._updates.values() for factor in (update.A, update.B)]

    def tensors(self) -> dict[str, torch.Tensor]:
        return {name: factor.detach().cpu().clone() for name, factor in self._named()}

    @torch.no_grad()
    def put(self, tensors: Tensors) -> None:
        for name, factor in self._named():
            factor.copy_(tensors[name])

    def drop(self, on: bool) -> None:
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

    def settings(self) -> dict[str, Any]:
        task_type = self._base.architecture.peft_task_type
        return written(self._config, self._dropout, task_type, self._base.model)

    def detach(self) -> None:
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
    """Return the shapes of the tensors that an adapter for these modules has."""
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
    W: torch.Tensor,  # that the product is added to, as it is kept
) -> bool:
    """Return whether scale·B·A holds a number that W's type has no room for.

    No number of the product is larger than its row's norm times its column's, which settles it for all real adapters; only
    where that bound is too large the product itself is looked at, some rows at a time.
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
    """Raise AdapterError where B·A does not fit the type of the base's matrix, which may be an outline's."""
    for name, module in modules.items():
        A, B = (tensors[key(name, side)].float() for side in "AB")
        if overflowing(A, B, config.scale_of(name), module.weight):
            raise overflow(f"{where}: {name}", module.weight.dtype)


@contextmanager
def applied(
    model: PreTrainedModel, config: LoraConfig, modules: Mapping[str, nn.Linear], tensors: Tensors, where: str
) -> Iterator[None]:
    """Let trained factors work for as long as the block runs.

    In float32 they are added into the matrices, which costs nothing per token, and the matrices are then written back:
    taking the product off again would leave rounding behind. A narrower or a quantised matrix would lose them, and one that
    something else uses too, as a tied head does, must not have them: there they are multiplied beside it.
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
                    was = pristine.keep(f"{name}.weight", weight)
                    merged[name] = module
                    torch.addmm(was, B, A, alpha=scale, out=weight)
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
    kind = str(dtype).removeprefix("torch.") if dtype.is_floating_point else "float32"
    return AdapterError(f"{module}: lora_alpha / r · B·A is larger than {kind} can be; the adapter {UNSOUND}")


def _weights(model: nn.Module) -> Iterator[tuple[str, torch.Tensor]]:
    """Yield every place in the model that has a weight; a weight that is used twice comes twice."""
    for name, module in model.named_modules(remove_duplicate=False):
        if isinstance(weight := getattr(module, "weight", None), torch.Tensor):
            yield name, weight


def put_in(model: nn.Module, name: str, module: nn.Module) -> None:
    parent, _, child = name.rpartition(".")
    setattr(model.get_submodule(parent), child, module)
