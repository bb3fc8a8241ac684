"""All samples and answers as columns of plain data, shown by the page's script (the sample explorer).

Small sets go into the report itself. Larger ones go into pages beside it, some thousand samples each, since a page opened
from disk may not read other files; the report then contains ids and numbers, and on which page each sample is.

Answers are stored system by system, but a page shows all systems' answers to its samples: they are sorted into bins first,
which spill to disk when they grow, so that not all texts are in memory at once.
"""

import json
import math
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from tempfile import SpooledTemporaryFile
from typing import IO, TYPE_CHECKING, Any
from urllib.parse import quote

import numpy as np
from numpy.typing import NDArray

from harness import text as words
from harness.report.chosen import answered_line
from harness.report.task_samples import TaskSamples, digits
from harness.results import Result, json_lines
from harness.tasks.options import lettered
from harness.types import Sample, System, Turn

if TYPE_CHECKING:
    from harness.report.page import Page, TaskPage

LONGEST = 4_000  # characters of one text in a page
FITS = 6_000_000  # bytes of texts in one page: read in a second from a slow disk, on a slow machine
BIN, BINS = 256, 400  # samples in a bin; most bins, since each is an open file
BY_SYSTEM = ("answers", "promptTokens", "outputTokens")  # columns with a list for each system
CHOICES = "choices"  # what a prompt's template calls the choices of its sample
IN_MEMORY = 1 << 20  # bytes of a bin before it spills to disk

Plain = dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Leaf:
    """A page of samples beside the report."""

    name: str  # "samples/0001.html"
    says: str  # "dialogues 1 to 1,024"
    data: Plain


@dataclass(frozen=True, slots=True, kw_only=True)
class Book:
    """The data for the report's script; complete after all pages of samples were made."""

    leaves: Iterator[Leaf]  # made lazily
    index: Plain  # complete after the last leaf


def sample_link(task: str, sample: str) -> str:
    """Return the URL fragment that opens a sample in the explorer."""
    return f"#sample={_quoted(task)}/{_quoted(sample)}"


def slice_link(task: str, name: str, label: str) -> str:
    """Return the URL fragment that opens a slice's samples in the explorer."""
    return f"#explore?task={_quoted(task)}&slice={_quoted(f'{name}={label}')}"


def _quoted(text: str) -> str:
    return quote(words.visible(text), safe="")


def book(result: Result, page: "Page", task_samples: Mapping[str, TaskSamples]) -> Book:
    """Return the explorer's data: all samples of the tasks that the page shows."""
    systems = _systems(page)
    tasks = [task_samples[task.facts.name] for task in page.tasks if task.facts.name in task_samples]
    facts = {task.facts.name: task for task in page.tasks}
    index: Plain = {
        "systems": [
            {
                "name": words.system(system),
                "model": words.visible(system.model),
                "base": systems.index(base) if system.adapter and base in systems else None,
            }
            for system in systems
            for base in (system.base,)
        ],
        "tasks": [],
        "leaves": None,
    }
    heads = []
    for samples in tasks:
        task = facts[samples.task.name]
        heads.append(
            {
                "name": words.visible(samples.task.name),
                "metric": samples.shown.name,
                "instead": samples.shown.instead,
                "lower": samples.shown.better == "lower",
                "digits": samples.shown.digits,
                "prompt": words.visible(
                    "\n\n".join(filter(None, (samples.task.system, samples.task.prompt)))
                ),
                "seconds": [_seconds(task, system) for system in systems],
            }
        )
    return Book(leaves=_leaves(result, tasks, systems, heads, index), index=index)


def _seconds(task: "TaskPage", system: System) -> str:
    """Return the system's mean time for an answer, which is all that is recorded; "" if it is unknown."""
    costs = next((line.costs for line in task.lines if line.system == system), None)
    return words.brief(costs.answer_seconds) if costs else ""


def _systems(page: "Page") -> list[System]:
    """Return the systems in the score tables' order, without trivial rules, whose answers are not shown."""
    lines = [line.system for task in page.tasks for line in task.lines]
    return [system for system in dict.fromkeys(lines) if not system.is_trivial]


