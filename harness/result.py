"""A RESULT folder, read back: typed records for the report, pandas frames for people, and a check by recomputing."""

import gzip
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, fields
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from harness.errors import ResultError
from harness.types import Comparison, Cost, Generation, Note, Sample, Score, System, WeightRow

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd
    from numpy.typing import NDArray

    from harness.metrics import Metric

SCHEMA = 1
Record = TypeVar("Record")


# What result.json says besides the nouns of `types`.


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskFacts:
    """A task as it was asked."""

    name: str
    primary: str
    metrics: tuple[str, ...]  # plug-in names: "rouge", not "rougeL"
    about: str = ""
    kind: str = "generate"
    prompt: str = ""
    source: str = ""
    licence: str | None = None
    share: str = "scores"
    trivial: tuple[str, ...] = ()
    cluster: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelFacts:
    """A base model as it was loaded."""

    name: str
    uri: str = ""
    revision: str | None = None
    family: str | None = None
    parameters: int | None = None
    dtype: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class AdapterFacts:
    """An adapter under the label that its scores carry."""

    name: str
    model: str
    recipe: str | None = None
    trained_on: str | None = None
    seed: int | None = None
    uri: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SuiteFacts:
    """The suite as it was run."""

    name: str
    tasks: tuple[TaskFacts, ...]
    models: tuple[ModelFacts, ...]
    adapters: tuple[AdapterFacts, ...] = ()
    recipes: tuple[Mapping[str, object], ...] = ()
    about: str = ""
    limit: int | None = None
    train_on: tuple[str, ...] = ()
    base_shots: tuple[int, ...] = (0,)


