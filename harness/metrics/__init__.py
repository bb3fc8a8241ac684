"""Load metrics. A metric makes a row of numbers of each sample, and its scores are a function of the rows.

    row(sample, generation) -> k numbers        value(sum of rows), or statistic(all rows) -> the scores

Settings of a metric are the keyword-only parameters of its factory, `metric(*, stemmer: bool = True)`.

A corpus score is `value` of the sum of all rows, so a resampled score is a matrix product of resampling counts
with rows. A metric that is not a function of sums (F1 over classes, a rank correlation) has `statistic` instead, a
function of all rows in whatever order, which is resampled by index. A foreign metric that makes no rows has `corpus`, and
no interval.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from types import ModuleType
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from harness import plugins, stats
from harness.errors import ForeignCode, SuiteError, UnknownName
from harness.plugins.choice import PluginChoice, parse
from harness.plugins.files import load_file, plugin_file
from harness.plugins.permission import NAMED, NOT_OURS, OWN, AllowedScripts, Code, Script
from harness.types import Generation, Sample

__all__ = [
    "NAMED",
    "NOT_OURS",
    "OWN",
    "AllowedScripts",
    "Array",
    "Caution",
    "Code",
    "Metric",
    "SampleNumber",
    "Script",
    "canonical",
    "finds",
    "gives",
    "kinds_of",
    "load",
    "names",
    "of_written",
    "own",
    "problem_of",
    "reads",
    "score_names",
    "unready",
]

Array = NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class Caution:
    """What makes a metric's scores doubtful if enough samples have it: a warning of the metric's library, for example."""

    said: str  # of the samples, in plural: "answers that …"
    holds: Callable[[Sample, Generation], bool]
    least: int = 1  # samples, from which on it is said


@dataclass(frozen=True, slots=True, kw_only=True)
class SampleNumber:
    """What pages show of a single sample, under a metric whose score says nothing about one sample alone."""

    name: str  # "Right answer"
    said: str  # what the number is: "100 for a right answer, 0 for a wrong one"
    of: Callable[[Array], Array]  # rows [..., k] -> numbers [...]; NaN for a sample without one
    unit: str  # as a metric's
    better: Literal["higher", "lower"] = "higher"


@dataclass(frozen=True, slots=True, kw_only=True)
class Metric:
    """One way to score answers, with `row` and `value`, with `row` and `statistic`, or with `corpus`."""

    names: tuple[str, ...]  # of the scores, in the order of `value`
    signature: str  # every setting that can change the scores, library version last
    unit: str  # "points" (0 to 100), "%", or "raw" for a foreign metric's own scale
    better: Literal["higher", "lower"] = "higher"
    interval: Literal["bootstrap", "wilson"] = "bootstrap"  # "wilson": each row is (hit, 1)
    row: Callable[[Sample, Generation], Sequence[float]] | None = None  # k numbers
    value: Callable[[Array], Array] | None = None  # totals [..., k] -> scores [..., len(names)]
    statistic: Callable[[Array], Array] | None = None  # rows [..., n, k] -> scores [..., len(names)]
    # `statistic` of resamples, where that is faster by counts: rows [n, k], how often each row is drawn [n, resamples]
    # -> scores [resamples, len(names)]
    weighted: Callable[[Array, Array], Array] | None = None
    corpus: Callable[[Sequence[Sample], Sequence[Generation]], Mapping[str, float]] | None = None
    cautions: tuple[Caution, ...] = ()
    of_sample: SampleNumber | None = None  # None: the score of a sample's row alone, where there is `value`
    # The number in each row that says what is wanted: if all rows agree on it, the score is 0 by convention alone
    wanted: int | None = None

    @property
    def formula(self) -> stats.Formula | None:
        """Return how scores follow from rows; None for a metric without rows."""
        return self.value if self.statistic is None else stats.RowStatistic(self.statistic, self.weighted)

    def table(
        self,
        rows: Array,  # [n, systems, k]
    ) -> stats.Table:
        """Return the rows of several systems under this metric, which has rows."""
        assert self.formula is not None
        return stats.Table(rows=rows, value=self.formula, interval=self.interval)

    def signature_on(self, samples: Sequence[Sample]) -> str:
        """Return the signature with the samples' number of references; "var" if it varies, as in sacrebleu."""
        counts = {len(sample.references) for sample in samples}
        return (
            self.signature.replace("nrefs:var", f"nrefs:{counts.pop()}")
            if len(counts) == 1
            else self.signature
        )


