"""Every architecture keeps what the record promises, and one more is one file."""

import json
from collections.abc import Callable
from pathlib import Path

import peft
import pytest
import torch
import transformers

from harness import families, plugins
from harness.errors import ModelError, UnknownName
from harness.neural import architectures, objectives
from harness.neural.encode import Pair, encode, pair
from harness.neural.load import Base, load
from harness.types import Model, Prompt, Recipe
from tests.cli.words import harness
from tests.neural.conftest import CPU, PIN, make_folder
from tests.neural.encoders import make_encoder
from tests.plugins.installing import install

NAMES = plugins.names("architectures")
CHECKPOINTS = {
    "causal": "llama",
    "encoder": "bert",
    "seq2seq": "t5",
}  # what tests/neural makes a tiny model of
WRITERS = tuple(name for name in NAMES if architectures.find(name).writing is not None)
ANSWERS = ("Anna meets Ben.", "At nine.", "No, the train is late.")


@pytest.fixture(scope="module")
def opened(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Base]:
    """A tiny model of an architecture."""
    root = tmp_path_factory.mktemp("architectures")

    def open_base(name: str) -> Base:
        if name not in CHECKPOINTS:
            pytest.skip(f"no tiny model of architecture {name}: name one in CHECKPOINTS")
        folder = root / name
        if not folder.exists():
            make = make_encoder if name == "encoder" else make_folder
            make(CHECKPOINTS[name], folder)
        return load(folder, Model(name=name, uri="zoo:tiny"), PIN, CPU)

    return open_base


def pairs(base: Base) -> list[Pair]:
    found = [
        pair(
            base,
            Prompt(sample_id=str(n), before="Tell me: ", input=text * (n + 1), after=""),
            text,
            "keep-start",
            200,
        )
        for n, text in enumerate(ANSWERS)
    ]
    return [item for item in found if item is not None]


@pytest.mark.parametrize("name", NAMES)
def test_the_record_names_what_the_libraries_know(name: str) -> None:
    architecture = architectures.find(name)
    assert architecture.name == name
    assert hasattr(transformers, architecture.auto_class)
    assert architecture.peft_task_type in (None, *peft.TaskType.__members__)
    assert architecture.hub_task


@pytest.mark.slow
@pytest.mark.parametrize("name", NAMES)
def test_a_checkpoint_is_of_the_architecture_that_recognises_it(
    name: str, opened: Callable[[str], Base]
) -> None:
    base = opened(name)
    assert base.architecture is architectures.find(name)
    assert (
        architectures.of(json.loads((Path(base.model.name_or_path) / "config.json").read_text())).name == name
    )
    assert base.family.architecture == name


@pytest.mark.parametrize("name", NAMES)
def test_the_room_for_a_prompt_never_grows_with_the_answer(name: str) -> None:
    room = architectures.find(name).prompt_room
    assert room(None, 8) is None
    rooms = [room(16, tokens) for tokens in range(1, 20)]
    assert all(found is not None and found <= 16 for found in rooms)
    assert rooms == sorted(rooms, key=lambda found: -(found or 0))


@pytest.mark.parametrize("name", WRITERS)
def test_the_labels_are_the_answers_tokens_in_order(name: str, opened: Callable[[str], Base]) -> None:
    base = opened(name)
    with torch.no_grad():
        logits, labels = architectures.writing(base).logits(base, pairs(base), base.model)
    assert labels.tolist() == [token for item in pairs(base) for token in item.answer]
    assert logits.shape == (len(labels), base.model.config.vocab_size)


