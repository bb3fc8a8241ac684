"""Pages in a real browser: Debian's Chromium, driven by Playwright, with no way out to any network."""

import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

if os.environ.get("CI") != "true":  # there a missing package is a failure
    pytest.importorskip("playwright", reason="the browser tests need Playwright: pip install -e '.[dev]'")

from playwright import sync_api
from playwright.sync_api import Browser, BrowserContext, Dialog, Page, Route, ViewportSize

from harness.report import render
from tests.report.conftest import write_result

NAMES = ("chromium", "chromium-browser", "google-chrome")
WIDE, NARROW = ViewportSize(width=1440, height=900), ViewportSize(width=390, height=844)
LOOKS = [  # each size and each colour scheme for each change, all four at night
    pytest.param(WIDE, "light", id="light-wide"),
    pytest.param(NARROW, "dark", id="dark-phone"),
    pytest.param(WIDE, "dark", id="dark-wide", marks=pytest.mark.nightly),
    pytest.param(NARROW, "light", id="light-phone", marks=pytest.mark.nightly),
]
SCREENSHOTS = Path(__file__).parents[2] / "reports" / "out" / "screenshots"


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark every test of this folder as slow: a browser takes seconds to draw a page."""
    for item in items:
        if item.path.is_relative_to(Path(__file__).parent):
            item.add_marker(pytest.mark.slow)


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """One for all tests; without one they are skipped here, and fail where CI=true."""
    path = next((found for name in NAMES if (found := shutil.which(name))), None)
    if path is None:
        missing = "the browser tests need Chromium: apt-get install chromium"
        (pytest.fail if os.environ.get("CI") == "true" else pytest.skip)(missing)
    with sync_api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=["--no-sandbox"])
        yield browser
        browser.close()


class Watched:
    """A page, and everything that went wrong on it."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.troubles: list[str] = []
        page.on("pageerror", lambda error: self.troubles.append(f"error: {error}"))
        page.on("console", lambda said: self.troubles.append(f"{said.type}: {said.text}"))
        page.on("dialog", self._dismiss)
        page.route("**/*", self._let)

    def _dismiss(self, dialog: Dialog) -> None:
        self.troubles.append(f"dialog: {dialog.message}")
        dialog.dismiss()

    def _let(self, route: Route) -> None:
        if route.request.url.startswith("file:"):
            route.continue_()
        else:
            self.troubles.append(f"asked for {route.request.url}")
            route.abort()


@pytest.fixture
def visit(browser: Browser) -> Iterator[Callable[..., Page]]:
    """Opens a file; at the end of the test, nothing may have gone wrong on any page."""
    opened: list[Watched] = []
    contexts: list[BrowserContext] = []

    def go(path: Path, part: str = "", viewport: ViewportSize = WIDE, **settings: Any) -> Page:
        context = browser.new_context(viewport=viewport, **settings)
        contexts.append(context)
        watched = Watched(context.new_page())
        opened.append(watched)
        watched.page.goto(path.as_uri() + part)
        return watched.page

    yield go
    troubles = [trouble for one in opened for trouble in one.troubles]
    for context in contexts:
        context.close()
    assert not troubles


@pytest.fixture(scope="session")
def report(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A made-up result's report, with verdicts of gates."""
    folder = write_result(tmp_path_factory.mktemp("browser") / "result", samples=60)
    (folder / "verdicts.json").write_text(
        '[{"gate": "max_drop 1.0", "rule": "max_drop", "verdict": "pass", "because": "+1.2 on 60 samples.",'
        ' "subject": "llama2-tiny + quickstart", "task": "dialogues", "metric": "rougeL", "value": 1.2},'
        ' {"gate": "smaller", "rule": "max_adapter_megabytes", "verdict": "fail", "because": "0.26 MB is over 0.1.",'
        ' "subject": "falcon-tiny + quickstart", "value": 0.26}]'
    )
    render(folder)
    return folder / "report.html"
