"""Adapters that are more than B·A on linear maps (DoRA, whole modules, embeddings, Conv1D, ...), by peft itself.

This file and `kinds.py` alone import peft: the import takes seconds, and plain LoRA does not need it.
"""

import math
import warnings
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import torch
from torch import nn

from harness.checkpoints.adapter import CONFIG, LORA, MISFIT, MOVES_THE_BASE, NOT_IN_MODULES, PREFIX
from harness.errors import AdapterError
from harness.neural.foreign import readable_errors, silent_import
from harness.neural.load import Base
from harness.neural.lora import kinds
from harness.neural.lora.config import STARTS, auto_mapping
from harness.neural.lora.factors import overflow, overflowing, put_in
from harness.neural.pristine import Pristine
from harness.types import Recipe

with silent_import():
    from peft import LoraConfig, PeftConfig, PeftModel, get_peft_model_state_dict, set_peft_model_state_dict
    from peft.tuners.tuners_utils import BaseTunerLayer


ADALORA = "ADALORA"
SMALL = 1_024  # a size of a kind other than LoRA that does no harm whatever the file holds
NO_SIZE = (
    "projection_prng_key",
    "tinit",
    "tfinal",
    "deltaT",
    "layers_to_transform",
)  # a seed, and counts of steps
SUBTRACTS = ("pissa", "olora")  # whose first factors are taken from the base


class PeftFactors:
    """A new adapter by peft on a base's modules, ready to be trained."""

    def __init__(self, base: Base, recipe: Recipe, targets: tuple[str, ...] | str) -> None:
        mapping = auto_mapping(base.architecture.peft_task_type, base.model)
        config = kinds.config(recipe, base, targets, mapping, recipe.steps or 1)
        self._restoring = ExitStack()
        try:
            before = self._restoring.enter_context(_unchanged(base, config))
            self._model = _wrap(base, config)
            self._moved = before.moved()
        except Exception:
            self._restoring.close()
            raise
        self._before, self._kind = before, _kind(config)
        self._start = self.tensors() if self._is_difference else {}
        self._model.eval()

    @property
    def _is_difference(self) -> bool:
        """Return whether the update is the difference to the first factors, which peft has taken from the base."""
        start = str(getattr(self._config, "init_lora_weights", "")).lower()
        return self._kind == LORA and start.startswith(SUBTRACTS)

    @property
    def _config(self) -> Any:
        return self._model.peft_config["default"]

    @property
    def parameters(self) -> list[nn.Parameter]:
        """Return the parameters to train."""
        return [parameter for parameter in self._model.parameters() if parameter.requires_grad]

    def tensors(self) -> dict[str, torch.Tensor]:
        """Return the factors under their names on disk, copied to the CPU.

        AdaLoRA's have all their ranks at every step: those that it has dropped are zeros in E.
        """
        with self._all_ranks():
            return {name: tensor.detach().cpu().clone() for name, tensor in _state(self._model).items()}

    @contextmanager
    def _all_ranks(self) -> Iterator[None]:
        """Let peft leave no rank of AdaLoRA's out for as long as the block runs."""
        config = self._config
        ranks = config.rank_pattern if self._kind == ADALORA else None
        if ranks:
            config.rank_pattern = None
        try:
            yield
        finally:
            if ranks:
                config.rank_pattern = ranks

    def put(self, tensors: Mapping[str, torch.Tensor]) -> None:
        """Overwrite the factors."""
        with self._all_ranks():
            set_peft_model_state_dict(self._model, dict(tensors))

    def exported(self, tensors: Mapping[str, torch.Tensor]) -> Mapping[str, torch.Tensor]:
        """Return the tensors as their file has them.

        PiSSA, OLoRA and the like subtract their first factors A0 and B0 from the base. The file has the difference to the
        untouched base, B·A - B0·A0, as plain LoRA of twice the rank: it needs no decomposition when it is loaded.
        """
        if not self._is_difference:
            return tensors
        found = dict(tensors)
        for name, tensor in tensors.items():
            if ".lora_A." in name:
                found[name] = torch.cat((tensor, self._start[name]), dim=0)
            elif ".lora_B." in name:
                found[name] = torch.cat((tensor, -self._start[name]), dim=1)
        return found

    def stepped(self, step: int) -> None:
        """Let AdaLoRA move its ranks by the importance of their gradients."""
        if self._kind == ADALORA:
            self._model.base_model.update_and_allocate(step)  # type: ignore[operator]

    @property
    def resumable(self) -> bool:
        """Return whether a checkpoint is all that a run needs to continue: AdaLoRA also averages over all steps."""
        return self._kind != ADALORA

    def drop(self, on: bool) -> None:
        """Switch the dropout of the factors on or off; the base's dropout stays off."""
        for layer in self._model.modules():
            if isinstance(layer, BaseTunerLayer):
                layer.training = on  # DoRA looks at it, as do kinds that have no module for their dropout
                for name, part in layer.named_children():
                    if "dropout" in name:
                        part.train(on)

    @contextmanager
    def off(self) -> Iterator[None]:
        """Let the base answer without the factors for as long as the block runs, also where peft has changed its numbers."""
        kept = {name: parameter.detach().clone() for name, parameter in self._moved.items()}
        with torch.no_grad():
            for name, parameter in self._moved.items():
                parameter.copy_(self._before.read(name))
        try:
            with self._model.disable_adapter():
                yield
        finally:
            with torch.no_grad():
                for name, parameter in self._moved.items():
                    parameter.copy_(kept[name])

    def settings(self) -> dict[str, Any]:
        """Return the content of adapter_config.json."""
        config = self._config.to_dict() | {"inference_mode": True}
        if self._is_difference:
            config |= _doubled(config)
        if self._kind == ADALORA:
            config["rank_pattern"] = None
        return {name: sorted(value) if isinstance(value, set) else value for name, value in config.items()}

    def detach(self) -> None:
        """Remove the factors from the base, which is then as it was before."""
        self._model.unload()
        self._restoring.close()


