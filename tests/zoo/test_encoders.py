"""Encoders are pretrained as their families are: masked words, pairs of passages, one seed one model."""

import json
from dataclasses import asdict, replace
from itertools import cycle, islice
from math import log
from pathlib import Path

import pytest
import torch
from safetensors import safe_open
from transformers import AutoModelForPreTraining, AutoTokenizer

from harness.errors import UnknownName
from tools.zoo.build_encoder import _general, data_texts
from tools.zoo.encoder_spelling import save_encoder_tokenizer, train_encoder_tokenizer
from tools.zoo.encoders import ENCODERS, Encoder, MaskedPretraining, find_encoder
from tools.zoo.masking import (
    IGNORED,
    Pupil,
    documents,
    held_out,
    masked,
    newborn_encoder,
    train_encoder,
)

ZOO = Path(__file__).parents[2] / "harness" / "zoo"
TEXTS = [
    f"Anna saw the {word}.\nThe {word} was red: Ben liked it. He took the {word} home."
    for word in ("apple", "boat", "card", "door")
]
LITTLE = MaskedPretraining(steps=6, batch_size=4)


def little(encoder: Encoder) -> Encoder:
    small = {"hidden_size": 16, "intermediate_size": 24, "num_hidden_layers": 2, "num_attention_heads": 2}
    small |= {"embedding_size": 8} if encoder.model_type == "albert" else {}
    return replace(encoder, config={**encoder.config, **small}, pretraining=LITTLE, vocabulary=200)


def born(encoder: Encoder, folder: Path) -> Pupil:
    tokenizer = train_encoder_tokenizer(encoder.spelling, encoder.vocabulary, TEXTS)
    save_encoder_tokenizer(tokenizer, encoder.spelling, 64, folder)
    return newborn_encoder(encoder, folder)


@pytest.fixture(params=ENCODERS)
def encoder(request: pytest.FixtureRequest) -> Encoder:
    return little(find_encoder(request.param))


def test_one_seed_gives_one_model_and_the_loss_falls(encoder: Encoder, tmp_path: Path) -> None:
    found = []
    for _ in range(2):
        pupil = born(encoder, tmp_path)
        curve = train_encoder(pupil, cycle(TEXTS), replace(LITTLE, steps=12), lambda point: None, every=4)
        found.append((pupil.model.state_dict(), [point.loss for point in curve]))
    (first, one), (second, other) = found
    assert one == other and len(one) == 3 and one[-1] < one[0]
    assert all(torch.equal(weight, second[name]) for name, weight in first.items())


def test_special_tokens_stand_around_passages_and_capitals_do_not_count(
    encoder: Encoder, tmp_path: Path
) -> None:
    born(encoder, tmp_path)
    tokenizer = AutoTokenizer.from_pretrained(tmp_path)
    pair = tokenizer("Anna SAW", "the boat")
    first, last = tokenizer.cls_token_id, tokenizer.sep_token_id
    assert pair["input_ids"][0] == first and pair["input_ids"][-1] == last
    assert pair["input_ids"].count(last) == 2
    assert sorted(set(pair["token_type_ids"])) == [0, 1]
    assert tokenizer("anna saw").input_ids == tokenizer("Anna SAW").input_ids
    assert tokenizer.pad_token_id == 0


def test_the_masked_tokens_are_a_share_of_those_that_are_not_special(
    encoder: Encoder, tmp_path: Path
) -> None:
    pupil = born(encoder, tmp_path)
    ids = torch.randint(5, len(pupil.tokenizer), (200, 50), generator=torch.Generator().manual_seed(0))
    ids[:, 0], ids[:, -1] = pupil.tokenizer.cls_token_id, pupil.tokenizer.pad_token_id
    read, asked = masked(pupil, ids, 0.2, torch.Generator().manual_seed(1))
    assert not asked[:, 0].any() and not asked[:, -1].any()
    assert torch.equal(read[~asked], ids[~asked])
    # Of 9,600 tokens: four standard deviations of a share of 0.2 are 0.017, of 0.8 of the 1,920 among them 0.037.
    assert asked[:, 1:-1].float().mean().item() == pytest.approx(0.2, abs=0.017)
    share = (read[asked] == pupil.tokenizer.mask_token_id).float().mean().item()
    assert share == pytest.approx(0.8, abs=0.037)
    _, all_asked = masked(pupil, ids, 0.0, torch.Generator().manual_seed(1))
    assert all_asked.any()  # a batch without any would have no loss


def test_half_of_the_pairs_are_wrong_and_albert_swaps_its_own(encoder: Encoder, tmp_path: Path) -> None:
    pupil = born(encoder, tmp_path)
    found = list(islice(documents(pupil, cycle(TEXTS), LITTLE), 400))
    relations = [document.relation for document in found if document.relation != IGNORED]
    # Four standard deviations of a share of 0.6 of 400 are 0.1, of 0.5 of 240 are 0.13.
    assert len(relations) / len(found) == pytest.approx(0.6, abs=0.1)
    assert sum(relations) / len(relations) == pytest.approx(0.5, abs=0.13)
    wrong = [document for document in found if document.relation == 1]
    words = [pupil.tokenizer.decode(list(document.ids), skip_special_tokens=True) for document in wrong]
    of_one = [sum(word in text for word in ("apple", "boat", "card", "door")) <= 1 for text in words]
    assert all(of_one) if encoder.model_type == "albert" else not all(of_one)


def test_only_training_splits_are_read_and_no_labels(tmp_path: Path) -> None:
    def write(name: str, row: str) -> None:
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(row + "\n")

    write("moods/train.jsonl", '{"id": "1", "sentence": "A fine day.", "label": "quite good", "score": 3}')
    write("moods/test.jsonl", '{"id": "2", "sentence": "A secret day.", "label": "good"}')
    assert data_texts(tmp_path) == {"moods": ["A fine day."]}


def test_an_unknown_name_is_answered_with_the_near_one() -> None:
    with pytest.raises(UnknownName, match="'bert-tiny'"):
        find_encoder("bert-tine")


@pytest.mark.parametrize("name", ENCODERS)
def test_a_shipped_encoder_is_small_stored_in_bfloat16_and_better_than_chance(name: str) -> None:
    folder = ZOO / name
    model = AutoModelForPreTraining.from_pretrained(folder, dtype=torch.float32)
    record = json.loads((folder / "loss.json").read_text(encoding="utf-8"))
    assert model.num_parameters() == record["parameters"]
    assert sum(file.stat().st_size for file in folder.iterdir()) <= 4_000_000
    with safe_open(folder / "model.safetensors", "pt") as stored:
        assert {str(stored.get_tensor(key).dtype) for key in stored.keys()} == {"torch.bfloat16"}  # noqa: SIM118
    encoder = find_encoder(name)
    assert record["pretraining"]["plan"] == asdict(encoder.pretraining)
    # The program's own general documents of another seed: 256 of them.
    pupil = Pupil(model.eval(), AutoTokenizer.from_pretrained(folder))
    unseen = held_out(pupil, _general(encoder.pretraining.seed + 7, 256), encoder.pretraining, 256)
    nats, right = unseen.values()
    assert nats < log(encoder.vocabulary) - 2
    assert right > 60
    readme = (folder / "README.md").read_text(encoding="utf-8")
    assert "not the same weights" in readme and "apache-2.0" in readme
