"""Made-up rows through the step, against each pair taken for itself."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from harness import stats
from harness.files.json_lines import read_json, write_json
from harness.metrics import Metric, load
from harness.run.steps import ModelInMemory, StepContext
from harness.run.steps import compare as step
from harness.scoring import comparisons as pairs
from harness.scoring.questions import Cell, questions
from harness.types import Runtime, System

METRICS = ("rouge", "exact")
Rows = NDArray[np.float64]


def cell(task: str, system: System) -> Cell:
    return Cell(task=task, system=system, metrics=METRICS, primary="rougeL")


def context(folder: Path, cells: list[Cell], n: int = 12, clusters: list[int] | None = None) -> StepContext:
    """Scores of every cell, written as the score step writes them."""
    for position, _ in enumerate(cells):
        rng = np.random.default_rng(position)
        scored = folder / f"cell{position}"
        scored.mkdir(parents=True)
        rouge = np.column_stack([rng.random((n, 4)) + 0.1 * position, np.ones(n)])
        exact = np.column_stack([rng.random(n) < 0.4 + 0.05 * position, np.ones(n)]).astype(float)
        np.savez(scored / "rows.npz", rouge=rouge, exact=exact)
        write_json(scored / "clusters.json", clusters)
    (folder / "compare").mkdir()
    runtime = Runtime()
    return StepContext(
        folder=folder / "compare",
        needs=tuple((f"id{position}", folder / f"cell{position}") for position in range(len(cells))),
        runtime=runtime,
        loaded=ModelInMemory(runtime=runtime),
    )


def run(cells: list[Cell], context: StepContext, seed: int = 3) -> list[dict]:
    step.run(step.Compare(cells=tuple(cells), seed=seed), context)
    return read_json(context.folder / "comparisons.json")


def one_by_one(cells: list[Cell], context: StepContext, seed: int = 3) -> list[dict]:
    """What the step is to find: every pair of every question compared for itself, then Holm."""
    found: list[dict[str, Any]] = []
    for question in questions(tuple(cells)):
        family: list[dict[str, Any]] = []
        for a, b in question.pairs:
            if not all(context.need(position).is_dir() for position in (a, b)):
                continue
            for name in METRICS:
                metric = load(name)
                rows_a, rows_b = (np.load(context.need(position) / "rows.npz")[name] for position in (a, b))
                assert metric.value is not None
                paired = stats.paired(
                    rows_a,
                    rows_b,
                    metric.value,
                    seed=seed,
                    clusters=read_json(context.need(a) / "clusters.json"),
                    interval=metric.interval,
                )
                more = stats.resamples_for(len(question.pairs))
                for i, score in enumerate(metric.names):
                    if score == "rougeL" and paired.p[i] < pairs.SMALL:
                        paired.p[i], test = again(
                            (rows_a, rows_b),
                            metric,
                            more,
                            seed,
                            read_json(context.need(a) / "clusters.json"),
                            i,
                        )
                    else:
                        test = paired.test
                    numbers = ("difference", "low", "high", "p", "detectable")
                    family.append(
                        {
                            "task": cells[a].task,
                            "metric": score,
                            "baseline": str(cells[a].system),
                            "candidate": str(cells[b].system),
                            "test": test,
                            "n": len(rows_a),
                            "family": question.family if score == "rougeL" else None,
                            "p_holm": None,
                        }
                        | {number: float(getattr(paired, number)[i]) for number in numbers}
                        | {count: int(getattr(paired, count)[i]) for count in ("better", "worse")}
                    )
        primary = [one for one in family if one["family"]]
        for one, p in zip(primary, stats.holm([one["p"] for one in primary]), strict=True):
            one["p_holm"] = p
        found += family
    return found


def again(
    rows: tuple[Rows, Rows], metric: Metric, resamples: int, seed: int, clusters: list[int] | None, name: int
) -> tuple[float, str]:
    """Return p and test of one pair, from as many resamples as its family needs."""
    assert metric.value is not None
    paired = stats.paired(rows[0], rows[1], metric.value, resamples=resamples, seed=seed, clusters=clusters)
    return paired.p[name], paired.test


def assert_equal(found: list[dict], expected: list[dict]) -> None:
    assert len(found) == len(expected) > 0
    for one, other in zip(found, expected, strict=True):
        numbers = {key for key, value in other.items() if isinstance(value, float)}
        assert {key: value for key, value in plain(one).items() if key not in numbers} == {
            key: value for key, value in other.items() if key not in numbers
        }
        for key in numbers:
            assert one[key] == pytest.approx(other[key], rel=0, abs=1e-12), key


def plain(comparison: dict) -> dict:
    return comparison | {side: str(System(**comparison[side])) for side in ("baseline", "candidate")}


BASES = [System(model=f"base{i}") for i in range(3)]
ADAPTED = [System(model=base.model, adapter=name) for base in BASES for name in ("first", "second")]
OTHERS = [System(model="trivial:lead-3"), System(model="base0", shots=4)]


@pytest.mark.slow
@pytest.mark.parametrize("clusters", [None, [0, 0, 1, 2, 3, 3, 3, 4, 5, 6, 6, 7]])
def test_all_questions_together_find_what_each_pair_finds_alone(tmp_path, clusters):
    cells = [cell(task, system) for task in ("chats", "news") for system in (*BASES, *OTHERS, *ADAPTED)]
    table = context(tmp_path, cells, clusters=clusters)
    found = run(cells, table)
    assert_equal(found, one_by_one(cells, table))
    tests = {one["test"] for one in found if one["metric"] == "exact"}
    drawn = "approximate randomisation, 10000 resamples, seed 3"
    assert tests == {"exact McNemar" if clusters is None else drawn}


def test_a_large_family_is_resampled_more_often_and_a_small_one_beside_it_is_not(tmp_path):
    systems = [System(model=f"base{i}") for i in range(8)]
    cells = [cell("chats", system) for system in (*systems, System(model="base0", adapter="first"))]
    table = context(tmp_path, cells)
    found = run(cells, table)
    assert_equal(found, one_by_one(cells, table))
    tests = {one["test"] for one in found if one["metric"] == "rougeL"}
    assert tests == {f"approximate randomisation, {times} resamples, seed 3" for times in (10_000, 11_200)}


def test_pairs_with_a_side_that_failed_are_left_out(tmp_path):
    cells = [cell("chats", system) for system in BASES]
    table = context(tmp_path, cells)
    failed = table.need(1)
    failed.rename(failed.with_name("gone"))
    found = run(cells, table)
    assert_equal(found, one_by_one(cells, table))
    assert {(plain(one)["baseline"], plain(one)["candidate"]) for one in found} == {("base0", "base2")}


@pytest.mark.parametrize(("n", "clusters"), [(1, None), (3, [0, 0, 0])])
def test_one_sample_or_one_cluster_tells_nothing_apart(tmp_path, n, clusters):
    cells = [cell("chats", system) for system in BASES]
    assert run(cells, context(tmp_path, cells, n=n, clusters=clusters)) == []


def test_progress_counts_every_question(tmp_path):
    seen = []
    cells = [cell(task, system) for task in ("chats", "news") for system in (*BASES, *ADAPTED)]
    table = context(tmp_path, cells)
    asked = len(questions(tuple(cells)))
    watched = StepContext(
        folder=table.folder,
        needs=table.needs,
        runtime=table.runtime,
        loaded=table.loaded,
        progress=lambda done, total, doing="": seen.append((done, total)),
    )
    run(cells, watched)
    assert seen == [(asked // 2, asked), (asked, asked)]
