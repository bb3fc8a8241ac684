"""Does it predict? The adapters of a RESULT, by what their weights say without data and by what was measured."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from rich.console import Console
from rich.table import Table

from harness import text as words
from harness.errors import ResultError
from harness.files.json_lines import refuse_other_kind, writing
from harness.report import correlation as prediction
from harness.report import page as pages
from harness.report.correlation import Prediction
from harness.results import AdapterFacts, Result, TaskFacts, read
from harness.terminal.consoles import console
from harness.terminal.printed import say
from harness.types import Score, System, WeightRow
from harness.weights.correlation import FEWEST, Correlation, MeasuredAdapter, corrected, correlate
from harness.weights.data_free import MEANINGS, data_free
from harness.weights.files import ENDINGS

VALIDATION = "lowest validation loss"  # reads data, which is the point: what one would look at otherwise
SWEPT = "{} of the recipe"


def show(folder: Path, command: str, *, html: Path | None = None, markdown: Path | None = None) -> None:
    """Prints what is found on each task of the RESULT, and writes the pages that are asked for."""
    for option, asked in (("--html", html), ("--markdown", markdown)):
        if asked is not None:
            refuse_other_kind(asked, *ENDINGS[option], option)
    result = read(folder)
    found = predictions(result)
    shown = console()
    for one in found:
        _print(one, shown)
    page = pages.build(result)
    for path, write in ((html, prediction.write_html), (markdown, prediction.write_markdown)):
        if path is not None:
            with writing(path):
                write(page, found, command, path)
            say(
                f"\
page  {path}"
            )


def predictions(result: Result) -> tuple[Prediction, ...]:
    """Of every task on which enough adapters were measured, those first that adapters were trained on."""
    if not any(row.adapter for row in result.weights):
        raise ResultError(
            f"{result.folder}: no weights of adapters; run its suite with recipes or adapters and `weights: true`"
        )
    trained = {one.trained_on for one in result.suite.adapters}
    tasks = sorted(result.suite.tasks, key=lambda task: task.name not in trained)
    found = tuple(one for task in tasks if (one := _prediction(result, task, task.name in trained)))
    if not found:
        raise ResultError(
            f"{result.folder}: no base has {FEWEST} adapters with different scores, which an order takes; "
            "give a recipe a sweep (`sweep: {rank: [4, 16]}`) or more seeds"
        )
    return found


def _prediction(result: Result, task: TaskFacts, trained: bool) -> Prediction | None:
    candidates = tuple(_candidates(result, task))
    names = [name for name in MEANINGS if any(name in one.numbers for one in candidates)]
    known = dict.fromkeys(name for one in candidates for name in one.numbers if name not in MEANINGS)
    family = corrected(correlate(candidates, names))
    if not family:
        return None
    ranked = {one.name for one in family}
    return Prediction(
        task=task.name,
        metric=words.metric(task.primary),
        trained=trained,
        bases=tuple(dict.fromkeys(within.base for one in family for within in one.within)),
        candidates=candidates,
        family=family,
        yardsticks=correlate(candidates, list(known)),
        left_out=tuple(
            f"{name}, which is the same for all adapters of each base, or known of fewer than {FEWEST}"
            for name in names
            if name not in ranked
        ),
    )


def _candidates(result: Result, task: TaskFacts) -> Iterator[MeasuredAdapter]:
    """The adapters with a score on the task and with weights; where several tasks were trained on, a stratum for each."""
    scores = {one.system: one for one in result.scores if one.task == task.name and one.primary}
    facts = {(one.model, one.name): one for one in result.suite.adapters}
    several = len({one.trained_on for one in result.suite.adapters}) > 1
    weights: dict[tuple[str, str | None], list[WeightRow]] = {}
    for row in result.weights:
        weights.setdefault((row.model, row.adapter), []).append(row)
    known = _known(result, facts)
    for system, score in scores.items():
        rows = weights.get((system.model, system.adapter))
        if not system.adapter or not rows:
            continue
        fact = facts.get((system.model, system.adapter))
        base = _base(scores, system)
        yield MeasuredAdapter(
            adapter=system.adapter,
            base=f"{system.model}, {fact.trained_on or 'not trained here'}"
            if fact and several
            else system.model,
            score=_quality(score),
            gain=_quality(score) - _quality(base) if base else None,
            numbers={
                **data_free(rows, weights.get((system.model, None), ())),
                **known.get((system.model, system.adapter), {}),
            },
        )


def _quality(score: Score) -> float:
    """The higher the better, whatever the metric."""
    return score.value if score.better == "higher" else -score.value


def _base(scores: Mapping[System, Score], system: System) -> Score | None:
    """The base's score, with as few examples as it was asked with."""
    bases = [one for one in scores if one.model == system.model and one.adapter is None]
    return scores[min(bases, key=lambda one: one.shots)] if bases else None


def _known(
    result: Result, facts: Mapping[tuple[str, str], AdapterFacts]
) -> Mapping[tuple[str, str], Mapping[str, float]]:
    """What is known of an adapter without its weights: its validation loss, and what recipes differ in."""
    recipes = {str(one["name"]): one for one in result.suite.recipes}
    differing = [
        field
        for field in dict.fromkeys(field for one in recipes.values() for field in one)
        if all(_is_number(one.get(field)) for one in recipes.values())
        and len({one[field] for one in recipes.values()}) > 1
    ]
    found: dict[tuple[str, str], dict[str, float]] = {}
    for curve in result.curves:
        losses = [one.validation_loss for one in curve.points if one.validation_loss is not None]
        if losses:
            found.setdefault((curve.model, curve.adapter), {})[VALIDATION] = min(losses)
    for key, fact in facts.items():
        if fact.recipe in recipes:
            own = {SWEPT.format(field): float(str(recipes[fact.recipe][field])) for field in differing}
            found.setdefault(key, {}).update(own)
    return found


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _print(one: Prediction, shown: Console) -> None:
    shown.print()
    for sentence in prediction.sentences(one):
        shown.print(sentence, highlight=False)
    shown.print()
    title = f"{words.visible(one.task)}, {one.metric}, {words.plural(len(one.candidates), 'adapter')}"
    table = Table(title=title, title_justify="left", box=None, pad_edge=False, padding=(0, 2, 0, 0))
    table.add_column("number", header_style="dim")
    table.add_column("τ within bases", header_style="dim", no_wrap=True)
    table.add_column("", no_wrap=True)
    table.add_column("n", header_style="dim", justify="right")
    for base in one.bases:
        table.add_column(words.visible(base), header_style="dim", justify="right")
    table.add_column("in one heap", header_style="dim", justify="right")
    for each in (*one.family, *one.yardsticks):
        table.add_row(*_cells(one.bases, each), style="" if each.shown else "dim")
    shown.print(table, highlight=False)
    shown.print(
        "\n95 % bootstrap intervals; p_holm over all numbers from weights; in one heap: without regard to the base, "
        "confounded by it.",
        style="dim",
        highlight=False,
    )


def _cells(bases: Sequence[str], one: Correlation) -> list[str]:
    own = {each.base: words.signed(each.tau, 2) for each in one.within}
    certainty = "for comparison" if one.p_holm is None else words.p_value(one.p_holm, "p_holm")
    return [
        one.name,
        prediction.tau(one),
        certainty,
        str(one.n),
        *(own.get(base, "") for base in bases),
        words.signed(one.unstratified_score, 2),
    ]
