"""A site over many RESULTs: find them in a folder, and make each page when it is asked for.

Addresses are looked up among the pages that there are. None of them becomes a path of the folder, and no page of a RESULT
is passed on: its report is drawn again from its data, because the page that lies beside the data may be anybody's.
"""

import os
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from itertools import combinations
from pathlib import Path
from threading import Lock

from harness import text as words
from harness.commands import leaderboard as boards
from harness.commands import runs
from harness.compare import side_by_side
from harness.digest import text_digest
from harness.errors import HarnessError, ResultError
from harness.report import board as board_page
from harness.report import render_html
from harness.report.site import pages
from harness.report.site.members import IndexRow, Member, Unreadable, row
from harness.report.site.pairs import paired
from harness.report.site.trends import suite_trends
from harness.results import read
from harness.results.document import NAME
from harness.results.pathless import without_paths
from harness.results.verdicts import FILE as VERDICTS
from harness.run.store import Store, is_store

LIVE_JSON = "live.json"
LISTED = 300  # pairs that the page of pairs lists, the latest RESULTs first
_PAIR = re.compile(r"compare/([A-Za-z0-9-]+)\.([A-Za-z0-9-]+)\.html")
_TREND = re.compile(r"trend/([A-Za-z0-9-]+)\.html")
_REPORT = re.compile(r"results/([A-Za-z0-9-]+)/(report\.html|samples/\d{4,}\.html)")

