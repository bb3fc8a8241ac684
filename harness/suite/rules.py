"""Check a suite beyond its types: names are known, numbers are within range, and parts fit together.

Each check gets a function `at` that writes the place of a key, so that its message can begin with file, line and key.
"""

import math
import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import fields
from fnmatch import fnmatchcase
from pathlib import Path
from typing import get_args

from harness import backends, data, families, kinds, plugins
from harness.checkpoints import written
from harness.checkpoints.adapter import LORA
from harness.errors import SuiteError, UnknownName
from harness.files import shipped
from harness.files.row_range import split_name
from harness.files.validation import checked
from harness.suite import judges
from harness.suite.gates import check_gate
from harness.suite.stages import check_stages, pairs
from harness.types import Adapter, Decode, Gate, Model, Published, Recipe, Suite, Task, Uri, Wording
from harness.types.suite import BY_LOSS, BY_PRIMARY

At = Callable[..., str]  # keys below the record -> "FILE:LINE: dotted.key"
Range = tuple[str, Callable[[float], bool]]

_COUNT: Range = ("1 or more", lambda number: number >= 1)
_NOT_NEGATIVE: Range = ("0 or more", lambda number: number >= 0)
_POSITIVE: Range = ("more than 0", lambda number: number > 0)
_SHARE: Range = ("from 0 to 1", lambda number: 0 <= number <= 1)
_PART: Range = ("from 0 to less than 1", lambda number: 0 <= number < 1)

RECIPE_RANGES = {
    "rank": _COUNT,
    "alpha": _POSITIVE,
    "dropout": _PART,
    "epochs": _POSITIVE,
    "steps": _COUNT,
    "batch_size": _COUNT,
    "micro_batch_size": _COUNT,
    "learning_rate": _POSITIVE,
    "warmup": _SHARE,
    "weight_decay": _NOT_NEGATIVE,
    "max_grad_norm": _POSITIVE,
    "max_tokens": _COUNT,
    "max_samples": _COUNT,
    "validation_samples": _NOT_NEGATIVE,
    "validations": _COUNT,
    "patience": _COUNT,
}
DECODE_RANGES = {
    "max_new_tokens": _COUNT,
    "temperature": _NOT_NEGATIVE,
    "top_p": _SHARE,
    "seed": _NOT_NEGATIVE,
}

MOST_SCALE = 2.0  # times an update
LIKELIHOOD_OF_TEXTS = "perplexity"  # kind of the tasks that measure what was forgotten
_TARGETS = ("q", "k", "v", "o", "feed-forward", "all-linear")
_LONGEST_NAME = 100  # characters: names of files contain it
_SPLITS = ("train", "validation", "test")


def check(item: Task | Model | Recipe | Adapter | Gate, at: At) -> None:
    """Raise SuiteError for a record of a suite that breaks a rule."""
    match item:
        case Task():
            check_task(item, at)
        case Model():
            check_model(item, at)
        case Recipe():
            check_recipe(item, at)
        case Adapter():
            check_adapter(item, at)
        case Gate():
            check_gate(item, at)


