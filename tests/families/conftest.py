"""A checkpoint of each variant, made once, and opened as the harness and as plain transformers open it."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from transformers import AutoModelForCausalLM, AutoModelForSeq2SeqLM

from harness.neural.load import Base, load
from harness.types import Model
from tests.families.building import make
from tests.families.variants import VARIANTS
from tests.neural.conftest import CPU, PIN


@pytest.fixture(scope="session")
def folder_of(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    root = tmp_path_factory.mktemp("families")

    def folder(name: str) -> Path:
        path = root / name
        return path if path.exists() else make(VARIANTS[name], path)

    return folder


@pytest.fixture
def opened(folder_of: Callable[[str], Path]) -> Callable[[str], Base]:
    def base(name: str) -> Base:
        return load(folder_of(name), Model(name=name, uri="zoo:random"), PIN, CPU)

    return base


@pytest.fixture
def plain(folder_of: Callable[[str], Path]) -> Callable[..., Any]:
    """The same model as transformers alone loads it."""

    def model(name: str, dtype: torch.dtype = torch.float32) -> Any:
        seq2seq = VARIANTS[name].family in ("t5", "bart")
        kind = AutoModelForSeq2SeqLM if seq2seq else AutoModelForCausalLM
        return kind.from_pretrained(folder_of(name), dtype=dtype).eval()

    return model
