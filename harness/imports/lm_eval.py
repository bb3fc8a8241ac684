"""Results of lm-evaluation-harness: the folder that `lm_eval --log_samples --output_path FOLDER` writes.

A folder has the results of one model; of several runs, the newest one of each task is read. Several filters of a task are
several systems. `peft=` in the model's arguments makes the system an adapter of the model in `pretrained=`.
"""

import ast
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Literal

from harness.digest import text_digest
from harness.errors import DataError
from harness.imports import (
    NOT_IMPORTED,
    GivenScore,
    ImportedAnswers,
    ImportedTask,
    ImportOptions,
    distinct,
    imported_file,
    number,
    rows,
)
from harness.lm_eval.results import AGAIN, NO_FILTER, Run, TaskRun, read_runs, refuse_mixed, task_run
from harness.lm_eval.scores import CHOSEN, CORPUS, WRITTEN, scale
from harness.plugins.choice import PluginChoice
from harness.results import AdapterFacts, ModelFacts
from harness.tasks.rows import Row
from harness.types import Generation, Note, Option, Sample, System

OPTIONS = ()

Shape = Literal["written", "chosen", "likelihood", "read"]


def read(place: Path, options: ImportOptions) -> Iterator[ImportedAnswers]:
    """Yield the answers of each task and filter, of the newest run of each task."""
    runs = read_runs(place)
    refuse_mixed(place, runs)
    newest = {task: run for run in sorted(runs, key=lambda run: run.date) for task in run.samples}
    if not newest:
        raise DataError(f"{runs[-1].path}: found no samples_*.jsonl of this run beside it; {AGAIN}")
    left: list[Note] = []
    read_answers: list[ImportedAnswers] = []
    for task, run in newest.items():
        found, why = _answers(run, task)
        read_answers += found
        if why:
            left.append(Note(kind=NOT_IMPORTED, where=task, count=1, of=len(newest), detail=why))
    if not read_answers:
        raise DataError(f"{place}: {left[0].where}: {left[0].detail}; name a folder with other tasks")
    first, *more = read_answers
    yield replace(first, notes=(*first.notes, *left))
    yield from more


# A task.


def _answers(run: Run, name: str) -> tuple[list[ImportedAnswers], str]:
    """Return the answers to a task, of each filter; for a task that cannot be imported, the reason."""
    path = run.samples[name]
    task = task_run(run, name)
    by_filter: dict[str, list[Row]] = {}
    for row in rows(path):
        _refuse_incomplete(row)
        by_filter.setdefault(str(row.values.get("filter", NO_FILTER)), []).append(row)
    if not by_filter:
        raise DataError(f"{path}: found no samples in it; {AGAIN}")
    if why := _unread(task, next(iter(by_filter.values()))):
        return [], why
    several = len(by_filter) > 1
    return [
        _of_filter(run, task, path, each, of_filter, several) for each, of_filter in by_filter.items()
    ], ""


def _unread(task: TaskRun, found: Sequence[Row]) -> str:
    """Return why a task's samples cannot be imported; "" if they can."""
    shape = _shape(task, found[0])
    if shape == "read":
        return "left out: its samples are likelihoods of whole texts without the number of their tokens"
    if shape == "chosen" and all(_in_prompts(_arguments(row)) for row in found):
        return "left out: its choices stand in the prompts, and the samples do not say which one is right"
    return ""


def _in_prompts(arguments: Sequence[tuple[Any, ...]]) -> bool:
    """Return whether the choices differ in the prompts, and not in what follows them."""
    return len({str(each[1:2]) for each in arguments}) == 1 and len({str(each[0]) for each in arguments}) > 1


def _refuse_incomplete(row: Row) -> None:
    """Raise DataError for a line without what a sample needs."""
    for key in ("doc_id", "doc", "target", "arguments", "filtered_resps"):
        if key not in row.values:
            what = "the document" if key == "doc" else repr(key)
            raise DataError(f"{row.where}: a sample without {what}; {AGAIN}")
    arguments = row.values["arguments"]
    if not isinstance(arguments, Mapping | list) or not arguments:
        raise DataError(f"{row.where}: arguments: found {repr(arguments)[:40]}; {AGAIN}")
    if not isinstance(row.values["filtered_resps"], list) or not row.values["filtered_resps"]:
        found = repr(row.values["filtered_resps"])[:40]
        raise DataError(f"{row.where}: filtered_resps: found {found}; {AGAIN}")


