"""LoRA factors on disk in PEFT's layout, read with numpy alone."""

import json
import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from harness.errors import AdapterError
from harness.tensors import TensorFile

CONFIG = "adapter_config.json"
WEIGHTS = "adapter_model.safetensors"
PREFIX = "base_model.model."
# A factor's name after the prefix. Embeddings end without `.weight`; peft's own state dicts name the adapter too.
FACTOR = re.compile(r"(?P<module>.+)\.lora_(?P<embedding>embedding_)?(?P<side>[AB])(\.\w+?)?(\.weight)?")
# Starts that subtract the first factors from the base, so that base + ΔW is not what was trained.
MOVES_THE_BASE = ("pissa", "olora", "corda", "loftq")


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Factors:
    """One module's low-rank update: ΔW = scale · B·A."""

    A: NDArray[np.float32]  # [r, in]
    B: NDArray[np.float32]  # [out, r]
    scale: float  # lora_alpha / r, or lora_alpha / √r
    transposed: bool = False  # the base keeps this matrix as [in, out]

    @property
    def shape(self) -> tuple[int, int]:
        """Of ΔW, as the base keeps it."""
        out, into = self.B.shape[0], self.A.shape[1]
        return (into, out) if self.transposed else (out, into)

    @property
    def finite(self) -> bool:
        return bool(np.isfinite(self.A).all() and np.isfinite(self.B).all())

    def delta(self) -> NDArray[np.float64]:
        """ΔW, the size of the base's matrix; formed only to be added to it."""
        product = self.scale * (self.B.astype(np.float64) @ self.A.astype(np.float64))
        return product.T if self.transposed else product


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class LoraWeights:
    """An adapter: which base it says it is for, and its factors by module."""

    base: str | None
    modules: Mapping[str, Factors]  # the module's path in the base, without `.weight`
    # What was saved along and is no low-rank update, by name without prefix: whole matrices and biases.
    others: Mapping[str, tuple[int, ...]]  # shapes


def read(folder: Path) -> LoraWeights:
    """All factors of the adapter in the folder, as float32."""
    config = _config(folder)
    tensors = _tensors(folder)
    sides: dict[str, dict[str, NDArray[np.float32]]] = {}
    others: dict[str, tuple[int, ...]] = {}
    embeddings = set()
    for name in tensors.names:
        found = FACTOR.fullmatch(name.removeprefix(PREFIX))
        if found is None:
            others[name.removeprefix(PREFIX)] = tensors.shape(name)
            continue
        if len(tensors.shape(name)) != 2:
            raise AdapterError(
                f"{tensors.path}: {name} has shape {list(tensors.shape(name))}; only LoRA on matrices can be read"
            )
        sides.setdefault(found["module"], {})[found["side"]] = tensors.read(name)
        if found["embedding"]:
            embeddings.add(found["module"])
    if not sides:
        raise AdapterError(f"{tensors.path}: no lora_A or lora_B tensors; the file is not a LoRA adapter's")
    modules = {
        module: _factors(tensors.path, module, both, config, module in embeddings)
        for module, both in sorted(sides.items())
    }
    return LoraWeights(base=config.get("base_model_name_or_path"), modules=modules, others=others)


def read_settings(folder: Path, use: str) -> Mapping[str, Any]:
    """What adapter_config.json says; AdapterError where it is no LoRA adapter's, which alone can be put to this use."""
    path = folder / CONFIG
    try:
        config = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise AdapterError(f"{path}: {error}; an adapter is a folder in PEFT's layout") from error
    if not isinstance(config, dict) or config.get("peft_type") != "LORA":
        kind = config.get("peft_type") if isinstance(config, dict) else config
        raise AdapterError(f"{path}: peft_type is {kind!r}; only LORA adapters can be {use}")
    return config


def _config(folder: Path) -> Mapping[str, Any]:
    path = folder / CONFIG
    config = read_settings(folder, "read")
    if config.get("use_dora"):
        raise AdapterError(
            f"{path}: use_dora is set; its update is not lora_alpha / r · B·A, so it cannot be read"
        )
    start = config.get("init_lora_weights")
    if isinstance(start, str) and start.lower().startswith(MOVES_THE_BASE):
        raise AdapterError(
            f"{path}: init_lora_weights is {start!r}, which changes the base too; save the adapter with "
            "path_initial_model_for_weight_conversion to make it plain LoRA"
        )
    return config


def _tensors(folder: Path) -> TensorFile:
    path = folder / WEIGHTS
    if path.is_file():
        return TensorFile(path)
    if (folder / "adapter_model.bin").is_file():
        raise AdapterError(
            f"{folder}: the adapter is pickled (adapter_model.bin); run `harness convert {folder}`"
        )
    raise AdapterError(f"{folder}: no {WEIGHTS}; the adapter is not complete")


def _factors(
    path: Path,
    module: str,
    sides: Mapping[str, NDArray[np.float32]],
    config: Mapping[str, Any],
    embedding: bool,
) -> Factors:
    if sides.keys() != {"A", "B"}:
        raise AdapterError(
            f"{path}: {module} has lora_{next(iter(sides))} alone; the adapter is not complete"
        )
    A, B = sides["A"], sides["B"]
    if A.shape[0] != B.shape[1]:
        raise AdapterError(
            f"{path}: {module}: lora_A {list(A.shape)} and lora_B {list(B.shape)} do not multiply"
        )
    r = _by_pattern(config.get("rank_pattern"), module, config.get("r"))
    if r != A.shape[0]:
        raise AdapterError(f"{path}: {module}: lora_A has rank {A.shape[0]}, {CONFIG} says {r}")
    alpha = float(_by_pattern(config.get("alpha_pattern"), module, config.get("lora_alpha", r)))
    return Factors(
        A=A,
        B=B,
        scale=alpha / (math.sqrt(r) if config.get("use_rslora") else r),
        transposed=embedding or bool(config.get("fan_in_fan_out")),
    )


def _by_pattern(patterns: Mapping[str, Any] | None, module: str, otherwise: Any) -> Any:
    """The value of the first pattern that matches the end of the module's path at a dot, as peft reads them."""
    for pattern, value in (patterns or {}).items():
        if re.match(rf"(.*\.)?({pattern})$", module):
            return value
    return otherwise
