"""The score table: which columns it has, and in which order its systems stand."""

import re
from dataclasses import replace
from functools import partial
from pathlib import Path

from harness.report import render
from harness.report.page import build
from harness.results import Result, StepFacts, read
from harness.testing import make_result
from harness.types import Cost, Sample, System

BASE, SHOTS, ADAPTER = (
    System(model="m"),
    System(model="m", shots=4),
    System(model="m", adapter="quickstart-short"),
)
SAMPLES = [Sample(id=f"s{n}", input="a b", references=("a b",)) for n in range(4)]


def made(folder: Path, *costs: Cost) -> Path:
    def with_costs(result: Result) -> Result:
        return replace(result, costs=costs)

    answers = {SHOTS: ["a"] * 4, ADAPTER: ["a b"] * 4, BASE: ["c"] * 4}
    return make_result(folder / "result", SAMPLES, answers, edit=with_costs)


def test_an_adapter_stands_below_the_base_that_it_is_compared_with(tmp_path: Path) -> None:
    (task,) = build(read(made(tmp_path))).tasks
    assert [line.system for line in task.lines] == [BASE, ADAPTER, SHOTS]


def test_a_column_without_any_value_is_left_out(tmp_path: Path) -> None:
    memory = Cost(
        step="s",
        system=BASE,
        task="t",
        quantity="peak memory",
        unit="MB",
        value=12.0,
        hardware="cpu",
        workers=1,
    )
    folder = made(tmp_path, memory)
    render(folder)
    page = (folder / "report.html").read_text()
    table = re.search(r'<table class="scores.*?</table>', page, re.DOTALL)
    assert table
    assert "Peak" in table[0] and "12 MB" in table[0]
    assert not any(heading in table[0] for heading in ("Speed", "Training", "Adapter", "Trained", "Against"))
    widths = {row.count("<td") for row in re.findall(r"<tr class.*?</tr>", table[0], re.DOTALL)}
    assert widths == {table[0].count('<th scope="col"') - 1}


def test_the_report_names_the_folder_of_each_trained_adapter(tmp_path: Path) -> None:
    steps = (
        StepFacts(id="aa", kind="train", state="kept", system=ADAPTER),
        StepFacts(id="bb", kind="train", state="failed", system=ADAPTER),
        StepFacts(id="cc", kind="generate", state="done", system=ADAPTER),
    )
    edit = partial(replace, steps=steps)
    folder = make_result(tmp_path / "result", SAMPLES, {ADAPTER: ["a b"] * 4}, edit=edit)
    render(folder)
    page = (folder / "report.html").read_text()
    assert "done/aa/adapter" in page and "done/bb/adapter" not in page and "done/cc/adapter" not in page
