"""LoRA factors on a base: put on, taken off, saved and checked. The base is what it was before."""

import json
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, cast

import torch
from safetensors.torch import load_file, save_file
from torch import nn

from harness import families
from harness.checkpoints.adapter import CONFIG, MAGNITUDE, MISFIT, read_settings
from harness.checkpoints.folder import json_mapping
from harness.checkpoints.patterns import check_patterns
from harness.checkpoints.safetensors import TensorFile
from harness.errors import AdapterError
from harness.neural.factors import PREFIX, UNSOUND, Factors, applied, check_products, shapes
from harness.neural.foreign import told
from harness.neural.load import Base
from harness.neural.lora_config import LoraConfig, can_be_own, names_to_write, read_config, targeted
from harness.types import Recipe

if TYPE_CHECKING:
    from harness.neural.peft_lora import PeftFactors

WEIGHTS = "adapter_model.safetensors"
BASES_OWN = ".base_layer.weight"
OURS = "harness.json"  # {"base": name, "digest": of the base's weights}


def attach(base: Base, recipe: Recipe, seed: int) -> "Factors | PeftFactors":
    """New factors on the base's modules: A random by the seed, B zero. `detach` takes them off again."""
    targets = families.lora_targets(base.family, recipe.targets)
    modules = targeted(base.model, targets)
    if not modules:
        raise AdapterError(
            f"recipe {recipe.name}: targets {recipe.targets}: {base.name} has no module that is called one of {targets}"
        )
    config = LoraConfig(
        base=base.name,  # never where the base lies on this disk
        rank=recipe.rank,
        alpha=recipe.alpha,
        rslora=recipe.rslora,
        targets=names_to_write(base.model, targets),
    )
    with torch.random.fork_rng(devices=[base.device] if base.device.type == "cuda" else []):
        torch.manual_seed(seed)
        if can_be_own(base.model, modules.values()):
            return Factors(base, config, cast(dict[str, nn.Linear], modules), recipe.dropout)
        from harness.neural.peft_lora import PeftFactors

        try:
            return PeftFactors(base, recipe, targets)
        except ValueError as error:
            raise AdapterError(f"recipe {recipe.name}: targets {recipe.targets}: {error}") from error


def detach(attached: "Factors | PeftFactors") -> None:
    attached.detach()


def factors(attached: "Factors | PeftFactors") -> dict[str, torch.Tensor]:
    """The adapter's tensors under the names that they have on disk, copied to the CPU."""
    return attached.tensors()


def save(
    attached: "Factors | PeftFactors",
    base: Base,
    folder: Path,
    tensors: Mapping[str, torch.Tensor] | None = None,  # None: those that are attached
) -> None:
    """Writes PEFT's layout, the same bytes for the same factors."""
    folder.mkdir(parents=True, exist_ok=True)
    found = tensors if tensors is not None else attached.tensors()
    save_file(
        {name: found[name].contiguous() for name in sorted(found)},
        folder / WEIGHTS,
        metadata={"format": "pt"},
    )
    settings = json.dumps(attached.settings(), indent=2, sort_keys=True)
    (folder / CONFIG).write_text(settings + "\n", encoding="utf-8")
    ours = {"base": base.name, "digest": base.digest}
    (folder / OURS).write_text(json.dumps(ours, indent=2) + "\n", encoding="utf-8")


@contextmanager
def adapted(base: Base, folder: Path) -> Iterator[None]:
    """The base answers as the adapter makes it for as long as the block runs."""
    config, tensors = _read(base, folder)
    modules = _own_modules(base, config)
    if modules is not None:
        _check_own(base, folder, config, modules, tensors)
        with applied(base.model, config, modules, tensors, f"adapter {folder}"):
            yield
        return
    from harness.neural import peft_lora

    with peft_lora.applied(
        base, folder, tensors, lambda expected: _check_tensors(base, folder, expected, tensors)
    ):
        yield


def check_fit(base: Base, folder: Path) -> None:
    """Raises AdapterError where `adapted` would; the base may be an outline, which has no numbers."""
    config, tensors = _read(base, folder)
    modules = _own_modules(base, config)
    if modules is not None:
        _check_own(base, folder, config, modules, tensors)
        check_products(config, modules, tensors, f"adapter {folder}")
        return
    from harness.neural import peft_lora

    _check_tensors(base, folder, peft_lora.shapes(base, folder), tensors)


def _read(base: Base, folder: Path) -> tuple[LoraConfig, dict[str, torch.Tensor]]:
    names = [name for name, _ in base.model.named_modules()]
    check_patterns(folder / CONFIG, read_settings(folder, "measured"), names)
    config = read_config(folder)
    _check_base(base, folder, config)
    return config, _without_the_bases_own(base, _tensors(folder))


