"""The tiny models are what they say they are, and load without a hub."""

import json
from pathlib import Path
from typing import Any

import pytest
from safetensors import safe_open

from harness.errors import UnknownName
from tools.zoo.architectures import ARCHITECTURES, architecture
from tools.zoo.build import try_out
from tools.zoo.pretrain import load

ZOO = Path(__file__).parents[2] / "harness" / "zoo"
NAMES = tuple(ARCHITECTURES)
CAUSAL = tuple(name for name in NAMES if name != "flan-t5-tiny")
PROMPT = "Summarise the conversation.\n\nTom: Isn't it 15 o'clock?\nAnna: Yes!\n\nSummary:"
ANSWER = " Anna tells Tom that it is 15 o'clock."


@pytest.fixture(autouse=True)
def offline(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")


def config_of(name: str) -> dict[str, Any]:
    return json.loads((ZOO / name / "config.json").read_text(encoding="utf-8"))


def model_of(name: str):
    return load(ZOO / name).model


def tokenizer_of(name: str):
    return load(ZOO / name).tokenizer


@pytest.mark.parametrize("name", NAMES)
def test_a_folder_has_the_layout_of_the_hub_and_is_small(name: str) -> None:
    files = {file.name for file in (ZOO / name).iterdir()}
    assert files >= {
        *("config.json", "generation_config.json", "model.safetensors", "tokenizer.json"),
        *("tokenizer_config.json", "special_tokens_map.json", "loss.json", "README.md"),
    }
    assert sum(file.stat().st_size for file in (ZOO / name).iterdir()) <= 8_000_000
    readme = (ZOO / name / "README.md").read_text(encoding="utf-8")
    assert "not the same weights" in readme and "apache-2.0" in readme


@pytest.mark.parametrize(
    ("name", "model_class"),
    [
        ("falcon-tiny", "FalconForCausalLM"),
        ("llama2-tiny", "LlamaForCausalLM"),
        ("mistral-tiny", "MistralForCausalLM"),
        ("flan-t5-tiny", "T5ForConditionalGeneration"),
    ],
)
def test_a_model_loads_as_its_familys_own_class_and_is_stored_in_bfloat16(
    name: str, model_class: str
) -> None:
    model = model_of(name)
    assert type(model).__name__ == model_class
    with safe_open(ZOO / name / "model.safetensors", "pt") as stored:
        assert {str(stored.get_tensor(key).dtype) for key in stored.keys()} == {"torch.bfloat16"}  # noqa: SIM118
    assert config_of(name)["dtype"] == "bfloat16"
    assert 1_000_000 <= model.num_parameters() <= 2_000_000
    assert model.num_parameters() == json.loads((ZOO / name / "loss.json").read_text())["parameters"]


@pytest.mark.parametrize("name", NAMES)
def test_padding_and_end_of_sequence_are_two_tokens(name: str) -> None:
    tokenizer, config = tokenizer_of(name), config_of(name)
    assert tokenizer.pad_token_id not in (None, tokenizer.eos_token_id)
    assert (tokenizer.pad_token_id, tokenizer.eos_token_id) == (
        config["pad_token_id"],
        config["eos_token_id"],
    )
    assert len(tokenizer) == config["vocab_size"]


@pytest.mark.parametrize("name", CAUSAL)
def test_a_prompt_and_its_answer_encode_apart_as_they_do_together(name: str) -> None:
    tokenizer = tokenizer_of(name)
    apart = tokenizer.encode(PROMPT) + tokenizer.encode(ANSWER, add_special_tokens=False)
    assert apart == tokenizer.encode(PROMPT + ANSWER)
    assert apart.count(tokenizer.bos_token_id) == (0 if name == "falcon-tiny" else 1)
    assert tokenizer.decode(apart, skip_special_tokens=True) == PROMPT + ANSWER


def test_a_t5_prompt_ends_with_its_end_token_and_has_blanks_for_line_ends() -> None:
    tokenizer = tokenizer_of("flan-t5-tiny")
    ids = tokenizer.encode(PROMPT)
    assert ids[-1] == tokenizer.eos_token_id
    assert tokenizer.decode(ids, skip_special_tokens=True) == " ".join(PROMPT.split())


def test_falcon_fuses_q_k_and_v_with_one_key_value_head() -> None:
    model = model_of("falcon-tiny")
    width, heads = model.config.hidden_size, model.config.num_attention_heads
    fused = model.transformer.h[0].self_attention.query_key_value.weight
    assert fused.shape == (width + 2 * width // heads, width)
    assert model.lm_head.weight is model.transformer.word_embeddings.weight


def test_mistral_groups_queries_and_its_window_is_shorter_than_its_longest_prompts() -> None:
    from tools.zoo.corpus.dialogues import dialogues

    config, tokenizer = config_of("mistral-tiny"), tokenizer_of("mistral-tiny")
    assert config["num_key_value_heads"] < config["num_attention_heads"]
    prompts = [PROMPT.replace("Tom: Isn't", record["dialogue"]) for record in dialogues()["test"]]
    longest = max(len(tokenizer.encode(prompt)) for prompt in prompts)
    reach = config["num_hidden_layers"] * (config["sliding_window"] - 1)  # tokens that a stack looks back
    assert config["sliding_window"] < longest < reach


def test_t5_has_gated_feed_forward_layers_and_an_untied_head() -> None:
    model = model_of("flan-t5-tiny")
    layer = model.encoder.block[0].layer
    assert layer[1].DenseReluDense.wi_0.weight.shape == layer[1].DenseReluDense.wi_1.weight.shape
    assert layer[0].SelfAttention.has_relative_attention_bias
    assert model.encoder.embed_tokens.weight is model.shared.weight
    assert not model.lm_head.weight.equal(model.shared.weight)
    assert not model.config.scale_decoder_outputs


@pytest.mark.parametrize("name", NAMES)
def test_the_loss_curve_beside_the_weights_is_that_of_the_named_training(name: str) -> None:
    record = json.loads((ZOO / name / "loss.json").read_text(encoding="utf-8"))
    plan = architecture(name).pretraining
    for part, steps in (("pretraining", plan.steps), ("study", architecture(name).study.steps)):
        assert record[part]["curve"][-1]["step"] == record[part]["plan"]["steps"] == steps
        assert record[part]["curve"][-1]["loss"] < record[part]["curve"][0]["loss"]
    assert record["pretraining"]["plan"]["seed"] == plan.seed


@pytest.mark.nightly
@pytest.mark.parametrize("name", NAMES)
def test_a_base_copies_names_from_text_it_has_not_seen(name: str) -> None:
    found = try_out(load(ZOO / name), seed=17, count=32)
    # A model that has not learnt to copy gets 3 to 5 by chance, as early checkpoints of these did.
    assert found["dialogues"]["copied"] > 25
    assert found["instructions"]["copied"] > 25


def test_an_unknown_name_is_answered_with_the_near_one() -> None:
    with pytest.raises(UnknownName, match="'llama2-tiny'"):
        architecture("llama-tiny")
