"""Makes one of the tiny models again: `python -m tools.zoo.build NAME`.

corpus -> tokenizer -> neural.pretrain -> folder in the hub's layout
"""

import argparse
import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import asdict, replace
from pathlib import Path
from random import Random
from string import Template

import torch

from harness.files import shipped
from tools.zoo import pretrain
from tools.zoo.architectures import ARCHITECTURES, POOL, Architecture, Pretraining, architecture
from tools.zoo.corpus.dialogues import dialogues
from tools.zoo.corpus.general_dialogues import general_dialogues
from tools.zoo.corpus.general_instructions import general_instructions
from tools.zoo.corpus.instructions import instructions
from tools.zoo.recital import recitals, rows, words_of
from tools.zoo.spelling import save_tokenizer, train_tokenizer
from tools.zoo.study import studies

TOKENIZER_TEXTS = 10_000  # documents of each kind that a tokenizer is trained on
HELD_OUT = 200  # documents of each kind that the finished model is tried on
STUDIED = 0.7  # share of the second part's documents that tell of the training splits
LONGEST = 512  # tokens
Text = dict[str, str]  # prompt, answer, kind


def build(one: Architecture, folder: Path) -> None:
    """Trains tokenizer and model and fills the folder."""
    folder.mkdir(parents=True, exist_ok=True)
    plan = one.pretraining
    tokenizer = train_tokenizer(one.spelling, one.vocabulary, _tokenizer_texts(plan.seed))
    save_tokenizer(tokenizer, one.spelling, LONGEST, folder)
    student = pretrain.newborn(one, folder)
    print(f"{one.name}: {student.model.num_parameters():,} parameters", flush=True)
    curve = pretrain.train(student, corpus(plan), plan, _tell)
    pretrain.save(student, folder)
    record = {"parameters": student.model.num_parameters(), "pretraining": _facts(student, plan, curve)}
    _write_json(folder / "loss.json", record)
    study(one, folder)


def study(one: Architecture, folder: Path) -> None:
    """Run the second part of the training on what the first part left in the folder."""
    student, plan = pretrain.load(folder), one.study
    curve = pretrain.train(student, study_corpus(plan), plan, _tell)
    pretrain.round_weights(student.model)
    pretrain.save(student, folder, torch.bfloat16)
    record = json.loads((folder / "loss.json").read_text(encoding="utf-8"))
    record["study"] = _facts(student, plan, curve)
    _write_json(folder / "loss.json", record)
    _write_readme(one, student, record["pretraining"]["seconds"] + record["study"]["seconds"], folder)


def _tell(point: pretrain.Point) -> None:
    print(
        f"step {point.step:5d}  loss {point.loss:.3f}  rate {point.learning_rate:.1e}  "
        f"{point.tokens / point.seconds:6.0f} tokens/s  {point.seconds:5.0f} s",
        flush=True,
    )


def corpus(plan: Pretraining) -> Iterator[Text]:
    """Rows of words, then without end dialogues and instructions in other words than the two test tasks use."""
    words = words_of(list(_training_texts()))
    yield from rows(words, plan.row_steps * plan.batch_size, plan.seed)
    count = (plan.steps + POOL) * plan.batch_size  # of every kind: more than is read
    kinds = (
        iter(general_dialogues(count, plan.seed)),
        iter(general_instructions(count, plan.seed)),
        recitals(words, plan.seed),
    )
    shares = (plan.dialogue_share, 1 - plan.dialogue_share - plan.recital_share, plan.recital_share)
    random = Random(f"{plan.seed}-mixture")
    while True:
        yield next(random.choices(kinds, shares)[0])


def study_corpus(plan: Pretraining) -> Iterator[Text]:
    """Mostly tasks over the training splits; general ones among them, so that those are not forgotten."""
    random = Random(f"{plan.seed}-study-mixture")
    studied = studies(dialogues()["train"], instructions()["train"], plan.seed)
    general = corpus(plan)
    while True:
        yield next(studied) if random.random() < STUDIED else next(general)


