"""A working folder in which plug-ins can be installed, and checkpoints that any suite can name."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from harness import plugins


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A working folder with data; what is installed into `installed` is found."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HARNESS_STORE", str(tmp_path / "store"))
    monkeypatch.syspath_prepend(str(tmp_path / "installed"))
    plugins._entry_points.cache_clear()
    (tmp_path / "data").mkdir()
    for split, count in (("train", 8), ("validation", 4), ("test", 4)):
        rows = [{"input": f"Ben meets Anna {split} {n}", "reference": f"Anna {n}"} for n in range(count)]
        (tmp_path / "data" / f"{split}.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    yield tmp_path
    plugins._entry_points.cache_clear()
