"""The pages of a site as HTML. Addresses are relative, so that the pages are the same on a server and as files."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from harness import text as words
from harness.report import figures, html
from harness.report.charts import trend as chart
from harness.report.drawing import pen
from harness.report.html import NavLink
from harness.report.site.live import LiveRun
from harness.report.site.members import IndexRow, Member, Unreadable, in_json
from harness.report.site.pairs import PairedResults
from harness.report.site.trends import SuiteTrends, Trend, of_models

INDEX, BOARD, PAIRS, TRENDS, LIVE = (
    "index.html",
    "leaderboard.html",
    "compare.html",
    "trend.html",
    "live.html",
)
TITLES = {INDEX: "Results", BOARD: "Leaderboard", PAIRS: "Compare", TRENDS: "Trends", LIVE: "Live"}
STATES = ("whole", "partial", "unfinished")


@dataclass(frozen=True, slots=True, kw_only=True)
class LinkedPair:
    """Two RESULTs with a task in common, and the address of their page."""

    a: Member
    b: Member
    address: str
    tasks: str
    suites: str


@dataclass(frozen=True, slots=True, kw_only=True)
class LinkedSuite:
    """A suite, and what the list of trends says of it."""

    key: str
    suite: str
    count: int
    first: str
    latest: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Menu:
    """The menu of a site's pages."""

    live: bool  # a server shows the runs that are going on

    def at(self, address: str, here: str = "") -> list[NavLink]:
        """Return the menu of the page at an address; `here` is the entry that it is or belongs to."""
        up = "../" * address.count("/")
        return [
            NavLink(address=f"{up}{page}", text=title, here=page == (here or address))
            for page, title in TITLES.items()
            if self.live or page != LIVE
        ]


def pair_address(a: Member, b: Member) -> str:
    """Return the address of the page that compares B with A."""
    return f"compare/{a.key}.{b.key}.html"


def report_address(member: Member) -> str:
    """Return the address of a RESULT's report."""
    return f"results/{member.key}/report.html"


def index(
    rows: Sequence[IndexRow],
    unreadable: Sequence[Unreadable],
    menu: Menu,
    place: str,
    pairs: Sequence[str] | None = None,  # the addresses of all pairs; None: every pair has a page
) -> str:
    """Return the index of all RESULTs, the latest first."""
    ordered = sorted(rows, key=lambda row: row.member.name)
    ordered.sort(key=lambda row: row.made, reverse=True)
    choices = [
        ("suite", "Suite", sorted({row.suite for row in rows})),
        ("task", "Task", _all(row.tasks for row in rows)),
        ("model", "Model", _all(row.models for row in rows)),
        ("adapter", "Adapter or base", _all(row.systems for row in rows)),
        ("state", "State", [state for state in STATES if any(row.state == state for row in rows)]),
    ]
    content = {
        "rows": ordered, "unreadable": unreadable, "choices": choices, "in_json": in_json, "place": place,
        "shareable": not menu.live, "nav": menu.at(INDEX), "pairs": None if pairs is None else in_json(pairs),
    }  # fmt: skip
    return html.document("runs.html.j2", content, ("page.js", "runs.js"))


def _all(names: Iterable[Sequence[str]]) -> list[str]:
    return sorted({name for own in names for name in own})


def pairs(
    members: Sequence[Member], linked: Sequence[LinkedPair], menu: Menu, known: Sequence[str], left_out: str
) -> str:
    """Return the page on which two RESULTs are chosen; `known` are the addresses of all pairs, empty if all have a page."""
    content = {
        "members": members, "pairs": linked, "known": known, "left_out": left_out, "in_json": in_json,
        "nav": menu.at(PAIRS),
    }  # fmt: skip
    return html.document("pairs.html.j2", content, ("page.js", "pairs.js"))


def pair(page: PairedResults, menu: Menu) -> str:
    """Return the page of two RESULTs."""
    made = [member.moment.strftime("%Y-%m-%d %H:%M") if member.moment else "" for member in (page.a, page.b)]
    address = pair_address(page.a, page.b)
    content = {
        "page": page, "made": made, "nav": menu.at(address, PAIRS),
        "turned": pair_address(page.b, page.a).removeprefix("compare/"),
    }  # fmt: skip
    return html.document("pair.html.j2", content, ("page.js",))


def trends(suites: Sequence[LinkedSuite], menu: Menu) -> str:
    """Return the list of suites."""
    return html.document("trends.html.j2", {"suites": suites, "nav": menu.at(TRENDS)}, ("page.js",))


def trend(page: SuiteTrends, menu: Menu, drawings: Path | None = None) -> str:
    """Return a suite's page."""
    with pen(drawings) as drawing:
        drawn = [
            figures.figure(
                drawing,
                f"trend-{place}",
                f"{one.metric} on {words.visible(one.task)} in {words.plural(len(page.members), 'RESULT')}",
                partial(chart.chart, one, page.whens),
            )
            if any(of_models(one))
            else None
            for place, one in enumerate(page.trends, 1)
        ]
        address = f"trend/{page.key}.html"
        content = {
            "page": page, "figures": drawn, "more": [_more(one) for one in page.trends],
            "undated": [words.visible(member.name) for member in page.undated],
            "nav": menu.at(address, TRENDS),
        }  # fmt: skip
        return html.document("trend.html.j2", content, ("page.js",))


def _more(trend: Trend) -> str:
    """Return which systems the numbers have and the chart has not."""
    models = [model for model, _ in of_models(trend)][chart.MOST :]
    rules = [words.system(series.system) for series in trend.series if series.system.is_trivial]
    left = [*map(words.visible, models), *rules]
    return f"Not drawn, but among the numbers: {words.listed(left)}." if left else ""


def live(runs: Sequence[LiveRun], menu: Menu, store: str) -> str:
    """Return the page of the runs that are going on; its script asks for `live.json` again and again."""
    content = {"runs": runs, "store": store, "nav": menu.at(LIVE)}
    return html.document("live.html.j2", content, ("page.js", "live.js"), asks="'self'")


def failed(reason: str, menu: Sequence[NavLink]) -> str:
    """Return a page that says why another one cannot be made."""
    return html.document("failed.html.j2", {"reason": reason, "nav": menu}, ("page.js",))
