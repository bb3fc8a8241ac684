"""What an adapter records of a base that lies in a folder: no path, no name that could be the hub's, and its digest."""

import json
import re
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from huggingface_hub.errors import HFValidationError
from huggingface_hub.utils._validators import validate_repo_id
from peft import PeftConfig, PeftModel
from transformers import AutoConfig, AutoModelForCausalLM, AutoModelForSeq2SeqLM

from harness.checkpoints import locate
from harness.checkpoints.adapter import CONFIG
from harness.checkpoints.folder import ADAPTER_RECORD
from harness.errors import AdapterError
from harness.neural import lora
from harness.neural.load import Base, outline
from harness.types import Model, Prompt
from tests.neural.conftest import CPU, PIN
from tests.neural.lora.test_lora import ask, ask_plainly, logits, make_adapter

Folders = Callable[..., Path]
Open = Callable[..., Base]


def in_folder(folders: Folders, open_base: Open, architecture: str = "llama", seed: int = 0) -> Base:
    folder = folders(architecture, seed=seed)
    return open_base(folder, uri=f"file:{folder}")


@pytest.mark.parametrize("architecture", ["llama", "t5", "gpt2"])  # the last by peft
def test_the_files_of_an_adapter_contain_no_path_and_no_id_of_the_hub(
    folders: Folders, open_base: Open, tmp_path: Path, architecture: str
) -> None:
    if architecture == "gpt2":
        shutil.copytree(folders("llama"), tmp_path / "gpt2")
        vocabulary = json.loads((tmp_path / "gpt2" / CONFIG.removeprefix("adapter_")).read_text())[
            "vocab_size"
        ]
        config = AutoConfig.for_model("gpt2", n_embd=32, n_layer=1, n_head=2, vocab_size=vocabulary)
        AutoModelForCausalLM.from_config(config).save_pretrained(tmp_path / "gpt2")
        base = open_base(tmp_path / "gpt2", uri=f"file:{tmp_path / 'gpt2'}")
    else:
        base = in_folder(folders, open_base, architecture)
    adapter = make_adapter(base, tmp_path / "adapter")
    name = f"file:{base.name}"
    assert json.loads((adapter / CONFIG).read_text())["base_model_name_or_path"] == name
    assert json.loads((adapter / ADAPTER_RECORD).read_text()) == {"base": name, "digest": base.digest}
    with pytest.raises(HFValidationError):
        validate_repo_id(name)
    for file in adapter.iterdir():
        assert str(tmp_path).encode() not in file.read_bytes()
        assert (
            str(folders(architecture).parent if architecture != "gpt2" else tmp_path).encode()
            not in file.read_bytes()
        )


def test_the_same_weights_under_another_name_and_elsewhere_are_the_same_base(
    folders: Folders, open_base: Open, tmp_path: Path
) -> None:
    base = in_folder(folders, open_base)
    adapter = make_adapter(base, tmp_path / "adapter")
    moved = shutil.copytree(folders("llama"), tmp_path / "renamed")
    other = open_base(moved, uri=f"file:{moved}")
    assert other.name != base.name
    assert lora.unverified_base(other, adapter) is None
    with lora.adapted(base, adapter):
        wanted = logits(base)
    with lora.adapted(other, adapter):
        assert torch.equal(logits(other), wanted)


def test_another_bases_weights_are_refused_by_a_run_and_by_check(
    folders: Folders, open_base: Open, tmp_path: Path
) -> None:
    adapter = make_adapter(in_folder(folders, open_base), tmp_path / "adapter")
    folder = folders("llama", seed=1)
    other = open_base(folder, uri=f"file:{folder}")
    message = re.escape("was trained on file:llama-0 with weights ")
    with pytest.raises(AdapterError, match=message), lora.adapted(other, adapter):
        pass
    drawn = outline(folder, Model(name="llama-1", uri=f"file:{folder}"), PIN, CPU)
    with pytest.raises(AdapterError, match=message):
        lora.check_fit(drawn, adapter)


def test_an_adapter_without_its_record_is_only_noted_also_if_it_names_a_folders_base(
    folders: Folders, open_base: Open, tmp_path: Path
) -> None:
    base = in_folder(folders, open_base)
    adapter = make_adapter(base, tmp_path / "adapter")
    (adapter / ADAPTER_RECORD).unlink()
    with lora.adapted(base, adapter):
        pass
    assert lora.unverified_base(base, adapter) == (
        "the adapter records file:llama-0 as its base, so nothing shows that it was trained on llama-0"
    )


def test_an_adapter_of_an_earlier_version_is_known_by_its_digest(
    folders: Folders, open_base: Open, tmp_path: Path
) -> None:
    base = in_folder(folders, open_base)
    adapter = make_adapter(base, tmp_path / "adapter")
    for name, key in ((CONFIG, "base_model_name_or_path"), (ADAPTER_RECORD, "base")):
        said = json.loads((adapter / name).read_text())
        (adapter / name).write_text(json.dumps({**said, key: base.name}))
    assert lora.unverified_base(base, adapter) is None
    with lora.adapted(base, adapter):
        pass


def test_the_record_comes_along_from_the_hub() -> None:
    assert ADAPTER_RECORD in locate.ADAPTER_HUB_FILES


@pytest.mark.slow
@pytest.mark.parametrize("architecture", ["llama", "t5"])
def test_plain_peft_loads_the_folder(
    folders: Folders, open_base: Open, prompts: list[Prompt], tmp_path: Path, architecture: str
) -> None:
    base = in_folder(folders, open_base, architecture)
    adapter = make_adapter(base, tmp_path / "adapter")
    with lora.adapted(base, adapter):
        ours = ask(base, prompts)
    kind = AutoModelForSeq2SeqLM if architecture == "t5" else AutoModelForCausalLM
    plain = kind.from_pretrained(folders(architecture), dtype=torch.float32).eval()
    assert PeftConfig.from_pretrained(str(adapter)).base_model_name_or_path == base.recorded
    loaded = PeftModel.from_pretrained(plain, str(adapter)).eval()
    assert {prompt.sample_id: ask_plainly(loaded, base, prompt) for prompt in prompts} == ours
