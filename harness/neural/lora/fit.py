"""Whether an adapter belongs to a base: by the base that it names, and by the shapes of its tensors."""

from collections.abc import Iterable, Mapping
from pathlib import Path

import torch

from harness.checkpoints.adapter import MAGNITUDE, MISFIT
from harness.errors import AdapterError
from harness.neural.load import Base
from harness.neural.lora.config import LoraConfig, read_config
from harness.neural.lora.files import recorded_base


def unproven(base: Base, folder: Path) -> str | None:
    """Return why it cannot be told that the adapter was trained on this base; None where it can."""
    _, digest = recorded_base(folder)
    recorded = read_config(folder).base
    if digest or (_is_public(recorded) and _is_public(base.name)):
        return None
    return f"the adapter says it was trained on {recorded or 'nothing'}, which says nothing about {base.name}"


def check_base(base: Base, folder: Path, config: LoraConfig) -> None:
    """Raise AdapterError where the adapter names another base."""
    name, digest = recorded_base(folder)
    if digest:
        if digest != base.digest:
            raise AdapterError(
                f"adapter {folder} was trained on {name} with weights {digest[:12]}, but {base.name} here has "
                f"{base.digest[:12]}; use that base, or train again"
            )
        return
    recorded = config.base
    if _is_public(recorded) and _is_public(base.name) and str(recorded).casefold() != base.name.casefold():
        raise AdapterError(
            f"adapter {folder} was trained on {recorded}, not on {base.name}; equal shapes are not enough"
        )


def _is_public(name: str | None) -> bool:
    """Return whether the name means the same model everywhere: a hub id or one of the zoo; no local path."""
    if not name or "\\" in name or name.startswith((".", "/", "~")):
        return False
    return name.startswith("zoo:") or (name.count("/") == 1 and not Path(name).exists())


def check_tensors(
    base: Base, folder: Path, expected: Mapping[str, tuple[int, ...]], found: Mapping[str, torch.Tensor]
) -> None:
    """Raise AdapterError unless every tensor has its place and its shape, and every place its tensor."""
    wrong = [f"{name} has no place in the model" for name in sorted(found.keys() - expected.keys())]
    wrong += [f"{name} is missing" for name in sorted(expected.keys() - found.keys())]
    wrong += [
        f"{name} is {list(found[name].shape)}, the model needs {list(expected[name])}"
        for name in sorted(found.keys() & expected.keys())
        if tuple(found[name].shape) != expected[name]
    ]
    if wrong:
        more = f"; and {len(wrong) - 3} more" if len(wrong) > 3 else ""
        key = _misfit(expected, found)
        cause = f"; {key} does not go with the weights" if key else ""
        raise AdapterError(
            f"adapter {folder} does not fit {base.name}: {'; '.join(wrong[:3])}{more}{cause}; {MISFIT}"
        )


def _misfit(expected: Mapping[str, tuple[int, ...]], found: Mapping[str, torch.Tensor]) -> str | None:
    """Return the key of adapter_config.json that does not go with the weights; None where it cannot be told."""
    apart = expected.keys() ^ found.keys()
    if apart and all(MAGNITUDE in name for name in apart):
        return "use_dora"
    if apart:
        sided = all(".lora_" in name for name in apart)
        return "target_modules" if sided and _modules(expected) != _modules(found) else None
    sides = {"lora_A": 1, "lora_B": 0}  # the side of each factor that is not the rank
    wrong = [name for name in expected if tuple(found[name].shape) != expected[name]]
    for name in wrong:
        kept = next((side for part, side in sides.items() if f".{part}." in name), None)
        shape = tuple(found[name].shape)
        if kept is None or len(shape) != 2 or shape[kept] != expected[name][kept]:
            return None
    return "r" if wrong else None


def _modules(names: Iterable[str]) -> set[str]:
    return {name.partition(".lora_")[0] for name in names}
