"""Gathers what a run found into a RESULT folder, and draws its pages."""

import gzip
import json
import platform
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np

import harness
from harness.data import share_of
from harness.data.overlap import Overlap
from harness.hardware import machine
from harness.records import from_json, iterate_lines, read_json, read_lines, to_json, write_json
from harness.steps import Bench
from harness.types import Cost, Generation, Note, Outcome, Pins, Sample, Suite, System, Task

VERSION = 1
LIBRARIES: tuple[str, ...] = ()  # those that draw pages move no result
SCHEMA = 1
FIRST = 5  # sample ids named in a note


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """What the need at the same position is: a step's kind, and whose and which task's it is."""

    kind: str
    task: str = ""
    system: System | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class NamedAdapter:
    """What an adapter's name in the scores stands for."""

    name: str
    model: str
    recipe: str | None
    trained_on: str | None
    seed: int | None
    uri: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """Needs everything; what failed is missing and said so."""

    suite: Suite
    pins: Pins
    seed: int
    limit: int | None
    parts: tuple[Part, ...]
    adapters: tuple[NamedAdapter, ...]


def run(spec: Report, bench: Bench) -> None:
    from harness.report import render

    found = Findings(spec, bench)
    for old in bench.folder.iterdir():
        if old.name != "lease":
            shutil.rmtree(old) if old.is_dir() else old.unlink()
    write_rows(found, bench.folder / "rows.parquet")
    write_zipped(bench.folder / "samples.jsonl.gz", found.samples())
    write_zipped(bench.folder / "generations.jsonl.gz", found.generations())
    write_json(bench.folder / "result.json", result(spec, bench, found))
    bench.progress(1, 2)
    render(bench.folder)
    bench.progress(2, 2)


@dataclass(frozen=True, slots=True)
class Findings:
    """The finished folders, by what they are."""

    spec: Report
    bench: Bench

    def folders(
        self, kind: str, task: str = "", system: System | None = None
    ) -> Iterator[tuple[Part, str, Path]]:
        """Part, step id and folder of each finished need of a kind."""
        for part, (step, folder) in zip(self.spec.parts, self.bench.needs, strict=True):
            if (
                part.kind == kind
                and task in ("", part.task)
                and system in (None, part.system)
                and folder.is_dir()
            ):
                yield part, step, folder

    def samples(self) -> Iterator[dict[str, Any]]:
        for part, _, folder in self.folders("load"):
            for sample in islice(iterate_lines(folder / "test.jsonl", Sample), self.count(part.task)):
                yield {
                    "task": part.task,
                    "sample_id": sample.id,
                    "input": sample.input,
                    "references": sample.references,
                    "metadata": sample.metadata,
                }

    def count(self, task: str) -> int:
        total = self.spec.pins.test_samples[task]
        return total if self.spec.limit is None else min(total, self.spec.limit)

    def generations(self) -> Iterator[dict[str, Any]]:
        for part, _, folder in self.folders("load"):
            samples = {
                s.id: s for s in islice(iterate_lines(folder / "test.jsonl", Sample), self.count(part.task))
            }
            for scored, _, answers in self.folders("score", part.task):
                for g in iterate_lines(answers / "generations.jsonl", Generation):
                    yield {
                        **keys(scored),
                        "sample_id": g.sample_id,
                        "prompt_digest": g.prompt_digest,
                        "text": g.text,
                        "references": samples[g.sample_id].references,
                        "prompt_tokens": g.prompt_tokens,
                        "output_tokens": g.output_tokens,
                        "truncated_tokens": g.truncated_tokens,
                        "finish": g.finish,
                    }


def keys(part: Part) -> dict[str, Any]:
    """The columns that say whose a row is."""
    assert part.system is not None
    return {"task": part.task, **to_json(part.system)}


