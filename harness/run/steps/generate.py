"""Let one system answer a block of test samples; every answer is written to disk as soon as it is there."""

import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from harness import backends, kinds
from harness.backends import CountsSpending, KnowsItsEnds, OpenBackend, TracksBase
from harness.checkpoints.adapter import WEIGHTS
from harness.checkpoints.asked_with import asked_with, difference
from harness.digest import IF_SET
from harness.errors import ModelError
from harness.files.json_lines import (
    IndexedLines,
    drop_torn_line,
    from_json,
    iterate_lines,
    line,
    read_json,
    read_lines,
    to_json,
    write_json,
)
from harness.results.costs import INPUT_TOKENS, MONEY, OUTPUT_TOKENS, added
from harness.run.steps import (
    ANSWERS,
    NO_END,
    Contribution,
    Finished,
    StepContext,
    UsedAdapter,
    UsedModel,
    adapter_folder,
    opened,
    split_file,
)
from harness.tasks.shots import for_each
from harness.types import Cost, Generation, Note, Sample, Spent, Task

VERSION = 3
LIBRARIES = ()  # the model's backend names them
LANE = True
TOLERANT = False
COST = "cost.json"
SPENT = "spent.json"  # tokens and money of all tries; only where answers come from a server
OTHERWISE = "asked otherwise"  # kind of a note
FILES = (ANSWERS, COST, SPENT)
VARIES = "answers vary"  # kind of a note


@dataclass(frozen=True, slots=True, kw_only=True)
class Generate:
    """The settings of a block. The step needs the task's data and, for an adapter trained here, its training step."""

    used: UsedModel
    adapter: UsedAdapter | None
    task: Task  # without the settings that cannot move an answer
    start: int  # test samples start ... stop - 1 in data order
    stop: int
    device: str  # "cpu" | "cuda"
    kind_version: int = field(default=1, metadata=IF_SET)  # of the task's kind


def run(spec: Generate, context: StepContext) -> None:
    """Answer the block's samples that an earlier try did not answer, and put all answers in data order."""
    kind, data = kinds.find(spec.task.kind), context.need(0)
    samples = IndexedLines(split_file(data, "test"), Sample)[spec.start : spec.stop]
    training = IndexedLines(split_file(data, "train"), Sample) if spec.task.shots else ()
    shots = kind.choose_shots(training, spec.task.shots, spec.task) if spec.task.shots else ()
    answers = context.folder / ANSWERS
    answered = _continue(answers, context.shorter_runs)
    examples = for_each(spec.task, kind.ask, samples, shots, training)
    prompts = [kind.ask(spec.task, sample, before) for sample, before in zip(samples, examples, strict=True)]
    kept = written = sum(sample.id in answered for sample in samples)
    context.progress(kept, len(samples))

    started, tokens, doubt, memory, end, varies = time.perf_counter(), 0, None, None, None, None
    adapter = adapter_folder(spec.adapter, context)
    if kept < len(samples):
        verb = kind.verb(spec.task, spec.used.model, spec.used.pin)
        if verb is None:
            raise ModelError(f"not applicable: {kind.lacks(spec.task, spec.used.model, spec.used.pin)}")
        backend = opened(spec.used, context, kept, len(samples))
        tracking = backend if isinstance(backend, TracksBase) else None
        doubt = tracking.unverified_base(adapter) if tracking and adapter else None
        end = _end(spec, backend)
        varies = backend.doubt if isinstance(backend, CountsSpending) and not spec.start else None
        halved = tracking.budget.halvings if tracking else 0
        started = time.perf_counter()
        with (
            _spending(context.folder / SPENT, backend),
            answers.open("a", encoding="utf-8", errors="surrogatepass") as file,
        ):
            for generation in kind.answers[verb](backend, prompts, spec.task, adapter, answered):
                file.write(line(generation))
                file.flush()
                written, tokens = written + 1, tokens + generation.output_tokens
                context.progress(written, len(samples))
        if tracking and tracking.budget.halvings > halved:
            times = tracking.budget.halvings - halved
            memory = f"memory did not suffice {times} times; {tracking.budget.tokens} tokens at once did"
    seconds = time.perf_counter() - started
    _put_in_order(answers, samples)
    write_json(
        context.folder / COST,
        {
            "seconds": seconds,
            "output_tokens": tokens,
            "samples": len(samples) - kept,
            "doubt": doubt,
            "memory": memory,
            "end": end,
            "adapter_bytes": _bytes(adapter),
            "otherwise": _otherwise(spec, adapter),
            **({"varies": varies} if varies else {}),
        },
    )


