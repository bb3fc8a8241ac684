"""What a model family calls its matrices, and which of them an adapter may sit on."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Literal

from harness import plugins
from harness.errors import UnknownName

Role = Literal["q", "k", "v", "o", "qkv", "feed-forward", "embedding", "head", "other"]
Architecture = Literal["causal", "seq2seq", "encoder"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Fused:
    """How one matrix holds several, along its output rows.

    blocks: all rows of the first part, then all of the second, and so on.
    groups: for each key-value head in turn, the rows of its query heads, then its key, then its value.
    """

    parts: tuple[str, ...]
    layout: Literal["blocks", "groups"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Family:
    """A model family as data.

    Patterns match the end of a module's path, at a dot; the first that matches gives the role.
    """

    name: str
    model_types: tuple[str, ...]  # config.json's `model_type`
    architecture: Architecture
    roles: tuple[tuple[str, Role], ...]  # pattern -> role
    targets: Mapping[str, tuple[str, ...]]  # role -> module-name suffixes for LoRA
    fused: Mapping[str, Fused] = field(default_factory=dict)  # module-name suffix -> what it holds
    fan_in_fan_out: bool = False  # weights stored [in, out], as GPT-2's Conv1D does


def of(model_type: str) -> Family:
    """Return the family that names this model type, else the generic one, which knows the usual names."""
    return _by_model_type().get(model_type, find("generic"))


def find(name: str) -> Family:
    """Return the family of that name."""
    family: Family = plugins.find("families", name).FAMILY
    return family


@cache
def _by_model_type() -> dict[str, Family]:
    families = map(find, plugins.names("families"))
    return {model_type: family for family in families for model_type in family.model_types}


def role(family: Family, parameter_name: str) -> Role:
    """Return what a parameter does; its name may stand with or without `.weight`."""
    module = re.sub(r"\.(weight|bias)$", "", parameter_name)
    for pattern, what in family.roles:
        if re.search(rf"(?:^|\.)(?:{pattern})$", module):
            return what
    return "other"


def lora_targets(family: Family, roles: Iterable[str]) -> tuple[str, ...] | Literal["all-linear"]:
    """Module-name suffixes for peft's `target_modules`, each once.

    Where a family fuses q, k and v, asking for one of them gives the whole fused matrix.
    """
    roles = tuple(roles)
    if "all-linear" in roles:
        return "all-linear"
    for name in roles:
        if name not in family.targets:
            raise UnknownName("LoRA target", name, (*family.targets, "all-linear"), f"family {family.name}")
    return tuple(dict.fromkeys(suffix for name in roles for suffix in family.targets[name]))
