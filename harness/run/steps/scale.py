"""Ask an adapter at several scales of its update, on validation samples.

They are samples of its own task, and of the text that says what it forgot.
"""

import json
import shutil
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from itertools import islice
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from harness import kinds, stats
from harness.backends import OpenBackend
from harness.checkpoints.folder import ADAPTER_FILES
from harness.digest import IF_SET
from harness.files.json_lines import from_json, iterate_lines, read_json, to_json, write_json
from harness.metrics import Metric, load
from harness.run.steps import (
    Contribution,
    Finished,
    StepContext,
    UsedAdapter,
    UsedModel,
    adapter_folder,
    opened,
    split_file,
)
from harness.scoring.accumulate import Tally
from harness.types import Sample, Scale, Scaling, Task

VERSION = 1
CONFIG = ADAPTER_FILES[0]
LIBRARIES = (
    "torch",
    "transformers",
    "tokenizers",
    "bitsandbytes",
    "peft",
    "rouge_score",
    "nltk",
    "sacrebleu",
    "numpy",
)
LANE = True
TOLERANT = False
SCALED = "scaled.json"
ROWS = "rows"  # folder with the rows of each task at each scale that is done
FILES = (SCALED, ROWS)
WHOLE = 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class ScaledTask:
    """A task on which an adapter is asked at each scale."""

    name: str
    task: Task  # as the model is asked it
    metric: str  # that gives the score
    score: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ScaleUpdate:
    """The settings of asking at several scales. The step needs the data of its tasks, and the training of the adapter."""

    used: UsedModel
    adapter: UsedAdapter
    own: ScaledTask
    scales: tuple[float, ...]  # ascending, with 0 and 1
    samples: int | None  # of each validation split, from the first; None: all
    seed: int
    device: str
    text: ScaledTask | None = field(default=None, metadata=IF_SET)  # what it may have forgotten


def run(spec: ScaleUpdate, context: StepContext) -> None:
    """Write the scores at each scale, and whether another scale than the whole is better."""
    tasks = [spec.own, *([spec.text] if spec.text else [])]
    folder, trained = context.folder / ROWS, adapter_folder(spec.adapter, context)
    assert trained is not None
    folder.mkdir(exist_ok=True)
    total, done = len(tasks) * len(spec.scales), 0
    tables: list[list[NDArray[np.float64]]] = []
    for place, asked in enumerate(tasks):
        samples = list(
            islice(iterate_lines(split_file(context.need(place), "validation"), Sample), spec.samples)
        )
        tables.append([])
        for scale in spec.scales:
            context.progress(done, total, f"{asked.name}, scale {scale:g}")
            kept = folder / f"{place}-{scale:g}.npy"
            if not kept.exists():
                rows = _rows(
                    spec, asked, samples, opened(spec.used, context), _scaled(trained, scale, context.folder)
                )
                beside = kept.with_suffix(".new.npy")
                np.save(beside, rows)
                beside.rename(kept)
            tables[-1].append(np.load(kept, allow_pickle=False))
            done += 1
    scaled = Scaling(
        model=spec.used.model.name,
        adapter="",  # the report's part names it
        task=spec.own.name,
        score=spec.own.score,
        better=load(spec.own.metric).better,
        text=spec.text.name if spec.text else "",
        points=tuple(_points(spec, tables)),
        **_best(spec, tables[0]),
    )
    write_json(context.folder / SCALED, to_json(scaled))
    for scale in spec.scales:
        shutil.rmtree(_place(context.folder, scale), ignore_errors=True)
    context.progress(total, total)


def contributes(finished: Finished) -> Contribution:
    """Return the scores at each scale."""
    scaled = from_json(Scaling, read_json(finished.folder / SCALED))
    system = finished.system
    return Contribution(scalings=(replace(scaled, model=system.model, adapter=system.adapter or ""),))


def _place(folder: Path, scale: float) -> Path:
    return folder / f"adapter-{scale:g}"


