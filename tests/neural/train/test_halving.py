"""Of a sweep with halving one adapter is left, which is the one that its settings train by themselves, also after a kill."""

import json
import os
import signal
import subprocess
import sys
import textwrap
import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path

import pytest

from harness.errors import StepError
from harness.files.json_lines import to_json
from harness.neural.load import Base
from harness.neural.objectives import Example
from harness.neural.rungs import combinations
from harness.neural.train import train
from harness.neural.train.halving import FOLDER, tidy, train_halved
from harness.neural.train.loop import Judge
from harness.types import Combination, Halving, Prompt, Recipe

RECIPE = Recipe(
    name="grid",
    alpha=8,
    dropout=0.1,
    steps=8,
    batch_size=4,
    targets=("q", "v"),
    sweep={"rank": (2, 4), "learning_rate": (1e-3, 2e-2)},
    halving=Halving(keep="1/2", rungs=3),
)


class Stop(BaseException):
    """Ends a training as a kill would."""


def examples(prompts: list[Prompt]) -> list[Example]:
    answers = ["Anna brings the car.", "Ben is late.", "Cara and Dan buy two tickets."]
    return [Example(id=p.sample_id, prompt=p, answer=answers[n % 3]) for n, p in enumerate(prompts)]


def adapter(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in (folder / "adapter").iterdir()}


def kept(tried: tuple[Combination, ...]) -> Combination:
    (found,) = (one for one in tried if one.kept)
    return found


def alone(base: Base, told: list[Example], recipe: Recipe, folder: Path) -> dict[tuple[str, int], float]:
    """Train every combination to the end by itself; return the lowest validation loss up to each measurement."""
    found: dict[tuple[str, int], float] = {}
    for name, own in combinations(recipe).items():
        train(base, told, told[:3], own, 0, folder / name)
        points = [json.loads(line) for line in (folder / name / "curve.jsonl").read_text().splitlines()]
        for point in points:
            if "validation_loss" in point:
                before = found.get((name, point["step"] - 2), float("inf"))
                found[name, point["step"]] = min(before, point["validation_loss"])
    return found


@pytest.mark.slow
def test_the_winner_equals_byte_for_byte_what_its_settings_train_alone(
    llama: Base, prompts: list[Prompt], tmp_path: Path
) -> None:
    told = examples(prompts)
    taken: list[tuple[int, int]] = []
    trained, tried = train_halved(
        llama, told, told[:3], RECIPE, 0, tmp_path, lambda done, of, what: taken.append((done, of))
    )
    losses = alone(llama, told, RECIPE, tmp_path)
    # Each rung by hand: 4 combinations at step 2, the best 2 at step 4, the best of these to step 8.
    first = sorted(combinations(RECIPE), key=lambda name: losses[name, 2])
    second = sorted(first[:2], key=lambda name: losses[name, 4])
    by_name = {one.name: one for one in tried}
    assert list(by_name) == ["r2-lr0.001", "r2-lr0.02", "r4-lr0.001", "r4-lr0.02"]
    assert {name: (one.steps, one.rung, one.place, one.compared) for name, one in by_name.items()} == {
        first[3]: (2, 1, 4, 4),
        first[2]: (2, 1, 3, 4),
        second[1]: (4, 2, 2, 2),
        second[0]: (8, 3, 1, 1),
    }
    winner = kept(tried)
    assert winner.name == second[0]
    assert adapter(tmp_path) == adapter(tmp_path / winner.name)
    assert trained.best_validation_loss == losses[winner.name, 8]
    assert (trained.steps, trained.planned) == (8, 8)
    assert taken == sorted(taken) and taken[-1] == (16, 16)
    tidy(tmp_path)
    assert not (tmp_path / FOLDER).exists()


KINDS: list[Mapping[str, object]] = [
    {"init": "pissa"},
    {"use_dora": True},
    {"type": "VERA", "r": 4, "save_projection": True},
    {"type": "LOHA", "r": 2},
    {"type": "BOFT", "boft_block_size": 4},
    {"type": "SHIRA", "r": 2},
    {"type": "IA3"},
]


