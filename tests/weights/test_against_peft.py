"""peft itself is the oracle: what it merges is what we add up, from the files that it writes and those of the base."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from harness import families
from harness.checkpoints import adapter
from harness.weights.read import locations
from harness.weights.updates import updates

torch, peft = pytest.importorskip("torch"), pytest.importorskip("peft")
transformers = pytest.importorskip("transformers")

VOCABULARY, WIDTH = 30, 16


def llama(*, tied: bool) -> Any:
    config = transformers.LlamaConfig(
        vocab_size=VOCABULARY,
        hidden_size=WIDTH,
        intermediate_size=24,
        num_hidden_layers=2,
        num_attention_heads=4,
        num_key_value_heads=2,
        tie_word_embeddings=tied,
    )
    return transformers.LlamaForCausalLM(config)


def gpt2() -> Any:
    config = transformers.GPT2Config(
        vocab_size=VOCABULARY, n_embd=WIDTH, n_layer=2, n_head=2, n_positions=12, n_inner=24
    )
    return transformers.GPT2LMHeadModel(config)


def untied() -> Any:
    return llama(tied=False)


def tied() -> Any:
    return llama(tied=True)


CASES: dict[str, tuple[Callable[[], Any], dict[str, Any], int]] = {  # -> how many matrices it changes
    "plain": (untied, {"target_modules": ["q_proj", "down_proj"]}, 4),
    "rsLoRA": (untied, {"target_modules": ["q_proj"], "use_rslora": True}, 2),
    "patterns": (
        untied,
        {
            "target_modules": ["q_proj", "v_proj"],
            "rank_pattern": {"layers.1.self_attn.q_proj": 2, "v_proj": 5},
            "alpha_pattern": {"q_proj": 7, r"layers\.0\..*v_proj": 1},
        },
        4,
    ),
    "patterns and rsLoRA": (
        untied,
        {"target_modules": ["q_proj", "v_proj"], "rank_pattern": {"v_proj": 5}, "use_rslora": True},
        4,
    ),
    "DoRA": (untied, {"target_modules": ["q_proj", "up_proj"], "use_dora": True}, 4),
    "a head of its own": (untied, {"target_modules": ["lm_head"]}, 1),
    "an embedding": (untied, {"target_modules": ["embed_tokens", "q_proj"]}, 3),
    "DoRA on an embedding": (untied, {"target_modules": ["embed_tokens"], "use_dora": True}, 1),
    "whole modules": (
        untied,
        {"target_modules": ["q_proj"], "modules_to_save": ["lm_head", "embed_tokens"]},
        4,
    ),
    "a tied head": (tied, {"target_modules": ["lm_head", "q_proj"]}, 3),
    "a tied embedding": (tied, {"target_modules": ["embed_tokens"]}, 1),
    "a tied head saved whole": (tied, {"target_modules": ["q_proj"], "modules_to_save": ["lm_head"]}, 3),
    "Conv1D": (gpt2, {"target_modules": ["c_attn", "c_proj"], "fan_in_fan_out": True}, 6),
    "Conv1D that nobody said is one": (gpt2, {"target_modules": ["c_fc"]}, 2),
    "Conv1D and DoRA": (
        gpt2,
        {"target_modules": ["c_attn", "c_fc"], "use_dora": True, "fan_in_fan_out": True},
        4,
    ),
    "Conv1D beside an embedding and a tied head": (
        gpt2,
        {"target_modules": ["c_attn", "wte", "lm_head"], "fan_in_fan_out": True},
        4,
    ),
    "Conv1D saved whole": (
        gpt2,
        {"target_modules": ["c_attn"], "modules_to_save": ["c_fc"], "fan_in_fan_out": True},
        4,
    ),
}
# Both names of a tied matrix have factors: peft merges the two into one matrix, where we look at each alone.
ADDED_TWICE = ("Conv1D beside an embedding and a tied head",)


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("case", CASES)
def test_what_peft_merges_is_what_we_add_up(tmp_path: Path, case: str) -> None:
    make, settings, count = CASES[case]
    torch.manual_seed(0)
    model = make()
    model.save_pretrained(tmp_path / "base")
    config = peft.LoraConfig(r=4, lora_alpha=3, init_lora_weights=False, **settings)
    adapted = peft.get_peft_model(model, config)
    with torch.no_grad():
        for name, parameter in adapted.named_parameters():
            if "magnitude" in name or "modules_to_save" in name:
                parameter.mul_(1 + torch.rand_like(parameter))
    adapted.save_pretrained(tmp_path / "adapter")
    merged = {name: tensor.numpy() for name, tensor in adapted.merge_and_unload().state_dict().items()}

    family = families.of(model.config.model_type)
    found = updates(
        adapter.read(tmp_path / "adapter"),
        locations(tmp_path / "base", family),
        family,
        adapter=tmp_path / "adapter",
        base=tmp_path / "base",
    )
    assert len(found) == count
    for update in found:
        ours = (
            update.saved.read().array if update.saved else update.factors.merged(update.location.read().array)
        )
        theirs = merged[f"{update.name}.weight"]
        if case in ADDED_TWICE and update.role in ("embedding", "head"):
            other = next(
                one for one in found if one.name != update.name and one.role in ("embedding", "head")
            )
            ours = ours + other.factors.delta()
        theirs = theirs.T if update.location.turned else theirs
        assert ours == pytest.approx(theirs, rel=1e-5, abs=1e-5 * float(np.abs(theirs).max())), update.name
