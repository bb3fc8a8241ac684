"""What a reader does with the pages over many RESULTs, from disk and on a server."""

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from threading import Thread

import pytest
from playwright.sync_api import Browser, Page, expect

from harness.commands import bundle, runs
from harness.commands.course import Course
from harness.commands.serve import Server
from harness.commands.site import Settings, Site, SiteReader, key_of
from harness.results.document import read_document, write_document
from harness.run.store import Store, open_store
from harness.types import Step
from tests.browser.conftest import LOOKS, SCREENSHOTS
from tests.report.conftest import write_result

Visit = Callable[..., Page]
GATES = [
    {"task": "dialogues", "adapter": "quickstart", "min_value": 60},
    {"task": "instructions", "adapter": "quickstart", "max_drop": 5, "against": "base"},
]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three nights of one suite, a partial RESULT of another one, and a broken one."""
    place = tmp_path_factory.mktemp("view") / "runs"
    for day in (20, 21, 22):
        night = write_result(place / "nightly" / f"2026-11-{day}", samples=12, seed=day)
        document = read_document(night)
        document["manifest"]["created"] = f"2026-11-{day}T03:00:00+00:00"
        document["suite"]["gates"] = GATES
        write_document(night, document)
    other = shutil.copytree(night, place / "other")
    document = read_document(other)
    document["suite"]["name"] = "another"
    document["suite"]["tasks"] = [task for task in document["suite"]["tasks"] if task["name"] == "dialogues"]
    for key in ("scores", "comparisons"):
        document[key] = [one for one in document[key] if one["task"] == "dialogues"]
    document["steps"][0]["state"] = "failed"
    write_document(other, document)
    (place / "broken").mkdir()
    (place / "broken" / "result.json").write_text("{")
    return place


@pytest.fixture(scope="module")
def site(folder: Path) -> Path:
    out = folder.parent / "site"
    bundle.write(folder, out, verified=False)
    return out


def seen(page: Page) -> list[str]:
    return page.locator("#r-table tbody tr:visible th a").all_inner_texts()


def test_filters_leave_the_results_that_pass(site: Path, visit: Visit) -> None:
    page = visit(site / "index.html")
    count = page.locator("#r-count")
    expect(count).to_have_text("4 RESULTs")
    assert seen(page) == ["nightly/2026-11-22", "other", "nightly/2026-11-21", "nightly/2026-11-20"]
    page.locator("#r-suite").select_option("another")
    assert seen(page) == ["other"]
    page.locator("#r-suite").select_option("")
    page.locator("#r-task").select_option("instructions")
    expect(count).to_have_text("3 of 4 RESULTs")
    page.locator("#r-task").select_option("")
    page.locator("#r-state").select_option("partial")
    assert seen(page) == ["other"]
    page.locator("#r-state").select_option("")
    page.locator("#r-from").fill("2026-11-21")
    page.locator("#r-to").fill("2026-11-21")
    assert seen(page) == ["nightly/2026-11-21"]
    page.locator("#r-from").fill("")
    page.locator("#r-to").fill("")
    page.locator("#r-model").select_option("falcon-tiny")
    page.locator("#r-adapter").select_option("base")
    expect(count).to_have_text("4 RESULTs")
    page.locator("#r-search").fill("no such thing")
    assert seen(page) == []
    expect(page.locator("#unreadable")).to_contain_text("broken")


def test_two_ticked_results_are_compared_by_keyboard(site: Path, visit: Visit) -> None:
    page = visit(site / "index.html")
    button = page.locator("#r-compare")
    expect(button).to_be_disabled()
    for name in ("nightly/2026-11-20", "nightly/2026-11-22"):
        page.get_by_label(f"Compare {name}").focus()
        page.keyboard.press("Space")
    expect(button).to_have_text("Compare the two chosen")
    button.focus()
    page.keyboard.press("Enter")
    expect(page.locator("h1")).to_have_text("nightly/2026-11-20 and nightly/2026-11-22")
    rows = page.locator("table.paired").first.locator("tbody tr")
    expect(rows).to_have_count(10)
    expect(rows.nth(3)).to_contain_text("p_holm")
    page.get_by_role("link", name="Turn round").click()
    expect(page.locator("h1")).to_have_text("nightly/2026-11-22 and nightly/2026-11-20")
    page.get_by_role("link", name="nightly/2026-11-20").click()
    expect(page.locator("#answer")).to_contain_text("scores highest")
    page.get_by_role("navigation", name="Site").get_by_role("link", name="Results").click()
    expect(page.locator("#r-count")).to_have_text("4 RESULTs")


def test_the_page_of_pairs_refuses_a_result_and_itself(site: Path, visit: Visit) -> None:
    page = visit(site / "compare.html")
    page.locator("#p-a").select_option("other")
    page.locator("#p-b").select_option("other")
    expect(page.locator("#p-said")).to_have_text("Choose two different RESULTs.")
    expect(page.locator("#p-go")).to_be_disabled()
    page.locator("#p-b").select_option("nightly/2026-11-21")
    page.locator("#p-go").click()
    expect(page.locator("h1")).to_have_text("other and nightly/2026-11-21")


def test_a_trend_says_each_point_and_limit(site: Path, visit: Visit) -> None:
    page = visit(site / "trend.html")
    page.get_by_role("link", name="quickstart").click()
    chart = page.locator("section figure .wide svg").first
    marks = chart.locator("[fill]:has(> title)")
    assert marks.count() == 3 * 8  # RESULTs, and systems without the trivial rules
    assert "2026-11-21" in " ".join(marks.locator("title").all_text_contents())
    page.locator("section summary").first.click()
    table = page.locator("section table").first
    expect(table.locator("tbody tr")).to_have_count(30)
    expect(table).to_contain_text("max_drop 5 against base")


def test_without_scripts_every_result_and_pair_can_be_reached(site: Path, visit: Visit) -> None:
    page = visit(site / "index.html", java_script_enabled=False)
    assert len(seen(page)) == 4
    expect(page.locator("#r-filters")).to_be_hidden()
    page.get_by_role("link", name="Compare").click()
    expect(page.locator("tbody tr")).to_have_count(6)
    page.locator("tbody a").first.click()
    expect(page.locator("table.paired").first).to_be_visible()


def pages() -> list[str]:
    keys = [key_of(f"nightly/2026-11-{day}") for day in (20, 21)]
    return [
        "index.html", "leaderboard.html", "compare.html", "trend.html", f"trend/{key_of('quickstart')}.html",
        f"compare/{keys[0]}.{keys[1]}.html", f"compare/{keys[0]}.{key_of('other')}.html", f"results/{keys[0]}/report.html",
    ]  # fmt: skip


@pytest.mark.parametrize(("viewport", "scheme"), LOOKS)
def test_the_pages_fit_their_window_and_axe_finds_nothing_serious(
    site: Path, visit: Visit, viewport: dict[str, int], scheme: str
) -> None:
    from axe_playwright_python.sync_playwright import Axe

    SCREENSHOTS.mkdir(parents=True, exist_ok=True)
    for place, address in enumerate(pages()):
        page = visit(site / address, viewport=viewport, color_scheme=scheme, bypass_csp=True)
        page.screenshot(path=SCREENSHOTS / f"view-{place}-{viewport['width']}-{scheme}.png")
        assert page.evaluate("document.documentElement.scrollWidth") <= viewport["width"], address
        found = Axe().run(page).response["violations"]
        serious = [one for one in found if one["impact"] in ("serious", "critical")]
        assert not serious, (
            address,
            [(one["id"], [node["html"][:200] for node in one["nodes"]][:5]) for one in serious],
        )
        page.context.close()


# On a server.


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return open_store(tmp_path / "S")


@pytest.fixture
def server(folder: Path, store: Store, tmp_path: Path) -> Iterator[Server]:
    settings = Settings(title="runs", verified=False, store=store)
    with Server(Site(SiteReader(folder), tmp_path / "work", settings).page) as running:
        thread = Thread(target=running.serve_forever, args=(0.05,))
        thread.start()
        yield running
        running.shutdown()
        thread.join()


def test_the_live_page_follows_a_run_from_its_start_to_its_end(
    server: Server, store: Store, browser: Browser
) -> None:
    step = Step(id="0" * 16, kind="train", label="train <i>llama</i> + r8", spec=None)
    asked: list[str] = []
    page = browser.new_page()
    troubles: list[str] = []
    page.on("pageerror", lambda error: troubles.append(str(error)))
    page.on("console", lambda said: troubles.append(said.text))
    page.on("request", lambda request: asked.append(request.url))
    page.goto(f"{server.address}live.html")
    expect(page.locator("#l-runs")).to_have_text("No run is going on.")
    course = Course([step])
    with runs.recorded(course, "quickstart", Path("reports/out/quickstart"), store):
        expect(page.locator("#l-runs h2")).to_have_text("quickstart", timeout=20_000)
        expect(page.locator("#l-runs")).to_contain_text("0 of 1 step done")
        course.started(step)
        course.progress(step, 12, 60, "loss 1.92")
        expect(page.locator("#l-runs li")).to_contain_text("train <i>llama</i> + r8 12 of 60", timeout=20_000)
        SCREENSHOTS.mkdir(parents=True, exist_ok=True)
        page.screenshot(path=SCREENSHOTS / "view-live.png")
    expect(page.locator("#l-runs")).to_have_text("No run is going on.", timeout=20_000)
    page.get_by_role("link", name="Results").click()
    expect(page.locator("#r-count")).to_have_text("4 RESULTs")
    page.close()
    assert not troubles
    assert all(url.startswith((server.address, "data:")) for url in asked)
