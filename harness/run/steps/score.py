"""Score one system on one task: a row of sums per sample and metric, then the numbers with their intervals.

Samples and answers are read one at a time; only their rows are kept.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field, replace

from harness.digest import IF_SET
from harness.files.json_lines import flush, iterate_lines, line
from harness.metrics import load
from harness.results import odd
from harness.run.answered import answered
from harness.run.found import beside
from harness.run.steps import ANSWERS, Contribution, Finished, StepContext
from harness.scoring import stored, warned
from harness.scoring.accumulate import Tally
from harness.scoring.clusters import numbered
from harness.types import Cost, Generation, Note, Sample, Score, System

VERSION = 2
LIBRARIES = ("rouge_score", "nltk", "sacrebleu", "evaluate", "numpy")
LANE = True
TOLERANT = False
FILES = (ANSWERS, stored.SCORES, stored.IDS, stored.CLUSTERS, stored.ROWS, warned.FILE)
REPORTED = 64  # samples between two reports of progress


@dataclass(frozen=True, slots=True, kw_only=True)
class ScoreAnswers:
    """The settings of scoring. The step needs the task's data and the blocks of answers; a trivial rule only the data."""

    task: str
    system: System
    metrics: tuple[str, ...]
    primary: str
    cluster: str | None
    rule: str | None  # "lead-3": a trivial rule that answers instead of a model
    samples: int  # how many of the test split, counted from the first
    seed: int
    # The last need is the step in which the task's judge looked at the answers
    judged: bool = field(default=False, metadata=IF_SET)


def run(spec: ScoreAnswers, context: StepContext) -> None:
    """Write the answers in data order, the rows of all metrics, and the scores with their intervals."""
    tallies = {name: Tally(load(name)) for name in spec.metrics}
    ids: list[str] = []
    labels: list[str] = []  # of clusters: samples with equal labels are resampled together
    answers = context.folder / ANSWERS
    with warned.heard() as messages, answers.open("w", encoding="utf-8", errors="surrogatepass") as file:
        for sample, generation in _answered(spec, context):
            file.write(line(generation))
            ids.append(sample.id)
            if spec.cluster is not None:
                labels.append(sample.metadata[spec.cluster])
            for tally in tallies.values():
                tally.add(sample, generation)
            if len(ids) % REPORTED == 0:
                context.progress(len(ids), spec.samples)
        flush(file)
    together = None if spec.cluster is None else numbered(labels)
    scores = [score for tally in tallies.values() for score in scored(spec, tally, together)]
    rows = {name: table for name, tally in tallies.items() if (table := tally.rows()) is not None}
    warned.write(context.folder, tallies.values(), messages, len(ids))
    stored.write_scores(context.folder, scores)
    stored.write_rows(context.folder, ids, together, rows)
    context.progress(spec.samples, spec.samples)


def contributes(finished: Finished) -> Contribution:
    """Return the scores, and as notes the warnings of metrics, and a rule that stands in for a model."""
    notes = warned.notes(finished.folder, finished.where)
    if rule := finished.part.stand_in:
        samples = len(stored.read_ids(finished.folder))
        detail = f"no trained head: the trivial rule {rule} answers in its place"
        stand_in = Note(kind=odd.STAND_IN, where=finished.where, count=samples, of=samples, detail=detail)
        notes = (*notes, stand_in)
    return Contribution(
        scores=stored.read_scores(finished.folder), costs=tuple(_lengths(finished)), notes=notes
    )


def _lengths(finished: Finished) -> Iterator[Cost]:
    """Yield the mean number of words of a written answer; nothing where answers are chosen, or where a rule gives them."""
    if finished.system.is_trivial:
        return
    answers = [
        answer for answer in iterate_lines(finished.folder / ANSWERS, Generation) if not answer.options
    ]
    if answers:
        mean = sum(len(answer.text.split()) for answer in answers) / len(answers)
        yield finished.cost("answer length", "words", mean)


def _answered(spec: ScoreAnswers, context: StepContext) -> Iterator[tuple[Sample, Generation]]:
    """Yield each sample with its answer, beside which stands what the task's judge found in it."""
    folders = [folder for _, folder in context.needs]
    blocks = folders[1:-1] if spec.judged else folders[1:]
    found = beside(folders[-1]) if spec.judged else {}
    for sample, generation in answered(spec.task, spec.rule, spec.samples, folders[0], blocks):
        given = found.get(sample.id)
        yield (
            sample,
            generation if given is None else replace(generation, given={**generation.given, **given}),
        )


def scored(spec: ScoreAnswers, tally: Tally, clusters: list[int] | None) -> list[Score]:
    """Return the scores of one metric, with intervals where the metric has them."""
    metric, intervals = tally.metric, tally.intervals(spec.seed, clusters)
    return [
        Score(
            task=spec.task,
            system=spec.system,
            metric=name,
            primary=name == spec.primary,
            signature=tally.signature(),
            unit=metric.unit,
            better=metric.better,
            value=value,
            low=intervals[name][0] if name in intervals else None,
            high=intervals[name][1] if name in intervals else None,
            n=tally.samples,
        )
        for name, value in tally.values().items()
    ]