@pytest.mark.slow
@pytest.mark.parametrize("peft", KINDS, ids=lambda peft: str(peft.get("type", peft)))
def test_the_winner_of_other_kinds_of_adapters_equals_what_its_settings_train_alone(
    llama: Base, prompts: list[Prompt], tmp_path: Path, peft: Mapping[str, object]
) -> None:
    told = examples(prompts)
    grid = replace(
        RECIPE, steps=4, sweep={"learning_rate": (1e-3, 1e-2)}, halving=Halving(rungs=2), peft=peft
    )
    _, tried = train_halved(llama, told, told[:3], grid, 0, tmp_path)
    train(llama, told, told[:3], combinations(grid)[kept(tried).name], 0, tmp_path / "alone")
    assert adapter(tmp_path) == adapter(tmp_path / "alone")


@pytest.mark.slow
@pytest.mark.parametrize("at", [1, 3, 8, 9, 11, 13, 15, 16])
def test_a_run_that_is_stopped_at_any_step_ends_in_the_same_bytes_and_lines(
    llama: Base, prompts: list[Prompt], tmp_path: Path, at: int
) -> None:
    told = examples(prompts)
    trained, tried = train_halved(llama, told, told[:3], RECIPE, 0, tmp_path / "whole")

    def stop(done: int, of: int, what: str) -> None:
        if done >= at:
            raise Stop

    with pytest.raises(Stop):
        train_halved(llama, told, told[:3], RECIPE, 0, tmp_path / "stopped", stop)
    again: list[str] = []
    found, lines = train_halved(
        llama, told, told[:3], RECIPE, 0, tmp_path / "stopped", lambda done, of, what: again.append(what)
    )
    assert replace(found, seconds=0) == replace(trained, seconds=0)
    assert json.dumps(to_json(lines)) == json.dumps(to_json(tried))
    assert adapter(tmp_path / "stopped") == adapter(tmp_path / "whole")
    # Lost are at most the two steps since the last measurement.
    assert sum("loss" in what for what in again) <= 16 - at + 2


@pytest.mark.slow
def test_a_killed_process_ends_in_the_same_bytes_and_lines(
    llama: Base, folders: Callable[..., Path], prompts: list[Prompt], tmp_path: Path
) -> None:
    told, group = examples(prompts), tmp_path / "killed"
    trained, tried = train_halved(llama, told, told[:3], RECIPE, 0, tmp_path / "whole")
    program = textwrap.dedent(f"""
        import json, time
        from pathlib import Path
        from harness.neural.load import load
        from harness.neural.objectives import Example
        from harness.neural.train.halving import train_halved
        from harness.files.json_lines import from_json
        from harness.types import Model, ModelPin, Recipe, Runtime
        told = [from_json(Example, one) for one in json.loads(Path({str(tmp_path / "told.json")!r}).read_text())]
        pin = ModelPin(revision="", parameters=None, checkpoint_bytes=None, dtype="float32", family=None)
        base = load(Path({str(folders("llama"))!r}), Model(name="llama", uri="zoo:two-layers"), pin, Runtime())
        recipe = from_json(Recipe, json.loads({json.dumps(to_json(RECIPE))!r}))
        train_halved(base, told, told[:3], recipe, 0, Path({str(group)!r}), lambda done, of, what: time.sleep(0.2))
    """)
    (tmp_path / "told.json").write_text(json.dumps([to_json(one) for one in told]))
    process = subprocess.Popen([sys.executable, "-c", program])
    deadline = time.monotonic() + 120
    while not (group / FOLDER / "dropped.json").exists():
        assert process.poll() is None
        assert time.monotonic() < deadline
        time.sleep(0.02)
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    found, lines = train_halved(llama, told, told[:3], RECIPE, 0, group)
    assert replace(found, seconds=0) == replace(trained, seconds=0)
    assert to_json(lines) == to_json(tried)
    assert adapter(group) == adapter(tmp_path / "whole")


