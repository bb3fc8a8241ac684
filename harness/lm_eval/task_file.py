"""Read a task file of lm-evaluation-harness as records; refuse what this harness does not do, with the key and its line."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from difflib import get_close_matches
from pathlib import Path
from typing import Any, Literal

from harness.errors import SuiteError
from harness.files.yaml import shown
from harness.lm_eval.yaml_file import Function, YamlFile, read

OutputType = Literal["multiple_choice", "generate_until", "loglikelihood_rolling"]
Sampler = Literal["default", "first_n"]
Template = (
    str | int | Function | tuple[str, ...]
)  # a column's name or a template, an index, a function, texts

MAX_GEN_TOKS = 256  # of an answer, where a file says nothing
DATA_FILES = ("json", "csv", "parquet")  # dataset_path -> files are read, no data set of the hub

_OUTPUT_TYPES: Mapping[str, OutputType] = {
    "multiple_choice": "multiple_choice",
    "generate_until": "generate_until",
    "loglikelihood_rolling": "loglikelihood_rolling",
}
# Keys that move no score: they are read over.
_NO_SCORE = ("task_alias", "metadata", "tag", "should_decontaminate", "doc_to_decontamination_query")
_KNOWN = (
    *_NO_SCORE,
    "task",
    "dataset_path",
    "dataset_name",
    "dataset_kwargs",
    "training_split",
    "validation_split",
    "test_split",
    "fewshot_split",
    "process_docs",
    "doc_to_text",
    "doc_to_target",
    "doc_to_choice",
    "description",
    "target_delimiter",
    "fewshot_delimiter",
    "fewshot_config",
    "num_fewshot",
    "metric_list",
    "output_type",
    "generation_kwargs",
    "repeats",
    "filter_list",
    "gen_prefix",
    "unsafe_code",
)
_WHY = {
    "class": "a task that is a Python class cannot be read as a file",
    "group": "a group has no samples of its own; name its tasks, each by its file",
    "process_results": "a task's own scores are Python code of lm-evaluation-harness; they are not computed here",
    "custom_dataset": "data made by Python code are not read; write them into files",
    "doc_to_image": "images are not read",
    "doc_to_audio": "sounds are not read",
    "use_prompt": "promptsource is not read; write the template into doc_to_text",
}
_FEWSHOT = (
    "sampler",
    "split",
    "samples",
    "process_docs",
    "doc_to_text",
    "doc_to_choice",
    "doc_to_target",
    "gen_prefix",
    "fewshot_delimiter",
    "target_delimiter",
)
_DATASET = ("data_files", "data_dir", "trust_remote_code")


@dataclass(frozen=True, slots=True, kw_only=True)
class Phrasing:
    """How a document is asked: as a question of its own, or as an example before others."""

    text: Template
    target: Template
    choice: Template | None
    prefix: str | None  # begins the answer, and is part of the prompt
    target_delimiter: str
    fewshot_delimiter: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Pool:
    """Where the examples before a prompt come from."""

    sampler: Sampler
    split: str | None
    samples: tuple[Mapping[str, Any], ...] | Function | None  # documents that the file gives itself
    process_docs: Function | None
    wording: Phrasing


@dataclass(frozen=True, slots=True, kw_only=True)
class Pipeline:
    """A list of filters that an answer goes through before `exact_match` compares it."""

    name: str
    pattern: str | None = None
    group: int = 0
    fallback: str = "[invalid]"
    choices: bool = False  # multi_choice_regex
    ignore_case: bool = False
    ignore_punctuation: bool = False
    ignored: tuple[str, ...] = ()  # regular expressions that multi_choice_regex removes


@dataclass(frozen=True, slots=True, kw_only=True)
class Scoring:
    """A metric of the file, with its settings."""

    name: str
    settings: Mapping[str, Any]
    place: str


@dataclass(frozen=True, slots=True, kw_only=True)
class LmTask:
    """A task of lm-evaluation-harness."""

    file: YamlFile
    name: str
    output_type: OutputType
    dataset: str  # "json", "csv", "parquet", or OWNER/NAME
    config: str | None
    data_files: Mapping[str, tuple[str, ...]]  # split -> paths
    training: str | None  # names of splits
    validation: str | None
    test: str | None
    process_docs: Function | None
    description: str
    wording: Phrasing
    pool: Pool
    shots: int
    metrics: tuple[Scoring, ...]
    pipelines: tuple[Pipeline, ...]
    generation: Mapping[str, Any]

    @property
    def evaluated(self) -> str:
        """Return the split whose documents are asked."""
        found = self.test or self.validation
        assert found is not None
        return found

    @property
    def functions(self) -> tuple[Function, ...]:
        """Return the Python functions that make documents and prompts."""
        asked = (self.wording, self.pool.wording)
        parts: list[object] = [self.process_docs, self.pool.process_docs, self.pool.samples]
        parts += [part for each in asked for part in (each.text, each.target, each.choice)]
        return tuple(dict.fromkeys(part for part in parts if isinstance(part, Function)))

    def at(self, key: str, more: str = "") -> str:
        """Return FILE:LINE: key, for messages."""
        return self.file.at(key, more)


def task(path: Path, shots: int | None = None) -> LmTask:
    """Return the task of a file, with another number of examples if one is given; raise SuiteError for what is not done."""
    if not path.is_file():
        raise SuiteError(f"{shown(path)}: no such file; give a task file of lm-evaluation-harness")
    file = read(path.resolve())
    found = _task(file)
    return found if shots is None else replace(found, shots=shots)


def refuse_code(found: LmTask, trusted: bool) -> None:
    """Raise SuiteError for a file that names Python functions, unless the user trusts them."""
    if trusted or not found.functions:
        return
    function = found.functions[0]
    for key, value in found.file.data.items():
        if function in _parts(value):
            raise SuiteError(
                f"{found.at(key)}: !function {function} is Python code of {shown(function.path)}; read it, and then "
                "write `trust_code: true` beside `lm_eval:` in the suite, or give --trust-code"
            )


def _parts(value: object) -> Sequence[object]:
    return list(value.values()) if isinstance(value, dict) else [value]


def _task(file: YamlFile) -> LmTask:
    data = file.data
    _refuse_keys(file)
    output_type = data.get("output_type", "generate_until")
    if output_type not in _OUTPUT_TYPES:
        raise SuiteError(
            f"{file.at('output_type')}: {output_type!r} is not asked here; done are {', '.join(_OUTPUT_TYPES)}"
        )
    for key in ("doc_to_text", "doc_to_target", "dataset_path", "task"):
        if data.get(key) is None:
            raise SuiteError(f"{file.at(key)}: missing; a task of lm-evaluation-harness has it")
    if data.get("test_split") is None and data.get("validation_split") is None:
        raise SuiteError(f"{file.at('test_split')}: neither test_split nor validation_split; name one")
    wording = _wording(file)
    if output_type == "multiple_choice" and wording.choice is None:
        raise SuiteError(f"{file.at('doc_to_choice')}: missing; multiple_choice asks for choices")
    return LmTask(
        file=file,
        name=_text(file, "task") or "",
        output_type=_OUTPUT_TYPES[output_type],
        dataset=_text(file, "dataset_path") or "",
        config=None if data.get("dataset_name") is None else str(data["dataset_name"]),
        data_files=_data_files(file),
        training=_text(file, "training_split"),
        validation=_text(file, "validation_split"),
        test=_text(file, "test_split"),
        process_docs=_function(file, "process_docs", data.get("process_docs")),
        description=_text(file, "description") or "",
        wording=wording,
        pool=_pool(file, wording),
        shots=_shots(file),
        metrics=_metrics(file),
        pipelines=_pipelines(file),
        generation=_generation(file),
    )


def _refuse_keys(file: YamlFile) -> None:
    for key in _WHY:
        if file.data.get(key) is not None:
            raise SuiteError(f"{file.at(key)}: not done here: {_WHY[key]}")
    if isinstance(file.data.get("task"), list):
        raise SuiteError(f"{file.at('task')}: not done here: {_WHY['group']}")
    for key in file.data:
        if key not in _KNOWN and file.data[key] is not None:
            near = get_close_matches(key, _KNOWN, n=1)
            hint = f"; did you mean {near[0]!r}?" if near else ""
            raise SuiteError(f"{file.at(key)}: a key that is not known here{hint}")
    if file.data.get("repeats", 1) != 1:
        raise SuiteError(
            f"{file.at('repeats')}: not done here: found {file.data['repeats']} answers to each prompt; see `votes`"
        )
    if file.data.get("unsafe_code"):
        raise SuiteError(f"{file.at('unsafe_code')}: not done here: answers that are run as code")


def _text(file: YamlFile, key: str) -> str | None:
    """Return a key's text; raise SuiteError for a value of another kind."""
    return _is_text(file.data.get(key), file.at(key))


