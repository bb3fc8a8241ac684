"""PEFT's adapter_config.json, read and written without importing peft: which modules an adapter changes, and how.

Names and patterns mean here what they mean in peft 0.21; tests compare the two.
"""

import math
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from importlib.metadata import version
from pathlib import Path
from typing import Any

from torch import nn
from transformers import PreTrainedModel
from transformers.conversion_mapping import get_model_conversion_mapping
from transformers.core_model_loading import WeightConverter
from transformers.pytorch_utils import Conv1D

from harness.checkpoints.adapter import LORA, read_settings
from harness.checkpoints.adapter_settings import ALPHA, RANK
from harness.checkpoints.patterns import ALL_LINEAR, by_pattern

SHORTEN = 20  # peft writes this many names or more as the fewest suffixes that mean the same modules
# The fields that peft writes for a LoRA adapter, with their values in a plain adapter; the others are in `written`.
NULL = (
    "alora_invocation_tokens arrow_config auto_mapping corda_config eva_config exclude_modules kasa_config "
    "layer_replication layers_pattern layers_to_transform lora_ga_config megatron_config modules_to_save "
    "monteclora_config revision target_parameters task_type trainable_token_indices use_bdlora velora_config"
).split()
FALSE = "ensure_weight_tying fan_in_fan_out lora_bias use_dora use_qalora".split()
EMPTY = "alpha_pattern loftq_config rank_pattern".split()
SET = {"bias": "none", "init_lora_weights": True, "megatron_core": "megatron.core", "qalora_group_size": 16}
UNUSED: Mapping[str, Any] = {**dict.fromkeys(NULL), **dict.fromkeys(FALSE, False), **SET} | {
    name: {} for name in EMPTY
}
# Settings that do not change the effect of trained factors.
HARMLESS = (
    "auto_mapping",
    "fan_in_fan_out",
    "inference_mode",
    "lora_dropout",
    "peft_version",
    "revision",
    "task_type",
)
# Initialisations that do not change the base; the others subtract from it, and peft must do so again.
STARTS = (True, False, "gaussian", "eva", "orthogonal")


@dataclass(frozen=True, slots=True, kw_only=True)
class LoraConfig:
    """The part of an adapter's configuration that says which modules have factors, and how they are scaled."""

    base: str | None  # the base's name, as the adapter records it
    rank: int
    alpha: float
    rslora: bool
    targets: tuple[str, ...] | str  # suffixes of names; a string is "all-linear" or a regular expression
    rank_pattern: Mapping[str, int] = field(default_factory=dict)
    alpha_pattern: Mapping[str, float] = field(default_factory=dict)
    saved: tuple[str, ...] = ()  # ends of names of modules that are saved whole: a head
    plain: bool = True  # beside `saved`, no setting asks for more than B·A on linear maps

    def rank_of(self, module: str) -> int:
        """Return the rank of a module's factors."""
        return int(by_pattern(self.rank_pattern, module, self.rank))

    def scale_of(self, module: str) -> float:
        """Return α / r, or α / √r (Kalajdzievski 2023)."""
        rank, alpha = self.rank_of(module), by_pattern(self.alpha_pattern, module, self.alpha)
        return float(alpha / (math.sqrt(rank) if self.rslora else rank))


def read_config(folder: Path) -> LoraConfig:
    """Return the configuration of an adapter; AdapterError where it is not a LoRA adapter's."""
    settings = read_settings(folder, "measured")
    if settings["peft_type"] != LORA:
        return LoraConfig(
            base=settings.get("base_model_name_or_path"),
            rank=0,
            alpha=0.0,
            rslora=False,
            targets=(),
            saved=tuple(settings.get("modules_to_save") or ()),
            plain=False,
        )
    targets = settings.get("target_modules")
    return LoraConfig(
        base=settings.get("base_model_name_or_path"),
        rank=settings.get("r", RANK),
        alpha=settings.get("lora_alpha", ALPHA),
        rslora=bool(settings.get("use_rslora")),
        targets=targets if isinstance(targets, str) else tuple(targets or ()),
        rank_pattern=settings.get("rank_pattern") or {},
        alpha_pattern=settings.get("alpha_pattern") or {},
        saved=tuple(settings.get("modules_to_save") or ()),
        plain=_is_plain(settings),
    )


