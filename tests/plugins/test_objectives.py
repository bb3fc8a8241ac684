"""Every objective keeps what the record promises, and one more is one file."""

import json
import math
from dataclasses import fields, is_dataclass
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file

from harness import plugins
from harness.digest import canonical, digest
from harness.errors import SuiteError, UnknownName
from harness.neural import architectures, lora, objectives
from harness.neural.load import Base, load
from harness.neural.lora.by_peft import PeftFactors
from harness.neural.objectives import Example, Objective
from harness.neural.train import train
from harness.suite.load import load_recipes
from harness.types import Model, Prompt, Recipe
from tests.cli.words import harness
from tests.neural.conftest import CPU, PIN, make_folder
from tests.neural.encoders import make_encoder
from tests.plugins.installing import install

NAMES = plugins.names("objectives")
RECIPE = Recipe(name="r", steps=2, batch_size=4, rank=2, learning_rate=0.01, targets=("q", "v"))
EXAMPLES = [
    Example(
        id=str(n),
        prompt=Prompt(sample_id=str(n), before="", input="Ben meets " * (n + 1), after=""),
        answer="Anna" if n % 2 else "Ben",
        labels=("Anna", "Ben"),
        rejected="Ben" if n % 2 else "Dan is late",
    )
    for n in range(8)
]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_folder("llama", tmp_path_factory.mktemp("objectives") / "llama")


@pytest.fixture(scope="module")
def encoder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_encoder("bert", tmp_path_factory.mktemp("objectives") / "bert")


@pytest.fixture
def base(folder: Path) -> Base:
    return load(folder, Model(name="llama", uri="zoo:tiny"), PIN, CPU)


@pytest.fixture
def suited(request: pytest.FixtureRequest, folder: Path, encoder: Path) -> Base:
    """A model that the test's objective can train."""
    needs = objectives.find(request.node.callspec.params["name"]).needs
    place = encoder if needs == "head" else folder
    return load(place, Model(name="tiny", uri="zoo:tiny"), PIN, CPU)


def recipe(name: str, **settings: object) -> Recipe:
    return Recipe(
        name="r", steps=2, batch_size=4, rank=2, learning_rate=0.01, objective={"name": name, **settings}
    )


@pytest.mark.parametrize("name", NAMES)
def test_its_settings_are_a_record_with_defaults(name: str) -> None:
    objective, settings = objectives.of(recipe(name), architectures.find("causal"))
    assert objective.name == name and objective.unit
    assert is_dataclass(settings) and type(settings) is objective.settings
    assert vars(type(settings))["__dataclass_params__"].frozen
    assert "name" not in {field.name for field in fields(settings)}
    objective.check(settings, lambda *keys: ".".join(map(str, keys)))


@pytest.mark.parametrize("name", NAMES)
def test_a_loss_of_a_batch_is_the_sum_over_its_parts(name: str, suited: Base) -> None:
    base = suited
    objective, settings = objectives.of(recipe(name), base.architecture)
    items = [objective.encode(base, example, RECIPE) for example in EXAMPLES]
    head = objective.head(EXAMPLES) if objective.head else None
    assert all(item is not None and objective.size(item) > 0 for item in items)
    assert all(objective.weight(item) > 0 for item in items)
    attached = lora.attach(base, RECIPE, 0, head)
    try:
        reference = attached.off if objective.needs_reference else None

        def loss(*some: object) -> torch.Tensor:
            return objective.loss(base, some, head or settings, base.model, reference)

        whole, parts = loss(*items), torch.stack([loss(item) for item in items]).sum()
        assert whole.ndim == 0 and whole.dtype == torch.float32 and whole.requires_grad
        torch.testing.assert_close(whole, parts, rtol=1e-4, atol=1e-4)  # float32, sums in another order
    finally:
        attached.detach()


@pytest.mark.parametrize("name", NAMES)
def test_an_example_that_does_not_fit_is_no_item(name: str, suited: Base) -> None:
    objective, _ = objectives.of(recipe(name), suited.architecture)
    assert objective.encode(suited, EXAMPLES[0], Recipe(name="r", steps=1, max_tokens=1)) is None


@pytest.mark.parametrize("name", NAMES)
def test_it_trains_and_leaves_the_base_as_it_was(name: str, suited: Base, tmp_path: Path) -> None:
    base = suited
    before = {key: tensor.clone() for key, tensor in base.model.state_dict().items()}
    trained = train(base, EXAMPLES, EXAMPLES[:4], recipe(name), 0, tmp_path)
    assert trained.best_validation_loss is not None and math.isfinite(trained.best_validation_loss)
    assert trained.loss_unit == objectives.find(name).unit
    assert all(torch.equal(tensor, before[key]) for key, tensor in base.model.state_dict().items())
    assert not lora.inert(tmp_path / "adapter")


def test_the_usual_objective_leaves_the_names_of_steps_as_they_were() -> None:
    assert "objective" not in canonical(recipe("auto"))
    assert "objective" in canonical(recipe("other"))
    assert (
        digest(Recipe(name="x", steps=1)) == "e36d49433f0684d0"
    )  # of a recipe from before there were objectives