def _of_filter(
    run: Run, task: TaskRun, path: Path, filter_name: str, found: Sequence[Row], several: bool
) -> ImportedAnswers:
    shape = _shape(task, found[0])
    gold = _gold_of(task, found) if shape == "chosen" else {}
    pairs = [_pair(row, task, shape, gold) for row in found]
    samples = tuple(sample for sample, _ in pairs)
    distinct(str(path), samples)
    model, adapter = run.names
    base = model + (f" [{filter_name}]" if several else "")
    given, notes = _given(task, shape, filter_name, found)
    return ImportedAnswers(
        where=str(path),
        file=imported_file(path, run.program, run.date),
        task=ImportedTask(
            name=task.name,
            kind="generate" if shape == "written" else "choice",
            about=f"Task {task.name} of lm-evaluation-harness.",
            source=str(task.config.get("dataset_path") or ""),
            shots=task.shots,
            decode=_decode(task) if shape == "written" else {},
        ),
        system=System(model=base, adapter=adapter),
        model=_model(run, base),
        adapter=None
        if adapter is None
        else AdapterFacts(name=adapter, model=base, uri=_uri(run.adapter or "", run.config.get("peft_sha"))),
        samples=samples,
        answers=tuple(answer for _, answer in pairs),
        documents={
            sample.id: str(row.values.get("doc_hash") or "")
            for sample, row in zip(samples, found, strict=True)
        },
        given=given,
        libraries={
            name: str(run.data[key])
            for name, key in (("lm_eval", "lm_eval_version"), ("transformers", "transformers_version"))
            if run.data.get(key)
        },
        notes=notes,
    )


def _shape(task: TaskRun, row: Row) -> Shape:
    """Return what a model was asked for."""
    output = task.config.get("output_type")
    if output == "loglikelihood_rolling":
        return "read"
    responses = row.values["filtered_resps"]
    pairs = all(isinstance(each, list) and len(each) == 2 and _is_number(each[0]) for each in responses)
    if pairs and output != "generate_until":
        return "chosen" if output == "multiple_choice" and len(responses) > 1 else "likelihood"
    return "written"


def _is_number(value: object) -> bool:
    try:
        float(value)  # type: ignore[arg-type]
    except (TypeError, ValueError):
        return False
    return True


def _uri(place: str, commit: object) -> str:
    """Return where a model is from: with a commit it is from the hub."""
    return f"hub:{place}" if commit and re.fullmatch(r"[\w.-]+/[\w.-]+", place) else f"file:{place}"


def _model(run: Run, name: str) -> ModelFacts:
    config = run.config
    parameters, dtype = config.get("model_num_parameters"), config.get("model_dtype")
    return ModelFacts(
        name=name,
        uri=_uri(run.base, config.get("model_sha")),
        revision=str(config["model_sha"]) if config.get("model_sha") else None,
        parameters=parameters if isinstance(parameters, int) and parameters >= 0 else None,
        dtype=str(dtype).removeprefix("torch.") if dtype else None,
        chat="on" if run.data.get("chat_template") else "off",
    )


def _decode(task: TaskRun) -> Mapping[str, object]:
    """Return how answers were written, in our words."""
    settings = task.config.get("generation_kwargs")
    settings = settings if isinstance(settings, Mapping) else {}
    most, until = settings.get("max_gen_toks"), settings.get("until")
    stops = [until] if isinstance(until, str) else until
    found: dict[str, object] = {}
    if isinstance(most, int):
        found["max_new_tokens"] = most
    if isinstance(stops, list):
        found["stop"] = [str(stop) for stop in stops]
    temperature = number(settings.get("temperature"))
    if temperature is not None:
        found["temperature"] = temperature
    return found


# A sample.


def _pair(
    row: Row, task: TaskRun, shape: Shape, gold: Mapping[str, tuple[int, ...]]
) -> tuple[Sample, Generation]:
    name = str(row.values["doc_id"])
    arguments = _arguments(row)
    prompt = str(arguments[0][0])
    document = row.values["doc"]
    metadata = {
        str(key): str(value)
        for key, value in (document.items() if isinstance(document, Mapping) else ())
        if isinstance(value, str | int | float)
    }
    given = {
        metric: value
        for metric in row.values.get("metrics") or ()
        if (value := number(row.values.get(metric))) is not None
    }
    if shape == "written":
        sample = Sample(id=name, input=prompt, references=_references(row), metadata=metadata)
        text = _first_text(row)
        return sample, Generation(sample_id=name, text=text, prompt_digest=text_digest(prompt), given=given)
    choices, options = _options(row, task, arguments)
    right = gold.get(name) or tuple(range(len(choices)) if shape == "likelihood" else ())
    best = max(options, key=lambda option: option.logprob)
    sample = Sample(
        id=name,
        input=prompt,
        references=tuple(choices[place] for place in right),
        choices=choices,
        metadata=metadata,
    )
    return sample, Generation(
        sample_id=name,
        text=best.text,
        prompt_digest=text_digest(prompt),
        logprob=best.logprob,
        options=options,
        given=given,
    )


def _arguments(row: Row) -> list[tuple[Any, ...]]:
    """Return what the model was given: prompt and continuation, or prompt and settings."""
    found = row.values["arguments"]
    entries = list(found.values()) if isinstance(found, Mapping) else found
    parts = [tuple(entry.values()) if isinstance(entry, Mapping) else tuple(entry) for entry in entries]
    if not all(parts):
        raise DataError(f"{row.where}: arguments: found an empty one; {AGAIN}")
    return parts


def _first_text(row: Row) -> str:
    found = row.values["filtered_resps"][0]
    while isinstance(found, list) and found:
        found = found[0]
    return found if isinstance(found, str) else str(found)


