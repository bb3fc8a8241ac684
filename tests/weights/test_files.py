import csv
from dataclasses import replace
from pathlib import Path

import pyarrow.parquet as parquet
import pytest

from harness.errors import HarnessError
from harness.types import Density, WeightRow
from harness.weights.files import check_writable, write_csv, write_parquet

ROWS = [
    WeightRow(
        model="m", adapter=None, part="W", layer="a, b", role="q", status="analysed", rows=3, cols=4,
        eigenvalues=3, numbers={"alpha": 2.5}, density=Density(low=-1.0, high=1.0, counts=(1, 0, 2)),
    ),
    WeightRow(
        model="m", adapter="x", part="delta", layer="c", role="k", status="failed: it is torn", rows=3, cols=4,
        eigenvalues=2, numbers={"norm": 1.0, "reliable": 0.0},
    ),
]  # fmt: skip


def test_csv_has_a_column_for_each_number_and_leaves_empty_what_is_not_there(tmp_path: Path) -> None:
    write_csv(ROWS, tmp_path / "w.csv")
    with (tmp_path / "w.csv").open(newline="") as file:
        first, second = csv.DictReader(file)
    assert (first["layer"], first["adapter"], first["alpha"], first["norm"]) == ("a, b", "", "2.5", "")
    assert (second["status"], second["alpha"], second["reliable"]) == ("failed: it is torn", "", "0.0")


def test_a_layers_name_from_a_strangers_file_is_no_formula(tmp_path: Path) -> None:
    write_csv([replace(ROWS[0], layer="=1+1")], tmp_path / "w.csv")
    with (tmp_path / "w.csv").open(newline="") as file:
        assert [row["layer"] for row in csv.DictReader(file)] == ["'=1+1"]


def test_parquet_keeps_types_and_histograms(tmp_path: Path) -> None:
    write_parquet(ROWS, tmp_path / "w.parquet")
    first, second = parquet.read_table(tmp_path / "w.parquet").to_pylist()
    assert first["density"] == {"low": -1.0, "high": 1.0, "counts": [1, 0, 2]}
    assert (first["alpha"], first["norm"], first["rows"], first["adapter"]) == (2.5, None, 3, None)
    assert (second["density"], second["norm"]) == (None, 1.0)


def test_where_nothing_can_be_written_it_is_said_in_a_line(tmp_path: Path) -> None:
    check_writable(tmp_path / "new.csv", "--csv")
    with pytest.raises(HarnessError, match="is a folder"):
        check_writable(tmp_path, "--csv")
    with pytest.raises(HarnessError, match="there is no folder"):
        check_writable(tmp_path / "no" / "w.csv", "--csv")
