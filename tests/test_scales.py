"""Adapters at several scales of their updates: 0 is the base, 1 the adapter, and what a suite may name."""

import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import harness
from harness import results
from harness.errors import HarnessError, SuiteError
from harness.plan.pins import pins
from harness.plan.plan import plan
from harness.report.scaling import sentence
from harness.run.steps import ModelInMemory, StepContext, scale
from harness.suite.load import load_suite
from harness.types import Runtime, Scale, Scaling

RECIPE = {
    "name": "quick", "rank": 4, "alpha": 8, "targets": ["all-linear"], "steps": 20, "batch_size": 8, "learning_rate": 5e-3,
    "max_tokens": 192, "validation_samples": 0,
}  # fmt: skip
ASKED = 12


def suite(**changes: Any) -> dict[str, Any]:
    asked = {
        "name": "scaled",
        "tasks": ["dialogues"],
        "models": [{"name": "m", "uri": "zoo:llama2-tiny"}],
        "recipes": [RECIPE],
        "train_on": ["dialogues"],
        "forgetting": "domain-text",
        "scales": [0.5, 1.25],
        "weights": False,
        **changes,
    }
    return {key: value for key, value in asked.items() if value is not None}


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    here = tmp_path_factory.mktemp("scales")
    harness.run(suite(), store=here / "store", out=here / "out", limit=ASKED, workers=0, offline=True)
    return here


@pytest.fixture(scope="module")
def step(place: Path) -> Path:
    (file,) = (place / "store" / "done").glob("*/scaled.json")
    return file.parent


@pytest.mark.slow
def test_the_scales_are_the_base_the_adapter_and_those_named(place: Path) -> None:
    (one,) = results.read(place / "out").scalings
    assert (one.model, one.adapter, one.task, one.text) == ("m", "quick", "dialogues", "domain-text")
    assert [point.scale for point in one.points] == [0, 0.5, 1, 1.25]
    assert {point.n for point in one.points} == {ASKED}
    assert one.points[0].lost == 0 and all(point.lost for point in one.points[1:])
    assert one.points[0].value < max(point.value for point in one.points)
    assert one.best == max(one.points, key=lambda point: point.value).scale


@pytest.mark.slow
def test_rows_at_0_are_the_bases_and_at_1_the_adapters(place: Path, step: Path) -> None:
    """As a suite finds them whose test samples are these validation samples, and which trains the same adapter."""
    task = load_suite(suite()).tasks[0]
    source = {
        "uri": task.source.uri,
        "columns": dict(task.source.columns),
        "splits": {"train": "train.jsonl", "test": "validation.jsonl"},
    }
    decode = {"max_new_tokens": task.decode.max_new_tokens, "stop": list(task.decode.stop)}
    asked = {
        "name": "dialogues", "source": source, "prompt": task.prompt, "decode": decode, "metrics": ["rouge"],
        "primary": "rougeL",
    }  # fmt: skip
    other = suite(tasks=[asked], scales=None, forgetting=None)
    harness.run(other, store=place / "other", out=place / "checked", limit=ASKED, workers=0, offline=True)
    adapters = [
        path.read_bytes()
        for name in ("store", "other")
        for path in (place / name).glob("done/*/adapter/*.safetensors")
    ]
    assert len(adapters) == 2 and adapters[0] == adapters[1]
    found = harness.load(place / "checked").rows
    for times, adapter in (("0", ""), ("1", "quick")):
        rows = np.load(step / "rows" / f"0-{times}.npy")
        wanted = found[
            (found.metric == "rouge") & (found.adapter.fillna("") == adapter) & (found.model == "m")
        ]
        assert np.array_equal(rows, np.stack([np.asarray(one) for one in wanted.stats])), times


@pytest.mark.slow
def test_pages_show_the_best_scale(place: Path) -> None:
    for name in ("report.html", "report.md"):
        page = (place / "out" / name).read_text(encoding="utf-8")
        assert "A smaller or a larger update" in page and f"{ASKED} validation samples" in page
    assert (place / "out" / "charts" / "scales.svg").is_file()


