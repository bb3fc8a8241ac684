"""Publish a run's RESULT and its pages where the user asked for it, without losing a whole RESULT or what a user added.

A RESULT is whole when all of its steps are done, else partial. A partial RESULT never replaces a whole one: it is
published beside it, as `OUT.partial`, until a whole one is there. What the user added to the RESULT that is replaced
(files, metrics of `harness rescore`) comes along; where it cannot, the replaced RESULT is kept as `OUT.before-TIME`.
"""

from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from harness import text as words
from harness.commands import pages
from harness.errors import HarnessError, ResultError
from harness.files.publishing import Owned, owned
from harness.results import from_document, read, read_document, verdicts
from harness.results.document import check_files, unchanged
from harness.results.missing import Missing, missing_in
from harness.run import target
from harness.run.store import Store
from harness.scoring.warned import KIND as METRIC_WARNING
from harness.types import Judgement

SHOWN = 3  # places of a warning


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivered:
    """Where a run's RESULT was published, and what to say of it."""

    folder: Path
    judged: Judgement
    partial: bool
    drawn: bool = True  # False: its pages could not be drawn, and `warnings` says why
    notes: tuple[str, ...] = ()  # lines to print, but not with --quiet
    warnings: tuple[str, ...] = ()  # lines to print always


def partial_of(out: Path) -> Path:
    """Return the place beside a whole RESULT for a partial one."""
    place = out.resolve() if out.name in ("", "..") else out
    return place.with_name(f"{place.name}.partial")


def refuse(out: Path, store: Store) -> None:
    """Raise HarnessError where a run could not publish; called before any work."""
    if store.root.is_relative_to(out.resolve()):
        raise HarnessError(f"--out {out}: the store {store.root} lies in it; name another folder")
    target.refuse(out)
    beside = partial_of(out)
    try:
        target.refuse(beside)
    except HarnessError as error:
        raise HarnessError(
            f"{error} (an unfinished or partial RESULT of --out {out} would be put there)"
        ) from error


def deliver(report: Path, out: Path, store: Store) -> Delivered:
    """Publish a report of the store at `out`, or beside it if `out` holds more."""
    delivered = _delivered(report, out, store)
    warned = metric_warnings(read_document(report))
    return replace(delivered, notes=(*delivered.notes, *warned)) if warned else delivered


def metric_warnings(document: Mapping[str, Any]) -> tuple[str, ...]:
    """Return a line for each warning that a metric gave, once for all systems that it is about."""
    about: dict[str, list[str]] = {}
    for note in document["notes"]:
        if note["kind"] == METRIC_WARNING:
            about.setdefault(note["detail"], []).append(
                f"{note['where']}: {note['count']:,} of {note['of']:,}"
            )
    return tuple(f"{said} ({_first(places)})" for said, places in about.items())


def _first(places: list[str]) -> str:
    more = f"; and {len(places) - SHOWN} more" if len(places) > SHOWN else ""
    return "; ".join(places[:SHOWN]) + more


def _delivered(report: Path, out: Path, store: Store) -> Delivered:
    target.refuse(out)
    with target.told(out, f", and the RESULT of this run lies in {report}"), owned(out) as place:
        old, new = _standing(place.target), read_document(report)
        missing = missing_in(new)
        if missing and old is not None and (not missing_in(old) or _lacking(old, new)):
            return _beside(report, out, old, missing, store)
        delivered = _in_place(place, report, out, old, store)
        if missing:
            line = f"{_partial(missing)}; run the same command again to continue: a whole RESULT replaces it"
            return replace(delivered, partial=True, warnings=(*delivered.warnings, line))
    _remove_partial(partial_of(out), new)
    return delivered


