"""Results files and samples of lm-evaluation-harness 0.4.13: a folder for each system, as `lm_eval --log_samples` writes it.

    FOLDER/SYSTEM/results_DATE.json
    FOLDER/SYSTEM/samples_TASK_DATE.jsonl

DATE is when the RESULT was made, so exporting it again replaces the files. Scores that lm-eval computes too have its names
and its scale; all others have the names and the scale that they have here. Intervals, and what lm-eval has no place for,
stand under the key `finetune_harness` of the results file. `harness import lm-eval` reads the folders back.
"""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import groupby
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from harness import metrics
from harness import text as words
from harness.digest import file_name
from harness.errors import HarnessError
from harness.exports import Place
from harness.files.json_lines import write_json
from harness.lm_eval import VERSION
from harness.lm_eval.results import NO_FILTER, OWN, results_name, samples_name
from harness.lm_eval.scores import CHOSEN, CORPUS, WRITTEN, scale
from harness.plugins.choice import parse
from harness.results import Result, TaskFacts, read, read_generations, read_samples
from harness.results.rows import RowFile, open_rows
from harness.tasks.likelihoods import is_right
from harness.types import Generation, Option, Sample, Score, System

PLACE: Place = "folder"
PAGES = False

OUTPUT = {"generate": "generate_until", "choice": "multiple_choice"}  # kind -> what lm-eval calls it
MARK = "harness-export.json"  # marks a folder whose files may be replaced
BEGIN = " "  # what stands between a prompt and a choice
AGREE = 1e-9  # a score is the mean of its samples' numbers if the two differ by less, relative to the larger
# Said of every export: a RESULT keeps neither, and the files must say something.
ALWAYS = (
    "arguments hold the question of each sample: a RESULT keeps the prompt's template and digest, not the whole prompt",
    "whether a choice is what greedy decoding writes is not known; lm-eval's field for it says False",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class NamedScore:
    """A score under the name that it has in lm-eval's files."""

    name: str
    score: Score
    plugin: str  # that computed it
    known: bool  # lm-eval computes the same under this name
    each: Mapping[str, float] = field(
        default_factory=dict
    )  # sample -> number; empty: the score is no mean of such

    @property
    def factor(self) -> float:
        """Return how many times lm-eval's number ours is."""
        return scale(self.name) if self.known else 1.0

    @property
    def value(self) -> float:
        """Return the score on the scale of the file."""
        return self.score.value / self.factor


@dataclass(frozen=True, slots=True, kw_only=True)
class AskedSystem:
    """One system on one task, as one folder of lm-eval has it."""

    task: TaskFacts
    system: System
    scores: tuple[NamedScore, ...]

    @property
    def name(self) -> str:
        """Return the task's name in the files."""
        return file_name(self.task.name)

    @property
    def shots(self) -> int:
        """Return how many examples stood in the prompts."""
        return self.system.shots or self.task.shots


def export(folder: Path, place: str) -> str:
    """Write a RESULT as results and samples of lm-evaluation-harness; return a line that says where and what is left out."""
    result, out = read(folder), Path(place)
    if out.exists() and any(out.iterdir()) and not (out / MARK).is_file():
        raise HarnessError(
            f"-o {out}: the folder is not empty and not an export; choose an empty or new folder"
        )
    with open_rows(folder) as rows:
        asked = {
            (task.name, system): AskedSystem(
                task=task, system=system, scores=_named(result, task, system, rows)
            )
            for task in result.suite.tasks
            if task.kind in OUTPUT
            for system in dict.fromkeys(score.system for score in result.scores if score.task == task.name)
        }
    left = _left_out(result)
    if not asked:
        raise HarnessError(f"--to lm-eval: nothing can be written: {'; '.join(left)}; export to csv instead")
    out.mkdir(parents=True, exist_ok=True)
    date = _date(result)
    left += _write_samples(folder, out, date, asked, frozenset(result.withheld))
    systems = dict.fromkeys(system for _, system in asked)
    for system in systems:
        tasks = [each for each in asked.values() if each.system == system]
        path = out / file_name(str(system)) / results_name(date)
        path.parent.mkdir(parents=True, exist_ok=True)
        write_json(path, _results(result, system, tasks, [*ALWAYS, *left]))
    write_json(out / MARK, {"suite": result.suite.name, "left out": left})
    said = f"; left out: {'; '.join(left)}" if left else ""
    return f"{out}: {words.plural(len(systems), 'system')}, a folder each{said}"


def _date(result: Result) -> str:
    """Return when the RESULT was made, as lm-eval writes it in names of files."""
    try:
        made = datetime.fromisoformat(result.manifest.created).astimezone(UTC)
    except ValueError:
        made = datetime.fromtimestamp(0, UTC)
    return made.strftime("%Y-%m-%dT%H-%M-%S.%f")


def _left_out(result: Result) -> list[str]:
    """Return what of a RESULT has no place in lm-eval's files."""
    left = [
        f"task {words.visible(task.name)}: lm-eval has no place for kind {task.kind}"
        for task in result.suite.tasks
        if task.kind not in OUTPUT
    ]
    parts = {
        "comparisons": result.comparisons,
        "costs": result.costs,
        "weights": result.weights,
        "training curves": result.curves,
    }
    if found := [name for name, records in parts.items() if records]:
        left.append(words.listed(found))
    return left


# Scores.


def _named(result: Result, task: TaskFacts, system: System, rows: RowFile) -> tuple[NamedScore, ...]:
    """Return the scores of a system on a task under their names in lm-eval's files."""
    plugins = {score: plugin for plugin in task.metrics for score in metrics.score_names(plugin)}
    taken: set[str] = set()
    found = []
    for score in result.scores:
        if (score.task, score.system) != (task.name, system):
            continue
        plugin = plugins.get(score.metric, "")
        name, known = _name(task.kind, plugin, score.metric)
        if name in taken:
            name, known = score.metric.replace(",", ";"), False
        taken.add(name)
        each = _each(rows, score, plugin)
        factor = scale(name) if known else 1.0
        # lm-eval writes pairs of texts where a score belongs to all samples together
        numbers = (
            {} if known and name in CORPUS else {sample: value / factor for sample, value in each.items()}
        )
        found.append(NamedScore(name=name, score=score, plugin=plugin, known=known, each=numbers))
    return tuple(found)


def _name(kind: str, plugin: str, score: str) -> tuple[str, bool]:
    """Return what a score is called in the files, and whether lm-eval computes the same under that name."""
    if kind == "choice":
        for name, alike in CHOSEN.items():
            if alike == score == plugin:
                return name, True
    for name, ours in WRITTEN.items() if kind == "generate" else ():
        if ours == (plugin, score):
            return name, True
    choice = parse(plugin) if plugin else None
    if choice is not None and choice.name == "exact" and kind == "generate":
        return "exact_match", True
    if choice is not None and choice.name == "theirs" and "score" in choice.settings:
        return str(choice.settings["score"]).replace(",", ";"), False
    return score.replace(",", ";"), False  # a comma ends the name of a metric in lm-eval's files


def _each(rows: RowFile, score: Score, plugin: str) -> dict[str, float]:
    """Return the score of each sample; nothing if the score is not their mean."""
    metric = metrics.own(plugin) if plugin else None
    stored = rows.get((score.task, score.system, plugin)) if metric is not None else None
    if metric is None or stored is None or metric.value is None or score.metric not in metric.names:
        return {}
    with np.errstate(invalid="ignore", divide="ignore"):
        numbers: NDArray[np.float64] = np.asarray(metric.value(stored.stats))[
            :, metric.names.index(score.metric)
        ]
    if not np.isfinite(numbers).all():
        return {}
    if abs(numbers.mean() - score.value) > AGREE * max(1.0, abs(score.value)):
        return {}
    return dict(zip(stored.ids, numbers.tolist(), strict=True))


# Files.


def _results(
    result: Result, system: System, tasks: Sequence[AskedSystem], left: Sequence[str]
) -> Mapping[str, object]:
    """Return the content of a results file."""
    model, adapter = result.model(system.model), result.adapter(system)
    arguments = {"pretrained": _place(model.uri if model else "") or system.model}
    if model and model.dtype:
        arguments["dtype"] = model.dtype
    if system.adapter is not None:
        arguments["peft"] = _place((adapter.uri if adapter else None) or "") or system.adapter
    counts = {each.name: each.scores[0].score.n for each in tasks}
    return {
        "results": {each.name: _values(each) for each in tasks},
        "group_subtasks": {each.name: [] for each in tasks},
        "configs": {each.name: _config(each) for each in tasks},
        "versions": {each.name: each.task.samples[:8] or "N/A" for each in tasks},
        "n-shot": {each.name: each.shots for each in tasks},
        "higher_is_better": {
            each.name: {named.name: named.score.better == "higher" for named in each.scores} for each in tasks
        },
        "n-samples": {name: {"original": n, "effective": n} for name, n in counts.items()},
        "config": {
            "model": "hf",
            "model_args": arguments,
            "model_num_parameters": model.parameters if model else None,
            "model_dtype": model.dtype if model else None,
            "model_sha": (model.revision if model else None) or "",
            "limit": result.suite.limit,
            "random_seed": result.manifest.seed,
        },
        "date": _seconds(result),
        "lm_eval_version": VERSION,
        "transformers_version": result.manifest.libraries.get("transformers"),
        "model_name": system.model,
        "model_name_sanitized": file_name(str(system)),
        "chat_template": "on" if model and model.chat == "on" else None,
        OWN: {
            "model": system.model,
            "adapter": system.adapter,
            "written by": f"finetune-harness {result.manifest.harness}: lm-eval did not ask these questions",
            "intervals": {
                each.name: {
                    named.name: [_scaled(named.score.low, named), _scaled(named.score.high, named)]
                    for named in each.scores
                }
                for each in tasks
            },
            "signatures": {
                each.name: {named.name: named.score.signature for named in each.scores} for each in tasks
            },
            "left out": list(left),
        },
    }


def _seconds(result: Result) -> float:
    return datetime.strptime(_date(result), "%Y-%m-%dT%H-%M-%S.%f").replace(tzinfo=UTC).timestamp()


def _scaled(value: float | None, named: NamedScore) -> float | None:
    return None if value is None else value / named.factor


def _place(uri: str) -> str:
    """Return where a model is, as lm-eval's arguments name it."""
    return uri.removeprefix("hub:").removeprefix("file:")


def _values(asked: AskedSystem) -> dict[str, object]:
    """Return the scores, each with the standard error of its mean as lm-eval computes it."""
    found: dict[str, object] = {
        "name": asked.name,
        "alias": asked.name,
        "sample_len": asked.scores[0].score.n,
    }
    for named in asked.scores:
        found[f"{named.name},{NO_FILTER}"] = named.value
        numbers = np.array(list(named.each.values()))
        error = float(numbers.std(ddof=1) / np.sqrt(numbers.size)) if numbers.size > 1 else "N/A"
        found[f"{named.name}_stderr,{NO_FILTER}"] = error
    return found


def _config(asked: AskedSystem) -> dict[str, object]:
    """Return the settings of a task in lm-eval's words; what it has no word for is metadata."""
    task = asked.task
    decode = dict(task.decode)
    config: dict[str, object] = {
        "task": asked.name,
        "dataset_path": task.source,
        "output_type": OUTPUT[task.kind],
        "description": task.system,
        "doc_to_text": task.prompt,
        "doc_to_target": "references",
        "target_delimiter": BEGIN,
        "num_fewshot": asked.shots,
        "metric_list": [_metric(named) for named in asked.scores],
        "repeats": 1,
    }
    if task.kind == "choice":
        config["doc_to_choice"] = "choices"
    else:
        temperature = decode.pop("temperature", 0.0)
        config["generation_kwargs"] = {
            "until": decode.pop("stop", []),
            "max_gen_toks": decode.pop("max_new_tokens", None),
            "do_sample": bool(temperature),
            **({"temperature": temperature} if temperature else {}),
        }
    config["metadata"] = {"about": task.about, "licence": task.licence, "decode": decode}
    return config


def _metric(named: NamedScore) -> dict[str, object]:
    aggregation = named.name if named.known and named.name in CORPUS else "mean"
    listed: dict[str, object] = {
        "metric": named.name,
        "aggregation": aggregation if named.each or aggregation != "mean" else "of all samples together",
        "higher_is_better": named.score.better == "higher",
    }
    if not named.known:
        listed["signature"] = named.score.signature
    elif named.name == "exact_match" and parse(named.plugin).settings.get("ignore_case", True):
        listed["ignore_case"] = True
    return listed


# Samples.


def _write_samples(
    folder: Path,
    out: Path,
    date: str,
    asked: Mapping[tuple[str, System], AskedSystem],
    withheld: frozenset[str],
) -> list[str]:
    """Write the samples of each system on each task; return what is left out of them."""
    left = [
        f"samples of {words.visible(task)}: its texts stay on this machine (share: scores)"
        for task in dict.fromkeys(task for task, _ in asked)
        if task in withheld
    ]
    samples = {(task, sample.id): sample for task, sample in read_samples(folder)}
    for (task, system), group in groupby(read_generations(folder), key=lambda each: (each[0], each[1])):
        of = asked.get((task, system))
        if of is None or task in withheld:
            continue
        path = out / file_name(str(system)) / samples_name(of.name, date)
        path.parent.mkdir(parents=True, exist_ok=True)
        beside = path.with_name(f".{path.name}")
        beside.unlink(missing_ok=True)  # a symbolic link would be followed
        lost = 0
        with beside.open("w", encoding="utf-8") as file:
            for number, (_, _, answer) in enumerate(group):
                line = _sample(of, number, samples[task, answer.sample_id], answer)
                if line is None:
                    lost += 1
                else:
                    file.write(json.dumps(line, ensure_ascii=True) + "\n")
        if lost:
            beside.unlink()
            path.unlink(missing_ok=True)  # left by an earlier export
            left.append(
                f"samples of {words.visible(task)} by {words.visible(str(system))}: "
                f"{words.plural(lost, 'answer')} without likelihoods of the choices"
            )
        else:
            beside.replace(path)
    return left


def _sample(asked: AskedSystem, number: int, sample: Sample, answer: Generation) -> dict[str, Any] | None:
    """Return the line of a sample; None for an answer to a choice without the likelihoods of its options."""
    document = {
        "id": sample.id,
        "input": sample.question,
        "references": list(sample.references),
        **({"choices": list(sample.choices)} if sample.choices else {}),
        **sample.metadata,
    }
    if asked.task.kind == "choice":
        if not answer.options:
            return None
        target, given, chosen = _chosen(asked, sample, answer.options)
        responses: list[Any] = [*chosen]
        raw: list[Any] = [[response] for response in responses]
    else:
        target = sample.references[0] if len(sample.references) == 1 else str(list(sample.references))
        given = [[sample.question, _config(asked)["generation_kwargs"]]]
        responses = [answer.text]
        raw = [[ballot.text for ballot in answer.ballots] or [answer.text]]
    return {
        "doc_id": number,
        "doc": document,
        "target": target,
        "arguments": {
            f"gen_args_{place}": {f"arg_{at}": part for at, part in enumerate(parts)}
            for place, parts in enumerate(given)
        },
        "resps": raw,
        "filtered_resps": responses,
        "filter": NO_FILTER,
        "metrics": [named.name for named in asked.scores],
        "doc_hash": _hash(json.dumps(document, indent=2, ensure_ascii=False)),
        "prompt_hash": _hash(sample.question),
        "target_hash": _hash(target),
        **{named.name: _number(named, sample, answer) for named in asked.scores},
    }


def _hash(text: str) -> str:
    """Return the whole SHA-256, as lm-eval's hash_string does."""
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


def _number(named: NamedScore, sample: Sample, answer: Generation) -> object:
    """Return a sample's number; for a score of all samples together, the texts that it compares, as lm-eval does."""
    if named.known and named.name in CORPUS:
        several = list(sample.references)
        return [several[0] if len(several) == 1 else several, answer.text]
    return named.each.get(sample.id)


def _chosen(
    asked: AskedSystem, sample: Sample, options: Sequence[Option]
) -> tuple[str, list[list[Any]], list[list[str]]]:
    """Return the target, the arguments and the responses of a choice; those without the prompt follow, where asked."""
    right = [place for place, option in enumerate(options) if is_right(option.text, sample)]
    target = str(right[0]) if len(right) == 1 else str(right)
    given: list[list[Any]] = [[sample.question, BEGIN + option.text] for option in options]
    responses = [_response(option.logprob) for option in options]
    if any(named.name == "acc_mutual_info" for named in asked.scores):
        given += [["", BEGIN + option.text] for option in options]
        responses += [_response(option.against) for option in options]
    return target, given, responses


def _response(logprob: float | None) -> list[str]:
    return [repr(float("-inf") if logprob is None else float(logprob)), "False"]
