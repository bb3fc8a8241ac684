"""Logs of Inspect: the files NAME.eval that `inspect eval` writes, without Inspect being installed.

A log has one task and one model. The score of each scorer is kept as Inspect gave it; `exact` and `f1` are computed again.
If a task has several epochs, each epoch is a sample, and the epochs of one sample are resampled together.
"""

import json
import struct
import zlib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any
from zipfile import BadZipFile, ZipFile, ZipInfo

from harness.digest import text_digest
from harness.errors import DataError
from harness.imports import (
    NOT_IMPORTED,
    GivenScore,
    ImportedAnswers,
    ImportedTask,
    ImportOptions,
    distinct,
    imported_file,
    number,
)
from harness.results import ModelFacts
from harness.types import Finish, Generation, Note, Sample, System

OPTIONS = ()

HEADER = "header.json"
ZSTD = 93  # the compression of today's logs, which Python's zipfile does not know before 3.14
LOCAL = struct.Struct("<26xHH")  # of an entry's own header: the lengths of its name and of what follows that
LARGEST = 1 << 26  # bytes of one entry
# What a scorer's letters and words are worth, as Inspect's value_to_float has them.
WORTH = {"C": 1.0, "P": 0.5, "I": 0.0, "N": 0.0, "yes": 1.0, "true": 1.0, "no": 0.0, "false": 0.0}
ALIKE = {"exact": "exact", "f1": "f1"}  # scorer -> our plug-in and score
CENTRES = ("accuracy", "mean")  # metrics of a scorer that are its mean
FIRST = 5  # samples that a note names


def read(place: Path, options: ImportOptions) -> Iterator[ImportedAnswers]:
    """Yield the answers of the log, if it has any."""
    if place.is_dir():
        raise DataError(f"{place}: found a folder; name its logs: {place / '*.eval'}")
    try:
        with ZipFile(place) as log:
            yield _answers(place, log)
    except BadZipFile as error:
        raise DataError(
            f"{place}: is no zip file, as NAME.eval is; write logs with `inspect eval --log-format eval`"
        ) from error
    except OSError as error:
        raise DataError(
            f"{place}: cannot be read: {error.strerror or error}; name a file NAME.eval"
        ) from error


def _answers(place: Path, log: ZipFile) -> ImportedAnswers:
    names = {info.filename: info for info in log.infolist()}
    if HEADER not in names:
        what = (
            "an unfinished log"
            if any(name.startswith("_journal/") for name in names)
            else "no log of Inspect"
        )
        raise DataError(f"{place}: found no {HEADER} in it, so it is {what}; name a log of a run that ended")
    header = _entry(place, log, names[HEADER])
    facts = _mapping(header.get("eval"), f"{place}: {HEADER}: eval")
    if header.get("status") != "success":
        raise DataError(
            f"{place}: the run ended with status {str(header.get('status'))[:20]!r}; finish it with `inspect eval-retry`"
        )
    entries = [info for name, info in names.items() if name.startswith("samples/") and name.endswith(".json")]
    if not entries:
        raise DataError(f"{place}: found no samples in it; run `inspect eval` without --no-log-samples")
    epochs = _epochs(facts)
    order = {
        str(name): at
        for at, name in enumerate(_mapping(facts.get("dataset") or {}, "").get("sample_ids") or ())
    }
    read_samples = [_mapping(_entry(place, log, info), f"{place}: {info.filename}") for info in entries]
    read_samples.sort(
        key=lambda each: (order.get(str(each.get("id")), len(order)), int(each.get("epoch") or 1))
    )
    failed = [each for each in read_samples if each.get("error") or not each.get("scores")]
    pairs = [_pair(place, each, epochs) for each in read_samples if each not in failed]
    if not pairs:
        raise DataError(f"{place}: found no sample with a score; score them with `inspect score`")
    samples = tuple(sample for sample, _ in pairs)
    distinct(str(place), samples)
    task, model = str(facts.get("task") or place.stem), str(facts.get("model") or "model")
    system = System(model=model.rpartition("/")[2] or model)
    given, notes = _given(header, task, [answer for _, answer in pairs])
    if failed:
        notes.append(
            Note(
                kind=NOT_IMPORTED,
                where=f"{task}, {system}",
                count=len(failed),
                of=len(read_samples),
                detail="samples that ended with an error, or have no score",
                samples=tuple(str(each.get("id")) for each in failed[:FIRST]),
            )
        )
    packages = facts.get("packages")
    versions = {str(name): str(version) for name, version in (packages or {}).items()}
    return ImportedAnswers(
        where=str(place),
        file=imported_file(
            place, f"inspect-ai {versions.get('inspect_ai', '')}".strip(), str(facts.get("created") or "")
        ),
        task=ImportedTask(
            name=task,
            about=f"Task {task} of Inspect.",
            source=str(_mapping(facts.get("dataset") or {}, "").get("name") or ""),
            cluster="sample" if epochs > 1 else None,
        ),
        system=system,
        model=ModelFacts(name=system.model, uri=f"hub:{model[3:]}" if model.startswith("hf/") else ""),
        samples=samples,
        answers=tuple(answer for _, answer in pairs),
        given=given,
        libraries=versions,
        notes=tuple(notes),
    )


