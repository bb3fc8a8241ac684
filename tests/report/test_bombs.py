"""A RESULT from a stranger is refused in little memory where a few bytes stand for gigabytes."""

import gzip
import json
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pyarrow
import pytest
from pyarrow import parquet

from harness.errors import ResultError
from harness.files import zipped
from harness.results import json_lines, read
from harness.results.document import content_digest, recorded_size
from harness.results.rows import open_rows
from harness.verification import verify

MEMORY = 3_000_000_000  # bytes of addresses, which the libraries reserve freely; a bomb's line alone has 4 GB


def one_line(path: Path) -> None:
    """4 GB without an end of line, in some 4 MB: a gzip file may be many, one after the other."""
    piece = gzip.compress(b"a" * (1 << 20))
    path.write_bytes(gzip.compress(b'{"text": "') + piece * (1 << 12))


def equal_rows(path: Path) -> None:
    """2 million equal rows in some kilobytes."""
    rows = 1 << 21
    ids = pyarrow.DictionaryArray.from_arrays(np.zeros(rows, np.int8), ["x"]).cast("string")
    table = pyarrow.table(
        {
            "task": ids, "model": ids, "adapter": ids, "shots": np.zeros(rows, np.int32), "metric": ids,
            "sample_id": ids,
            "stats": pyarrow.ListArray.from_arrays(np.arange(rows + 1, dtype=np.int32), np.zeros(rows)),
        }
    )  # fmt: skip
    parquet.write_table(table, path, row_group_size=rows, compression="zstd")


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "bomb", "said"),
    [
        ("generations.jsonl.gz", one_line, "a line of more than 67,108,864 bytes"),
        ("samples.jsonl.gz", one_line, "a line of more than 67,108,864 bytes"),
        ("rows.parquet", equal_rows, "2,097,152 rows in"),
    ],
    ids=["generations", "samples", "rows"],
)
def test_a_bomb_is_one_line_on_the_terminal(
    example: Path, tmp_path: Path, name: str, bomb: Callable[[Path], None], said: str
) -> None:
    folder = tmp_path / "result"
    shutil.copytree(example, folder)
    bomb(folder / name)
    document = json.loads((folder / "result.json").read_bytes())
    document.pop("files", None)
    document["digest"] = content_digest(document)
    (folder / "result.json").write_text(json.dumps(document))
    program = (
        f"import resource; resource.setrlimit(resource.RLIMIT_AS, ({MEMORY}, {MEMORY}))\n"
        f"from harness.cli import main; import sys; sys.argv = ['harness', 'verify', {str(folder)!r}]; main()"
    )
    told = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert "Traceback" not in told.stderr
    assert told.returncode == 2, told.stderr
    assert said in " ".join(told.stderr.split())
    assert name in told.stderr


def test_many_short_lines_are_read_no_further_than_a_files_size_lets_expect(tmp_path: Path) -> None:
    path = tmp_path / "generations.jsonl.gz"
    path.write_bytes(gzip.compress(b'{"task": "x"}\n' * 215_000))
    limits = zipped.Limits(always=1 << 20, times=100)
    with pytest.raises(ResultError, match=r"generations\.jsonl\.gz: .* bytes hold more than 1,\d+,\d+"):
        list(zipped.read_zipped(path, lambda: 0, limits))
    assert len(list(zipped.read_zipped(path, lambda: 4_000_000, limits))) == 215_000
    assert len(list(json_lines(path))) == 215_000


@pytest.mark.slow
def test_a_result_records_what_its_files_hold(example: Path, tmp_path: Path) -> None:
    from harness.results.document import write_document

    folder = tmp_path / "result"
    shutil.copytree(example, folder)
    write_document(folder, json.loads((folder / "result.json").read_bytes()))
    for name in ("samples.jsonl.gz", "generations.jsonl.gz"):
        assert recorded_size(folder / name) == len(gzip.decompress((folder / name).read_bytes()))
    assert recorded_size(example / "samples.jsonl.gz") == 0  # an older one
    assert verify(folder) == verify(example)


def test_a_result_json_of_gigabytes_is_refused_unread(tmp_path: Path) -> None:
    with (tmp_path / "result.json").open("wb") as file:
        file.truncate(1 << 33)  # a hole in the file: no byte of it on the disk
    with pytest.raises(ResultError, match=r"result\.json: 8,589,934,592 bytes, at most"):
        read(tmp_path)


def test_rows_that_the_harness_writes_are_read(example: Path) -> None:
    with open_rows(example) as rows:
        assert rows.keys()
