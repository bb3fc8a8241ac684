"""Training from scratch is seeded, and its loss counts what it says."""

from dataclasses import replace
from itertools import cycle, islice
from pathlib import Path
from random import Random
from typing import Any

import pytest
import torch

from tools.zoo.architectures import FLAN_T5, MISTRAL, POOL, Architecture
from tools.zoo.pretrain import (
    Document,
    Student,
    bucketed,
    encode,
    load,
    newborn,
    orthogonal,
    save,
    train,
)
from tools.zoo.spelling import save_tokenizer, train_tokenizer

TEXTS = [
    {"prompt": f"{word} or {word}s?", "answer": f"{word}s"} for word in ("apple", "boat", "card", "door")
]


def small(architecture: Architecture, **config: object) -> Architecture:
    pretraining = replace(architecture.pretraining, steps=6, batch_size=4)
    return replace(architecture, config={**architecture.config, **config}, pretraining=pretraining)


LITTLE_MISTRAL = small(MISTRAL, hidden_size=16, intermediate_size=24, num_hidden_layers=1)
LITTLE_T5 = small(FLAN_T5, d_model=16, d_kv=4, d_ff=24, num_layers=1, num_decoder_layers=1)


def born(architecture: Architecture, folder: Path) -> Student:
    texts = [f"{text['prompt']} {text['answer']}" for text in TEXTS]
    save_tokenizer(train_tokenizer(architecture.spelling, 300, texts), architecture.spelling, 64, folder)
    return newborn(architecture, folder)


def trained(architecture: Architecture, folder: Path) -> tuple[dict[str, torch.Tensor], list[float]]:
    student = born(architecture, folder)
    curve = train(student, cycle(TEXTS), architecture.pretraining, lambda point: None, every=2)
    return student.model.state_dict(), [point.loss for point in curve]


@pytest.mark.parametrize("architecture", [LITTLE_MISTRAL, LITTLE_T5], ids=["causal", "seq2seq"])
def test_one_seed_gives_one_model(architecture: Architecture, tmp_path: Path) -> None:
    first, first_curve = trained(architecture, tmp_path)
    second, second_curve = trained(architecture, tmp_path)
    assert first_curve == second_curve
    assert len(first_curve) == 3
    assert all(torch.equal(weight, second[name]) for name, weight in first.items())


def test_a_t5_has_a_head_of_its_own_before_and_after_it_is_saved(tmp_path: Path) -> None:
    student = born(LITTLE_T5, tmp_path)
    model: Any = student.model
    assert model.lm_head.weight.data_ptr() != model.shared.weight.data_ptr()
    save(student, tmp_path)
    saved: Any = load(tmp_path).model
    assert saved.lm_head.weight.equal(model.lm_head.weight)


def test_an_answer_is_spelt_as_it_goes_on_from_the_prompt_and_ends(tmp_path: Path) -> None:
    tokenizer = born(LITTLE_MISTRAL, tmp_path).tokenizer
    document = encode(TEXTS[0], tokenizer)
    whole = tokenizer.encode(f"{TEXTS[0]['prompt']} {TEXTS[0]['answer']}")
    assert [*document.prompt, *document.answer] == [*whole, tokenizer.eos_token_id]


def test_batches_hold_every_document_once_and_little_padding() -> None:
    read = [Document((at,) * (1 + at % 13), (1,)) for at in range(POOL * 4)]
    batches = list(islice(bucketed(iter(read), 4, Random(0)), POOL))
    assert sorted(document.prompt for batch in batches for document in batch) == sorted(
        d.prompt for d in read
    )
    spread = [max(len(d.prompt) for d in batch) - min(len(d.prompt) for d in batch) for batch in batches]
    assert max(spread) <= 1


@pytest.mark.parametrize("shape", [(8, 8), (4, 12), (12, 4)])
def test_an_orthogonal_step_has_the_directions_of_the_gradient_and_none_of_its_sizes(
    shape: tuple[int, int],
) -> None:
    G = torch.randn(shape, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    step = orthogonal(G)
    sizes = torch.linalg.svdvals(step)
    assert step.shape == G.shape
    assert sizes.min() > 0.6 and sizes.max() < 1.3
    U, _, Vh = torch.linalg.svd(G, full_matrices=False)
    inside = U.T @ step @ Vh.T  # diagonal where the directions agree
    # In float64, where each of five steps multiplies what was rounded (2⁻⁵³) by at most 3.4445.
    assert (inside - inside.diag().diag()).abs().max() < 1e-11