def _references(row: Row) -> tuple[str, ...]:
    """Return the wanted answers; several of them are written as a Python list."""
    target = str(row.values["target"])
    if target.startswith("["):
        try:
            several = ast.literal_eval(target)
        except (ValueError, SyntaxError, MemoryError, RecursionError):
            return (target,)
        if isinstance(several, list) and several:
            return tuple(map(str, several))
    return (target,)


def _options(
    row: Row, task: TaskRun, arguments: Sequence[tuple[Any, ...]]
) -> tuple[tuple[str, ...], tuple[Option, ...]]:
    """Return the choices, and how likely each is."""
    likelihoods = [float(response[0]) for response in row.values["filtered_resps"]]
    if len(likelihoods) != len(arguments) or any(len(argument) < 2 for argument in arguments):
        raise DataError(
            f"{row.where}: found {len(arguments)} arguments and {len(likelihoods)} answers; {AGAIN}"
        )
    against: list[float | None] = [None] * len(likelihoods)
    half = len(likelihoods) // 2
    if "acc_mutual_info" in task.metrics and 2 * half == len(likelihoods):
        against, likelihoods, arguments = [*likelihoods[half:]], likelihoods[:half], arguments[:half]
    delimiter = task.config.get("target_delimiter")
    begin = delimiter if isinstance(delimiter, str) else " "
    texts = [str(argument[1]).removeprefix(begin) for argument in arguments]
    return tuple(texts), tuple(
        Option(text=text, logprob=logprob, bytes=len(text.encode("utf-8", "surrogatepass")), against=other)
        for text, logprob, other in zip(texts, likelihoods, against, strict=False)
    )


def _gold_of(task: TaskRun, found: Sequence[Row]) -> Mapping[str, tuple[int, ...]]:
    """Return the places of the right choices of each sample; a target is a place or the text of a choice.

    Where all targets could be both, what agrees with more of lm-eval's own `acc` is taken.
    """
    by_place: dict[str, tuple[int, ...]] = {}
    by_text: dict[str, tuple[int, ...]] = {}
    agree = [0, 0]
    for row in found:
        name = str(row.values["doc_id"])
        choices, options = _options(row, task, _arguments(row))
        targets = _references(row)
        places = [int(target) for target in targets if re.fullmatch(r"\d+", target)]
        if len(places) == len(targets) and all(place < len(choices) for place in places):
            by_place[name] = tuple(places)
        if all(target in choices for target in targets):
            by_text[name] = tuple(choices.index(target) for target in targets)
        best = max(range(len(options)), key=lambda place: options[place].logprob)
        if (acc := number(row.values.get("acc"))) is not None:
            for which, right in enumerate((by_place.get(name), by_text.get(name))):
                agree[which] += right is not None and (best in right) == bool(acc)
    first, second = (by_place, by_text) if agree[0] >= agree[1] else (by_text, by_place)
    if len(first) < len(found) and len(second) == len(found):
        first = second
    for row in found:
        if str(row.values["doc_id"]) not in first:
            target = str(row.values["target"])
            raise DataError(
                f"{row.where}: target: found {target[:40]!r}, which is no choice and no place of one; move its "
                "samples_*.jsonl out of the folder to import the other tasks"
            )
    return first


# Scores.


def _given(
    task: TaskRun, shape: Shape, filter_name: str, found: Sequence[Row]
) -> tuple[tuple[GivenScore, ...], tuple[Note, ...]]:
    """Return lm-eval's scores under a filter, and notes on those that no answer has a number of."""
    scores, notes = [], []
    names = dict.fromkeys(str(name) for row in found for name in row.values.get("metrics") or ())
    for name in names:
        each = all(number(row.values.get(name)) is not None for row in found)
        metric, score = _alike(task, shape, name, each)
        value = number(task.values.get(f"{name},{filter_name}"))
        lower = task.higher.get(name) is False
        if metric is None and not each:
            told = "" if value is None else f": it is {value:.6g} there"
            detail = (
                f"{name} is not kept: lm-eval gives no number for each answer, and we do not compute it{told}"
            )
            notes.append(Note(kind=NOT_IMPORTED, where=task.name, count=1, of=len(names), detail=detail))
            continue
        scores.append(
            GivenScore(
                name=name,
                value=value,
                better="lower" if lower else "higher",
                each=each,
                metric=metric,
                score=score,
                scale=scale(name),
            )
        )
    return tuple(scores), tuple(notes)


def _alike(task: TaskRun, shape: Shape, name: str, each: bool) -> tuple[str | None, str]:
    """Return the metric with which we compute the same, and its score; None if there is none."""
    if shape == "chosen" and name in CHOSEN:
        return CHOSEN[name], CHOSEN[name]
    if shape != "written":
        return None, ""
    if name == "exact_match":
        settings = task.metrics.get(name, {})
        usual = ("metric", "aggregation", "higher_is_better", "ignore_case")
        if any(value for key, value in settings.items() if key not in usual):
            return None, ""
        folded = bool(settings.get("ignore_case"))
        metric = str(PluginChoice(name="exact", settings={} if folded else {"ignore_case": False}))
        return metric, metric
    if name in WRITTEN and each != (name in CORPUS):
        return WRITTEN[name]
    return None, ""
