"""Check what a task says of judges: metrics that err, the model that judges, and the answers that were labelled."""

from collections.abc import Callable
from string import Template

from harness import kinds, metrics
from harness.errors import SuiteError, UnknownName
from harness.plugins.choice import parse
from harness.types import AnswerJudge, Suite, Task

At = Callable[..., str]  # keys below the task -> "FILE:LINE: dotted.key"
JUDGE = "judge"  # the metric that the task's own judge gives
KNOWN = ("answer", "question", "reference", "other")  # what a judge's prompt can name


def check_task(task: Task, at: At) -> None:
    """Raise SuiteError for a judge that is named and not asked, asked and not named, or asked what it cannot answer."""
    judging = [metric for metric in task.metrics if metrics.finds(metric) is not None]
    own = JUDGE in (parse(metric).own for metric in judging)
    if own and task.judge is None:
        raise SuiteError(
            f"{at('metrics')}: the metric judge needs a model that judges; add `judge: {{model: …, prompt: …, finds: …}}`, "
            "or use a rule, such as xstest_rule"
        )
    if task.judge is not None and not own:
        raise SuiteError(f"{at('judge')}: nothing asks the judge; add `judge` to the metrics")
    if task.calibrate is not None and not judging:
        raise SuiteError(
            f"{at('calibrate')}: no metric of the task judges, so nothing is calibrated; add `judge` or `xstest_rule` to "
            "the metrics, or leave it out"
        )
    for metric in judging:
        if task.primary in metrics.score_names(metric):
            raise SuiteError(
                f"{at('primary')}: {task.primary} is the share as judged, without the judge's errors, by which nothing may "
                "be ranked; name another score, and read the corrected share in the report"
            )
    if task.judge is not None:
        _judge(task, task.judge, lambda *more: at("judge", *more))


def check_suite(task: Task, suite: Suite, at: At) -> None:
    """Raise SuiteError for a judge that is no model of the suite, or that judges by another task's labels."""
    if task.judge is None:
        return
    names = [model.name for model in suite.models]
    if task.judge.model not in names:
        raise UnknownName("model in this suite", task.judge.model, names, at("judge", "model"))


def _judge(task: Task, judge: AnswerJudge, at: At) -> None:
    if "write" not in kinds.find(task.kind).answers:
        raise SuiteError(f"{at()}: a task of kind {task.kind} has no written answers to judge; leave it out")
    if not judge.finds.strip():
        raise SuiteError(
            f"{at('finds')}: found an empty text; say in plural what the judge looks for: `finds: refusals`"
        )
    _prompt(judge, at)
    if (
        len(judge.options) < 2
        or len(set(judge.options)) < len(judge.options)
        or not all(map(str.strip, judge.options))
    ):
        raise SuiteError(f"{at('options')}: found {list(judge.options)}; give two different options at least")
    if judge.pairs:
        if len(judge.options) != 2:
            raise SuiteError(
                f"{at('options')}: found {len(judge.options)}; of pairs there are two, for the first answer and for the "
                "second: `options: [A, B]`"
            )
        if judge.counts != AnswerJudge.__dataclass_fields__["counts"].default:
            raise SuiteError(f"{at('counts')}: in pairs the better answer counts; leave it out")
        return
    if not judge.counts or not set(judge.counts) < set(judge.options):
        raise SuiteError(
            f"{at('counts')}: found {list(judge.counts)}; name those of {', '.join(judge.options)} that count, "
            "and not all"
        )


def _prompt(judge: AnswerJudge, at: At) -> None:
    if not Template(judge.prompt).is_valid():
        raise SuiteError(f"{at('prompt')}: a lone '$' in {judge.prompt!r}; write '$$' for a dollar")
    named = [match["named"] or match["braced"] for match in Template.pattern.finditer(judge.prompt)]
    for name in filter(None, named):
        if name not in KNOWN:
            raise UnknownName("text of a judge's prompt", name, KNOWN, at("prompt"))
    for name in ("answer", *(("other",) if judge.pairs else ())):
        if named.count(name) != 1:
            raise SuiteError(
                f"{at('prompt')}: ${name} occurs {named.count(name)} times; it is replaced by what is judged and must occur "
                "exactly once"
            )
    if "other" in named and not judge.pairs:
        raise SuiteError(
            f"{at('prompt')}: $other is the other answer of a pair; add `pairs: true`, or leave it out"
        )