@dataclass(frozen=True, slots=True, kw_only=True)
class Point:
    """One line of a training log."""

    step: int
    loss: float | None
    validation_loss: float | None = None
    learning_rate: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Curve:
    """How an adapter's loss fell."""

    model: str
    adapter: str
    points: tuple[Point, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class StepFacts:
    """One step of the plan and how it ended."""

    id: str
    kind: str
    state: str
    label: str = ""
    seconds: float = 0.0
    reason: str = ""
    log: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """Everything `result.json` holds; rows, generations and samples are read when asked for."""

    folder: Path
    suite: SuiteFacts
    scores: tuple[Score, ...]
    comparisons: tuple[Comparison, ...]
    weights: tuple[WeightRow, ...] = ()
    costs: tuple[Cost, ...] = ()
    curves: tuple[Curve, ...] = ()
    notes: tuple[Note, ...] = ()
    steps: tuple[StepFacts, ...] = ()
    manifest: Mapping[str, object] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Rows:
    """The row of sums of every sample, for one system under one metric."""

    ids: tuple[str, ...]
    stats: "NDArray[np.float64]"  # [n, k]


# Reading.


def read_document(folder: Path) -> dict[str, Any]:
    """`result.json` as plain data; a schema newer than ours is refused."""
    path = folder / "result.json"
    try:
        document = json.loads(path.read_bytes())
    except OSError as error:
        raise ResultError(f"{path}: {error.strerror}; a RESULT folder holds a result.json") from error
    except ValueError as error:
        raise ResultError(f"{path}: not JSON ({error}); run the suite again to write it anew") from error
    version = document.get("schema") if isinstance(document, dict) else None
    if not isinstance(version, int):
        raise ResultError(f"{path}: no schema version; this is not a result of the harness")
    if version > SCHEMA:
        raise ResultError(f"{path}: schema {version}, this harness reads up to {SCHEMA}; update the harness")
    return dict(document)


def read(folder: Path | str) -> Result:
    """The records of a RESULT folder."""
    folder = Path(folder)
    document = read_document(folder)
    try:
        suite = document["suite"]
        return Result(
            folder=folder,
            suite=_record(
                SuiteFacts,
                suite,
                tasks=tuple(_record(TaskFacts, one) for one in suite["tasks"]),
                models=tuple(_record(ModelFacts, one) for one in suite["models"]),
                adapters=tuple(_record(AdapterFacts, one) for one in suite.get("adapters", ())),
            ),
            scores=tuple(_record(Score, one, system=_system(one)) for one in document["scores"]),
            comparisons=tuple(
                _record(
                    Comparison, one, baseline=_system(one["baseline"]), candidate=_system(one["candidate"])
                )
                for one in document["comparisons"]
            ),
            weights=tuple(_weight_row(one) for one in document.get("weights", ())),
            costs=tuple(_record(Cost, one, system=_system(one)) for one in document.get("costs", ())),
            curves=tuple(
                _record(Curve, one, points=tuple(_record(Point, point) for point in one["points"]))
                for one in document.get("curves", ())
            ),
            notes=tuple(_record(Note, one) for one in document.get("notes", ())),
            steps=tuple(_record(StepFacts, one) for one in document.get("steps", ())),
            manifest=document.get("manifest", {}),
        )
    except (KeyError, TypeError) as error:
        raise ResultError(f"{folder / 'result.json'}: broken or changed by hand: {error}") from error


def read_rows(folder: Path) -> dict[tuple[str, System, str], Rows]:
    """(task, system, metric plug-in) -> rows of sums, as the score steps left them."""
    import pyarrow.parquet as parquet

    path = folder / "rows.parquet"
    try:
        table = parquet.read_table(path)
    except OSError as error:
        raise ResultError(f"{path}: cannot be read: {error}") from error
    lists = table.column("stats").combine_chunks()
    flat, starts = lists.flatten().to_numpy(zero_copy_only=False), lists.value_lengths().to_numpy().cumsum()
    names = ("task", "model", "adapter", "shots", "metric", "sample_id")
    columns = [table.column(name).to_pylist() for name in names]
    groups: dict[tuple[str, System, str], tuple[list[str], list[NDArray[np.float64]]]] = {}
    for index, (task, model, adapter, shots, metric, sample_id) in enumerate(zip(*columns, strict=True)):
        key = (task, System(model=model, adapter=adapter, shots=shots), metric)
        ids, stats = groups.setdefault(key, ([], []))
        ids.append(sample_id)
        stats.append(flat[starts[index - 1] if index else 0 : starts[index]])
    return {key: _rows(path, key, ids, stats) for key, (ids, stats) in groups.items()}


def read_generations(folder: Path) -> Iterator[tuple[str, System, Generation]]:
    """(task, system, answer) of every sample, in file order."""
    for line in _lines(folder / "generations.jsonl.gz"):
        yield line["task"], _system(line), _record(Generation, line)


def read_samples(folder: Path) -> Iterator[tuple[str, Sample]]:
    """(task, sample), in file order."""
    for line in _lines(folder / "samples.jsonl.gz"):
        yield line["task"], _record(Sample, line, id=line["sample_id"])


def _lines(path: Path) -> Iterator[dict[str, Any]]:
    try:
        with gzip.open(path, "rt", encoding="utf-8", errors="surrogatepass", newline="\n") as file:
            for number, line in enumerate(file, 1):
                try:
                    yield json.loads(line)
                except ValueError as error:
                    raise ResultError(f"{path}:{number}: not a JSON line ({error})") from error
    except (OSError, EOFError) as error:
        raise ResultError(f"{path}: cannot be read: {error}") from error


def _rows(
    path: Path, key: tuple[str, System, str], ids: Sequence[str], stats: "Sequence[NDArray[np.float64]]"
) -> Rows:
    import numpy as np

    if len({len(one) for one in stats}) > 1:
        task, system, metric = key
        raise ResultError(f"{path}: {task} / {system} / {metric}: rows of different lengths")
    return Rows(ids=tuple(ids), stats=np.asarray(stats, dtype=np.float64))


def _record(kind: type[Record], data: Mapping[str, Any], **given: object) -> Record:
    """A record from an object's keys; keys that the record does not have are left aside."""
    names = {one.name for one in fields(kind)}  # type: ignore[arg-type]
    values = {
        key: tuple(value) if isinstance(value, list) else value for key, value in data.items() if key in names
    }
    return kind(**{**values, **given})


def _system(data: Mapping[str, Any]) -> System:
    return System(model=data["model"], adapter=data.get("adapter"), shots=data.get("shots") or 0)


def _weight_row(data: Mapping[str, Any]) -> WeightRow:
    named = {one.name for one in fields(WeightRow)}
    numbers = {
        key: value for key, value in data.items() if key not in named and isinstance(value, int | float)
    }
    return _record(WeightRow, data, numbers=numbers)


# Frames.


class Frames:
    """A RESULT folder as pandas frames, each made when first asked for."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._document = read_document(folder)

    @cached_property
    def scores(self) -> "pd.DataFrame":
        """One line per task, system and metric, with its interval."""
        return self._frame("scores")

    @cached_property
    def comparisons(self) -> "pd.DataFrame":
        """Paired differences; `baseline` and `candidate` are spread over columns such as `baseline.model`."""
        import pandas as pd

        return pd.json_normalize(self._document["comparisons"])

    @cached_property
    def weights(self) -> "pd.DataFrame":
        """One line per matrix: base, update and merged."""
        return self._frame("weights")

    @cached_property
    def costs(self) -> "pd.DataFrame":
        """Seconds, memory, tokens per second, sizes."""
        return self._frame("costs")

    @cached_property
    def steps(self) -> "pd.DataFrame":
        """What the plan did."""
        return self._frame("steps")

    @cached_property
    def rows(self) -> "pd.DataFrame":
        """The sums of each sample under each metric."""
        import pandas as pd

        return pd.read_parquet(self.folder / "rows.parquet")

    @cached_property
    def generations(self) -> "pd.DataFrame":
        """Every answer."""
        import pandas as pd

        return pd.DataFrame(_lines(self.folder / "generations.jsonl.gz"))

    @cached_property
    def samples(self) -> "pd.DataFrame":
        """Every question with its references."""
        import pandas as pd

        return pd.DataFrame(_lines(self.folder / "samples.jsonl.gz"))

    def _frame(self, name: str) -> "pd.DataFrame":
        import pandas as pd

        return pd.DataFrame(self._document.get(name, []))

    def __repr__(self) -> str:
        return f"Frames({str(self.folder)!r}: {', '.join(self._tables)})"

    def _repr_html_(self) -> str:
        """The primary scores, for a notebook."""
        shown = self.scores[self.scores["primary"]]
        columns = ["task", "model", "adapter", "shots", "metric", "value", "low", "high", "n"]
        table: str = shown[columns].to_html(index=False, float_format="{:.1f}".format, na_rep="", escape=True)
        return table

    _tables = ("scores", "comparisons", "weights", "costs", "steps", "rows", "generations", "samples")


def load(path: Path | str) -> Frames:
    """The pandas frames of a RESULT folder (or of the result.json in it)."""
    folder = Path(path)
    return Frames(folder.parent if folder.name == "result.json" else folder)


# Checking.

EXACT = 1e-6  # points; what writing a double as JSON and parquet keeps by far
# Two bootstraps of 10,000 resamples put an end of a 95 % interval within 0.04 standard errors of each other
# (quantile standard error sqrt(0.025 * 0.975 / 10,000) / 0.0584 = 0.027, times sqrt 2): 5 % of the width is 5 of these.
SPREAD = 0.05


def verify(folder: Path | str) -> list[str]:
    """What does not follow from the generations: scores, sample counts, rows, differences; empty when all does.

    Values, counts and rows must be equal; an interval may differ by what another resampling seed would move.
    """
    folder = Path(folder)
    result = read(folder)
    samples: dict[str, dict[str, Sample]] = {}
    for task_name, sample in read_samples(folder):
        samples.setdefault(task_name, {})[sample.id] = sample
    answers: dict[tuple[str, System], dict[str, Generation]] = {}
    for task_name, system, generation in read_generations(folder):
        answers.setdefault((task_name, system), {})[generation.sample_id] = generation
    stored = read_rows(folder)
    problems: list[str] = []
    for task in result.suite.tasks:
        for system in dict.fromkeys(score.system for score in result.scores if score.task == task.name):
            asked = samples.get(task.name, {})
            given = answers.get((task.name, system)) or _trivial(system, asked)
            problems += _check_cell(result, task, system, asked, given, stored)
    return problems + _check_comparisons(result)


def _trivial(system: System, samples: Mapping[str, Sample]) -> dict[str, Generation]:
    """A rule's answers are not kept: it gives them again."""
    if not system.model.startswith("trivial:"):
        return {}
    from harness.trivial import answer

    rule = system.model.removeprefix("trivial:")
    return {key: Generation(sample_id=key, text=answer(rule, sample)) for key, sample in samples.items()}


def _check_cell(
    result: Result,
    task: TaskFacts,
    system: System,
    samples: Mapping[str, Sample],
    answers: Mapping[str, Generation],
    stored: Mapping[tuple[str, System, str], Rows],
) -> list[str]:
    """One system on one task, under every metric of the task."""
    from harness import metrics

    here = f"{task.name} / {system}"
    unknown = sorted(set(answers) - set(samples))
    if unknown:
        return [f"{here}: {len(unknown)} generations without a sample, the first {unknown[0]!r}"]
    if not answers:
        return [f"{here}: scores without generations"]
    ids = [key for key in samples if key in answers]
    pairs = [(samples[key], answers[key]) for key in ids]
    problems = []
    for plugin in task.metrics:
        metric = metrics.load(plugin)
        scores = {
            score.metric: score
            for score in result.scores
            if score.task == task.name and score.system == system and score.metric in metric.names
        }
        values, intervals, fresh = _recompute(metric, pairs, task, result.manifest)
        rows = stored.get((task.name, system, plugin))
        if fresh is not None:
            problems += _check_rows(f"{here} / {plugin}", ids, fresh, rows)
        for name, value in values.items():
            score = scores.get(name)
            if score is None:
                problems.append(f"{here} / {name}: no score, the generations give {value:.6f}")
                continue
            if score.n != len(ids):
                problems.append(f"{here} / {name}: n = {score.n} in result.json, {len(ids)} generations")
            if not abs(score.value - value) <= EXACT:
                problems.append(
                    f"{here} / {name}: {score.value:.6f} in result.json, {value:.6f} from the generations"
                )
            problems += _check_interval(f"{here} / {name}", score, intervals.get(name))
    return problems


def _recompute(
    metric: "Metric",
    pairs: Sequence[tuple[Sample, Generation]],
    task: TaskFacts,
    manifest: Mapping[str, object],
) -> "tuple[dict[str, float], dict[str, tuple[float, float]], NDArray[np.float64] | None]":
    """Values, intervals and rows [n, k] of one metric; a metric that is no function of sums has values only."""
    import numpy as np

    from harness import stats

    if metric.row is None or metric.value is None:
        assert metric.corpus is not None
        return dict(metric.corpus(*map(list, zip(*pairs, strict=True)))), {}, None
    rows = np.array([metric.row(sample, generation) for sample, generation in pairs], dtype=np.float64)
    values = dict(zip(metric.names, metric.value(rows.sum(0)).tolist(), strict=True))
    if metric.interval == "wilson":
        return values, {}, rows
    clusters = _clusters([sample for sample, _ in pairs], task.cluster)
    seed = manifest.get("seed")
    drawn = stats.bootstrap(rows, metric.value, seed=seed if isinstance(seed, int) else 0, clusters=clusters)
    ends = {name: stats.percentile_interval(drawn[:, index]) for index, name in enumerate(metric.names)}
    return values, ends, rows


def _clusters(samples: Sequence[Sample], column: str | None) -> list[int] | None:
    """A number per sample, equal where the cluster column is."""
    if column is None:
        return None
    numbers: dict[str, int] = {}
    return [numbers.setdefault(sample.metadata.get(column, ""), len(numbers)) for sample in samples]


def _check_rows(here: str, ids: Sequence[str], fresh: "NDArray[np.float64]", rows: Rows | None) -> list[str]:
    import numpy as np

    if rows is None:
        return [f"{here}: no rows in rows.parquet"]
    places = {key: index for index, key in enumerate(rows.ids)}
    missing = [key for key in ids if key not in places]
    if missing or len(rows.ids) != len(ids) or rows.stats.shape[1] != fresh.shape[1]:
        return [
            f"{here}: rows.parquet has {rows.stats.shape} rows and sums, the generations give {fresh.shape}"
        ]
    kept = rows.stats[[places[key] for key in ids]]
    off = np.flatnonzero(~np.isclose(kept, fresh, rtol=1e-9, atol=EXACT).all(1))
    if not off.size:
        return []
    first = off[0]
    return [
        f"{here}: {off.size} of {len(ids)} rows differ, the first for sample {ids[first]!r}: "
        f"{_numbers(kept[first])} in rows.parquet, {_numbers(fresh[first])} from its generation"
    ]


def _check_interval(here: str, score: Score, ends: tuple[float, float] | None) -> list[str]:
    if ends is None or score.low is None or score.high is None:
        return []
    low, high = (float(end) for end in ends)
    room = SPREAD * (high - low) + EXACT
    if abs(score.low - low) <= room and abs(score.high - high) <= room:
        return []
    return [
        f"{here}: interval [{score.low:.3f}, {score.high:.3f}] in result.json, "
        f"[{low:.3f}, {high:.3f}] from the generations"
    ]


def _check_comparisons(result: Result) -> list[str]:
    """Differences follow from the scores, and corrected p from the p of their family."""
    from harness import stats

    values = {(score.task, score.system, score.metric): score.value for score in result.scores}
    problems = []
    families: dict[str, list[Comparison]] = {}
    for one in result.comparisons:
        here = f"{one.task} / {one.candidate} against {one.baseline} / {one.metric}"
        if one.family is not None:
            families.setdefault(one.family, []).append(one)
        ends = [values.get((one.task, system, one.metric)) for system in (one.candidate, one.baseline)]
        if ends[0] is None or ends[1] is None:
            problems.append(f"{here}: a comparison of systems without scores")
        elif not abs(one.difference - (ends[0] - ends[1])) <= EXACT:
            problems.append(
                f"{here}: difference {one.difference:.6f} in result.json, {ends[0] - ends[1]:.6f} from the scores"
            )
    for members in families.values():
        corrected = stats.holm([one.p for one in members])
        for one, p_holm in zip(members, corrected, strict=True):
            if one.p_holm is None or not abs(one.p_holm - float(p_holm)) <= EXACT:
                problems.append(
                    f"{one.task} / {one.candidate} against {one.baseline} / {one.metric}: "
                    f"p_holm {one.p_holm} in result.json, {float(p_holm):.6f} from the p of its family"
                )
    return problems


def _numbers(row: "NDArray[np.float64]") -> str:
    return "(" + ", ".join(f"{value:.6g}" for value in row) + ")"
