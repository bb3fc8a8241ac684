"""Hundreds of files that are almost right: each command that reads them answers with a line, and soon.

Inputs follow from a seed: HARNESS_FUZZ_SEED=7 tries others, HARNESS_FUZZ_INPUTS=2000 more (`make fuzz`).
"""

import gzip
import json
import os
import shutil
import signal
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from copy import deepcopy
from pathlib import Path
from random import Random
from types import FrameType
from typing import Any

import pytest

from harness.files import shipped
from tests.cli.project import make
from tests.cli.words import exit_code

pytestmark = [pytest.mark.slow, pytest.mark.timeout(1800)]

SEED = int(os.environ.get("HARNESS_FUZZ_SEED", "0"))
INPUTS = int(os.environ.get("HARNESS_FUZZ_INPUTS", "300"))
PARTS = 4  # that the inputs are shared among, for tests that run side by side
SECONDS = 20  # of the processor, within which a command has to answer
WAITED = 200  # seconds by the clock: a command that waits for ever uses no processor

# Values that stand where another was.
ODD: list[Any] = [
    None, True, "", "x", -1, 0, 0.5, 10**30, 10**400, 1e300, float("nan"), float("inf"), [], {}, [[]], [None],
    {"": ""}, "\ud800", "[/x]", "../../x", "\x1b[2J", "x" * 5_000, ["a", "a"], [{"role": "user"}],
    "$", "{{", "$input $input",
]  # fmt: skip
ODD_TEXT = [
    "9" * 5_000,
    "1e999",
    "[" * 2_000,
    "\x00",
    "\ufeff",
    "&a",
    "*a",
    "!!python/x y",
    "%",
    "- - -",
    "'",
    '"',
    ": :",
    "\t",
    "<<: 1",
]

# What is spoilt, and the commands that read it.
RESULT = [
    "verify R", "gate R", "compare R#first R#copy", "compare R#first R#copy --samples 2", "leaderboard R -o out.csv",
    "rescore R --metric f1 --out R2", "card R --model first --adapter mine -o card.md", "export R --to csv -o tables",
    "baseline R -o out.json", "check small.yaml --result R --store S", "report R --quiet",
]  # fmt: skip
TARGETS: dict[str, list[str]] = {
    "small.yaml": ["check small.yaml --store S", "plan small.yaml --device cpu --store S"],
    "suites/tasks/one.yaml": [
        "check suites/tasks/one.yaml --store S", "show suites/tasks/one.yaml --model echo:copy --store S",
    ],
    "adapters/short.yaml": ["check adapters/short.yaml --store S"],
    "rules.yaml": ["gate R --rules rules.yaml"],
    "base.json": ["gate R --baseline base.json", "gate R --baseline base.json --rules drops.yaml"],
    "data/test.jsonl": ["check small.yaml --store S", "show suites/tasks/one.yaml --model echo:copy --store S"],
    "tables/test.json": ["check tables.yaml --store S"],
    "tables/test.csv": ["check tables.yaml --store S"],
    "tables/test.parquet": ["check tables.yaml --store S"],
    "R/result.json": RESULT,
    "R/verdicts.json": ["gate R", "report R --quiet"],
    "R/rows.parquet": RESULT,
    "R/generations.jsonl.gz": RESULT,
    "R/samples.jsonl.gz": RESULT,
    "adapter/adapter_config.json": ["check small.yaml --store S", "plan small.yaml --device cpu --store S"],
    "adapter/adapter_model.safetensors": ["check small.yaml --store S"],
    "model/config.json": ["check model.yaml --store S", "plan model.yaml --device cpu --store S"],
    "model/tokenizer_config.json": ["check model.yaml --store S"],
    "model/model.safetensors": ["check model.yaml --store S"],
    "S/harness-store.json": ["store ls --store S", "plan small.yaml --device cpu --store S"],
    "S/digests.json": ["check small.yaml --store S"],
}  # fmt: skip
SELDOM = {"report": 12, "export": 4, "card": 4}


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    here = tmp_path_factory.mktemp("made")
    make(here)
    (here / "drops.yaml").write_text("gates: [{max_drop: 5}]\n")
    (here / "tables").mkdir()
    (here / "tables.yaml").write_text((here / "small.yaml").read_text().replace("file:data", "file:tables"))
    model = shipped.zoo_folder("llama2-tiny")
    (here / "model").mkdir()
    for name in ("config.json", "tokenizer_config.json", "tokenizer.json", "special_tokens_map.json"):
        shutil.copyfile(model / name, here / "model" / name)
    with (model / "model.safetensors").open("rb") as file:
        length = int.from_bytes(file.read(8), "little")
        header = file.read(length)
    (here / "model" / "model.safetensors").write_bytes(length.to_bytes(8, "little") + header + b"\0" * 1_000)
    suite = (here / "small.yaml").read_text().partition("adapters:")[0]
    (here / "model.yaml").write_text(suite.replace('uri: "echo:copy"', 'uri: "file:model"'))
    return here


