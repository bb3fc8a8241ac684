"""For users' own tests: assertions about a RESULT, and small RESULT folders to test code on."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Literal

from harness import metrics
from harness.errors import ResultError
from harness.files.zipped import write_zipped
from harness.gates.judge import judge
from harness.report import verdicts
from harness.results import AdapterFacts, ModelFacts, Result, RunFacts, SuiteFacts, TaskFacts, document
from harness.results.digests import RunningDigest
from harness.results.document import write_document
from harness.results.plain import plain
from harness.results.rows import Key, Rows, write_rows
from harness.scoring.accumulate import Tally
from harness.scoring.clusters import numbered
from harness.suite.rules import check
from harness.types import Gate, Generation, Sample, Score, System, Verdict, Word
from harness.types.verdict import WORST_FIRST

__all__ = ["assert_no_drop", "make_result", "write_result"]

TASK = TaskFacts(name="t", primary="f1", metrics=("f1", "exact"), share="text")
Answered = Mapping[tuple[str, System], Sequence[Generation]]  # task and system -> one answer per sample


def assert_no_drop(
    result: Result | Path | str,
    baseline: Path | str,
    *,
    task: str,  # patterns with * and ?, as in a gate
    metric: str | None = None,  # None: the task's primary
    max_drop: float,  # points
    model: str = "*",
    adapter: str = "*",  # "base" for a model without an adapter
    inconclusive: Literal["skip", "fail", "pass"] = "skip",
) -> None:
    """Assert that no matching system dropped more than `max_drop` points below the baseline.

    Raises AssertionError with the numbers if a system did. If the samples are too few to decide, the test is skipped, or
    does what `inconclusive` says. Raises ResultError if nothing can be compared: the metric, samples or prompts differ, or
    no task or system has the name.
    """
    __tracebackhide__ = True
    if inconclusive not in ("skip", "fail", "pass"):
        raise ValueError(f"inconclusive={inconclusive!r}; give 'skip', 'fail' or 'pass'")
    folder = result.folder if isinstance(result, Result) else Path(result)
    gate = Gate(
        task=task,
        metric=metric,
        model=model,
        adapter=adapter,
        against=str(baseline),
        rules={"max_drop": max_drop},
    )
    check(gate, lambda *keys: ": ".join(map(str, ("assert_no_drop", *keys))))
    judged = judge(folder, [gate], baseline=Path(baseline))
    said = {word: _said(judged.verdicts, word) for word in WORST_FIRST}
    if said["invalid"] or not judged.verdicts:
        raise ResultError(said["invalid"] or f"{folder}: no gate was judged")
    if said["fail"]:
        raise AssertionError(said["fail"])
    if said["inconclusive"] and inconclusive == "fail":
        raise AssertionError(said["inconclusive"])
    if said["inconclusive"] and inconclusive == "skip":
        import pytest

        pytest.skip(said["inconclusive"])


def _said(judged: tuple[Verdict, ...], word: Word) -> str:
    """Return the verdicts that came out as `word`, one line each."""
    return "\n".join(
        f"{verdicts.judged(verdict)}: {verdicts.explained(verdict)}"
        for verdict in judged
        if verdict.verdict == word
    )


def make_result(
    folder: Path,
    samples: Sequence[Sample],
    answers: Mapping[System, Sequence[str]],  # per system, one text per sample
    *,
    task: TaskFacts = TASK,
    seed: int = 0,
    edit: Callable[[Result], Result] = lambda result: result,
) -> Path:
    """Write a small RESULT with scores, intervals, rows and digests computed from the answers; return its folder.

    `harness verify` accepts it. It has no comparisons, costs or weights: `edit` may add them, or change
    anything else, before the result is written.
    """
    asked = RunningDigest()
    for sample in samples:
        asked.sample(sample.id, sample.input, sample.references, plain(sample.turns))
    given = {
        (task.name, system): [
            Generation(sample_id=sample.id, text=text, prompt_digest="0" * 16)
            for sample, text in zip(samples, texts, strict=True)
        ]
        for system, texts in answers.items()
    }
    digests = {system: RunningDigest() for system in answers}
    for (_, system), generations in given.items():
        for generation in generations:
            digests[system].answer(generation.prompt_digest, generation.text)
    labels = numbered(sample.metadata.get(task.cluster, "") for sample in samples) if task.cluster else None
    scores: list[Score] = []
    rows: dict[Key, Rows] = {}
    for (_, system), generations in given.items():
        for plugin in task.metrics:
            tally = Tally(metrics.load(plugin))
            for sample, generation in zip(samples, generations, strict=True):
                tally.add(sample, generation)
            scores += _scores(task, system, tally, tally.intervals(seed, labels))
            if (table := tally.rows()) is not None:
                rows[task.name, system, plugin] = Rows(
                    ids=tuple(sample.id for sample in samples), stats=table
                )
    models = dict.fromkeys(system.model for system in answers if not system.is_trivial)
    made = Result(
        folder=folder,
        suite=SuiteFacts(
            name="small",
            tasks=(replace(task, samples=asked.samples),),
            models=tuple(ModelFacts(name=name, uri=f"echo:{name}", revision="r1") for name in models),
            adapters=tuple(
                AdapterFacts(name=system.adapter, model=system.model) for system in answers if system.adapter
            ),
        ),
        scores=tuple(scores),
        comparisons=(),
        answers=tuple(digests[system].answers(task.name, system) for system in answers),
        manifest=RunFacts(device="cpu", seed=seed),
    )
    return write_result(edit(made), rows, {task.name: samples}, given)


def write_result(
    result: Result, rows: Mapping[Key, Rows], samples: Mapping[str, Sequence[Sample]], answers: Answered
) -> Path:
    """Write a RESULT into `result.folder`, which is created if needed; return the folder."""
    folder = result.folder
    folder.mkdir(parents=True, exist_ok=True)
    write_rows(folder / "rows.parquet", iter(rows.items()))
    write_zipped(folder / "samples.jsonl.gz", _sample_lines(samples))
    write_zipped(folder / "generations.jsonl.gz", _answer_lines(samples, answers))
    write_document(folder, document(result))
    return folder


def _scores(
    task: TaskFacts, system: System, tally: Tally, intervals: Mapping[str, tuple[float, float]]
) -> Iterator[Score]:
    for name, value in tally.values().items():
        low, high = intervals.get(name, (None, None))
        yield Score(
            task=task.name,
            system=system,
            metric=name,
            primary=name == task.primary,
            signature=tally.signature(),
            unit=tally.metric.unit,
            better=tally.metric.better,
            value=value,
            low=low,
            high=high,
            n=tally.samples,
        )


def _sample_lines(samples: Mapping[str, Sequence[Sample]]) -> Iterator[dict[str, Any]]:
    for task, listed in samples.items():
        for sample in listed:
            facts = {
                "input": sample.input,
                "references": [*sample.references],
                "metadata": {**sample.metadata},
                **({"choices": [*sample.choices]} if sample.choices else {}),
                **({} if sample.turns is None else {"turns": plain(sample.turns)}),
            }
            yield {"task": task, "sample_id": sample.id, **facts}


def _answer_lines(samples: Mapping[str, Sequence[Sample]], answers: Answered) -> Iterator[dict[str, Any]]:
    for (task, system), generations in answers.items():
        for sample, generation in zip(samples[task], generations, strict=True):
            yield {"task": task, **plain(system), **plain(generation), "references": [*sample.references]}
