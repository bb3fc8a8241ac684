"""Verdicts for GitHub Actions: workflow commands for the log, Markdown for a step's summary."""

from harness import text as words
from harness.gates.shareable import shareable
from harness.report import comment, verdicts
from harness.report.verdicts import Inconclusive
from harness.types import Judgement, Verdict

MOST = 10  # annotations per level and step that GitHub shows; it drops the others silently
LONGEST = 2_000  # characters of a message
LONGEST_SUMMARY = 1_000_000  # bytes, of the 1,048,576 that a step may write

_UNDECIDED = {"fail": "error", "warn": "warning", "pass": "notice"}
_TITLES = {"fail": "failed", "invalid": "is invalid", "inconclusive": "is inconclusive"}

# As GitHub's own toolkit escapes them, since a line and the properties in it end there.
_DATA = str.maketrans({"%": "%25", "\r": "%0D", "\n": "%0A"})
_PROPERTY = _DATA | str.maketrans({":": "%3A", ",": "%2C"})


def annotations(judgement: Judgement, inconclusive: Inconclusive) -> list[str]:
    """Return workflow commands: for gates that did not pass (worst first), gates with too few samples, and remarks."""
    judgement = shareable(judgement)
    said: dict[str, list[tuple[str, str]]] = {"error": [], "warning": [], "notice": []}
    for verdict in verdicts.worst_first(judgement.verdicts):
        if verdict.verdict != "pass":
            said[_level(verdict, inconclusive)].append(_annotation(verdict))
    said["warning"] += [("Gate with too few samples", text) for text in verdicts.warnings(judgement)]
    said["notice"] += [("Gates", text) for text in judgement.remarks]
    return [_command(level, *each) for level, titled in said.items() for each in _first(titled)]


def summary(judgement: Judgement, *, report_link: str | None = None) -> str:
    """Return the text of the pull request's comment, for $GITHUB_STEP_SUMMARY."""
    return comment.render(judgement, marker=None, report_link=report_link, longest=LONGEST_SUMMARY)


def _level(verdict: Verdict, inconclusive: Inconclusive) -> str:
    return _UNDECIDED[inconclusive] if verdict.verdict == "inconclusive" else "error"


def _annotation(verdict: Verdict) -> tuple[str, str]:
    title = f"{words.name(verdict.gate)} {_TITLES[verdict.verdict]}"
    return title, f"{verdicts.judged(verdict)}: {verdicts.explained(verdict)}"


def _first(titled: list[tuple[str, str]]) -> list[tuple[str, str]]:
    """Return the annotations that GitHub shows; the last one says how many are left out."""
    if len(titled) <= MOST:
        return titled
    left = len(titled) - MOST + 1
    return [*titled[: MOST - 1], ("And more", f"{left:,} more like these; the step's summary has them")]


def _command(level: str, title: str, message: str) -> str:
    title = words.visible(title.translate(_PROPERTY))
    return f"::{level} title={title}::{words.visible(words.shorten(message, LONGEST).translate(_DATA))}"