def check_task(task: Task, at: At) -> None:
    """Raise SuiteError for a task with unknown names, numbers out of range, or parts that do not fit."""
    from harness import metrics
    from harness.tasks import metric_names
    from harness.tasks import rules as trivial

    check_name(task.name, at)
    kind = kinds.find(task.kind, at("kind"))
    _filled(task.metrics, at("metrics"))
    _distinct(task.metrics, at, "metrics")
    scores: list[str] = []
    for n, metric in enumerate(task.metrics):
        if (path := metric_names.path_of(metric)) and not path.exists():
            raise SuiteError(
                f"{at('metrics', n)}: no file {path}; a path starts at the folder of the task's file"
            )
        for score in metrics.score_names(metric, at("metrics", n)):
            if score in scores:
                raise SuiteError(
                    f"{at('metrics', n)}: another metric of the task gives {score!r} too; keep one"
                )
            scores.append(score)
        _fitting(metric, kind, at("metrics", n))
        if lacking := metrics.unready(metric, at("metrics", n)):
            raise SuiteError(f"{at('metrics', n)}: {lacking}")
    _known("score among the task's metrics", task.primary, scores, at("primary"))
    judges.check_task(task, at)
    for n, published in enumerate(task.published):
        _published(published, scores, lambda *more, n=n: at("published", n, *more))
    for n, rule in enumerate(task.trivial):
        _known("trivial rule", rule, trivial.RULES, at("trivial", n))
    _within("shots", task.shots, _NOT_NEGATIVE, at)
    for key, limits in DECODE_RANGES.items():
        _within(key, getattr(task.decode, key), limits, lambda key: at("decode", key))
    if "" in task.decode.stop:
        raise SuiteError(
            f"{at('decode', 'stop')}: found an empty text; every answer would end before it began"
        )
    _source(task, kind, at)
    checked(kind.settings, dict(task.settings), lambda *more: at("settings", *more))
    _decode(task, kind, at)
    kind.check(task, at)
    for family, own in task.by_family.items():
        _known("family", family, plugins.names("families"), at("by_family", family))
        if own == Wording():
            raise SuiteError(
                f"{at('by_family', family)}: found neither prompt nor system; give one, or leave it out"
            )
        kind.check(task.for_family(family), _at_family(task, family, at))


def _decode(task: Task, kind: kinds.Kind, at: At) -> None:
    """Raise SuiteError for a setting of how answers are written, in a task that never asks a model to write.

    A stop string may be named: it ends the training examples of a model without an end-of-sequence token.
    """
    if kind.writes(task):
        return
    for field in fields(Decode):
        if field.name != "stop" and getattr(task.decode, field.name) != field.default:
            raise SuiteError(
                f"{at('decode', field.name)}: a task of this kind ({kind.name}) writes no answer, so the key would move "
                "nothing; leave it out"
            )


def _published(published: Published, scores: Sequence[str], at: At) -> None:
    """Raise SuiteError for published numbers of scores that the task has not, or that are no numbers."""
    if not published.scores:
        raise SuiteError(f"{at('scores')}: found none; give at least one: `{{{scores[0]}: 42.0}}`")
    for name, value in published.scores.items():
        _known("score among the task's metrics", name, scores, at("scores", name))
        if not math.isfinite(value):
            raise SuiteError(f"{at('scores', name)}: found {value}, which is not finite; give a number")
    if not published.comparable and not published.why.strip():
        raise SuiteError(
            f"{at('why')}: missing; say why the numbers cannot be compared, or write `comparable: true`"
        )


def _at_family(task: Task, family: str, at: At) -> At:
    """Return the function that gives the place of a task's key where models of a family have it."""
    own = task.by_family[family]

    def place(*keys: str | int) -> str:
        named = keys[:1] in (("prompt",), ("system",)) and getattr(own, str(keys[0])) is not None
        return at("by_family", family, *keys) if named else at(*keys)

    return place


def _fitting(metric: str, kind: kinds.Kind, where: str) -> None:
    """Raise SuiteError for a metric of the harness that finds nothing to score in the answers of a kind of task."""
    from harness import metrics
    from harness.plugins.choice import parse

    if parse(metric).name not in plugins.own_names("metrics"):
        return
    fits = metrics.kinds_of(metric)
    if fits and kind.name not in fits:
        raise SuiteError(
            f"{where}: {metric} scores tasks of kind {', '.join(fits)}, and this task is of kind {kind.name}"
        )
    if metrics.of_written(metric) and "write" not in kind.answers and {"choices", "chosen"} & {*kind.columns}:
        raise SuiteError(
            f"{where}: {metric} compares written texts, and a task of kind {kind.name} writes none; use accuracy"
        )
    if not fits and not {"reference", "chosen"} & {*kind.columns}:
        raise SuiteError(
            f"{where}: {metric} compares answers with references, and a task of kind {kind.name} has none; use perplexity"
        )