def _is_text(value: object, where: str) -> str | None:
    if value is None or isinstance(value, str):
        return value
    what = f"!function {value}" if isinstance(value, Function) else repr(value)
    raise SuiteError(f"{where}: found {what}; give a text")


def _template(value: object, where: str, *, choices: bool = False) -> Template:
    match value:
        case bool():
            pass
        case str() | int() | Function():
            return value
        case list() | dict() if choices:
            texts = list(value.values()) if isinstance(value, dict) else value
            if all(isinstance(text, str) for text in texts):
                return tuple(texts)
            wrong = next(text for text in texts if not isinstance(text, str))
            raise SuiteError(f"{where}: found {wrong!r} among the choices; put texts into quotes")
    raise SuiteError(f"{where}: found {value!r}; give a column, a template or a !function")


def _wording(file: YamlFile) -> Phrasing:
    choice = file.data.get("doc_to_choice")
    return Phrasing(
        text=_template(file.data["doc_to_text"], file.at("doc_to_text")),
        target=_template(file.data["doc_to_target"], file.at("doc_to_target")),
        choice=None if choice is None else _template(choice, file.at("doc_to_choice"), choices=True),
        prefix=_text(file, "gen_prefix"),
        target_delimiter=_delimiter(file, "target_delimiter", " "),
        fewshot_delimiter=_delimiter(file, "fewshot_delimiter", "\n\n"),
    )