def _leaves(
    result: Result,
    tasks: Sequence[TaskSamples],
    systems: Sequence[System],
    heads: Sequence[Plain],
    index: Plain,
) -> Iterator[Leaf]:
    if not tasks:
        return
    with ExitStack() as files:
        bins, size = _sorted(result, tasks, systems, files)
        whole = size <= FITS
        pages: list[list[list[int]]] = [[] for _ in tasks]  # per task: [page, samples on it]
        shown = [_numbers(task, systems, slice(None)) for task in tasks]
        if whole:
            for place, here in enumerate(bins):
                if tasks[place].texts:
                    shown[place] |= _joined([_texts(tasks[place], some, systems) for some in here])
                shown[place] |= _more(tasks[place], systems, slice(None))
        else:
            count = 0
            for place, here in enumerate(bins):
                for run in _runs(here) if tasks[place].texts else ():
                    count += 1
                    first, last = run[0].first, run[-1].first + run[-1].count
                    pages[place].append([count - 1, last - first])
                    texts = _joined([_texts(tasks[place], part, systems) for part in run])
                    some = slice(first, last)
                    only = heads[place] | _numbers(tasks[place], systems, some) | texts
                    only |= _more(tasks[place], systems, some)
                    yield Leaf(
                        name=f"samples/{count:04d}.html",
                        says=f"{heads[place]['name']} {first + 1:,} to {last:,}",
                        data={**index, "tasks": [only]},
                    )
        for place, head in enumerate(heads):
            index["tasks"].append(head | shown[place] | ({} if whole else {"leaves": pages[place]}))


@dataclass(frozen=True, slots=True, kw_only=True)
class _Bin:
    """Consecutive samples of a task, and a file of their texts."""

    first: int
    count: int
    lines: IO[str]


