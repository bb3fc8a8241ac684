"""Pages over many RESULTs: what a trend joins, where a gate's limit lies, and which scores are paired."""

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from harness.commands.site import SiteReader, key_of, result_folders
from harness.compare import side_by_side
from harness.report.charts import specification
from harness.report.charts import trend as chart
from harness.report.site.members import Member, headlines
from harness.report.site.pairs import paired
from harness.report.site.trends import SuiteTrends, Trend, suite_trends
from harness.results import read
from harness.results import verdicts as verdict_files
from harness.results.document import read_document, write_document
from harness.types import System, Verdict
from tests.report.conftest import write_result

Edit = Callable[[dict[str, Any]], object]
QUICK = System(model="falcon-tiny", adapter="quickstart")


def copied(example: Path, place: Path, day: int, edit: Edit = lambda document: None) -> Member:
    """A copy of the RESULT that says that it was made on a day of November."""
    shutil.copytree(example, place, ignore=shutil.ignore_patterns("*.html"))
    document = read_document(place)
    document["manifest"]["created"] = f"2026-11-{day:02}T03:00:00+00:00"
    edit(document)
    write_document(place, document)
    return Member(key=key_of(place.name), name=place.name, folder=place, result=read(place))


def trend_of(page: SuiteTrends, task: str, metric: str) -> Trend:
    return next(one for one in page.trends if (one.task, one.metric) == (task, metric))


def gates(*own: dict[str, Any]) -> Edit:
    return lambda document: document["suite"].update(gates=list(own))


def test_a_series_has_the_scores_of_every_result_in_the_order_of_their_dates(
    example: Path, tmp_path: Path
) -> None:
    members = [copied(example, tmp_path / name, day) for name, day in (("b", 21), ("c", 22), ("a", 20))]
    page = suite_trends("k", "quickstart", members)
    assert [member.name for member in page.members] == ["a", "b", "c"]
    assert page.whens == ("2026-11-20", "2026-11-21", "2026-11-22")
    trend = trend_of(page, "dialogues", "ROUGE-L")
    assert not trend.breaks
    for series in trend.series:
        assert [point.place for point in series.points] == [0, 1, 2]
        assert {point.part for point in series.points} == {0}
        for point in series.points:
            assert point.score in point.member.result.scores


def test_two_results_of_one_day_are_told_apart_by_their_time(example: Path, tmp_path: Path) -> None:
    members = [copied(example, tmp_path / name, 20) for name in "ab"]
    assert suite_trends("k", "s", members).whens == ("2026-11-20 03:00", "2026-11-20 03:00")


def test_a_result_without_a_date_is_left_out_and_named(example: Path, tmp_path: Path) -> None:
    def undated(document: dict[str, Any]) -> None:
        document["manifest"]["created"] = "yesterday"

    members = [copied(example, tmp_path / "a", 20), copied(example, tmp_path / "b", 21, undated)]
    page = suite_trends("k", "s", members)
    assert [member.name for member in page.undated] == ["b"]
    assert [member.name for member in page.members] == ["a"]


@pytest.mark.parametrize(
    ("edit", "why"),
    [
        (lambda score: score.update(signature="another"), "the signature"),
        (None, "the samples"),
    ],
)
def test_no_line_joins_scores_that_do_not_mean_the_same(
    example: Path, tmp_path: Path, edit: Any, why: str
) -> None:
    def change(document: dict[str, Any]) -> None:
        if edit is None:
            document["manifest"]["sources"]["dialogues"] = "other data"
        else:
            for score in document["scores"]:
                edit(score)

    members = [copied(example, tmp_path / "a", 20), copied(example, tmp_path / "b", 21, change)]
    trend = trend_of(suite_trends("k", "s", members), "dialogues", "ROUGE-L")
    assert {tuple(point.part for point in series.points) for series in trend.series} == {(0, 1)}
    assert trend.breaks == (
        f"At 2026-11-21 {why} changed: scores before and after it are not comparable, and no line joins them.",
    )


def test_limits_lie_where_the_gates_put_them(example: Path, tmp_path: Path) -> None:
    member = copied(
        example,
        tmp_path / "a",
        20,
        gates(
            {"task": "dialogues", "adapter": "quickstart", "min_value": 20},
            {"task": "instr*", "adapter": "quickstart", "max_drop": 5, "against": "base"},
            {"task": "*", "adapter": "base", "min_value": 1, "where": {"topic": "x"}},
        ),
    )
    page = suite_trends("k", "s", [member])
    for trend in page.trends:
        for point in trend.points:
            base = [
                s.value
                for s in member.result.scores
                if (s.task, s.metric, s.system) == (trend.task, point.score.metric, point.score.system.base)
            ]
            wanted = None
            if point.score.system.adapter and trend.primary:
                wanted = 20.0 if trend.task == "dialogues" else base[0] - 5
            assert (point.limit.value if point.limit else None) == wanted


def test_the_limit_against_a_baseline_follows_from_the_verdict(example: Path, tmp_path: Path) -> None:
    """A verdict's value is score minus baseline: the limit is the baseline's score minus the drop."""
    rule = {"task": "dialogues", "adapter": "quickstart", "max_drop": 2, "against": "old.json"}
    member = copied(example, tmp_path / "a", 20, gates(rule))
    verdict_files.write(
        member.folder,
        [
            Verdict(
                gate="max_drop 2.0", rule="max_drop", verdict="fail", because="it fell", subject=str(QUICK),
                task="dialogues", system=QUICK, metric="rougeL", against="old.json", value=-3.0,
            )
        ],
    )  # fmt: skip
    trend = trend_of(suite_trends("k", "s", [member]), "dialogues", "ROUGE-L")
    points = {series.system: series.points[0] for series in trend.series}
    assert points[QUICK].verdict == "fail"
    assert points[QUICK].limit is not None
    assert points[QUICK].limit.value == pytest.approx(points[QUICK].score.value + 3.0 - 2.0)
    assert points[QUICK].limit.says == "max_drop 2 against old.json"
    others = [point for system, point in points.items() if system != QUICK]
    assert all(point.limit is None for point in others)  # never judged: where the baseline lies is not known


