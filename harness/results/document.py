"""Read and write result.json with digests of itself and of the files beside it, so that changes by hand are detected."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pydantic_core import from_json

from harness.digest import text_digest
from harness.errors import NotRegular, ResultError
from harness.files.json_lines import write_json
from harness.files.publishing import recovered
from harness.files.regular import LARGEST, file_digest, read_regular
from harness.files.zipped import unzipped_size
from harness.results.values import wrong_value

SCHEMA = 1
NAME = "result.json"
BESIDE = ("rows.parquet", "samples.jsonl.gz", "generations.jsonl.gz")


def write_document(folder: Path, document: Mapping[str, Any]) -> None:
    """Write result.json; the files beside it are in the folder already."""
    content = {key: value for key, value in document.items() if key not in ("files", "sizes", "digest")}
    zipped = [name for name in BESIDE if name.endswith(".gz") and (folder / name).is_file()]
    content["sizes"] = {name: unzipped_size(folder / name) for name in zipped}
    content["files"] = {name: file_digest(folder / name) for name in BESIDE if (folder / name).is_file()}
    write_json(folder / NAME, {**content, "digest": content_digest(content)})


def read_document(folder: Path, *, changed: bool = False) -> dict[str, Any]:
    """Return `result.json` as plain data; ResultError for a newer schema, or a change by hand unless `changed` allows it."""
    path = folder / NAME
    if folder.is_file():
        raise ResultError(f"{folder}: is a file; name the RESULT folder, which holds a result.json")
    if not folder.is_dir():
        recovered(folder)
    document = json_object(path, "a RESULT folder holds a result.json", "run the suite again")
    _refuse_bad_manifest(path, document)
    version = document.get("schema")
    if not isinstance(version, int) or version < 1:
        raise ResultError(f"{path}: no schema version; this is not a result of the harness")
    if version > SCHEMA:
        raise ResultError(f"{path}: schema {version}, this harness reads up to {SCHEMA}; update the harness")
    if not changed and not unchanged(document):
        raise ResultError(
            f"{path}: changed since it was written (its digest differs), so its numbers are not those that "
            "its sender's run found; ask for the folder again, or run the suite again if it is yours"
        )
    return document


def _refuse_bad_manifest(path: Path, document: Mapping[str, Any]) -> None:
    """Raise a ResultError for a manifest of the wrong shape."""
    manifest = document.get("manifest", {})
    if not isinstance(manifest, dict):
        raise ResultError(f"{path}: broken or changed by hand: manifest: found {repr(manifest)[:60]}")
    seed, times = manifest.get("seed"), manifest.get("rescored", [])
    if isinstance(seed, bool) or not isinstance(seed, int | None):
        raise ResultError(f"{path}: broken or changed by hand: manifest.seed: found {repr(seed)[:60]}")
    if not isinstance(times, list) or not all(map(_is_rescoring, times)):
        raise ResultError(f"{path}: broken or changed by hand: manifest.rescored: found {repr(times)[:60]}")


def _is_rescoring(time: object) -> bool:
    """Return whether an entry of `manifest.rescored` says which metrics each task got."""
    names = time.get("metrics") if isinstance(time, dict) else None
    return isinstance(names, dict) and all(
        isinstance(plugins, list) and all(isinstance(name, str) for name in plugins)
        for plugins in names.values()
    )


def recorded_size(path: Path) -> int:
    """Return the uncompressed bytes of a file of a RESULT when it was written; 0 if not recorded."""
    sizes = read_document(path.parent, changed=True).get("sizes")
    found = sizes.get(path.name) if isinstance(sizes, dict) else None
    return found if isinstance(found, int) else 0


def json_object(path: Path, missing: str, broken: str) -> dict[str, Any]:
    """Return a file's JSON object; `missing` and `broken` are the advice for a missing or broken file."""
    try:
        content = read_regular(path, LARGEST)
        if len(content) > LARGEST:
            size = path.stat().st_size
            raise ResultError(f"{path}: {size:,} bytes, at most {LARGEST:,} are read; {broken}")
        document = parsed(content)
        wrong = wrong_value(document)
    except NotRegular as error:
        raise ResultError(str(error)) from error
    except OSError as error:
        raise ResultError(f"{path}: {error.strerror}; {missing}") from error
    except (ValueError, RecursionError) as error:
        raise ResultError(f"{path}: not JSON ({error}); {broken}") from error
    if wrong:
        raise ResultError(f"{path}: {wrong}; {broken}")
    if not isinstance(document, dict):
        raise ResultError(f"{path}: found no JSON object; not a result of the harness")
    return document


def parsed(content: bytes) -> Any:
    """Parse JSON with pydantic's parser, in half the time of Python's; only the latter accepts halves of surrogate pairs."""
    try:
        return from_json(content)
    except ValueError:
        return json.loads(content)


def content_digest(document: Mapping[str, Any]) -> str:
    """Return the digest of a document without its own `digest`."""
    content = {key: value for key, value in document.items() if key != "digest"}
    return text_digest(json.dumps(content, sort_keys=True, ensure_ascii=False, separators=(",", ":")))


def unchanged(document: Mapping[str, Any]) -> bool:
    """Return whether a document is as it was written; an older document without a digest counts as unchanged."""
    return "digest" not in document or document["digest"] == content_digest(document)


def refuse_damaged(folder: Path, files: Mapping[str, str]) -> None:
    """Raise a ResultError if a file beside result.json is missing or changed."""
    if problems := check_files(folder, {"files": files}):
        raise ResultError(
            f"{problems[0]}; copy the RESULT again as a whole from where it was made, or run the suite again there"
        )


def check_files(folder: Path, document: Mapping[str, Any]) -> list[str]:
    """Return a sentence for each file beside result.json that is missing or changed."""
    files = document.get("files") or {}
    missing = [f"{folder / name}: the file is missing" for name in files if not (folder / name).is_file()]
    return missing + [
        f"{folder / name}: changed since it was written (its digest differs)"
        for name, digest in files.items()
        if (folder / name).is_file() and file_digest(folder / name) != digest
    ]
