"""Correlate weight metrics of a RESULT's adapters, which need no data, with the measured scores."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from rich.console import Console
from rich.table import Table

from harness import text as words
from harness.errors import ResultError
from harness.files.json_lines import refuse_other_kind, writing
from harness.report import correlation as correlation_page
from harness.report import page as pages
from harness.report.correlation import Prediction
from harness.results import AdapterFacts, Result, TaskFacts, read
from harness.terminal.consoles import console
from harness.terminal.printed import say
from harness.types import Score, System, WeightRow
from harness.weights.correlation import FEWEST, Correlation, MeasuredAdapter, corrected, correlate
from harness.weights.data_free import MEANINGS, data_free
from harness.weights.files import ENDINGS

VALIDATION = "lowest validation loss"  # for comparison: it needs data, as weight metrics do not
SWEPT = "{} of the recipe"


def show(folder: Path, command: str, *, html: Path | None = None, markdown: Path | None = None) -> None:
    """Print the correlations on each task of the RESULT, and write the pages that are asked for."""
    for option, asked in (("--html", html), ("--markdown", markdown)):
        if asked is not None:
            refuse_other_kind(asked, *ENDINGS[option], option)
    result = read(folder)
    found = predictions(result)
    shown = console()
    for prediction in found:
        _print(prediction, shown)
    page = pages.build(result)
    for path, write in ((html, correlation_page.write_html), (markdown, correlation_page.write_markdown)):
        if path is not None:
            with writing(path):
                write(page, found, command, path)
            say(f"page  {path}")


def predictions(result: Result) -> tuple[Prediction, ...]:
    """Return the correlations on every task with enough measured adapters; tasks that were trained on come first."""
    if not any(row.adapter for row in result.weights):
        raise ResultError(
            f"{result.folder}: has no weights of adapters; run its suite with recipes or adapters and `weights: true`"
        )
    trained = {adapter.trained_on for adapter in result.suite.adapters}
    tasks = sorted(result.suite.tasks, key=lambda task: task.name not in trained)
    found = tuple(
        prediction
        for task in tasks
        # Nobody knows what a supplied adapter was trained on: None.
        if (prediction := _prediction(result, task, bool(trained & {task.name, None})))
    )
    if not found:
        raise ResultError(
            f"{result.folder}: a rank correlation needs a base with {FEWEST} adapters whose scores differ; "
            "give a recipe a sweep (`sweep: {rank: [4, 16]}`) or more seeds"
        )
    return found


def _prediction(result: Result, task: TaskFacts, trained: bool) -> Prediction | None:
    candidates = tuple(_candidates(result, task))
    names = [name for name in MEANINGS if any(name in candidate.numbers for candidate in candidates)]
    known = dict.fromkeys(
        name for candidate in candidates for name in candidate.numbers if name not in MEANINGS
    )
    family = corrected(correlate(candidates, names))
    if not family:
        return None
    ranked = {correlation.name for correlation in family}
    return Prediction(
        task=task.name,
        metric=words.metric(task.primary),
        trained=trained,
        bases=tuple(dict.fromkeys(within.base for correlation in family for within in correlation.within)),
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
    """Yield the adapters with a score on the task and with weights.

    Their strata are the bases; if adapters were trained on several tasks, each base with each of these tasks.
    """
    scores = {score.system: score for score in result.scores if score.task == task.name and score.primary}
    facts = {(adapter.model, adapter.name): adapter for adapter in result.suite.adapters}
    several = len({adapter.trained_on for adapter in result.suite.adapters}) > 1
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
    """Return the score with its sign turned if lower is better, so that higher is always better."""
    return score.value if score.better == "higher" else -score.value


def _base(scores: Mapping[System, Score], system: System) -> Score | None:
    """Return the base's score with the fewest examples before the prompt, or None if it has no score."""
    bases = [base for base in scores if base.model == system.model and base.adapter is None]
    return scores[min(bases, key=lambda base: base.shots)] if bases else None


def _known(
    result: Result, facts: Mapping[tuple[str, str], AdapterFacts]
) -> Mapping[tuple[str, str], Mapping[str, float]]:
    """Return what is known of each adapter without its weights: its validation loss, and settings that recipes differ in."""
    recipes = {str(recipe["name"]): recipe for recipe in result.suite.recipes}
    differing = [
        field
        for field in dict.fromkeys(field for recipe in recipes.values() for field in recipe)
        if all(_is_number(recipe.get(field)) for recipe in recipes.values())
        and len({recipe[field] for recipe in recipes.values()}) > 1
    ]
    found: dict[tuple[str, str], dict[str, float]] = {}
    for curve in result.curves:
        losses = [point.validation_loss for point in curve.points if point.validation_loss is not None]
        if losses:
            found.setdefault((curve.model, curve.adapter), {})[VALIDATION] = min(losses)
    for key, fact in facts.items():
        if fact.recipe in recipes:
            own = {SWEPT.format(field): float(str(recipes[fact.recipe][field])) for field in differing}
            found.setdefault(key, {}).update(own)
    return found


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _print(prediction: Prediction, shown: Console) -> None:
    shown.print()
    for sentence in correlation_page.sentences(prediction):
        shown.print(sentence, highlight=False)
    shown.print()
    adapters = words.plural(len(prediction.candidates), "adapter")
    title = f"{words.visible(prediction.task)}, {prediction.metric}, {adapters}"
    table = Table(title=title, title_justify="left", box=None, pad_edge=False, padding=(0, 2, 0, 0))
    table.add_column("number", header_style="dim")
    table.add_column("τ within bases", header_style="dim", no_wrap=True)
    table.add_column("", no_wrap=True)
    table.add_column("n", header_style="dim", justify="right")
    for base in prediction.bases:
        table.add_column(words.visible(base), header_style="dim", justify="right")
    table.add_column("pooled over bases", header_style="dim", justify="right")
    for correlation in (*prediction.family, *prediction.yardsticks):
        style = "" if correlation.shown else "dim"
        table.add_row(*_cells(prediction.bases, correlation), style=style)
    shown.print(table, highlight=False)
    shown.print(
        "\n95 % bootstrap intervals; p_holm over all numbers from weights; pooled over bases: confounded by the base.",
        style="dim",
        highlight=False,
    )


def _cells(bases: Sequence[str], correlation: Correlation) -> list[str]:
    own = {within.base: words.signed(within.tau, 2) for within in correlation.within}
    p_holm = correlation.p_holm
    certainty = "for comparison" if p_holm is None else words.p_value(p_holm, "p_holm")
    return [
        correlation.name,
        correlation_page.tau(correlation),
        certainty,
        str(correlation.n),
        *(own.get(base, "") for base in bases),
        words.signed(correlation.unstratified_score, 2),
    ]
