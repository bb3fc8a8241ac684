"""From a RESULT's scores and weights to what they say of each other, and how it is put."""

import csv
import json
import re
from functools import partial
from pathlib import Path
from typing import Any

import altair as alt
import jsonschema
import numpy as np
import pytest
from markdown_it import MarkdownIt

from harness.commands.correlate import VALIDATION, predictions, show
from harness.errors import ResultError
from harness.report import charts
from harness.report.charts import scatter
from harness.report.correlation import Prediction, sentences
from harness.results import read

BASES, ADAPTERS = ("small", "large"), 8


def result(folder: Path, *, tell: bool = True, adapters: int = ADAPTERS, better: str = "higher") -> Path:
    """Two bases; where weights tell, larger updates score higher, and alpha is chance in any case.

    The larger base has larger updates and worse scores, so that nothing is left of it when all are pooled.
    """
    random = np.random.default_rng(0)
    scores, weights, curves = [], [], []
    names = [f"r-s{n}" for n in range(adapters)]

    def score(model: str, adapter: str | None, value: float) -> dict[str, Any]:
        return {
            "task": "chats", "model": model, "adapter": adapter, "shots": 0, "metric": "rougeL", "primary": True,
            "signature": "s", "unit": "%", "better": better, "value": value, "low": None, "high": None, "n": 9,
        }  # fmt: skip

    def row(model: str, adapter: str | None, part: str, **numbers: float) -> dict[str, Any]:
        return {
            "model": model, "adapter": adapter, "part": part, "layer": "one", "role": "q", "status": "analysed",
            "rows": 64, "cols": 64, "eigenvalues": 64, **numbers,
        }  # fmt: skip

    for place, model in enumerate(BASES):
        scores.append(score(model, None, 30.0 - 25 * place))
        weights.append(row(model, None, "W", alpha=4.0))
        for n, name in enumerate(names):
            gain = n if tell else random.standard_normal()
            scores.append(score(model, name, 31.0 - 25 * place + gain))
            weights.append(row(model, name, "delta", delta_ratio=0.1 * n + place))
            weights.append(row(model, name, "merged", alpha=4.0 + random.standard_normal()))
            point = {"step": 1, "loss": 1.0, "validation_loss": 5.0 - n}
            curves.append({"model": model, "adapter": name, "points": [point]})
    document = {
        "schema": 1,
        "suite": {
            "name": "swept <b>",
            "about": "Do they?",
            "tasks": [{"name": "chats", "primary": "rougeL", "metrics": ["rouge"]}],
            "models": [{"name": name, "uri": f"zoo:{name}"} for name in BASES],
            "adapters": [
                {"name": name, "model": model, "recipe": name, "trained_on": "chats", "seed": 0}
                for model in BASES
                for name in names
            ],
            "recipes": [{"name": name, "rank": 4, "steps": n} for n, name in enumerate(names)],
        },
        "scores": scores,
        "comparisons": [],
        "weights": weights,
        "curves": curves,
        "manifest": {"command": "harness run swept", "created": "2026-11-25T00:00:00Z"},
    }
    folder.mkdir()
    (folder / "result.json").write_text(json.dumps(document))
    return folder


def found(folder: Path) -> Prediction:
    (one,) = predictions(read(folder))
    return one


def test_what_goes_with_quality_is_found_within_bases(tmp_path: Path) -> None:
    one = found(result(tmp_path / "r"))
    best = one.family[0]
    assert (best.name, best.tau, best.shown, best.n) == ("delta_ratio of ΔW", 1.0, True, 2 * ADAPTERS)
    assert best.unstratified_score < 0.5
    assert one.bases == BASES
    assert [each.gain for each in one.candidates[:2]] == [1.0, 2.0]


def test_what_is_known_without_weights_stands_beside_and_outside_the_family(tmp_path: Path) -> None:
    one = found(result(tmp_path / "r"))
    known = {each.name: each for each in one.yardsticks}
    assert set(known) == {VALIDATION, "steps of the recipe"}  # rank is the same for all
    assert known[VALIDATION].tau == -1.0
    assert all(each.p_holm is None for each in one.yardsticks)
    assert not {each.name for each in one.family} & set(known)


def test_where_lower_is_better_quality_is_turned(tmp_path: Path) -> None:
    assert found(result(tmp_path / "r", better="lower")).family[0].tau == -1.0


def test_a_finding_is_told_with_its_interval(tmp_path: Path) -> None:
    first, second, third, fourth = sentences(found(result(tmp_path / "r")))
    assert "numbers from weights alone correlates with ROUGE-L on chats" in first
    assert "delta_ratio of ΔW (τ" in first and "+1.00 [+1.00," in first
    assert "the larger delta_ratio of ΔW has the better score in about 100 %" in second
    assert third.startswith(
        "For the other 3 numbers no correlation is shown. That does not prove that there is none: "
    )
    assert second.endswith("By base, its τ runs from +1.00 on small to +1.00 on large.")
    assert f"goes no further than {VALIDATION} and steps of the recipe; " in fourth


