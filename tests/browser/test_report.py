"""What a reader does with report.html."""

import re
from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import NARROW, SCREENSHOTS, WIDE

Visit = Callable[..., Page]


def column(page: Page, place: int) -> list[str]:
    return page.locator(f"table.scores >> nth=0 >> tbody tr > :nth-child({place})").all_inner_texts()


def listed(page: Page) -> list[str]:
    return page.locator("#x-list .which").all_inner_texts()


def changes(page: Page) -> list[float]:
    return [float(text.replace("−", "-")) for text in page.locator("#x-list b").all_inner_texts()]


def test_every_column_of_the_scores_sorts_both_ways_and_says_so(report: Path, visit: Visit) -> None:
    page = visit(report)
    heads = page.locator("table.scores >> nth=0 >> thead th")
    assert heads.count() == 9
    for place in range(heads.count()):
        button = heads.nth(place).get_by_role("button")
        button.click()
        first = heads.nth(place).get_attribute("aria-sort")
        button.click()
        second = heads.nth(place).get_attribute("aria-sort")
        assert {first, second} == {"ascending", "descending"}
    page.locator("table.scores >> nth=0 >> thead th >> nth=1").get_by_role("button").click()
    scores = [float(re.sub(r"\s.*", "", text.strip())) for text in column(page, 2)]
    assert scores == sorted(scores, reverse=True)
    expect(page.locator("#live")).to_contain_text("sorted by ROUGE-L, descending")


def test_on_a_phone_a_list_sorts_and_puts_back(report: Path, visit: Visit) -> None:
    page = visit(report, viewport=NARROW)
    before = column(page, 1)
    choice = page.locator(".sort-by select").first
    choice.select_option(label="Training time")
    assert column(page, 1) != before
    choice.select_option(label="as listed")
    assert column(page, 1) == before
    assert page.evaluate("document.documentElement.scrollWidth") <= NARROW["width"]


def test_samples_come_worst_regression_first_and_filters_narrow_them(report: Path, visit: Visit) -> None:
    page = visit(report)
    assert changes(page) == sorted(changes(page))
    expect(page.locator("#x-count")).to_have_text("60 samples")
    page.locator("#x-kind").select_option("worse")
    assert all(change < 0 for change in changes(page))
    page.locator("#x-kind").select_option("better")
    page.locator("#x-order").select_option("best")
    assert changes(page) == sorted(changes(page), reverse=True)
    assert all(change > 0 for change in changes(page))
    page.locator("#x-system").select_option(label="falcon-tiny + quickstart")
    page.locator("#x-kind").select_option("length")
    expect(page.locator("#x-count")).to_have_text("3 of 60 samples")
    assert set(listed(page)) == {"test-000005", "test-000028", "test-000051"}


def test_a_slice_and_a_task_narrow_the_list(report: Path, visit: Visit) -> None:
    page = visit(report)
    page.locator("#x-slice").select_option(label="yes")
    seen = page.locator("#x-count").inner_text()
    page.locator("#x-slice").select_option(label="no")
    unseen = page.locator("#x-count").inner_text()
    assert sum(int(text.split()[0]) for text in (seen, unseen)) == 60
    page.locator("#x-task").select_option(label="instructions")
    expect(page.locator("#x-count")).to_have_text("60 samples")
    page.locator("#x-slice").select_option(label="reasoning")
    expect(page.locator("#x-sample")).to_contain_text("category")


def test_a_search_finds_what_was_asked_and_answered(report: Path, visit: Visit) -> None:
    page = visit(report)
    page.keyboard.press("/")
    expect(page.locator("#x-search")).to_be_focused()
    page.keyboard.type("umbrella")
    number = int(page.locator("#x-count").inner_text().split()[0])
    assert 0 < number < 60
    page.keyboard.type(" that nobody wrote")
    expect(page.locator("#x-count")).to_contain_text("no sample matches")
    page.keyboard.press("Escape")
    expect(page.locator("#x-count")).to_have_text("60 samples")


