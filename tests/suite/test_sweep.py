"""A recipe that sweeps: the grid it stands for, the names of its recipes, and what a wrong one gets."""

# ruff: noqa: E501 (a table is read along its lines)

from dataclasses import replace
from math import prod
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.errors import SuiteError
from harness.neural.rungs import LETTERS
from harness.plan.plan import plan
from harness.suite.load import load_recipes, load_suite
from harness.suite.sweep import MOST
from harness.types import ModelPin, Pins

SUITE = """\
tasks: [dialogues]
models: [{name: tiny, uri: zoo:llama2-tiny}, {name: other, uri: zoo:falcon-tiny}]
train_on: [dialogues]
recipes:
  - name: grid
    dropout: 0.1
    sweep:
      rank: [4, 16]
      learning_rate: [1e-3, 3e-3]
      epochs: [1, 2.5]
"""


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_a_grid_runs_through_all_values_the_last_field_fastest(here: Path) -> None:
    Path("s.yaml").write_text(SUITE)
    recipes = load_suite("s.yaml").recipes
    assert [recipe.name for recipe in recipes] == [
        f"grid-r{rank}-lr{rate}-e{epochs}"
        for rank in (4, 16)
        for rate in ("0.001", "0.003")
        for epochs in ("1", "2.5")
    ]
    assert [(recipe.rank, recipe.learning_rate, recipe.epochs) for recipe in recipes[:3]] == [
        (4, 1e-3, 1.0),
        (4, 1e-3, 2.5),
        (4, 3e-3, 1.0),
    ]
    assert {recipe.dropout for recipe in recipes} == {0.1}


def test_a_file_of_adapters_may_sweep(here: Path) -> None:
    Path("adapters").mkdir()
    Path("adapters/wide.yaml").write_text("steps: 3\nsweep: {rank: [1, 2]}\n")
    assert [recipe.name for recipe in load_recipes("wide")] == ["wide-r1", "wide-r2"]
    Path("s.yaml").write_text(SUITE.partition("recipes:")[0] + "recipes: [wide, quickstart]\n")
    assert [recipe.name for recipe in load_suite("s.yaml").recipes] == ["wide-r1", "wide-r2", "quickstart"]


def test_plan_and_ids_are_those_of_recipes_written_out(here: Path) -> None:
    pin = ModelPin(revision="1", parameters=1, checkpoint_bytes=4, dtype="float32", family="llama")
    pins = Pins(
        device="cpu",
        models={"tiny": pin, "other": replace(pin, revision="2")},
        sources={"dialogues": "d"},
        adapters={},
        libraries={},
        test_samples={"dialogues": 3},
    )
    Path("swept.yaml").write_text("name: same\n" + SUITE)
    plain = "".join(
        f"  - {{name: grid-r{rank}-lr{rate}-e{epochs}, rank: {rank}, learning_rate: {rate}, epochs: {epochs}, dropout: 0.1}}\n"
        for rank in (4, 16)
        for rate in ("0.001", "0.003")
        for epochs in ("1", "2.5")
    )
    Path("plain.yaml").write_text("name: same\n" + SUITE.partition("  - name")[0] + plain)
    swept = plan(load_suite("swept.yaml"), pins)
    assert swept == plan(load_suite("plain.yaml"), pins)
    assert sum(step.kind == "train" for step in swept.steps) == 2 * 8


VALUES = {
    "rank": st.integers(1, 64),
    "learning_rate": st.floats(1e-6, 1e-1),
    "warmup": st.floats(0, 1),
    "steps": st.integers(1, 10_000),
    "weight_decay": st.one_of(st.integers(0, 3), st.floats(0, 1)),
}


@settings(max_examples=40, deadline=None)
@given(
    st.fixed_dictionaries(
        {"steps": st.lists(VALUES["steps"], min_size=1, max_size=3, unique=True)},
        optional={
            field: st.lists(VALUES[field], min_size=1, max_size=3, unique=True)
            for field in ("rank", "learning_rate", "warmup", "weight_decay")
        },
    )
)
def test_each_recipe_of_a_grid_has_a_name_of_its_own(
    tmp_path_factory: pytest.TempPathFactory, sweep: dict[str, list[float]]
) -> None:
    path = tmp_path_factory.mktemp("grid") / "grid.yaml"
    lists = ", ".join(f"{field}: {values}" for field, values in sweep.items())
    path.write_text(f"sweep: {{{lists}}}\n")
    recipes = load_recipes(str(path))
    assert len({recipe.name for recipe in recipes}) == len(recipes) == prod(map(len, sweep.values()))
    assert {recipe.steps for recipe in recipes} == set(sweep["steps"])