def test_combinations_that_diverge_are_dropped_with_the_reason(
    llama: Base, prompts: list[Prompt], tmp_path: Path
) -> None:
    told = examples(prompts)
    wild = replace(RECIPE, max_grad_norm=1e30, warmup=0.0, sweep={"learning_rate": (1e-3, 2e-3, 1e30)})
    wild = replace(wild, halving=Halving(keep="1/2", rungs=2))
    _, tried = train_halved(llama, told, told[:3], wild, 0, tmp_path)
    gone = tried[-1]
    assert (gone.name, gone.place, gone.kept, gone.rung) == ("lr1e+30", None, False, 1)
    assert gone.diverged.startswith("training step ") and "nan" in gone.diverged
    assert not any(told_one.id in gone.diverged for told_one in told)
    assert kept(tried).name in ("lr0.001", "lr0.002")
    assert not hasattr(llama.model, "peft_config")


def test_a_group_of_which_every_combination_diverges_is_an_error_that_names_them(
    llama: Base, prompts: list[Prompt], tmp_path: Path
) -> None:
    told = examples(prompts)
    wild = replace(RECIPE, max_grad_norm=1e30, warmup=0.0, sweep={"learning_rate": (1e29, 1e30)})
    wild = replace(wild, halving=Halving(keep="1/2", rungs=2))
    for _ in range(2):  # a second try finds the same
        with pytest.raises(
            StepError, match=r"every combination diverged: lr1e\+29: training step .*; lr1e\+30: .*; lower"
        ):
            train_halved(llama, told, told[:3], wild, 0, tmp_path)
    assert not (tmp_path / "adapter").exists()


def judged(scores: Mapping[int, float], *, lower_is_better: bool = False) -> Judge:
    """Return a judge that gives each call its score, by the number of the call."""
    calls = iter(range(1, 1000))
    return Judge(score=lambda: scores.get(next(calls), 0.0), lower_is_better=lower_is_better)


@pytest.mark.parametrize(
    ("scores", "lower_is_better", "winner"),
    [
        ({1: 5.0, 2: 7.0}, False, "lr0.001"),  # the first combination is measured at calls 1 and 2
        ({3: 5.0}, False, "lr0.002"),
        ({3: -5.0}, True, "lr0.002"),
        ({1: float("nan"), 2: float("nan"), 3: -5.0, 4: -6.0}, False, "lr0.002"),
    ],
)
def test_a_score_compares_where_the_recipe_chooses_by_one(
    llama: Base,
    prompts: list[Prompt],
    tmp_path: Path,
    scores: Mapping[int, float],
    lower_is_better: bool,
    winner: str,
) -> None:
    told = examples(prompts)
    grid = replace(
        RECIPE,
        steps=2,
        validations=2,
        sweep={"learning_rate": (1e-3, 2e-3)},
        halving=Halving(keep="1/2", rungs=1),
        choose_by="x",
    )
    judge = judged(scores, lower_is_better=lower_is_better)
    _, tried = train_halved(llama, told, told[:3], grid, 0, tmp_path, judge=judge)
    assert kept(tried).name == winner
    assert kept(tried).validation_score in scores.values()


def test_of_equal_combinations_the_first_by_name_stays(
    llama: Base, prompts: list[Prompt], tmp_path: Path
) -> None:
    """Weight decay of factors that a rate of almost zero leaves where they are moves no loss."""
    told = examples(prompts)
    grid = replace(
        RECIPE,
        steps=2,
        validations=1,
        learning_rate=1e-30,
        sweep={"weight_decay": (0.0, 0.1)},
        halving=Halving(keep="1/2", rungs=1),
    )
    _, tried = train_halved(llama, told, told[:3], grid, 0, tmp_path)
    assert tried[0].validation_loss == tried[1].validation_loss
    assert kept(tried).name == "wd0"


def test_validation_samples_that_do_not_fit_compare_nothing(
    llama: Base, prompts: list[Prompt], tmp_path: Path
) -> None:
    told = examples(prompts)
    long = [replace(told[0], answer="Anna and Ben. " * 200)]
    with pytest.raises(StepError, match="none of 1 validation samples fits max_tokens: 1024; raise it"):
        train_halved(llama, told, long, RECIPE, 0, tmp_path)
