"""A RESULT that may leave the machine: of tasks whose source shares scores alone it holds ids and numbers, no text.

The fields of its records say what a copy keeps (`types/fields.py`); what no field says is left out.
"""

import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import is_dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, get_args

from harness.errors import ResultError
from harness.files.zipped import write_zipped
from harness.results import Result, from_document, json_lines, ours, read_document, told
from harness.results.document import refuse_damaged, write_document
from harness.results.plain import other_keys, parts, record
from harness.types import Generation, Sample, System
from harness.types.fields import Copy, Shape, Withheld

VERDICTS = "verdicts.json"


def copy(result: Path, out: Path) -> None:
    """Writes into the folder `out` what may be shown of a RESULT; its pages are not drawn."""
    whole = _read(result)
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
    if not private_tasks(_read(result)):
        yield result
        return
    with TemporaryDirectory() as place:
        copy(result, Path(place))
        yield Path(place)


def _read(result: Path) -> dict[str, Any]:
    """Return the document of a RESULT, whose records are what their fields say."""
    whole = read_document(result)
    from_document(result, whole)
    return whole


def private_tasks(whole: Mapping[str, Any]) -> frozenset[str]:
    """The tasks whose samples and answers must not be shown; one that does not say is one of them."""
    return frozenset(task["name"] for task in whole["suite"]["tasks"] if task.get("share") != "text")


def document(whole: Mapping[str, Any]) -> dict[str, Any]:
    """Return result.json as it may be shown: with what the fields of its records let a copy keep."""
    shared = {**whole, "manifest": {**whole.get("manifest", {}), "shareable": True}}
    return kept(Result, shared) if private_tasks(whole) else shared


def kept(kind: type[Any], data: Mapping[str, Any]) -> dict[str, Any]:
    """Return what a copy has of a record's plain data; keys that no field names are left out."""
    found: dict[str, Any] = {}
    for part in parts(kind):
        withheld = next((word for word in part.says if isinstance(word, Withheld)), None)
        if Shape.SPREAD in part.says and Copy.KEPT in part.says:
            own = {key: data[key] for key in other_keys(kind, data)}
            found |= kept(part.inner, data) if is_dataclass(part.inner) else own  # type: ignore[arg-type]
        elif part.name not in data:
            continue
        elif withheld:
            found[part.name] = _withheld(withheld, data, data[part.name])
        elif Copy.KEPT in part.says:
            found[part.name] = _kept_value(part.hint, data[part.name])
    return found


def _withheld(withheld: Withheld, data: Mapping[str, Any], value: Any) -> Any:
    if withheld.where and data.get(withheld.where[0]) != withheld.where[1]:
        return value
    return dict.fromkeys(value, withheld.instead) if isinstance(value, Mapping) else withheld.instead


def _kept_value(hint: Any, value: Any) -> Any:
    """Return what a copy has of a value: of records in it what their fields let it keep."""
    if is_dataclass(hint):
        return kept(hint, value) if isinstance(value, Mapping) else value  # type: ignore[arg-type]
    inside = next((inner for inner in get_args(hint) if _holds_records(inner)), None)
    if inside is None:
        return value
    return (
        [_kept_value(inside, item) for item in value]
        if isinstance(value, list)
        else _kept_value(inside, value)
    )


def _holds_records(hint: Any) -> bool:
    return is_dataclass(hint) or any(map(_holds_records, get_args(hint)))


def clusters(whole: Mapping[str, Any], private: frozenset[str]) -> dict[str, str | None]:
    """Private task -> the column whose equal values are resampled together."""
    return {task["name"]: task.get("cluster") for task in whole["suite"]["tasks"] if task["name"] in private}


def _samples(result: Path, private: Mapping[str, str | None]) -> Iterator[dict[str, Any]]:
    """Ids, and for intervals a number in place of each cluster's name."""
    numbers: dict[tuple[str, str], int] = {}
    path = result / "samples.jsonl.gz"
    for number, line in enumerate(json_lines(path), 1):
        with told(path, number):
            if (task := line["task"]) in private:
                column = private[task]
                metadata = {}
                if column is not None:
                    named = (task, record(Sample, line, id=line["sample_id"]).metadata.get(column, ""))
                    metadata[column] = str(numbers.setdefault(named, len(numbers) + 1))
                bare = {"input": "", "references": [], "metadata": metadata}
                line = {"task": task, "sample_id": line["sample_id"], **bare}
        yield line


def _generations(result: Path, private: frozenset[str]) -> Iterator[dict[str, Any]]:
    path = result / "generations.jsonl.gz"
    for number, line in enumerate(json_lines(path), 1):
        with told(path, number):
            if line["task"] in private:
                line = {
                    "task": line["task"],
                    **kept(System, line),
                    **kept(Generation, line),
                    "references": [],
                }
        yield line
