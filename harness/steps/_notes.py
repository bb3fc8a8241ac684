"""What went other than planned: nothing is dropped silently."""

from collections.abc import Iterator
from typing import Any

from harness.data.overlap import Overlap
from harness.records import from_json, read_json, read_lines
from harness.steps._findings import Findings, Part
from harness.types import Generation, Note, System

FIRST = 5  # sample ids named in a note


def notes(found: Findings) -> Iterator[Note]:
    """What went other than planned, with counts."""
    yield from _overlaps(found)
    for part, _, folder in found.folders("score"):
        yield from _answers(part, read_lines(folder / "generations.jsonl", Generation))
    yield from _inert(found)
    for part, _, folder in found.folders("generate"):
        doubt = read_json(folder / "cost.json")["doubt"]
        if doubt:
            yield Note(
                kind="base not proven", where=f"{part.task}, {part.system}", count=1, of=1, detail=doubt
            )
    for part, _, folder in found.folders("train"):
        yield from _training(part, read_json(folder / "trained.json"))
    for part, _, folder in found.folders("spectra"):
        rows = read_json(folder / "weights.json")
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


def _answers(part: Part, generations: list[Generation]) -> Iterator[Note]:
    where = f"{part.task}, {part.system}"
    for kind, detail, hit in (
        (
            "truncated",
            "prompts whose input was shortened to fit",
            [g for g in generations if g.truncated_tokens],
        ),
        ("empty", "answers without a word", [g for g in generations if not g.text.strip()]),
        (
            "cut short",
            "answers that reached the token limit",
            [g for g in generations if g.finish == "length"],
        ),
        ("refused", "prompts too long to ask", [g for g in generations if g.finish == "refused"]),
    ):
        if hit:
            ids = tuple(g.sample_id for g in hit[:FIRST])
            yield Note(
                kind=kind, where=where, count=len(hit), of=len(generations), detail=detail, samples=ids
            )


def _inert(found: Findings) -> Iterator[Note]:
    """Adapters whose answers all equal their base's: the commonest silent failure."""
    texts = {}
    for part, _, folder in found.folders("score"):
        generations = read_lines(folder / "generations.jsonl", Generation)
        texts[part.task, part.system] = [g.text for g in generations]
    for (task, system), answers in texts.items():
        if system and system.adapter and texts.get((task, System(model=system.model))) == answers:
            detail = "every answer equals the base's: the adapter changes nothing here"
            yield Note(
                kind="inert", where=f"{task}, {system}", count=len(answers), of=len(answers), detail=detail
            )


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