@pytest.mark.parametrize("width", [860, 340])
def test_the_chart_fits_its_width_and_labels_do_not_touch(example: Path, tmp_path: Path, width: int) -> None:
    members = [copied(example, tmp_path / str(day), day) for day in range(1, 10)]
    page = suite_trends("k", "s", members)
    trend = trend_of(page, "dialogues", "ROUGE-L")
    spec = specification(lambda data, pixels: chart.chart(trend, page.whens, data, pixels), width)
    panels = spec["concat"]
    assert len(panels) == 4
    for panel in panels:
        assert spec["columns"] * (panel["width"] + chart.AXIS) <= width
        axis = panel["layer"][0]["encoding"]["x"]["axis"]
        assert axis["values"][-1] == 8
        assert len(axis["values"]) * 60 <= panel["width"]  # a date takes some 60 pixels


def test_every_score_of_both_is_shown_and_what_compare_pairs_is_paired(example: Path, tmp_path: Path) -> None:
    def fewer(document: dict[str, Any]) -> None:
        document["scores"] = [
            s for s in document["scores"] if s["adapter"] is None or s["model"] != "flan-t5-tiny"
        ]
        for score in document["scores"]:
            if score["metric"] == "bleu":
                score["signature"] = "another"

    a, b = copied(example, tmp_path / "a", 20), copied(example, tmp_path / "b", 21, fewer)
    found = side_by_side(str(a.folder), str(b.folder), metric="*")
    page = paired(a, b, found)
    shown = [(line.a, line.b) for table in page.tables for line in table.lines]
    assert {id(score) for pair in shown for score in pair if score} == {
        id(score) for side in (a, b) for score in side.result.scores
    }
    tested = {
        (line.metric, line.candidate, line.n): line
        for task in found.tasks
        for line in task.lines
        if line.comparison
    }
    lines = [line for table in page.tables for line in table.lines]
    assert len([line for line in lines if line.pair]) == len(
        [line for task in found.tasks for line in task.lines if line.comparison]
    )
    assert all(line.pair in tested.values() for line in lines if line.pair)
    for line in lines:
        assert bool(line.pair) != bool(line.why)
        if line.a is None or line.b is None:
            assert line.why == f"not paired: only {'B' if line.a is None else 'A'} has this score"
        elif line.a.metric == "bleu":
            assert line.why == "not paired: the signatures differ"


def test_where_nothing_can_be_compared_both_scores_stand_beside_the_reason(
    example: Path, tmp_path: Path
) -> None:
    a, b = copied(example, tmp_path / "a", 20), copied(example, tmp_path / "b", 21)
    page = paired(a, b, None, "no rows")
    lines = [line for table in page.tables for line in table.lines]
    assert page.problem == "no rows" and lines
    assert all(line.a and line.b and line.why == "not paired: see above" for line in lines)


def test_the_headline_is_the_best_of_bases_and_adapters_by_the_primary_metric(example: Path) -> None:
    result = read(example)
    for head in headlines(result):
        own = [
            score.value
            for score in result.scores
            if score.task == head.task and score.primary and not score.system.is_trivial
        ]
        assert head.score.value == max(own)
        rules = [s.value for s in result.scores if s.task == head.task and s.primary and s.system.is_trivial]
        assert bool(head.ahead) == (max(rules) > max(own))


def test_results_are_found_below_but_neither_in_hidden_folders_nor_in_stores(tmp_path: Path) -> None:
    for name in ("a", "deep/er/b", ".hidden/c", "store/done/d", "a/inside/e"):
        (tmp_path / name).mkdir(parents=True)
        (tmp_path / name / "result.json").write_text("{}")
    (tmp_path / "store" / "harness-store.json").write_text("{}")
    (tmp_path / "link").symlink_to(tmp_path / ".hidden")
    assert result_folders(tmp_path) == [tmp_path / "a", tmp_path / "deep" / "er" / "b"]


def test_names_that_look_alike_have_addresses_of_their_own(tmp_path: Path) -> None:
    names = ["a/b", "a-b", "a b", "a.b", "../a/b", "é", "ü", "x" * 300, "x" * 301]
    keys = {key_of(name) for name in names}
    assert len(keys) == len(names)
    assert all(key.isascii() and key.replace("-", "").isalnum() and len(key) < 64 for key in keys)


def test_a_result_is_read_again_only_if_it_has_changed(tmp_path: Path) -> None:
    write_result(tmp_path / "one", samples=4)
    (tmp_path / "broken").mkdir()
    (tmp_path / "broken" / "result.json").write_text("{")
    reader = SiteReader(tmp_path)
    first, again = reader.read(), reader.read()
    assert first.rows[0] is again.rows[0]
    assert [one.name for one in again.unreadable] == ["broken"]
    document = read_document(tmp_path / "one")
    document["suite"]["name"] = "renamed"
    write_document(tmp_path / "one", document)
    assert reader.read().rows[0].suite == "renamed"
