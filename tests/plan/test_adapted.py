"""How many numbers an adapter has, as estimated from a configuration, against the adapter that peft makes."""

from typing import Any

import pytest
import torch
from peft import LoraConfig, get_peft_model
from transformers import (
    AutoConfig,
    AutoModelForCausalLM,
    AutoModelForSeq2SeqLM,
    AutoModelForSequenceClassification,
)

from harness import families
from harness.checkpoints.shape import shape
from harness.plan.adapted import trainable_parameters
from tests.families.variants import VARIANTS

ROLES = ("q", "k", "v", "o", "feed-forward")
SIZES = {"hidden_size": 32, "num_hidden_layers": 3, "num_attention_heads": 4, "intermediate_size": 64}
ENCODERS: dict[str, dict[str, Any]] = {
    "bert": SIZES,
    "roberta": SIZES,
    "albert": {**SIZES, "embedding_size": 16},
    "distilbert": {"dim": 32, "n_layers": 3, "n_heads": 4, "hidden_dim": 64},
}
RANK = 2


def counted(kind: Any, config: Any, role: str) -> tuple[int, int]:
    """The numbers in the factors of plain peft, and the estimate."""
    family = families.of(config.model_type)
    suffixes = families.lora_targets(family, (role,))
    with torch.device("meta"):
        model = kind.from_config(config)
        lora = LoraConfig(
            r=RANK,
            target_modules=suffixes if isinstance(suffixes, str) else list(suffixes),
            fan_in_fan_out=family.fan_in_fan_out,
        )
        peft_model = get_peft_model(model, lora)
    made = sum(value.numel() for name, value in peft_model.named_parameters() if ".lora_" in name)
    return made, trainable_parameters(shape(config.to_dict()), family, (role,), RANK)


def config_of(model_type: str, settings: Any) -> Any:
    special = {"vocab_size": 64, "pad_token_id": 0, "bos_token_id": 1, "eos_token_id": 2}
    return AutoConfig.for_model(model_type, **special | dict(settings))


@pytest.mark.parametrize("name", VARIANTS)
def test_the_numbers_of_an_adapter_are_those_that_peft_makes(name: str) -> None:
    variant = VARIANTS[name]
    config = config_of(variant.model_type, variant.settings)
    kind = AutoModelForSeq2SeqLM if config.is_encoder_decoder else AutoModelForCausalLM
    # OPT-350m alone also has linear maps before and after its layers, which all-linear finds and the sizes do not name.
    for role in ROLES if name == "opt-350m" else (*ROLES, "all-linear"):
        made, estimated = counted(kind, config, role)
        assert estimated == made, role


@pytest.mark.parametrize("name", ENCODERS)
def test_the_numbers_of_an_encoders_adapter_are_those_that_peft_makes(name: str) -> None:
    """All-linear is left out: plain peft also puts factors beside the head, which the harness trains whole."""
    for role in ROLES:
        made, estimated = counted(AutoModelForSequenceClassification, config_of(name, ENCODERS[name]), role)
        assert estimated == made, role