def test_no_finding_is_told_as_none(tmp_path: Path) -> None:
    one = found(result(tmp_path / "r", tell=False))
    said = " ".join(sentences(one))
    assert said.startswith(
        f"None of {len(one.family)} numbers from weights alone is shown to correlate with ROUGE-L"
    )
    assert "This does not prove that there is none: with 16 adapters on 2 bases" in said
    assert "has the better score" not in said


def test_a_result_with_too_few_adapters_says_what_would_do(tmp_path: Path) -> None:
    with pytest.raises(ResultError, match=r"needs a base with 8 adapters .*; give a recipe a sweep"):
        predictions(read(result(tmp_path / "r", adapters=7)))


def test_a_result_without_weights_says_what_would_do(tmp_path: Path) -> None:
    folder = result(tmp_path / "r")
    document = json.loads((folder / "result.json").read_text())
    document["weights"] = [row for row in document["weights"] if row["adapter"] is None]
    (folder / "result.json").write_text(json.dumps(document))
    with pytest.raises(ResultError, match=r"no weights of adapters; .*weights: true"):
        predictions(read(folder))


def test_adapters_of_other_tasks_are_a_stratum_of_their_own(tmp_path: Path) -> None:
    folder = result(tmp_path / "r", adapters=16)
    document = json.loads((folder / "result.json").read_text())
    for n, adapter in enumerate(document["suite"]["adapters"]):
        adapter["trained_on"] = ("chats", "stories")[n % 2]
    (folder / "result.json").write_text(json.dumps(document))
    assert set(found(folder).bases) == {f"{base}, {task}" for base in BASES for task in ("chats", "stories")}


@pytest.mark.parametrize("width", [charts.WIDE, charts.NARROW])
def test_the_scatter_plot_is_valid_vega_lite(tmp_path: Path, width: int) -> None:
    one = found(result(tmp_path / "r"))
    spec = charts.specification(partial(scatter.chart, one.family, one.candidates, one.metric), width)
    spec["config"].pop("background")
    jsonschema.Draft7Validator(alt.Root._schema).validate(spec)
    assert len(spec["concat"]) == len(one.family)


@pytest.mark.slow
def test_pages_are_whole_and_in_the_readers_colours(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = result(tmp_path / "r")
    page, text = tmp_path / "page.html", tmp_path / "text" / "README.md"
    show(folder, "harness weigh r --against-scores", html=page, markdown=text)
    told = capsys.readouterr().out
    assert "delta_ratio of ΔW" in told and "p_holm" in told and "pooled over bases" in told

    whole = page.read_text()
    assert "swept &lt;b&gt;" in whole and "<b>" not in whole.partition("<body>")[2].partition("</h1>")[0]
    assert "var(--c1)" in whole and not re.search(r"#0\w0d0\w", whole)
    assert "://" not in whole.replace("http://www.w3.org/2000/svg", "")
    assert "harness run swept\nharness weigh r --against-scores" in whole

    written = text.read_text()
    html = MarkdownIt("commonmark").enable("table").render(written)
    assert html.count("<table>") == 1
    assert html.count("<tr>") == 1 + sum(map(len, (found(folder).family, found(folder).yardsticks)))
    for picture in re.findall(r'(?:src|srcset)="([^"]+)"', written):
        drawing = (text.parent / picture).read_text()
        assert drawing.startswith("<svg") and not re.search(r"#0\w0d0\w", drawing)
    with (text.parent / "adapters.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == 2 * ADAPTERS
    assert rows[1]["delta_ratio of ΔW"] == "0.1"


def test_names_are_no_formulas_in_the_table_of_adapters(tmp_path: Path) -> None:
    folder = result(tmp_path / "r")
    text = (folder / "result.json").read_text()
    (folder / "result.json").write_text(text.replace('"r-s0"', '"=1+1"'))
    show(folder, "harness weigh r --against-scores", markdown=tmp_path / "page.md")
    with (tmp_path / "adapters.csv").open() as file:
        names = {row["adapter"] for row in csv.DictReader(file)}
    assert "'=1+1" in names and "=1+1" not in names


@pytest.mark.slow
def test_a_table_of_the_users_own_beside_the_page_is_kept(tmp_path: Path) -> None:
    folder = result(tmp_path / "r")
    (tmp_path / "adapters.csv").write_text("my table")
    (tmp_path / "charts").write_text("my charts")
    for _ in range(2):
        show(folder, "harness weigh r --against-scores", markdown=tmp_path / "page.md")
    assert (tmp_path / "adapters.kept.csv").read_text() == "my table"
    assert (tmp_path / "charts.kept").read_text() == "my charts"
    assert (tmp_path / "adapters.csv").read_text().startswith("task,base,adapter")
    assert not (tmp_path / "adapters.kept-2.csv").exists()
