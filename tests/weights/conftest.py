"""Checkpoints and adapters of random matrices, written in the hub's and in PEFT's layout."""

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from safetensors.numpy import save_file

Q, V, O = (f"model.layers.0.self_attn.{letter}_proj" for letter in "qvo")  # noqa: E741


@pytest.fixture
def rng() -> np.random.Generator:
    return np.random.default_rng(0)


@pytest.fixture
def base(tmp_path: Path, rng: np.random.Generator) -> tuple[Path, dict[str, np.ndarray]]:
    tensors = {
        f"{Q}.weight": rng.standard_normal((48, 40)).astype(np.float32),
        f"{V}.weight": rng.standard_normal((24, 40)).astype(np.float32),
        f"{O}.weight": rng.standard_normal((40, 48)).astype(np.float32),
        "model.embed_tokens.weight": rng.standard_normal((100, 40)).astype(np.float32),
        "model.norm.weight": np.ones(40, np.float32),
    }
    folder = tmp_path / "base"
    folder.mkdir()
    save_file(tensors, folder / "model.safetensors")
    return folder, tensors


@pytest.fixture
def write_adapter(tmp_path: Path) -> Callable[..., Path]:
    def write(factors: Mapping[str, tuple[np.ndarray, np.ndarray]], **config: Any) -> Path:
        folder = tmp_path / "adapter"
        folder.mkdir(exist_ok=True)
        tensors = {}
        for module, (A, B) in factors.items():
            tensors[f"base_model.model.{module}.lora_A.weight"] = A.astype(np.float32)
            tensors[f"base_model.model.{module}.lora_B.weight"] = B.astype(np.float32)
        save_file(tensors, folder / "adapter_model.safetensors")
        (folder / "adapter_config.json").write_text(
            json.dumps({"peft_type": "LORA", "base_model_name_or_path": "zoo:x", **config})
        )
        return folder

    return write
