"""LoRA factors on disk in PEFT's layout, read with numpy alone."""

import hashlib
import json
import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from harness.checkpoints.adapter_settings import ALPHA, RANK, check_settings
from harness.checkpoints.folder import ADAPTER_FILES, ADAPTER_PICKLE
from harness.checkpoints.patterns import by_pattern, check_patterns
from harness.checkpoints.safetensors import Tensor, TensorFile
from harness.errors import AdapterError
from harness.files.regular import regular_text

CONFIG, WEIGHTS = ADAPTER_FILES
PREFIX = "base_model.model."
MAGNITUDE = "magnitude_vector"
MISFIT = f"{CONFIG} was changed or is another model's: fetch both again"
# A factor's name after the prefix. Embeddings do not end in `.weight`; peft's own state dicts name the adapter too.
FACTOR = re.compile(
    rf"(?P<module>.+)\.lora_(?P<embedding>embedding_)?(?P<side>[AB]|{MAGNITUDE})(\.(?!bias$)\w+?)?(\.weight)?"
)
BASES_OWN = ".base_layer.weight"  # peft also saves the base's matrix where an embedding has factors
SAVED = re.compile(r"(?P<module>.+?)(\.modules_to_save(\.\w+?)?)?\.weight")
TOKENS = ".token_adapter."  # rows of an embedding that were trained on their own
# Kinds of adapters that change no module of a base, so that a model with a module changed cannot stand for them -> why
NOT_IN_MODULES = {
    **dict.fromkeys(
        ("PROMPT_TUNING", "MULTITASK_PROMPT_TUNING", "P_TUNING", "PREFIX_TUNING", "CPT", "CARTRIDGE"),
        "adds tokens to prompts instead of changing modules",
    ),
    "ADAPTION_PROMPT": "adds tokens to layers instead of changing modules",
    "POLY": "asks for the number of a task with every prompt",
    "SHADOW": "runs a second model beside the base",
    "XLORA": "mixes other adapters instead of training one",
}
LORA = "LORA"
# Initialisations that subtract the first factors from the base, so that base + ΔW is not the trained model.
MOVES_THE_BASE = ("pissa", "olora", "corda", "loftq", "lora_ga")
# Settings under which an update is more than lora_alpha / r · B·A on a matrix of the base's.
MORE_THAN_LORA = (
    *("use_qalora", "use_bdlora", "kasa_config", "arrow_config", "velora_config", "monteclora_config"),
    *("layer_replication", "target_parameters"),
)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Factors:
    """One module's low-rank update: ΔW = scale · B·A; with a magnitude, DoRA's (Liu et al. 2024, arXiv 2402.09353)."""

    A: NDArray[np.float32]  # [r, in]
    B: NDArray[np.float32]  # [out, r]
    scale: float  # lora_alpha / r, or lora_alpha / √r
    transposed: bool = False  # the base stores this matrix as [in, out]
    magnitude: NDArray[np.float32] | None = None  # [out]: the norms of the rows of W + ΔW
    embedding: bool = False  # of an embedding's matrix, which is always stored as [tokens, width]

    @property
    def shape(self) -> tuple[int, int]:
        """Return the shape of ΔW, as the base stores the matrix."""
        out, into = self.B.shape[0], self.A.shape[1]
        return (into, out) if self.transposed else (out, into)

    @property
    def finite(self) -> bool:
        """Return whether every number is finite, also those of ΔW in float32.

        No number of ΔW is larger than its row's norm in B times its column's norm in A.
        """
        if not all(np.isfinite(part).all() for part in (self.A, self.B, self.magnitude) if part is not None):
            return False
        rows, columns = (np.linalg.norm(factor.astype(np.float64), axis=1) for factor in (self.B, self.A.T))
        bound = abs(self.scale) * rows.max(initial=0.0) * columns.max(initial=0.0)
        return bool(bound < np.finfo(np.float32).max)

    @property
    def digest(self) -> str:
        """Return 64 hex digits, equal for equal updates."""
        parts = hashlib.sha256(f"{self.scale!r} {self.transposed}".encode())
        for part in (self.A, self.B, self.magnitude):
            parts.update(
                b"none" if part is None else repr(part.shape).encode() + np.ascontiguousarray(part).data
            )
        return parts.hexdigest()

    def delta(self) -> NDArray[np.float64]:
        """Return ΔW in the shape of the base's matrix; with a magnitude, the part that is added before the norms are set."""
        product = self.scale * (self.B.astype(np.float64) @ self.A.astype(np.float64))
        return product.T if self.transposed else product

    def merged(
        self,
        W: NDArray[np.floating],  # as the base stores it: [out, in], or [in, out] where transposed
        rows: slice | None = None,  # of the output; None: all
    ) -> NDArray[np.float64]:  # laid out as W is, only these rows, which are columns where transposed
        """Return W + ΔW as peft merges it; with `rows` only some outputs, so that the whole sum need not be in memory.

        With a magnitude m, the row of each output is m · (W + ΔW) / ‖W + ΔW‖; a row of zeros becomes NaN.
        """
        some = slice(None) if rows is None else rows
        total: NDArray[np.float64] = self.B[some].astype(np.float64) @ self.A.astype(np.float64)
        total *= self.scale
        total += W.T[some] if self.transposed else W[some]
        if self.magnitude is not None:
            with np.errstate(divide="ignore", invalid="ignore"):
                total *= (self.magnitude[some] / np.linalg.norm(total, axis=1))[:, None]
        return total.T if self.transposed else total

    def of_rows(self, rows: Sequence[slice]) -> "Factors":
        """Return the update of these output rows alone, for a part of a fused matrix."""
        magnitude = self.magnitude
        return replace(
            self,
            B=np.concatenate([self.B[some] for some in rows]),
            magnitude=None if magnitude is None else np.concatenate([magnitude[some] for some in rows]),
        )


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class LoraWeights:
    """An adapter on disk: the base that it records, its factors by module, and the other tensors that were saved."""

    base: str | None
    modules: Mapping[str, Factors]  # the module's path in the base, without `.weight`
    # Whole matrices that replace the base's, by module as above; read when needed.
    saved: Mapping[str, Tensor]
    # Shapes of the other tensors, by name without prefix: biases, norms, rows of an embedding.
    others: Mapping[str, tuple[int, ...]]


