"""Which checkpoints can write, held against what transformers knows of every architecture."""

from collections.abc import Mapping
from typing import Any

import pytest

from harness.checkpoints.can_write import ENCODERS, why_not

WRITERS = [
    ("llama", "LlamaForCausalLM"),  # Meditron, Llama 2, Gorilla
    ("mistral", "MistralForCausalLM"),
    ("falcon", "FalconForCausalLM"),
    ("falcon", "RWForCausalLM"),  # as Falcon was first published
    ("mpt", "MPTForCausalLM"),  # Gorilla's
    ("t5", "T5ForConditionalGeneration"),
    ("t5", "T5WithLMHeadModel"),  # as T5 was first published
    ("mt5", "MT5ForConditionalGeneration"),
    ("bart", "BartForConditionalGeneration"),
    ("bart", "BartModel"),  # facebook/bart-base: its head is tied
    ("gpt2", "GPT2LMHeadModel"),
    ("gpt2", "GPT2Model"),
    ("gpt2", "GPT2DoubleHeadsModel"),
    ("gemma3", "Gemma3ForConditionalGeneration"),
    ("qwen2", "Qwen2ForCausalLM"),
    ("bloom", "BloomForCausalLM"),
    ("opt", "OPTForCausalLM"),
    ("gpt_neox", "GPTNeoXForCausalLM"),
    ("phi", "PhiForCausalLM"),
    ("chatglm", "ChatGLMModel"),
    ("llama", None),
    ("", None),
]


@pytest.mark.parametrize(("kind", "name"), WRITERS)
def test_decoders_and_encoder_decoders_may_write(kind: str, name: str | None) -> None:
    assert why_not({"model_type": kind, **({"architectures": [name]} if name else {})}) is None


@pytest.mark.parametrize(
    ("config", "what", "use"),
    [
        ({"architectures": ["RobertaForMaskedLM"], "model_type": "roberta"},
         "is a RobertaForMaskedLM, an encoder that fills in masked words; it cannot write answers", "labelling texts"),
        ({"architectures": ["ElectraForPreTraining"], "model_type": "electra"}, "an encoder as its", "embedding"),
        ({"architectures": ["GPT2ForSequenceClassification"], "model_type": "gpt2"}, "a classifier", "labelling texts"),
        ({"architectures": ["LlamaForTokenClassification"], "model_type": "llama"}, "a tagger", "spans"),
        ({"architectures": ["T5ForQuestionAnswering"], "model_type": "t5"}, "an extractor", "finding answers"),
        ({"architectures": ["Qwen2ForRewardModel"], "model_type": "qwen2"}, "a reward model", "judging answers"),
        ({"architectures": ["BertModel"], "model_type": "bert"}, "is a BertModel, an encoder without a head", "embedding"),
        ({"model_type": "distilbert"}, "is a model of type distilbert, an encoder", "embedding"),
        ({"architectures": ["BertLMHeadModel"], "model_type": "bert"}, "does not say `is_decoder: true`", "decoder"),
        ({"architectures": ["RobertaForMaskedLM"], "model_type": "roberta", "is_decoder": True}, "masked", "labelling"),
        ({"architectures": [7, "BertForMaskedLM"], "model_type": "bert"}, "BertForMaskedLM", "labelling"),
        ({"architectures": "BertModel", "model_type": "bert"}, "type bert", "embedding"),
    ],
)  # fmt: skip
def test_what_cannot_write_is_named_and_what_it_is_for(
    config: Mapping[str, Any], what: str, use: str
) -> None:
    said = why_not(config)
    assert said is not None
    assert what in said
    assert use in said
    assert "decoder" in said
    assert "\n" not in said


@pytest.mark.parametrize("name", ["BertLMHeadModel", "BertModel", None])
def test_an_encoder_that_was_made_a_decoder_may_write(name: str | None) -> None:
    config = {"model_type": "bert", "is_decoder": True, **({"architectures": [name]} if name else {})}
    assert why_not(config) is None


def test_every_architecture_of_transformers_is_judged_as_its_tables_say() -> None:
    from transformers.models.auto import modeling_auto as tables

    causal = tables.MODEL_FOR_CAUSAL_LM_MAPPING_NAMES
    seq2seq = tables.MODEL_FOR_SEQ_TO_SEQ_CAUSAL_LM_MAPPING_NAMES
    masked = tables.MODEL_FOR_MASKED_LM_MAPPING_NAMES
    for kind, name in {**causal, **seq2seq}.items():
        config = {"model_type": kind, "architectures": [name], "is_decoder": True}
        assert why_not(config) is None, name
        assert (why_not({"model_type": kind, "architectures": [name]}) is None) == (kind not in ENCODERS)
    # XLM's and Reformer's masked models say otherwise what they are; the last three are encoder-decoders.
    encoders = set(masked) - {"xlm", "reformer", "bart", "mbart", "mvp"}
    assert encoders <= ENCODERS
    readers = [
        tables.MODEL_FOR_SEQUENCE_CLASSIFICATION_MAPPING_NAMES,
        tables.MODEL_FOR_TOKEN_CLASSIFICATION_MAPPING_NAMES,
        tables.MODEL_FOR_QUESTION_ANSWERING_MAPPING_NAMES,
        {kind: masked[kind] for kind in encoders},
    ]
    for kind, name in ((kind, name) for table in readers for kind, name in table.items()):
        if "Simple" not in name:  # XLM's and FlauBERT's own word order
            assert why_not({"model_type": kind, "architectures": [name]}), name
