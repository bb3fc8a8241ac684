"""Read the documents of a task file of lm-evaluation-harness, each as a row that is asked as it is asked there.

`lm_eval:PATH.yaml`: the file names files (`dataset_path: json`, `csv` or `parquet`) or a data set of the hub. The test split
is the split that lm-evaluation-harness evaluates.
"""

import math
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from harness import lm_eval
from harness.data import FileDigests, Row, file, hub
from harness.digest import digest
from harness.errors import DataError
from harness.files.yaml import shown
from harness.lm_eval import code
from harness.lm_eval.asking import Asked, Document, asked
from harness.lm_eval.task_file import LmTask, refuse_code, task
from harness.lm_eval.yaml_file import Function
from harness.types import Source, Split

LOCAL = True  # the uri's place is a path


def splits(source: Source, *, offline: bool = False) -> tuple[Split, ...]:
    """Return the splits that the task file names: the one that is evaluated is the test split."""
    return tuple(_names(_task(source)))


def rows(source: Source, split: Split, *, offline: bool = False) -> Iterator[Row]:
    """Yield the documents of a split as they are asked; only those of the test split have examples before them."""
    found = _task(source)
    names = _names(found)
    if split not in names:
        raise DataError(f"{shown(found.file.path)}: no {split} split; name it as {_KEYS[split]}")
    documents = _documents(found, names[split], found.process_docs, offline)
    shots = found.shots if split == "test" else 0
    pool = _pool(found, offline) if shots else ()
    for number, each in enumerate(
        asked(found, documents, pool, f"{names[split]} split", shots=shots), start=1
    ):
        where = f"{shown(found.file.path)}: {names[split]}: document {number}"
        yield Row(where=where, values=_values(found, each))


def pin(source: Source, digests: FileDigests, *, offline: bool = False) -> str:
    """Return a digest of the task file, what it includes, its code and its data."""
    found = _task(source)
    parts = [digests(path) for path in found.file.files]
    parts += [digests(function.path) for function in found.functions if function.path.is_file()]
    if found.data_files:
        named = {split: [_path(found, path) for path in paths] for split, paths in found.data_files.items()}
        data: object = {split: [digests(path) for path in paths] for split, paths in named.items()}
    else:
        data = hub.pin(_hub(found, "test"), digests, offline=offline)
    return digest({"lm_eval": lm_eval.VERSION, "files": parts, "data": data})


_KEYS: Mapping[Split, str] = {
    "train": "training_split",
    "validation": "validation_split",
    "test": "test_split",
}


def _task(source: Source) -> LmTask:
    found = task(Path(source.uri.removeprefix(f"{lm_eval.SCHEME}:")), source.shots)
    refuse_code(found, source.trust_code)
    return found


def _names(found: LmTask) -> dict[Split, str]:
    """Return our splits with their names in the file."""
    names: dict[Split, str] = {}
    if found.training is not None:
        names["train"] = found.training
    if found.test is not None and found.validation is not None:
        names["validation"] = found.validation
    return names | {"test": found.evaluated}


def _pool(found: LmTask, offline: bool) -> Sequence[Document]:
    """Return the documents that examples are drawn from (fewshot_docs)."""
    pool = found.pool
    if pool.split is not None:
        return _documents(found, pool.split, pool.process_docs, offline)
    if isinstance(pool.samples, Function):
        return code.samples(pool.samples)
    if pool.samples is not None:
        return pool.samples
    name = found.training or found.validation or found.test
    assert name is not None
    return _documents(found, name, found.process_docs, offline)


def _documents(found: LmTask, name: str, process: Function | None, offline: bool) -> Sequence[Document]:
    """Return the documents of a split, in their order, after `process_docs`."""
    documents = _alike([dict(row) for row in _raw(found, name, offline)])
    if not documents:
        raise DataError(f"{shown(found.file.path)}: the {name} split is empty; add documents")
    return documents if process is None else code.processed(process, documents)


def _raw(found: LmTask, name: str, offline: bool) -> Iterator[Mapping[str, Any]]:
    if not found.data_files:
        yield from (row.values for row in hub.rows(_hub(found, name), "test", offline=offline))
        return
    if name not in found.data_files:
        raise DataError(
            f"{found.at('dataset_kwargs', '.data_files')}: no split {name!r}, only {', '.join(found.data_files)}"
        )
    for path in found.data_files[name]:
        place = _path(found, path)
        if found.dataset == "csv":
            yield from _table(place)
        else:
            source = Source(uri=f"file:{place.parent}", splits={"test": place.name})
            yield from (row.values for row in file.rows(source, "test"))


def _path(found: LmTask, path: str) -> Path:
    """Return the place of a data file; a relative path starts at the folder of the task file."""
    place = found.file.path.parent / Path(path).expanduser()
    if not place.is_file():
        raise DataError(
            f"{found.at('dataset_kwargs', '.data_files')}: no file {shown(place)}; a path starts at the folder of the "
            "task file"
        )
    return place


def _hub(found: LmTask, name: str) -> Source:
    return Source(uri=f"hub:{found.dataset}", config=found.config, splits={"test": name})


def _table(path: Path) -> Iterator[Mapping[str, Any]]:
    """Yield the rows of a CSV file with the types that `datasets` finds: it reads such files by pandas."""
    import pandas

    try:
        table = pandas.read_csv(path, encoding="utf-8")
    except (ValueError, pandas.errors.ParserError) as error:
        raise DataError(f"{shown(path)}: broken CSV: {' '.join(str(error).split())}; fix it") from error
    for row in table.to_dict("records"):
        yield {str(name): _python(value) for name, value in row.items()}


def _python(value: Any) -> Any:
    plain = value.item() if hasattr(value, "item") else value
    return None if isinstance(plain, float) and math.isnan(plain) else plain


def _alike(documents: Sequence[dict[str, Any]]) -> Sequence[Document]:
    """Return the documents with the same columns: None for a column that a document lacks, as in `datasets`."""
    columns = dict.fromkeys(name for document in documents for name in document)
    return [dict.fromkeys(columns) | document for document in documents]


def _values(found: LmTask, each: Asked) -> Mapping[str, Any]:
    """Return the columns of a document, and those that the task asks by."""
    own = {name: value for name, value in each.document.items() if not name.startswith("_")}
    values = {**own, lm_eval.ASKED: each.question}
    if found.output_type == "loglikelihood_rolling":
        return values
    values[lm_eval.BEFORE] = each.before
    values[lm_eval.REFERENCE] = each.references[0] if len(each.references) == 1 else list(each.references)
    if found.output_type == "multiple_choice":
        values[lm_eval.CHOICES] = list(each.choices)
        values[lm_eval.CONTINUATIONS] = list(each.continuations)
    return values