def deliver_interim(report: Path, out: Path, store: Store, wanted: Callable[[], bool]) -> Delivered | None:
    """Publish the unfinished RESULT of a run that goes on: at `out` if the run's earlier one or none is there, else beside.

    Nothing of a user's is replaced: neither a RESULT with more in it nor one with added metrics. Nothing is published, and
    None returned, where neither place is free, and once the RESULT is not `wanted` any more because the run has ended.
    """
    new = read_document(report)
    for there in (out, partial_of(out)):
        target.refuse(there)
        with target.told(there), owned(there) as place:
            if not _may_replace(place.target, new):
                continue
            fresh = _staged(place, report)
            undrawn = pages.draw(fresh, there, store, wanted)
            if not wanted():
                return None
            judged = _judged(fresh, there)
            target.put(place, fresh)
        return Delivered(folder=there, judged=judged, partial=True, drawn=not undrawn, warnings=undrawn)
    return None


def _may_replace(folder: Path, new: Mapping[str, Any]) -> bool:
    """Return whether an unfinished RESULT may be put here: never over a whole one, a fuller one or one with additions."""
    old = _standing(folder)
    if old is None:
        return True
    return bool(missing_in(old)) and not _lacking(old, new) and unchanged(old) and not _rescored_in(old)


def _rescored_in(document: Mapping[str, Any]) -> bool:
    return bool(document.get("manifest", {}).get("rescored"))


def _standing(out: Path) -> dict[str, Any] | None:
    """Return the document of the RESULT at `out`, or None if there is no RESULT."""
    return read_document(out, changed=True) if (out / "result.json").exists() else None


def _beside(report: Path, out: Path, old: Mapping[str, Any], missing: Missing, store: Store) -> Delivered:
    beside = partial_of(out)
    target.refuse(beside)
    with owned(beside) as place:
        fresh = _staged(place, report)
        undrawn = pages.draw(fresh, beside, store)
        judged = _judged(fresh, beside)
        before = _kept_before(place, read_document(fresh), store)
        target.put(place, fresh)
    more = "fuller" if missing_in(old) else "whole"
    line = f"{_partial(missing)}: it is in {beside}; the {more} RESULT of {_created(old)} in {out} stays"
    return Delivered(
        folder=beside, judged=judged, partial=True, drawn=not undrawn, warnings=(line, *before, *undrawn)
    )


def _kept_before(place: Owned, new: Mapping[str, Any], store: Store) -> tuple[str, ...]:
    """Keep the partial RESULT that stands here under another name if more is in it; return a line that says so."""
    old = _standing(place.target)
    if old is None or _may_replace(place.target, new):
        return ()
    if unchanged(old) and not _rescored_in(old) and _in_store(old, store):
        return ()
    return (f"{_replaced(old)} is kept as {_keep(place)}: it had more in it",)


def _keep(place: Owned) -> Path:
    """Keep what stands here under a name with the time."""
    return place.keep_as(f"{place.target.name}.before-{datetime.now(UTC).strftime('%Y%m%dT%H%M%SZ')}")


def _in_place(
    place: Owned, report: Path, out: Path, old: Mapping[str, Any] | None, store: Store
) -> Delivered:
    fresh = _staged(place, report)
    notes: list[str] = []
    warnings: list[str] = []  # printed even with --quiet, since they concern what the user had
    kept: list[str] = []  # reasons to keep the old RESULT
    if old is not None:
        lines, lost = _merge(place.target, old, report, fresh)
        notes += lines
        kept += lost
        if more := _lacking(old, read_document(fresh)):
            if _in_store(old, store):
                warnings.append(
                    f"{_replaced(old)} had {more}. The store still has them: {_again(old)}, with the suite and data of "
                    "that time, writes that RESULT again"
                )
            else:
                kept.append(f"it had {more}, and its steps are not in this store")
    undrawn = pages.draw(fresh, out, store)
    judged = _judged(fresh, out)
    if kept and old is not None:
        warnings = [f"{_replaced(old)} is kept as {_keep(place)}: {'; '.join(kept)}"]
    target.put(place, fresh)
    return Delivered(
        folder=out,
        judged=judged,
        partial=False,
        drawn=not undrawn,
        notes=tuple(notes),
        warnings=(*warnings, *undrawn),
    )


