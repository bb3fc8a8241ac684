"""A comment for a pull request: the answer, the verdicts, and the samples with the largest drops."""

from bisect import bisect_right
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from functools import cache
from urllib.parse import quote

from markupsafe import Markup

from harness import text as words
from harness.gates.shareable import shareable
from harness.report import markdown, verdicts
from harness.types import Judgement, Regression

# GitHub accepts 65,536 characters. A text never has fewer bytes than characters, however these are counted.
LONGEST = 65_000
LONGEST_ADDRESS = 2_000


@dataclass(frozen=True, slots=True, kw_only=True)
class _Shown:
    """How many items of each part are shown."""

    failed: int = 0  # verdicts other than pass
    notes: int = 0
    regressions: int = 0
    passed: int = 0


MOST = _Shown(failed=200, notes=20, regressions=50, passed=200)


def render(
    judgement: Judgement,
    *,
    # Identifies this comment, so that the next run can find it; written as its last line.
    marker: str | None,
    report_link: str | None = None,  # http:// or https://
    longest: int = LONGEST,  # bytes
) -> str:
    """Return Markdown whose first line is the answer; what does not fit is left out and counted.

    The comment leaves the machine: it has no values of columns of a source with `share: scores`.
    """
    judgement = shareable(judgement)
    ordered = verdicts.worst_first(judgement.verdicts)
    failed = [verdict for verdict in ordered if verdict.verdict != "pass"]
    passed = ordered[len(failed) :]
    notes = [("Few samples", warning) for warning in verdicts.warnings(judgement)]
    notes += [("Note", remark) for remark in judgement.remarks]
    there = _Shown(
        failed=len(failed), notes=len(notes), regressions=len(judgement.regressions), passed=len(passed)
    )

    @cache
    def draw(shown: _Shown) -> str:
        regressions = judgement.regressions[: shown.regressions]
        parts = {
            "answer": verdicts.answer(judgement),
            "name": words.name(judgement.name),
            "failed": failed[: shown.failed],
            "passed": passed[: shown.passed],
            "all_passed": len(passed),
            "regressions": regressions,
            "with_texts": [regression for regression in regressions if _has_text(regression)],
            "notes": notes[: shown.notes],
            "left_out": _left_out(there, shown),
            "family_error": judgement.family_error,
            "link": _link(report_link),
            "verdicts": verdicts,
        }
        return markdown.document("comment.md.j2", parts) + _last_line(marker)

    most = _Shown(**{part: min(count, getattr(MOST, part)) for part, count in asdict(there).items()})
    return draw(_that_fits(most, lambda shown: len(draw(shown).encode()) <= longest))


def _that_fits(most: _Shown, fits: Callable[[_Shown], bool]) -> _Shown:
    """Return all items, or as many as fit of the first part, then of the next, and so on."""
    if fits(most):
        return most
    shown = _Shown()
    for part, count in asdict(most).items():

        def too_long(n: int, part: str = part, shown: _Shown = shown) -> bool:
            return not fits(replace(shown, **{part: n}))

        shown = replace(shown, **{part: bisect_right(range(1, count + 1), False, key=too_long)})
    return shown


def _has_text(regression: Regression) -> bool:
    return any(
        text is not None
        for text in (
            regression.prompt,
            regression.reference,
            regression.answer_before,
            regression.answer_after,
        )
    )


def _left_out(there: _Shown, shown: _Shown) -> str:
    """Return `12 gates that did not pass, 37 samples that fell and 400 gates that passed`."""
    names = {
        "failed": ("gate that did not pass", "gates that did not pass"),
        "notes": ("note", "notes"),
        "regressions": ("sample that fell", "samples that fell"),
        "passed": ("gate that passed", "gates that passed"),
    }
    counts = {part: getattr(there, part) - getattr(shown, part) for part in names}
    return words.listed([words.plural(n, *names[part]) for part, n in counts.items() if n])


def _link(address: str | None) -> Markup | None:
    """Return a Markdown link to the report; None if the address is not one of a page."""
    if not address or not address.startswith(("https://", "http://")) or len(address) > LONGEST_ADDRESS:
        return None
    safe = quote(address, safe=":/?#&=%+~@,;", errors="replace")
    return Markup(f"[The whole report]({safe})")  # noqa: S704  characters that could end the link are quoted


def _last_line(marker: str | None) -> str:
    """Return the marker as an HTML comment; no text in the marker can close it."""
    return "" if marker is None else f"\n{markdown.remark(words.name(marker))}\n"