def _source(task: Task, kind: kinds.Kind, at: At) -> None:
    uri = _scheme(task.source.uri, data.schemes(), at("source", "uri"))
    if uri.scheme == "embedded":
        _known("embedded data set", uri.place, shipped.data_names(), at("source", "uri"))
    for key, columns in task.source.columns.items():
        if not columns and key not in kind.columns:
            continue  # the loader's mark of a kind without references
        _known("key", key, kinds.COLUMNS, at("source", "columns", key))
        if key not in kind.columns:
            raise SuiteError(
                f"{at('source', 'columns', key)}: the kind {kind.name!r} reads no {key}; leave the key out"
            )
        if not isinstance(columns, str):
            _several(key, columns, lambda *more: at("source", "columns", *more))
    if task.source.labels and ("reference" not in kind.columns or "choices" in kind.columns):
        raise SuiteError(
            f"{at('source', 'labels')}: the kind {kind.name!r} reads no labels; leave the key out"
        )
    _shape(task, kind, at)
    _of_lm_eval(task, at)
    if task.source.config is not None and uri.scheme in ("file", "embedded", "lm_eval"):
        raise SuiteError(
            f"{at('source', 'config')}: {uri.scheme}: sources have no configurations; leave the key out"
        )
    for key, name in task.source.splits.items():
        _known("split", key, _SPLITS, at("source", "splits", key))
        if uri.scheme in ("file", "embedded"):
            split_name(name, at("source", "splits", key))
    if task.source.splits and "test" not in task.source.splits:
        raise SuiteError(
            f"{at('source', 'splits')}: no test split; name the one that is measured on: `test: …`"
        )


def _of_lm_eval(task: Task, at: At) -> None:
    """Raise SuiteError for settings of a task file of lm-evaluation-harness beside another source, or out of range."""
    source = task.source
    if source.uri.startswith("lm_eval:"):
        if source.shots is not None:
            _within("shots", source.shots, _NOT_NEGATIVE, lambda key: at("source", key))
        if task.shots:
            raise SuiteError(
                f"{at('shots')}: the prompts of a task file of lm-evaluation-harness have examples of their own; "
                "write `shots` in the source"
            )
        if source.splits:
            raise SuiteError(f"{at('source', 'splits')}: the task file names the splits; leave the key out")
        return
    for key, given in (("shots", source.shots is not None), ("trust_code", source.trust_code)):
        if given:
            raise SuiteError(
                f"{at('source', key)}: only a task file of lm-evaluation-harness has it, `uri: lm_eval:PATH`; leave it out"
            )


def _shape(task: Task, kind: kinds.Kind, at: At) -> None:
    """Raise SuiteError for a shape that the kind does not read, or beside which the task names columns."""
    from harness.tasks import shapes

    shape = task.source.shape
    if shape is None or shape == "columns":
        return
    if shape not in (read := shapes.of_kind(kind.columns)):
        can = f"only {' and '.join(read)}" if read else "none: name its columns"
        raise SuiteError(
            f"{at('source', 'shape')}: the kind {kind.name!r} reads no rows of the shape {shape}, but {can}"
        )
    if not shapes.may_have(task.source):
        raise SuiteError(
            f"{at('source', 'columns')}: rows of the shape {shape} have columns of their own; name that of `id` at most"
        )


def _several(key: str, columns: tuple[str, ...], at: At) -> None:
    """Raise SuiteError unless a list of columns is given for the references, and names at least one, each once."""
    if key not in ("reference", "choices"):
        raise SuiteError(f"{at(key)}: found a list; only `reference` and `choices` may have several columns")
    _filled(columns, at(key))
    _distinct(columns, at, key)


def check_model(model: Model, at: At) -> None:
    """Raise SuiteError for a model with an unknown scheme or family, or a key that its backend does not use."""
    check_name(model.name, at)
    _scheme(model.uri, backends.schemes(), at("uri"), (written.REPOSITORY, written.GGUF_OF_HUB))
    backends.check(model, at)
    if model.family is not None:
        _known("family", model.family, plugins.names("families"), at("family"))


def check_adapter(adapter: Adapter, at: At) -> None:
    """Raise SuiteError for an adapter that is neither a folder nor a repository of the hub."""
    check_name(adapter.name, at)
    _scheme(adapter.uri, (*written.ADAPTER_SCHEMES, *written.SERVED), at("uri"))
    written.refuse_revision(adapter.uri, at("uri"))
    if adapter.revision is not None and not adapter.uri.startswith("hub:"):
        raise SuiteError(f"{at('revision')}: a folder has no revisions; leave it out")


