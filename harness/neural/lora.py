"""LoRA factors on a base: put on, taken off, saved and checked. The base is what it was before."""

import json
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import torch
from peft import LoraConfig, PeftConfig, PeftModel, get_peft_model_state_dict, set_peft_model_state_dict
from safetensors.torch import load_file, save_file

from harness import families
from harness.errors import AdapterError
from harness.neural.load import Base
from harness.types import Recipe

WEIGHTS = "adapter_model.safetensors"
CONFIG = "adapter_config.json"
OURS = "harness.json"  # {"base": name, "digest": of the base's weights}


def attach(base: Base, recipe: Recipe, seed: int) -> PeftModel:
    """New factors on the base's modules: A random by the seed, B zero. `detach` takes them off again."""
    targets = families.lora_targets(base.family, recipe.targets)
    config = LoraConfig(
        r=recipe.rank,
        lora_alpha=recipe.alpha,  # type: ignore[arg-type]  # peft says int and takes any number
        lora_dropout=recipe.dropout,
        target_modules=targets if isinstance(targets, str) else list(targets),
        use_rslora=recipe.rslora,
        fan_in_fan_out=base.family.fan_in_fan_out,
        bias="none",
        # peft 0.21's wrapper for SEQ_2_SEQ_LM asks for a method that transformers 5.23 has renamed; the plain one serves.
        task_type=None if base.seq2seq else "CAUSAL_LM",
        auto_mapping={
            "base_model_class": type(base.model).__name__,
            "parent_library": type(base.model).__module__,
        }
        if base.seq2seq
        else None,
        base_model_name_or_path=base.name,  # never where the base lies on this disk
    )
    with torch.random.fork_rng(devices=_cuda(base)):
        torch.manual_seed(seed)
        try:
            return _wrap(base, config)
        except ValueError as error:
            raise AdapterError(f"recipe {recipe.name}: targets {recipe.targets}: {error}") from error


def detach(model: PeftModel) -> None:
    model.unload()


def save(model: PeftModel, base: Base, folder: Path, tensors: dict[str, torch.Tensor] | None = None) -> None:
    """Writes PEFT's layout, the same bytes for the same factors."""
    folder.mkdir(parents=True, exist_ok=True)
    found = tensors if tensors is not None else factors(model)
    save_file(
        {name: found[name].contiguous() for name in sorted(found)},
        folder / WEIGHTS,
        metadata={"format": "pt"},
    )
    config = model.peft_config["default"].to_dict() | {"inference_mode": True}
    for name, value in config.items():
        config[name] = sorted(value) if isinstance(value, set) else value
    (folder / CONFIG).write_text(json.dumps(config, indent=2, sort_keys=True) + "\n", encoding="utf-8")
    ours = {"base": base.name, "digest": base.digest}
    (folder / OURS).write_text(json.dumps(ours, indent=2) + "\n", encoding="utf-8")


def factors(model: PeftModel) -> dict[str, torch.Tensor]:
    """The adapter's tensors under the names that they have on disk, copied to the CPU."""
    found = get_peft_model_state_dict(model, save_embedding_layers=False)
    return {name: tensor.detach().cpu().clone() for name, tensor in found.items()}


def put(model: PeftModel, tensors: dict[str, torch.Tensor]) -> None:
    set_peft_model_state_dict(model, tensors)


@contextmanager
def adapted(base: Base, folder: Path) -> Iterator[PeftModel]:
    """The base answers as the adapter makes it for as long as the block runs."""
    config = _config(folder)
    _check_base(base, folder, config)
    tensors = _tensors(folder)
    try:
        model = _wrap(base, config)
    except (ValueError, NotImplementedError, ImportError) as error:
        raise AdapterError(f"adapter {folder} does not fit {base.name}: {error}") from error
    try:
        _check_tensors(base, folder, get_peft_model_state_dict(model, save_embedding_layers=False), tensors)
        put(model, tensors)
        model.requires_grad_(False)
        model.eval()
        yield model
    finally:
        detach(model)


def unproven(base: Base, folder: Path) -> str | None:
    """Why it cannot be told that the adapter was trained on this base; None where it can."""
    _, digest = _recorded(folder)
    recorded = _config(folder).base_model_name_or_path
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


def _wrap(base: Base, config: LoraConfig) -> PeftModel:
    """Puts empty factors on the base, in float32 where the base is narrower; what a failure leaves is taken off."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", FutureWarning)  # peft asks transformers by an old name
            return PeftModel(base.model, config)
    except Exception:
        if hasattr(base.model, "peft_config"):
            del base.model.peft_config
        raise


def _config(folder: Path) -> LoraConfig:
    path = folder / CONFIG
    try:
        said = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise AdapterError(f"{path}: {error}; an adapter is a folder in PEFT's layout") from error
    if said.get("peft_type") != "LORA":
        raise AdapterError(
            f"{path}: peft_type is {said.get('peft_type')!r}; only LORA adapters can be measured"
        )
    config = PeftConfig.from_pretrained(str(folder))
    assert isinstance(config, LoraConfig)
    config.inference_mode = True
    return config


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
    found: dict[str, torch.Tensor] = load_file(path)
    bad = [name for name, tensor in found.items() if not torch.isfinite(tensor).all()]
    if bad:
        raise AdapterError(f"{path}: not a number in {', '.join(bad[:3])}")
    return found


def _recorded(folder: Path) -> tuple[str, str]:
    """Base name and digest that the harness wrote beside an adapter of its own; empty for others'."""
    path = folder / OURS
    if not path.is_file():
        return "", ""
    said = json.loads(path.read_text(encoding="utf-8"))
    return said.get("base", ""), said.get("digest", "")


def _check_base(base: Base, folder: Path, config: LoraConfig) -> None:
    name, digest = _recorded(folder)
    if digest:
        if digest != base.digest:
            raise AdapterError(
                f"adapter {folder} was trained on {name} with weights {digest[:12]}, but {base.name} here has "
                f"{base.digest[:12]}; use that base, or train anew"
            )
        return
    recorded = config.base_model_name_or_path
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
    base: Base, folder: Path, expected: dict[str, torch.Tensor], found: dict[str, torch.Tensor]
) -> None:
    """Every tensor has its place and its shape, and every place its tensor."""
    wrong = [f"{name} has no place in the model" for name in sorted(found.keys() - expected.keys())]
    wrong += [f"{name} is missing" for name in sorted(expected.keys() - found.keys())]
    wrong += [
        f"{name} is {list(found[name].shape)}, the model needs {list(expected[name].shape)}"
        for name in sorted(found.keys() & expected.keys())
        if found[name].shape != expected[name].shape
    ]
    if wrong:
        more = f"; and {len(wrong) - 3} more" if len(wrong) > 3 else ""
        raise AdapterError(f"adapter {folder} does not fit {base.name}: {'; '.join(wrong[:3])}{more}")


def _cuda(base: Base) -> list[torch.device]:
    return [base.device] if base.device.type == "cuda" else []