def _delimiter(file: YamlFile, key: str, usual: str) -> str:
    return usual if key not in file.data else _text(file, key) or ""


def _shots(file: YamlFile) -> int:
    found = file.data.get("num_fewshot")
    if found is None:
        return 0
    if not isinstance(found, int) or isinstance(found, bool) or found < 0:
        raise SuiteError(f"{file.at('num_fewshot')}: found {found!r}; give a whole number from 0")
    return found


def _function(file: YamlFile, key: str, value: object, more: str = "") -> Function | None:
    if value is None or isinstance(value, Function):
        return value
    raise SuiteError(f"{file.at(key, more)}: found {value!r}; give a !function")


def _pool(file: YamlFile, own: Phrasing) -> Pool:
    """Return where examples come from: what `fewshot_config` says, and for the rest what the task says."""
    given = file.data.get("fewshot_config") or {}

    def at(key: str) -> str:
        return file.at("fewshot_config", f".{key}")

    if not isinstance(given, dict):
        raise SuiteError(f"{file.at('fewshot_config')}: found {given!r}; give a mapping")
    _refuse_others(given, _FEWSHOT, at)
    sampler = given.get("sampler", "default")
    if sampler not in ("default", "first_n"):
        raise SuiteError(f"{at('sampler')}: {str(sampler)!r} is not done here; done are default, first_n")
    samples = given.get("samples")
    if isinstance(samples, list) and all(isinstance(sample, dict) for sample in samples):
        samples = tuple(samples)
    elif samples is not None and not isinstance(samples, Function):
        raise SuiteError(f"{at('samples')}: found {samples!r}; give a list of mappings")
    choice = given.get("doc_to_choice")
    return Pool(
        sampler=sampler,
        split=_is_text(given.get("split", file.data.get("fewshot_split")), at("split")),
        samples=samples,
        process_docs=_function(
            file,
            "fewshot_config",
            given.get("process_docs", file.data.get("process_docs")),
            ".process_docs",
        ),
        wording=Phrasing(
            text=_template(given["doc_to_text"], at("doc_to_text")) if "doc_to_text" in given else own.text,
            target=_template(given["doc_to_target"], at("doc_to_target"))
            if "doc_to_target" in given
            else own.target,
            choice=own.choice if choice is None else _template(choice, at("doc_to_choice"), choices=True),
            prefix=_is_text(given.get("gen_prefix", own.prefix), at("gen_prefix")),
            target_delimiter=_is_text(
                given.get("target_delimiter", own.target_delimiter), at("target_delimiter")
            )
            or "",
            fewshot_delimiter=_is_text(
                given.get("fewshot_delimiter", own.fewshot_delimiter), at("fewshot_delimiter")
            )
            or "",
        ),
    )