def _scaled(trained: Path, scale: float, folder: Path) -> Path | None:
    """Return a copy of the adapter whose update is so many times as large; None for 0, which is the base."""
    if scale == 0:
        return None
    if scale == WHOLE:
        return trained
    place = _place(folder, scale)
    shutil.rmtree(place, ignore_errors=True)
    shutil.copytree(trained, place)
    config = json.loads((place / CONFIG).read_text(encoding="utf-8"))
    config["lora_alpha"] *= scale
    config["alpha_pattern"] = {
        name: alpha * scale for name, alpha in (config.get("alpha_pattern") or {}).items()
    }
    (place / CONFIG).write_text(json.dumps(config), encoding="utf-8")
    return place


def _rows(
    spec: ScaleUpdate, asked: ScaledTask, samples: list[Sample], backend: OpenBackend, adapter: Path | None
) -> NDArray[np.float64]:
    """Return a row of each sample, as test samples are asked and scored."""
    kind, task, tally = kinds.find(asked.task.kind), asked.task, Tally(load(asked.metric))
    verb = kind.verb(task, spec.used.model, spec.used.pin)
    assert verb is not None  # the plan asks only what can be asked
    prompts = [kind.ask(task, sample, ()) for sample in samples]
    given = {
        answer.sample_id: answer
        for answer in kind.answers[verb](backend, prompts, task, adapter, frozenset())
    }
    for sample in samples:
        tally.add(sample, given[sample.id])
    rows = tally.rows()
    assert rows is not None  # the suite's check refuses scores without rows
    return rows


def _points(spec: ScaleUpdate, tables: list[list[NDArray[np.float64]]]) -> Iterator[Scale]:
    """Yield the scores at each scale, with intervals; of the text, what was lost against the base, paired."""
    own = load(spec.own.metric)
    for place, scale in enumerate(spec.scales):
        tally = Tally(own)
        tally.add_rows(tables[0][place])
        value = tally.values()[spec.own.score]
        low, high = tally.intervals(spec.seed, None).get(spec.own.score, (None, None))
        lost: tuple[float | None, float | None, float | None] = (None, None, None)
        if spec.text is not None:
            metric = load(spec.text.metric)
            change, least, most, _ = _difference(
                metric, spec.text.score, tables[1][0], tables[1][place], spec.seed
            )
            lost = (
                (change, least, most) if metric.better == "lower" else (0.0 - change, 0.0 - most, 0.0 - least)
            )
        yield Scale(
            scale=scale, value=value, low=low, high=high, lost=lost[0], lost_low=lost[1], lost_high=lost[2],
            n=len(tables[0][place]),
        )  # fmt: skip


def _best(spec: ScaleUpdate, tables: list[NDArray[np.float64]]) -> dict[str, float]:
    """Return the scale with the best score, the smaller of equal ones, and how it compares with the whole update."""
    metric = load(spec.own.metric)
    assert metric.formula is not None
    name = metric.names.index(spec.own.score)
    values = [float(stats.whole(rows, metric.formula)[name]) for rows in tables]
    wanted = max(values) if metric.better == "higher" else min(values)
    best = values.index(wanted)
    whole = spec.scales.index(WHOLE)
    change, low, high, p = _difference(metric, spec.own.score, tables[whole], tables[best], spec.seed)
    return {"best": spec.scales[best], "change": change, "change_low": low, "change_high": high, "p": p}


def _difference(
    metric: Metric, score: str, before: NDArray[np.float64], after: NDArray[np.float64], seed: int
) -> tuple[float, float, float, float]:
    """Return a paired difference with its interval, and the p of no difference."""
    if np.array_equal(before, after):
        return 0.0, 0.0, 0.0, 1.0
    table = metric.table(np.stack([before, after], axis=1))
    ((found,),) = stats.compare([table], [(0, 1)], seed=seed)
    place = metric.names.index(score)
    return tuple(float(each[place]) for each in (found.difference, found.low, found.high, found.p))  # type: ignore[return-value]
