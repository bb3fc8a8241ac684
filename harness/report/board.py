"""The leaderboard as HTML with filters, as Markdown for git, and as CSV with unrounded numbers."""

import csv
import io
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from math import log10
from typing import TYPE_CHECKING

from harness import text as words
from harness.files.spreadsheet import cell
from harness.leaderboard.rank import Leaderboard, Line, RankedGroup, hardware, ways
from harness.types import Score

if TYPE_CHECKING:
    from harness.report.html import NavLink

Links = Mapping[str, str]  # run -> address of its report or folder, seen from the page
SCRIPTS = ("page.js", "board.js")

# How ranks are defined, as shown below each table.
RULE = (
    "A system's rank is one more than the number of systems that are significantly better than it, so ties share a rank: "
    "paired on the same samples, by a sign-flip test, with Holm's correction for all pairs of the group at 5 %. "
    "Its interval runs to the last place that these tests leave open; with 95 % certainty all intervals of a group "
    "are right at the same time."
)
NOT_SAID = "not said"
WRITTEN = "Written by"  # how the first line of the Markdown page begins
UNRANKED = (
    "There are no ranks, because no difference can be tested: the score is not a sum over samples, its rows are missing, "
    "or the samples are a single one or belong to a single cluster."
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """A line of the leaderboard with what its table cells show."""

    line: Line
    place: str  # "1–3"
    way: str  # "A": which way of asking, if the group has several
    machine: int  # number in the group's list, from 1; 0: not measured

    @property
    def score(self) -> Score:
        """Return the score that the bar shows."""
        return self.line.entry.score

    @property
    def role(self) -> str:
        """Return "trivial", "adapter" or "base"."""
        system = self.line.entry.score.system
        return "trivial" if system.is_trivial else "adapter" if system.adapter else "base"

    @property
    def family(self) -> str:
        """Return the model's family as the filter lists it."""
        model = self.line.entry.model
        return "no model" if model is None else model.family or "unknown family"

    @property
    def licence(self) -> str:
        """Return the model's licence as the filter lists it."""
        model = self.line.entry.model
        return "no model" if model is None else model.licence or NOT_SAID


@dataclass(frozen=True, slots=True, kw_only=True)
class Section:
    """A group of the leaderboard with what its heading shows."""

    title: str
    metric: str
    lower: bool
    unit: str
    n: int
    bottom: float  # beginning of the axis of the bars: 0, or less where a score or an interval is negative
    top: float  # its end
    licence: str
    apart: str
    signature: str
    machines: tuple[str, ...]
    ways: int
    tested: bool
    distinct: bool  # not all systems share the first rank
    forgotten: str  # in which unit and on which text adapters forgot; "" where no suite asked for it
    lines: tuple[Shown, ...]


def html(board: Leaderboard, links: Links, command: str) -> str:
    """Return the leaderboard as an HTML page."""
    from harness.report import html as pages

    return pages.document("board.html.j2", _content(board, links), SCRIPTS)


def site_page(board: Leaderboard, links: Links, nav: Sequence["NavLink"]) -> str:
    """Return the leaderboard as an HTML page of a site with this menu."""
    from harness.report import html as pages

    return pages.document("board.html.j2", {**_content(board, links), "nav": nav}, SCRIPTS)


def markdown(board: Leaderboard, links: Links, command: str) -> str:
    """Return the leaderboard as a Markdown page; its first line, which is not shown, names the command."""
    from harness.report import markdown as pages

    written = pages.remark(f"{WRITTEN} `{words.portable(command)}`; changes by hand are lost.")
    return pages.document("board.md.j2", {**_content(board, links), "written": written})


def same(one: str, other: str) -> bool:
    """Return whether two pages have the same content, whichever command wrote each."""
    pages = (page.split("\n", 1)[-1] if page.startswith(f"<!-- {WRITTEN}") else page for page in (one, other))
    return len(set(pages)) == 1


def table(board: Leaderboard, links: Links, command: str) -> str:
    """Return the leaderboard as CSV: a row for each system, numbers unrounded."""
    out = io.StringIO()
    writer = csv.DictWriter(out, COLUMNS, lineterminator="\n")
    writer.writeheader()
    for number, group in enumerate(board.groups, 1):
        for line in group.lines:
            row = {name: of(number, line) for name, of in COLUMNS.items()}
            writer.writerow({name: _plain(value) for name, value in row.items()})
    return out.getvalue()


KINDS: Mapping[str, Callable[[Leaderboard, Links, str], str]] = {
    ".html": html,
    ".md": markdown,
    ".csv": table,
}

COLUMNS: Mapping[str, Callable[[int, Line], object]] = {
    "group": lambda number, _: number,
    "task": lambda _, line: line.entry.task.name,
    "rank": lambda _, line: line.rank,
    "rank_last": lambda _, line: line.last,
    "model": lambda _, line: line.entry.score.system.model,
    "adapter": lambda _, line: line.entry.score.system.adapter,
    "shots": lambda _, line: line.entry.score.system.shots,
    "family": lambda _, line: line.entry.model.family if line.entry.model else None,
    "parameters": lambda _, line: line.entry.model.parameters if line.entry.model else None,
    "metric": lambda _, line: line.entry.score.metric,
    "value": lambda _, line: line.entry.score.value,
    "low": lambda _, line: line.entry.score.low,
    "high": lambda _, line: line.entry.score.high,
    "n": lambda _, line: line.entry.score.n,
    "to_base": lambda _, line: line.entry.to_base.difference if line.entry.to_base else None,
    "to_base_low": lambda _, line: line.entry.to_base.low if line.entry.to_base else None,
    "to_base_high": lambda _, line: line.entry.to_base.high if line.entry.to_base else None,
    "to_base_p_holm": lambda _, line: line.entry.to_base.p_holm if line.entry.to_base else None,
    "forgotten": lambda _, line: line.entry.forgotten.lost if line.entry.forgotten else None,
    "forgotten_low": lambda _, line: line.entry.forgotten.low if line.entry.forgotten else None,
    "forgotten_high": lambda _, line: line.entry.forgotten.high if line.entry.forgotten else None,
    "training_seconds": lambda _, line: line.entry.costs.training_seconds,
    "tokens_per_second": lambda _, line: line.entry.costs.tokens_per_second,
    "peak_megabytes": lambda _, line: line.entry.costs.peak_megabytes,
    "adapter_megabytes": lambda _, line: line.entry.costs.adapter_megabytes,
    "hardware": lambda _, line: line.entry.hardware,
    "model_licence": lambda _, line: line.entry.model.licence if line.entry.model else None,
    "data_licence": lambda _, line: line.entry.task.licence,
    "asked": lambda _, line: line.entry.asked,
    "signature": lambda _, line: line.entry.score.signature,
    "samples": lambda _, line: line.entry.samples.asked,
    "run": lambda _, line: line.entry.run,
}


def _plain(value: object) -> object:
    if isinstance(value, str):
        return cell(words.visible(value))
    return value + 0.0 if isinstance(value, float) else value  # no minus zero


def _content(board: Leaderboard, links: Links) -> dict[str, object]:
    sections = [_section(group) for group in board.groups]
    lines = [line for section in sections for line in section.lines]
    return {
        "board": board,
        "links": links,
        "sections": sections,
        "rule": RULE,
        "unranked": UNRANKED,
        "checked": checked(board),
        "tasks": list(dict.fromkeys(section.title for section in sections)),
        "families": sorted({line.family for line in lines}),
        "licences": sorted({section.licence for section in sections}),
        "model_licences": sorted({line.licence for line in lines}),
        "systems": len(lines),
    }


def checked(board: Leaderboard) -> str:
    """Return a sentence on how the scores were verified."""
    if not board.verified:
        return "No result was verified (--no-verify): the scores are shown as found."
    but = ""
    if board.unchecked:
        but = (
            " Scores of metrics whose code is not part of this harness were not recomputed "
            f"({_runs(board.unchecked)}): they are shown as found, and have no ranks."
        )
    if not board.by_rows:
        return f"Every {'other ' if but else ''}score was recomputed from its answers before it was included.{but}"
    return (
        f"Every {'other ' if but else ''}score was recomputed before it was included, from its answers or, if a result "
        f"contains ids and numbers only ({_runs(board.by_rows)}), from its rows.{but}"
    )


def _runs(names: Sequence[str]) -> str:
    return words.listed([words.visible(name) for name in names])


def _section(group: RankedGroup) -> Section:
    first, machines, asked = group.first, hardware(group), ways(group)
    score = first.score
    shown = [line.entry.score for line in group.lines]
    bottom, top = _ends([end for one in shown for end in (one.value, one.low, one.high) if end is not None])
    return Section(
        title=first.task.name,
        metric=words.metric(score.metric),
        lower=score.better == "lower",
        unit=score.unit,
        n=score.n,
        bottom=bottom,
        top=top,
        licence=first.task.licence or NOT_SAID,
        apart=words.listed(list(group.apart)),
        signature=score.signature,
        machines=machines,
        ways=len(asked),
        tested=group.lines[0].rank is not None,
        distinct=group.lines[0].rank != group.lines[-1].rank,
        forgotten=words.listed(
            list(
                dict.fromkeys(
                    f"{words.metric(lost.change.metric)} on {words.visible(lost.task.name)}"
                    for line in group.lines
                    if (lost := line.entry.forgotten)
                )
            )
        ),
        lines=tuple(
            Shown(
                line=line,
                place=_place(line),
                way=_letter(asked.index(line.entry.asked)) if len(asked) > 1 and line.entry.model else "",
                machine=machines.index(line.entry.hardware) + 1 if line.entry.hardware else 0,
            )
            for line in group.lines
        ),
    )


def _place(line: Line) -> str:
    """Return `1`, or `1–3` for a range of ranks."""
    if line.rank is None:
        return ""
    return str(line.rank) if line.rank == line.last else f"{line.rank}–{line.last}"


def _letter(place: int) -> str:
    """Return the letters A to Z, then A1, B1, and so on."""
    return chr(ord("A") + place % 26) + (str(place // 26) if place >= 26 else "")


def _ends(values: Sequence[float]) -> tuple[float, float]:
    """Return the ends of the bars' axis: 0 and a round number that no bar exceeds; below 0 if a value is."""
    most, least = max(values), min(values)
    return (-_round(-least) if least < 0 else 0.0), (_round(most) if most > 0 else 0.0 if least < 0 else 1.0)


def _round(most: float) -> float:
    """Return the next round number from a number above 0 on."""
    size = 10.0 ** int(log10(most) // 1)
    return next(size * step for step in (1, 2, 5, 10) if size * step >= most)