def scripts() -> dict[str, str]:
    """Return the metrics of the user's own project that are in use: the file's name, and where it lies."""
    return {file.path.name: str(file.path) for file in plugins.used() if file.group == "metrics"}


def names() -> tuple[str, ...]:
    """Return the names of all metrics; "evaluate" needs an argument: "evaluate:NAME" or "evaluate:PATH"."""
    return plugins.names("metrics")


def load(name: str, where: str = "", *, code: Code = OWN) -> Metric:
    """Return the metric of that name: "rouge", "bleu(tokenize=zh)", "evaluate:PATH", "my_metric.py".

    Its scores are named with the settings: "rougeL(stemmer=false)". Raises ForeignCode if the name leads to code that
    `code` does not allow. Pass another `code` than OWN only for a name that the user wrote, or was shown the code of.
    """
    choice = parse(name, where)
    plugin = _plugin(choice, where, code)
    settings = _settings(plugin, choice, where)
    arguments = [code.permit(name, choice.argument)] if choice.argument else []
    metric = _factory(plugin, where)(*arguments, **settings)
    if not isinstance(metric, Metric):
        raise SuiteError(f"{_place(where)}{name}: its `metric()` returns no harness.metrics.Metric")
    if problem := _problem(metric):
        raise SuiteError(f"{_place(where)}{name}: {problem}")
    if choice.path is not None:
        metric = _of_file(metric, plugin, choice)
    return _named(metric, choice.suffix) if choice.settings else metric


def own(name: str, where: str = "", *, code: Code = OWN) -> Metric | None:
    """Return the metric that a RESULT names; None if its code is not part of this harness, nor allowed by `code`."""
    try:
        return load(name, where, code=code)
    except ForeignCode:
        return None


def canonical(choice: PluginChoice, at: Callable[..., str]) -> str:
    """Return the name of a metric that the user chose, with its settings checked and those at their defaults left out.

    `at` returns the place of a setting, for messages.
    """
    plugin = _plugin(choice, at(), OWN)
    if not choice.settings:
        return str(choice)
    from harness.plugins.settings import settings

    return str(replace(choice, settings=settings(_factory(plugin, at()), choice.settings, at)))


def score_names(metric: str, where: str = "") -> tuple[str, ...]:
    """Return the names of the metric's scores; foreign code is not loaded for that."""
    choice = parse(metric, where)
    if choice.path is not None:
        known = own(metric, where)
        return known.names if known else (choice.own + choice.suffix,)
    plugin = _plugin(choice, where, OWN)
    found: tuple[str, ...] = plugin.score_names(choice.argument) if choice.argument else plugin.NAMES
    return tuple(name + choice.suffix for name in found)


def gives(metric: str, score: str) -> bool:
    """Return whether the metric gives this score; foreign code that gives several numbers names them `NAME.KEY`."""
    choice, known = parse(metric), score_names(metric)
    if score in known or choice.argument:
        return score in known or score.startswith(f"{known[0]}.")
    bare, bracket, settings = score.partition("(")
    return (
        choice.path is not None and bare.startswith(f"{choice.own}.") and bracket + settings == choice.suffix
    )


def kinds_of(metric: str) -> tuple[str, ...]:
    """Return the kinds of task that alone have what the metric scores; empty: all kinds with references."""
    found: tuple[str, ...] = getattr(_plugin(parse(metric), "", OWN), "KINDS", ())
    return found


def unready(metric: str, where: str = "") -> str | None:
    """Return what this machine lacks for a metric and what would do, if its plug-in has a function `unready`."""
    choice = parse(metric, where)
    plugin = _plugin(choice, where, OWN)
    look: Callable[..., str | None] | None = getattr(plugin, "unready", None)
    return look(**_settings(plugin, choice, where)) if look else None


def of_written(metric: str) -> bool:
    """Return whether the metric compares words or characters of written answers, by its plug-in's WRITTEN."""
    return bool(getattr(_plugin(parse(metric), "", OWN), "WRITTEN", False))


def finds(metric: str) -> str | None:
    """Return what a metric looks for in answers by a judgement that may err, in plural; None for other metrics."""
    try:
        found: str | None = getattr(_plugin(parse(metric), "", OWN), "FINDS", None)
    except ForeignCode:
        return None
    return found