def check_base(suite: Suite, adapter: Adapter, at: At) -> None:
    """Raise SuiteError for an adapter that cannot be attached to its base, a model of the suite."""
    base = next(model for model in suite.models if model.name == adapter.base)
    backends.of(base).check_adapter(adapter, base, at)


def check_recipe(recipe: Recipe, at: At) -> None:
    """Raise SuiteError for a recipe with numbers out of range, unknown targets, or settings that exclude each other."""
    check_name(recipe.name, at)
    if (recipe.epochs is None) == (recipe.steps is None):
        both = recipe.epochs is not None
        raise SuiteError(
            f"{at('steps') if both else at()}: found {'both' if both else 'neither'} of epochs and steps; give one"
        )
    for key, limits in RECIPE_RANGES.items():
        if getattr(recipe, key) is not None:
            _within(key, getattr(recipe, key), limits, at)
    if recipe.micro_batch_size is not None and recipe.batch_size % recipe.micro_batch_size:
        raise SuiteError(
            f"{at('micro_batch_size')}: {recipe.micro_batch_size} does not divide batch_size {recipe.batch_size}"
        )
    for key, asked in (("choose_by", recipe.choose_by != BY_LOSS), ("patience", recipe.patience is not None)):
        if asked and not recipe.validation_samples:
            raise SuiteError(
                f"{at(key)}: there is nothing to measure with validation_samples: 0; give a number of samples"
            )
    if recipe.patience is not None and recipe.patience >= recipe.validations:
        raise SuiteError(
            f"{at('patience')}: found {recipe.patience}, and the recipe measures {recipe.validations} times; raise "
            "`validations`, or lower it"
        )
    _filled(recipe.targets, at("targets"))
    for n, target in enumerate(recipe.targets):
        _known("target", target, _TARGETS, at("targets", n))
    if "all-linear" in recipe.targets and len(recipe.targets) > 1:
        raise SuiteError(f"{at('targets')}: all-linear contains every other target; give it alone")
    _filled(recipe.seeds, at("seeds"))
    _distinct(recipe.seeds, at, "seeds")
    for n, seed in enumerate(recipe.seeds):
        _within(n, seed, _NOT_NEGATIVE, lambda n: at("seeds", n))


def check_family_error(error: float, at: At) -> None:
    """Raise SuiteError for a `family_error` that is no chance between 0 and 1."""
    limits: Range = ("more than 0 and less than 1", lambda number: 0 < number < 1)
    _within("family_error", error, limits, at)


def check_suite(suite: Suite, at: At) -> None:
    """Raise SuiteError where the parts of a suite, each of which is sound by itself, do not fit together."""
    check_name(suite.name, at)
    _filled(suite.tasks, at("tasks"))
    _filled(suite.models, at("models"))
    tasks = [task.name for task in suite.tasks]
    _distinct(tasks, at, "tasks")
    _distinct([model.name for model in suite.models], at, "models")
    _distinct([recipe.name for recipe in suite.recipes], at, "recipes")
    _distinct([adapter.name for adapter in suite.adapters], at, "adapters")
    _check_adapters_in_suite(suite, at)
    check_stages(suite, at)
    _check_training(suite, tasks, at)
    for n, role in enumerate(suite.weights.roles if suite.weights else ()):
        _known("role", role, get_args(families.Role), at("weights", "roles", n))
    _filled(suite.base_shots, at("base_shots"))
    _distinct(suite.base_shots, at, "base_shots")
    for n, shots in enumerate(suite.base_shots):
        _within(n, shots, _NOT_NEGATIVE, lambda n: at("base_shots", n))
    for n, task in enumerate(suite.tasks):
        if task.source.uri.startswith("lm_eval:") and any(suite.base_shots):
            raise SuiteError(
                f"{at('base_shots')}: the prompts of {task.name} have the examples of lm-evaluation-harness; write "
                f"`base_shots: [0]`, and the number at tasks[{n}]: `{{lm_eval: PATH, shots: 4}}`"
            )
    for n, task in enumerate(suite.tasks):
        judges.check_suite(task, suite, lambda *more, n=n: at("tasks", n, *more))
    for task in suite.tasks:
        if task.name == suite.forgetting and task.kind != LIKELIHOOD_OF_TEXTS:
            raise SuiteError(
                f"{at('forgetting')}: the task {task.name} is of kind {task.kind}; name one of kind {LIKELIHOOD_OF_TEXTS}, "
                "such as domain-text"
            )
    _scales(suite, at)
    if suite.limit is not None:
        _within("limit", suite.limit, _COUNT, at)
    check_family_error(suite.family_error, at)
    _check_gate_patterns(suite, tasks, at)


