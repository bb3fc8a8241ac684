"""A RESULT that may leave the machine: of tasks whose source shares scores alone it holds ids and numbers, no text.

Nothing is taken over that is not named here, so that what a RESULT learns to hold is left out until somebody decides.
"""

import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from harness.errors import ResultError
from harness.files.zipped import write_zipped
from harness.results import json_lines, ours, read_document
from harness.results.document import refuse_damaged, write_document

# What of result.json is numbers, names, digests and the user's own settings.
AS_IT_IS = (
    *("schema", "scores", "comparisons", "weights", "costs", "curves", "answers", "recipes", "manifest"),
)
REWRITTEN = ("suite", "notes", "steps")  # see `document`
OF_ANSWERS = (
    *("task", "model", "adapter", "shots", "sample_id", "prompt_digest", "prompt_tokens", "output_tokens"),
    *("truncated_tokens", "finish", "logprob"),
)
VERDICTS = "verdicts.json"
WITHHELD = "withheld"
REASON = "withheld, since it may quote samples; the RESULT that this is a copy of says it"


def copy(result: Path, out: Path) -> None:
    """Writes into the folder `out` what may be shown of a RESULT; its pages are not drawn."""
    whole = read_document(result)
    ours.refuse_links(result)
    refuse_damaged(result, whole.get("files", {}))
    private = private_tasks(whole)
    out.mkdir(parents=True, exist_ok=True)
    write_zipped(out / "samples.jsonl.gz", _samples(result, clusters(whole, private)))
    write_zipped(out / "generations.jsonl.gz", _generations(result, private))
    try:
        shutil.copyfile(result / "rows.parquet", out / "rows.parquet")  # ids and sums
    except OSError as error:
        raise ResultError(f"{result / 'rows.parquet'}: cannot be copied: {error.strerror}") from error
    if not private and (result / VERDICTS).is_file():
        shutil.copyfile(result / VERDICTS, out / VERDICTS)
    write_document(out, document(whole))


@contextmanager
def view(result: Path) -> Iterator[Path]:
    """The RESULT itself where all of it may be shown, else a copy for as long as the block lasts."""
    if not private_tasks(read_document(result)):
        yield result
        return
    with TemporaryDirectory() as place:
        copy(result, Path(place))
        yield Path(place)


def private_tasks(whole: Mapping[str, Any]) -> frozenset[str]:
    """The tasks whose samples and answers must not be shown; one that does not say is one of them."""
    return frozenset(task["name"] for task in whole["suite"]["tasks"] if task.get("share") != "text")


def document(whole: Mapping[str, Any]) -> dict[str, Any]:
    """result.json as it may be shown: without reasons of failures, which may quote a sample, and values of columns."""
    shared = {**whole, "manifest": {**whole.get("manifest", {}), "shareable": True}}
    if not private_tasks(whole):
        return shared
    return {
        **{key: shared[key] for key in AS_IT_IS if key in shared},
        "suite": _suite(whole["suite"]),
        "notes": [
            {**note, "detail": REASON} if note["kind"] == "step failed" else note
            for note in whole.get("notes", ())
        ],
        "steps": [
            {**step, "reason": REASON, "log": ""} if step["state"] == "failed" else step
            for step in whole.get("steps", ())
        ],
    }


def _suite(suite: Mapping[str, Any]) -> dict[str, Any]:
    """A gate that asks for a column's value cannot be judged by a copy: its value is left out, and no sample has it."""
    gates = [
        {**gate, "where": dict.fromkeys(gate["where"], WITHHELD)} if gate.get("where") else gate
        for gate in suite.get("gates", ())
    ]
    return {**suite, **({"gates": gates} if gates else {})}


def clusters(whole: Mapping[str, Any], private: frozenset[str]) -> dict[str, str | None]:
    """Private task -> the column whose equal values are resampled together."""
    return {task["name"]: task.get("cluster") for task in whole["suite"]["tasks"] if task["name"] in private}


def _samples(result: Path, private: Mapping[str, str | None]) -> Iterator[dict[str, Any]]:
    """Ids, and for intervals a number in place of each cluster's name."""
    numbers: dict[tuple[str, str], int] = {}
    for line in json_lines(result / "samples.jsonl.gz"):
        task = line["task"]
        if task not in private:
            yield line
            continue
        column = private[task]
        metadata = {}
        if column is not None:
            named = (task, line.get("metadata", {}).get(column, ""))
            metadata[column] = str(numbers.setdefault(named, len(numbers) + 1))
        bare = {"input": "", "references": [], "metadata": metadata}
        yield {"task": task, "sample_id": line["sample_id"], **bare}


def _generations(result: Path, private: frozenset[str]) -> Iterator[dict[str, Any]]:
    for line in json_lines(result / "generations.jsonl.gz"):
        if line["task"] in private:
            line = {key: line[key] for key in OF_ANSWERS if key in line} | {"text": "", "references": []}
        yield line
