"""Families give every parameter of a real model its role, and LoRA its modules."""

import pytest

from harness.errors import UnknownName
from harness.families import find, lora_targets, of, role

ROLES = [
    ("falcon", "transformer.h.0.self_attention.query_key_value.weight", "qkv"),
    ("falcon", "transformer.h.31.self_attention.dense.weight", "o"),
    ("falcon", "transformer.h.0.mlp.dense_h_to_4h.weight", "feed-forward"),
    ("falcon", "transformer.h.0.mlp.dense_4h_to_h.weight", "feed-forward"),
    ("falcon", "transformer.h.0.input_layernorm.weight", "other"),
    ("falcon", "transformer.word_embeddings.weight", "embedding"),
    ("llama", "model.layers.0.self_attn.q_proj.weight", "q"),
    ("llama", "model.layers.0.self_attn.k_proj", "k"),
    ("llama", "model.layers.0.mlp.down_proj.weight", "feed-forward"),
    ("llama", "model.norm.weight", "other"),
    ("mistral", "model.layers.3.self_attn.o_proj.weight", "o"),
    ("mistral", "lm_head.weight", "head"),
    ("t5", "encoder.block.0.layer.0.SelfAttention.q.weight", "q"),
    ("t5", "decoder.block.2.layer.1.EncDecAttention.k.weight", "k"),
    ("t5", "decoder.block.2.layer.2.DenseReluDense.wi_0.weight", "feed-forward"),
    ("t5", "decoder.block.2.layer.2.DenseReluDense.wo.weight", "feed-forward"),
    ("t5", "encoder.block.0.layer.0.SelfAttention.relative_attention_bias.weight", "other"),
    ("t5", "shared.weight", "embedding"),
    ("t5", "lm_head.weight", "head"),
    ("bert", "bert.encoder.layer.0.attention.self.query.weight", "q"),
    ("bert", "bert.encoder.layer.0.attention.output.dense.weight", "o"),
    ("bert", "bert.encoder.layer.0.output.dense.weight", "feed-forward"),
    ("bert", "bert.pooler.dense.weight", "other"),
    ("albert", "albert.encoder.albert_layer_groups.0.albert_layers.0.ffn_output.weight", "feed-forward"),
    ("albert", "albert.encoder.albert_layer_groups.0.albert_layers.0.attention.dense.weight", "o"),
    ("bert", "classifier.weight", "head"),
    ("roberta", "roberta.encoder.layer.0.attention.self.value.weight", "v"),
    ("roberta", "classifier.dense.weight", "head"),
    ("roberta", "classifier.out_proj.weight", "head"),
    ("xlm-roberta", "roberta.encoder.layer.1.output.dense.weight", "feed-forward"),
    ("distilbert", "distilbert.transformer.layer.0.attention.q_lin.weight", "q"),
    ("distilbert", "distilbert.transformer.layer.0.attention.out_lin.weight", "o"),
    ("distilbert", "distilbert.transformer.layer.0.ffn.lin2.weight", "feed-forward"),
    ("distilbert", "pre_classifier.weight", "head"),
    ("albert", "albert.encoder.embedding_hidden_mapping_in.weight", "embedding"),
    ("bert", "bert.embeddings.position_embeddings.weight", "other"),
    ("gpt2", "transformer.h.0.attn.c_attn.weight", "qkv"),
    ("gpt2", "h.11.attn.c_proj.weight", "o"),
    ("gpt2", "h.11.mlp.c_proj.weight", "feed-forward"),
    ("gpt2", "transformer.h.0.mlp.c_fc.weight", "feed-forward"),
    ("gpt2", "transformer.wte.weight", "embedding"),
    ("gpt2", "transformer.wpe.weight", "other"),
    ("gpt2", "lm_head.weight", "head"),
    ("gpt_neox", "gpt_neox.layers.0.attention.query_key_value.weight", "qkv"),
]


@pytest.mark.parametrize(("model_type", "name", "expected"), ROLES)
def test_a_parameter_has_the_role_its_name_says(model_type: str, name: str, expected: str) -> None:
    assert role(of(model_type), name) == expected


@pytest.mark.parametrize(
    ("family", "roles", "expected"),
    [
        ("falcon", ("q", "v"), ("query_key_value",)),
        ("llama", ("q", "v"), ("q_proj", "v_proj")),
        ("mistral", ("feed-forward",), ("gate_proj", "up_proj", "down_proj")),
        ("t5", ("q", "o"), ("q", "o")),
        ("roberta", ("q", "v"), ("query", "value")),
        ("distilbert", ("o", "feed-forward"), ("out_lin", "ffn.lin1", "ffn.lin2")),
        ("albert", ("q", "feed-forward"), ("query", "ffn", "ffn_output")),
        ("gpt2", ("q", "o", "feed-forward"), ("c_attn", "attn.c_proj", "c_fc", "mlp.c_proj")),
        ("llama", ("all-linear",), "all-linear"),
    ],
)
def test_roles_become_the_modules_that_peft_looks_for(
    family: str, roles: tuple[str, ...], expected: tuple[str, ...] | str
) -> None:
    assert lora_targets(find(family), roles) == expected


def test_an_unknown_role_is_refused_with_the_near_ones() -> None:
    with pytest.raises(UnknownName, match="'feed-forward'"):
        lora_targets(find("llama"), ("feed_forward",))


def test_every_model_type_belongs_to_one_family() -> None:
    from harness import plugins

    claimed = [kind for name in plugins.names("families") for kind in find(name).model_types]
    assert len(claimed) == len(set(claimed))


def test_a_model_type_that_nobody_claims_is_generic() -> None:
    assert of("no-such-model").name == "generic"
