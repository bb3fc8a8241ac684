"""Turn a task file of lm-evaluation-harness into a task of this harness, as a suite or a file of a task would say it."""

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from harness import lm_eval
from harness.errors import SuiteError
from harness.files.yaml import Document, Keys
from harness.lm_eval.task_file import MAX_GEN_TOKS, LmTask, Pipeline, Scoring, refuse_code, task
from harness.types import Task, Uri

_CHOSEN: Mapping[str, object] = {
    "acc": "accuracy",
    "acc_norm": {"accuracy": {"by": "character"}},
    "acc_bytes": {"accuracy": {"by": "byte"}},
}
_OF_GROUPS = "weight_by_size"  # says how a group adds its tasks up
_ROLLING = ("word_perplexity", "byte_perplexity", "bits_per_byte")
_CORPUS = ("bleu", "chrf", "ter")
_EXACT = ("ignore_case", "ignore_punctuation", "ignore_numbers")
# Keys of a task -> the key of the file that says the same, for messages.
_SAME: Mapping[str, str] = {
    "name": "task",
    "metrics": "metric_list",
    "primary": "metric_list",
    "decode": "generation_kwargs",
    "prompt": "doc_to_text",
    "kind": "output_type",
    "source": "dataset_path",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class LmEvalFile:
    """How a suite uses a task file of lm-evaluation-harness: `{lm_eval: PATH, shots: 5}`."""

    path: str
    shots: int | None = None  # examples before each prompt; None: the file's num_fewshot
    trust_code: bool = False  # run the Python functions that the file names


def document(path: Path, *, shots: int | None = None, trust_code: bool = False) -> Document:
    """Return a task file as a document of a task; raise SuiteError for what is not done, or for code without trust."""
    found = task(path, shots)
    refuse_code(found, trust_code)
    source: dict[str, Any] = {
        "uri": f"{lm_eval.SCHEME}:{found.file.path}",
        "columns": columns(found),
        **({} if shots is None else {"shots": shots}),
        **({"trust_code": True} if trust_code else {}),
    }
    return Document(path=found.file.path, data=entry(found, source), lines=_lines(found))


def entry(found: LmTask, source: Mapping[str, Any]) -> dict[str, Any]:
    """Return the mapping of a task, as its file would have it."""
    metrics = _metrics(found)
    about = f"{found.name}, a task of lm-evaluation-harness"
    data: dict[str, Any] = {
        "name": name(found),
        "about": about if found.shots == 0 else f"{about}, with {found.shots} examples before each prompt",
        "source": dict(source),
        "metrics": metrics,
        "primary": _score(metrics[0]),
    }
    match found.output_type:
        case "loglikelihood_rolling":
            primary = "word_perplexity" if found.metrics[0].name == "word_perplexity" else "bits_per_byte"
            return data | {"kind": "perplexity", "prompt": "$input", "primary": primary}
        case "multiple_choice":
            return data | {
                "kind": "choice",
                "prompt": f"${lm_eval.BEFORE}$input",
                "overflow": "keep-end",
                "settings": {"continuations": lm_eval.CONTINUATIONS},
            }
        case "generate_until":
            return data | {
                "prompt": f"${lm_eval.BEFORE}$input",
                "overflow": "keep-end",
                "decode": _decode(found),
            }


def name(found: LmTask) -> str:
    """Return the task's name with the characters that a name may have."""
    return re.sub(r"[^A-Za-z0-9._-]+", "-", found.name).lstrip("._-") or "task"


def columns(found: LmTask) -> dict[str, str]:
    """Return the columns of a task's rows, by their roles."""
    match found.output_type:
        case "loglikelihood_rolling":
            return {"input": lm_eval.ASKED}
        case "multiple_choice":
            return {
                "input": lm_eval.ASKED,
                "reference": lm_eval.REFERENCE,
                "choices": lm_eval.CHOICES,
            }
        case "generate_until":
            return {"input": lm_eval.ASKED, "reference": lm_eval.REFERENCE}


def remarks(found: LmTask) -> list[str]:
    """Return what a file says that has another meaning here, a sentence each."""
    said = []
    if any(metric.name == "byte_perplexity" for metric in found.metrics):
        said.append("byte_perplexity is 2 to the power of bits_per_byte, which is shown instead")
    if found.file.data.get("should_decontaminate"):
        said.append(
            "should_decontaminate and doc_to_decontamination_query are not used; overlaps are counted by 13 words"
        )
    if found.output_type == "generate_until":
        said.append("answers are trimmed before they are compared; lm-evaluation-harness trims none")
    return said


def remarks_on(asked: Task) -> list[str]:
    """Return the remarks on the task file that a task's source names; none for other sources."""
    uri = Uri.parse(asked.source.uri)
    return remarks(task(Path(uri.place))) if uri.scheme == lm_eval.SCHEME else []


def _lines(found: LmTask) -> dict[Keys, int]:
    """Return the lines of a task's keys, as far as the file itself has the keys that say the same."""
    lines: dict[Keys, int] = {(): 1}
    for key, same in _SAME.items():
        path, _, line = found.file.places.get(same, "").rpartition(":")
        if path and path == found.file.at("").rpartition(":")[0].rpartition(":")[0]:
            lines[(key,)] = int(line)
    return lines


def _score(metric: object) -> str:
    from harness.metrics import score_names
    from harness.plugins.choice import PluginChoice

    if isinstance(metric, dict):
        ((own, settings),) = metric.items()
        metric = str(PluginChoice(name=own, settings=settings))
    return score_names(str(metric))[0]


def _metrics(found: LmTask) -> list[object]:
    """Return the metrics of a task; raise SuiteError for one that is not done here."""
    by: Mapping[str, Callable[[LmTask, Scoring], list[object]]] = {
        "multiple_choice": _of_choices,
        "generate_until": _of_answers,
        "loglikelihood_rolling": _of_texts,
    }
    listed = [each for metric in found.metrics for each in by[found.output_type](found, metric)]
    return [each for n, each in enumerate(listed) if each not in listed[:n]]


def _of_choices(found: LmTask, metric: Scoring) -> list[object]:
    for pipeline in found.pipelines:
        _refuse_pattern(found, pipeline, "the likeliest choice is no text to search in")
    _known(metric, _CHOSEN)
    _refuse_settings(metric, ())
    return [_CHOSEN[metric.name]]


def _of_texts(found: LmTask, metric: Scoring) -> list[object]:
    _known(metric, _ROLLING)
    return ["perplexity"]


def _of_answers(found: LmTask, metric: Scoring) -> list[object]:
    _known(metric, ("exact_match", *_CORPUS))
    if metric.name in _CORPUS:
        _refuse_settings(metric, ())
        for pipeline in found.pipelines:
            _refuse_pattern(found, pipeline, f"{metric.name} compares whole answers")
        return [metric.name]
    _refuse_settings(metric, (*_EXACT, "regexes_to_ignore"))
    removed = metric.settings.get("regexes_to_ignore") or []
    own = {key: True for key in _EXACT if metric.settings.get(key)}
    if removed:
        own["remove"] = json.dumps(list(map(str, removed)), ensure_ascii=False)  # type: ignore[assignment]
    settings = [{**own, **_filtered(pipeline)} for pipeline in found.pipelines]
    return [{"exact_match": each} if each else "exact_match" for each in settings]


def _filtered(pipeline: Pipeline) -> dict[str, Any]:
    """Return the settings of `exact_match` that stand for filters."""
    if pipeline.pattern is None:
        return {}
    found: dict[str, Any] = {"pattern": pipeline.pattern}
    if pipeline.group != 0:
        found["group"] = pipeline.group
    if pipeline.fallback != "[invalid]":
        found["fallback"] = pipeline.fallback
    if pipeline.choices:
        found["choices"] = True
    if pipeline.ignore_case:
        found["choices_ignore_case"] = True
    if pipeline.ignore_punctuation:
        found["choices_ignore_punctuation"] = True
    if pipeline.ignored:
        found["choices_remove"] = json.dumps(list(pipeline.ignored), ensure_ascii=False)
    return found


def _refuse_pattern(found: LmTask, pipeline: Pipeline, why: str) -> None:
    if pipeline.pattern is not None:
        raise SuiteError(f"{found.at('filter_list')}: the filter {pipeline.name!r} is not done here: {why}")


def _known(metric: Scoring, known: Any) -> None:
    if metric.name not in known:
        raise SuiteError(f"{metric.place}: {metric.name!r} is not done here; done are {', '.join(known)}")


def _refuse_settings(metric: Scoring, known: tuple[str, ...]) -> None:
    for key, value in metric.settings.items():
        if key not in (*known, _OF_GROUPS) and value not in (False, None):
            done = f"; done are {', '.join(known)}" if known else ""
            raise SuiteError(
                f"{metric.place.removesuffix('.metric')}.{key}: a setting of {metric.name} that is not done here{done}"
            )


def _decode(found: LmTask) -> dict[str, Any]:
    """Return how an answer is written, as lm-evaluation-harness's `normalize_gen_kwargs` has it."""
    given = found.generation
    where = found.at("generation_kwargs")
    until = given.get("until", [found.wording.fewshot_delimiter])
    stops = [until] if isinstance(until, str) else until
    if not isinstance(stops, list) or not all(isinstance(stop, str) for stop in stops):
        raise SuiteError(f"{where}.until: found {until!r}; give a text, or a list of texts")
    tokens = given.get("max_gen_toks", given.get("max_new_tokens", MAX_GEN_TOKS))
    temperature = _number(given.get("temperature", 0.0), f"{where}.temperature")
    sampled = given.get("do_sample")
    if sampled and temperature == 0:
        raise SuiteError(f"{where}.do_sample: true without a temperature; give one, or leave do_sample out")
    decode: dict[str, Any] = {
        "max_new_tokens": int(_number(tokens, f"{where}.max_gen_toks")),
        "stop": list(dict.fromkeys(stop for stop in stops if stop)),
        "leading_whitespace": "keep",
    }
    if temperature and sampled is not False:
        decode["temperature"] = temperature
        if "top_p" in given:
            decode["top_p"] = _number(given["top_p"], f"{where}.top_p")
    return decode


def _number(value: object, where: str) -> float:
    try:
        return float(value)  # type: ignore[arg-type]
    except (TypeError, ValueError):
        raise SuiteError(f"{where}: found {value!r}; give a number") from None