def read(folder: Path) -> LoraWeights:
    """Return the adapter in a folder, with all factors in float32."""
    config = _config(folder)
    tensors = _tensors(folder)
    check_patterns(folder / CONFIG, config, _modules(tensors))
    sides: dict[str, dict[str, NDArray[np.float32]]] = {}
    saved: dict[str, Tensor] = {}
    others: dict[str, tuple[int, ...]] = {}
    embeddings = set()
    for name in tensors.names:
        own, shape = name.removeprefix(PREFIX), tensors.shape(name)
        if factor := FACTOR.fullmatch(own):
            _check_shape(tensors, name, factor["side"])
            sides.setdefault(factor["module"], {})[factor["side"]] = tensors.read(name)
            if factor["embedding"]:
                embeddings.add(factor["module"])
        elif (whole := SAVED.fullmatch(own)) and len(shape) > 1 and TOKENS not in own:
            if not own.endswith(BASES_OWN):
                saved[whole["module"]] = tensors.tensor(name)
        else:
            others[own] = shape
    if not sides:
        raise AdapterError(f"{tensors.path}: no lora_A or lora_B tensors; the file is not a LoRA adapter's")
    modules = {
        module: _factors(tensors.path, module, both, config, module in embeddings)
        for module, both in sorted(sides.items())
    }
    return LoraWeights(
        base=config.get("base_model_name_or_path"), modules=modules, saved=saved, others=others
    )


