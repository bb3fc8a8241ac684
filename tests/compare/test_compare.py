"""Two RESULTs side by side: the numbers are those of the paired statistics, and all that differs is said."""

import json
from collections.abc import Callable
from dataclasses import replace
from io import StringIO
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rich.console import Console

from harness import metrics, stats
from harness.compare import side_by_side
from harness.errors import ResultError, UnknownName
from harness.report.side_by_side import as_json, show, write_markdown
from harness.types import Comparison, Generation

from .conftest import BASE, TUNED, Made, make, mixed, plain, right, samples, wrong

Two = Callable[[Made, Made], tuple[str, str]]


def said(found: object) -> str:
    """All remarks of a comparison of one task."""
    return " | ".join((*found.remarks, *found.tasks[0].remarks))  # type: ignore[attr-defined]


def told(a: str, b: str, **asked: object) -> list[Comparison]:
    lines = side_by_side(a, b, **asked).tasks[0].lines  # type: ignore[arg-type]
    assert all(line.comparison for line in lines)
    return [line.comparison for line in lines if line.comparison]


# The numbers.


def test_a_pair_is_what_the_paired_statistics_of_its_rows_are(two: Two) -> None:
    one, other = (
        plain(answers={BASE: mixed}),
        plain(answers={BASE: lambda i: right(i) if i % 3 == 0 else wrong(i)}),
    )
    metric = metrics.load("f1")
    assert metric.row and metric.value
    baseline, candidate = (
        np.array([metric.row(s, Generation(sample_id=s.id, text=made.answers[BASE](i)))
                  for i, s in enumerate(made.samples)])
        for made in (one, other)
    )  # fmt: skip
    (found,) = told(*two(one, other), seed=7)
    expected = stats.paired(baseline, candidate, metric.value, seed=7)
    numbers = ("difference", "low", "high", "p", "detectable", "better", "worse")
    assert [getattr(found, name) for name in numbers] == [getattr(expected, name)[0] for name in numbers]
    assert found.p_holm == found.p
    assert found.n == 40


@settings(max_examples=15, deadline=None)
@given(
    st.lists(st.sampled_from("rw"), min_size=30, max_size=30),
    st.lists(st.sampled_from("rw"), min_size=30, max_size=30),
)
def test_b_against_a_is_a_against_b_turned_round(
    tmp_path_factory: pytest.TempPathFactory, one: list[str], other: list[str]
) -> None:
    """Also where neither side has all samples of the other: 20 of 30 are in common."""
    folder = tmp_path_factory.mktemp("turned")
    pool = samples(40)
    a, b = (
        str(make(folder / name, plain(samples=own, answers={BASE: lambda i, s=says: right(i) if s[i] == "r" else wrong(i)})))
        for name, own, says in (("a", pool[:30], one), ("b", pool[10:], other))
    )  # fmt: skip
    (there,), (back,) = told(a, b), told(b, a)
    assert (there.n, there.p) == (20, back.p)
    assert there.detectable == pytest.approx(back.detectable)
    assert (there.difference, there.low, there.high) == pytest.approx(
        (-back.difference, -back.high, -back.low)
    )
    assert (there.better, there.worse) == (back.worse, back.better)


def test_holm_is_over_all_pairs_of_the_primary_metric_and_others_stay_exploratory(two: Two) -> None:
    answers = {BASE: mixed, TUNED: lambda i: right(i) if i % 4 else wrong(i), ("other", None): wrong}
    changed = {**answers, TUNED: right, ("other", None): lambda i: right(i) if i in (3, 5) else wrong(i)}
    found = told(*two(plain(answers=answers), plain(answers=changed)), metric="*")
    decides, exploratory = found[:3], found[3:]
    assert {one.metric for one in decides} == {"f1"}
    assert [one.p_holm for one in decides] == stats.holm([one.p for one in decides])
    assert {one.family for one in decides} == {"t: B against A"}
    assert [(one.metric, one.p_holm, one.family) for one in exploratory] == [("exact", None, None)] * 3


