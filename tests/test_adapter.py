import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from safetensors.numpy import save_file

from harness.adapter import read
from harness.errors import AdapterError

MODULE = "model.layers.0.self_attn.q_proj"
A, B = np.ones((4, 6), np.float32), np.full((5, 4), 2, np.float32)


def write(folder: Path, tensors: dict[str, np.ndarray] | None = None, **config: Any) -> Path:
    if tensors is None:
        tensors = {
            f"base_model.model.{MODULE}.lora_A.weight": A,
            f"base_model.model.{MODULE}.lora_B.weight": B,
        }
    save_file(tensors, folder / "adapter_model.safetensors")
    said = {"peft_type": "LORA", "r": 4, "lora_alpha": 8, "base_model_name_or_path": "zoo:x", **config}
    (folder / "adapter_config.json").write_text(json.dumps(said))
    return folder


@pytest.mark.parametrize(
    ("config", "scale"),
    [
        ({}, 2.0),
        ({"use_rslora": True}, 4.0),
        ({"lora_alpha": 1}, 0.25),
        ({"r": 16, "rank_pattern": {"q_proj": 4}}, 2.0),
        ({"alpha_pattern": {"^model.layers.0.self_attn.q_proj": 16}}, 4.0),
        ({"alpha_pattern": {"proj": 16}}, 2.0),  # peft matches whole parts of the path
        ({"alpha_pattern": {r"layers\.\d\.self_attn\.q_proj": 16}}, 4.0),
    ],
)
def test_the_scale_is_pefts(tmp_path: Path, config: dict[str, Any], scale: float) -> None:
    weights = read(write(tmp_path, **config))
    assert weights.base == "zoo:x"
    factors = weights.modules[MODULE]
    assert factors.scale == scale
    assert np.array_equal(factors.delta(), scale * np.full((5, 6), 8.0))


def test_embeddings_and_old_names_are_read_and_the_rest_is_named(tmp_path: Path) -> None:
    tensors = {
        "base_model.model.model.embed_tokens.lora_embedding_A": A,
        "base_model.model.model.embed_tokens.lora_embedding_B": B,
        f"base_model.model.{MODULE}.lora_A.default.weight": A,
        f"base_model.model.{MODULE}.lora_B.default.weight": B,
        "base_model.model.lm_head.weight": np.ones((9, 6), np.float32),
    }
    weights = read(write(tmp_path, tensors))
    assert {module: factors.shape for module, factors in weights.modules.items()} == {
        "model.embed_tokens": (6, 5),
        MODULE: (5, 6),
    }
    assert weights.others == {"lm_head.weight": (9, 6)}


@pytest.mark.parametrize(
    ("tensors", "config", "said"),
    [
        (None, {"peft_type": "IA3"}, "peft_type is 'IA3'; only LORA"),
        (None, {"use_dora": True}, "use_dora is set"),
        (
            None,
            {"init_lora_weights": "pissa_niter_4"},
            "init_lora_weights is 'pissa_niter_4', which changes the base",
        ),
        (None, {"r": 8}, "lora_A has rank 4, adapter_config.json says 8"),
        ({"x.lora_A.weight": A}, {}, "x has lora_A alone"),
        (
            {"x.lora_A.weight": A, "x.lora_B.weight": B.T.copy()},
            {},
            r"lora_A \[4, 6\] and lora_B \[4, 5\] do not multiply",
        ),
        ({"x.lora_A.weight": A[None]}, {}, r"has shape \[1, 4, 6\]"),
        ({"x.weight": A}, {}, "no lora_A or lora_B"),
    ],
)
def test_what_is_not_plain_lora_is_refused_with_a_sentence(
    tmp_path: Path, tensors: Any, config: Any, said: str
) -> None:
    with pytest.raises(AdapterError, match=said):
        read(write(tmp_path, tensors, **config))


def test_a_pickled_or_missing_adapter_says_what_would_do(tmp_path: Path) -> None:
    with pytest.raises(AdapterError, match=r"adapter_config\.json: .*PEFT's layout"):
        read(tmp_path)
    (write(tmp_path) / "adapter_model.safetensors").unlink()
    with pytest.raises(AdapterError, match=r"no adapter_model\.safetensors; the adapter is not complete"):
        read(tmp_path)
    (tmp_path / "adapter_model.bin").touch()
    with pytest.raises(AdapterError, match="harness convert"):
        read(tmp_path)


def test_factors_are_those_that_peft_merges(tmp_path: Path) -> None:
    """Peft itself is the oracle: ranks, alphas and rsLoRA by pattern, on a module kept as [in, out] too."""
    torch, peft = pytest.importorskip("torch"), pytest.importorskip("peft")
    from transformers.pytorch_utils import Conv1D

    torch.manual_seed(0)
    model = torch.nn.ModuleDict({"turned": Conv1D(10, 12), "also": Conv1D(12, 10)})
    before = {name: tensor.clone() for name, tensor in model.state_dict().items()}
    config = peft.LoraConfig(
        r=4, lora_alpha=3, target_modules=["turned", "also"], rank_pattern={"also": 2}, alpha_pattern={"turned": 7},
        use_rslora=True, fan_in_fan_out=True, init_lora_weights=False,
    )  # fmt: skip
    adapted = peft.get_peft_model(model, config)
    adapted.save_pretrained(tmp_path)
    merged = adapted.merge_and_unload().state_dict()
    for module, factors in read(tmp_path).modules.items():
        update = (merged[f"{module}.weight"] - before[f"{module}.weight"]).numpy()
        assert factors.delta() == pytest.approx(update, abs=1e-6)
