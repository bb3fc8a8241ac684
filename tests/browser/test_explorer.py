"""What a reader asks of the sample explorer beyond its list: other metrics, two systems, word differences, a file."""

import csv
import gzip
import io
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from harness.files.spreadsheet import cell
from harness.report import render
from harness.report.task_samples import task_samples
from harness.results import read
from harness.types import System
from tests.report.conftest import write_result

Visit = Callable[..., Page]
FALCON, LLAMA = "falcon-tiny + quickstart", "llama2-tiny + quickstart"


def listed(page: Page) -> list[str]:
    return page.locator("#x-list .which").all_inner_texts()


def given(page: Page) -> list[str]:
    titles = page.locator("#x-sample .given:visible h4")
    return list(titles.evaluate_all("all => all.map((one) => one.firstChild.textContent)"))


def saved(page: Page) -> list[dict[str, str]]:
    with page.expect_download() as download:
        page.get_by_role("button", name="Download CSV").click()
    assert download.value.suggested_filename == "dialogues.csv"
    text = Path(download.value.path()).read_text(encoding="utf-8")
    return list(csv.DictReader(io.StringIO(text, newline="")))


def test_texts_are_plain_until_word_differences_are_asked_for(report: Path, visit: Visit) -> None:
    page = visit(report)
    marks = page.locator(".x-sample .text ins, .x-sample .text del")
    assert marks.count() == 0
    page.get_by_label("Word differences").select_option(label="from the reference")
    assert marks.count() > 4
    for box in page.locator(".x-sample .given .text").all():
        kept = "e => [...e.childNodes].filter((n) => n.nodeName !== 'DEL').map((n) => n.textContent).join('')"
        assert box.evaluate(kept).strip()
    page.wait_for_url("**marks=reference**")
    assert visit(report, "#" + page.url.split("#")[1]).locator(".x-sample .text ins").count() > 0
    page.locator("#x-list button").first.focus()
    page.keyboard.press("d")
    assert marks.count() == 0
    page.keyboard.press("d")
    assert marks.count() > 4


def test_two_systems_stand_side_by_side_and_their_difference_orders_the_list(
    report: Path, visit: Visit
) -> None:
    page = visit(report)
    page.locator("#x-system").select_option(FALCON)
    assert given(page) == ["falcon-tiny", FALCON]
    page.locator("#x-against").select_option(LLAMA)
    assert given(page) == [LLAMA, FALCON]
    boxes = [box.bounding_box() for box in page.locator("#x-sample .answers.two .given").all()]
    assert boxes[0] and boxes[1] and boxes[0]["y"] == boxes[1]["y"] and boxes[0]["x"] < boxes[1]["x"]
    samples = task_samples(read(report.parent))["dialogues"]
    mine, its = (
        samples.values[System(model=model, adapter="quickstart")] for model in ("falcon-tiny", "llama2-tiny")
    )
    order = sorted(range(len(mine)), key=lambda place: (round(mine[place], 3) - round(its[place], 3), place))
    assert listed(page) == [samples.ids[place] for place in order[:25]]
    page.locator("#x-sample summary").click()
    assert len(given(page)) == 8
    page.get_by_label("Next sample").click()
    assert len(given(page)) == 8  # what a reader unfolded stays unfolded


def test_a_range_of_scores_holds_of_the_chosen_metric(report: Path, visit: Visit) -> None:
    page = visit(report)
    samples = task_samples(read(report.parent))["dialogues"]
    chosen = System(model="falcon-tiny", adapter="quickstart")
    page.locator("#x-system").select_option(FALCON)
    for metric, values in (
        ("ROUGE-L", samples.values[chosen]),
        ("chrF", next(one for one in samples.others if one.name == "chrf").values[chosen]),
    ):
        page.locator("#x-metric").select_option(metric)
        page.locator("#x-low").fill("40")
        page.locator("#x-high").fill("60")
        digits = 3 if metric == "ROUGE-L" else 0
        inside = {
            sample
            for sample, value in zip(samples.ids, values, strict=True)
            if 40 <= round(value, digits) <= 60
        }
        expect(page.locator("#x-count")).to_have_text(f"{len(inside)} of 60 samples")
        assert set(listed(page)) <= inside and len(listed(page)) == min(25, len(inside)) > 0
    page.wait_for_url("**metric=chrF**")
    again = visit(report, "#" + page.url.split("#")[1])
    assert listed(again) == listed(page)
    page.get_by_role("button", name="Clear filters").click()
    expect(page.locator("#x-count")).to_have_text("60 samples")


