"""Let a judge look at the answers of one system to one task; what it says is written to disk as soon as it is there."""

import time
from dataclasses import dataclass, field

from harness.digest import IF_SET
from harness.files.json_lines import read_json, write_json
from harness.run import judging
from harness.run.answered import answered
from harness.run.found import FOUND, write_found
from harness.run.judging import REPLIES
from harness.run.steps import Contribution, Finished, StepContext, UsedAdapter, UsedModel, adapter_folder
from harness.types import AnswerJudge, Generation, Note, Sample, System

VERSION = 1
LIBRARIES = ("torch", "transformers", "tokenizers", "bitsandbytes", "peft")
LANE = True
TOLERANT = False
JUDGED_COST = "judging.json"
FILES = (REPLIES, FOUND, JUDGED_COST)
OUTSIDE = "judge outside its options"  # kind of a note


@dataclass(frozen=True, slots=True, kw_only=True)
class JudgeAnswers:
    """The settings of judging. The step needs the task's data, the blocks of answers, and for an adapter its training."""

    task: str
    system: System  # whose answers are judged
    judge: AnswerJudge
    used: UsedModel  # the model that judges
    adapter: UsedAdapter | None
    samples: int
    blocks: int  # of the system's answers; for pairs, the base's follow
    rule: str | None  # a trivial rule that answers instead of a model
    device: str
    beside: int = field(default=0, metadata=IF_SET)  # blocks of the base's answers, for pairs


def run(spec: JudgeAnswers, context: StepContext) -> None:
    """Write what the judge says to each answer, and what it finds."""
    loaded, folders = context.need(0), [folder for _, folder in context.needs]
    own, base = folders[1 : 1 + spec.blocks], folders[1 + spec.blocks : 1 + spec.blocks + spec.beside]
    pairs = list(answered(spec.task, spec.rule, spec.samples, loaded, own))
    others = [""] * len(pairs)
    if spec.judge.pairs:
        others = [given.text for _, given in answered(spec.task, None, spec.samples, loaded, base)]
    asked = [_asked(sample, given, other) for (sample, given), other in zip(pairs, others, strict=True)]
    started = time.perf_counter()
    adapter = adapter_folder(spec.adapter, context)
    found = judging.found(spec.judge, spec.used, adapter, asked, context)
    seconds = time.perf_counter() - started
    write_found(context.folder, found)
    outside = sum(each.outside for each in found)
    write_json(context.folder / JUDGED_COST, {"seconds": seconds, "outside": outside, "of": len(asked)})


def _asked(sample: Sample, given: Generation, other: str) -> judging.ToJudge:
    return judging.ToJudge(
        id=sample.id,
        answer=given.text,
        question=sample.question,
        reference=" | ".join(sample.references),
        other=other,
    )


def contributes(finished: Finished) -> Contribution:
    """Return the time that judging took, and a note on answers to which the judge gave none of its options."""
    cost = read_json(finished.folder / JUDGED_COST)
    notes: tuple[Note, ...] = ()
    if cost["outside"]:
        detail = (
            "the judge gave none of its options: nothing was found in these; let it choose, `by: likelihood`"
        )
        notes = (
            Note(kind=OUTSIDE, where=finished.where, count=cost["outside"], of=cost["of"], detail=detail),
        )
    return Contribution(costs=(finished.cost("judging time", "s", cost["seconds"]),), notes=notes)
