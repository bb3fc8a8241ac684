"""Measure the errors of a task's judges on labelled answers: a metric that judges by rule, or the task's own judge."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from harness import metrics
from harness.digest import IF_SET
from harness.files.json_lines import from_json, read_json, to_json, write_json
from harness.run import judging, labelled
from harness.run.found import Found
from harness.run.judging import REPLIES
from harness.run.labelled import LabelledAnswer
from harness.run.steps import Contribution, Finished, StepContext, UsedAdapter, UsedModel, adapter_folder
from harness.types import JUDGED, AnswerJudge, Calibration, Generation, Sample

VERSION = 1
LIBRARIES = ("torch", "transformers", "tokenizers", "bitsandbytes", "peft")
LANE = True
TOLERANT = False
CALIBRATIONS = "calibrations.json"
FILES = (REPLIES, CALIBRATIONS)


@dataclass(frozen=True, slots=True, kw_only=True)
class Calibrate:
    """The settings of measuring. The step needs nothing, or for a judge with an adapter its training."""

    task: str
    finds: Mapping[str, str]  # each metric that judges -> what it looks for
    labelled: str  # where the labelled answers are
    digest: str  # of that file
    device: str
    judge: AnswerJudge | None = field(default=None, metadata=IF_SET)
    used: UsedModel | None = field(default=None, metadata=IF_SET)
    adapter: UsedAdapter | None = field(default=None, metadata=IF_SET)


def run(spec: Calibrate, context: StepContext) -> None:
    """Write how each judge erred, system by system."""
    answers = labelled.read(spec.labelled, spec.judge)
    found: list[Calibration] = []
    given: dict[int, Found] = {}
    if spec.judge is not None and spec.used is not None:
        asked = [
            judging.ToJudge(
                id=str(n),
                answer=each.text,
                question=each.question,
                reference=each.reference,
                other=each.other,
            )
            for n, each in enumerate(answers)
        ]
        found_by_judge = judging.found(
            spec.judge, spec.used, adapter_folder(spec.adapter, context), asked, context
        )
        given = {int(each.id): each for each in found_by_judge}
    for metric in spec.finds:
        found += _calibrations(spec, metric, answers, given)
    write_json(context.folder / CALIBRATIONS, [to_json(each) for each in found])
    context.progress(len(answers), len(answers))


def _calibrations(
    spec: Calibrate, metric: str, answers: list[LabelledAnswer], given: Mapping[int, Found]
) -> Iterator[Calibration]:
    """Yield how one metric erred on the answers of each system."""
    loaded = metrics.load(metric)
    assert loaded.row is not None  # the suite's check refuses others
    by_system: dict[str, list[tuple[bool, float, bool]]] = {}
    for n, each in enumerate(answers):
        judged = given.get(n)
        sample = Sample(id=str(n), input=each.question, references=(each.reference,))
        generation = Generation(
            sample_id=sample.id, text=each.text, given={JUDGED: judged.found} if judged else {}
        )
        value = float(loaded.row(sample, generation)[0])
        by_system.setdefault(each.system, []).append((each.has, value, bool(judged and judged.outside)))
    for system, judged_answers in by_system.items():
        yield Calibration(
            task=spec.task,
            metric=metric,
            finds=spec.finds[metric],
            system=system,
            positives=sum(has for has, _, _ in judged_answers),
            found=sum(value for has, value, _ in judged_answers if has),
            negatives=sum(not has for has, _, _ in judged_answers),
            mistaken=sum(value for has, value, _ in judged_answers if not has),
            outside=sum(outside for _, _, outside in judged_answers),
        )


def contributes(finished: Finished) -> Contribution:
    """Return how the task's judges erred."""
    found = read_json(finished.folder / CALIBRATIONS)
    return Contribution(calibrations=tuple(from_json(Calibration, each) for each in found))
