"""Adapters of every family and role: ours give the same logits in plain peft, and peft's give the same here."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from peft import LoraConfig, PeftModel, get_peft_model

from harness import families
from harness.neural import lora
from harness.neural.encode import pair
from harness.neural.load import Base
from harness.neural.objectives import Example
from harness.neural.train import train
from harness.types import Recipe
from tests.families.building import prompts
from tests.families.variants import VARIANTS
from tests.neural.rounding import distance, rounding

ROLES = ("q", "k", "v", "o", "feed-forward")


def cases(by_day: int) -> list[Any]:
    """Each variant with each role; roles that are one fused matrix come once. One role of each variant is tested by day."""
    found = []
    for name, variant in VARIANTS.items():
        family, roles = families.of(variant.model_type), dict[Any, str]()
        for role in ROLES:
            roles.setdefault(families.lora_targets(family, (role,)), role)
        for role in roles.values():
            daily = role == list(roles.values())[by_day]
            marks = [pytest.mark.slow] if daily else [pytest.mark.nightly]
            found.append(pytest.param(name, role, marks=marks, id=f"{name}-{role}"))
    return found


def logits_of(model: Any) -> torch.Tensor:
    """Logits of two rows of 24 tokens, more than a sliding window here has."""
    ids = torch.arange(3, 51).reshape(2, 24)
    more = {"decoder_input_ids": ids} if model.config.is_encoder_decoder else {}
    with torch.no_grad():
        found: torch.Tensor = model(input_ids=ids, **more).logits
    return found


@pytest.mark.parametrize(("name", "role"), cases(by_day=0))
def test_a_role_is_trained_and_means_the_same_in_plain_peft(
    name: str, role: str, opened: Callable[[str], Base], plain: Callable[..., Any], tmp_path: Path
) -> None:
    base = opened(name)
    recipe = Recipe(
        name="r", rank=2, alpha=8, targets=(role,), steps=3, batch_size=3, learning_rate=5e-2, warmup=0.0
    )
    told = [Example(id=p.sample_id, prompt=p, answer="Anna is late.") for p in prompts(3)]
    before = logits_of(base.model)
    train(base, told, told, recipe, 0, tmp_path)
    assert torch.equal(logits_of(base.model), before)
    curve = [json.loads(line) for line in (tmp_path / "curve.jsonl").read_text().splitlines()]
    assert curve[-1]["loss"] < curve[0]["loss"]
    peft_model = PeftModel.from_pretrained(plain(name), str(tmp_path / "adapter")).eval()
    wanted = logits_of(peft_model)
    apart = rounding(peft_model, lambda: logits_of(peft_model))
    with lora.adapted(base, tmp_path / "adapter"):
        assert distance(logits_of(base.model), wanted) <= apart
    assert distance(before, wanted) > 10 * apart


@pytest.mark.parametrize(("name", "role"), cases(by_day=-1))
def test_an_adapter_of_plain_peft_means_the_same_here(
    name: str, role: str, opened: Callable[[str], Base], plain: Callable[..., Any], tmp_path: Path
) -> None:
    base = opened(name)
    targets = families.lora_targets(base.family, (role,))
    torch.manual_seed(1)
    config = LoraConfig(
        r=2,
        lora_alpha=8,
        target_modules=list(targets),
        init_lora_weights=False,
        fan_in_fan_out=base.family.fan_in_fan_out,
    )
    theirs = get_peft_model(plain(name), config).eval()
    theirs.save_pretrained(str(tmp_path))
    wanted, before = logits_of(theirs), logits_of(base.model)
    apart = rounding(theirs, lambda: logits_of(theirs))
    with lora.adapted(base, tmp_path):
        assert distance(logits_of(base.model), wanted) <= apart
    assert distance(before, wanted) > 10 * apart
    assert torch.equal(logits_of(base.model), before)


def test_an_answer_of_bart_begins_with_bos_in_training_as_in_its_own(opened: Callable[[str], Base]) -> None:
    """`<s> answer </s>`, as its tokenizer makes of a target."""
    base = opened("bart-base")
    learnt = pair(base, prompts(1)[0], "Anna is late.", "refuse", 200)
    assert learnt is not None
    assert list(learnt.answer) == base.tokenizer(text_target="Anna is late.").input_ids