def reads(metric: str, text: str) -> bool:
    """Return whether the metric finds something to compare in a reference, if its plug-in has a function `reads`."""
    choice = parse(metric)
    look: Callable[[str], bool] | None = getattr(_plugin(choice, "", OWN), "reads", None)
    return look is None or look(text)


def problem_of(metric: str) -> Callable[[str], str | None] | None:
    """Return what says why a reference cannot be scored, as a clause, if the metric's plug-in has a function `problem`."""
    look: Callable[[str], str | None] | None = getattr(_plugin(parse(metric), "", OWN), "problem", None)
    return look


def _problem(metric: Metric) -> str:
    """Return what is wrong with the functions of a metric; an empty text if they fit together."""
    if metric.weighted is not None and metric.statistic is None:
        return "a metric has `weighted` beside `statistic`; it has no `statistic`"
    given = {name for name in ("row", "value", "statistic", "corpus") if getattr(metric, name) is not None}
    if given in ({"row", "value"}, {"row", "statistic"}, {"corpus"}):
        return ""
    found = ", ".join(sorted(given)) or "none of them"
    return f"a metric has `row` and `value`, `row` and `statistic`, or `corpus`; it has {found}"


def _place(where: str) -> str:
    return f"{where}: " if where else ""


def _plugin(choice: PluginChoice, where: str, code: Code) -> ModuleType:
    """Return the plug-in. A plug-in with an argument has `score_names`, others have NAMES; a file needs neither."""
    if choice.path is not None:
        return _module(choice, where, code)
    if any((file.group, file.name) == ("metrics", choice.name) for file in plugins.used()):
        # A task names a file by its path, so the bare name of a file comes from a RESULT.
        raise UnknownName("metric", choice.name, plugins.names("metrics"), where)
    plugin = plugins.find("metrics", choice.name, where)
    takes_argument = hasattr(plugin, "score_names")
    if takes_argument == bool(choice.argument):
        return plugin
    hint = (
        f"write {choice.name}:NAME or {choice.name}:PATH"
        if takes_argument
        else f"{choice.name!r} takes nothing after a colon"
    )
    raise SuiteError(f"{_place(where)}no metric named {str(choice)!r}; {hint}")


def _module(choice: PluginChoice, where: str, code: Code) -> ModuleType:
    """Return the module of a file that the user's own suite uses, or that `code` allows."""
    for file in plugins.used():
        # A suite calls a file by its name, a RESULT of an older version by its path.
        if file.group == "metrics" and choice.name in (file.path.name, str(file.path)):
            return load_file(file, where)
    place = code.permit(str(choice), choice.name)
    return load_file(plugin_file("metrics", Path(place)), where)


def _factory(plugin: ModuleType, where: str) -> Callable[..., object]:
    factory: object = getattr(plugin, "metric", None)
    if not callable(factory):
        raise SuiteError(f"{_place(where)}{plugin.__file__}: has no `metric() -> Metric`")
    return factory


def _settings(plugin: ModuleType, choice: PluginChoice, where: str) -> Mapping[str, object]:
    factory = _factory(plugin, where)
    if not choice.settings:
        return {}
    from harness.plugins.settings import settings  # which loads pydantic

    return settings(
        factory, choice.settings, lambda *keys: ": ".join([where or str(choice), *map(str, keys)])
    )


def _of_file(metric: Metric, plugin: ModuleType, choice: PluginChoice) -> Metric:
    """Return the metric with its scores named after its file, so that the name says which scores belong to it."""
    names = [f"{choice.own}.{name}" for name in metric.names] if len(metric.names) > 1 else [choice.own]
    script = plugin.__name__.rpartition("_")[2]
    signature = f"{metric.signature}|file:{choice.own}{choice.suffix}|script:{script}"
    return _with_names(replace(metric, signature=signature), names)


def _named(metric: Metric, suffix: str) -> Metric:
    return _with_names(metric, [name + suffix for name in metric.names])


def _with_names(metric: Metric, names: Sequence[str]) -> Metric:
    """Return the metric with other names for its scores."""
    corpus = metric.corpus
    if corpus is None:
        return replace(metric, names=tuple(names))
    called = dict(zip(metric.names, names, strict=True))

    def renamed(samples: Sequence[Sample], generations: Sequence[Generation]) -> Mapping[str, float]:
        return {called.get(name, name): value for name, value in corpus(samples, generations).items()}

    return replace(metric, names=tuple(names), corpus=renamed)
