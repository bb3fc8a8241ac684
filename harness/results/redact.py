"""Copy a RESULT without private texts: for tasks whose source shares scores alone, only ids and numbers are kept.

No copy contains an absolute path of this machine (`pathless.py`).
The markers on the fields of its records say what a copy keeps (`types/fields.py`); an unmarked field is left out.
"""

import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import is_dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, get_args

from harness.errors import ResultError
from harness.files.json_lines import from_json, to_json
from harness.files.zipped import write_zipped
from harness.results import Result, from_document, json_lines, located, ours, read_document, verdicts
from harness.results.document import refuse_damaged, write_document
from harness.results.pathless import pathless
from harness.results.plain import other_keys, record, record_fields
from harness.types import Generation, Sample, System, Verdict
from harness.types.fields import Copy, Shape, Withheld

VERDICTS = verdicts.FILE


def copy(result: Path, out: Path) -> None:
    """Write a copy of a RESULT without private texts into the folder `out`; pages are not drawn."""
    whole = _read(result)
    ours.refuse_links(result)
    refuse_damaged(result, whole.get("files", {}))
    private = private_tasks(whole)
    out.mkdir(parents=True, exist_ok=True)
    write_zipped(out / "samples.jsonl.gz", _samples(result, clusters(whole, private)))
    write_zipped(out / "generations.jsonl.gz", _generations(result, private))
    _copy_rows(result, out, whole)
    if not private and (result / VERDICTS).is_file() and not (result / VERDICTS).is_symlink():
        found = [from_json(Verdict, pathless(to_json(verdict))) for verdict in verdicts.read(result)]
        verdicts.write(out, found)
    write_document(out, document(whole))


def _copy_rows(result: Path, out: Path, whole: Mapping[str, Any]) -> None:
    """Copy ids and sums; rows of a metric that is a script are written again under its name without its folder."""
    from harness.results.rows import open_rows, write_rows

    name = "rows.parquet"
    try:
        if pathless(metrics := _metrics(whole)) == metrics:
            shutil.copyfile(result / name, out / name)
            return
        with open_rows(result) as file:
            keys = [(key, (*key[:2], pathless(key[2]))) for key in file.keys()]  # noqa: SIM118  not a mapping
            tables = ((new, rows) for old, new in keys if (rows := file.get(old)) is not None)
            write_rows(out / name, tables)
    except OSError as error:
        raise ResultError(f"{result / name}: cannot be copied: {error.strerror}") from error


def _metrics(whole: Mapping[str, Any]) -> list[str]:
    return [metric for task in whole["suite"]["tasks"] for metric in task["metrics"]]


@contextmanager
def view(result: Path) -> Iterator[Path]:
    """Yield the RESULT itself if all of it may be shown, else a copy that is removed at the end of the block."""
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
    """Return the tasks whose samples and answers must not be shown; a task without `share` is private."""
    return frozenset(task["name"] for task in whole["suite"]["tasks"] if task.get("share") != "text")


def document(whole: Mapping[str, Any]) -> dict[str, Any]:
    """Return result.json with only what the fields of its records let a copy keep."""
    shared = {**whole, "manifest": {**whole.get("manifest", {}), "shareable": True}}
    found: dict[str, Any] = pathless(kept(Result, shared) if private_tasks(whole) else shared)
    return found


def kept(kind: type[Any], data: Mapping[str, Any]) -> dict[str, Any]:
    """Return what a copy keeps of a record's plain data; keys that no field names are left out."""
    found: dict[str, Any] = {}
    for field in record_fields(kind):
        withheld = next((word for word in field.says if isinstance(word, Withheld)), None)
        if Shape.SPREAD in field.says and Copy.KEPT in field.says:
            own = {key: data[key] for key in other_keys(kind, data)}
            found |= kept(field.inner, data) if is_dataclass(field.inner) else own  # type: ignore[arg-type]
        elif field.name not in data:
            continue
        elif withheld:
            found[field.name] = _withheld(withheld, data, data[field.name])
        elif Copy.KEPT in field.says:
            found[field.name] = _kept_value(field.hint, data[field.name])
    return found


def _withheld(withheld: Withheld, data: Mapping[str, Any], value: Any) -> Any:
    if withheld.where and data.get(withheld.where[0]) != withheld.where[1]:
        return value
    return dict.fromkeys(value, withheld.instead) if isinstance(value, Mapping) else withheld.instead


def _kept_value(hint: Any, value: Any) -> Any:
    """Return what a copy keeps of a value; of records in it, what their fields let it keep."""
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
    """Return, for each private task, the column whose equal values are resampled together."""
    return {task["name"]: task.get("cluster") for task in whole["suite"]["tasks"] if task["name"] in private}


def _samples(result: Path, private: Mapping[str, str | None]) -> Iterator[dict[str, Any]]:
    """Yield the lines of samples, with ids alone for private tasks, and a number in place of each cluster's name."""
    numbers: dict[tuple[str, str], int] = {}
    path = result / "samples.jsonl.gz"
    for number, line in enumerate(json_lines(path), 1):
        with located(path, number):
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
        with located(path, number):
            if line["task"] in private:
                line = {
                    "task": line["task"],
                    **kept(System, line),
                    **kept(Generation, line),
                    "references": [],
                }
        yield line