def contributes(finished: Finished) -> Contribution:
    """Return the costs of answering, and notes on doubts about the base and on scarce memory."""
    cost = read_json(finished.folder / COST)
    costs = [finished.cost("generation time", "s", cost["seconds"])]
    if cost["output_tokens"]:
        speed = cost["output_tokens"] / cost["seconds"]
        costs.append(finished.cost("generation speed", "tokens/s", speed))
    spent = list(_spent(finished))
    if not spent:  # a server's memory is not known
        costs.append(finished.peak_memory())
    costs += spent
    if cost.get("adapter_bytes"):
        costs.append(finished.cost("adapter size", "MB", cost["adapter_bytes"] / 1e6, of_task=False))
    notes = [
        Note(kind=kind, where=finished.where, count=1, of=1, detail=detail)
        for kind, detail in (
            ("base not proven", cost["doubt"]),
            ("less at once", cost["memory"]),
            (NO_END, cost.get("end")),
            (OTHERWISE, cost.get("otherwise")),
            (VARIES, cost.get("varies")),
        )
        if detail
    ]
    return Contribution(costs=tuple(costs), notes=tuple(notes))


@contextmanager
def _spending(file: Path, backend: OpenBackend) -> Iterator[None]:
    """Add what a server counts meanwhile to what earlier tries spent, also where this try fails."""
    if not isinstance(backend, CountsSpending):
        yield
        return
    before = backend.spent
    try:
        yield
    finally:
        earlier = from_json(Spent, read_json(file)) if file.is_file() else Spent()
        write_json(file, to_json(added(earlier, backend.spent, less=before)))


def _spent(finished: Finished) -> Iterator[Cost]:
    """Yield the tokens and the money of a block that a server answered."""
    if not (finished.folder / SPENT).is_file():
        return
    spent = from_json(Spent, read_json(finished.folder / SPENT))
    yield finished.cost("requests", "requests", spent.requests)
    if not spent.uncounted:
        yield finished.cost(INPUT_TOKENS, "tokens", spent.input_tokens)
        yield finished.cost(OUTPUT_TOKENS, "tokens", spent.output_tokens)
    if spent.money is not None:
        yield finished.cost(MONEY, spent.currency, spent.money)


def _end(spec: Generate, backend: OpenBackend) -> str | None:
    """Return what ends the answers of a model without an end-of-sequence token, once for all blocks; None for others."""
    if spec.start or not (isinstance(backend, KnowsItsEnds) and backend.endless):
        return None
    ends = "stop strings and max_new_tokens end" if spec.task.decode.stop else "only max_new_tokens ends"
    return f"the model has no end-of-sequence token: {ends} its answers"


def _otherwise(spec: Generate, adapter: Path | None) -> str | None:
    """Return how an existing adapter is asked otherwise than it was trained, once for all blocks; None where it is not."""
    backend = backends.of(spec.used.model)
    if spec.start or adapter is None or backend.folder is None:
        return None
    if spec.adapter is None or spec.adapter.existing is None:
        return None  # trained by the same plan: on another task, it is meant to be asked otherwise
    used = spec.used
    now = asked_with(spec.task, backend.chat_template(used.model, used.pin), used.model.quantization)
    found = difference(adapter, now)
    return found and f"the adapter was {found}"


def _bytes(adapter: Path | None) -> int | None:
    """Return the size of an adapter's weights on disk, in bytes; None for a base, and for an adapter on a server."""
    weights = None if adapter is None else adapter / WEIGHTS
    return weights.stat().st_size if weights is not None and weights.is_file() else None


def _continue(answers: Path, shorter_runs: tuple[Path, ...]) -> set[str]:
    """Continue the answers of an interrupted try, or of a finished shorter block; return the ids of the answered samples."""
    if not answers.exists() and shorter_runs:
        largest = max(shorter_runs, key=lambda folder: (folder / answers.name).stat().st_size)
        copied = answers.with_suffix(".copied")
        shutil.copyfile(largest / answers.name, copied)
        copied.rename(answers)
    if not answers.exists():
        return set()
    drop_torn_line(answers)
    return {generation.sample_id for generation in iterate_lines(answers, Generation)}


def _put_in_order(answers: Path, samples: list[Sample]) -> None:
    """Put the answers, which were written in the order of their lengths, in data order."""
    found = (
        {generation.sample_id: generation for generation in read_lines(answers, Generation)}
        if samples
        else {}
    )
    ordered = answers.with_suffix(".ordered")
    with ordered.open("w", encoding="utf-8", errors="surrogatepass") as file:
        file.writelines(line(found[sample.id]) for sample in samples if sample.id in found)
    ordered.rename(answers)
