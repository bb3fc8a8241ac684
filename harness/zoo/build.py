"""Makes one of the tiny models again: `python -m harness.zoo.build NAME`.

corpus -> tokenizer -> documents -> neural.pretrain -> folder in the hub's layout
"""

import argparse
import json
import re
from collections.abc import Iterator
from dataclasses import asdict, replace
from pathlib import Path
from random import Random
from string import Template
from typing import TYPE_CHECKING

from harness.zoo.architectures import ARCHITECTURES, POOL, Architecture, Pretraining, architecture
from harness.zoo.corpus.dialogues import dialogues
from harness.zoo.corpus.general_dialogues import general_dialogues
from harness.zoo.corpus.general_instructions import general_instructions
from harness.zoo.corpus.instructions import instructions
from harness.zoo.recital import recitals, rows, words_of
from harness.zoo.spelling import save_tokenizer, train_tokenizer

if TYPE_CHECKING:
    from transformers import PreTrainedModel, PreTrainedTokenizerBase

    from harness.neural.pretrain import Document, Point

TOKENIZER_TEXTS = 10_000  # documents of each kind that a tokenizer is trained on
HELD_OUT = 200  # documents of each kind that the finished model is tried on
LONGEST = 512  # tokens
Text = dict[str, str]  # prompt, answer, kind


def build(one: Architecture, folder: Path) -> None:
    """Trains tokenizer and model and fills the folder."""
    import torch
    from transformers import AutoTokenizer

    from harness.neural import pretrain

    torch.set_num_threads(1)  # sums in another order would give other weights
    folder.mkdir(parents=True, exist_ok=True)
    seed = one.pretraining.seed
    save_tokenizer(
        train_tokenizer(one.spelling, one.vocabulary, _tokenizer_texts(seed)), one.spelling, LONGEST, folder
    )
    tokenizer = AutoTokenizer.from_pretrained(folder)
    model = pretrain.build_model(one, len(tokenizer), _token_ids(one, tokenizer))
    print(f"{one.name}: {model.num_parameters():,} parameters, {len(tokenizer)} tokens", flush=True)

    documents = (encode(text, tokenizer) for text in corpus(one.pretraining))
    curve: list[Point] = []

    def progress(point: "Point") -> None:
        curve.append(point)
        print(
            f"step {point.step:5d}/{one.pretraining.steps}  loss {point.loss:.3f}  "
            f"rate {point.learning_rate:.1e}  {point.tokens / point.seconds:6.0f} tokens/s  {point.seconds:5.0f} s",
            flush=True,
        )
        if point.step % 500 == 0:
            pretrain.save(model, folder)

    pretrain.train(model, documents, one.pretraining, tokenizer.pad_token_id, progress)
    pretrain.save(model, folder)
    found = try_out(model, tokenizer, seed)
    print(found, flush=True)
    _write_loss(one, model, curve, found, folder)
    _write_readme(one, model, curve, folder)


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


def encode(text: Text, tokenizer: "PreTrainedTokenizerBase") -> "Document":
    """As the harness asks: the prompt, then a blank and the answer, then end-of-sequence."""
    from harness.neural.pretrain import Document

    answer = tokenizer.encode(" " + text["answer"], add_special_tokens=False)
    return Document(prompt=tuple(tokenizer.encode(text["prompt"])), answer=(*answer, tokenizer.eos_token_id))


def try_out(
    model: "PreTrainedModel", tokenizer: "PreTrainedTokenizerBase", seed: int, count: int = HELD_OUT
) -> dict[str, dict[str, float]]:
    """Greedy answers to documents that were not trained on, in percent, by kind.

    exact: equal to the reference. copied: names and other capitalised words of the reference that stand in the
    prompt and that the answer has too.
    """
    found = {}
    for kind, texts in (
        ("dialogues", general_dialogues(count, seed + 1_000_003)),
        ("instructions", general_instructions(count, seed + 1_000_003)),
    ):
        texts = list(texts)
        answers = write(model, tokenizer, [text["prompt"] for text in texts])
        exact = sum(answer == text["answer"] for answer, text in zip(answers, texts, strict=True))
        wanted = [_names(text["answer"]) & _names(text["prompt"]) for text in texts]
        copied = sum(len(names & _names(answer)) for names, answer in zip(wanted, answers, strict=True))
        found[kind] = {
            "exact": 100 * exact / len(texts),
            "copied": 100 * copied / max(1, sum(map(len, wanted))),
        }
    return found