@pytest.mark.slow
def test_a_step_that_was_stopped_goes_on_and_ends_the_same(place: Path, step: Path, tmp_path: Path) -> None:
    read = load_suite(suite())
    planned = plan(read, pins(read, offline=True, cache=tmp_path / "digests.json"), limit=ASKED)
    one = next(each for each in planned.steps if each.kind == "scale")
    assert one.id == step.name and isinstance(one.spec, scale.ScaleUpdate)
    rows = tmp_path / "work" / "rows"
    rows.mkdir(parents=True)
    for path in sorted((step / "rows").glob("*.npy"))[:5]:
        shutil.copyfile(path, rows / path.name)
    known = {path.name: path.stat().st_ino for path in rows.iterdir()}
    runtime = Runtime(offline=True)
    needs = tuple((need, place / "store" / "done" / need) for need in one.needs)
    loaded = ModelInMemory(runtime=runtime)
    scale.run(one.spec, StepContext(folder=rows.parent, needs=needs, runtime=runtime, loaded=loaded))
    loaded.close()
    assert (rows.parent / "scaled.json").read_bytes() == (step / "scaled.json").read_bytes()
    assert all((rows / name).stat().st_ino == inode for name, inode in known.items())  # not asked again
    assert sorted(path.name for path in rows.parent.iterdir()) == ["rows", "scaled.json"]


def made(values: list[float], best: float, change: float, p: float) -> Scaling:
    points = tuple(
        Scale(
            scale=scale,
            value=value,
            low=value - 1,
            high=value + 1,
            lost=0.1 * scale,
            lost_low=0,
            lost_high=1,
            n=40,
        )
        for scale, value in zip((0.0, 0.5, 1.0), values, strict=True)
    )
    return Scaling(
        model="m", adapter="a", task="t", score="rougeL", better="higher", text="d", points=points, best=best, change=change,
        change_low=change - 1, change_high=change + 1, p=p,
    )  # fmt: skip


def test_the_sentence_says_whether_a_smaller_update_is_better() -> None:
    better = sentence(made([10, 30, 20], 0.5, 10, 0.012))
    assert (
        "best at 0.5 times the update: +10.0" in better
        and "p\N{NO-BREAK SPACE}=\N{NO-BREAK SPACE}0.012" in better
    )
    assert better.endswith("lost on d: +0.05 there, +0.10 by the adapter itself.")
    assert "not significant, p" in sentence(made([10, 21, 20], 0.5, 1, 0.4))
    assert "no scale has a better ROUGE-L than the adapter itself" in sentence(made([10, 15, 20], 1.0, 0, 1))


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"scales": [-0.5]}, "found -0.5; give a number from 0, the base, to 2"),
        ({"scales": [3]}, "found 3; give a number from 0"),
        ({"scales": [0.5, 0.5]}, r"scales.*0\.5"),
        (
            {"recipes": [{**RECIPE, "peft": {"use_dora": True}}]},
            "trains DoRA, whose update is not proportional",
        ),
        ({"recipes": [{"name": "i", "steps": 2, "peft": {"type": "IA3"}}]}, "trains IA3"),
        ({"recipes": [], "train_on": []}, "the suite trains no adapter"),
    ],
)
def test_what_cannot_be_scaled_is_refused(changes: dict[str, Any], said: str) -> None:
    with pytest.raises(SuiteError, match=said):
        load_suite(suite(**changes))


def test_a_head_is_refused_by_name() -> None:
    models = [{"name": "bert", "uri": "zoo:bert-tiny"}]
    asked = suite(models=models, tasks=["sentiment"], train_on=["sentiment"], forgetting=None)
    with pytest.raises(HarnessError, match=r"bert \+ quick has a head beside its update"):
        harness.plan(asked, offline=True)