def test_an_answer_has_its_scores_under_every_metric(report: Path, visit: Visit) -> None:
    page = visit(report)
    lines = page.locator("#x-sample .given .more").all_inner_texts()
    assert len(lines) == page.locator("#x-sample .given").count() == 8
    number = r"\s\d+"
    said = ", ".join(f"{name}{number}" for name in ("ROUGE-1", "ROUGE-2", "ROUGE-Lsum", "BLEU", "chrF"))
    tokens = r", 21\stokens, prompt\s90"
    assert all(re.fullmatch(said + tokens, line) for line in lines), lines


def test_keys_walk_through_the_samples(report: Path, visit: Visit) -> None:
    page = visit(report)
    first = listed(page)
    page.locator("#x-list button").first.focus()
    page.keyboard.press("j")
    page.keyboard.press("ArrowDown")
    expect(page.locator("#x-sample h3")).to_have_text(first[2])
    page.keyboard.press("k")
    expect(page.locator("#x-sample h3")).to_have_text(first[1])
    expect(page.locator("#x-list [aria-current]")).to_be_focused()
    for _ in range(30):
        page.keyboard.press("j")
    expect(page.locator("#x-page")).to_have_text("26 to 50")


def test_a_link_opens_its_sample_whatever_was_filtered(report: Path, visit: Visit) -> None:
    page = visit(report, "#sample=instructions/test-000007")
    expect(page.locator("#x-sample h3")).to_have_text("test-000007")
    expect(page.locator("#x-sample")).to_contain_text("How many boxes?")
    page.locator("#x-search").fill("nothing like it")
    page.locator("#wrong a", has_text="test-000028").first.click()
    expect(page.locator("#x-sample h3")).to_have_text("test-000028")
    assert page.locator("#x-task").evaluate("e => e.selectedOptions[0].text") == "dialogues"
    page.locator("#x-sample").get_by_label("Next sample").click()
    assert "#sample=dialogues/" in page.url
    shared = page.url
    name = page.locator("#x-sample h3").inner_text()
    expect(visit(report, "#" + shared.split("#")[1]).locator("#x-sample h3")).to_have_text(name)


def test_a_link_to_no_sample_says_so(report: Path, visit: Visit) -> None:
    for part in ("#sample=dialogues/none", "#sample=%E0%A4%A/x", "#sample=", "#sample=__proto__/length"):
        page = visit(report, part)
        expect(page.locator("#x-count")).to_contain_text(re.compile("no sample|60 samples"))


def test_a_filtered_view_is_in_the_address_and_opens_from_it(report: Path, visit: Visit) -> None:
    page = visit(report)
    assert "#" not in page.url  # nobody has chosen anything
    page.locator("#x-task").select_option(label="instructions")
    page.wait_for_url("**#explore?task=instructions")
    page.locator("#x-task").select_option(label="dialogues")
    page.locator("#x-system").select_option(label="all of falcon-tiny")
    page.locator("#x-kind").select_option("better")
    page.locator("#x-slice").select_option(label="yes")
    page.locator("#x-order").select_option("best")
    page.locator("#x-search").fill("umbrella & 50 % #x")
    page.locator("#x-search").fill("umbrella")
    page.wait_for_url("**&q=umbrella")
    expect(page.locator("#x-list .which").nth(2)).to_be_visible()

    def view(one: Page) -> tuple[list[str], list[str], str]:
        choices = [
            one.locator(f"#x-{name}").input_value()
            for name in ("task", "system", "kind", "slice", "order", "search")
        ]
        return choices, listed(one), one.locator("#x-sample h3").inner_text()

    again = visit(report, "#" + page.url.split("#")[1])
    assert view(again) == view(page)
    assert len(listed(again)) < 60
    page.locator("#x-list button").nth(2).click()
    assert "#explore?" in page.url and "&sample=test-" in page.url
    assert view(visit(report, "#" + page.url.split("#")[1])) == view(page)
    page.reload()
    assert page.locator("#x-sample h3").inner_text() == listed(page)[2]