def spoil(path: Path, random: Random) -> None:
    """Write a file that is almost the one that was there."""
    content = path.read_bytes()
    ways: list[Callable[[bytes, Random], bytes]] = [_flip, _cut, _double, _insert]
    if path.suffix in (".json", ".jsonl", ".yaml", ".csv"):
        ways += [_replace_a_word, _replace_a_word]
    if path.suffix == ".json":
        ways += [_replace_a_value] * 6
    if path.suffix == ".jsonl":
        ways += [_replace_in_a_line] * 4
    if path.suffix == ".yaml":
        ways += [_replace_in_yaml] * 6
    if path.suffix == ".gz":
        ways += [_replace_in_gzip] * 6
    if path.suffix == ".parquet":
        ways += [_replace_a_column] * 3
    if path.suffix == ".safetensors":
        ways += [_replace_in_header] * 4
    path.write_bytes(random.choice(ways)(content, random))


def _span(content: bytes, random: Random) -> tuple[int, int]:
    start = random.randrange(len(content) + 1)
    return start, min(len(content), start + random.choice((1, 1, 2, 8, 100, 5_000)))


def _flip(content: bytes, random: Random) -> bytes:
    spoilt = bytearray(content)
    for _ in range(random.choice((1, 1, 3, 30))):
        if spoilt:
            spoilt[random.randrange(len(spoilt))] = random.choice((0, 10, 34, 255, random.randrange(256)))
    return bytes(spoilt)


def _cut(content: bytes, random: Random) -> bytes:
    start, stop = _span(content, random)
    return content[:start] + random.choice((b"", content[stop:]))


def _double(content: bytes, random: Random) -> bytes:
    start, stop = _span(content, random)
    return content[:stop] + content[start:]


def _insert(content: bytes, random: Random) -> bytes:
    start, _ = _span(content, random)
    return content[:start] + random.choice(ODD_TEXT).encode() + content[start:]


def _replace_a_word(content: bytes, random: Random) -> bytes:
    words = content.decode("utf-8", "surrogateescape").split(" ")
    odd = random.choice([*ODD_TEXT, *(json.dumps(one) for one in ODD)])
    words[random.randrange(len(words))] = odd
    return " ".join(words).encode("utf-8", "surrogateescape")


