"""Write an adapter's model card (README.md for the hub); its metadata is written by the hub's own classes."""

import re
from io import StringIO
from pathlib import Path
from typing import TYPE_CHECKING

from harness import kinds
from harness import text as words
from harness.checkpoints import hub
from harness.digest import file_name
from harness.errors import HarnessError
from harness.files.json_lines import writing
from harness.report import card as cards
from harness.report.card import Card, Measured
from harness.report.loading import architecture_of, hub_id
from harness.results import TaskFacts, ours, read
from harness.types import Score, System

if TYPE_CHECKING:
    from huggingface_hub import EvalResult

NAME = "README.md"
EVALUATIONS = (
    Path(".eval_results") / "finetune-harness.yaml"
)  # where the hub looks for scores on data sets of its own
OURS = "# Written by `harness card`; the README beside it says how each number was measured.\n"
# peft writes a README full of this beside every adapter that it saves
TEMPLATE = "[More Information Needed]"
# metrics that the hub calls by another name
HUB_METRICS = {
    **dict.fromkeys(("rouge1", "rouge2", "rougeL", "rougeLsum"), "rouge"),
    "bleu": "sacrebleu",
    "exact": "exact_match",
    "f1_macro": "f1",
    "matthews": "matthews_correlation",
    "pearson": "pearsonr",
    "spearman": "spearmanr",
}


def write(
    result: Path,
    system: System,
    out: Path | None = None,  # a file or a folder; None: cards/ in the RESULT, which the next run empties
    *,
    licence: str | None = None,
    place: str | None = None,  # the adapter's repository on the hub, if it has one
) -> Path:
    """Write the card and return its path; raise HarnessError rather than replace a README written by hand."""
    built = cards.build(read(result), system, place=place, licence=licence)
    text = compose(built, place)
    if out is None:
        out = result / "cards" / file_name(f"{system.model}--{system.adapter}") / NAME
        with writing(result / "cards"):
            ours.real_folder(result / "cards")
            ours.real_folder(out.parent)
    else:
        out = out / NAME if out.is_dir() or out.suffix != ".md" else out
        ours.refuse_links_on_the_way(result, out, "-o")
    with writing(out):
        if out.exists() and not out.is_file():  # such as a device, which may never end
            raise HarnessError(f"{out}: not a file; name a new file")
        if out.exists() and not _may_be_replaced(out.read_text(encoding="utf-8", errors="replace")):
            raise HarnessError(
                f"{out}: the harness did not write this README; move it, or name another file with -o"
            )
        ours.replace(out, text)
    if scores := evaluations(built):
        _write_evaluations(out.parent / EVALUATIONS, scores)
    return out


def _write_evaluations(path: Path, text: str) -> None:
    with writing(path):
        ours.real_folder(path.parent)
        if path.exists() and not path.read_text(encoding="utf-8", errors="replace").startswith(OURS):
            raise HarnessError(
                f"{path}: the harness did not write this file; move it, or name another folder with -o"
            )
        ours.replace(path, text)


def evaluations(card: Card) -> str:
    """Return the scores on data sets of the hub as `.eval_results` has them, in YAML; empty where there are none.

    An entry has the primary score of a task. What the hub's format has no field for stands in its notes.
    """
    from huggingface_hub import EvalResultEntry, eval_result_entries_to_yaml
    from ruamel.yaml import YAML

    entries = [
        EvalResultEntry(
            dataset_id=words.visible(source),
            task_id="default",
            value=round(measured.line.score.value, 1),
            dataset_revision=measured.digest or None,
            date=card.created or None,
            notes=words.visible(_note(measured)),
        )
        for measured in card.measured
        if (source := hub_id(measured.task.facts.source)) is not None
    ]
    if not entries:
        return ""
    stream = StringIO()
    YAML(typ="safe", pure=True).dump(eval_result_entries_to_yaml(entries), stream)
    return OURS + stream.getvalue()


def _note(measured: Measured) -> str:
    score = measured.line.score
    interval = "" if score.low is None or score.high is None else f" [{score.low:.1f}, {score.high:.1f}]"
    return (
        f"{words.metric(score.metric)} {score.value:.1f}{interval}, {score.n:,} test samples, task "
        f"{measured.task.facts.name}, {score.signature}"
    )