Stamp = tuple[object, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Collection:
    """The RESULTs of a folder at some moment."""

    rows: tuple[IndexRow, ...]
    unreadable: tuple[Unreadable, ...]
    stamps: dict[str, Stamp]  # key -> of the files of that RESULT

    @property
    def members(self) -> list[Member]:
        """Return the RESULTs, the latest first."""
        ordered = sorted(self.rows, key=lambda row: row.member.name)
        return [row.member for row in sorted(ordered, key=lambda row: row.made, reverse=True)]

    def member(self, key: str) -> Member | None:
        """Return the RESULT of this key; None if there is none."""
        return next((row.member for row in self.rows if row.member.key == key), None)

    @property
    def stamp(self) -> Stamp:
        """Return what changes when any RESULT does."""
        return tuple(sorted(self.stamps.items(), key=lambda item: item[0]))

    @property
    def suites(self) -> dict[str, list[Member]]:
        """Return the RESULTs of each suite."""
        found: dict[str, list[Member]] = {}
        for member in self.members:
            found.setdefault(member.result.suite.name, []).append(member)
        return found


def key_of(name: str) -> str:
    """Return the part of addresses that stands for a name: its letters and digits, and a digest of all of it."""
    plain = re.sub(r"[^A-Za-z0-9]+", "-", name).strip("-")[:40].strip("-")
    return f"{plain}-{text_digest(name)[:8]}" if plain else text_digest(name)[:8]


def result_folders(folder: Path) -> list[Path]:
    """Return the folders below that contain a result.json, sorted; stores and hidden folders are left out.

    Symbolic links to folders are not followed: a RESULT of a stranger could lead anywhere by one.
    """
    found = []
    for here, below, files in os.walk(folder):
        if NAME in files:
            found.append(Path(here))
            below.clear()
            continue
        below[:] = sorted(
            name for name in below if not name.startswith(".") and not is_store(Path(here) / name)
        )
    return sorted(found)


def refuse_absent(folder: Path) -> None:
    """Raise ResultError if the folder is not there."""
    try:
        there = folder.is_dir()
    except (OSError, ValueError) as error:
        raise ResultError(f"{folder}: cannot be read: {getattr(error, 'strerror', None) or error}") from error
    if not there:
        raise ResultError(
            f"{folder}: no such folder; name a folder that contains RESULTs, such as reports/out"
        )


class SiteReader:
    """Reads the RESULTs of a folder, and again only those that have changed."""

    def __init__(self, folder: Path, lost: Sequence[Unreadable] = ()) -> None:
        self.folder = folder
        self._lost = lost  # RESULTs that are known to be unreadable already
        self._lock = Lock()
        self._known: dict[Path, tuple[Stamp, IndexRow | Unreadable]] = {}

    def read(self) -> Collection:
        """Return the RESULTs as they are now."""
        with self._lock:
            known = {}
            for place in result_folders(self.folder):
                stamp = _stamp(place)
                before = self._known.get(place)
                known[place] = before if before and before[0] == stamp else (stamp, self._row(place))
            self._known = known
            found = list(known.values())
        return Collection(
            rows=tuple(one for _, one in found if isinstance(one, IndexRow)),
            unreadable=(*self._lost, *(one for _, one in found if isinstance(one, Unreadable))),
            stamps={one.member.key: stamp for stamp, one in found if isinstance(one, IndexRow)},
        )

    def _row(self, place: Path) -> IndexRow | Unreadable:
        name = place.relative_to(self.folder).as_posix()
        name = words.visible(self.folder.resolve().name if name == "." else name)
        try:
            result = read(place)
            if not result.scores:
                return Unreadable(name=name, problem="it has no scores")
            return row(Member(key=key_of(name), name=name, folder=place, result=result))
        except HarnessError as error:
            return Unreadable(name=name, problem=local(str(error), place))
        # A document that no run wrote may have a value of any kind in any place.
        except (AttributeError, KeyError, OSError, RecursionError, TypeError, ValueError) as error:
            return Unreadable(name=name, problem=f"{NAME}: broken or changed by hand: {error}")


def _stamp(place: Path) -> Stamp:
    """Return what changes when a RESULT is written again."""
    found: list[object] = []
    for name in (NAME, VERDICTS):
        try:
            at = (place / name).stat()
        except OSError:
            found.append(None)
        else:
            found.append((at.st_mtime_ns, at.st_size, at.st_ino))
    return tuple(found)


def local(text: str, place: Path) -> str:
    """Return a problem without the folders of this machine."""
    return without_paths(text.replace(f"{place}/", "").replace(str(place), place.name))


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """What a site shows beside its RESULTs."""

    title: str
    verified: bool  # recompute every score before it enters the leaderboard
    store: Store | None = None  # whose runs are shown; None: the site is a copy, without the live part
    drawings: Path | None = None  # charts that were drawn before
    pairs: int | None = None  # how many pairs have a page; None: all


class Site:
    """The pages of a folder's RESULTs by their addresses; a page is kept until a RESULT that it shows changes."""

    def __init__(self, reader: SiteReader, work: Path, settings: Settings) -> None:
        self._reader, self._work, self._settings = reader, work, settings
        self._menu = pages.Menu(live=settings.store is not None)
        self._kept: dict[str, tuple[Stamp, bytes]] = {}
        self._drawing = Lock()  # one page at a time: each may take all cores

    def addresses(self) -> Iterator[str]:
        """Yield the address of every page that needs no server."""
        found = self._reader.read()
        yield pages.INDEX
        for member in found.members:
            self._reports(member, found.stamps[member.key])
            below = self._work / member.key
            yield from (
                f"results/{member.key}/{path.relative_to(below).as_posix()}"
                for path in sorted(below.rglob("*.html"))
            )
        yield from (pages.BOARD, pages.PAIRS, pages.TRENDS)
        for pair in self._pairs(found):
            yield pair.address
            yield pages.pair_address(pair.b, pair.a)
        yield from (f"trend/{key_of(suite)}.html" for suite in found.suites)

    def page(self, address: str) -> bytes | None:
        """Return the page at an address; None if there is none. Raise HarnessError if it cannot be made."""
        found = self._reader.read()
        for fits, make in self._rooms(found):
            if (at := re.fullmatch(fits, address)) is not None:
                return make(at)
        return None

    def _rooms(
        self, found: Collection
    ) -> Iterator[tuple[re.Pattern[str] | str, Callable[[re.Match[str]], bytes | None]]]:
        """Yield the patterns of addresses, each with what makes its page."""
        yield re.escape(pages.INDEX), lambda _: self._index(found).encode("utf-8", "replace")
        yield re.escape(pages.TRENDS), lambda _: pages.trends(self._suites(found), self._menu).encode()
        yield re.escape(pages.PAIRS), lambda _: self._chooser(found).encode("utf-8", "replace")
        yield (
            re.escape(pages.BOARD),
            lambda at: self._once(at[0], found.stamp, lambda: self._board(found), at[0]),
        )
        yield _PAIR, lambda at: self._pair(found, at)
        yield _TREND, lambda at: self._trend(found, at)
        yield _REPORT, lambda at: self._report(found, at)
        if self._settings.store is not None:
            store = self._settings.store
            yield re.escape(pages.LIVE), lambda _: self._live(store).encode("utf-8", "replace")
            yield re.escape(LIVE_JSON), lambda _: runs.as_json(runs.going_on(store)).encode()

    def _once(self, address: str, stamp: Stamp, make: Callable[[], str], entry: str) -> bytes:
        """Return a page that takes long to make: the one that was made before, while nothing has changed."""
        with self._drawing:
            kept = self._kept.get(address)
            if kept is None or kept[0] != stamp:
                try:
                    page = make()
                except Exception as error:  # a RESULT of a stranger may contain what no page was made for
                    page = self._failed(address, entry, error)
                kept = self._kept[address] = stamp, page.encode("utf-8", "replace")
        return kept[1]

    def _failed(self, address: str, entry: str, error: Exception) -> str:
        """Return a page that says why the page at this address cannot be made."""
        reason = str(error) if isinstance(error, HarnessError) else f"{type(error).__name__}: {error}"
        return pages.failed(local(reason, self._reader.folder), self._menu.at(address, entry))

    def _index(self, found: Collection) -> str:
        pairs = None if self._settings.pairs is None else self._known(found)
        return pages.index(found.rows, found.unreadable, self._menu, self._settings.title, pairs)

    def _pairs(self, found: Collection) -> list[pages.LinkedPair]:
        """Return the pairs that are listed: RESULTs with a task in common, the latest first."""
        linked = []
        for b, a in combinations(found.members, 2):  # A is the older one
            theirs = {task.name for task in b.result.suite.tasks}
            both = [task.name for task in a.result.suite.tasks if task.name in theirs]
            if both:
                suites = dict.fromkeys([a.result.suite.name, b.result.suite.name])
                linked.append(
                    pages.LinkedPair(
                        a=a, b=b, address=pages.pair_address(a, b), tasks=words.listed(both),
                        suites=words.listed(list(suites)),
                    )
                )  # fmt: skip
                if len(linked) == (self._settings.pairs or LISTED):
                    break
        return linked

    def _known(self, found: Collection) -> list[str]:
        turned = [(pair.address, pages.pair_address(pair.b, pair.a)) for pair in self._pairs(found)]
        return [address for both in turned for address in both]

    def _chooser(self, found: Collection) -> str:
        listed, copy = self._pairs(found), self._settings.pairs is not None
        left = ""
        if len(listed) == (self._settings.pairs or LISTED):
            left = f"Only the {len(listed)} pairs of the latest RESULTs are {'part of this copy' if copy else 'listed'}."
        return pages.pairs(found.members, listed, self._menu, self._known(found) if copy else [], left)

    def _pair(self, found: Collection, at: re.Match[str]) -> bytes | None:
        a, b = found.member(at[1]), found.member(at[2])
        if a is None or b is None or a is b:
            return None

        def make() -> str:
            try:
                compared = side_by_side(str(a.folder), str(b.folder), metric="*")
            except HarnessError as error:
                problem = str(error)
                for letter, side in (("A", a), ("B", b)):
                    problem = problem.replace(str(side.folder), letter)
                return pages.pair(paired(a, b, None, without_paths(problem)), self._menu)
            return pages.pair(paired(a, b, compared), self._menu)

        return self._once(at[0], (found.stamps[a.key], found.stamps[b.key]), make, pages.PAIRS)

    def _suites(self, found: Collection) -> list[pages.LinkedSuite]:
        rows = {row.member.key: row.made for row in found.rows}
        linked = []
        for suite, members in sorted(found.suites.items()):
            made = sorted(filter(None, (rows[member.key] for member in members)))
            linked.append(
                pages.LinkedSuite(
                    key=key_of(suite), suite=suite, count=len(members), first=made[0] if made else "",
                    latest=made[-1] if made else "",
                )
            )  # fmt: skip
        return linked

    def _trend(self, found: Collection, at: re.Match[str]) -> bytes | None:
        for suite, members in found.suites.items():
            if key_of(suite) == at[1]:
                stamp = tuple((member.key, found.stamps[member.key]) for member in members)
                make = partial(self._drawn_trend, at[1], suite, members)
                return self._once(at[0], stamp, make, pages.TRENDS)
        return None

    def _drawn_trend(self, key: str, suite: str, members: Sequence[Member]) -> str:
        return pages.trend(suite_trends(key, suite, members), self._menu, self._settings.drawings)

    def _board(self, found: Collection) -> str:
        board = boards.ranked(
            {member.name: member.folder for member in found.members}, verified=self._settings.verified
        )
        refused = tuple(
            replace(one, problem=local(one.problem, self._reader.folder)) for one in board.refused
        )
        links = {member.name: pages.report_address(member) for member in found.members}
        return board_page.site_page(replace(board, refused=refused), links, self._menu.at(pages.BOARD))

    def _report(self, found: Collection, at: re.Match[str]) -> bytes | None:
        member = found.member(at[1])
        if member is None:
            return None
        self._reports(member, found.stamps[member.key])
        page = self._work / member.key / at[2]
        return page.read_bytes() if page.is_file() else None

    def _reports(self, member: Member, stamp: Stamp) -> None:
        """Draw a RESULT's report, unless it was drawn since the RESULT has changed."""
        with self._drawing:
            if self._kept.get(member.key, (None,))[0] == stamp:
                return
            into = self._work / member.key
            into.mkdir(parents=True, exist_ok=True)
            menu = self._menu.at(pages.report_address(member))
            try:
                render_html(member.folder, into, self._settings.drawings, menu)
            except Exception as error:
                page = self._failed(pages.report_address(member), pages.INDEX, error)
                (into / "report.html").write_text(page, encoding="utf-8", errors="replace")
            self._kept[member.key] = stamp, b""

    def _live(self, store: Store) -> str:
        return pages.live(runs.going_on(store), self._menu, without_paths(str(store.root)))


def problems(found: Sequence[Unreadable]) -> Iterator[str]:
    """Yield a line for each RESULT that cannot be shown."""
    for one in found:
        yield f"cannot be shown: {one.name}: {one.problem}"
