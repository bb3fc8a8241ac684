"""Whether a text that must stay on the machine stands in any file, however it is written there."""

import gzip
import html
import json
import re
import sqlite3
from collections.abc import Iterable
from contextlib import closing
from pathlib import Path

import pyarrow.parquet as parquet

from harness.files.json_lines import write_json
from harness.files.zipped import write_zipped
from harness.results import json_lines

QUOTED = "ValueError: cannot parse 'Hana: Hey, are we still on for the science fair?'"


def keep_private(folder: Path) -> Path:
    """Makes the dialogues of a RESULT private; a column tells customers apart, and a step that failed quoted one."""
    document = json.loads((folder / "result.json").read_bytes())
    task = next(one for one in document["suite"]["tasks"] if one["name"] == "dialogues")
    task |= {"share": "scores", "source": "file:chats", "licence": None}
    step = {
        "id": "f" * 16,
        "kind": "train",
        "label": "train falcon-tiny + other",
        "state": "failed",
        "seconds": 1.0,
    }
    document["steps"].append({**step, "reason": QUOTED, "log": "store/work/log.txt"})
    note = {
        "kind": "step failed",
        "where": step["label"],
        "count": 1,
        "of": 9,
        "detail": QUOTED,
        "samples": [],
    }
    document["notes"].append(note)
    document["suite"]["gates"] = [{"max_drop": 1.0, "where": {"customer": customer(0)}}, {"min_value": 1.0}]
    write_json(folder / "result.json", document)
    samples = list(json_lines(folder / "samples.jsonl.gz"))
    for place, line in enumerate(samples):
        if line["task"] == "dialogues":
            line["metadata"]["customer"] = customer(place // 3)
    write_zipped(folder / "samples.jsonl.gz", samples)
    return folder


def customer(number: int) -> str:
    return f"Customer No. {number} of the northern branch"


def private_texts(folder: Path) -> set[str]:
    """Every input, reference, metadata value and answer of tasks that share scores alone, from 12 characters on."""
    document = json.loads((folder / "result.json").read_bytes())
    names = {one["name"] for one in document["suite"]["tasks"] if one["share"] == "scores"}
    found = {QUOTED}
    for name in ("samples", "generations"):
        for line in json_lines(folder / f"{name}.jsonl.gz"):
            if line["task"] in names:
                found |= {line.get("input", ""), line.get("text", ""), *line["references"]}
                found |= {*line.get("metadata", {}).values()}
    return {text for text in found if len(text) >= 12}


def leaks(root: Path, texts: Iterable[str]) -> set[tuple[str, str]]:
    """(file, text) for every text of which the beginning or the end stands in a file, however it is written there.

    Files are unpacked and their escapes undone; then letters and digits alone are compared.
    """
    ends = {text: {squashed(text)[:24], squashed(text)[-24:]} for text in texts}
    files = [root] if root.is_file() else [path for path in root.rglob("*") if path.is_file()]
    return {
        (path.name, text)
        for path in files
        for content in [squashed(unpacked(path))]
        for text, parts in ends.items()
        if any(part in content for part in parts)
    }


def squashed(text: str) -> str:
    return re.sub(r"[\W_]+", "", text)


def unpacked(path: Path) -> str:
    """Everything in a file that can be read as text."""
    raw = path.read_bytes()
    if path.suffix == ".gz":
        raw = gzip.decompress(raw)
    if path.suffix == ".parquet":
        file = parquet.ParquetFile(path)
        raw = f"{file.read().to_pylist()!r} {file.schema_arrow.metadata!r}".encode("utf-8", "replace")
    if raw.startswith(b"SQLite format 3"):
        with closing(sqlite3.connect(path)) as database:
            raw = "\n".join(database.iterdump()).encode("utf-8", "replace")
    text = raw.decode("utf-8", "replace")
    text += html.unescape(re.sub(r"<[^<>]*>", " ", text))
    return text + re.sub(r"\\u([0-9a-fA-F]{4})", lambda code: chr(int(code[1], 16)), text).replace("\\n", " ")
