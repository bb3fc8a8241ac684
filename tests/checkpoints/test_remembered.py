"""What is kept of files between runs, and when it is read again."""

import os
import time
from pathlib import Path

from harness.checkpoints.remembered import Remembered


def test_a_file_is_digested_once_while_it_stays_as_it_is(tmp_path: Path) -> None:
    path = tmp_path / "data"
    path.write_bytes(b"one")
    os.utime(path, ns=(1_000_000_000, 1_000_000_000))
    remembered = Remembered()
    digest = remembered.file_digest(path)
    remembered.digests[str(path)] = (*remembered.digests[str(path)][:3], "remembered")
    assert remembered.file_digest(path) == "remembered"
    path.write_bytes(b"two")
    os.utime(path, ns=(1_000_000_000, 2_000_000_000))
    assert remembered.file_digest(path) not in ("remembered", digest)


def test_a_file_just_written_is_not_remembered(tmp_path: Path) -> None:
    path = tmp_path / "data"
    path.write_bytes(b"one")
    remembered = Remembered()
    remembered.file_digest(path)
    assert remembered.digests == {}


def test_a_file_that_was_just_written_when_a_long_reading_began_is_not_remembered(tmp_path: Path) -> None:
    """By the end of reading 14 GB every file is old."""

    class Slow(type(tmp_path)):  # type: ignore[misc]
        def open(self, *words: object, **more: object) -> object:
            time.sleep(2.1)
            return super().open(*words, **more)

    (tmp_path / "weights").write_bytes(b"one")
    remembered = Remembered()
    remembered.file_digest(Slow(tmp_path / "weights"))
    assert remembered.digests == {}
