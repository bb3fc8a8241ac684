"""Whether an adapter belongs to a base: by the base that it records, and by the shapes of its tensors."""

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

import torch

from harness.checkpoints.adapter import MAGNITUDE, MISFIT
from harness.errors import AdapterError
from harness.neural.load import Base
from harness.neural.lora.config import LoraConfig, read_config
from harness.neural.lora.files import recorded_base, recorded_labels


def unverified_base(base: Base, folder: Path) -> str | None:
    """Return why it is not known whether the adapter was trained on this base; None where it is known."""
    _, digest = recorded_base(folder)
    recorded = read_config(folder).base
    if digest or (_is_public(recorded) and _is_public(base.recorded)):
        return None
    if not recorded:
        return f"the adapter does not record its base, so nothing shows that it was trained on {base.name}"
    return f"the adapter records {recorded} as its base, so nothing shows that it was trained on {base.name}"


def check_base(base: Base, folder: Path, config: LoraConfig) -> None:
    """Raise AdapterError where the adapter records another base."""
    name, digest = recorded_base(folder)
    if digest:
        if digest != base.digest:
            raise AdapterError(
                f"adapter {folder} was trained on {name} with weights {digest[:12]}, but {base.name} here has "
                f"{base.digest[:12]}; use that base, or train again"
            )
        return
    recorded = config.base
    if not (_is_public(recorded) and _is_public(base.recorded)):
        return
    if str(recorded).casefold() != base.recorded.casefold():
        raise AdapterError(
            f"adapter {folder} was trained on {recorded}, not on {base.name}; equal shapes are not enough"
        )


def check_labels(
    folder: Path,
    labels: Sequence[str],  # of the task; empty: it asks for a number
    outputs: int,  # of the adapter's head
) -> None:
    """Raise AdapterError where an adapter's head was trained for other labels than the task has."""
    recorded = recorded_labels(folder)
    wanted = f"the labels {', '.join(labels)}" if labels else "a number"
    if recorded is not None and recorded != tuple(labels):
        has = f"the labels {', '.join(recorded)}" if recorded else "a number"
        raise AdapterError(
            f"adapter {folder}: its head was trained for {has}, the task asks for {wanted}; use an adapter that was trained "
            "for this task's labels, in this order"
        )
    if outputs != (len(labels) or 1):
        raise AdapterError(
            f"adapter {folder}: its head has {outputs} outputs, the task asks for {wanted}; use an adapter that was trained "
            "for this task"
        )


def _is_public(name: str | None) -> bool:
    """Return whether a name means the same model everywhere: a hub id or a model of the zoo, not a local path."""
    if not name or "\\" in name or name.startswith((".", "/", "~")):
        return False
    return name.startswith("zoo:") or (name.count("/") == 1 and not Path(name).exists())


def check_tensors(
    base: Base, folder: Path, expected: Mapping[str, tuple[int, ...]], found: Mapping[str, torch.Tensor]
) -> None:
    """Raise AdapterError unless the adapter's tensors have the names and shapes that the model needs."""
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
        cause = f"; {key} does not match the weights" if key else ""
        raise AdapterError(
            f"adapter {folder} does not fit {base.name}: {'; '.join(wrong[:3])}{more}{cause}; {MISFIT}"
        )


def _misfit(expected: Mapping[str, tuple[int, ...]], found: Mapping[str, torch.Tensor]) -> str | None:
    """Return the key of adapter_config.json that does not match the weights; None where it is not known."""
    apart = expected.keys() ^ found.keys()
    if apart and all(MAGNITUDE in name for name in apart):
        return "use_dora"
    if apart:
        only_factors = all(".lora_" in name for name in apart)
        return "target_modules" if only_factors and _modules(expected) != _modules(found) else None
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
