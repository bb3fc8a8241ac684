"""The site of the documents: built strictly, complete, and read without a network."""

import re
import shutil
import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urldefrag

import pytest

DOCS = Path(__file__).parents[2] / "docs"
LOADS = {  # attributes whose value a browser fetches by itself
    "audio": "src", "embed": "src", "iframe": "src", "img": "src", "input": "src", "link": "href", "object": "data",
    "script": "src", "source": "src", "video": "src",
}  # fmt: skip


def build(docs: Path, out: Path) -> subprocess.CompletedProcess[str]:
    """Build as `make docs` does."""
    command = [sys.executable, "-m", "sphinx", "-q", "-W", "--keep-going", "-b", "html", str(docs), str(out)]
    return subprocess.run(command, capture_output=True, text=True)


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("site")
    done = build(DOCS, out)
    assert done.returncode == 0, done.stderr
    return out


class Page(HTMLParser):
    """What a page loads and where its links lead."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.loads: list[str] = []
        self.links: list[str] = []
        self.ids: set[str] = set()
        self.feed(path.read_text(encoding="utf-8"))

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        found = {name: value or "" for name, value in attrs}
        self.ids |= {found["id"]} if "id" in found else set()
        if tag == "a" and "href" in found:
            self.links.append(found["href"])
        if tag in LOADS and (place := found.get(LOADS[tag])):
            self.loads.append(place)
        self.loads += [part.split()[0] for part in found.get("srcset", "").split(",") if part.strip()]


def outside(place: str) -> bool:
    return re.match(r"([a-z][a-z0-9+.-]*:)?//", place.strip().strip("'\""), re.IGNORECASE) is not None


@pytest.mark.slow
def test_the_site_has_every_page_and_each_is_reached_from_the_first(site: Path) -> None:
    pages = {path.stem for path in DOCS.glob("*.md")}
    assert {path.stem for path in site.glob("*.html")} >= pages
    reached = {urldefrag(link).url.removesuffix(".html") for link in Page(site / "index.html").links}
    assert pages - {"index"} <= reached


@pytest.mark.slow
def test_no_page_loads_anything_from_a_network(site: Path) -> None:
    for path in site.rglob("*.html"):
        assert [place for place in Page(path).loads if outside(place)] == [], path.name
    for path in (*site.rglob("*.css"), *site.rglob("*.html")):
        text = path.read_text(encoding="utf-8")
        fetched = re.findall(r"url\(([^)]*)\)|@import\s+([^;]+);", text)
        assert [place for pair in fetched for place in pair if outside(place)] == [], path.name
    for path in site.rglob("*.js"):
        calls = re.findall(
            r"(?:fetch|import|importScripts|open)\(\s*['\"`](https?:[^'\"`]*)", path.read_text()
        )
        assert calls == [], path.name


@pytest.mark.slow
def test_every_link_within_the_site_leads_somewhere(site: Path) -> None:
    for path in site.glob("*.html"):
        for link in Page(path).links:
            place, anchor = urldefrag(link)
            if outside(link) or link.startswith("mailto:"):
                continue
            target = (path.parent / unquote(place)).resolve() if place else path
            assert target.exists(), (path.name, link)
            if anchor and target.suffix == ".html":
                assert unquote(anchor) in Page(target).ids, (path.name, link)


@pytest.mark.slow
def test_search_finds_a_word_without_a_network(site: Path) -> None:
    """The index is a script that the page loads, so that it works from a disk."""
    assert (site / "searchindex.js").read_text().startswith("Search.setIndex(")
    assert "searchindex.js" in Page(site / "search.html").loads


@pytest.mark.slow
@pytest.mark.parametrize(
    ("link", "said"),
    [
        ("[x](no-such-page.md)", "target not found: 'no-such-page.md'"),
        ("[x](gates.md#no-such-section)", "local id not found in doc 'gates': 'no-such-section'"),
        ("[x](#no-such-section)", "target not found: 'no-such-section'"),
        ("![x](no-such-picture.png)", "image file not readable: no-such-picture.png"),
    ],
)
def test_a_broken_link_fails_the_build(link: str, said: str, tmp_path: Path) -> None:
    shutil.copytree(DOCS, tmp_path / "docs")
    with (tmp_path / "docs" / "glossary.md").open("a") as page:
        page.write(f"\n{link}\n")
    done = build(tmp_path / "docs", tmp_path / "out")
    assert done.returncode != 0
    assert said in done.stderr