def _places(value: Any, way: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    yield way
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, one in inner:
        yield from _places(one, (*way, key))


def _changed(value: Any, random: Random) -> Any:
    """The value with one that lies in it replaced, left out or given twice."""
    way = random.choice(list(_places(value)))
    if not way:
        return deepcopy(random.choice(ODD))
    held = value
    for key in way[:-1]:
        held = held[key]
    match random.randrange(5):
        case 0 if isinstance(held, dict):
            del held[way[-1]]
        case 1 if isinstance(held, dict):
            held[str(random.choice(ODD))] = deepcopy(held[way[-1]])
        case 2 if isinstance(held, list):
            held.insert(way[-1], deepcopy(held[way[-1]]))
        case _:
            held[way[-1]] = deepcopy(random.choice(ODD))
    return value


def _replace_a_value(content: bytes, random: Random) -> bytes:
    value = json.loads(content)
    for _ in range(random.choice((1, 1, 1, 3))):
        value = _changed(value, random)
    if isinstance(value, dict) and random.random() < 0.8:  # as an older harness wrote it, without digests
        value.pop("digest", None)
        value.pop("files", None)
    return json.dumps(value).encode()


def _replace_in_a_line(content: bytes, random: Random) -> bytes:
    lines = content.splitlines()
    if not lines:
        return content
    number = random.randrange(len(lines))
    lines[number] = json.dumps(_changed(json.loads(lines[number]), random)).encode()
    return b"\n".join(lines) + b"\n"


def _replace_in_yaml(content: bytes, random: Random) -> bytes:
    from ruamel.yaml import YAML

    value = YAML(typ="safe", pure=True).load(content.decode())
    for _ in range(random.choice((1, 1, 1, 3))):
        value = _changed(value, random)
    return json.dumps(value).encode()  # which is YAML too


def _replace_in_gzip(content: bytes, random: Random) -> bytes:
    return gzip.compress(
        random.choice((_replace_in_a_line, _flip, _cut, _insert))(gzip.decompress(content), random)
    )


def _replace_a_column(content: bytes, random: Random) -> bytes:
    import pyarrow
    from pyarrow import parquet

    table = parquet.read_table(pyarrow.BufferReader(content))
    number = random.randrange(table.num_columns)
    odd = random.choice(
        ([None], [1], ["x"], [[1.0]], [[float("nan")]], [{"a": 1}], [b"\xff"], [[None]], [[["x"]]])
    )
    column = pyarrow.array(odd * table.num_rows)
    name = table.column_names[number]
    table = random.choice(
        (table.set_column(number, name, column), table.drop_columns([name]), table.slice(1))
    )
    sink = pyarrow.BufferOutputStream()
    parquet.write_table(table, sink)
    return bytes(sink.getvalue())


def _replace_in_header(content: bytes, random: Random) -> bytes:
    length = int.from_bytes(content[:8], "little")
    header = json.dumps(_changed(json.loads(content[8 : 8 + length]), random)).encode()
    said = random.choice((len(header), len(header), len(header) + 1, 2**62))
    return said.to_bytes(8, "little") + header + content[8 + length :]


class TooLong(BaseException):
    """A command did not answer in time."""


@contextmanager
def deadline() -> Iterator[None]:
    def late(number: int, frame: FrameType | None) -> None:
        raise TooLong("".join(traceback.format_stack(frame)[-4:]))

    clocks = {
        signal.ITIMER_PROF: (signal.SIGPROF, SECONDS),
        signal.ITIMER_REAL: (signal.SIGALRM, WAITED),
    }
    before = {name: signal.signal(name, late) for name, _ in clocks.values()}
    for clock, (_, seconds) in clocks.items():
        signal.setitimer(clock, seconds)
    try:
        yield
    finally:
        for clock in clocks:
            signal.setitimer(clock, 0)
        for name, handler in before.items():
            signal.signal(name, handler)


def commands(name: str, random: Random) -> list[str]:
    return [one for one in TARGETS[name] if random.random() < 1 / SELDOM.get(one.split()[0], 1)]


@pytest.mark.parametrize("part", range(PARTS))
def test_files_that_are_almost_right_get_a_line(
    made: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], part: int
) -> None:
    unsound: dict[str, str] = {}
    monkeypatch.setenv("HARNESS_TRACEBACK", "1")
    for number in range(part, INPUTS, PARTS):
        random = Random(f"{SEED}-{number}")
        name = random.choice(list(TARGETS))
        here = tmp_path / str(number)
        shutil.copytree(made, here, ignore=_not_needed_for(name))
        monkeypatch.chdir(here)
        if name.startswith("tables/"):
            _write_table(here / name)
        spoil(here / name, random)
        for command in commands(name, random):
            try:
                with deadline():
                    code = exit_code(command.split())
            except TooLong as late:
                code, where = -1, str(late)
            said = capsys.readouterr()
            if code in range(6) and not any(mark in said.err for mark in ("Traceback", "error: unexpected")):
                continue
            where = _told(said.err) if code != -1 else where
            kind = f"{command.split()[0]} {name}: {where.strip().splitlines()[-1][:120] if where.strip() else code}"
            unsound.setdefault(kind, f"input {number}: {command}: exit {code}\n{where}")
        monkeypatch.chdir(tmp_path)
        shutil.rmtree(here)
    assert not unsound, "\n\n".join(f"{kind}\n{more}" for kind, more in unsound.items())


def _not_needed_for(name: str) -> Callable[[str, list[str]], set[str]]:
    """What no command reads that is asked of a file, and a report's pages, which are drawn again."""

    def ignored(folder: str, names: list[str]) -> set[str]:
        model = set() if name.startswith("model/") else {"model"}
        pages = {"charts", "samples", "report.html", "report.md"} if Path(folder).name == "R" else set()
        return (model | pages) & {*names}

    return ignored


def _told(said: str) -> str:
    """The end of a traceback: where in the harness, and what."""
    lines = said.splitlines()
    places = [line for line in lines if line.startswith('  File "') and "/harness/" in line]
    return "\n".join([*places[-4:], *(line[:300] for line in lines[-2:])])


def _write_table(path: Path) -> None:
    """The data as another kind of file."""
    import pyarrow
    from pyarrow import csv, parquet

    rows = [
        json.loads(line) for line in (path.parent.parent / "data" / "test.jsonl").read_text().splitlines()
    ]
    match path.suffix:
        case ".json":
            path.write_text(json.dumps(rows))
        case ".csv":
            csv.write_csv(pyarrow.Table.from_pylist(rows), path)
        case ".parquet":
            parquet.write_table(pyarrow.Table.from_pylist(rows), path)
