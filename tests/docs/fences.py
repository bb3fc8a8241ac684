"""The fenced blocks of a page: each says what it is, so that a test can run it or check it.

    ```sh               commands, run by bash in the page's folder; `sh exit=4` says with which code they end
    ```python           run in one interpreter a page; with a first line `# NAME.py` it is a file instead
    ```yaml             the first line says which file it is, `# suites/mine.yaml`, or `# part of a suite`
    ```csv file=NAME    a file, as are json and jsonl
    ```text             what a program prints; not run
    ```{toctree}        the pages of the site, in index.md

A comment `<!-- not run: REASON -->` right above a block of commands or Python says why no test runs it.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]
PAGES = (ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md")))

RUN = ("sh", "python")
DATA = ("csv", "json", "jsonl")
LANGUAGES = (*RUN, *DATA, "yaml", "text", "{toctree}")

_OPENS = re.compile(r"^(?P<indent> *)```(?P<language>[\w{}-]*) *(?P<more>.*)$")
_REASON = re.compile(r"<!-- not run: (.+?) -->")
_FILE = re.compile(r"^# ([\w./-]+\.(?:py|ya?ml))$")
_PART = re.compile(r"^# part of a (suite|task|recipe)$")


@dataclass(frozen=True, slots=True, kw_only=True)
class Fence:
    """A fenced block."""

    page: Path
    line: int  # of its opening
    language: str
    settings: Mapping[str, str]
    text: str
    reason: str | None  # why it is not run

    def __str__(self) -> str:
        return f"{self.page.relative_to(ROOT)}:{self.line}"

    @property
    def first(self) -> str:
        return self.text.partition("\n")[0]

    @property
    def file(self) -> str | None:
        """The file that the block is, relative to the reader's folder."""
        if "file" in self.settings:
            return self.settings["file"]
        found = _FILE.match(self.first) if self.language in ("python", "yaml") else None
        return found[1] if found else None

    @property
    def part(self) -> str | None:
        """Of what the block is a part: of a suite, a task or a recipe."""
        found = _PART.match(self.first) if self.language == "yaml" else None
        return found[1] if found else None

    @property
    def runs(self) -> bool:
        return self.language in RUN and self.file is None and self.reason is None

    @property
    def exit_code(self) -> int:
        return int(self.settings.get("exit", "0"))


def fences(page: Path) -> list[Fence]:
    """Every fenced block of a page, in order."""
    return list(_fences(page, page.read_text(encoding="utf-8").splitlines()))


def _fences(page: Path, lines: list[str]) -> Iterator[Fence]:
    numbered = iter(enumerate(lines, start=1))
    before = ""
    for number, line in numbered:
        if (opens := _OPENS.match(line)) is None:
            before = line or before
            continue
        body = []
        for _, inside in numbered:
            if inside.strip() == "```":
                break
            body.append(inside.removeprefix(opens["indent"]))
        else:
            raise AssertionError(f"{page}:{number}: the block is never closed")
        said = _REASON.search(before)
        yield Fence(
            page=page,
            line=number,
            language=opens["language"],
            settings={
                key: value for key, _, value in (word.partition("=") for word in opens["more"].split())
            },
            text="\n".join(body) + "\n",
            reason=said[1] if said else None,
        )
        before = ""


def write_files(page: Path, folder: Path) -> list[Path]:
    """Write every block that is a file, as a reader of the whole page would."""
    written = []
    for fence in fences(page):
        if fence.file is not None:
            path = folder / fence.file
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(fence.text, encoding="utf-8")
            written.append(path)
    return written