def test_letters_stand_for_one_field_each() -> None:
    assert len(set(LETTERS.values())) == len(LETTERS)


BAD = [
    # (what is written, what stands there instead, the message)
    ("rank: [4, 16]", "rnk: [4, 16]", "s.yaml:8: recipes[0].sweep.rnk: no field to sweep named 'rnk'; did you mean 'rank'"),
    ("rank: [4, 16]", "seeds: [4, 16]", "s.yaml:8: recipes[0].sweep.seeds: no field to sweep named 'seeds'; "),
    ("rank: [4, 16]", "rank: []", "s.yaml:8: recipes[0].sweep.rank: found an empty list; give a list of numbers"),
    ("rank: [4, 16]", "rank: 4", "s.yaml:8: recipes[0].sweep.rank: found the number 4; give a list of numbers"),
    ("rank: [4, 16]", "rank: [4, 16, 4]", "s.yaml:8: recipes[0].sweep.rank[2]: 4 is there twice; keep one"),
    ("rank: [4, 16]", "rank: [4, 4.0]", "s.yaml:8: recipes[0].sweep.rank[1]: 4.0 is there twice; keep one"),
    ("rank: [4, 16]", "rank:\n      - 4\n      - 16.5", "s.yaml:10: recipes[0].rank: found the number 16.5; give a whole number"),
    ("rank: [4, 16]", "rank:\n      - 4\n      - 0", "s.yaml:10: recipes[0].rank: found the number 0; give 1 or more"),
    ("rank: [4, 16]", "rank: [true]", "s.yaml:8: recipes[0].rank: found true; give a whole number"),
    ("rank: [4, 16]", "rank: [[4]]", "s.yaml:8: recipes[0].rank: found a list; give a whole number"),
    ("dropout: 0.1", "rank: 8", "s.yaml:6: recipes[0].rank: rank is swept as well, on line 8; keep one"),
    ("dropout: 0.1", "steps: 8", "s.yaml:6: recipes[0].steps: found both of epochs and steps; give one"),
    ("epochs: [1, 2.5]", f"epochs: {list(range(1, 66))}", "s.yaml:7: recipes[0].sweep: 2 × 2 × 65 = 260 recipes; leave values out, at most 256 are allowed"),
    ("name: grid", "alpha: 16", "s.yaml:5: recipes[0].name: missing; add `name:`"),
    ("name: grid", "name: my grid", "s.yaml:5: recipes[0].name: found 'my grid-r4-lr0.001-e1'; use letters"),
]  # fmt: skip


@pytest.mark.parametrize(("good", "bad", "message"), BAD, ids=[bad for _, bad, _ in BAD])
def test_a_mistake_is_told_with_line_and_key(here: Path, good: str, bad: str, message: str) -> None:
    assert good in SUITE
    Path("s.yaml").write_text(SUITE.replace(good, bad, 1))
    with pytest.raises(SuiteError) as caught:
        load_suite("s.yaml")
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("sweep", "found"),
    [("{}", "an empty mapping"), ("[4]", "a list"), ("4", "the number 4"), ("", "nothing")],
)
def test_a_sweep_that_is_no_grid(here: Path, sweep: str, found: str) -> None:
    Path("grid.yaml").write_text(f"steps: 3\nsweep: {sweep}\n")
    with pytest.raises(
        SuiteError, match=rf"grid\.yaml:2: sweep: found {found}; give fields and their values"
    ):
        load_recipes("./grid.yaml")


def test_two_recipes_of_one_name_are_told_by_their_entry(here: Path) -> None:
    Path("s.yaml").write_text(SUITE + "  - {name: grid-r16-lr0.003-e1, steps: 3}\n")
    with pytest.raises(SuiteError, match=r"s\.yaml:11: recipes\[1\]: 'grid-r16-lr0\.003-e1' is there twice"):
        load_suite("s.yaml")


def test_the_largest_grid_there_may_be(here: Path) -> None:
    Path("grid.yaml").write_text(f"sweep: {{steps: {list(range(1, MOST + 1))}}}\n")
    assert len(load_recipes("./grid.yaml")) == MOST


def test_the_shipped_sweep_gives_at_least_24_adapters_on_two_bases() -> None:
    suite = load_suite("sweep-quickstart")
    assert len(suite.models) >= 2
    assert len(suite.recipes) * len(suite.models) >= 24
    assert suite.weights is not None