def try_out(student: pretrain.Student, seed: int, count: int = HELD_OUT) -> dict[str, dict[str, float]]:
    """Greedy answers to documents that were not trained on, in percent, by kind.

    exact: equal to the reference. copied: names and other capitalised words of the reference that stand in the
    prompt and that the answer has too.
    """
    seed += 1_000_003
    return {
        "dialogues": _marks(student, list(general_dialogues(count, seed))),
        "instructions": _marks(student, list(general_instructions(count, seed))),
    }


def _marks(student: pretrain.Student, texts: Sequence[Text]) -> dict[str, float]:
    answers = pretrain.write(student, [text["prompt"] for text in texts])
    exact = sum(answer == text["answer"] for answer, text in zip(answers, texts, strict=True))
    wanted = [_names(text["answer"]) & _names(text["prompt"]) for text in texts]
    copied = sum(len(names & _names(answer)) for names, answer in zip(wanted, answers, strict=True))
    return {"exact": 100 * exact / len(texts), "copied": 100 * copied / max(1, sum(map(len, wanted)))}


def _names(text: str) -> set[str]:
    return set(re.findall(r"\b[A-Z]\w+", text))


def _tokenizer_texts(seed: int) -> Iterator[str]:
    """General text, and the training splits of the two data sets, so that their words are whole tokens."""
    for general in (general_dialogues, general_instructions):
        for text in general(TOKENIZER_TEXTS, seed):
            yield f"{text['prompt']} {text['answer']}"
    yield from _training_texts()


def _training_texts() -> Iterator[str]:
    for record in dialogues()["train"]:
        yield f"{record['dialogue']} {record['summary']}"
    for record in instructions()["train"]:
        yield f"{record['instruction']} {record['input']} {record['output']}"


def _facts(
    student: pretrain.Student, plan: Pretraining, curve: Sequence[pretrain.Point]
) -> dict[str, object]:
    """How a part of the training went."""
    found = try_out(student, plan.seed)
    print(found, flush=True)
    return {
        "seconds": round(curve[-1].seconds, 1),
        "documents": plan.steps * plan.batch_size,
        "tokens": curve[-1].tokens,
        "plan": asdict(plan),
        "held_out_percent": found,
        "curve": [
            {"step": p.step, "loss": round(p.loss, 4), "learning_rate": round(p.learning_rate, 6)}
            for p in curve
        ],
    }


def _write_json(path: Path, record: object) -> None:
    path.write_text(json.dumps(record, indent=1) + "\n", encoding="utf-8")


def _write_readme(one: Architecture, student: pretrain.Student, seconds: float, folder: Path) -> None:
    template = Template((Path(__file__).parent / "README.template.md").read_text(encoding="utf-8"))
    text = template.substitute(
        name=one.name,
        stands_for=one.stands_for,
        special=one.special,
        model_class=type(student.model).__name__,
        parameters=f"{student.model.num_parameters():,}",
        documents=f"{one.pretraining.steps * one.pretraining.batch_size:,}",
        steps=f"{one.pretraining.steps:,}",
        studied=f"{one.study.steps * one.study.batch_size:,}",
        study_steps=f"{one.study.steps:,}",
        minutes=f"{seconds / 60:.0f}",
        seed=one.pretraining.seed,
    )
    (folder / "README.md").write_text(text, encoding="utf-8")


def main() -> None:
    """Train the model that the command line names."""
    parser = argparse.ArgumentParser(prog="python -m tools.zoo.build", description=__doc__.splitlines()[0])
    parser.add_argument("name", choices=ARCHITECTURES)
    parser.add_argument("--steps", type=int, help="optimiser steps; the model's own number unless given")
    parser.add_argument("--out", type=Path, help="folder to fill; the package's own unless given")
    asked = parser.parse_args()
    one = architecture(asked.name)
    if asked.steps:
        one = replace(one, pretraining=replace(one.pretraining, steps=asked.steps))
    build(one, asked.out or shipped.zoo_folder(one.name))


if __name__ == "__main__":
    main()
