"""Training from scratch is seeded, and its loss counts what it says."""

from dataclasses import replace
from itertools import cycle, islice
from random import Random

import pytest
import torch

from harness.neural.pretrain import Document, bucketed, build_model, orthogonal, train
from harness.zoo.architectures import FLAN_T5, MISTRAL, POOL, Architecture

TOKEN_IDS = {"eos_token_id": 1, "pad_token_id": 0}


def small(architecture: Architecture, **config: object) -> Architecture:
    pretraining = replace(architecture.pretraining, steps=6, batch_size=4)
    return replace(architecture, config={**architecture.config, **config}, pretraining=pretraining)


LITTLE_MISTRAL = small(MISTRAL, hidden_size=16, intermediate_size=24, num_hidden_layers=1)
LITTLE_T5 = small(FLAN_T5, d_model=16, d_kv=4, d_ff=24, num_layers=1, num_decoder_layers=1)


def documents() -> list[Document]:
    random = Random(0)
    rows = [tuple(random.randrange(2, 20) for _ in range(random.randrange(3, 9))) for _ in range(40)]
    return [Document(prompt=row, answer=(*row[:2], 1)) for row in rows]


def trained(architecture: Architecture) -> tuple[dict[str, torch.Tensor], list[float]]:
    ids = {
        **TOKEN_IDS,
        **({"decoder_start_token_id": 0} if architecture.model_type == "t5" else {"bos_token_id": 1}),
    }
    model = build_model(architecture, 20, ids)
    curve = train(model, cycle(documents()), architecture.pretraining, 0, lambda point: None, every=2)
    return model.state_dict(), [point.loss for point in curve]


@pytest.mark.parametrize("architecture", [LITTLE_MISTRAL, LITTLE_T5], ids=["causal", "seq2seq"])
def test_one_seed_gives_one_model(architecture: Architecture) -> None:
    first, first_curve = trained(architecture)
    second, second_curve = trained(architecture)
    assert first_curve == second_curve
    assert len(first_curve) == 3
    assert all(torch.equal(weight, second[name]) for name, weight in first.items())


def test_a_fresh_t5_has_a_head_of_its_own() -> None:
    model = build_model(LITTLE_T5, 20, {**TOKEN_IDS, "decoder_start_token_id": 0})
    assert model.lm_head.weight.data_ptr() != model.shared.weight.data_ptr()


def test_batches_hold_every_document_once_and_little_padding() -> None:
    read = [Document(prompt=(at,) * (1 + at % 13), answer=(1,)) for at in range(POOL * 4)]
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
    G = torch.randn(shape, generator=torch.Generator().manual_seed(0))
    step = orthogonal(G)
    sizes = torch.linalg.svdvals(step)
    assert step.shape == G.shape
    assert sizes.min() > 0.6 and sizes.max() < 1.3
    U, _, Vh = torch.linalg.svd(G, full_matrices=False)
    inside = U.T @ step @ Vh.T  # diagonal where the directions agree
    assert (inside - inside.diag().diag()).abs().max() < 1e-4
