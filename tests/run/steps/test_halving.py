"""A suite that halves a grid: one system, its record of all combinations, and no test sample read for it."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

import harness
from harness import results
from harness.report import card
from harness.results import Result
from harness.types import System

GRID = {
    "name": "grid", "alpha": 8, "targets": ["q", "v"], "steps": 4, "validations": 2, "batch_size": 4, "max_tokens": 128,
    "validation_samples": 4, "sweep": {"rank": [2, 4], "learning_rate": [1e-3, 1e-2]}, "halving": {"rungs": 2},
}  # fmt: skip


def rows(folder: Path, test: str) -> None:
    """Write a task of short rows, whose test samples alone depend on `test`."""
    for split, count in (("train", 12), ("validation", 5), ("test", 4)):
        lines = [
            {
                "id": f"{split}{n}",
                "input": f"{test if split == 'test' else ''} row {n}",
                "reference": f"answer {n % 3}",
            }
            for n in range(count)
        ]
        (folder / f"{split}.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))


def suite(folder: Path, **changes: Any) -> dict[str, object]:
    source = {
        "uri": f"file:{folder}",
        "splits": {part: f"{part}.jsonl" for part in ("train", "validation", "test")},
    }
    task = {"name": "rows", "source": source, "prompt": "$input", "metrics": ["rouge"], "primary": "rougeL"}
    return {
        "name": "halved",
        "tasks": [task],
        "models": [{"name": "m", "uri": "zoo:llama2-tiny"}],
        "recipes": [{**GRID, **changes}],
        "train_on": ["rows"],
        "weights": False,
    }


def ran(given: Mapping[str, object], folder: Path, name: str) -> tuple[Result, Path]:
    """Run a suite; return its RESULT and the folder of the step that trained."""
    harness.run(
        given, store=folder / name, out=folder / f"{name}-out", workers=0, offline=True, progress=False
    )
    (trained,) = (path.parent for path in (folder / name / "done").glob("*/trained.json"))
    return results.read(folder / f"{name}-out"), trained


@pytest.mark.nightly
def test_no_test_sample_moves_the_adapter_and_no_order_of_the_grid(tmp_path: Path) -> None:
    folder = tmp_path / "data"
    folder.mkdir()
    rows(folder, "one")
    _, first = ran(suite(folder), tmp_path, "first")
    rows(folder, "other")
    turned = {"learning_rate": [1e-2, 1e-3], "rank": [4, 2]}
    _, second = ran(suite(folder, sweep=turned), tmp_path, "second")
    for name in ("combinations.json", "adapter/adapter_model.safetensors"):
        assert (first / name).read_bytes() == (second / name).read_bytes()
    assert not (first / "combinations").exists()


@pytest.mark.slow
def test_the_result_names_every_combination_and_the_report_says_who_was_dropped(tmp_path: Path) -> None:
    folder = tmp_path / "data"
    folder.mkdir()
    rows(folder, "one")
    found, step = ran(suite(folder), tmp_path, "store")
    (halved,) = found.halvings
    assert [one.name for one in halved.combinations] == ["r2-lr0.001", "r2-lr0.01", "r4-lr0.001", "r4-lr0.01"]
    winner = halved.winner
    assert winner is not None and (winner.place, winner.rung, winner.steps) == (1, 2, 4)
    assert sorted((one.rung, one.place, one.compared) for one in halved.combinations) == [
        (1, 3, 4),
        (1, 4, 4),
        (2, 1, 2),
        (2, 2, 2),
    ]
    rank = json.loads((step / "adapter/adapter_config.json").read_text())["r"]
    assert rank == winner.settings["rank"]
    assert {score.system.adapter for score in found.scores} <= {None, "grid"}
    (recipe,) = found.suite.recipes
    assert "rank" not in recipe and recipe["halving"] == {"keep": "1/2", "rungs": 2}
    settings = f"rank {winner.settings['rank']:g}, learning rate {winner.settings['learning_rate']:g}"
    said = f"4 combinations tried, 3 dropped on validation alone; kept: {settings}"
    for page in ("report.md", "report.html"):
        text = (found.folder / page).read_text()
        assert said in text
        assert text.count("dropped: place ") == 3
        assert "which validation alone chose from 4 combinations" in " ".join(text.split())
    written = card.render(card.build(found, System(model="m", adapter="grid")))
    assert f"| Rank | {rank} |" in written and said in written
