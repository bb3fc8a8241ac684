"""Every page works as it stands there: its files are written, its commands and Python run in order, in an empty folder."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.docs.fences import PAGES, ROOT, Fence, fences

BY_DAY = ("README.md", "own-data.md")  # the pages that are tried for each change
RUNNABLE = [
    pytest.param(page, id=page.name, marks=[pytest.mark.slow if page.name in BY_DAY else pytest.mark.nightly])
    for page in PAGES
    if any(fence.runs for fence in fences(page))
]


@pytest.fixture(scope="session")
def store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One store for all pages, and for all workers of xdist: what one page has run, another finds kept."""
    base = tmp_path_factory.getbasetemp()
    return (base.parent if "PYTEST_XDIST_WORKER" in os.environ else base) / "store-of-pages"


@pytest.fixture
def environment(store: Path) -> dict[str, str]:
    """A reader's environment without a network, in which `harness`, `python` and `pytest` are those of these tests."""
    return {
        **os.environ,
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
        "HARNESS_STORE": str(store),
        "HARNESS_OFFLINE": "1",
        "HF_HUB_OFFLINE": "1",
        "COLUMNS": "120",
    }


class Reader:
    """Somebody who does in an empty folder what a page says."""

    def __init__(self, folder: Path, environment: dict[str, str], python: subprocess.Popen[str]) -> None:
        self.folder, self.environment, self.python = folder, environment, python

    def does(self, fence: Fence) -> None:
        if fence.file is not None:
            path = self.folder / fence.file
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(fence.text, encoding="utf-8")
        elif fence.runs and fence.language == "sh":
            self._commands(fence)
        elif fence.runs:
            self._python(fence)

    def _commands(self, fence: Fence) -> None:
        done = subprocess.run(
            ["bash", "-e", "-o", "pipefail", "-c", fence.text],
            cwd=self.folder,
            env=self.environment,
            capture_output=True,
            text=True,
        )
        said = f"{fence}: exit code {done.returncode}\n{fence.text}\n{done.stdout[-2000:]}\n{done.stderr[-3000:]}"
        assert done.returncode == fence.exit_code, said

    def _python(self, fence: Fence) -> None:
        to, answers = self.python.stdin, self.python.stdout
        assert to is not None and answers is not None
        to.write(json.dumps({"text": fence.text, "where": str(fence)}) + "\n")
        to.flush()
        failure = json.loads(answers.readline() or '"the interpreter ended"')
        assert not failure, failure


@contextmanager
def reading(folder: Path, environment: dict[str, str]) -> Iterator[Reader]:
    command = [sys.executable, "-P", str(Path(__file__).with_name("session.py"))]
    with subprocess.Popen(
        command, cwd=folder, env=environment, text=True, stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as python:
        try:
            yield Reader(folder, environment, python)
        finally:
            assert python.stdin is not None
            python.stdin.close()


@pytest.mark.timeout(900)
@pytest.mark.parametrize("page", RUNNABLE)
def test_a_page_works_as_it_stands(page: Path, tmp_path: Path, environment: dict[str, str]) -> None:
    with reading(tmp_path, environment) as reader:
        for fence in fences(page):
            reader.does(fence)


def test_a_block_that_fails_fails_the_page(tmp_path: Path, environment: dict[str, str]) -> None:
    """Else the test above would hold of anything."""
    page = tmp_path / "page.md"
    page.write_text("```sh exit=3\nexit 3\n```\n```python\nx = 1\n```\n```python\nassert x == 1\n```\n")
    with reading(tmp_path, environment) as reader:
        for fence in fences(page):
            reader.does(on_page(fence))
        page.write_text("```sh\nexit 3\n```\n```python\nassert x == 2\n```\n")
        for fence in fences(page):
            with pytest.raises(AssertionError, match=r"exit code 3|AssertionError"):
                reader.does(on_page(fence))


def on_page(fence: Fence) -> Fence:
    """The block as if its page were one of ours, whose places are written from the root."""
    return Fence(
        page=ROOT / "docs" / "page.md",
        line=fence.line,
        language=fence.language,
        settings=fence.settings,
        text=fence.text,
        reason=fence.reason,
    )
