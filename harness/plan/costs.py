"""What finished steps of a store cost on this machine: their own records, for the steps that are still to do."""

import json
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from harness.errors import HarnessError
from harness.files.json_lines import read_json
from harness.run.steps import ANSWERS, train
from harness.run.steps import generate as generate_step
from harness.run.store import Store


@dataclass(frozen=True, slots=True, kw_only=True)
class StepCost:
    """The cost of a finished step."""

    step: str
    kind: str
    spec: dict[str, Any]  # as its record keeps it
    seconds: float  # of the work itself, without opening the model
    opening_seconds: float
    peak_bytes: int
    workers: int
    threads: int
    prompts: tuple[int, ...] = ()  # tokens of the prompts that a step answered
    answers: tuple[int, ...] = ()  # tokens of its answers


def step_costs(
    store: Store,
    hardware: str,
    kinds: frozenset[str],  # of the steps that are asked for
    revisions: frozenset[str] | None = None,  # of the models that are asked for; None: of all
) -> Iterator[StepCost]:
    """Yield the costs of finished steps of these kinds that ran on this hardware; a step that cannot be read is left out."""
    for step in store.finished():
        with suppress(HarnessError, OSError, ValueError, KeyError, TypeError):
            record = store.record(step)
            used = record["spec"].get("used")
            wanted = revisions is None or used is None or used["pin"]["revision"] in revisions
            if wanted and record["kind"] in kinds and record["hardware"] == hardware:
                yield _cost(step, record, store.done(step))


def _cost(step: str, record: dict[str, Any], folder: Path) -> StepCost:
    seconds, own = float(record["seconds"]), None
    prompts: tuple[int, ...] = ()
    answers: tuple[int, ...] = ()
    if record["kind"] == "train":
        own = float(read_json(folder / train.TRAINED)["seconds"])
    elif record["kind"] == "generate":
        found = read_json(folder / generate_step.COST)
        own = float(found["seconds"])
        prompts, answers = _tokens(folder / ANSWERS, int(found["samples"]))
    return StepCost(
        step=step,
        kind=record["kind"],
        spec=record["spec"],
        seconds=seconds if own is None else own,
        opening_seconds=0.0 if own is None else max(0.0, seconds - own),
        peak_bytes=int(record["peak_bytes"]),
        workers=int(record["workers"]),
        threads=int(record["threads"]),
        prompts=prompts,
        answers=answers,
    )


def _tokens(answers: Path, written: int) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """Return the tokens of prompts and answers, if this step wrote all of them itself; otherwise none."""
    lines = [json.loads(line) for line in answers.read_text(encoding="utf-8").splitlines()]
    if len(lines) != written:
        return (), ()
    found = [
        (int(line["prompt_tokens"]), int(answer["output_tokens"]))
        for line in lines
        if line["prompt_tokens"]
        for answer in line.get("ballots") or (line,)
    ]
    return tuple(prompt for prompt, _ in found), tuple(answer for _, answer in found)
