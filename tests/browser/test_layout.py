"""How the report is laid out: with few and with many systems and tasks, on a desktop and on a phone, light and dark."""

from collections.abc import Callable
from itertools import pairwise
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from harness.report import render
from tests.browser.shapes import SHAPES, SIZES, shaped

Visit = Callable[..., Page]

# Pairs of texts of a chart that cover each other by more than a pixel.
OVERLAPS = """() => [...document.querySelectorAll("figure svg")].flatMap((svg) => {
  if (!svg.getClientRects().length) return [];
  const boxes = [...svg.querySelectorAll("text")].filter((one) => one.textContent.trim())
    .map((one) => ({ text: one.textContent, box: one.getBoundingClientRect() }));
  const shares = (a, b) => Math.min(a.right, b.right) - Math.max(a.left, b.left) > 1
    && Math.min(a.bottom, b.bottom) - Math.max(a.top, b.top) > 3;  // a line box is higher than its letters
  return boxes.flatMap((one, place) => boxes.slice(place + 1).filter((other) => shares(one.box, other.box))
    .map((other) => `${svg.getAttribute("aria-label")}: ${one.text} | ${other.text}`));
})"""
# Texts of a chart that are cut off at an edge of the window or of what they are in.
CUT_OFF = """() => [...document.querySelectorAll("figure svg")].flatMap((svg) => {
  if (!svg.getClientRects().length) return [];
  const edge = svg.closest("figure").getBoundingClientRect();  // beyond which a figure is clipped
  const [left, right] = [Math.max(edge.left, 0), Math.min(edge.right, innerWidth)];
  return [...svg.querySelectorAll("text")].map((one) => ({ text: one.textContent, box: one.getBoundingClientRect() }))
    .filter((one) => one.box.left < left || one.box.right > right).map((one) => one.text);
})"""
# Cells of tables whose text runs into the next cell's.
COLLISIONS = """() => [...document.querySelectorAll("main tr")].flatMap((row) => {
  const boxes = [...row.cells].map((cell) => {
    const range = document.createRange();
    const hidden = cell.querySelector(".heard");  // for screen readers: it takes no room
    range.selectNodeContents(cell);
    if (hidden) range.setEndBefore(hidden);
    return { text: cell.textContent.trim(), box: range.getBoundingClientRect() };
  }).filter((one) => one.text && one.box.width);
  const shares = (a, b) => Math.min(a.right, b.right) - Math.max(a.left, b.left) > 1
    && Math.min(a.bottom, b.bottom) - Math.max(a.top, b.top) > 3;
  return boxes.flatMap((one, place) => boxes.slice(place + 1).filter((other) => shares(one.box, other.box))
    .map((other) => `${one.text} | ${other.text}`));
})"""
HEADINGS = """() => [...document.querySelectorAll("h1, h2, h3, h4")].filter((one) => one.getClientRects().length)
  .map((one) => Number(one.tagName[1]))"""
OPEN_ALL = "document.querySelectorAll('details').forEach((one) => one.open = true)"