def _own_modules(base: Base, config: LoraConfig) -> dict[str, nn.Linear] | None:
    """The modules that the factors sit on, where they need not peft; None where they do."""
    if not config.plain:
        return None
    modules = targeted(base.model, config.targets)
    return cast(dict[str, nn.Linear], modules) if can_be_own(base.model, modules.values()) else None


def _check_own(
    base: Base,
    folder: Path,
    config: LoraConfig,
    modules: Mapping[str, nn.Linear],
    tensors: Mapping[str, torch.Tensor],
) -> None:
    if not modules:
        raise AdapterError(
            f"adapter {folder} does not fit {base.name}: target_modules: it has no module that is called one of "
            f"{config.targets}; {MISFIT}"
        )
    _check_tensors(base, folder, shapes(config, modules), tensors)


def unproven(base: Base, folder: Path) -> str | None:
    """Why it cannot be told that the adapter was trained on this base; None where it can."""
    _, digest = _recorded(folder)
    recorded = read_config(folder).base
    if digest or (_is_public(recorded) and _is_public(base.name)):
        return None
    return f"the adapter says it was trained on {recorded or 'nothing'}, which says nothing about {base.name}"


def inert(folder: Path) -> bool:
    """Whether the adapter changes nothing: every B is zero."""
    return all(
        not tensor.any()
        for name, tensor in _tensors(folder).items()
        if "lora_B" in name or "lora_embedding_B" in name
    )


def _tensors(folder: Path) -> dict[str, torch.Tensor]:
    path = folder / WEIGHTS
    if not path.is_file():
        pickled = (folder / "adapter_model.bin").is_file()
        hint = (
            f"it holds pickled weights; run `harness convert {folder}`"
            if pickled
            else "the adapter is not complete"
        )
        raise AdapterError(f"{folder}: no {WEIGHTS}; {hint}")
    with told(str(path), "save the adapter again", AdapterError):
        TensorFile(path)  # which says what is torn; the library would not
        found: dict[str, torch.Tensor] = load_file(path)
    bad = [name for name, tensor in found.items() if not torch.isfinite(tensor).all()]
    if bad:
        more = f" and {len(bad) - 3} more" if len(bad) > 3 else ""
        raise AdapterError(f"adapter {path}: not a number in {', '.join(bad[:3])}{more}; it {UNSOUND}")
    return found


def _without_the_bases_own(base: Base, tensors: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    """peft saves the matrix of a targeted embedding or head along; where it is the base's, nothing is lost without it."""
    modules = dict(base.model.named_modules())

    def is_bases(name: str, tensor: torch.Tensor) -> bool:
        if not name.endswith(BASES_OWN):
            return False
        own = modules.get(name.removeprefix(PREFIX).removesuffix(BASES_OWN))
        weight = getattr(own, "weight", None)
        if not isinstance(weight, torch.Tensor) or weight.is_meta:  # an outline has its shape alone
            return isinstance(weight, torch.Tensor) and weight.shape == tensor.shape
        return torch.equal(tensor.to(weight.device, weight.dtype), weight)

    return {name: tensor for name, tensor in tensors.items() if not is_bases(name, tensor)}


def _recorded(folder: Path) -> tuple[str, str]:
    """Base name and digest that the harness wrote beside an adapter of its own; empty for others'."""
    path = folder / OURS
    if not path.is_file():
        return "", ""
    with told(str(path), "train the adapter again, or delete the file", AdapterError):
        said = json_mapping(path)
    base, digest = said.get("base", ""), said.get("digest", "")
    if not isinstance(base, str) or not isinstance(digest, str):
        raise AdapterError(f"{path}: base and digest are texts; train the adapter again, or delete the file")
    return base, digest


def _check_base(base: Base, folder: Path, config: LoraConfig) -> None:
    name, digest = _recorded(folder)
    if digest:
        if digest != base.digest:
            raise AdapterError(
                f"adapter {folder} was trained on {name} with weights {digest[:12]}, but {base.name} here has "
                f"{base.digest[:12]}; use that base, or train anew"
            )
        return
    recorded = config.base
    if _is_public(recorded) and _is_public(base.name) and str(recorded).casefold() != base.name.casefold():
        raise AdapterError(
            f"adapter {folder} was trained on {recorded}, not on {base.name}; equal shapes are not enough"
        )


def _is_public(name: str | None) -> bool:
    """Whether the name means the same model everywhere: a hub id or one of the zoo; no local path."""
    if not name or "\\" in name or name.startswith((".", "/", "~")):
        return False
    return name.startswith("zoo:") or (name.count("/") == 1 and not Path(name).exists())


def _check_tensors(
    base: Base, folder: Path, expected: Mapping[str, tuple[int, ...]], found: Mapping[str, torch.Tensor]
) -> None:
    """Every tensor has its place and its shape, and every place its tensor."""
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
    """The key of adapter_config.json that does not go with the weights; None where it cannot be told."""
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