def _judged(fresh: Path, out: Path) -> Judgement:
    """Return the verdicts of the suite's own gates, as they were when the result was made."""
    return Judgement(name=out.name, verdicts=verdicts.read(fresh))


def _staged(place: Owned, report: Path) -> Path:
    """Copy the report, and raise ResultError if another run wrote into it meanwhile."""
    fresh = target.stage(place, report, target.NOT_PUBLISHED)
    if changed := check_files(fresh, read_document(fresh)):
        raise ResultError(
            f"{report}: {Path(changed[0]).name}; another run may write there: run the same command again"
        )
    return fresh


def _merge(out: Path, old: Mapping[str, Any], report: Path, fresh: Path) -> tuple[list[str], list[str]]:
    """Carry added metrics over into the staged RESULT; return notes, and reasons to keep the old RESULT."""
    if not unchanged(old):
        return [], ["its result.json was changed by hand"]
    try:
        before, new = from_document(out, old), read(report)
    except ResultError as error:
        return [], [str(error)]
    if not before.manifest.rescored:
        return [], []
    from harness.commands.carry_over import merged  # loads what computes metrics
    from harness.commands.rescore import add

    found = merged(before, new)
    notes = []
    if found.names:
        add(new, fresh, found.names, found.added)
        names = ", ".join(
            f"{metric} on {words.visible(task)}" for task, some in found.names.items() for metric in some
        )
        notes.append(f"kept what `harness rescore` had added: {names}")
    return notes, [
        f"{metric} was added to it by `harness rescore` and is not in the new one" for metric in found.lost
    ]


# What one RESULT has that another has not.


def _lacking(old: Mapping[str, Any], new: Mapping[str, Any]) -> str:
    """Return what the old RESULT has more of than the new one, in words; "" if it has no more."""
    before, now = _counts(old), _counts(new)
    gone = [key for key in before if key not in now]
    fewer = [key for key in before if key in now and before[key] > now[key]]
    parts = []
    if gone:
        parts.append(f"{words.plural(len(gone), 'score')} that this one lacks")
    if fewer:
        key = max(fewer, key=lambda key: before[key])
        parts.append(f"more samples (n = {before[key]:,}, now {now[key]:,})")
    return " and ".join(parts)


def _counts(document: Mapping[str, Any]) -> dict[tuple[object, ...], int]:
    """Return the number of samples behind each score."""
    names = ("task", "metric", "model", "adapter", "shots")
    scores = document.get("scores", ())
    return {tuple(score.get(name) for name in names): score.get("n") or 0 for score in scores}


def _in_store(document: Mapping[str, Any], store: Store) -> bool:
    steps = document.get("steps", ())
    return bool(steps) and all(store.has(str(step["id"])) for step in steps if step.get("state") == "done")


def _remove_partial(beside: Path, new: Mapping[str, Any]) -> None:
    """Remove the partial RESULT of an earlier run of the suite, unless it has more in it or the user added something."""
    with suppress(HarnessError, OSError):
        if not (beside / "result.json").is_file():
            return
        with owned(beside) as place:
            document = read_document(place.target)
            added = _rescored_in(document) or any(target.added_files(place.target))
            same = document["suite"]["name"] == new["suite"]["name"]
            if missing_in(document) and same and not added and not _lacking(document, new):
                place.remove()


# In words.


def _partial(missing: Missing) -> str:
    return f"{missing.word} RESULT: {missing.sentence}"


def _replaced(old: Mapping[str, Any]) -> str:
    return f"the RESULT of {_created(old)} that was here"


def _created(document: Mapping[str, Any]) -> str:
    return words.visible(str(document.get("manifest", {}).get("created") or "an earlier run"))


def _again(document: Mapping[str, Any]) -> str:
    command = document.get("manifest", {}).get("command")
    return f"`{words.visible(str(command))}`" if command else "the command that made it"