def written(
    config: LoraConfig, dropout: float, task_type: str | None, model: PreTrainedModel
) -> dict[str, Any]:
    """Return the fields as peft writes them, so that peft and every reader of its files can use the adapter."""
    return {
        **UNUSED,
        "auto_mapping": auto_mapping(task_type, model),
        "base_model_name_or_path": config.base,
        "inference_mode": True,
        "lora_alpha": config.alpha,
        "lora_dropout": dropout,
        "peft_type": "LORA",
        "peft_version": version("peft"),
        "r": config.rank,
        "target_modules": config.targets if isinstance(config.targets, str) else sorted(config.targets),
        "task_type": task_type,
        "use_rslora": config.rslora,
    }


def auto_mapping(task_type: str | None, model: PreTrainedModel) -> dict[str, str] | None:
    """Return the model's class, which peft writes in place of a task type; None where there is a task type."""
    if task_type is not None:
        return None
    return {"base_model_class": type(model).__name__, "parent_library": type(model).__module__}


def targeted(
    model: PreTrainedModel, targets: tuple[str, ...] | str, head: tuple[str, ...] = ()
) -> dict[str, nn.Module]:
    """Return the targeted modules by name, in the model's own order; the caller raises where there are none.

    The modules of a head that is saved whole are not among them.
    """
    within = tuple(f"{name}." for name in head)
    modules = {
        name: module
        for name, module in model.named_modules()
        if name and name not in head and not name.startswith(within or ("\0",))
    }
    if isinstance(targets, str) and targets.lower() == ALL_LINEAR:
        logits = model.get_output_embeddings()  # type: ignore[no-untyped-call]
        return {
            name: module
            for name, module in modules.items()
            if isinstance(module, nn.Linear | Conv1D) and module is not logits
        }
    return {name: module for name, module in modules.items() if _means(targets, name)}


def names_to_write(
    model: PreTrainedModel, targets: tuple[str, ...] | str, head: tuple[str, ...] = ()
) -> tuple[str, ...] | str:
    """Return `targets` as peft writes them: a shorthand as names, and many names as the fewest suffixes."""
    if not (isinstance(targets, str) and targets.lower() == ALL_LINEAR):
        return targets
    names = tuple(targeted(model, targets, head))
    if len(names) < SHORTEN:
        return names
    others = {name for name, _ in model.named_modules()} - set(names)
    return _fewest_suffixes(names, others)


def can_be_own(model: PreTrainedModel, modules: Iterable[nn.Module]) -> bool:
    """Return whether all modules are linear maps, in a model whose modules have the same names as in its checkpoint."""
    converts = any(isinstance(step, WeightConverter) for step in get_model_conversion_mapping(model))
    return not converts and all(isinstance(module, nn.Linear) for module in modules)


def _is_plain(settings: Mapping[str, Any]) -> bool:
    if not settings.get("target_modules") or settings.get("init_lora_weights", True) not in STARTS:
        return False
    known = {*HARMLESS, "init_lora_weights", "peft_type", "base_model_name_or_path", "use_rslora"}
    known |= {"r", "lora_alpha", "target_modules", "rank_pattern", "alpha_pattern", "modules_to_save"}
    return all(name in known or not value or value == UNUSED.get(name) for name, value in settings.items())


def _means(targets: tuple[str, ...] | str, name: str) -> bool:
    if isinstance(targets, str):
        return re.fullmatch(targets, name) is not None
    return any(name == target or name.endswith(f".{target}") for target in targets)


def _fewest_suffixes(names: Sequence[str], others: Iterable[str]) -> tuple[str, ...]:
    """Return the shortest ends of names that no other module shares."""
    taken = {suffix for name in others for suffix in _suffixes(name)}
    found: set[str] = set()
    for suffixes in sorted(map(_suffixes, names)):
        if not any(suffixes[-1].endswith(f".{suffix}") for suffix in found):
            found.add(next((suffix for suffix in suffixes if suffix not in taken), suffixes[-1]))
    return tuple(sorted(found))


def _suffixes(name: str) -> list[str]:
    """Return the ends of a name, the shortest first, the whole name last."""
    parts = name.split(".")
    return [".".join(parts[at:]) for at in reversed(range(len(parts)))]