def write(
    model: "PreTrainedModel", tokenizer: "PreTrainedTokenizerBase", prompts: list[str], batch_size: int = 32
) -> list[str]:
    """Greedy answers without their leading blank."""
    import torch

    tokenizer.padding_side = "left"
    answers: list[str] = []
    for at in range(0, len(prompts), batch_size):
        batch = tokenizer(prompts[at : at + batch_size], return_tensors="pt", padding=True)
        with torch.inference_mode():
            written = model.generate(**batch, max_new_tokens=48, do_sample=False)
        if not model.config.is_encoder_decoder:
            written = written[:, batch["input_ids"].shape[1] :]
        answers += [text.strip() for text in tokenizer.batch_decode(written, skip_special_tokens=True)]
    return answers


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


def _token_ids(one: Architecture, tokenizer: "PreTrainedTokenizerBase") -> dict[str, int]:
    """Special tokens as config.json names them. A T5 answer starts from the padding token, as the real one's does."""
    eos, pad = tokenizer.eos_token_id, tokenizer.pad_token_id
    if one.model_type == "t5":
        return {"eos_token_id": eos, "pad_token_id": pad, "decoder_start_token_id": pad}
    bos = tokenizer.bos_token_id if tokenizer.bos_token_id is not None else eos
    return {"bos_token_id": bos, "eos_token_id": eos, "pad_token_id": pad}


def _write_loss(
    one: Architecture,
    model: "PreTrainedModel",
    curve: list["Point"],
    found: dict[str, dict[str, float]],
    folder: Path,
) -> None:
    record = {
        "parameters": model.num_parameters(),
        "seconds": round(curve[-1].seconds, 1),
        "documents": one.pretraining.steps * one.pretraining.batch_size,
        "tokens": curve[-1].tokens,
        "pretraining": asdict(one.pretraining),
        "held_out_percent": found,
        "curve": [
            {"step": p.step, "loss": round(p.loss, 4), "learning_rate": round(p.learning_rate, 6)}
            for p in curve
        ],
    }
    (folder / "loss.json").write_text(json.dumps(record, indent=1) + "\n", encoding="utf-8")


def _write_readme(one: Architecture, model: "PreTrainedModel", curve: list["Point"], folder: Path) -> None:
    template = Template((Path(__file__).parent / "README.template.md").read_text(encoding="utf-8"))
    text = template.substitute(
        name=one.name,
        stands_for=one.stands_for,
        special=one.special,
        model_class=type(model).__name__,
        parameters=f"{model.num_parameters():,}",
        documents=f"{one.pretraining.steps * one.pretraining.batch_size:,}",
        steps=f"{one.pretraining.steps:,}",
        minutes=f"{curve[-1].seconds / 60:.0f}",
        seed=one.pretraining.seed,
    )
    (folder / "README.md").write_text(text, encoding="utf-8")


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m harness.zoo.build", description=__doc__.splitlines()[0])
    parser.add_argument("name", choices=ARCHITECTURES)
    parser.add_argument("--steps", type=int, help="optimiser steps; the model's own number unless given")
    parser.add_argument("--out", type=Path, help="folder to fill; the package's own unless given")
    asked = parser.parse_args()
    one = architecture(asked.name)
    if asked.steps:
        one = replace(one, pretraining=replace(one.pretraining, steps=asked.steps))
    build(one, asked.out or Path(__file__).parent / one.name)


if __name__ == "__main__":
    main()
