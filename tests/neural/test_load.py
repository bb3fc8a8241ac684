"""A folder in the hub's layout becomes a frozen model, or a sentence says why not."""

import json
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch

from harness.errors import ModelError
from harness.neural.load import Base, load, weights_digest
from harness.types import Model, ModelPin, Runtime

Folders = Callable[..., Path]
Open = Callable[..., Base]


def test_a_base_is_frozen_and_in_evaluation_mode_and_in_the_dtype_that_was_asked(
    folders: Folders, open_base: Open
) -> None:
    base = open_base(folders("llama"), dtype="bfloat16")
    assert {parameter.dtype for parameter in base.model.parameters()} == {torch.bfloat16}
    assert not base.model.training
    assert not any(parameter.requires_grad for parameter in base.model.parameters())


@pytest.mark.parametrize(
    ("family", "bos", "window", "architecture"),
    [
        ("falcon", None, 256, "causal"),
        ("llama", 1, 256, "causal"),
        ("mistral", 1, 256, "causal"),
        ("t5", None, None, "seq2seq"),
    ],
)
def test_what_a_base_knows_of_itself(
    folders: Folders, open_base: Open, family: str, bos: int | None, window: int | None, architecture: str
) -> None:
    base = open_base(folders(family))
    assert (base.bos, base.window, base.architecture.name) == (bos, window, architecture)
    assert base.tokenizer.eos_token_id in base.ends
    assert base.family.name == family


def test_the_digest_is_of_the_weights_and_not_of_their_files(
    folders: Folders, open_base: Open, tmp_path: Path
) -> None:
    base = open_base(folders("llama"))
    base.model.save_pretrained(tmp_path / "sharded", max_shard_size="20KB")
    assert len(list((tmp_path / "sharded").glob("*.safetensors"))) > 1
    assert weights_digest(tmp_path / "sharded") == base.digest
    assert weights_digest(folders("llama", seed=1)) != base.digest


def test_an_embedding_padded_past_the_tokenizer_is_left_as_it_is(
    folders: Folders, open_base: Open, tmp_path: Path
) -> None:
    base = open_base(folders("llama"))
    base.model.resize_token_embeddings(320)
    shutil.copytree(folders("llama"), tmp_path / "padded")
    base.model.save_pretrained(tmp_path / "padded")
    padded = open_base(tmp_path / "padded")
    embedding: Any = padded.model.get_input_embeddings()
    assert embedding.weight.shape[0] == 320
    assert padded.pad < len(padded.tokenizer)


def test_t5_in_float16_is_refused(folders: Folders, open_base: Open) -> None:
    with pytest.raises(ModelError, match="overflows in float16; use dtype: bfloat16"):
        open_base(folders("t5"), dtype="float16")


def test_chat_without_a_template_is_refused(folders: Folders, open_base: Open) -> None:
    with pytest.raises(ModelError, match="no chat template"):
        open_base(folders("llama"), chat="on")


def test_pickled_weights_name_the_command_that_converts_them(
    folders: Folders, open_base: Open, tmp_path: Path
) -> None:
    folder = tmp_path / "pickled"
    shutil.copytree(folders("llama"), folder)
    (folder / "model.safetensors").rename(folder / "pytorch_model.bin")
    with pytest.raises(ModelError, match=r"a pickle, which may run code; run `harness convert .*pickled`"):
        open_base(folder)


def test_a_checkpoint_that_lacks_weights_is_refused_and_they_are_named(
    folders: Folders, open_base: Open, tmp_path: Path
) -> None:
    folder = tmp_path / "short"
    shutil.copytree(folders("llama"), folder)
    config = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps({**config, "num_hidden_layers": 3}))
    with pytest.raises(ModelError, match=r"tensors of LlamaForCausalLM are missing: model\.layers\.2"):
        open_base(folder)


@pytest.mark.parametrize("claim", [10**6, 10**12])
def test_a_config_that_claims_more_layers_than_there_are_is_refused_unbuilt(
    folders: Folders, open_base: Open, tmp_path: Path, claim: int
) -> None:
    shutil.copytree(folders("llama"), tmp_path, dirs_exist_ok=True)
    config = json.loads((tmp_path / "config.json").read_text())
    (tmp_path / "config.json").write_text(json.dumps(config | {"num_hidden_layers": claim}))
    with pytest.raises(
        ModelError, match=rf"config\.json: num_hidden_layers: found {claim:,}, .* have 2 layers"
    ):
        open_base(tmp_path)


def test_a_folder_without_a_model_is_refused_with_its_path(open_base: Open, tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=str(tmp_path)):
        open_base(tmp_path)


def test_a_models_own_code_needs_the_suite_and_the_command_line(folders: Folders, tmp_path: Path) -> None:
    folder = tmp_path / "own"
    shutil.copytree(folders("llama"), folder)
    config = json.loads((folder / "config.json").read_text())
    own = {"auto_map": {"AutoConfig": "own.Config"}, "model_type": "own"}
    (folder / "config.json").write_text(json.dumps({**config, **own}))
    (folder / "own.py").write_text("raise SystemExit('its code ran')")
    model = Model(name="own", uri=f"file:{folder}", trust_remote_code=True)
    pin = ModelPin(revision="", parameters=None, checkpoint_bytes=None, dtype="float32", family=None)
    with pytest.raises(ModelError, match="--allow-remote-code"):
        load(folder, model, pin, Runtime())
    with pytest.raises(ModelError):
        load(folder, replace(model, trust_remote_code=False), pin, Runtime(allow_remote_code=True))


def test_a_kernel_that_a_checkpoint_names_is_left_aside(
    folders: Folders, open_base: Open, tmp_path: Path
) -> None:
    """One of the hub would be fetched and run; this one would fail for lack of a package that does so."""
    folder = tmp_path / "kernel"
    shutil.copytree(folders("llama"), folder)
    config = json.loads((folder / "config.json").read_text())
    for key in ("attn_implementation", "_attn_implementation"):
        (folder / "config.json").write_text(json.dumps({**config, key: "some-owner/some-kernel"}))
        assert open_base(folder).model.config._attn_implementation == "sdpa"
