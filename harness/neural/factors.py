"""LoRA factors of our own on a base's linear maps: to train, or to answer with. The base is afterwards what it was."""

from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import torch
from torch import nn
from transformers import PreTrainedModel

from harness.neural.load import Base
from harness.neural.lora_config import LoraConfig, written
from harness.neural.low_rank import FixedUpdate, LearntUpdate, is_plain_product
from harness.neural.pristine import Pristine

Tensors = Mapping[str, torch.Tensor]  # an adapter's, by the names that they have on disk


class Factors:
    """New factors on a base's modules, ready to be trained."""

    def __init__(
        self, base: Base, config: LoraConfig, modules: Mapping[str, nn.Linear], dropout: float
    ) -> None:
        self._base, self._config, self._dropout = base, config, dropout
        self._updates = {
            name: LearntUpdate(module, config.rank_of(name), config.scale_of(name), dropout).eval()
            for name, module in modules.items()
        }
        for name, update in self._updates.items():
            _put_in(base.model, name, update)

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
        """Dropout of what the factors see."""
        for update in self._updates.values():
            update.dropping = on

    def settings(self) -> dict[str, Any]:
        model, seq2seq = self._base.model, self._base.seq2seq
        return written(self._config, self._dropout, seq2seq=seq2seq, model=model)

    def detach(self) -> None:
        for name, update in self._updates.items():
            _put_in(self._base.model, name, update.frozen)

    def _named(self) -> Iterator[tuple[str, nn.Parameter]]:
        for name, update in self._updates.items():
            yield key(name, "A"), update.A
            yield key(name, "B"), update.B


def key(module: str, side: str) -> str:
    """A factor's name on disk."""
    return f"base_model.model.{module}.lora_{side}.weight"


def shapes(config: LoraConfig, modules: Mapping[str, nn.Linear]) -> dict[str, tuple[int, ...]]:
    """Of the tensors that an adapter for these modules has."""
    found: dict[str, tuple[int, ...]] = {}
    for name, module in modules.items():
        rank = config.rank_of(name)
        found[key(name, "A")] = (rank, module.in_features)
        found[key(name, "B")] = (module.out_features, rank)
    return found


@contextmanager
def applied(
    model: PreTrainedModel, config: LoraConfig, modules: Mapping[str, nn.Linear], tensors: Tensors
) -> Iterator[None]:
    """Trained factors at work for as long as the block runs.

    In float32 they are added into the matrices, which costs nothing per token, and the matrices are afterwards written anew:
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
                if weight.dtype == torch.float32 and users[id(weight)] == 1 and is_plain_product(module):
                    was = pristine.keep(f"{name}.weight", weight)
                    merged[name] = module
                    torch.addmm(was, B, A, alpha=scale, out=weight)
                else:
                    wrapped[name] = module
                    _put_in(model, name, FixedUpdate(module, A, B, scale).eval())
        yield
    finally:
        with torch.no_grad():
            for name, module in merged.items():
                module.weight.copy_(pristine.read(f"{name}.weight", module.weight))
        for name, module in wrapped.items():
            _put_in(model, name, module)
        pristine.close()


def _weights(model: nn.Module) -> Iterator[tuple[str, torch.Tensor]]:
    """Every place in the model that has a weight; one that is used twice comes twice."""
    for name, module in model.named_modules(remove_duplicate=False):
        if isinstance(weight := getattr(module, "weight", None), torch.Tensor):
            yield name, weight


def _put_in(model: nn.Module, name: str, module: nn.Module) -> None:
    parent, _, child = name.rpartition(".")
    setattr(model.get_submodule(parent), child, module)
