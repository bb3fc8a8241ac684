"""Name and read what `lm_eval --log_samples --output_path FOLDER` writes: a results file, and the samples of each task.

    FOLDER/MODEL/results_DATE.json
    FOLDER/MODEL/samples_TASK_DATE.jsonl

Without `_DATE`, as files are called that a person renamed, they are read too.
"""

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from harness.errors import DataError
from harness.files.regular import regular_text

AGAIN = "run lm_eval again with --log_samples --output_path FOLDER"
DATED = re.compile(r"_(\d{4}-\d\d-\d\dT[\d.-]+)$")  # ends the name of each file of a run
NO_FILTER = "none"
OWN = "finetune_harness"  # key of a results file that `harness export --to lm-eval` wrote: what lm-eval has no place for


def results_name(date: str) -> str:
    """Return the name of a run's results file; without a date it is results.json."""
    return f"results_{date}.json" if date else "results.json"


def samples_name(task: str, date: str) -> str:
    """Return the name of the file with the samples of a task."""
    return f"samples_{task}_{date}.jsonl" if date else f"samples_{task}.jsonl"


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """A results file, and the samples of its tasks."""

    path: Path
    date: str  # as in the files' names
    data: Mapping[str, Any]
    samples: Mapping[str, Path]  # by task

    @property
    def program(self) -> str:
        """Return lm-eval with its version."""
        return f"lm-eval {self.data.get('lm_eval_version') or ''}".strip()

    @property
    def config(self) -> Mapping[str, Any]:
        """Return the settings of the model."""
        found = self.data.get("config")
        return found if isinstance(found, Mapping) else {}

    @property
    def arguments(self) -> Mapping[str, str]:
        """Return the model's arguments, which older versions write as one text."""
        given = self.config.get("model_args") or {}
        if isinstance(given, str):
            pairs = (part.partition("=") for part in given.split(",") if "=" in part)
            return {name.strip(): value.strip() for name, _, value in pairs}
        return {str(name): str(value) for name, value in given.items()} if isinstance(given, Mapping) else {}

    @property
    def base(self) -> str:
        """Return the model as it was named: a path, or its name on the hub."""
        names = ("pretrained", "model", "path", "engine")
        found = next((self.arguments[name] for name in names if name in self.arguments), None)
        return str(found or self.data.get("model_name") or self.config.get("model") or "model")

    @property
    def adapter(self) -> str | None:
        """Return the adapter as it was named; None for a base."""
        return self.arguments.get("peft") or None

    @property
    def names(self) -> tuple[str, str | None]:
        """Return what the model and its adapter are called: as an export says, or by the ends of their places."""
        own = self.data.get(OWN)
        if isinstance(own, Mapping) and own.get("model"):
            return str(own["model"]), None if own.get("adapter") is None else str(own["adapter"])
        return _last(self.base), None if self.adapter is None else _last(self.adapter)

    @property
    def answerer(self) -> tuple[str, str | None]:
        """Return what answered: the model and its adapter."""
        return self.base, self.adapter


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskRun:
    """What a results file says of a task."""

    name: str
    config: Mapping[str, Any]
    values: Mapping[str, Any]  # "acc,none" -> number
    higher: Mapping[str, Any]  # metric -> whether higher is better
    shots: int
    metrics: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)  # name -> settings


def _last(place: str) -> str:
    return place.rstrip("/").rpartition("/")[2] or place


def read_runs(place: Path) -> list[Run]:
    """Return the runs of a folder, or of one results file; raise DataError if there are none."""
    if place.is_file():
        if place.suffix != ".json":
            raise DataError(
                f"{place}: found a {place.suffix or 'nameless'} file; name lm_eval's folder or its results_*.json"
            )
        return [_run(place)]
    if not place.is_dir():
        raise DataError(f"{place}: no such file or folder; name what lm_eval wrote at --output_path")
    found = sorted(path for path in place.rglob("*.json") if _is_results(path) and path.is_file())
    if not found:
        alone = next(iter(sorted(place.rglob("samples_*.jsonl"))), None)
        what = f"{alone.name} and no results_*.json" if alone else "no results_*.json"
        raise DataError(f"{place}: found {what}; {AGAIN}")
    return [_run(path) for path in found]


def _is_results(path: Path) -> bool:
    return path.name == results_name("") or DATED.search(path.stem) is not None


def _run(path: Path) -> Run:
    try:
        data = json.loads(regular_text(path))
    except (OSError, ValueError, RecursionError) as error:
        raise DataError(
            f"{path}: cannot be read as JSON: {str(error).partition(chr(10))[0]}; copy the file again, or {AGAIN}"
        ) from error
    if not isinstance(data, dict) or not isinstance(data.get("results"), dict) or "configs" not in data:
        raise DataError(f"{path}: found no results of lm_eval in it; name the folder of results_*.json")
    dated = DATED.search(path.stem)
    date = dated[1] if dated else ""
    samples: dict[str, Path] = {}
    before, after = samples_name("*", date).split("*")
    for beside in sorted(path.parent.glob(samples_name("*", date))):
        if date or not DATED.search(beside.stem):
            samples[beside.name.removeprefix(before).removesuffix(after)] = beside
    return Run(path=path, date=date, data=data, samples=samples)


def refuse_mixed(place: Path, runs: Sequence[Run]) -> None:
    """Raise DataError if a folder has runs of several models or adapters."""
    found = {run.answerer: run for run in runs}
    if len(found) < 2:
        return
    said = " and ".join(
        f"{base}{f' with {adapter}' if adapter else ''} ({run.path.relative_to(place)})"
        for (base, adapter), run in list(found.items())[:3]
    )
    raise DataError(
        f"{place}: found results of {len(found)} models: {said}; name the folder or the results_*.json of each one"
    )


def task_run(run: Run, name: str) -> TaskRun:
    """Return what a results file says of a task."""

    def of(key: str) -> Mapping[str, Any]:
        found = run.data.get(key)
        own = found.get(name) if isinstance(found, Mapping) else None
        return own if isinstance(own, Mapping) else {}

    config = of("configs")
    shots = run.data.get("n-shot")
    count = shots.get(name) if isinstance(shots, Mapping) else None
    listed = config.get("metric_list")
    return TaskRun(
        name=name,
        config=config,
        values=of("results"),
        higher=of("higher_is_better"),
        shots=count if isinstance(count, int) else 0,
        metrics={
            str(each["metric"]): each
            for each in (listed if isinstance(listed, list) else [])
            if isinstance(each, Mapping) and "metric" in each
        },
    )