def _doubled(config: Mapping[str, Any]) -> dict[str, Any]:
    """Return the settings of plain LoRA of twice the rank whose factors have the same weight."""
    more = math.sqrt(2) if config.get("use_rslora") else 2
    return {
        "r": 2 * config["r"],
        "lora_alpha": more * config["lora_alpha"],
        "rank_pattern": {name: 2 * rank for name, rank in (config.get("rank_pattern") or {}).items()},
        "alpha_pattern": {name: more * alpha for name, alpha in (config.get("alpha_pattern") or {}).items()},
        "init_lora_weights": True,
    }


def fits(base: Base, recipe: Recipe, targets: tuple[str, ...] | str) -> None:
    """Raise AdapterError where the modules of an outline do not support a recipe's kind of adapter."""
    kind = kinds.kind_of(recipe.peft)
    plain = {key: value for key, value in recipe.peft.items() if key not in ("init", kinds.START)}
    plain["type"] = kind
    mapping = auto_mapping(base.architecture.peft_task_type, base.model)
    try:
        model = _wrap(base, kinds.config(replace(recipe, peft=plain), base, targets, mapping, 1))
    except (ValueError, TypeError) as error:
        said = " ".join(str(error).split()).rstrip(".")
        raise AdapterError(
            f"recipe {recipe.name}: {base.name}: peft cannot put {kind} on its modules: {said}; name other `targets` or "
            "another `type`"
        ) from error
    except (NotImplementedError, RuntimeError):
        return  # an outline has no numbers, which this kind computes with
    model.unload()


@contextmanager
def applied(
    base: Base,
    folder: Path,
    tensors: dict[str, torch.Tensor],
    check: Callable[[dict[str, tuple[int, ...]]], None],  # raises where the tensors have other shapes
) -> Iterator[None]:
    """Attach trained factors to the base for as long as the block runs."""
    config = _config(folder)
    _check_sizes(folder, config, tensors)
    with _unchanged(base, config):
        with readable_errors(f"adapter {folder} does not fit {base.name}", MISFIT, AdapterError):
            model = _wrap(base, config)
        try:
            check(_shapes(model))
            set_peft_model_state_dict(model, tensors)
            if _kind(config) == LORA:
                _check_products(folder, model)
            model.requires_grad_(False)
            model.eval()
            yield
        finally:
            model.unload()


def shapes(base: Base, folder: Path, tensors: Mapping[str, torch.Tensor]) -> dict[str, tuple[int, ...]]:
    """Return the shapes of the tensors that the adapter should have on an outline, which cannot be used afterwards.

    An initialisation that decomposes the base's matrices is left out: an outline has no numbers.
    """
    config = _config(folder)
    _check_sizes(folder, config, tensors)
    if isinstance(config, LoraConfig) and str(config.init_lora_weights).lower().startswith(MOVES_THE_BASE):
        config.init_lora_weights = False
    with readable_errors(f"adapter {folder} does not fit {base.name}", MISFIT, AdapterError):
        return _shapes(_wrap(base, config))


def _shapes(model: PeftModel) -> dict[str, tuple[int, ...]]:
    return {name: tuple(tensor.shape) for name, tensor in _state(model).items()}