def test_samples_of_one_cluster_are_drawn_together(two: Two) -> None:
    def by_chat(i: int) -> str:
        return right(i) if (i // 4) % 3 == 0 else wrong(i)

    clustered = {"cluster": "chat"}
    a, b = two(plain(answers={BASE: wrong}, task=clustered), plain(answers={BASE: by_chat}, task=clustered))
    (together,) = told(a, b)
    (alone,) = told(
        *(
            str(make(Path(a).parent / name, plain(answers={BASE: says})))
            for name, says in (("c", wrong), ("d", by_chat))
        )
    )
    assert together.difference == pytest.approx(alone.difference)
    assert together.high - together.low > 1.5 * (alone.high - alone.low)


def test_two_systems_of_one_result_are_compared(tmp_path: Path) -> None:
    result = make(tmp_path / "seed#1", plain())
    (found,) = told(f"{result}#base", f"{result}#base+tuned")
    assert (str(found.baseline), str(found.candidate)) == ("base", "base + tuned")
    assert found.difference > 0
    assert found.p_holm is not None and found.p_holm < 0.05


def test_a_system_that_one_side_names_is_looked_for_in_the_other(two: Two) -> None:
    a, b = two(plain(), plain())
    assert [str(one.candidate) for one in told(a, f"{b}#base + tuned")] == ["base + tuned"]
    assert {str(one.candidate) for one in told(a, b)} == {"base", "base + tuned"}


def test_equal_results_differ_in_nothing(two: Two) -> None:
    found = side_by_side(*two(plain(), plain()), metric="*", samples=5)
    assert said(found) == ""
    for line in found.tasks[0].lines:
        assert line.comparison is not None
        one = line.comparison
        assert (one.difference, one.p, one.better, one.worse) == (0, 1, 0, 0)
        # Of hits, 40 equal samples do not say that no other will change.
        assert (-one.low, one.high) == (
            (one.high, pytest.approx(4.7, abs=0.05)) if line.metric == "exact" else (0, 0)
        )
        assert line.changes == ()


# What differs is said.


def test_samples_that_only_one_side_has_are_left_out_and_counted(two: Two) -> None:
    found = side_by_side(*two(plain(samples=samples(40)), plain(samples=samples(40)[:25])))
    assert {line.n for line in found.tasks[0].lines} == {25}
    assert (
        "25 samples in common, 15 only in A and 0 only in B: compared on the samples that both have"
        in said(found)
    )


@pytest.mark.parametrize(
    ("changed", "remark"),
    [
        ({"task": {"prompt": "Say that: $input"}}, "prompt differs: 'Say it: $input' in A, 'Say that: $input' in B"),
        ({"task": {"shots": 2}}, "shots differs: 0 in A, 2 in B"),
        ({"task": {"decode": {"max_new_tokens": 32}}}, "decode's max_new_tokens differs: 64 in A, 32 in B"),
        ({"task": {"overflow": "refuse"}}, "overflow differs: 'keep-start' in A, 'refuse' in B"),
        ({"task": {"cluster": "chat"}}, "cluster differs: nothing in A, 'chat' in B"),
        ({"prompts": {TUNED: "q"}}, "chat format or what was cut) (base + tuned)"),
        ({"model": {"revision": "r2"}}, "base's revision differs: 'r1' in A, 'r2' in B"),
        ({"manifest": {"device": "cuda"}}, "device differs: 'cpu' in A, 'cuda' in B"),
        ({"edit": lambda d: d["suite"]["adapters"][0].update(seed=1)}, "base + tuned's seed differs: 0 in A, 1 in B"),
    ],
)  # fmt: skip
def test_what_was_done_otherwise_is_said_beside_the_comparison(two: Two, changed: dict, remark: str) -> None:
    found = side_by_side(*two(plain(), plain(**changed)))
    assert remark in said(found)
    assert all(line.comparison for line in found.tasks[0].lines)


def test_samples_that_ask_something_else_under_the_same_id_are_counted(two: Two) -> None:
    edited = [replace(one, input="another") if i < 3 else one for i, one in enumerate(samples())]
    found = side_by_side(*two(plain(), plain(samples=edited, task={"samples": "e" * 16})))
    assert "the data differ: 3 of 40 samples in common have another input or reference" in said(found)


def test_a_metric_of_another_signature_is_not_compared(two: Two) -> None:
    def older(document: dict) -> None:
        for score in document["scores"]:
            if score["metric"] == "exact":
                score["signature"] = "exact|version:0"

    found = side_by_side(*two(plain(), plain(edit=older)), metric="*")
    assert {line.metric for line in found.tasks[0].lines} == {"f1"}
    assert "exact is not compared, its signatures differ: exact|" in said(found)


def test_what_only_one_side_has_is_named(two: Two) -> None:
    found = side_by_side(*two(plain(), plain(answers={BASE: mixed, ("new", None): wrong})))
    assert said(found) == "only in A: base + tuned | only in B: new"


def test_one_sample_is_shown_and_not_tested(two: Two) -> None:
    found = side_by_side(*two(plain(samples=samples(1)), plain(samples=samples(1))))
    assert [line.comparison for line in found.tasks[0].lines] == [None, None]
    assert "a single sample cannot show a difference" in said(found)


# What it looks like.


def printed(found: object) -> str:
    console = Console(width=200, file=StringIO())
    show(found, console)  # type: ignore[arg-type]
    assert isinstance(console.file, StringIO)
    return console.file.getvalue()


def test_the_sentence_says_which_systems_do_better(two: Two, tmp_path: Path) -> None:
    found = side_by_side(*two(plain(), plain(answers={BASE: mixed, TUNED: wrong})))
    text = printed(found)
    assert "t, Token F1: of 2 systems, 1 does worse in B and 1 shows no significant difference." in text
    assert "0 % / 0 % / 100 %" in text
    write_markdown(found, tmp_path / "page.md")
    page = (tmp_path / "page.md").read_text()
    assert "of 2 systems, 1 does worse in B" in page
    assert "| base + tuned | 100.0 |" in page


def test_texts_of_the_samples_that_changed_most_leave_the_machine_only_where_both_sources_share_them(
    two: Two, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("CI", raising=False)
    monkeypatch.delenv("GITHUB_ACTIONS", raising=False)
    worse = {BASE: mixed, TUNED: lambda i: wrong(i) if i in (7, 9) else right(i)}
    a, b = two(plain(), plain(answers=worse))
    found = side_by_side(a, f"{b}#base+tuned", samples=1)
    (change,) = found.tasks[0].lines[0].changes
    assert change.sample == "s7"
    assert change.texts is not None
    assert (change.texts.baseline, change.texts.candidate) == ("the answer is 7", "no idea is it")
    assert "question 7" in printed(found)
    private = make(Path(a).parent / "private", plain(answers=worse, task={"share": "scores"}))
    own = side_by_side(a, str(private), samples=3)
    assert "question 7" in printed(own)  # the user's own terminal
    write_markdown(own, tmp_path / "page.md")
    assert "question" not in as_json(own) + (tmp_path / "page.md").read_text()
    monkeypatch.setenv("CI", "true")
    assert "question" not in printed(own)
    assert "question 7" in printed(found)


def test_json_is_whole_and_unrounded(two: Two) -> None:
    found = side_by_side(*two(plain(), plain(answers={BASE: wrong, TUNED: right})))
    document = json.loads(as_json(found))
    line = document["tasks"][0]["lines"][0]
    assert line["comparison"]["p_holm"] == found.tasks[0].lines[0].comparison.p_holm
    assert line["candidate_score"] == found.tasks[0].lines[0].candidate_score


# What bad input gets.


@pytest.mark.parametrize(
    ("a", "b", "asked", "error", "sentence"),
    [
        ("a", "a", {}, ResultError, "are the same; name two systems"),
        ("a#base", "a", {}, ResultError, "are the same; name two systems"),
        ("a", "nowhere", {}, ResultError, "a RESULT folder holds a result.json"),
        ("a#bass", "b", {}, UnknownName, "no system named 'bass'; did you mean 'base'?"),
        ("a", "b", {"task": "u"}, UnknownName, "no task of both results named 'u'"),
        ("a", "b", {"metric": "f2"}, UnknownName, "no metric named 'f2'; did you mean 'f1'?"),
    ],
)
def test_a_mistake_is_a_sentence(
    two: Two, tmp_path: Path, a: str, b: str, asked: dict, error: type[Exception], sentence: str
) -> None:
    two(plain(), plain())
    with pytest.raises(error) as raised:
        side_by_side(str(tmp_path / a), str(tmp_path / b), **asked)
    assert sentence in str(raised.value)
    assert "\n" not in str(raised.value)


@pytest.mark.parametrize(
    ("made", "sentence"),
    [
        (plain(samples=[replace(one, id=f"x{one.id}") for one in samples()]), "0 samples in common"),
        (plain(answers={("new", None): right}), "no system of the same name"),
        (plain(task={"name": "u"}), "no task in common"),
        (plain(edit=lambda d: d.update(scores=[])), "it has no scores"),
        (plain(edit=lambda d: d["scores"][0].update(value=99.5)), "`harness verify` says what was changed"),
        (plain(edit=lambda d: [one.update(signature="other") for one in d["scores"]]), "signatures differ"),
        (plain(edit=lambda d: d.update(schema=99)), "update the harness"),
    ],
)
def test_what_cannot_be_compared_is_a_sentence(two: Two, made: Made, sentence: str) -> None:
    with pytest.raises(ResultError) as raised:
        side_by_side(*two(plain(), made))
    assert sentence in str(raised.value)
    assert "\n" not in str(raised.value)


@pytest.mark.parametrize("name", ["result.json", "rows.parquet"])
def test_a_file_that_was_cut_or_changed_is_refused(two: Two, name: str) -> None:
    a, b = two(plain(), plain())
    path = Path(b) / name
    whole = path.read_bytes()
    for broken in (whole[: len(whole) // 2], whole.replace(b"base", b"bass", 1)):
        path.write_bytes(broken)
        with pytest.raises(ResultError) as raised:
            side_by_side(a, b)
        assert name in str(raised.value)
