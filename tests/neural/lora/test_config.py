"""What is said of names, patterns and fields without peft is what peft says of them."""

import json
import warnings
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from peft import LoraConfig as PeftLoraConfig
from peft import PeftModel
from torch import nn
from transformers import AutoModelForCausalLM, LlamaConfig, MixtralConfig, PreTrainedModel

from harness.checkpoints.adapter import CONFIG
from harness.neural import lora
from harness.neural.load import Base
from harness.neural.lora.config import can_be_own, names_to_write, read_config, targeted
from harness.types import Recipe

RECIPE = Recipe(name="test", rank=4, alpha=8, steps=1)


def by_peft(model: PreTrainedModel, **said: object) -> PeftModel:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return PeftModel(model, PeftLoraConfig(r=4, lora_alpha=8, **said))  # type: ignore[arg-type]


def adapted_by(model: PeftModel) -> dict[str, tuple[int, float]]:
    """Rank and scale of every module that peft has put factors on."""
    return {
        name.removeprefix("base_model.model."): (module.r["default"], module.scaling["default"])
        for name, module in model.named_modules()
        if hasattr(module, "lora_A")
    }


def configured(folder: Path, said: dict[str, object]) -> Path:
    folder.mkdir(exist_ok=True)
    (folder / "adapter_config.json").write_text(
        json.dumps({"peft_type": "LORA", "r": 4, "lora_alpha": 8} | said)
    )
    return folder


@pytest.mark.parametrize(
    "said",
    [
        {"target_modules": ["q_proj", "v_proj"]},
        {"target_modules": ["self_attn.q_proj", "1.mlp.up_proj", "model.layers.0.self_attn.k_proj"]},
        {"target_modules": ["proj"]},
        {"target_modules": r".*\.0\..*_proj"},
        {"target_modules": "all-linear"},
        {"target_modules": ["lm_head", "o_proj"]},
        {"target_modules": "all-linear", "use_rslora": True},
        {"target_modules": ["q_proj", "up_proj"], "rank_pattern": {"q_proj": 2, "0.mlp.up_proj": 3}},
        {"target_modules": ["q_proj", "up_proj"], "alpha_pattern": {r"layers\.1\..*": 5, "q_proj": 7}},
        {
            "target_modules": ["q_proj"],
            "rank_pattern": {"^model.layers.0.self_attn.q_proj": 2},
            "alpha_pattern": {"self_attn.q_proj": 32},
            "use_rslora": True,
        },
    ],
    ids=str,
)
def test_modules_ranks_and_scales_are_pefts(llama: Base, tmp_path: Path, said: dict[str, object]) -> None:
    config = read_config(configured(tmp_path, said))
    assert config.plain
    found = {
        name: (config.rank_of(name), config.scale_of(name)) for name in targeted(llama.model, config.targets)
    }
    if said["target_modules"] == ["proj"]:  # the end of a name is not the end at a dot
        assert not found
        return
    wanted = by_peft(llama.model, **said)
    assert found == adapted_by(wanted)
    wanted.unload()