def test_a_sample_of_an_unfiltered_view_has_the_short_address(report: Path, visit: Visit) -> None:
    page = visit(report)
    page.locator("#x-list button").nth(1).click()
    assert page.url.endswith(f"#sample=dialogues/{listed(page)[1]}")
    page.locator("#x-kind").select_option("worse")
    page.wait_for_url("**#explore?task=dialogues&show=worse")
    page.locator("#x-kind").select_option("")
    page.wait_for_url("**#explore?task=dialogues")


@pytest.mark.parametrize(
    ("part", "said"),
    [
        (
            "task=dialogues&slice=mood%3Dsad",
            "60 samples; the link names things that are not on this page: slice mood=sad",
        ),
        ("task=novels&show=wurst&system=gpt", "page: task novels, system gpt, show wurst"),
        ("q=%E0%A4%A&order=%00&sample=__proto__", "order \0"),
        ("", "60 samples"),
    ],
)
def test_an_address_that_names_what_is_not_here_says_so(
    report: Path, visit: Visit, part: str, said: str
) -> None:
    count = visit(report, f"#explore?{part}").locator("#x-count")
    assert said in (count.text_content() or "")


def test_the_theme_is_the_systems_until_someone_chooses_and_is_remembered(report: Path, visit: Visit) -> None:
    page = visit(report, color_scheme="dark")
    paper = "getComputedStyle(document.documentElement).backgroundColor"
    dark = page.evaluate(paper)
    page.get_by_label("Colours").select_option("light")
    assert page.evaluate(paper) != dark
    page.reload()
    assert page.evaluate(paper) != dark
    page.get_by_label("Colours").select_option("dark")
    assert page.evaluate(paper) == dark


def test_the_command_is_copied(report: Path, visit: Visit) -> None:
    page = visit(report, permissions=["clipboard-read", "clipboard-write"])
    page.locator("#manifest .copy").click()
    expect(page.locator("#manifest .copy")).to_have_text("Copied")


def test_a_mark_of_a_chart_says_its_numbers_beside_the_pointer(report: Path, visit: Visit) -> None:
    page = visit(report)
    page.emulate_media(reduced_motion="reduce")
    mark = page.locator("#differences .wide svg :has(> title)").first.element_handle()
    assert mark is not None
    mark.scroll_into_view_if_needed()
    page.wait_for_function("() => new Promise((still) => setTimeout(() => still(true), 100))")
    mark.hover()
    expect(page.locator(".tip")).to_contain_text("over")
    expect(page.locator(".tip")).to_be_visible()


def test_gates_that_failed_come_first(report: Path, visit: Visit) -> None:
    assert visit(report).locator("#verdicts .word").all_inner_texts() == ["fail", "pass"]


def test_on_paper_stands_the_chosen_sample_and_no_list(report: Path, visit: Visit) -> None:
    page = visit(report)
    page.emulate_media(media="print")
    expect(page.locator("#x-sample")).to_be_visible()
    expect(page.locator("#x-list")).to_be_hidden()
    expect(page.locator("#x-filters")).to_be_hidden()


@pytest.mark.parametrize(
    ("viewport", "scheme"),
    [(WIDE, "light"), pytest.param(NARROW, "dark", marks=pytest.mark.slow)],
    ids=["wide-light", "narrow-dark"],
)
def test_nothing_serious_stands_in_the_way_of_a_screen_reader(
    report: Path, visit: Visit, viewport: dict[str, int], scheme: str
) -> None:
    from axe_playwright_python.sync_playwright import Axe

    page = visit(report, viewport=viewport, color_scheme=scheme, bypass_csp=True)
    SCREENSHOTS.mkdir(parents=True, exist_ok=True)
    page.screenshot(path=SCREENSHOTS / f"report-{viewport['width']}-{scheme}.png", full_page=True)
    page.evaluate("document.querySelectorAll('details').forEach((one) => one.open = true)")
    found = Axe().run(page).response["violations"]
    serious = [one for one in found if one["impact"] in ("serious", "critical")]
    assert not serious, [(one["id"], [node["html"][:200] for node in one["nodes"]][:5]) for one in serious]
