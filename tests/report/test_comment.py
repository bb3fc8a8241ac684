"""The comment on a pull request: the answer first, nothing dropped without a word, and foreign text shown as text."""

import re
from dataclasses import replace
from html.parser import HTMLParser

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from harness.report import comment, markdown, verdicts
from harness.types import Judgement

ALLOWED = set("p strong table thead tbody tr th td br details summary h4 ul li a".split())


class Tags(HTMLParser):
    """Every tag with its attributes, comments, and all text."""

    def __init__(self, document: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.comments: list[str] = []
        self.text = ""
        self.feed(document)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.text += data

    def handle_comment(self, data: str) -> None:
        self.comments.append(data)


def shown(text: str) -> Tags:
    return Tags(MarkdownIt("commonmark", {"html": True, "linkify": False}).enable("table").render(text))


def hostile(judgement: Judgement, evil: str) -> Judgement:
    """The same text wherever a judgement holds text."""
    (one, *_), (fallen, *_) = judgement.verdicts, judgement.regressions
    verdict = replace(
        one, verdict="fail", gate=evil, because=evil, subject=evil, task=evil, metric=evil, slice=evil, limit=evil,
        against=evil,
    )  # fmt: skip
    sample = replace(
        fallen, system=replace(fallen.system, model=evil, adapter=evil), task=evil, metric=evil, against=evil,
        sample_id=evil, prompt=evil, reference=evil, answer_before=evil, answer_after=evil,
    )  # fmt: skip
    return replace(
        judgement,
        name=evil,
        verdicts=(verdict, replace(verdict, verdict="pass")),
        regressions=(sample,),
        remarks=(evil,),
    )


def test_the_first_line_is_the_answer_and_the_last_the_marker(judgement: Judgement) -> None:
    lines = comment.render(judgement, marker="harness gate ci").splitlines()
    assert lines[0] == "**1 of 4 gates failed, 1 is invalid, 1 is inconclusive, 1 passed**, suite ci"
    assert lines[-1] == "<!-- harness gate ci -->"


def test_verdicts_stand_worst_first_and_passed_ones_are_folded(judgement: Judgement) -> None:
    text = comment.render(judgement, marker="m")
    assert re.findall(r"^\| \*\*(\w+)\*\*", text, re.MULTILINE) == ["fail", "invalid", "inconclusive", "pass"]
    assert text.index("<details><summary>1 gate passed") < text.index("| **pass**")
    assert text.index("| **inconclusive**") < text.index("<details>")


def test_a_sample_that_fell_is_told_with_its_texts_where_it_has_them(judgement: Judgement) -> None:
    text = comment.render(judgement, marker="m")
    row = "| test-000017 | llama2-tiny + quickstart on instructions, ROUGE-L | base | 62.1 | 12.0 | −50.1 |"
    assert row in text
    assert "| prompt | How many boxes<br>are there? |" in text
    assert "| after | (empty) |" in text
    folded = text[text.index("<summary>Prompts and answers") :]
    assert "test-000017" in folded
    assert "test-000018" not in folded
    assert "test-000018" in text


def test_scores_alone_leave_no_fold_of_texts(judgement: Judgement) -> None:
    text = comment.render(replace(judgement, regressions=judgement.regressions[1:]), marker="m")
    assert "Prompts and answers" not in text
    assert "| test-000018 |" in text


def test_notes_and_gates_of_too_few_samples_are_told(judgement: Judgement) -> None:
    text = comment.render(judgement, marker="m")
    assert (
        "- Few samples: max_drop 1.0 needs n ≥ 1,600 here: with n = 800 an adapter with no true drop" in text
    )
    assert "- Note: baseline made with torch 2.13.0, here 2.14.0" in text
    assert "although nothing is wrong is at most 5 %." in text


@pytest.mark.slow
@settings(deadline=None, max_examples=100)
@given(judgement=..., marker=st.text(st.characters()))
def test_any_judgement_is_shown_as_text(judgement: Judgement, marker: str) -> None:
    text = comment.render(judgement, marker=marker, report_link="https://ci.example/run/1")
    text.encode()
    found = shown(text)
    assert {tag for tag, _ in found.tags} <= ALLOWED
    links = [attributes for tag, attributes in found.tags if tag == "a"]
    assert links == [{"href": "https://ci.example/run/1"}]
    assert not any(attributes for tag, attributes in found.tags if tag not in ("a", "th", "td"))
    assert set(found.comments[:-1]) <= {" "}  # those that keep a name from being called
    assert not re.search("[\x00\x1b\x85\u2028\u202e\u200f]", text)
    assert not re.search(r"@\w", text.rpartition("\n<!--")[0].replace("@<!-- -->", ""))
    for table in re.findall(r"(?:^\|.*\n)+", text, re.MULTILINE):
        assert len({len(re.findall(r"(?<!\\)\|", line)) for line in table.splitlines()}) == 1


@pytest.mark.parametrize(
    ("evil", "expected"),
    [
        ("<script>alert(1)</script>", "<script>alert(1)</script>"),
        ("a | b\n| --- |\n\n# heading\n<details>", "a | b| --- |# heading<details>"),
        ("`code` **bold** [link](javascript:alert(1)) $x^2$ <!-- never", None),
        ("https://evil.example www.evil.example @everyone &lt;b&gt; {{ 7 * 7 }}", None),
        (
            "user\u202egnp.exe \u200f\x00 \ud800 \x1b[31m",
            "user⟦U+202E⟧gnp.exe ⟦U+200F⟧⟦U+0000⟧ ⟦U+D800⟧ ⟦U+001B⟧[31m",
        ),
        ("__init__ _a_ __ a__b snake_case ‿_x_‿", None),
        ("- item\n1. first\n> quoted\n---\n===", "- item1. first> quoted---==="),
    ],
)
def test_hostile_text_is_shown_as_it_is(judgement: Judgement, evil: str, expected: str | None) -> None:
    text = comment.render(hostile(judgement, evil), marker=evil, report_link=f"https://x.example/{evil}")
    found = shown(text)
    assert {tag for tag, _ in found.tags} <= ALLOWED
    assert found.text.count(expected or evil) >= 15


@settings(deadline=None, max_examples=300)
@given(st.text(st.sampled_from("ab1 _*`~[]()!<>&|\\#$@.:-+='\"‿é"), min_size=1, max_size=12))
def test_no_marks_of_markdown_mean_anything_in_a_name(name: str) -> None:
    table = shown(f"| a |\n|---|\n| x{markdown.cell(name)}y |\n")
    assert "".join(table.text.split()) == "ax" + "".join(name.split()) + "y"
    assert {tag for tag, _ in table.tags} == {"table", "thead", "tbody", "tr", "th", "td"}


def test_a_text_without_spaces_is_cut_and_says_so(judgement: Judgement) -> None:
    text = comment.render(hostile(judgement, "x" * 100_000), marker="x" * 100_000)
    assert len(text) < 12_000
    assert "99,400 more characters" in text


@settings(deadline=None, max_examples=15)
@given(judgement=..., times=st.sampled_from([60, 2500]))
@pytest.mark.nightly
def test_it_stays_under_what_github_takes_and_counts_what_it_leaves_out(
    judgement: Judgement, times: int
) -> None:
    many = replace(
        judgement,
        verdicts=judgement.verdicts * times,
        regressions=judgement.regressions * times,
        remarks=judgement.remarks * times,
    )
    text = comment.render(many, marker="m")
    assert len(text.encode()) < 65_536
    assert text.startswith(f"**{verdicts.answer(many)}**")
    assert_all_are_counted(many, text)


def assert_all_are_counted(judgement: Judgement, text: str) -> None:
    left = {
        what: int(found[1].replace(",", "")) if (found := re.search(rf"([\d,]+) {what}", text)) else 0
        for what in (
            "gates? that did not pass",
            "gates? that passed",
            "samples? that fell(?! most)",
            "notes?",
        )
    }
    rows = re.findall(r"^\| \*\*(\w+)\*\* \|", text, re.MULTILINE)
    fallen = (
        text.partition("#### Samples with the largest drops")[2].partition("\n\n")[2].partition("\n\n")[0]
    )
    notes = re.findall(r"^- (?:Note|Few samples): ", text, re.MULTILINE)
    passed = sum(one.verdict == "pass" for one in judgement.verdicts)
    assert rows.count("pass") + left["gates? that passed"] == passed
    assert (
        len(rows) - rows.count("pass") + left["gates? that did not pass"] == len(judgement.verdicts) - passed
    )
    shown_rows = max(0, len(fallen.splitlines()) - 2)
    assert shown_rows + left["samples? that fell(?! most)"] == len(judgement.regressions)
    assert len(notes) + left["notes?"] == len(judgement.remarks) + len(verdicts.warnings(judgement))


def test_samples_go_before_gates_that_did_not_pass(judgement: Judgement) -> None:
    fallen = replace(judgement.regressions[0], prompt="p" * 600, reference="r" * 600, answer_before="b" * 600)
    failed = judgement.verdicts[-1:]
    many = replace(judgement, verdicts=failed * 200, regressions=(fallen,) * 50)
    text = comment.render(many, marker="m")
    assert text.count("| **fail** |") == 200
    left = re.search(r"Left out here: (\d+) samples that fell$", text, re.MULTILINE)
    assert left is not None
    assert 10 <= 50 - int(left[1]) < 50
    assert len(text.encode()) > 60_000


@pytest.mark.parametrize(
    ("link", "href"),
    [
        ("https://ci.example/a(b) c", "https://ci.example/a%28b%29%20c"),
        ("https://ci.example/?a=1&b=2#c", "https://ci.example/?a=1&b=2#c"),
        ("https://x.example/)<script>\n\n# h\ud800", "https://x.example/%29%3Cscript%3E%0A%0A#%20h?"),
        ("javascript:alert(1)", None),
        ("https://x.example/" + "x" * 5000, None),
        (None, None),
    ],
)
def test_only_addresses_of_pages_are_linked(judgement: Judgement, link: str | None, href: str | None) -> None:
    found = shown(comment.render(judgement, marker="m", report_link=link))
    links = [attributes["href"] for tag, attributes in found.tags if tag == "a"]
    assert links == ([href] if href else [])


@pytest.mark.parametrize(
    ("marker", "last"),
    [
        ("harness-gate ci", "<!-- harness-gate ci -->"),
        ("a --> <script>", "<!-- a --_ <script_ -->"),
        ("--!> x", "<!-- --!_ x -->"),
        ("->\n\n# h", "<!-- -_ # h -->"),
        ("@everyone --", "<!-- @everyone -- -->"),
    ],
)
def test_no_marker_ends_its_comment(judgement: Judgement, marker: str, last: str) -> None:
    text = comment.render(judgement, marker=marker)
    assert text.splitlines()[-1] == last
    assert shown(text).comments == [last[4:-3]]
    assert "script" not in shown(text).text


def test_an_empty_judgement_says_that_nothing_was_judged(judgement: Judgement) -> None:
    text = comment.render(Judgement(name="ci", verdicts=()), marker="m")
    assert text.startswith("**No gate was judged**")
    assert "|" not in text


def test_a_comment_needs_nothing_heavy() -> None:
    import subprocess
    import sys

    code = (
        "import sys, harness.report.comment, harness.report.github, harness.report.junit, harness.report.verdict_table\n"
        "heavy = {'torch', 'transformers', 'peft', 'pandas', 'scipy', 'altair', 'numpy', 'datasets'}\n"
        "assert not heavy & set(sys.modules), heavy & set(sys.modules)\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