def _scales(suite: Suite, at: At) -> None:
    """Raise SuiteError for scales without adapters to scale, out of range, or of adapters whose update cannot be scaled."""
    if not suite.scales:
        return
    if not suite.train_on:
        raise SuiteError(
            f"{at('scales')}: the suite trains no adapter; add `recipes` and `train_on`, or leave it out"
        )
    _distinct(suite.scales, at, "scales")
    for n, scale in enumerate(suite.scales):
        if not 0 <= scale <= MOST_SCALE:
            raise SuiteError(
                f"{at('scales', n)}: found {scale:g}; give a number from 0, the base, to {MOST_SCALE:g}"
            )
    for recipe in suite.recipes:
        kind = str(recipe.peft.get("type", LORA)).upper()
        if kind != LORA or recipe.peft.get("use_dora"):
            raise SuiteError(
                f"{at('scales')}: recipe {recipe.name} trains {'DoRA' if kind == LORA else kind}, whose update is not "
                "proportional to a number; leave out `scales`, or the recipe"
            )


def _check_adapters_in_suite(suite: Suite, at: At) -> None:
    """Raise SuiteError for an adapter whose base is no model of the suite, or whose name is also a recipe's."""
    recipes = {recipe.name for recipe in suite.recipes}
    models = [model.name for model in suite.models]
    for n, adapter in enumerate(suite.adapters):
        _known("model", adapter.base, models, at("adapters", n, "base"))
        check_base(suite, adapter, lambda *keys, n=n: at("adapters", n, *keys))
        if adapter.name in recipes:
            raise SuiteError(
                f"{at('adapters', n, 'name')}: {adapter.name!r} is a recipe too; rename one of them"
            )


def _check_training(suite: Suite, tasks: Sequence[str], at: At) -> None:
    """Raise SuiteError where `train_on` or `across` names no task of the suite, or training lacks tasks or recipes."""
    for n, name in enumerate(suite.train_on):
        _known("task in this suite", name, tasks, at("train_on", n))
    for n, name in enumerate(suite.across if isinstance(suite.across, tuple) else ()):
        _known("task in this suite", name, tasks, at("across", n))
    if suite.recipes and not suite.train_on:
        raise SuiteError(f"{at('recipes')}: no task to train on; add `train_on: [{tasks[0]}]`")
    if suite.train_on and not suite.recipes:
        raise SuiteError(f"{at('train_on')}: no recipe to train by; add `recipes: [lora-r16]`")
    _distinct(suite.train_on, at, "train_on")
    named = {task.name: task for task in suite.tasks}
    for recipe, name in pairs(suite):
        n = suite.recipes.index(recipe)
        _check_examples(recipe, named[name], lambda *keys, n=n: at("recipes", n, *keys))
        _check_choosing(recipe, named[name], lambda *keys, n=n: at("recipes", n, *keys))


def _check_choosing(recipe: Recipe, task: Task, at: At) -> None:
    """Raise SuiteError where a recipe's checkpoint is to be chosen by a score that a task does not have."""
    from harness import metrics
    from harness.tasks.metric_names import is_program

    if recipe.choose_by == BY_LOSS:
        return
    chosen = task.primary if recipe.choose_by == BY_PRIMARY else recipe.choose_by
    if recipe.choose_by != BY_PRIMARY:
        scores = [score for metric in task.metrics for score in metrics.score_names(metric)]
        _known(f"score of {task.name}", chosen, [*scores, BY_LOSS, BY_PRIMARY], at("choose_by"))
    given = next(metric for metric in task.metrics if chosen in metrics.score_names(metric))
    if is_program(given):
        raise SuiteError(
            f"{at('choose_by')}: {chosen} is computed by a program of other people ({given}), which runs after training; "
            "name another score, or loss"
        )