WRITTEN = [  # what a recipe says, what is answered
    ("objective: answers", None),
    ("objective: auto", None),
    ("objective: {name: auto, beta: 1}", "r.yaml:2: objective.beta: objective 'auto' has no settings; name the objective"),
    ("objective: {name: answers}", None),
    ("objective: anwsers", "r.yaml:2: objective: no objective named 'anwsers'; did you mean 'answers'?"),
    ("objective: {name: anwsers}", "r.yaml:2: objective.name: no objective named 'anwsers'; did you mean 'answers'?"),
    ("objective: {name: answers, beta: 1}", "r.yaml:2: objective.beta: no key named 'beta'"),
    ("objective: {name: answers, turns: all}", None),
    ("objective: {name: answers, turns: frist}", "r.yaml:2: objective.turns: "),
    ("objective: preferences", None),
    ("objective: {name: preferences, loss: ipo, beta: 0.5}", None),
    ("objective: {name: preferences, loss: hinge}", "r.yaml:2: objective.loss: no loss named 'hinge'"),
    ("objective: {name: preferences, beta: 0}", "r.yaml:2: objective.beta: found 0; give a number above 0, up to 1000"),
    ("objective: {beta: 1}", "r.yaml:2: objective.name: found no name; give one of"),
    ("objective: 3", "r.yaml:2: objective: found the number 3; give a mapping"),
    ("objective: near-base", None),
    ("objective: {name: near-base, strength: 0.5}", None),
    ("objective: {name: near-base, strenght: 1}", "objective.strenght: no key named 'strenght'; did you mean 'strength'?"),
    ("objective: {name: near-base, strength: much}", "objective.strength: found the text 'much'; give a number"),
    ("objective:\n  name: near-base\n  strength: -1", "r.yaml:4: objective.strength: found -1.0; give 0 or more"),
]  # fmt: skip

NEAR_BASE = '''
"""Answers become likely, and the logits stay near the base's."""
from dataclasses import dataclass
from harness.errors import SuiteError
from harness.neural import architectures
from harness.neural.objectives import Objective, answers

@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    strength: float = 1.0

def check(settings, at):
    if settings.strength < 0:
        raise SuiteError(f"{at('strength')}: found {settings.strength}; give 0 or more")

def loss(base, items, settings, model, reference):
    import torch
    logits, _ = architectures.writing(base).logits(base, items, model)
    with torch.no_grad(), reference():
        before, _ = architectures.writing(base).logits(base, items, base.model)
    return answers.summed_loss(base, items, model) + settings.strength * (logits - before).square().sum()

usual = answers.OBJECTIVE
OBJECTIVE = Objective(
    name="near-base", unit="nats and squares per answer token", settings=Settings, check=check, encode=usual.encode,
    size=usual.size, weight=usual.weight, loss=loss, needs_reference=True,
)
'''
SUITE = """
tasks:
  - {name: t, source: {uri: "file:data"}, prompt: "$input", metrics: [exact], primary: exact, decode: {max_new_tokens: 6}}
models: [{name: tiny, uri: "file:tiny"}]
recipes:
  - {name: usual, steps: 6, rank: 2, batch_size: 4, learning_rate: 0.01, validation_samples: 4}
  - {name: near, steps: 6, rank: 2, batch_size: 4, learning_rate: 0.01, validation_samples: 4,
     objective: {name: near-base, strength: 5}}
train_on: [t]
weights: false
"""


@pytest.mark.parametrize(("written", "answer"), WRITTEN)
def test_what_a_recipe_says_of_it_is_checked(here: Path, written: str, answer: str | None) -> None:
    install(here / "installed", "objectives", "near-base", NEAR_BASE)
    (here / "r.yaml").write_text(f"steps: 1\n{written}\n")
    if answer is None:
        (found,) = load_recipes("./r.yaml")
        name = found.objective["name"]
        expected = "answers" if name == "auto" else name
        assert objectives.of(found, architectures.find("causal"))[0].name == expected
        return
    with pytest.raises(SuiteError) as refused:
        load_recipes("./r.yaml")
    assert answer in str(refused.value)


@pytest.mark.parametrize("by_peft", [False, True], ids=["own layers", "peft"])
def test_the_reference_is_the_base_without_its_adapter(base: Base, by_peft: bool) -> None:
    objective: Objective = objectives.find("answers")
    items: list[Any] = [objective.encode(base, example, RECIPE) for example in EXAMPLES[:2]]
    with torch.no_grad():
        before, _ = architectures.writing(base).logits(base, items, base.model)
        attached = PeftFactors(base, RECIPE, ("embed_tokens",)) if by_peft else lora.attach(base, RECIPE, 0)
        try:
            for parameter in attached.parameters:
                parameter.fill_(0.1)
            changed, _ = architectures.writing(base).logits(base, items, base.model)
            with attached.off():
                off, _ = architectures.writing(base).logits(base, items, base.model)
            again, _ = architectures.writing(base).logits(base, items, base.model)
        finally:
            attached.detach()
    assert torch.equal(off, before) and torch.equal(again, changed)
    assert not torch.equal(changed, before)


@pytest.mark.slow
def test_a_suite_trains_by_another_packages_objective(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    install(here / "installed", "objectives", "near-base", NEAR_BASE)
    make_folder("llama", here / "tiny")
    (here / "small.yaml").write_text(SUITE)
    done = harness(capsys, "run", "small.yaml", "--workers", "0", "--device", "cpu", "--out", "R")
    assert done.code == 0, done.err
    said = [json.loads(path.read_text()) for path in (here / "store" / "done").glob("*/trained.json")]
    assert {one["loss_unit"] for one in said} == {
        "nats per answer token",
        "nats and squares per answer token",
    }
    adapters = [
        load_file(path) for path in (here / "store" / "done").glob("*/adapter/adapter_model.safetensors")
    ]
    near, usual = sorted(
        sum(float(B.norm()) for name, B in one.items() if "lora_B" in name) for one in adapters
    )
    assert 0 < near < usual


def test_an_unknown_name_is_answered_with_the_near_ones() -> None:
    with pytest.raises(UnknownName, match="no objective named 'anwsers'; did you mean 'answers'"):
        objectives.find("anwsers")
