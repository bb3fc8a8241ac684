"""What models and data may write is shown as text, and nothing of it runs."""

import gzip
import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from harness.report import render
from tests.report.conftest import printable, write_result

EVIL = [
    "<script>document.title = 'run'</script>",
    "</script><script>document.title = 'run'</script>",
    "<!--<script>",
    "]]><svg onload=\"document.title = 'run'\">",
    "<img src=x onerror=\"document.title = 'run'\">",
    "user\u202egnp.exe \u200f\x00 \x1b[31m \u2028 \ufeff",
    "half of a pair: \ud800",
    "a | b | c\n|---|---|---|\n${input} $input {{ 7 * 7 }}",
    "x" * 100_000,
]


@pytest.fixture(scope="module")
def hostile(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Answers, inputs, references, columns and names all say it."""
    turn = iter(range(1_000_000))
    folder = write_result(
        tmp_path_factory.mktemp("hostile") / "result",
        samples=27,
        text=lambda text: EVIL[next(turn) % len(EVIL)],
    )
    document = (folder / "result.json").read_text()
    evil = "".join(EVIL[:7])
    name = json.dumps(printable(evil))[1:-1]
    document = document.replace("falcon-tiny", name).replace("Conversations summed", json.dumps(evil)[1:-1])
    (folder / "result.json").write_text(document)
    path = folder / "samples.jsonl.gz"
    with gzip.open(path, "rt") as file:
        lines = [json.loads(line) for line in file]
    for place, line in enumerate(lines):
        line["input"] = line["references"][0] = EVIL[place % len(EVIL)]
        line["metadata"] = {
            "__proto__": EVIL[place % 2],
            "input": "no",
            "constructor": EVIL[place % len(EVIL)],
        }
    with gzip.open(path, "wt") as file:
        file.writelines(json.dumps(line) + "\n" for line in lines)
    render(folder)
    return folder / "report.html"


def test_nothing_runs_and_everything_is_shown(hostile: Path, visit: Callable[..., Page]) -> None:
    page = visit(hostile)
    title = page.title()
    shown = ""
    for _ in range(27):
        shown += page.locator("#x-sample").inner_text()
        following = page.get_by_label("Next sample")
        if following.is_disabled():
            break
        following.click()
    assert page.title() == title
    assert page.locator("main img, main script, main iframe").count() == 0
    for text in ("<script>document.title", "</script><script>", "]]><svg onload", "onerror=", "{{ 7 * 7 }}"):
        assert text in shown
    assert "user⟦U+202E⟧gnp.exe" in shown and "⟦U+D800⟧" in shown and "⟦U+0000⟧" in shown
    assert "96,000 more characters" in shown
    assert page.evaluate("document.documentElement.scrollWidth") <= 1440
    assert page.evaluate("({}).constructor === Object")


def test_a_hostile_page_fits_a_phone(hostile: Path, visit: Callable[..., Page]) -> None:
    page = visit(hostile, viewport={"width": 390, "height": 844})
    assert page.evaluate("document.documentElement.scrollWidth") <= 390


def test_an_old_and_small_result_still_renders(tmp_path: Path, visit: Callable[..., Page]) -> None:
    """Schema 1 as it began, with nothing but what every version had, and no other file."""
    system = {"model": "a", "adapter": None}
    score = {"task": "t", **system, "metric": "exact", "primary": True, "signature": "s", "unit": "%",
             "better": "higher", "value": 50.0, "low": None, "high": None, "n": 4}  # fmt: skip
    suite = {
        "name": "old",
        "tasks": [{"name": "t", "primary": "exact", "metrics": ["exact"]}],
        "models": [{"name": "a"}],
    }
    (tmp_path / "result.json").write_text(
        json.dumps({"schema": 1, "suite": suite, "scores": [score], "comparisons": []})
    )
    render(tmp_path)
    page = visit(tmp_path / "report.html")
    expect(page.locator("#answer")).to_contain_text("a, the only base that was tried, has Exact match 50.0")
    expect(page.locator("#samples")).to_contain_text("There are no answers to show.")
    assert (tmp_path / "report.md").is_file()


@pytest.mark.nightly
def test_more_texts_than_fit_stand_in_pages_beside_the_report(
    tmp_path: Path, visit: Callable[..., Page], monkeypatch: pytest.MonkeyPatch
) -> None:
    from harness.report import explorer

    monkeypatch.setattr(explorer, "FITS", 60_000)  # as many samples as would not fit take long to make up
    monkeypatch.setattr(explorer, "BIN", 16)
    folder = write_result(tmp_path / "result", samples=100)
    render(folder)
    leaves = sorted(path.name for path in (folder / "samples").iterdir())
    assert len(leaves) > 3
    page = visit(folder / "report.html", "#sample=instructions/test-000099")
    expect(page.locator("#x-sample h3")).to_have_text("test-000099")
    page.get_by_role("link", name="Read the prompt and the answers").click()
    expect(page.locator("#x-sample h3")).to_have_text("test-000099")
    expect(page.locator("#x-sample")).to_contain_text("boxes")
    assert f"samples/{leaves[-1]}#sample=" in page.url
    page.locator("header a").click()
    expect(page.locator("#x-count")).to_have_text("100 samples")
    shutil.rmtree(folder / "samples")
    monkeypatch.undo()
    render(folder)
    assert not (folder / "samples").exists()
