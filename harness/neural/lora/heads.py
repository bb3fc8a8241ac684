"""The head that an adapter brings along for an encoder: made new by the seed, trained and saved with the factors.

peft calls it `modules_to_save`. A head computes in float32 whatever the encoder's type. The base's own head, which is
random where the checkpoint has none, is never asked.
"""

from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from copy import deepcopy
from typing import Any

import torch
from torch import nn

from harness.checkpoints.adapter import PREFIX
from harness.errors import AdapterError
from harness.neural.architectures import head
from harness.neural.load import Base
from harness.neural.lora.config import LoraConfig
from harness.neural.lora.factors import AttachedLora, Tensors, put_in
from harness.neural.objectives import TrainedHead

Modules = Mapping[str, nn.Module]  # by their names in the base


class WithHead:
    """New factors together with a new head, ready to be trained."""

    def __init__(self, base: Base, factors: AttachedLora, trained: TrainedHead) -> None:
        self._factors = factors
        self._named: dict[str, nn.Parameter] = {}
        modules = made(base, base.head, trained.outputs)
        for name, module in modules.items():
            for own, parameter in module.named_parameters():
                parameter.requires_grad_(True)
                self._named[f"{PREFIX}{name}.{own}"] = parameter
        self._replaced = _put(base, modules)
        if not trained.labels:  # mean + spread · (W x + b), so that numbers of any size are learnt alike
            output = base.model.get_submodule(head(base).output(base.model))
            output.register_forward_hook(lambda linear, x, y: y * trained.spread + trained.mean)
        self._base = base

    @property
    def parameters(self) -> list[nn.Parameter]:
        """Return the parameters to train: the factors', then the head's."""
        return [*self._factors.parameters, *self._named.values()]

    def tensors(self) -> dict[str, torch.Tensor]:
        """Return factors and head under their names on disk, copied to the CPU."""
        own = {name: parameter.detach().cpu().clone() for name, parameter in self._named.items()}
        return {**self._factors.tensors(), **own}

    @torch.no_grad()
    def put(self, tensors: Tensors) -> None:
        """Overwrite factors and head."""
        self._factors.put({name: tensor for name, tensor in tensors.items() if name not in self._named})
        for name, parameter in self._named.items():
            parameter.copy_(tensors[name])

    def drop(self, on: bool) -> None:
        """Switch the dropout of the factors' input on or off; the head has none."""
        self._factors.drop(on)

    def off(self) -> AbstractContextManager[None]:
        """Let the base answer without the factors, with the head, for as long as the block runs."""
        return self._factors.off()

    def exported(self, tensors: Tensors) -> Tensors:
        """Return the tensors of factors and head as their file has them."""
        own = {name: tensor for name, tensor in tensors.items() if name in self._named}
        rest = {name: tensor for name, tensor in tensors.items() if name not in self._named}
        return {**self._factors.exported(rest), **own}

    def stepped(self, step: int) -> None:
        """Take note of an optimiser step."""
        self._factors.stepped(step)

    @property
    def resumable(self) -> bool:
        """Return whether a checkpoint is all that a run needs to continue."""
        return self._factors.resumable

    def settings(self) -> dict[str, Any]:
        """Return the content of adapter_config.json."""
        names = sorted({name.rpartition(".")[2] for name in self._base.head})
        return {**self._factors.settings(), "modules_to_save": names}

    def detach(self) -> None:
        """Remove factors and head from the base, which is then as it was before."""
        _restore(self._base, self._replaced)
        self._factors.detach()


def folded(base: Base, tensors: Tensors, trained: TrainedHead | None) -> Tensors:
    """Return the tensors of a trained adapter with the scale of its numbers inside the head's output."""
    if trained is None or trained.labels:
        return tensors
    output = f"{PREFIX}{head(base).output(base.model)}"
    weight, bias = (tensors[f"{output}.{part}"].double() for part in ("weight", "bias"))
    return {
        **tensors,
        f"{output}.weight": (weight * trained.spread).float(),
        f"{output}.bias": (bias * trained.spread + trained.mean).float(),
    }


def unfolded(base: Base, tensors: Tensors, trained: TrainedHead) -> Tensors:
    """Return the tensors of a trained adapter without the scale of its numbers: what `folded` turns into the given ones."""
    if trained.labels:
        return tensors
    output = f"{PREFIX}{head(base).output(base.model)}"
    weight, bias = (tensors[f"{output}.{part}"].double() for part in ("weight", "bias"))
    return {
        **tensors,
        f"{output}.weight": (weight / trained.spread).float(),
        f"{output}.bias": ((bias - trained.mean) / trained.spread).float(),
    }