# The zip file.


def _entry(place: Path, log: ZipFile, info: ZipInfo) -> dict[str, Any]:
    """Return the JSON object of an entry."""
    where = f"{place}: {info.filename}"
    if info.file_size > LARGEST:
        raise DataError(f"{where}: holds {info.file_size:,} bytes; the most that is read is {LARGEST:,}")
    try:
        content = _zstd(place, info) if info.compress_type == ZSTD else log.read(info)
        found = json.loads(content)
    except (
        OSError,
        ValueError,
        RecursionError,
        BadZipFile,
        NotImplementedError,
        struct.error,
        zlib.error,
    ) as error:
        reason = str(error).partition("\n")[0]
        raise DataError(f"{where}: cannot be read: {reason}; copy the log again") from error
    return dict(_mapping(found, where))


def _zstd(place: Path, info: ZipInfo) -> bytes:
    """Return the content of an entry that is compressed by Zstandard."""
    import pyarrow

    with place.open("rb") as file:
        file.seek(info.header_offset)
        name, more = LOCAL.unpack(file.read(LOCAL.size))
        file.seek(name + more, 1)
        packed = file.read(info.compress_size)
    with pyarrow.input_stream(pyarrow.BufferReader(packed), compression="zstd") as stream:
        content: bytes = stream.read(info.file_size + 1)
    if len(content) != info.file_size:
        raise ValueError(f"found {len(content):,} bytes in place of {info.file_size:,}")
    if zlib.crc32(content) != info.CRC:
        raise ValueError("its checksum is another one")
    return content


def _mapping(value: object, where: str) -> Mapping[str, Any]:
    if isinstance(value, Mapping):
        return value
    raise DataError(f"{where}: found {repr(value)[:40]} in place of an object; copy the log again")


# Samples.


def _epochs(facts: Mapping[str, Any]) -> int:
    config = facts.get("config")
    count = config.get("epochs") if isinstance(config, Mapping) else None
    return count if isinstance(count, int) else 1