def result(spec: Report, bench: Bench, found: Findings) -> dict[str, Any]:
    """result.json: the machine's view; its JSON schema is report/result.schema.json."""
    compared = [folder for _, _, folder in found.folders("compare")]
    return {
        "schema": SCHEMA,
        "suite": _suite(spec),
        "scores": [
            _flat(score)
            for _, _, folder in found.folders("score")
            for score in read_json(folder / "scores.json")
        ],
        "comparisons": [one for folder in compared for one in read_json(folder / "comparisons.json")],
        "weights": [
            _flat(row, "numbers")
            for _, _, folder in found.folders("spectra")
            for row in read_json(folder / "weights.json")
        ],
        "costs": [_flat(to_json(cost)) for cost in costs(found, bench)],
        "curves": [
            {
                "model": part.system.model,
                "adapter": part.system.adapter,
                "points": points(folder / "curve.jsonl"),
            }
            for part, _, folder in found.folders("train")
            if part.system
        ],
        "notes": [to_json(note) for note in notes(found, bench)],
        "steps": _steps(bench),
        "manifest": _manifest(spec, bench),
    }


def _flat(record: dict[str, Any], inner: str = "system") -> dict[str, Any]:
    """The record with one of its fields' own fields in that field's place."""
    return {
        key: value
        for name, content in record.items()
        for key, value in (content.items() if name == inner else [(name, content)])
    }


def points(curve: Path) -> list[dict[str, Any]]:
    lines = [json.loads(text) for text in curve.read_text().splitlines()]
    names = ("step", "loss", "validation_loss", "learning_rate")
    return [{name: point.get(name) for name in names} for point in lines]


def costs(found: Findings, bench: Bench) -> Iterator[Cost]:
    """What was measured, step by step; never resampled."""
    for part, step, folder in found.folders("train"):
        trained = read_json(folder / "trained.json")
        size = (folder / "adapter" / "adapter_model.safetensors").stat().st_size
        yield _cost(part, step, folder, "training time", "s", trained["seconds"])
        yield _cost(part, step, folder, "trainable parameters", "parameters", trained["trainable_parameters"])
        yield _cost(part, step, folder, "adapter size", "MB", size / 1e6)
        yield _cost(
            part, step, folder, "peak memory", "MB", read_json(folder / "step.json")["peak_bytes"] / 1e6
        )
    for part, step, folder in found.folders("generate"):
        cost = read_json(folder / "cost.json")
        yield _cost(part, step, folder, "generation time", "s", cost["seconds"])
        if cost["output_tokens"]:
            speed = cost["output_tokens"] / cost["seconds"]
            yield _cost(part, step, folder, "generation speed", "tokens/s", speed)
        yield _cost(
            part, step, folder, "peak memory", "MB", read_json(folder / "step.json")["peak_bytes"] / 1e6
        )


def _cost(part: Part, step: str, folder: Path, quantity: str, unit: str, value: float) -> Cost:
    record = read_json(folder / "step.json")
    assert part.system is not None
    return Cost(
        step=step,
        system=part.system,
        task=part.task or None,
        quantity=quantity,
        unit=unit,
        value=value,
        hardware=record["hardware"],
        workers=record["workers"],
    )


def notes(found: Findings, bench: Bench) -> Iterator[Note]:
    """What went other than planned, with counts."""
    yield from _overlaps(found)
    for part, _, folder in found.folders("score"):
        yield from _answers(part, read_lines(folder / "generations.jsonl", Generation))
    yield from _inert(found)
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
    if bench.run:
        labels = {step: label for (step, _), (_, label) in zip(bench.needs, bench.labels, strict=True)}
        failures = [one for one in bench.run.outcomes.values() if one.state in ("failed", "skipped")]
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


