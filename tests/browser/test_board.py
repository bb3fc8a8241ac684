"""What a reader does with leaderboard.html."""

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from harness.commands import leaderboard as boards
from harness.results.document import read_document, write_document
from tests.browser.conftest import LOOKS, SCREENSHOTS
from tests.report.conftest import write_result

Visit = Callable[..., Page]


@pytest.fixture(scope="module")
def board(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Of two runs on different hardware, and one that was asked fewer samples."""
    folder = tmp_path_factory.mktemp("board")
    write_result(folder / "runs" / "monday")
    write_result(folder / "runs" / "fewer", samples=20)
    there = shutil.copytree(folder / "runs" / "monday", folder / "runs" / "tuesday")
    document = read_document(there)
    for cost in document["costs"]:
        cost["hardware"] = "NVIDIA H100"
    write_document(there, document)
    made, runs = boards.make([folder / "runs"], verified=False)
    boards.write(made, runs, folder / "leaderboard.html", "harness leaderboard runs")
    return folder / "leaderboard.html"


def seen(page: Page) -> list[str]:
    return page.locator("tbody tr:visible th").all_inner_texts()


def test_filters_leave_the_lines_that_pass_and_the_tables_that_have_any(board: Path, visit: Visit) -> None:
    page = visit(board)
    count = page.locator("#b-count")
    expect(count).to_have_text("60 lines")
    page.locator("#b-task").select_option("dialogues")
    expect(count).to_contain_text("30 of 60 lines")
    expect(page.locator("section.group:visible")).to_have_count(2)
    page.locator("#b-family").select_option("mistral")
    assert all(name.startswith("mistral-tiny") for name in seen(page))
    page.locator("#b-search").fill("TUESDAY")
    assert len(seen(page)) == 2
    page.locator("#b-search").fill("")
    page.locator("#b-family").select_option("")
    page.locator("#b-parameters").fill("1.15")
    assert {name.split()[0] for name in seen(page)} == {"llama2-tiny", "mistral-tiny"}
    page.locator("#b-parameters").fill("")
    page.locator("#b-limit").fill("1000000")
    assert all("quickstart" in name for name in seen(page))  # what was not trained has no time of training
    page.locator("#b-cost").select_option("speed")
    assert seen(page) == []
    page.locator("#b-limit").fill("")
    page.locator("#b-task").select_option("")
    page.locator("#b-licence").select_option(index=1)
    assert seen(page)
    page.locator("#b-licence").select_option("")
    page.locator("#b-model-licence").select_option("mit")
    assert {name.split()[0] for name in seen(page)} == {"flan-t5-tiny"}
    page.locator("#b-model-licence").select_option("no model")
    assert all("no model" in name for name in seen(page)) and seen(page)


def test_ranks_sort_and_stay_those_of_the_whole_table(board: Path, visit: Visit) -> None:
    page = visit(board)
    table = page.locator("table.board").first
    before = table.locator("td.rank").all_inner_texts()
    page.locator("#b-family").select_option("t5")
    assert set(table.locator("td.rank:visible").all_inner_texts()) <= set(before)
    page.locator("#b-family").select_option("")
    table.get_by_role("button", name="System").click()
    names = table.locator("tbody th").all_inner_texts()
    assert names == sorted(names, key=str.lower)


def test_without_scripts_everything_stands_there_unfiltered(board: Path, visit: Visit) -> None:
    page = visit(board, java_script_enabled=False)
    expect(page.locator("tbody tr:visible")).to_have_count(60)
    expect(page.locator("#b-filters")).to_be_hidden()


@pytest.mark.parametrize(("viewport", "scheme"), LOOKS)
def test_the_board_fits_its_window_and_axe_finds_nothing_serious(
    board: Path, visit: Visit, viewport: dict[str, int], scheme: str
) -> None:
    from axe_playwright_python.sync_playwright import Axe

    page = visit(board, viewport=viewport, color_scheme=scheme, bypass_csp=True)
    SCREENSHOTS.mkdir(parents=True, exist_ok=True)
    page.screenshot(path=SCREENSHOTS / f"leaderboard-{viewport['width']}-{scheme}.png", full_page=True)
    assert page.evaluate("document.documentElement.scrollWidth") <= viewport["width"]
    found = Axe().run(page).response["violations"]
    serious = [one for one in found if one["impact"] in ("serious", "critical")]
    assert not serious, [(one["id"], [node["html"][:200] for node in one["nodes"]][:5]) for one in serious]
