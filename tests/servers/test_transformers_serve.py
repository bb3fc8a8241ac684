"""A real server, `transformers serve` of the version that is installed: what its handshake shows, and what it answers."""

import os
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx2
import pytest

from harness import backends
from harness.backends import http
from harness.checkpoints.remembered import Remembered
from harness.errors import AdapterError
from harness.files.shipped import zoo_folder
from harness.types import Adapter, Decode, Model, ModelPin, Prompt, Runtime, ServerSettings

pytest.importorskip("openai")
pytestmark = pytest.mark.slow

PROMPTS = [
    Prompt(
        sample_id=f"s{n}",
        before="Anna: I meet ",
        input=f"Ben {'today ' * n}at the station.",
        after="\nSummary:",
    )
    for n in range(1, 5)
]
DECODE = Decode(max_new_tokens=12)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two bases, and folders that hold a base with an adapter: one that changes answers, one that is zero."""
    from peft import LoraConfig, get_peft_model
    from transformers import AutoModelForCausalLM

    place = tmp_path_factory.mktemp("served")
    for name in ("llama2-tiny", "flan-t5-tiny"):
        shutil.copytree(zoo_folder(name), place / name)
    for name, zero in (("tuned", False), ("twin", True)):
        shutil.copytree(place / "llama2-tiny", place / name)
        model = AutoModelForCausalLM.from_pretrained(place / "llama2-tiny")
        recipe = LoraConfig(r=8, lora_alpha=64, target_modules=["q_proj", "v_proj"], init_lora_weights=zero)
        get_peft_model(model, recipe).save_pretrained(str(place / name))
    return place


@pytest.fixture(scope="module")
def base(folder: Path) -> Iterator[str]:
    """Serve while the tests of this file run."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [
        str(Path(sys.executable).with_name("transformers")),
        "serve",
        "--host",
        "127.0.0.1",
        "--port",
        str(port),
    ]
    place = {
        "HF_HOME": str(folder / "hf"),
        "HF_HUB_OFFLINE": "1",
        "OMP_NUM_THREADS": "1",
        "CUDA_VISIBLE_DEVICES": "",
    }
    with (folder / "log").open("w") as log:
        server = subprocess.Popen(
            [*command, "--device", "cpu", "--dtype", "float32"],
            env={**os.environ, **place},
            stdout=log,
            stderr=log,
        )
    try:
        for _ in range(600):
            assert server.poll() is None, (folder / "log").read_text()
            try:
                if httpx2.get(f"http://127.0.0.1:{port}/health", trust_env=False).status_code == 200:
                    break
            except httpx2.TransportError:
                time.sleep(0.2)
        yield f"http://127.0.0.1:{port}/v1"
    finally:
        server.terminate()
        server.wait(timeout=30)


def pinned(base: str, folder: Path, name: str, **settings: Any) -> tuple[Model, ModelPin]:
    model = Model(
        name="m", uri=f"{base}#{folder / name}", server=ServerSettings(timeout=60.0, at_once=2, **settings)
    )
    return model, http.pin(model, "cpu", Remembered(), False)


def test_its_handshake_finds_what_it_drops_silently(base: str, folder: Path) -> None:
    model, pin = pinned(base, folder, "llama2-tiny", tokenizer="zoo:llama2-tiny")
    shown = {proof.name: (proof.proved, proof.detail) for proof in pin.handshake.proofs}
    assert not pin.handshake.chat  # it has no template
    assert shown["name"] == (True, "it refuses a made-up name (HTTP 500)")
    assert shown["repeats"][0]
    assert shown["writes"][0]
    assert shown["stop strings"] == (False, "it leaves them in the text; answers are cut here")
    assert shown["samples"] == (False, "temperature 2 gives the greedy answer")
    assert shown["log-probabilities"] == (False, "no log-probabilities in the answer")
    assert shown["lists of prompts"] == (False, "HTTP 400: prompt must be a string.")
    assert shown["token counts"][0], shown["token counts"]
    assert backends.lacks(model, pin, "write") is None
    assert "did not prove log-probabilities" in backends.lacks(model, pin, "likelihoods")
    assert "only answers greedily" in backends.lacks_sampling(model, pin)
    assert pinned(base, folder, "llama2-tiny", tokenizer="zoo:llama2-tiny")[1] == pin


def test_it_cuts_the_answers_of_t5_which_is_found(base: str, folder: Path) -> None:
    model, pin = pinned(base, folder, "flan-t5-tiny")
    assert "did not prove writes" in backends.lacks(model, pin, "write")


@pytest.mark.parametrize("stop", [(), ("\n",), ("e",)])
def test_its_answers_are_those_of_the_same_model_here(base: str, folder: Path, stop: tuple[str, ...]) -> None:
    decode = Decode(max_new_tokens=12, stop=stop)
    model, pin = pinned(base, folder, "llama2-tiny")
    here = Model(name="here", uri="zoo:llama2-tiny")
    hf = backends.of(here)
    ours = hf.open(here, hf.pin(here, "cpu", Remembered(), True), Runtime(offline=True))
    theirs = http.open_model(model, pin, Runtime())
    found = [
        {
            one.sample_id: (one.text, one.prompt_tokens)
            for one in backend.write(PROMPTS, decode, "keep-start", None)
        }
        for backend in (ours, theirs)
    ]
    ours.close()
    theirs.close()
    assert found[0] == found[1]


def test_an_adapter_is_told_from_one_that_changes_nothing(base: str, folder: Path) -> None:
    model, pin = pinned(base, folder, "llama2-tiny")

    def revision(name: str) -> str:
        adapter = Adapter(name=name, base="m", uri=f"{base}#{folder / name}")
        return http.pin_adapter(adapter, model, pin, Remembered(), False)

    assert revision("tuned") == revision("tuned")
    with pytest.raises(AdapterError, match="answers 3 prompts as its base"):
        revision("twin")
    backend = http.open_model(model, pin, Runtime())
    plain, adapted = (
        [
            one.text
            for one in sorted(
                backend.write(PROMPTS, DECODE, "keep-start", adapter), key=lambda one: one.sample_id
            )
        ]
        for adapter in (None, folder / "tuned")
    )
    backend.close()
    assert plain != adapted