def made(base: Base, names: tuple[str, ...], outputs: int) -> dict[str, nn.Module]:
    """Return copies of the base's modules in float32, with this many outputs.

    What the checkpoint lacks, and the last map, is drawn as the family's own code draws it, from torch's random state.
    """
    last = head(base).output(base.model)
    found = {}
    for name in names:
        module = deepcopy(base.model.get_submodule(name)).float()
        if name == last:
            module = _sized(module, outputs)
        elif last.startswith(f"{name}."):
            own = last.removeprefix(f"{name}.")
            put_in(module, own, _sized(module.get_submodule(own), outputs))
        if base.device.type != "meta":
            module = module.cpu()
            for own, part in module.named_modules():
                if not _is_kept(base, f"{name}.{own}" if own else name, part, last):
                    _draw(base, part)
            module = module.to(base.device)
        module.requires_grad_(False)
        module.register_forward_pre_hook(_in_float32)
        found[name] = module.eval()
    return found


def saved(base: Base, config: LoraConfig) -> tuple[str, ...] | None:
    """Return the modules of the head that an adapter brings along; None where it brings other modules too.

    Raises AdapterError where the base needs one that the adapter does not bring.
    """
    modules = [name for name, _ in base.model.named_modules() if name.endswith(config.saved or ("\0",))]
    within = tuple(f"{name}." for name in base.head)
    if any(name not in base.head and not name.startswith(within) for name in modules):
        return None
    found = tuple(name for name in base.head if name in modules)
    if base.head:
        needed = {name for name in base.head for tensor in base.missing if tensor.startswith(f"{name}.")}
        last = head(base).output(base.model)
        needed |= {name for name in base.head if last == name or last.startswith(f"{name}.")}
        if lacking := [name for name in base.head if name in needed and name not in found]:
            raise AdapterError(
                f"the adapter brings no {' and no '.join(lacking)} (modules_to_save: {', '.join(config.saved) or 'none'}), "
                f"and {base.name} has none that is trained; use an adapter that was trained to label texts"
            )
    return found


def outputs_of(base: Base, tensors: Tensors) -> int:
    """Return how many outputs the head of an adapter has; 0 where it has none."""
    if base.architecture.head is None:
        return 0
    weight = tensors.get(f"{PREFIX}{head(base).output(base.model)}.weight")
    return 0 if weight is None or weight.ndim != 2 else weight.shape[0]


def shapes(modules: Modules) -> dict[str, tuple[int, ...]]:
    """Return the shapes of the tensors of a head, by their names on disk."""
    return {
        f"{PREFIX}{name}.{own}": tuple(tensor.shape)
        for name, module in modules.items()
        for own, tensor in module.state_dict().items()
    }


@contextmanager
def in_place(base: Base, modules: Modules, tensors: Tensors | None = None) -> Iterator[None]:
    """Put modules of a head into the base for as long as the block runs, with these tensors."""
    for name, module in modules.items():
        if tensors is not None:
            start = f"{PREFIX}{name}."
            module.load_state_dict(
                {key.removeprefix(start): value for key, value in tensors.items() if key.startswith(start)}
            )
    replaced = _put(base, modules)
    try:
        yield
    finally:
        _restore(base, replaced)


def _put(base: Base, modules: Modules) -> dict[str, nn.Module]:
    """Put modules into the base, and return those that were there."""
    before = {name: base.model.get_submodule(name) for name in modules}
    for name, module in modules.items():
        put_in(base.model, name, module)
    return before


def _restore(base: Base, modules: Modules) -> None:
    for name, module in modules.items():
        put_in(base.model, name, module)


def _sized(module: nn.Module, outputs: int) -> nn.Linear:
    assert isinstance(module, nn.Linear)
    weight = module.weight
    return nn.Linear(
        module.in_features, outputs, bias=module.bias is not None, device=weight.device, dtype=weight.dtype
    )


def _is_kept(base: Base, name: str, part: nn.Module, last: str) -> bool:
    """Return whether a part of the head starts as the checkpoint has it: it has tensors of its own, and none is missing."""
    own = [f"{name}.{tensor}" for tensor, _ in part.named_parameters(recurse=False)]
    return not own or (name != last and not any(tensor in base.missing for tensor in own))


@torch.no_grad()
def _draw(base: Base, part: nn.Module) -> None:
    for tensor in part.parameters(recurse=False):
        tensor.zero_()  # for a module that the family's code leaves as it is
    base.model._init_weights(part)  # type: ignore[no-untyped-call]


def _in_float32(module: nn.Module, inputs: tuple[Any, ...]) -> tuple[Any, ...]:
    return tuple(x.float() if isinstance(x, torch.Tensor) and x.is_floating_point() else x for x in inputs)
