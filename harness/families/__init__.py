"""The names that model families give their matrices, and which of these an adapter may change."""

import re
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from functools import cache
from typing import Literal

from harness import plugins
from harness.errors import UnknownName
from harness.plugins.files import PluginFile

Role = Literal["q", "k", "v", "o", "qkv", "feed-forward", "embedding", "head", "other"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Fused:
    """How several matrices are stored as one, along its output rows.

    blocks: all rows of q, then all of k, then all of v.
    groups: for each key-value head in turn, the rows of its query heads, then its key, then its value.
    equal: all rows of the first part, then as many of the second, and so on.
    """

    parts: tuple[str, ...]
    layout: Literal["blocks", "groups", "equal"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Family:
    """A model family as data.

    Patterns match the end of a module's path, at a dot; the first that matches gives the role.
    """

    name: str
    model_types: tuple[str, ...]  # config.json's `model_type`
    architecture: str  # the name of a plug-in of neural/architectures/, which need not exist yet
    roles: tuple[tuple[str, Role], ...]  # pattern -> role
    targets: Mapping[str, tuple[str, ...]]  # role -> module-name suffixes for LoRA
    fused: Mapping[str, Fused] = field(default_factory=dict)  # module-name suffix -> its parts
    fan_in_fan_out: bool = False  # weights stored [in, out], as GPT-2's Conv1D does
    # What its tokenizers put before a text: BOS, no token, or one or the other.
    begins: Literal["bos", "none", "varies"] = "varies"
    checkpoints: tuple[str, ...] = ()  # examples on the hub
    notes: str = ""  # what a user should know of it; shown in docs/families.md
    # Of checkpoints that were tuned on a format of their own: the family that their matrices are of
    tuned_from: str | None = None
    repositories: tuple[str, ...] = ()  # of these checkpoints on the hub: patterns with *, in small letters


def of(model_type: str, repository: str = "") -> Family:
    """Return the family that lists this model type, or the one tuned from it that lists the checkpoint's name on the hub.

    A model type that no family lists is of the generic family, which has the usual names.
    """
    family = _by_model_type(plugins.used()).get(model_type, find("generic"))
    named = (
        tuned
        for tuned in _tuned(plugins.used()).get(family.name, ())
        if any(fnmatchcase(repository.lower(), pattern) for pattern in tuned.repositories)
    )
    return next(named, family)


def asked_as(by_family: Collection[str], family: str | None) -> str | None:
    """Return in which family's words models of a family are asked; None: in the task's own.

    A family without words of its own in `by_family` is asked in those of the family that it was tuned from.
    """
    known = plugins.names("families")
    while family is not None and family not in by_family:
        family = find(family).tuned_from if family in known else None
    return family


def find(name: str) -> Family:
    """Return the family of that name."""
    family: Family = plugins.find("families", name).FAMILY
    return family


@cache
def _by_model_type(used: tuple[PluginFile, ...]) -> dict[str, Family]:
    """Return each model type's family; `used` are the user's own plug-in files, which may change between calls."""
    families = map(find, plugins.names("families"))
    return {model_type: family for family in families for model_type in family.model_types}


@cache
def _tuned(used: tuple[PluginFile, ...]) -> dict[str, list[Family]]:
    """Return the families that were tuned from another, by that other family."""
    found: dict[str, list[Family]] = {}
    for family in map(find, plugins.names("families")):
        if family.tuned_from is not None:
            found.setdefault(family.tuned_from, []).append(family)
    return found


def role(family: Family, parameter_name: str) -> Role:
    """Return the role of a parameter; its name may end in `.weight` or not."""
    module = re.sub(r"\.(weight|bias)$", "", parameter_name)
    for pattern, name in family.roles:
        if re.search(rf"(?:^|\.)(?:{pattern})$", module):
            return name
    return "other"


def lora_targets(family: Family, roles: Iterable[str]) -> tuple[str, ...] | Literal["all-linear"]:
    """Return the module-name suffixes for peft's `target_modules`, each once.

    Where a family fuses q, k and v, asking for one of them gives the whole fused matrix.
    """
    roles = tuple(roles)
    if "all-linear" in roles:
        return "all-linear"
    for name in roles:
        if name not in family.targets:
            raise UnknownName("LoRA target", name, (*family.targets, "all-linear"), f"family {family.name}")
    return tuple(dict.fromkeys(suffix for name in roles for suffix in family.targets[name]))