def read_settings(folder: Path, use: str) -> Mapping[str, Any]:
    """Return the content of adapter_config.json; raise AdapterError where it is not a LoRA adapter's."""
    path = folder / CONFIG
    try:
        config = json.loads(regular_text(path))
    except RecursionError as error:
        raise AdapterError(f"{path}: nested too deeply; save the adapter again") from error
    except (OSError, ValueError) as error:
        raise AdapterError(f"{path}: {error}; an adapter is a folder in PEFT's layout") from error
    kind = config.get("peft_type") if isinstance(config, dict) else config
    if not isinstance(config, dict) or not isinstance(kind, str):
        raise AdapterError(f"{path}: peft_type is {kind!r}; only LORA adapters can be {use}")
    if kind in NOT_IN_MODULES:
        raise AdapterError(f"{path}: peft_type is {kind!r}, which {NOT_IN_MODULES[kind]}; it cannot be {use}")
    if kind != LORA and use != "measured":
        raise AdapterError(f"{path}: peft_type is {kind!r}; only LORA adapters can be {use}")
    check_settings(path, config, lora=kind == LORA)
    return config


def is_lora(folder: Path) -> bool:
    """Return whether an adapter is LoRA, whose update is two factors; False for other kinds that change modules."""
    return bool(read_settings(folder, "measured")["peft_type"] == LORA)


def check(folder: Path) -> None:
    """Raise AdapterError where the settings or the headers of the weights fit no base at all."""
    config = read_settings(folder, "measured")
    check_patterns(folder / CONFIG, config, _modules(_tensors(folder)))


def _modules(tensors: TensorFile) -> set[str]:
    """Return every name that a pattern is matched with: for each tensor, its name and its module's."""
    names = [name.removeprefix(PREFIX) for name in tensors.names]
    return {name for tensor in names for name in (tensor, tensor.rpartition(".lora_")[0]) if name}


def _config(folder: Path) -> Mapping[str, Any]:
    path = folder / CONFIG
    config = read_settings(folder, "read")
    more = [name for name in MORE_THAN_LORA if config.get(name)]
    if more:
        raise AdapterError(
            f"{path}: {more[0]} is set; its update is not lora_alpha / r · B·A, so it cannot be read"
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
    if (folder / ADAPTER_PICKLE).is_file():
        raise AdapterError(
            f"{folder}: the adapter is pickled ({ADAPTER_PICKLE}); run `harness convert {folder}`"
        )
    raise AdapterError(f"{folder}: no {WEIGHTS}; the adapter is not complete")


def _check_shape(tensors: TensorFile, name: str, side: str) -> None:
    shape = tensors.shape(name)
    if len(shape) != (1 if side == MAGNITUDE else 2):
        raise AdapterError(
            f"{tensors.path}: {name} has shape {list(shape)}; only LoRA on matrices can be read"
        )


def _factors(
    path: Path,
    module: str,
    sides: Mapping[str, NDArray[np.float32]],
    config: Mapping[str, Any],
    embedding: bool,
) -> Factors:
    if sides.keys() - {MAGNITUDE} != {"A", "B"}:
        has = " and ".join(f"lora_{side}" for side in sorted(sides))
        raise AdapterError(f"{path}: {module} has {has} alone; the adapter is not complete")
    magnitude = sides.get(MAGNITUDE)
    if bool(config.get("use_dora")) != (magnitude is not None):
        has, setting = ("no", "true") if magnitude is None else ("a", "false")
        raise AdapterError(
            f"{path}: {module} has {has} lora_{MAGNITUDE}, {CONFIG} says use_dora: {setting}; {MISFIT}"
        )
    A, B = sides["A"], sides["B"]
    if A.shape[0] != B.shape[1]:
        raise AdapterError(
            f"{path}: {module}: lora_A {list(A.shape)} and lora_B {list(B.shape)} do not multiply"
        )
    if magnitude is not None and len(magnitude) != len(B):
        raise AdapterError(
            f"{path}: {module}: lora_{MAGNITUDE} has {len(magnitude)} numbers for {len(B)} outputs"
        )
    r = by_pattern(config.get("rank_pattern"), module, config.get("r", RANK))
    if r != A.shape[0]:
        raise AdapterError(f"{path}: {module}: lora_A has rank {A.shape[0]}, {CONFIG} says r: {r}; {MISFIT}")
    alpha = float(by_pattern(config.get("alpha_pattern"), module, config.get("lora_alpha", ALPHA)))
    return Factors(
        A=A,
        B=B,
        scale=alpha / (math.sqrt(r) if config.get("use_rslora") else r),
        transposed=embedding or bool(config.get("fan_in_fan_out")),
        magnitude=magnitude,
        embedding=embedding,
    )
