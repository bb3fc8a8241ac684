"""What went other than planned: nothing is dropped silently."""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from harness.data.overlap import Overlap
from harness.files.json_lines import from_json, iterate_lines, read_json
from harness.results.odd import EMPTY, REFUSED, SHORTENED, place
from harness.run.steps._findings import Findings, Part
from harness.types import Answers, Generation, Note
from harness.weights.finite import NOT_FINITE

FIRST = 5  # sample ids named in a note

ODD: Mapping[str, tuple[str, Callable[[Generation], bool]]] = {
    SHORTENED: ("prompts whose input was shortened to fit", lambda one: one.truncated_tokens > 0),
    EMPTY: ("answers without a word", lambda one: not one.text.strip()),
    "cut short": ("answers that reached the token limit", lambda one: one.finish == "length"),
    REFUSED: ("prompts too long to ask", lambda one: one.finish == "refused"),
}


def notes(found: Findings, answers: Sequence[Answers]) -> Iterator[Note]:
    """What went other than planned, with counts."""
    yield from _overlaps(found)
    for part, _, folder in found.folders("score"):
        yield from _odd(part, folder / "generations.jsonl")
    yield from _inert(answers)
    for part, _, folder in found.folders("generate"):
        cost = read_json(folder / "cost.json")
        for kind, detail in (("base not proven", cost["doubt"]), ("less at once", cost["memory"])):
            if detail:
                yield Note(kind=kind, where=f"{part.task}, {part.system}", count=1, of=1, detail=detail)
    for part, _, folder in found.folders("train"):
        yield from _training(part, read_json(folder / "trained.json"))
    for part, _, folder in found.folders("spectra"):
        rows = read_json(folder / "weights.json")
        bad = [row for row in rows if row["status"].startswith(NOT_FINITE) and row["part"] != "merged"]
        if bad:
            first = f"{bad[0]['layer']}: {bad[0]['status']}"
            yield Note(kind=NOT_FINITE, where=str(part.system), count=len(bad), of=len(rows), detail=first)
        failed = [row for row in rows if row["status"].startswith(("failed", "too few"))]
        if failed:
            first = f"{failed[0]['layer']}: {failed[0]['status']}"
            yield Note(
                kind="layer skipped", where=str(part.system), count=len(failed), of=len(rows), detail=first
            )
    if found.bench.run:
        labels = {
            step: label for (step, _), (_, label) in zip(found.bench.needs, found.bench.labels, strict=True)
        }
        failures = [one for one in found.bench.run.outcomes.values() if one.state in ("failed", "skipped")]
        for one in failures:
            detail = f"{one.reason} (log: {one.log})" if one.log else one.reason
            yield Note(
                kind=f"step {one.state}",
                where=labels.get(one.step, one.step),
                count=1,
                of=len(found.spec.parts),
                detail=detail,
            )


def _overlaps(found: Findings) -> Iterator[Note]:
    for part, _, folder in found.folders("load"):
        if not (folder / "overlap.json").exists():
            continue
        shared = from_json(Overlap, read_json(folder / "overlap.json"))
        for ids, detail in (
            (shared.exact, "test samples whose input stands in the training split, word for word"),
            (shared.ngram, "test samples that share 13 words in a row with a training sample"),
        ):
            if ids:
                yield Note(
                    kind="overlap",
                    where=part.task,
                    count=len(ids),
                    of=shared.test,
                    detail=detail,
                    samples=ids[:FIRST],
                )


def _odd(part: Part, path: Path) -> Iterator[Note]:
    """Notes on one system's answers to one task."""
    assert part.system is not None
    total = 0
    counts: Counter[str] = Counter()
    first: dict[str, list[str]] = {kind: [] for kind in ODD}
    for generation in iterate_lines(path, Generation):
        total += 1
        for kind, (_, is_odd) in ODD.items():
            if is_odd(generation):
                counts[kind] += 1
                first[kind] += [generation.sample_id] if counts[kind] <= FIRST else []
    for kind, (detail, _) in ODD.items():
        if counts[kind]:
            yield Note(
                kind=kind,
                where=place(part.task, part.system),
                count=counts[kind],
                of=total,
                detail=detail,
                samples=tuple(first[kind]),
            )


def _inert(answers: Sequence[Answers]) -> Iterator[Note]:
    """Adapters whose answers all equal their base's: the commonest silent failure."""
    texts = {(one.task, one.system): one.texts for one in answers}
    for one in answers:
        if one.system.adapter and texts.get((one.task, one.system.base)) == one.texts:
            detail = "every answer equals the base's: the adapter changes nothing here"
            yield Note(kind="inert", where=f"{one.task}, {one.system}", count=one.n, of=one.n, detail=detail)


def _training(part: Part, trained: dict[str, Any]) -> Iterator[Note]:
    where, seen = str(part.system), trained["samples_seen"]
    if trained["truncated"]:
        detail = "training prompts whose input was shortened to fit"
        yield Note(kind="training truncated", where=where, count=trained["truncated"], of=seen, detail=detail)
    if trained["skipped"]:
        first = tuple(trained["skipped"][:FIRST])
        detail = "training samples that do not fit max_tokens"
        yield Note(
            kind="training skipped",
            where=where,
            count=len(trained["skipped"]),
            of=seen,
            detail=detail,
            samples=first,
        )