@pytest.mark.parametrize("targets", [("q", "v"), ("feed-forward",), ("all-linear",)], ids=str)
def test_the_file_has_pefts_fields_and_values(base: Base, tmp_path: Path, targets: tuple[str, ...]) -> None:
    """All of them, also those that the next peft adds: then they are to be added here."""
    recipe = replace(RECIPE, targets=targets, dropout=0.1, rslora=targets == ("q", "v"))
    attached = lora.attach(base, recipe, 0)
    lora.save(attached, base, tmp_path)
    attached.detach()
    found = json.loads((tmp_path / CONFIG).read_text())
    named = targets if targets == ("all-linear",) else None
    config = PeftLoraConfig(
        r=4,
        lora_alpha=8.0,  # type: ignore[arg-type]
        lora_dropout=0.1,
        target_modules=named[0] if named else list(found["target_modules"]),
        use_rslora=recipe.rslora,
        task_type=None if base.architecture.name == "seq2seq" else "CAUSAL_LM",
        auto_mapping={
            "base_model_class": type(base.model).__name__,
            "parent_library": type(base.model).__module__,
        }
        if base.architecture.name == "seq2seq"
        else None,
        base_model_name_or_path=base.name,
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        model = PeftModel(base.model, config)
    wanted = model.peft_config["default"].to_dict() | {"inference_mode": True}
    model.unload()
    assert found == wanted | {"target_modules": sorted(wanted["target_modules"])}


@pytest.mark.parametrize("dtype", ["float32", "bfloat16"])
def test_factors_begin_as_pefts_do(
    folders: Callable[..., Path], open_base: Callable[..., Base], dtype: str
) -> None:
    """With a bfloat16 base peft rounds A to it; ours keeps what was drawn."""
    for architecture in ("llama", "t5"):
        base = open_base(folders(architecture), dtype=dtype)
        attached = lora.attach(base, replace(RECIPE, targets=("all-linear",)), 7)
        found = attached.tensors()
        attached.detach()
        torch.manual_seed(7)
        theirs = by_peft(base.model, target_modules="all-linear")
        wanted = {name: tensor for name, tensor in theirs.named_parameters() if ".lora_" in name}
        assert len(found) == len(wanted)
        for name, tensor in found.items():
            other = wanted[name.replace(".weight", ".default.weight")]
            assert other.dtype == tensor.dtype == torch.float32
            assert torch.equal(tensor if dtype == "float32" else tensor.bfloat16().float(), other)
        theirs.unload()


@pytest.mark.parametrize("layers", [1, 2, 5])
def test_many_names_become_the_suffixes_that_peft_writes(layers: int) -> None:
    """Under twenty names stay as they are."""
    config = LlamaConfig(
        hidden_size=8, intermediate_size=8, num_hidden_layers=layers, num_attention_heads=1, vocab_size=8
    )
    model = AutoModelForCausalLM.from_config(config)
    model.model.layers[0].extra = nn.ModuleDict(
        {"q_proj": nn.Embedding(2, 2)}
    )  # no linear map, and so called
    found = names_to_write(model, "all-linear")
    wanted = by_peft(model, target_modules="all-linear")
    config_of_peft: Any = wanted.peft_config["default"]
    assert set(found) == config_of_peft.target_modules
    assert all("." in name for name in found if name.endswith("q_proj"))


@pytest.mark.parametrize(
    ("said", "plain"),
    [
        ({}, True),
        ({"bias": "none", "use_dora": False, "modules_to_save": None, "loftq_config": {}}, True),
        ({"megatron_core": "megatron.core", "qalora_group_size": 16, "lora_dropout": 0.3}, True),
        ({"init_lora_weights": "gaussian"}, True),
        ({"a_field_of_the_next_peft": None}, True),
        ({"a_field_of_the_next_peft": True}, False),
        ({"use_dora": True}, False),
        ({"bias": "all"}, False),
        ({"lora_bias": True}, False),
        ({"modules_to_save": ["lm_head"]}, True),  # who attaches it depends on the base: it may be a head
        ({"layers_to_transform": [0]}, False),
        ({"exclude_modules": ["k_proj"]}, False),
        ({"trainable_token_indices": [1]}, False),
        ({"target_parameters": ["weight"]}, False),
        ({"init_lora_weights": "pissa"}, False),
        ({"init_lora_weights": "pissa_niter_4"}, False),
        ({"init_lora_weights": "olora"}, False),
        ({"target_modules": None}, False),
    ],
    ids=str,
)
def test_what_asks_for_more_than_low_rank_products_is_told(
    tmp_path: Path, said: dict[str, object], plain: bool
) -> None:
    assert read_config(configured(tmp_path, {"target_modules": ["q_proj"]} | said)).plain == plain


def test_a_model_whose_modules_are_renamed_or_not_linear_is_left_to_peft(llama: Base) -> None:
    linear, embedding = llama.model.lm_head, llama.model.get_input_embeddings()
    assert can_be_own(llama.model, [linear])
    assert not can_be_own(llama.model, [linear, embedding])
    mixture = AutoModelForCausalLM.from_config(
        MixtralConfig(
            hidden_size=8, intermediate_size=8, num_hidden_layers=1, num_attention_heads=1, num_key_value_heads=1,
            vocab_size=8, num_local_experts=2,
        )
    )  # fmt: skip
    assert not can_be_own(mixture, [mixture.lm_head])