def _suite(spec: Report) -> dict[str, Any]:
    suite, pins = spec.suite, spec.pins
    return {
        "name": suite.name,
        "about": suite.about,
        "limit": spec.limit,
        "train_on": list(suite.train_on),
        "base_shots": list(suite.base_shots),
        "tasks": [_task(task) for task in suite.tasks if any(part.task == task.name for part in spec.parts)],
        "models": [
            {
                "name": model.name,
                "uri": model.uri,
                "revision": pins.models[model.name].revision,
                "family": pins.models[model.name].family,
                "parameters": pins.models[model.name].parameters,
                "dtype": pins.models[model.name].dtype,
            }
            for model in suite.models
        ],
        "recipes": [to_json(recipe) for recipe in suite.recipes],
        "adapters": [to_json(adapter) for adapter in spec.adapters],
    }


def _task(task: Task) -> dict[str, Any]:
    return {
        "name": task.name,
        "about": task.about,
        "kind": task.kind,
        "primary": task.primary,
        "metrics": list(task.metrics),
        "prompt": task.prompt,
        "source": task.source.uri,
        "licence": task.source.licence,
        "share": share_of(task.source),
        "trivial": list(task.trivial),
        "cluster": task.cluster,
    }


def _steps(bench: Bench) -> list[dict[str, Any]]:
    """Every step as it ended; one that was kept from an earlier run counts as done."""
    listed = []
    for (step, folder), (kind, label) in zip(bench.needs, bench.labels, strict=True):
        ended = bench.run.outcomes.get(step) if bench.run else None
        if folder.is_dir():
            ended = Outcome(step=step, state="done", seconds=read_json(folder / "step.json")["seconds"])
        ended = ended or Outcome(step=step, state="skipped", reason="not part of this run")
        listed.append(
            {
                "id": step,
                "kind": kind,
                "label": label,
                "state": ended.state,
                "seconds": ended.seconds,
                "reason": ended.reason,
                "log": ended.log,
            }
        )
    return listed


def _manifest(spec: Report, bench: Bench) -> dict[str, Any]:
    return {
        "harness": harness.__version__,
        "created": datetime.now(UTC).isoformat(timespec="seconds"),
        "command": bench.run.command if bench.run else "",
        "python": platform.python_version(),
        "platform": platform.platform(),
        "hardware": to_json(machine()),
        "device": spec.pins.device,
        "libraries": dict(spec.pins.libraries),
        "runtime": to_json(bench.runtime),
        "seed": spec.seed,
        "sources": dict(spec.pins.sources),
        "models": {name: pin.revision for name, pin in spec.pins.models.items()},
    }


def write_rows(found: Findings, path: Path) -> None:
    """rows.parquet: one row a task, system, metric and sample, with the metric's sums."""
    import pyarrow as pa
    import pyarrow.parquet as parquet

    schema = pa.schema(
        [
            ("task", pa.string()),
            ("model", pa.string()),
            ("adapter", pa.string()),
            ("shots", pa.int32()),
            ("metric", pa.string()),
            ("sample_id", pa.string()),
            ("stats", pa.list_(pa.float64())),
        ]
    )
    with parquet.ParquetWriter(path, schema, compression="zstd") as writer:
        for part, _, folder in found.folders("score"):
            ids = read_json(folder / "ids.json")
            with np.load(folder / "rows.npz", allow_pickle=False) as rows:
                for metric in rows.files:
                    whose = {name: [value] * len(ids) for name, value in keys(part).items()}
                    table = {
                        **whose,
                        "metric": [metric] * len(ids),
                        "sample_id": ids,
                        "stats": rows[metric].tolist(),
                    }
                    writer.write_table(pa.table(table, schema=schema))


def write_zipped(path: Path, lines: Iterator[dict[str, Any]]) -> None:
    """JSON Lines, compressed; equal content gives equal bytes."""
    with path.open("wb") as raw, gzip.GzipFile(fileobj=raw, mode="wb", mtime=0, filename="") as file:
        for content in lines:
            text = json.dumps(content, ensure_ascii=False) + "\n"
            file.write(text.encode("utf-8", "surrogatepass"))