@pytest.fixture(
    scope="session",
    params=[(8, 5), *(pytest.param(shape, marks=pytest.mark.nightly) for shape in SHAPES if shape != (8, 5))],
    ids=lambda shape: f"{shape[0]}x{shape[1]}",
)
def shape(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    systems, tasks = request.param
    folder = shaped(tmp_path_factory.mktemp("shape") / "result", systems, tasks)
    render(folder)
    return folder / "report.html"


@pytest.mark.parametrize("size", SIZES)
def test_nothing_is_wider_than_the_window_and_no_texts_cover_each_other(
    shape: Path, visit: Visit, size: str
) -> None:
    page = visit(shape, viewport=SIZES[size])
    for unfolded in (False, True):
        if unfolded:
            page.evaluate(OPEN_ALL)
        assert page.evaluate("document.documentElement.scrollWidth") <= SIZES[size]["width"]
        assert page.evaluate(OVERLAPS) == []
        assert page.evaluate(COLLISIONS) == []


@pytest.mark.parametrize("size", SIZES)
def test_no_text_of_a_chart_is_cut_off_in_the_widest_usual_font(shape: Path, visit: Visit, size: str) -> None:
    page = visit(shape, viewport=SIZES[size], bypass_csp=True)
    page.add_style_tag(content="* { font-family: 'DejaVu Sans' !important; }")
    page.evaluate(OPEN_ALL)
    assert page.evaluate(CUT_OFF) == []


@pytest.mark.parametrize("size", SIZES)
def test_headings_have_an_order_and_skip_no_level(shape: Path, visit: Visit, size: str) -> None:
    page = visit(shape, viewport=SIZES[size])
    page.evaluate(OPEN_ALL)
    levels = page.evaluate(HEADINGS)
    assert levels[0] == 1 and levels.count(1) == 1
    assert all(after - before <= 1 for before, after in pairwise(levels)), levels


@pytest.mark.parametrize(("size", "scheme"), [("wide", "dark"), ("narrow", "light")])
def test_every_text_has_contrast_also_in_word_differences(
    report: Path, visit: Visit, size: str, scheme: str
) -> None:
    """The other two pairs are in test_report.py; colours do not depend on the number of systems."""
    from axe_playwright_python.sync_playwright import Axe

    page = visit(report, viewport=SIZES[size], color_scheme=scheme, bypass_csp=True)
    page.locator("#x-marks").select_option("reference")
    page.evaluate(OPEN_ALL)
    rules = ["color-contrast", "heading-order", "scrollable-region-focusable"]
    found = Axe().run(page, options={"runOnly": {"type": "rule", "values": rules}}).response["violations"]
    assert not found, [(one["id"], [node["html"][:200] for node in one["nodes"]][:5]) for one in found]


def test_the_contents_stay_in_view_and_mark_the_section_that_is_read(report: Path, visit: Visit) -> None:
    page = visit(report)
    page.emulate_media(reduced_motion="reduce")
    current = page.locator("#contents [aria-current]")
    for name in ("Samples", "Weights", "Scores"):
        page.locator("#contents").get_by_role("link", name=name, exact=True).click()
        expect(current).to_have_text(name)
        expect(page.locator("#contents")).to_be_in_viewport()
    tops = "[...document.querySelectorAll('section')].map((one) => one.getBoundingClientRect().left)"
    assert min(page.evaluate(tops)) > page.locator("#contents").evaluate(
        "one => one.getBoundingClientRect().right"
    )


def test_on_a_phone_the_contents_are_a_menu(report: Path, visit: Visit) -> None:
    page = visit(report, viewport=SIZES["narrow"])
    page.emulate_media(reduced_motion="reduce")
    menu = page.locator("#contents > button")
    link = page.locator("#contents").get_by_role("link", name="Weights", exact=True)
    expect(link).to_be_hidden()
    menu.click()
    expect(menu).to_have_attribute("aria-expanded", "true")
    link.click()
    expect(link).to_be_hidden()
    expect(menu).to_contain_text("Weights")
    expect(menu).to_be_in_viewport()
    top, bottom = (page.locator(one).bounding_box() for one in ("#weights h2", "#contents"))
    assert top and bottom
    assert page.locator("#weights h2").evaluate("e => e.getBoundingClientRect().bottom") > bottom["height"]
    menu.click()
    page.keyboard.press("Escape")
    expect(link).to_be_hidden()


def test_without_scripts_the_contents_are_links(report: Path, visit: Visit) -> None:
    for viewport in SIZES.values():
        page = visit(report, viewport=viewport, java_script_enabled=False)
        expect(page.locator("#contents > button")).to_have_count(0)
        expect(page.locator("#contents").get_by_role("link", name="Samples", exact=True)).to_be_visible()


def test_weights_are_folded_to_a_summary_and_a_link_unfolds_what_it_names(report: Path, visit: Visit) -> None:
    page = visit(report)
    weights = page.locator("#weights")
    expect(weights).to_contain_text("Mean alpha")
    assert page.evaluate("document.querySelector('#weights').offsetHeight") < 900
    expect(weights.locator("figure").first).to_be_hidden()
    weights.locator("details > summary").first.click()
    expect(weights.locator("figure .wide").first).to_be_visible()


def test_with_many_tasks_a_link_of_the_contents_unfolds_its_task(
    tmp_path_factory: pytest.TempPathFactory, visit: Visit
) -> None:
    folder = shaped(tmp_path_factory.mktemp("tasks") / "result", 2, 5)
    render(folder)
    page = visit(folder / "report.html")
    expect(page.locator("table[aria-label='Scores on dialogues']")).to_be_visible()
    last = page.locator("table[aria-label='Scores on dialogues-5']")
    expect(last).to_be_hidden()
    page.locator("#contents").get_by_role("link", name="dialogues-5").click()
    expect(last).to_be_visible()
    expect(page.get_by_role("region", name="Scores on all tasks")).to_be_visible()


def test_paper_has_what_is_open_and_no_controls(report: Path, visit: Visit) -> None:
    page = visit(report)
    page.emulate_media(media="print")
    for hidden in ("#contents", "#x-filters", "#x-save", "#weights figure >> nth=0", ".theme"):
        expect(page.locator(hidden)).to_be_hidden()
    page.emulate_media(media="screen")
    page.locator("#weights details > summary").first.click()
    page.emulate_media(media="print")
    expect(page.locator("#weights figure .wide").first).to_be_visible()