def _sorted(
    result: Result, tasks: Sequence[TaskSamples], systems: Sequence[System], files: ExitStack
) -> tuple[list[list[_Bin]], int]:  # the bins of each task; bytes of all of them
    """Sort the texts of samples and answers into bins."""
    total = sum(len(task.ids) for task in tasks)
    room = max(BIN, -(-total // BINS))
    places = {task.task.name: place for place, task in enumerate(tasks)}
    bins = [
        [
            _Bin(
                first=first,
                count=min(room, len(task.ids) - first),
                lines=files.enter_context(_spooled()),
            )
            for first in range(0, len(task.ids), room)
        ]
        for task in tasks
    ]
    where = [{name: place for place, name in enumerate(task.ids)} for task in tasks]
    numbers = {(system.model, system.adapter, system.shots): place for place, system in enumerate(systems)}

    def put(task: str, sample: str, content: list[object]) -> None:
        if task in places and (at := where[places[task]].get(sample)) is not None:
            file = bins[places[task]][at // room].lines
            file.write(json.dumps([at % room, *content], ensure_ascii=False) + "\n")

    for line in json_lines(result.folder / "samples.jsonl.gz"):
        choices = line.get("choices")
        told = (line.get("metadata") or {}) | ({CHOICES: lettered(choices)} if choices else {})
        columns = {words.visible(key): _shown(text) for key, text in told.items()}
        put(
            line["task"],
            line["sample_id"],
            [-1, _shown(_asked(line)), [_shown(text) for text in line["references"]], columns],
        )
    for line in json_lines(result.folder / "generations.jsonl.gz"):
        system = numbers.get((line["model"], line.get("adapter"), line.get("shots") or 0))
        if system is not None:
            flags = [line.get("finish") or "stop", line.get("truncated_tokens") or 0]
            tokens = [line.get("prompt_tokens") or 0, line.get("output_tokens") or 0]
            put(line["task"], line["sample_id"], [system, _shown(answered_line(line)), *flags, *tokens])
    return bins, sum(some.lines.tell() for here in bins for some in here)


def _asked(line: Mapping[str, Any]) -> str:
    """Return a sample's question as people read it."""
    turns = line.get("turns")
    told = None if turns is None else tuple(Turn(role=turn["role"], text=turn["text"]) for turn in turns)
    return Sample(id="", input=line["input"], references=(), turns=told).question


def _spooled() -> SpooledTemporaryFile[str]:
    return SpooledTemporaryFile(IN_MEMORY, mode="w+", encoding="utf-8", newline="\n")


def _shown(text: str) -> str:
    return words.shorten(words.visible(text), LONGEST)


def _texts(samples: TaskSamples, texts_of: _Bin, systems: Sequence[System]) -> Plain:
    """Return the columns of a bin; a missing text is None, and 0 tokens are a count that was not recorded."""
    sliced = {words.visible(slicing.name) for slicing in samples.slicings}
    inputs: list[str] = [""] * texts_of.count
    references: list[list[str]] = [[]] * texts_of.count
    columns: dict[str, list[str | None]] = {}
    answers: list[list[str | None]] = [[None] * texts_of.count for _ in systems]
    tokens: list[list[list[int]]] = [[[0] * texts_of.count for _ in systems] for _ in ("prompt", "output")]
    odd: Plain = {}
    texts_of.lines.seek(0)
    for text in texts_of.lines:
        place, system, *content = json.loads(text)
        if system < 0:
            inputs[place], references[place] = content[:2]
            for name, value in content[2].items():
                if name not in sliced:
                    columns.setdefault(name, [None] * texts_of.count)[place] = value
        else:
            answers[system][place], finish, truncated, *counted = content
            for column, count in zip(tokens, counted, strict=True):
                column[system][place] = count
            if truncated:
                odd.setdefault("shortened", []).append([place, system, truncated])
            if finish != "stop":
                odd.setdefault(finish, []).append([place, system, 1])
    return {
        "count": texts_of.count,
        "inputs": inputs,
        "references": references,
        "columns": columns,
        "answers": answers,
        "promptTokens": tokens[0],
        "outputTokens": tokens[1],
        "odd": odd,
    }


def _joined(parts: Sequence[Plain]) -> Plain:
    """Return the columns of several bins of one task, concatenated."""
    found: Plain = {"count": 0, "inputs": [], "references": [], "columns": {}, "odd": {}}
    found |= {name: [[] for _ in parts[0][name]] for name in BY_SYSTEM}
    for part in parts:
        before = found["count"]
        found["inputs"] += part["inputs"]
        found["references"] += part["references"]
        for column in BY_SYSTEM:
            for mine, more in zip(found[column], part[column], strict=True):
                mine += more
        for name in {**found["columns"], **part["columns"]}:
            mine = found["columns"].get(name, [None] * before)
            found["columns"][name] = mine + part["columns"].get(name, [None] * part["count"])
        for kind, places in part["odd"].items():
            found["odd"].setdefault(kind, []).extend([at + before, *rest] for at, *rest in places)
        found["count"] += part["count"]
    return found


def _runs(bins: Sequence[_Bin]) -> Iterator[list[_Bin]]:
    """Yield runs of bins, each as many as fit on a page."""
    run: list[_Bin] = []
    size = 0
    for some in bins:
        if run and size + some.lines.tell() > FITS / 2:
            yield run
            run, size = [], 0
        run.append(some)
        size += some.lines.tell()
    if run:
        yield run


def _numbers(samples: TaskSamples, systems: Sequence[System], some: slice) -> Plain:
    """Return ids, scores and slices, which fit into the report whatever the number of samples."""
    return {
        "ids": [words.visible(sample_id) for sample_id in samples.ids[some]],
        "scores": [
            _rounded(samples.values[system][some]) if system in samples.values else None for system in systems
        ],
        "slices": [
            {
                "name": words.visible(slicing.name),
                "labels": [words.visible(label) for label in slicing.labels],
                "of": slicing.of[some].tolist(),
            }
            for slicing in samples.slicings
        ],
    }


def _more(samples: TaskSamples, systems: Sequence[System], some: slice) -> Plain:
    """Return each sample's secondary scores, rounded to the digits that are shown."""
    return {
        "more": [
            {
                "name": words.metric(other.name),
                "lower": other.better == "lower",
                "digits": digits(other.unit),
                "scores": [
                    _rounded(other.values[system][some], digits(other.unit))
                    if system in other.values
                    else None
                    for system in systems
                ],
            }
            for other in samples.others
        ]
    }


def _rounded(values: NDArray[np.float64], decimals: int = 3) -> list[float | None]:
    """Return the values rounded (to a thousandth by default), None for NaN, and whole numbers as int to save bytes."""
    finite = (value if abs(value) < math.inf else None for value in np.round(values, decimals).tolist())
    return [int(value) if value is not None and value == int(value) else value for value in finite]


def script_data(data: Plain) -> str:
    """Return JSON that is safe inside a script element, where "<" is the only character that could end it."""
    return json.dumps(data, ensure_ascii=False, separators=(",", ":"), allow_nan=False).replace(
        "<", "\\u003c"
    )
