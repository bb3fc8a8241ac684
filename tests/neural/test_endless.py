"""Models without an end-of-sequence token: stop strings and max_new_tokens end their answers, and that is said."""

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch

from harness.checkpoints.ends import names_an_end
from harness.errors import HarnessError
from harness.neural import lora
from harness.neural.decode import plain, write
from harness.neural.decode.answer import NOT_FINITE
from harness.neural.encode import encode, pair, room
from harness.neural.examine import examine
from harness.neural.huggingface import HuggingFace
from harness.neural.load import Base
from harness.neural.memory import Budget
from harness.neural.objectives import Example
from harness.neural.reading import reading
from harness.neural.train import train
from harness.types import Decode, Model, Prompt, Recipe
from tests.neural.conftest import ARCHITECTURES, CPU, PIN, make_folder

TWELVE = Decode(max_new_tokens=12)


def without_end(folder: Path) -> Path:
    """Removes every mention of an end-of-sequence token from a checkpoint's files."""
    for name, key in (
        ("config.json", "eos_token_id"),
        ("generation_config.json", "eos_token_id"),
        ("tokenizer_config.json", "eos_token"),
        ("special_tokens_map.json", "eos_token"),
    ):
        path = folder / name
        if path.is_file():
            path.write_text(json.dumps({**json.loads(path.read_text()), key: None}))
    return folder


@pytest.fixture(params=ARCHITECTURES)
def endless(request: pytest.FixtureRequest, tmp_path: Path, open_base: Callable[..., Base]) -> Base:
    return open_base(without_end(make_folder(request.param, tmp_path / "model")))


def generated(base: Base, prompt: Prompt) -> str:
    """The answer by transformers' own `generate`."""
    encoded = encode(base, prompt, "keep-start", room(base, 12))
    assert encoded is not None
    ids, model = torch.tensor([encoded.ids]), base.model
    assert isinstance(model, torch.nn.Module)
    asked: Any = model
    out = asked.generate(
        ids,
        attention_mask=torch.ones_like(ids),
        do_sample=False,
        max_new_tokens=12,
        eos_token_id=None,
        pad_token_id=base.pad,
    )[0].tolist()
    new = out[1:] if base.architecture.name == "seq2seq" else out[len(encoded.ids) :]
    assert len(new) == 12
    text: str = base.tokenizer.decode(new, skip_special_tokens=True)
    return text.strip()


@pytest.mark.slow
def test_answers_are_those_of_transformers_generate_without_an_end(
    endless: Base, prompts: list[Prompt]
) -> None:
    assert (endless.ends, endless.end) == (frozenset(), None)
    answers = {one.sample_id: one for one in write(endless, prompts, TWELVE, "keep-start", Budget(100_000))}
    assert {(one.finish, one.output_tokens) for one in answers.values()} == {("length", 12)}
    for prompt in prompts:
        assert answers[prompt.sample_id].text == generated(endless, prompt)


def test_so_are_those_of_models_whose_rows_cannot_be_replaced(endless: Base, prompts: list[Prompt]) -> None:
    for prompt in prompts[:2]:
        encoded = encode(endless, prompt, "keep-start", room(endless, 12))
        assert encoded is not None
        ((_, tokens),) = plain.answer(endless, [encoded], 1, 12, NOT_FINITE)
        assert len(tokens) == 12
        text = endless.tokenizer.decode(tokens, skip_special_tokens=True)
        assert text.strip() == generated(endless, prompt)


def test_a_stop_string_still_ends_an_answer(endless: Base, prompts: list[Prompt]) -> None:
    (whole,) = write(endless, prompts[:1], TWELVE, "keep-start", Budget(4000))
    stop = whole.text[3:5]
    (cut,) = write(endless, prompts[:1], replace(TWELVE, stop=(stop,)), "keep-start", Budget(4000))
    assert (cut.finish, cut.text) == ("stop", whole.text.partition(stop)[0].strip())