def _pair(place: Path, found: Mapping[str, Any], epochs: int) -> tuple[Sample, Generation]:
    where = f"{place}: sample {str(found.get('id'))!r}"
    for key in ("id", "input", "target", "output"):
        if found.get(key) is None:
            raise DataError(f"{where}: no {key}; copy the log again")
    name = str(found["id"])
    target = found["target"]
    metadata = {
        str(key): str(value)
        for key, value in (found.get("metadata") or {}).items()
        if isinstance(value, str | int | float)
    }
    whole = name if epochs == 1 else f"{name} (epoch {found.get('epoch')})"
    asked = _asked(found["input"])
    output = _mapping(found["output"], f"{where}: output")
    usage = output.get("usage") if isinstance(output.get("usage"), Mapping) else {}
    sample = Sample(
        id=whole,
        input=asked,
        references=tuple(map(str, target)) if isinstance(target, list) else (str(target),),
        choices=tuple(map(str, found.get("choices") or ())),
        metadata=metadata | ({"sample": name} if epochs > 1 else {}),
    )
    return sample, Generation(
        sample_id=whole,
        text=str(output.get("completion") or ""),
        prompt_tokens=_count(usage, "input_tokens"),
        output_tokens=_count(usage, "output_tokens"),
        finish=_finish(output),
        prompt_digest=text_digest(asked),
        given=dict(_numbers(found)),
    )


def _asked(given: object) -> str:
    """Return the question: a text, or the messages of a conversation."""
    if isinstance(given, str):
        return given
    messages = given if isinstance(given, list) else []
    return "\n".join(
        f"{each.get('role')}: {_content(each.get('content'))}"
        for each in messages
        if isinstance(each, Mapping)
    )


def _content(content: object) -> str:
    parts = content if isinstance(content, list) else [{"text": content}]
    return "".join(str(part.get("text") or "") for part in parts if isinstance(part, Mapping))


def _count(usage: Any, key: str) -> int:
    value = usage.get(key)
    return value if isinstance(value, int) and value >= 0 else 0


def _finish(output: Mapping[str, Any]) -> Finish:
    choices = output.get("choices")
    first = choices[0] if isinstance(choices, list) and choices else None
    reason = first.get("stop_reason") if isinstance(first, Mapping) else None
    return "length" if reason in ("max_tokens", "model_length") else "stop"


def _numbers(found: Mapping[str, Any]) -> Iterator[tuple[str, float]]:
    """Yield each scorer with its score as a number; of a scorer with several scores, each by `scorer/name`."""
    for scorer, score in (found.get("scores") or {}).items():
        value = score.get("value") if isinstance(score, Mapping) else None
        parts = value.items() if isinstance(value, Mapping) else [("", value)]
        for part, each in parts:
            if (worth := _worth(each)) is not None:
                yield f"{scorer}/{part}" if part else str(scorer), worth


def _worth(value: object) -> float | None:
    if isinstance(value, str):
        try:
            return (
                WORTH[value]
                if value in WORTH
                else WORTH[value.lower()]
                if value.lower() in WORTH
                else float(value)
            )
        except ValueError:
            return None
    return number(value)


# Scores.


def _given(
    header: Mapping[str, Any], task: str, answers: list[Generation]
) -> tuple[tuple[GivenScore, ...], list[Note]]:
    values = dict(_values(header))
    names = dict.fromkeys(name for answer in answers for name in answer.given)
    kept = [name for name in names if all(name in answer.given for answer in answers)]
    notes = [
        Note(
            kind=NOT_IMPORTED,
            where=task,
            count=sum(name not in answer.given for answer in answers),
            of=len(answers),
            detail=f"{name} is not kept: some answers have no number of it",
        )
        for name in names
        if name not in kept
    ]
    scores = tuple(
        GivenScore(
            name=name,
            value=values.get(name),
            metric=ALIKE.get(name),
            score=ALIKE.get(name, ""),
            scale=100.0,
        )
        for name in kept
    )
    return scores, notes


def _values(header: Mapping[str, Any]) -> Iterator[tuple[str, float]]:
    """Yield the mean of each scorer over all samples."""
    results = header.get("results")
    for score in (results.get("scores") if isinstance(results, Mapping) else None) or ():
        metrics = score.get("metrics") if isinstance(score, Mapping) else None
        for centre in CENTRES:
            metric = metrics.get(centre) if isinstance(metrics, Mapping) else None
            value = number(metric.get("value")) if isinstance(metric, Mapping) else None
            if value is not None:
                yield str(score.get("name")), value
                break