def test_scores_order_the_list_both_ways(report: Path, visit: Visit) -> None:
    page = visit(report)
    page.locator("#x-system").select_option(FALCON)
    for order, backwards in (("low", False), ("high", True)):
        page.locator("#x-order").select_option(order)
        scores = [float(text) for text in page.locator("#x-list b").all_inner_texts()]
        assert scores == sorted(scores, reverse=backwards) and scores[0] != scores[-1]


def test_an_answer_has_its_tokens_and_what_is_not_recorded_is_said(report: Path, visit: Visit) -> None:
    page = visit(report)
    texts = page.locator("#x-sample .given .more").all_inner_texts()
    assert len(texts) == 8
    assert all(text.endswith(", 21\N{NO-BREAK SPACE}tokens, prompt\N{NO-BREAK SPACE}90") for text in texts), (
        texts
    )
    sample = page.locator("#x-sample")
    expect(sample).to_contain_text("time of single answers is not recorded; the means are in the table")
    page.locator("#x-system").select_option(FALCON)
    expect(sample).to_contain_text("not recorded; the mean over the task is: falcon-tiny 0.")


def test_without_counts_no_tokens_are_shown(tmp_path: Path, visit: Visit) -> None:
    folder = write_result(tmp_path / "result", samples=6)
    path = folder / "generations.jsonl.gz"
    with gzip.open(path, "rt") as file:
        lines = [json.loads(line) | {"prompt_tokens": 0, "output_tokens": 0} for line in file]
    with gzip.open(path, "wt") as file:
        file.writelines(json.dumps(line) + "\n" for line in lines)
    render(folder)
    assert "tokens" not in visit(folder / "report.html").locator("#x-sample .answers").first.inner_text()


def test_the_file_has_what_is_shown_and_runs_no_formula(tmp_path: Path, visit: Visit) -> None:
    evil = ["=1+1", "+cmd|x", "-2 apples", "@me", '"quoted", and\nbroken', "＝wide", "-1.5", "plain", "\ttab"]
    turn = iter(range(10_000))

    def say(text: str) -> str:
        begins = evil[next(turn) % len(evil)]
        return begins if begins == "-1.5" else f"{begins} {text}"

    folder = write_result(tmp_path / "result", samples=18, text=say)
    render(folder)
    page = visit(folder / "report.html")
    rows = saved(page)
    assert len(rows) == 18 * 8  # every answer of a model to every sample
    page.locator("#x-system").select_option(FALCON)
    page.locator("#x-kind").select_option("better")
    rows = saved(page)
    assert {row["system"] for row in rows} == {"falcon-tiny", FALCON}
    assert [row["sample_id"] for row in rows[::2]] == listed(page)
    written: dict[tuple[str, Any], str] = {}
    with gzip.open(folder / "generations.jsonl.gz", "rt") as file:
        for line in map(json.loads, file):
            if line["task"] == "dialogues" and line["model"] == "falcon-tiny":
                written[line["sample_id"], line["adapter"]] = line["text"]
    values = task_samples(read(folder))["dialogues"].values
    ids = task_samples(read(folder))["dialogues"].ids
    for row in rows:
        adapter = "quickstart" if row["system"] == FALCON else None
        assert row["answer"] == cell(written[row["sample_id"], adapter])
        place = ids.index(row["sample_id"])
        mine = values[System(model="falcon-tiny", adapter=adapter)][place]
        assert float(row["ROUGE-L"]) == pytest.approx(mine, abs=0.0005)  # rounded to a thousandth
        assert (row["prompt_tokens"], row["output_tokens"]) == ("90", "21")
        if adapter:
            change = mine - values[System(model="falcon-tiny")][place]
            assert float(row["difference in ROUGE-L"]) == pytest.approx(change, abs=0.0011)
            assert row["compared_with"] == "falcon-tiny"


def test_a_slice_opens_its_samples(report: Path, visit: Visit) -> None:
    page = visit(report)
    link = page.locator("#slices").get_by_role("link", name="band practice", exact=True).first
    head = link.locator("xpath=..").inner_text()
    link.click()
    expect(page.locator("#x-slice")).to_have_value("scenario=band practice")
    count = int(page.locator("#x-count").inner_text().split()[0])
    assert 0 < count < 60 and head.split() == ["band", "practice", "n", "=", str(count)]