def push(path: Path, repository: str) -> str:
    """Upload the card to the adapter's repository, as a commit on its main branch; return the commit's address."""
    if hub.switched_off():
        raise HarnessError(
            f"--push {repository}: HF_HUB_OFFLINE is set, so nothing can be uploaded; unset it"
        )
    beside = path.parent / EVALUATIONS
    if beside.is_file():
        hub.upload(repository, beside, EVALUATIONS.as_posix(), "Add scores on data sets of the hub")
    return hub.upload(repository, path, NAME, "Describe how the adapter was measured")


def compose(card: Card, place: str | None = None) -> str:
    """Return the card's text: metadata between two lines of hyphens, then the page."""
    from huggingface_hub import ModelCardData

    name = (place or f"{card.system.model}-{card.system.adapter}").rpartition("/")[2]
    base, data = _base(card), hub_id(card.trained_on.source) if card.trained_on else None
    results = [result for measured in card.measured for result in _results(card, measured)]
    metadata = ModelCardData(
        base_model=base,
        library_name="peft",
        license=_licence(card.licence),
        pipeline_tag=_hub_task(card, card.trained_on),
        datasets=[words.visible(data)] if data else None,
        metrics=list(dict.fromkeys(result.metric_type for result in results)) or None,
        tags=["lora", "transformers", *([f"base_model:adapter:{base}"] if base else [])],
        model_name=words.visible(name) if results else None,
        eval_results=results or None,
    )
    return f"---\n{metadata.to_yaml()}\n---\n\n{cards.render(card)}"


def _may_be_replaced(text: str) -> bool:
    return cards.MARK in text or TEMPLATE in text


def _base(card: Card) -> str | None:
    """Return the base's id on the hub, or None if it is not from there: its name could be somebody else's model."""
    base = hub_id(card.model.uri)
    if base is None and "/" in card.model.name:
        base = card.model.name
    return base if base and re.fullmatch(r"[\w.-]+/[\w.-]+|[\w.-]+", base, re.ASCII) else None


def _licence(name: str | None) -> str | None:
    """Return a licence as the hub writes it: `apache-2.0`."""
    return name.strip().lower().replace(" ", "-") if name else None


def _hub_task(card: Card, task: TaskFacts | None) -> str:
    """Return the hub's name for the kind of task; if the kind has none, the hub's name for the model's architecture."""
    kind = kinds.known(task.kind) if task else None
    return (kind.hub_task if kind else None) or architecture_of(card.model).hub_task


def _results(card: Card, measured: Measured) -> "list[EvalResult]":
    from huggingface_hub import EvalResult

    task = measured.task.facts
    source, digest = hub_id(task.source), measured.digest
    shared = sum(other.task.facts.source == task.source for other in card.measured) > 1
    return [
        EvalResult(
            task_type=_hub_task(card, task),
            task_name=words.visible(task.name),
            dataset_type=words.visible(source or file_name(task.name)),
            dataset_name=words.visible(source or task.name),
            # two tasks of one source would otherwise look the same
            dataset_config=words.visible(task.name) if shared else None,
            dataset_split="test",
            dataset_revision=digest if source and digest else None,
            dataset_args={"digest": digest} if digest and not source else None,
            metric_type=_metric_type(score),
            metric_name=words.metric(score.metric),
            metric_value=round(score.value, 1),
            metric_config=words.visible(score.signature),
            metric_args=_precision(score),
        )
        for score in (measured.line.score, *measured.line.others)
    ]


def _metric_type(score: Score) -> str:
    name = score.metric.partition("(")[0]
    return words.visible(HUB_METRICS.get(name, name.removeprefix("evaluate:")))


def _precision(score: Score) -> dict[str, object]:
    """Return the number of samples of a score, and its 95 % interval if it has one."""
    if score.low is None or score.high is None:
        return {"samples": score.n}
    return {"samples": score.n, "low_95": round(score.low, 1), "high_95": round(score.high, 1)}