def _check_examples(recipe: Recipe, task: Task, at: At) -> None:
    """Raise SuiteError where a recipe's objective learns from pairs of answers, and a task has none."""
    from harness.neural import objectives

    name = str(recipe.objective["name"])
    if name == objectives.AUTO or objectives.find(name).learns != "pairs":
        return
    if kinds.find(task.kind).rejected is None:
        raise SuiteError(
            f"{at('objective')}: {name!r} learns from a chosen and a rejected answer, and task {task.name} is of kind "
            f"{task.kind}, which has no rejected ones; train on a task of kind prefer, or leave `objective` out"
        )


def _check_gate_patterns(suite: Suite, tasks: Sequence[str], at: At) -> None:
    """Raise UnknownName for a gate whose pattern matches no task, or no model, of the suite."""
    models = [model.name for model in suite.models]
    systems = {
        *models,
        *(adapter.name for adapter in suite.adapters),
        *(recipe.name for recipe in suite.recipes),
    }
    for n, gate in enumerate(suite.gates):
        if gate.against in systems and not Path(gate.against).exists():
            raise SuiteError(
                f"{at('gates', n, 'against')}: found {gate.against!r}, a name in this suite; write `against: base` for the "
                "model without its adapter, or the file of a baseline"
            )
        for key, pattern, names in (("task", gate.task, tasks), ("model", gate.model, models)):
            if not any(fnmatchcase(name, pattern) for name in names):
                raise UnknownName(f"{key} in this suite", pattern, names, at("gates", n, key))


def check_name(name: str, at: At) -> None:
    """Raise SuiteError for a name that cannot be part of a file's name."""
    if len(name) > _LONGEST_NAME:
        raise SuiteError(f"{at('name')}: found {len(name):,} characters; use {_LONGEST_NAME} at most")
    if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._-]*", name):
        raise SuiteError(
            f"{at('name')}: found {name!r}; use letters, digits, '.', '_' and '-', a letter or digit first"
        )


def _known(what: str, name: str, known: Iterable[str], where: str) -> None:
    known = tuple(known)
    if name not in known:
        raise UnknownName(what, name, known, where)


def _within(key: str | int, number: float, limits: Range, at: At) -> None:
    wanted, holds = limits
    if not holds(number):
        raise SuiteError(f"{at(key)}: found the number {number}; give {wanted}")


def _filled(values: tuple[object, ...], where: str) -> None:
    if not values:
        raise SuiteError(f"{where}: an empty list; name at least one")


def _distinct(values: Iterable[object], at: At, key: str) -> None:
    values = list(values)
    for n, value in enumerate(values):
        if value in values[:n]:
            raise SuiteError(f"{at(key, n)}: {value!r} is there twice; keep one, or rename it")


def _scheme(
    text: str, known: Iterable[str], where: str, forms: Sequence[re.Pattern[str]] = (written.REPOSITORY,)
) -> Uri:
    """Return the uri that a text is; raise SuiteError if its scheme is unknown or its place cannot exist."""
    uri = Uri.parse(text)
    if not uri.place and uri.scheme in known:
        raise SuiteError(
            f"{where}: found {text!r}, which names no place; write the place after the colon: {uri.scheme}:…"
        )
    if not uri.place:
        near = f"file:{text}" if Path(text).exists() or text.startswith((".", "/", "~")) else f"hub:{text}"
        raise SuiteError(f"{where}: found {text!r}, which names no place; did you mean {near!r}?")
    _known("scheme", uri.scheme, known, where)
    if uri.scheme == "hub" and not any(form.fullmatch(uri.place) for form in forms):
        raise SuiteError(f"{where}: found {text!r}; write hub:OWNER/NAME")
    return uri
