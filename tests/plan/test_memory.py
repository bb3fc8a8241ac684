"""The memory of answering and training, part by part, from sizes alone."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from harness import families
from harness.checkpoints.safetensors import TensorFile
from harness.checkpoints.shape import shape
from harness.files.shipped import zoo_folder
from harness.plan.adapted import adapted, trainable_parameters
from harness.plan.memory import (
    LEFT_AT_MOST,
    AnsweringBatches,
    Loaded,
    Memory,
    TrainingBatches,
    after,
    answering,
    batch_tokens,
    training,
)
from harness.types import Recipe

ROOT = Path(__file__).parents[2]
PUBLISHED = json.loads((ROOT / "tools" / "hardware" / "configs.json").read_text())
BATCHES = AnsweringBatches(samples=512, longest=900, answer_tokens=100, batch_tokens=65536, read_tokens=16384)


def model(name: str, **changed: Any) -> Loaded:
    entry = PUBLISHED[name]
    sizes = shape(entry["config"])
    given = Loaded(
        shape=sizes,
        family=families.find(entry["family"]),
        parameters=sizes.parameters,
        dtype="bfloat16",
        quantization="none",
        device="cuda",
    )
    return replace(given, **changed)


def trained(loaded: Loaded, *, rows: int = 4, longest: int = 512, **recipe: Any) -> Memory:
    given = Recipe(name="r", targets=("all-linear",), validation_samples=0, **recipe)
    return training(loaded, TrainingBatches(recipe=given, rows=rows, longest=longest, answer=64, checked=0))


def part(memory: Memory, name: str) -> int:
    return next(part.bytes for part in memory.parts if part.name == name)


@pytest.mark.parametrize("name", PUBLISHED)
def test_the_peak_is_the_sum_of_its_parts(name: str) -> None:
    for memory in (answering(model(name), BATCHES), trained(model(name))):
        assert memory.bytes == sum(part.bytes for part in memory.parts) and memory.basis == "estimated"
        assert all(part.bytes > 0 for part in memory.parts)


def test_the_weights_of_a_7b_model_are_those_that_are_usually_named() -> None:
    """13.5 GB in bfloat16; about 3.9 GB in nf4 with double quantisation (Dettmers et al. 2023: 0.127 bits of scale)."""
    assert model("llama2-7b").weights == pytest.approx(13.5e9, rel=0.01)
    assert model("llama2-7b", quantization="int8").weights == pytest.approx(7.0e9, rel=0.01)
    four_bits = model("llama2-7b", quantization="nf4")
    assert four_bits.weights == pytest.approx(3.87e9, rel=0.01)
    bits = 8 * (four_bits.weights - 2 * four_bits.shape.embedding_parameters)
    assert bits / (four_bits.parameters - four_bits.shape.embedding_parameters) == pytest.approx(
        4.127, abs=1e-3
    )


def test_the_activations_of_a_7b_model_are_those_of_the_literature() -> None:
    """34 bytes of a token, a layer and a number of its state (Korthikanti et al. 2022, equation 2, without attention's
    matrix, which a fused kernel does not keep). Two of these are masks of dropout, which a base does not have; 16 are two
    tensors of a feed-forward part 4 times as wide as the state, in place of which Llama has four of 2.7 times."""
    found = part(trained(model("llama2-7b"), rows=16, longest=1024), "activations")
    expected = 34 - 2 - 16 + 2 * 4 * 11008 / 4096
    assert found / (16 * 1024 * 32 * 4096) == pytest.approx(expected, rel=0.01)


def test_more_rows_need_more_and_checkpointing_needs_less() -> None:
    loaded = model("mistral-7b", quantization="nf4")
    assert trained(loaded, rows=8).bytes > trained(loaded, rows=4).bytes
    assert trained(loaded, gradient_checkpointing=True).bytes < 0.5 * trained(loaded).bytes
    assert trained(loaded, rank=64).bytes > trained(loaded, rank=8).bytes
    assert trained(loaded, dropout=0.1).bytes > trained(loaded).bytes
    many, few = answering(loaded, BATCHES), answering(loaded, replace(BATCHES, samples=8))
    assert many.bytes > few.bytes and part(many, "weights") == part(few, "weights")


def test_a_process_still_holds_what_earlier_work_freed() -> None:
    loaded = model("flan-t5-base", dtype="float32", device="cpu")
    trained_before, alone = trained(loaded, rows=16), answering(loaded, replace(BATCHES, samples=2))
    assert trained_before.bytes > alone.bytes
    both = after([trained_before], alone)
    assert both.bytes == alone.bytes + LEFT_AT_MOST == sum(part.bytes for part in both.parts)
    little = replace(trained_before, bytes=alone.bytes + 1_000)
    assert after([little], alone).bytes == little.bytes
    assert after([alone], trained_before) == trained_before and after([], alone) == alone
    on_a_gpu = answering(replace(loaded, device="cuda"), replace(BATCHES, samples=2))
    assert after([trained_before], on_a_gpu) == on_a_gpu


def test_the_budget_of_tokens_bounds_the_keys_and_values() -> None:
    loaded = model("llama2-7b")
    budget = batch_tokens(loaded, 24_000_000_000, 65536, workers=1)
    assert budget == 24_000_000_000 // 4 // (512 * 1024)
    kept = part(answering(loaded, replace(BATCHES, batch_tokens=budget)), "keys and values")
    assert 0.8 * 6e9 < kept <= 6e9
    assert batch_tokens(loaded, 24_000_000_000, 65536, workers=2) == pytest.approx(budget / 2, abs=1)


@pytest.mark.parametrize("name", ["llama2-tiny", "flan-t5-tiny"])
def test_the_parameters_of_an_adapter_are_those_of_its_file(name: str) -> None:
    folder = ROOT / "adapters" / "ci" / name
    settings = json.loads((folder / "adapter_config.json").read_text())
    config = json.loads((zoo_folder(name) / "config.json").read_text())
    file = TensorFile(folder / "adapter_model.safetensors")
    stored = sum(file.stored_bytes(tensor) for tensor in file.names) // 4
    family = families.of(config["model_type"])
    assert trainable_parameters(shape(config), family, ("all-linear",), settings["r"]) == stored


def test_a_fused_matrix_is_adapted_once_however_many_of_its_parts_are_named() -> None:
    sizes, family = shape(PUBLISHED["falcon-7b"]["config"]), families.find("falcon")
    for targets in (("q",), ("q", "v"), ("qkv",)):
        assert adapted(sizes, family, targets).attention == (((4672, 4544),), ())
    llama = adapted(shape(PUBLISHED["llama2-7b"]["config"]), families.find("llama"), ("q", "v"))
    assert llama.attention == (((4096, 4096), (4096, 4096)), ()) and llama.feed_forward == ()


def test_an_encoder_alone_keeps_no_keys_and_values_and_has_no_logits_over_its_vocabulary() -> None:
    reader = model("llama2-7b", writes=False)
    assert {part.name for part in answering(reader, BATCHES).parts}.isdisjoint({"keys and values", "logits"})
    assert part(trained(reader), "logits") == 0 < part(trained(model("llama2-7b")), "logits")