def _refuse_others(given: Mapping[str, Any], known: Collection[str], at: Any) -> None:
    for key, value in given.items():
        if key not in known and value is not None:
            raise SuiteError(f"{at(key)}: not done here; done are {', '.join(known)}")


def _data_files(file: YamlFile) -> Mapping[str, tuple[str, ...]]:
    """Return the files of each split, for `dataset_path: json` and its like."""
    kwargs = file.data.get("dataset_kwargs") or {}
    if not isinstance(kwargs, dict):
        raise SuiteError(f"{file.at('dataset_kwargs')}: found {kwargs!r}; give a mapping")
    _refuse_others(kwargs, _DATASET, lambda key: file.at("dataset_kwargs", f".{key}"))
    where = file.at("dataset_kwargs", ".data_files")
    named = kwargs.get("data_files")
    if file.data["dataset_path"] not in DATA_FILES:
        for key in ("data_files", "data_dir"):
            if kwargs.get(key) is not None:
                raise SuiteError(
                    f"{file.at('dataset_kwargs', f'.{key}')}: not done here with a data set of the hub; name its "
                    f"files with dataset_path: {', '.join(DATA_FILES)}"
                )
        return {}
    if named is None:
        raise SuiteError(f"{where}: missing; name the files of dataset_path: {file.data['dataset_path']}")
    if not isinstance(named, dict):
        named = {"train": named}  # as `datasets` has it
    found: dict[str, tuple[str, ...]] = {}
    for split, paths in named.items():
        listed = paths if isinstance(paths, list) else [paths]
        if not all(isinstance(path, str) for path in listed):
            raise SuiteError(f"{where}: found {paths!r}; give a path, or a list of paths")
        if any("://" in path for path in listed):
            raise SuiteError(f"{where}: {listed[0]} is not fetched; load it down, and name the file")
        folder = kwargs.get("data_dir") or ""
        found[str(split)] = tuple(str(Path(folder) / path) for path in listed)
    return found


def _metrics(file: YamlFile) -> tuple[Scoring, ...]:
    listed = file.data.get("metric_list")
    if listed is None:
        usual = {
            "multiple_choice": ("acc", "acc_norm"),
            "generate_until": ("exact_match",),
            "loglikelihood_rolling": ("word_perplexity", "byte_perplexity", "bits_per_byte"),
        }
        names = usual[file.data.get("output_type", "generate_until")]
        return tuple(Scoring(name=name, settings={}, place=file.at("output_type")) for name in names)
    if not isinstance(listed, list):
        raise SuiteError(f"{file.at('metric_list')}: found {listed!r}; give a list")
    found = []
    for n, entry in enumerate(listed):
        where = file.at("metric_list", f"[{n}].metric")
        if not isinstance(entry, dict) or not entry.get("metric"):
            raise SuiteError(f"{where}: missing; name a metric")
        if isinstance(entry["metric"], Function) or isinstance(entry.get("aggregation"), Function):
            code = entry["metric"] if isinstance(entry["metric"], Function) else entry["aggregation"]
            raise SuiteError(f"{where}: not done here: a metric by !function {code}")
        settings = {
            key: value
            for key, value in entry.items()
            if key not in ("metric", "aggregation", "higher_is_better", "hf_evaluate")
        }
        aggregation = entry.get("aggregation", "mean")
        usual_ones = ("mean", "nanmean", entry["metric"], "weighted_perplexity", "bits_per_byte")
        if aggregation not in usual_ones:
            raise SuiteError(
                f"{file.at('metric_list', f'[{n}].aggregation')}: {aggregation!r} of {entry['metric']} is not done here"
            )
        found.append(Scoring(name=str(entry["metric"]), settings=settings, place=where))
    if not found:
        raise SuiteError(f"{file.at('metric_list')}: an empty list; name at least one metric")
    return tuple(found)