def test_a_training_example_ends_with_the_stop_string_or_with_nothing(endless: Base) -> None:
    prompt = Prompt(sample_id="1", before="", input="Anna", after="")

    def learnt(stop: str) -> tuple[str, int]:
        found = pair(endless, prompt, "Ben is late.", "keep-start", 100, stop)
        assert found is not None
        return endless.tokenizer.decode(found.answer).strip(), len(found.answer)

    (text, tokens), (stopped, more) = learnt(""), learnt(" [end]")
    assert (text, stopped) == ("Ben is late.", "Ben is late. [end]")
    assert more > tokens


@pytest.mark.slow
def test_an_adapter_learns_to_write_the_stop_string(
    endless: Base, prompts: list[Prompt], tmp_path: Path
) -> None:
    recipe = Recipe(
        name="r", rank=16, alpha=32, steps=100, batch_size=4, learning_rate=1e-2, targets=("all-linear",)
    )
    answers = ["Anna will bring the car.", "Ben is late."]
    told = [
        Example(id=p.sample_id, prompt=p, answer=answers[n % 2], stop=" [end]")
        for n, p in enumerate(prompts[:4])
    ]
    train(endless, told, told, recipe, 0, tmp_path)
    decode = Decode(max_new_tokens=60, stop=("[end]",))
    with lora.adapted(endless, tmp_path / "adapter"):
        found = list(write(endless, prompts[:4], decode, "keep-start", Budget(2000)))
    assert {(one.sample_id, one.text, one.finish) for one in found} == {
        (example.id, example.answer, "stop") for example in told
    }


def test_a_model_with_an_end_learns_no_stop_string(base: Base) -> None:
    prompt = Prompt(sample_id="1", before="", input="Anna", after="")
    pairs = [pair(base, prompt, "Ben is late.", "keep-start", 100, stop) for stop in ("", " [end]")]
    assert pairs[0] == pairs[1]
    assert pairs[0] is not None
    assert pairs[0].answer[-1] == base.end == base.tokenizer.eos_token_id


def test_check_and_the_open_model_say_so(endless: Base, prompts: list[Prompt]) -> None:
    folder = Path(endless.tokenizer.name_or_path)
    model = Model(name="mine", uri=f"file:{folder}")
    (line,) = examine(folder, model, PIN, CPU, {})
    assert line.startswith(
        "has no end-of-sequence token: only stop strings and max_new_tokens end its answers"
    )
    assert reading(folder, model).end is None
    assert HuggingFace(endless, 1000).endless
    assert not names_an_end(folder)


@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_a_model_with_an_end_is_known_by_its_files(
    folders: Callable[..., Path], open_base: Callable[..., Base], architecture: str
) -> None:
    folder = folders(architecture)
    base = open_base(folder)
    assert names_an_end(folder)
    assert base.end in base.ends
    assert not HuggingFace(base, 1000).endless
    assert reading(folder, Model(name="mine", uri=f"file:{folder}")).end == base.end


@pytest.mark.parametrize("written", [-1, 10_000, [], [-1], "x", [None]])
def test_a_number_that_is_no_token_is_no_end(
    tmp_path: Path, open_base: Callable[..., Base], written: object
) -> None:
    folder = without_end(make_folder("llama", tmp_path / "model"))
    config = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps({**config, "eos_token_id": written}))
    try:
        assert open_base(folder).ends == frozenset()
    except HarnessError as error:  # transformers refuses some
        assert "\n" not in str(error)


def test_the_configurations_token_ends_answers_where_the_tokenizer_names_none(
    tmp_path: Path, open_base: Callable[..., Base]
) -> None:
    folder = without_end(make_folder("llama", tmp_path / "model"))
    config = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps({**config, "eos_token_id": [7, 9]}))
    base = open_base(folder)
    assert (base.ends, base.end) == (frozenset({7, 9}), 7)
