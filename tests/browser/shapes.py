"""RESULTs of any number of systems and tasks, to look at their pages and to test how they are laid out.

    python -m tests.browser.shapes FOLDER

draws each shape's report into FOLDER, and screenshots of it on a desktop and on a phone, light and dark.
"""

import gzip
import json
import shutil
import sys
from collections.abc import Callable, Iterable
from math import ceil
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as parquet
from playwright.sync_api import ViewportSize, sync_playwright

from harness.report import render
from tests.report.conftest import MODELS, write_json, write_lines, write_result

SHAPES = ((2, 1), (8, 5), (12, 1), (30, 12))  # systems and tasks
LINED = ((8, 5), (30, 12))  # shapes whose tables have more lines than systems
SIZES = {"wide": ViewportSize(width=1440, height=900), "narrow": ViewportSize(width=390, height=844)}
PRIMARY = "dialogues"  # the task that others copy
# What a table has besides measured systems: who cannot be asked, who stands in for a base, and what others published.
ENCODERS = ("bert-base-uncased", "albert-base-v2", "deberta-v3-small-of-a-long-name", "roberta-base")
UNASKED = "is an encoder, which writes no text"
STAND_IN = "no trained head: the trivial rule majority answers in its place"
PUBLISHED = (
    {"system": "Flan-T5-XXL, LoRA of rank 16 on int8", "scores": {"rouge1": 50.386, "rouge2": 24.842, "rougeL": 41.37},
     "source": "P. Schmid, Efficient Large Language Model training with LoRA and Hugging Face (2023)",
     "why": "answers were sampled, and references were cut at 50 tokens"},
    {"system": "GPT-3 175B, LoRA", "scores": {"rougeL": 45.9}, "source": "Hu et al. 2021 (arXiv 2106.09685), table 4",
     "settings": "beam search", "comparable": True, "why": ""},
)  # fmt: skip

Line = dict[str, Any]


def shaped(folder: Path, systems: int, tasks: int, samples: int = 12) -> Path:
    """Write a RESULT of so many systems, half of them adapters or more, and so many tasks; return its folder.

    The tables of a shape in LINED have lines of every kind.
    """
    adapters = max(1, ceil(systems / len(MODELS)) - 1)
    write_result(folder, samples=samples, seeds=range(adapters) if adapters > 1 else (0,))
    document = json.loads((folder / "result.json").read_bytes())
    labels = list(dict.fromkeys(one["name"] for one in document["suite"]["adapters"]))
    every = [(model, adapter) for model in MODELS for adapter in (None, *labels)]
    kept = set(every[:systems])
    copies = [f"{PRIMARY}-{number}" for number in range(3, tasks + 1)]
    names = [PRIMARY, "instructions", *copies][:tasks]

    def cut(lines: Iterable[Line]) -> list[Line]:
        own = [line for line in lines if _of(line) in kept or str(line["model"]).startswith("trivial:")]
        return _copied(own, names, copies)

    compared = [
        one
        for one in document["comparisons"]
        if _shown(one["candidate"], kept) and _shown(one["baseline"], kept)
    ]
    document["scores"] = cut(document["scores"])
    document["comparisons"] = _copied(compared, names, copies)
    document["costs"] = cut(document["costs"])
    document["weights"] = [one for one in document["weights"] if _of(one) in kept]
    document["curves"] = [one for one in document["curves"] if _of(one) in kept]
    suite = document["suite"]
    suite["models"] = [one for one in suite["models"] if (one["name"], None) in kept]
    suite["adapters"] = [one for one in suite["adapters"] if (one["model"], one["name"]) in kept]
    suite["tasks"] = _copied(suite["tasks"], names, copies, "name")
    if (systems, tasks) in LINED:
        _line(document)
    write_json(folder / "result.json", document)
    _rewrite(folder / "generations.jsonl.gz", cut)
    _rewrite(folder / "samples.jsonl.gz", lambda lines: _copied(lines, names, copies))
    rows = parquet.read_table(folder / "rows.parquet")
    parquet.write_table(pa.Table.from_pylist(cut(rows.to_pylist()), rows.schema), folder / "rows.parquet")
    return folder


def _line(document: Line) -> None:
    """Add to each task lines on encoders that cannot be asked, on a rule that stands in, and on published scores."""
    models = [one["name"] for one in document["suite"]["models"]]
    for task in document["suite"]["tasks"]:
        reasons = {name: f"{name} {UNASKED}" for name in ENCODERS}
        reasons["t5-small"] = "t5-small is an encoder-decoder, which has no head for labels"
        document["notes"] += [
            {
                "kind": "not applicable",
                "where": f"{task['name']}, {name}{adapter}",
                "count": 0,
                "of": 0,
                "detail": reason,
            }
            for name, reason in reasons.items()
            for adapter in ("", f" + quickstart@{task['name']}")
        ]
        where = f"{task['name']}, {models[0]}"
        document["notes"].append(
            {"kind": "stand-in", "where": where, "count": 12, "of": 12, "detail": STAND_IN}
        )
        if task["primary"] == "rougeL":
            task["published"] = [*PUBLISHED]


def _of(line: Line) -> tuple[str, str | None]:
    return line["model"], line.get("adapter")


def _shown(side: Line, kept: set[tuple[str, str | None]]) -> bool:
    return _of(side) in kept or str(side["model"]).startswith("trivial:")


def _copied(lines: Iterable[Line], names: list[str], copies: list[str], key: str = "task") -> list[Line]:
    """Return the lines of the named tasks; each copy repeats the lines of PRIMARY."""
    every = list(lines)
    own = [line for line in every if line[key] is None or line[key] in names]
    mine = [line for line in every if line[key] == PRIMARY]
    return own + [_renamed(line, key, name) for name in copies for line in mine]


def _renamed(line: Line, key: str, name: str) -> Line:
    family = {"family": line["family"].replace(PRIMARY, name)} if line.get("family") else {}
    return {**line, key: name, **family}


def _rewrite(path: Path, change: Callable[[Iterable[Line]], list[Line]]) -> None:
    with gzip.open(path, "rt", encoding="utf-8") as file:
        lines = [json.loads(line) for line in file]
    write_lines(path, change(lines))


def main(folder: Path) -> None:
    """Draw every shape."""
    chromium = next(found for name in ("chromium", "google-chrome") if (found := shutil.which(name)))
    folder.mkdir(parents=True, exist_ok=True)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        for systems, tasks in SHAPES:
            made = shaped(folder / f"{systems}-{tasks}", systems, tasks)
            render(made, folder / "drawings")
            for size, viewport in SIZES.items():
                for scheme in ("light", "dark"):
                    page = browser.new_page(viewport=viewport, color_scheme=scheme)
                    page.goto((made / "report.html").as_uri())
                    page.screenshot(path=folder / f"{systems}-{tasks}-{size}-{scheme}.png", full_page=True)
                    page.close()
        browser.close()


if __name__ == "__main__":
    main(Path(sys.argv[1]))