def _config(folder: Path) -> PeftConfig:
    with readable_errors(f"{folder}/{CONFIG}", "save the adapter again", AdapterError):
        config: PeftConfig = PeftConfig.from_pretrained(str(folder))
    assert _kind(config) not in NOT_IN_MODULES  # `read_settings` has refused it
    if getattr(config, "megatron_config", None) is not None:
        raise AdapterError(  # peft imports whatever module `megatron_core` names
            f"{folder / CONFIG}: megatron_config names code that is not part of this harness; use an adapter without it"
        )
    config.inference_mode = True
    return config


@dataclass(frozen=True, slots=True)
class Before:
    """The numbers of a base that an adapter may change."""

    parameters: Mapping[str, nn.Parameter]
    pristine: Pristine

    def read(self, name: str) -> torch.Tensor:
        """Return a parameter's numbers as they were."""
        return self.pristine.read(name, self.parameters[name])

    def moved(self) -> dict[str, nn.Parameter]:
        """Return the parameters that have other numbers now."""
        return {
            name: parameter
            for name, parameter in self.parameters.items()
            if not torch.equal(parameter, self.read(name))
        }


@contextmanager
def _unchanged(base: Base, config: PeftConfig) -> "Iterator[Before]":
    """Restore the base's modules and numbers when the block ends.

    When peft detaches an adapter, it leaves in the base the whole modules that were saved with the adapter, the biases that
    were trained, and what some initialisations (PiSSA, OLoRA, CorDA, ...) subtracted from the base.
    """
    writes = not (isinstance(config, LoraConfig) and _kind(config) == LORA) or (
        config.init_lora_weights not in STARTS or config.kasa_config is not None or config.bias != "none"
    )
    modules = dict(base.model.named_modules())
    parameters = dict(base.model.named_parameters()) if writes else {}
    pristine = Pristine(base.model)
    try:
        for name, parameter in parameters.items():
            pristine.keep(name, parameter)
        yield Before(parameters, pristine)
    finally:
        for name, module in modules.items():
            if name and base.model.get_submodule(name) is not module:
                put_in(base.model, name, module)
        with torch.no_grad():
            for name, parameter in parameters.items():
                parameter.copy_(pristine.read(name, parameter))
        base.model.requires_grad_(False)
        pristine.close()


def _check_sizes(folder: Path, config: PeftConfig, tensors: Mapping[str, torch.Tensor]) -> None:
    """Raise AdapterError where a size is larger than any side of a tensor, before peft allocates matrices of that size.

    Of LoRA these are the ranks. Another kind has sizes under names of its own: every whole number counts that neither
    seeds something nor counts steps.
    """
    largest = max((size for tensor in tensors.values() for size in tensor.shape), default=1)
    if isinstance(config, LoraConfig) and _kind(config) == LORA:
        sizes = [("rank", rank) for rank in (config.r, *(config.rank_pattern or {}).values())]
    else:
        largest = max(largest, SMALL)
        sizes = [*_sizes(config.to_dict())]
    name, size = max(sizes, key=lambda found: found[1], default=("", 0))
    if size > largest:
        raise AdapterError(
            f"{folder / CONFIG}: found a {name} of {size:,}, the largest side of any tensor is {largest:,}; {MISFIT}"
        )


def _sizes(settings: Mapping[str, Any]) -> Iterator[tuple[str, int]]:
    """Yield the names and values of the whole numbers of a configuration that may be sizes."""
    for name, value in settings.items():
        if name in NO_SIZE or "seed" in name or "step" in name:
            continue
        if isinstance(value, Mapping):
            yield from ((name, size) for _, size in _sizes(value))  # rank_pattern's keys are names of modules
        elif isinstance(value, int) and not isinstance(value, bool):
            yield name, value


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


def _kind(config: PeftConfig) -> str:
    """Return the name of an adapter's kind."""
    return str(getattr(config.peft_type, "value", config.peft_type))


def _state(model: PeftModel) -> dict[str, torch.Tensor]:
    return get_peft_model_state_dict(model, save_embedding_layers=False)  # type: ignore[no-any-return]


def _wrap(base: Base, config: PeftConfig) -> PeftModel:
    """Wrap the base with empty factors, in float32 where the base is narrower; clean up after a failure."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", FutureWarning)  # peft uses an old name of transformers
            warnings.filterwarnings(
                "ignore", category=UserWarning, module=r"peft\."
            )  # of BOFT, on its missing CUDA code
            return PeftModel(base.model, config)
    except Exception:
        if hasattr(base.model, "peft_config"):
            del base.model.peft_config
        raise