def _pipelines(file: YamlFile) -> tuple[Pipeline, ...]:
    listed = file.data.get("filter_list")
    if listed is None:
        return (Pipeline(name="none"),)
    where = file.at("filter_list")
    if not isinstance(listed, list) or not listed:
        raise SuiteError(f"{where}: found {listed!r}; give a list of filters")
    return tuple(_pipeline(entry, file.at("filter_list", f"[{n}]")) for n, entry in enumerate(listed))


def _pipeline(entry: Any, where: str) -> Pipeline:
    if not isinstance(entry, dict) or not isinstance(entry.get("filter"), list):
        raise SuiteError(f"{where}: found no name and no list of filters")
    found = Pipeline(name=str(entry.get("name", "none")))
    taken = False
    for n, step in enumerate(entry["filter"]):
        function = step.get("function") if isinstance(step, dict) else step
        at = f"{where}.filter[{n}]"
        match function:
            case "remove_whitespace":
                continue  # an answer is trimmed
            case "take_first":
                taken = True
            case "regex" | "multi_choice_regex" if found.pattern is None and not taken:
                found = _regex(found, step, function == "multi_choice_regex", at)
            case _:
                raise SuiteError(
                    f"{at}.function: {str(function)!r} is not done here"
                    + (" behind another filter" if function in ("regex", "multi_choice_regex") else "")
                    + "; done are remove_whitespace, one of regex and multi_choice_regex, and then take_first"
                )
    return found


def _regex(found: Pipeline, step: Mapping[str, Any], choices: bool, where: str) -> Pipeline:
    known = ["function", "regex_pattern", "group_select", "fallback"]
    known += ["ignore_case", "ignore_punctuation", "regexes_to_ignore"] if choices else []
    _refuse_others(step, known, lambda key: f"{where}.{key}")
    ignored = step.get("regexes_to_ignore") or ()
    return replace(
        found,
        pattern=_is_text(step.get("regex_pattern"), f"{where}.regex_pattern") or r"#### (\-?[0-9\.\,]+)",
        group=int(step.get("group_select", 0)),
        fallback=_is_text(step.get("fallback", "[invalid]"), f"{where}.fallback") or "",
        choices=choices,
        ignore_case=bool(step.get("ignore_case", False)),
        ignore_punctuation=bool(step.get("ignore_punctuation", False)),
        ignored=tuple(map(str, ignored if isinstance(ignored, list | tuple) else [ignored])),
    )


def _generation(file: YamlFile) -> Mapping[str, Any]:
    given = file.data.get("generation_kwargs") or {}
    if not isinstance(given, dict):
        raise SuiteError(f"{file.at('generation_kwargs')}: found {given!r}; give a mapping")
    known = ("until", "max_gen_toks", "max_new_tokens", "do_sample", "temperature", "top_p", "num_beams")
    _refuse_others(given, known, lambda key: file.at("generation_kwargs", f".{key}"))
    if given.get("num_beams", 1) != 1:
        raise SuiteError(f"{file.at('generation_kwargs', '.num_beams')}: not done here: a search with beams")
    return given
