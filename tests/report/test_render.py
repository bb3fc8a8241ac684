"""The pages of a whole result: complete, self-contained, and deaf to what models write."""

import base64
import gzip
import hashlib
import json
import re
import shutil
import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path

import pytest
from markdown_it import MarkdownIt

from harness import text as words
from harness.report import drawing, figures, html, markdown, render
from harness.report.figures import Figures
from harness.report.page import Page, build
from harness.report.task_samples import task_samples
from harness.results import read

from .conftest import printable

HOSTILE = [
    "<script>alert(1)</script>",
    "</script></style></title><img src=x onerror=alert(1)>",
    "]]><svg onload=alert(1)>",
    "a | b | c\n| --- |\n\n# heading\n<details>",
    "`code` **bold** [link](javascript:alert(1)) $x^2$ <!-- never closed",
    "https://evil.example www.evil.example @everyone &lt;b&gt; {{ 7 * 7 }}",
    "user\u202egnp.exe \u200f\x00 \ud800 \x1b[31m",
    "x" * 100_000,
]


class Tags(HTMLParser):
    """Every tag with its attributes, and all text."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.text += data


@pytest.fixture(scope="module")
def page(example: Path) -> Page:
    result = read(example)
    return build(result, task_samples(result))


def draw(page: Page) -> Figures:
    with drawing.pen() as pen:
        return figures.draw(page, pen)


@pytest.fixture(scope="module")
def drawn(page: Page) -> Figures:
    return draw(page)


@pytest.fixture(scope="module")
def drawn_hostile(hostile: Page) -> Figures:
    return draw(hostile)


@pytest.fixture(scope="module")
def document(example: Path, drawings: Path, tmp_path_factory: pytest.TempPathFactory) -> str:
    """The page as it is written, its samples as data in it."""
    folder = tmp_path_factory.mktemp("document") / "result"
    shutil.copytree(example, folder)
    render(folder, drawings)
    return (folder / "report.html").read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def hostile(example: Path, tmp_path_factory: pytest.TempPathFactory) -> Page:
    """Answers, names, notes and manifest full of what breaks pages."""
    folder = tmp_path_factory.mktemp("hostile") / "result"
    shutil.copytree(example, folder)
    text = (folder / "result.json").read_text()
    evil = json.dumps("".join(HOSTILE[:7]))[1:-1]
    for victim in (
        "falcon-tiny",
        "quickstart",
        "Questions on a short passage.",
        "harness run",
        "layer skipped",
    ):
        named = victim in ("falcon-tiny", "quickstart")
        text = text.replace(victim, json.dumps(printable("".join(HOSTILE[:7])))[1:-1] if named else evil)
    (folder / "result.json").write_text(text)
    _replace_answers(folder)
    result = read(folder)
    return build(result, task_samples(result))


def _replace_answers(folder: Path) -> None:
    path = folder / "generations.jsonl.gz"
    with gzip.open(path) as file:
        lines = [json.loads(line) for line in file]
    for place, line in enumerate(lines):
        line["text"] = HOSTILE[place % len(HOSTILE)]
    with gzip.open(path, "wt") as file:
        file.writelines(json.dumps(line) + "\n" for line in lines)


def test_the_page_opens_with_the_answer_and_ends_with_the_manifest(document: str) -> None:
    sections = re.findall(r'<section id="(\w+)"', document)
    expected = "answer scores differences matrix samples slices cost training weights wrong manifest"
    assert sections == expected.split()


def test_the_page_asks_nothing_of_any_network(document: str) -> None:
    for tag, attributes in _tags(document):
        assert not any(name.startswith("on") or name in ("style", "src", "srcset") for name in attributes), (
            tag
        )
        assert (attributes.get("href") or "#").startswith(("#", "data:,"))
    style = re.findall(r"<style>(.*?)</style>", document, re.DOTALL)[0]
    assert not re.search(r"url\((?!#)|@import|@font-face", style)


def test_the_policy_allows_this_style_sheet_and_these_scripts_and_nothing_else(document: str) -> None:
    style = re.findall(r"<style>(.*?)</style>", document, re.DOTALL)
    scripts = re.findall(r"<script>(.*?)</script>", document, re.DOTALL)
    assert (len(style), len(scripts)) == (1, 2)
    hashes = [base64.b64encode(hashlib.sha256(one.encode()).digest()).decode() for one in (*style, *scripts)]
    policy = next(dict(a)["content"] for t, a in _tags(document) if t == "meta" and "http-equiv" in a)
    assert policy == (
        f"default-src 'none'; style-src 'sha256-{hashes[0]}'; "
        f"script-src 'sha256-{hashes[1]}' 'sha256-{hashes[2]}'; "
        "img-src data:; base-uri 'none'; form-action 'none'"
    )


def test_scripts_name_no_way_to_run_text_or_to_write_it_as_markup() -> None:
    for path in (Path(html.__file__).parent / "templates").glob("*.js"):
        banned = r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\b|new Function|fetch\(|XMLHttp|import\("
        script = path.read_text()
        if path.name == "live.js":  # the page of runs that are going on asks its own server for one address
            script = script.replace('await fetch("live.json", {', "", 1)
        assert not re.search(banned, script), path


def _tags(document: str) -> list[tuple[str, dict[str, str | None]]]:
    parsed = Tags()
    parsed.feed(document)
    return parsed.tags


def test_charts_are_coloured_by_the_page_and_share_no_ids(document: str) -> None:
    assert "var(--accent)" in document
    assert "#000d00" not in document
    ids = re.findall(r' id="([^"]+)"', document)
    assert len(ids) == len(set(ids))


def test_every_system_stands_in_the_table_with_its_interval(page: Page, document: str) -> None:
    for task in page.tasks:
        assert len(task.lines) == 10
        for line in task.lines:
            assert words.interval(line.score.low, line.score.high) in document
        assert sum(line.best for line in task.lines) == 1


def test_tasks_that_were_trained_on_come_first(page: Page) -> None:
    assert [task.facts.name for task in page.tasks] == ["dialogues", "instructions"]


def test_samples_show_losses_gains_and_some_drawn_without_looking(page: Page) -> None:
    for task in page.tasks:
        changes = {
            why: [p.change for p in task.picks if p.why == why] for why in ("regression", "gain", "random")
        }
        assert all(change is not None and change < 0 for change in changes["regression"])
        assert all(change is not None and change > 0 for change in changes["gain"])
        assert len(changes["random"]) == 3
        assert len({pick.sample.id for pick in task.picks}) == len(task.picks)
        assert all([len(group) for group in pick.answers] == [2, 2, 2, 2] for pick in task.picks)


@pytest.mark.slow
def test_hostile_text_is_shown_as_text_in_html(hostile: Page, drawn_hostile: Figures) -> None:
    document = html.render(hostile, drawn_hostile)
    document.encode("utf-8")
    parsed = Tags()
    parsed.feed(document)
    tags = [tag for tag, _ in parsed.tags]
    assert not {"img", "iframe", "object"} & set(tags)
    assert tags.count("script") == 2
    assert not any(name.startswith("on") for _, attributes in parsed.tags for name in attributes)
    assert "<script>alert(1)</script>" in parsed.text
    assert "]]><svg onload=alert(1)>" in parsed.text
    assert "user⟦U+202E⟧gnp.exe" in parsed.text
    assert "{{ 7 * 7 }}" in parsed.text
    assert "96,000 more characters" in parsed.text
    assert not re.search("[\x00\x1b\u202e\u200f]", document)


def test_hostile_text_is_shown_as_text_in_markdown(hostile: Page, drawn_hostile: Figures) -> None:
    text = markdown.render(hostile, drawn_hostile)
    text.encode("utf-8")
    shown = MarkdownIt("commonmark", {"html": True, "linkify": False}).enable("table").render(text)
    parsed = Tags()
    parsed.feed(shown)
    allowed = {
        "h1",
        "h2",
        "p",
        "strong",
        "table",
        "thead",
        "tbody",
        "tr",
        "th",
        "td",
        "br",
        "details",
        "summary",
    }
    assert {tag for tag, _ in parsed.tags} <= allowed | {"picture", "source", "img", "pre", "code"}
    assert all(attributes["src"].startswith("charts/") for tag, attributes in parsed.tags if tag == "img")
    assert "<script>alert(1)</script>" in parsed.text
    assert "a | b | c" in parsed.text
    assert "[link](javascript:alert(1))" in parsed.text


@pytest.mark.slow
def test_the_markdown_sets_off_what_the_page_sets_off(page: Page, drawn: Figures) -> None:
    text = markdown.render(page, drawn)
    assert re.search(
        r"On \*\*dialogues\*\*, \*\*flan-t5-tiny \+ quickstart\*\* scores highest of .*: ROUGE-L \*\*", text
    )
    assert text.count("<picture>") == 12


def test_every_markdown_table_keeps_its_columns(
    hostile: Page, drawn_hostile: Figures, page: Page, drawn: Figures
) -> None:
    for text in (markdown.render(page, drawn), markdown.render(hostile, drawn_hostile)):
        tables = re.findall(r"(?:^\|.*\n)+", text, re.MULTILINE)
        assert len(tables) > 10
        for table in tables:
            widths = {len(re.findall(r"(?<!\\)\|", line)) for line in table.splitlines()}
            assert len(widths) == 1, table[:400]


def test_a_run_without_trouble_says_so(page: Page, drawn: Figures) -> None:
    from dataclasses import replace

    calm = replace(page, notes=(), failed=())
    for text in (html.render(calm, drawn), markdown.render(calm, drawn)):
        assert "Nothing: every step finished" in text
    assert "Nothing: every step finished" not in html.render(page, drawn)


@pytest.mark.slow
def test_render_writes_pages_and_charts_and_the_same_ones_again(
    example: Path, drawings: Path, tmp_path: Path
) -> None:
    folder = tmp_path / "result"
    shutil.copytree(example, folder)
    render(folder, drawings)
    written = {path.relative_to(folder): path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    charts = {path.name for path in (folder / "charts").iterdir()}
    names = ("differences-1", "losses", "alphas", "alpha-histogram", "ratios", "spectra-1")
    assert {f"{name}{ending}.svg" for name in names for ending in ("", "-dark")} <= charts
    assert set(re.findall(r'charts/([^"]+)"', (folder / "report.md").read_text())) == charts
    render(folder)
    assert written == {
        path.relative_to(folder): path.read_bytes() for path in folder.rglob("*") if path.is_file()
    }


def test_a_result_of_scores_alone_still_renders(example: Path, drawings: Path, tmp_path: Path) -> None:
    """No training, no weights, no comparisons: a first look at bases."""
    folder = tmp_path / "result"
    shutil.copytree(example, folder)
    document = json.loads((folder / "result.json").read_bytes())
    document |= {"comparisons": [], "weights": [], "costs": [], "curves": [], "notes": [], "steps": []}
    (folder / "result.json").write_text(json.dumps(document))
    render(folder, drawings)
    assert "not tested" in (folder / "report.html").read_text()


@pytest.mark.slow
def test_a_report_needs_no_neural_library_and_loads_altair_only_to_draw() -> None:
    code = (
        "import sys, harness.report, harness.results, harness.report.page, harness.report.terminal\n"
        "assert not {'altair', 'pandas', 'jinja2'} & set(sys.modules)\n"
        "import harness.report.html, harness.report.markdown, harness.report.figures\n"
        "assert not {'torch', 'transformers', 'peft', 'pandas', 'scipy.stats'} & set(sys.modules)\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