@pytest.mark.parametrize("name", WRITERS)
def test_an_examples_logits_do_not_depend_on_its_company(name: str, opened: Callable[[str], Base]) -> None:
    base = opened(name)
    with torch.no_grad():
        together, _ = architectures.writing(base).logits(base, pairs(base), base.model)
        alone = torch.cat(
            [architectures.writing(base).logits(base, [item], base.model)[0] for item in pairs(base)]
        )
    # float32 over two layers 32 wide: sums in another order differ by some 1e-6 of logits up to 10
    torch.testing.assert_close(together, alone, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("name", WRITERS)
def test_what_is_read_when_asked_is_what_training_sees(name: str, opened: Callable[[str], Base]) -> None:
    """The logits of an answer's first token are the same on both ways."""
    base = opened(name)
    writing = architectures.writing(base)
    items = pairs(base)
    with torch.no_grad():
        read = writing.read(base, [item.prompt for item in items], None)
        firsts = [architectures.writing(base).logits(base, [item], base.model)[0][0] for item in items]
    torch.testing.assert_close(read.logits, torch.stack(firsts), rtol=1e-4, atol=1e-4)
    assert len(read.tokens) == len(items)


@pytest.mark.parametrize("name", WRITERS)
def test_a_prefix_that_is_read_once_changes_nothing(name: str, opened: Callable[[str], Base]) -> None:
    base = opened(name)
    writing = architectures.writing(base)
    if writing.read_prefix is None:
        pytest.skip("its prompts are read whole")
    prompts = [item.prompt for item in pairs(base)]
    with torch.no_grad():
        whole = writing.read(base, prompts, None).logits
        behind = writing.read(base, prompts, writing.read_prefix(base, prompts[0][:3])).logits
    torch.testing.assert_close(behind, whole, rtol=1e-4, atol=1e-4)


def test_every_familys_architecture_is_there() -> None:
    assert {families.find(name).architecture for name in plugins.names("families")} <= set(NAMES)


def test_an_architecture_writes_or_has_a_head_and_its_objective_can_train_it() -> None:
    for name in NAMES:
        architecture = architectures.find(name)
        assert architecture.writing or architecture.head
        assert objectives.unfit(Recipe(name="r", steps=1), architecture) is None


def test_an_unknown_name_is_answered_with_the_near_ones() -> None:
    with pytest.raises(UnknownName, match="no architecture named 'casual'; did you mean 'causal'"):
        architectures.find("casual")


BACKWARDS = """
from dataclasses import replace
from harness.neural.architectures import causal

def recognises(config):
    return config.get("reads_backwards") is True

def prompt_ids(reader, text):
    return causal.ARCHITECTURE.prompt_ids(reader, text)[::-1]

ARCHITECTURE = replace(causal.ARCHITECTURE, name="backwards", recognises=recognises, prompt_ids=prompt_ids)
"""
SUITE = """
tasks:
  - {name: t, source: {uri: "file:data"}, prompt: "$input", metrics: [exact], primary: exact, decode: {max_new_tokens: 6}}
models: [{name: plain, uri: "file:plain"}, {name: other, uri: "file:other"}]
weights: false
"""


def test_another_packages_architecture_is_one_file(here: Path) -> None:
    """Two checkpoints with the same weights: the plug-in reads for the one that it recognises."""
    for name in ("plain", "other"):
        make_folder("llama", here / name)
    config = json.loads((here / "other" / "config.json").read_text())
    (here / "other" / "config.json").write_text(json.dumps({**config, "reads_backwards": True}))
    install(here / "installed", "architectures", "backwards", BACKWARDS)
    plain, other = (
        load(here / name, Model(name=name, uri="zoo:tiny"), PIN, CPU) for name in ("plain", "other")
    )
    assert (plain.architecture.name, other.architecture.name) == ("causal", "backwards")
    prompt = Prompt(sample_id="1", before="", input="Ben meets Anna", after="")
    forwards, backwards = (encode(base, prompt, "keep-start", None) for base in (plain, other))
    assert forwards is not None and backwards is not None and forwards.ids == backwards.ids[::-1]


@pytest.mark.slow
def test_a_suite_runs_with_another_packages_architecture(
    here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    install(here / "installed", "architectures", "backwards", BACKWARDS)
    for name in ("plain", "other"):
        make_folder("llama", here / name)
    config = json.loads((here / "other" / "config.json").read_text())
    (here / "other" / "config.json").write_text(json.dumps({**config, "reads_backwards": True}))
    (here / "small.yaml").write_text(SUITE)
    done = harness(capsys, "run", "small.yaml", "--workers", "0", "--device", "cpu", "--out", "R")
    assert done.code == 0, done.err
    answers = [
        tuple(
            sorted(
                (line["sample_id"], line["text"]) for line in map(json.loads, path.read_text().splitlines())
            )
        )
        for path in (here / "store" / "done").glob("*/generations.jsonl")
    ]
    assert len(set(answers)) == 2, "the same weights, asked otherwise"


def test_a_file_that_is_no_architecture_is_refused(here: Path) -> None:
    install(here / "installed", "architectures", "empty", "")
    with pytest.raises(ModelError, match=r"'empty' .* is not an architecture: it has no `ARCHITECTURE"):
        architectures.find("empty")
