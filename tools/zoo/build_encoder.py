"""Makes one of the tiny encoders again: `python -m tools.zoo.build_encoder NAME`.

corpus -> tokenizer -> masking.train_encoder -> folder in the hub's layout
"""

import argparse
import json
from collections.abc import Iterator
from dataclasses import asdict, replace
from itertools import islice
from pathlib import Path
from random import Random
from string import Template
from typing import Any

import torch

from harness.files import shipped
from tools.zoo import masking
from tools.zoo.corpus.general_dialogues import general_dialogues
from tools.zoo.corpus.general_instructions import general_instructions
from tools.zoo.encoder_spelling import save_encoder_tokenizer, train_encoder_tokenizer
from tools.zoo.encoders import ENCODERS, Encoder, MaskedPretraining, find_encoder
from tools.zoo.pretrain import round_weights

TOKENIZER_TEXTS = 10_000  # documents of each kind that a tokenizer is trained on
HELD_OUT = 512  # documents that the finished encoder is tried on
OF_DATA = (
    0.7  # share of the documents that are training inputs of the embedded data sets, from each set alike
)
WINDOW = 512  # tokens
NO_TEXT = ("id", "label", "category", "scenario", "scenario_seen", "de")  # columns that are no English text


def build(encoder: Encoder, folder: Path, data: Path) -> None:
    """Train tokenizer and encoder, and fill the folder."""
    folder.mkdir(parents=True, exist_ok=True)
    plan = encoder.pretraining
    tokenizer = train_encoder_tokenizer(
        encoder.spelling, encoder.vocabulary, _tokenizer_texts(plan.seed, data)
    )
    save_encoder_tokenizer(tokenizer, encoder.spelling, WINDOW, folder)
    pupil = masking.newborn_encoder(encoder, folder)
    print(f"{encoder.name}: {pupil.model.num_parameters():,} parameters", flush=True)
    curve = masking.train_encoder(pupil, corpus(plan, data), plan, _tell)
    round_weights(pupil.model)
    unseen = masking.held_out(pupil, _general(plan.seed + 1_000_003, HELD_OUT), plan, HELD_OUT)
    print(unseen, flush=True)
    model: Any = pupil.model
    model.to(torch.bfloat16).save_pretrained(folder)
    (folder / "model.safetensors").chmod(0o644)  # safetensors keeps it to its owner, and a wheel keeps that
    record = {
        "parameters": pupil.model.num_parameters(),
        "pretraining": {
            "seconds": round(curve[-1].seconds, 1),
            "documents": plan.steps * plan.batch_size,
            "tokens": curve[-1].tokens,
            "plan": asdict(plan),
            "held_out": unseen,
            "curve": [
                {
                    "step": point.step,
                    "loss": round(point.loss, 4),
                    "pair_accuracy": round(point.pair_accuracy, 1),
                    "learning_rate": round(point.learning_rate, 6),
                }
                for point in curve
            ],
        },
    }
    (folder / "loss.json").write_text(json.dumps(record, indent=1) + "\n", encoding="utf-8")
    _write_readme(encoder, pupil, curve[-1].seconds, unseen, folder)


def corpus(plan: MaskedPretraining, data: Path) -> Iterator[str]:
    """Yield texts without end: general ones, and training inputs of the embedded data sets."""
    random = Random(f"{plan.seed}-mixture")
    general, sets = _general(plan.seed), [*data_texts(data).values()]
    while True:
        yield random.choice(random.choice(sets)) if random.random() < OF_DATA else next(general)


def data_texts(data: Path) -> dict[str, list[str]]:
    """Return the texts of each embedded data set's training split, without labels.

    Validation and test samples are never read.
    """
    found = {}
    for path in sorted(data.glob("*/train.jsonl")):
        rows = map(json.loads, path.read_text(encoding="utf-8").splitlines())
        found[path.parent.name] = ["\n".join(_texts_of(row)) for row in rows if any(_texts_of(row))]
    return found


def _texts_of(row: dict[str, object]) -> list[str]:
    return [
        value
        for name, value in row.items()
        if name not in NO_TEXT and isinstance(value, str) and " " in value
    ]


def _general(seed: int, each: int = 100_000) -> Iterator[str]:
    random = Random(f"{seed}-general")
    kinds = (iter(general_dialogues(each, seed)), iter(general_instructions(each, seed)))
    while True:
        text = next(random.choice(kinds))
        yield f"{text['prompt']}\n{text['answer']}"


def _tokenizer_texts(seed: int, data: Path) -> Iterator[str]:
    yield from islice(_general(seed), 2 * TOKENIZER_TEXTS)
    for texts in data_texts(data).values():
        yield from texts


def _tell(point: masking.MaskedPoint) -> None:
    print(
        f"step {point.step:5d}  loss {point.loss:.3f}  pairs {point.pair_accuracy:.0f} %  "
        f"{point.tokens / point.seconds:6.0f} tokens/s  {point.seconds:5.0f} s",
        flush=True,
    )


def _write_readme(
    encoder: Encoder, pupil: masking.Pupil, seconds: float, unseen: dict[str, float], folder: Path
) -> None:
    template = Template((Path(__file__).parent / "ENCODER.template.md").read_text(encoding="utf-8"))
    loss, pairs = unseen.values()
    text = template.substitute(
        name=encoder.name,
        stands_for=encoder.stands_for,
        special=encoder.special,
        pairs=encoder.pairs,
        model_class=type(pupil.model).__name__,
        parameters=f"{pupil.model.num_parameters():,}",
        documents=f"{encoder.pretraining.steps * encoder.pretraining.batch_size:,}",
        steps=f"{encoder.pretraining.steps:,}",
        share=f"{100 * encoder.pretraining.masked_share:.0f}",
        of_data=f"{100 * OF_DATA:.0f}",
        minutes=f"{seconds / 60:.0f}",
        seed=encoder.pretraining.seed,
        loss=f"{loss:.2f}",
        right=f"{pairs:.0f}",
    )
    (folder / "README.md").write_text(text, encoding="utf-8")


def main() -> None:
    """Train the encoder that the command line names."""
    parser = argparse.ArgumentParser(
        prog="python -m tools.zoo.build_encoder", description=(__doc__ or "").splitlines()[0]
    )
    parser.add_argument("name", choices=ENCODERS)
    parser.add_argument("--steps", type=int, help="optimiser steps; the encoder's own number unless given")
    parser.add_argument("--out", type=Path, help="folder to fill; the package's own unless given")
    parser.add_argument(
        "--data",
        type=Path,
        default=shipped.folder("suites") / "data",
        help="the embedded data sets, whose training splits are read; the project's own unless given",
    )
    asked = parser.parse_args()
    encoder = find_encoder(asked.name)
    if asked.steps:
        encoder = replace(encoder, pretraining=replace(encoder.pretraining, steps=asked.steps))
    build(encoder, asked.out or shipped.zoo_folder(encoder.name), asked.data)


if __name__ == "__main__":
    main()
