"""RESULTs of any number of samples, for the benchmark of reports: what tiny models left, with made-up texts in it."""

import gzip
import json
import random
import shutil
from collections.abc import Iterable, Sequence
from itertools import chain
from operator import or_
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.lib import measured
from benchmarks.lib.race import ROOT
from benchmarks.races.rouge import DIALOGUES, PAIRS, pairs
from harness.results import json_lines
from harness.results.document import read_document, write_document
from harness.results.rows import Rows, open_rows, write_rows

SUITE = ROOT / "benchmarks" / "suites" / "report.yaml"

Line = dict[str, Any]


def result(folder: Path, name: str) -> None:
    """A RESULT of PAIRS samples a task, and beside it the run's store.

    Ids, inputs, references and answers are made up, and scored and compared as such; all else is the run's: weights,
    curves, costs, and what else a sample or an answer has, from one sample to the next and again from the first.
    """
    measured.run(["run", str(SUITE), "--store", "store", "--out", name, "--device", "cpu"], folder)
    asked, answered = _parts(folder / name)
    references = [reference for reference, _ in pairs()]
    for lines in asked:
        own = ({"input": text, "references": [of]} for text, of in zip(_inputs(), references, strict=True))
        lines[:] = map(or_, _cycled(lines, PAIRS), own)
    for number, lines in enumerate(answered, 1):
        damage = 0.15 + number / 200 if lines[0]["adapter"] else 0.3
        own = ({"text": text, "references": [of]} for of, text in pairs(seed=number, damage=damage))
        lines[:] = map(or_, _cycled(lines, PAIRS), own)
    write_lines(folder / name / "samples.jsonl.gz", chain(*asked))
    write_lines(folder / name / "generations.jsonl.gz", chain(*answered))
    write_document(folder / name, read_document(folder / name))
    metrics = ["--metric", "rouge", "--metric", "bleu", "--metric", "chrf"]
    measured.run(["rescore", name, "--again", *metrics], folder)


def repeated(source: Path, out: Path, count: int) -> None:
    """Its samples, answers and rows over and over, so many of each, under ids of their own; scores and comparisons stay."""
    shutil.copytree(source, out)
    asked, answered = _parts(source)
    write_lines(out / "samples.jsonl.gz", chain(*(_cycled(lines, count) for lines in asked)))
    write_lines(out / "generations.jsonl.gz", chain(*(_cycled(lines, count) for lines in answered)))
    ids = tuple(map(_id, range(count)))
    with open_rows(source) as kept:
        tables = ((key, rows.stats) for key in kept.keys() if (rows := kept.get(key)))  # noqa: SIM118  a file
        again = ((key, Rows(ids=ids, stats=np.resize(own, (count, own.shape[1])))) for key, own in tables)
        write_rows(out / "rows.parquet", again)
    write_document(out, read_document(out))


def _inputs() -> list[str]:
    """Two or three conversations each."""
    draw = random.Random(0)
    lines = (DIALOGUES / "test.jsonl").read_text(encoding="utf-8").splitlines()
    texts = [json.loads(line)["dialogue"] for line in lines]
    return ["\n".join(draw.sample(texts, draw.randint(2, 3))) for _ in range(PAIRS)]


def _parts(folder: Path) -> tuple[list[list[Line]], list[list[Line]]]:
    """Samples of each task, and answers of each task and system; rules answer anew when they are scored."""
    asked: dict[Any, list[Line]] = {}
    for line in json_lines(folder / "samples.jsonl.gz"):
        asked.setdefault(line["task"], []).append(line)
    answered: dict[Any, list[Line]] = {}
    for line in json_lines(folder / "generations.jsonl.gz"):
        if not line["model"].startswith("trivial:"):
            answered.setdefault((line["task"], line["model"], line["adapter"]), []).append(line)
    return list(asked.values()), list(answered.values())


def _cycled(lines: Sequence[Line], count: int) -> Iterable[Line]:
    before = list(lines)  # the list may be written over meanwhile
    return ({**before[i % len(before)], "sample_id": _id(i)} for i in range(count))


def _id(number: int) -> str:
    return f"test-{number:06d}"


def write_lines(path: Path, lines: Iterable[Line]) -> None:
    with gzip.open(path, "wt", compresslevel=1, encoding="utf-8") as file:
        file.writelines(json.dumps(line, ensure_ascii=False) + "\n" for line in lines)
