"""Batches of about one length, in an order of their own each epoch."""

import json
from itertools import islice

import pytest
from transformers import AutoTokenizer

from harness.files import shipped
from harness.neural.encode import Pair
from harness.neural.room import VALIDATION_TOKENS
from harness.neural.train.batches import batches_from, by_length, order


@pytest.mark.parametrize("name", ["dialogues", "instruction-qa"])
def test_less_than_a_tenth_of_a_batch_is_padding(name: str) -> None:
    tokenizer = AutoTokenizer.from_pretrained(shipped.zoo_folder("llama2-tiny"))
    path = shipped.folder("suites") / "data" / name / "train.jsonl"
    texts = [" ".join(map(str, json.loads(line).values())) for line in path.read_text().splitlines()]
    tokens = [len(ids) for ids in tokenizer(texts).input_ids]
    for epoch in range(3):
        batches = order(tokens, 16, 0, epoch)
        assert sum(max(tokens[at] for at in batch) * len(batch) for batch in batches) < 1.1 * sum(tokens)
    as_they_come = [tokens[at : at + 16] for at in range(0, len(tokens), 16)]
    assert sum(max(batch) * len(batch) for batch in as_they_come) > 1.15 * sum(tokens)


def test_an_epoch_sees_every_sample_once_in_batches_of_about_one_length() -> None:
    tokens = [(37 * nth) % 101 for nth in range(330)]
    for seed, epoch in ((0, 0), (0, 1), (1, 0)):
        batches = order(tokens, 8, seed, epoch)
        assert sorted(sample for batch in batches for sample in batch) == list(range(330))
        assert {len(batch) for batch in batches} <= {8, 330 % 8, 330 % 128 % 8}
        padding = sum(max(tokens[at] for at in batch) * len(batch) for batch in batches) / sum(tokens)
        assert padding < 1.15  # 1.9 without sorting
    assert order(tokens, 8, 0, 0) == order(tokens, 8, 0, 0)
    assert order(tokens, 8, 0, 0) != order(tokens, 8, 0, 1) != order(tokens, 8, 1, 0)
    two_epochs = order(tokens, 8, 0, 0) + order(tokens, 8, 0, 1)
    for step in (1, 7, 42, 43, 60):
        assert list(islice(batches_from(step, tokens, 8, 0), 85 - step)) == two_epochs[step - 1 :]


def test_validation_goes_through_all_samples_within_its_tokens() -> None:
    lengths = [3, 9000, 700, 40, 2500, 2500, 1]
    pairs = [
        Pair(sample_id=str(at), prompt=(1,) * (length - 1), answer=(2,), truncated_tokens=0)
        for at, length in enumerate(lengths)
    ]
    batches = list(by_length(pairs, lambda pair: pair.tokens))
    assert sorted(one.sample_id for batch in batches for one in batch) == [one.sample_id for one in pairs]
    assert all(len(batch) * batch[0].tokens <= VALIDATION_TOKENS or len(batch) == 1 for batch in batches)
    assert [batch[0].tokens for batch in batches] == [9000, 2500, 40]
