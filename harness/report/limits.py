"""The limits of an adapter's results, for its model card."""

from collections.abc import Iterator, Sequence
from statistics import fmean

from harness import text as words
from harness.report.answer import ENOUGH_SEEDS
from harness.report.doubts import of_training
from harness.report.page import TaskPage
from harness.results import AdapterFacts, ModelFacts, Result
from harness.types import System


def limits(
    result: Result,
    model: ModelFacts,
    adapter: AdapterFacts,
    tasks: Sequence[TaskPage],  # the tasks that it answered
) -> Iterator[str]:
    """Yield the limits, each one or two sentences."""
    yield _seeds(result, adapter, tasks)
    if any(_another(adapter, other) for other in result.suite.adapters):
        yield (
            f"The run measured {words.plural(len(result.suite.adapters), 'adapter')} on the same samples. If this adapter "
            "was picked for the scores above, they are optimistic: on new samples expect less."
        )
    names = [task.facts.name for task in tasks]
    away = [words.visible(name) for name in names if adapter.trained_on not in (None, name)]
    if away:
        yield (
            f"It was not trained on {words.listed(away)}: the scores there show what it carried over or forgot, not what "
            "training on it would give."
        )
    if len(names) == 1:
        yield "It was measured on one task only: whether it forgot others was not measured."
    for task in tasks:
        if task.answer and task.answer.power:
            yield f"On {words.visible(task.facts.name)}: {task.answer.power[:1].lower()}{task.answer.power[1:]}"
        for sentence in of_training(result, task.facts):
            yield f"On {words.visible(task.facts.name)}: {sentence}"
    if result.suite.limit is not None:
        some = "sample of each task was" if result.suite.limit == 1 else "samples of each task were"
        yield f"At most the first {result.suite.limit:,} test {some} used."
    if model.quantization != "none":
        yield (
            f"The base was quantised ({model.quantization}) in training and in every answer; on unquantised weights the "
            "adapter may behave differently."
        )
    if model.stored:
        yield (
            f"The base's weights were stored as {model.stored}: they, and what is measured of them, stand on the grid of "
            "that quantisation and differ from those of the model before it."
        )
    if model.uri.startswith("zoo:"):
        yield (
            "The base is one of the harness's own tiny models: it shares an architecture with the model that it is "
            "named after, but no weights. These results say nothing about that model."
        )


def _another(adapter: AdapterFacts, other: AdapterFacts) -> bool:
    """Return whether two adapters differ in more than their seed, as far as is known."""
    if adapter.recipe is None:
        return other != adapter
    return (other.model, other.recipe) != (adapter.model, adapter.recipe)


def _seeds(result: Result, adapter: AdapterFacts, tasks: Sequence[TaskPage]) -> str:
    """Return how far the results of these seeds apply to the recipe."""
    if adapter.recipe is None:
        return "It was trained elsewhere: its answers were measured here, but how it was made is not known."
    recipe = words.visible(adapter.recipe)
    like = [
        other
        for other in result.suite.adapters
        if (other.model, other.recipe, other.trained_on)
        == (adapter.model, adapter.recipe, adapter.trained_on)
    ]
    if len(like) < 2:
        return (
            f"One seed: all of this holds for this adapter, not for the recipe {recipe}; "
            "another seed may give another result."
        )
    said = f"One of {len(like)} adapters of the recipe {recipe} that differ only in their seed"
    scores = [score for other in like if tasks and (score := _score(other, tasks[0])) is not None]
    if len(scores) > 1:
        said += (
            f"; on {words.visible(tasks[0].facts.name)} they score {words.number(min(scores))} to "
            f"{words.number(max(scores))}, mean {words.number(fmean(scores))}"
        )
    if len(like) < ENOUGH_SEEDS:
        return f"{said}. That is too few to judge the recipe: all of this holds for this adapter."
    return f"{said}. Judge the recipe by all of them together, not by this one alone."


def _score(adapter: AdapterFacts, task: TaskPage) -> float | None:
    system = System(model=adapter.model, adapter=adapter.name)
    return next((line.score.value for line in task.lines if line.system == system), None)
