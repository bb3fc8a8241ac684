"""The speed of this machine is measured once, and kept."""

import json
from dataclasses import asdict
from pathlib import Path

import pytest

from harness.files.speed import Speed, name_of, speed


@pytest.mark.slow
def test_a_speed_is_measured_once_and_read_from_its_file_afterwards(tmp_path: Path) -> None:
    path = tmp_path / "speed.json"
    first = speed(1, path)
    assert first.narrow > 1e8 and first.wide > 1e8 and first.stream > 1e7 and 0 < first.call < 1e-3
    assert speed(1, path) == first  # two measurements are never equal


def test_another_machine_or_number_of_threads_has_its_own_speed(tmp_path: Path) -> None:
    path = tmp_path / "speed.json"
    kept = Speed(thin=0.5, narrow=1.0, wide=2.0, stream=3.0, call=4.0)
    path.write_text(json.dumps({name_of(7): asdict(kept), "another machine": {"narrow": 9}}))
    assert speed(7, path) == kept
    assert speed(1, path) != kept
    assert set(json.loads(path.read_text())) == {name_of(7), name_of(1), "another machine"}


@pytest.mark.slow
def test_a_broken_file_or_a_folder_that_cannot_be_written_only_costs_a_measurement(tmp_path: Path) -> None:
    (tmp_path / "speed.json").write_text('["no speeds"')
    assert speed(1, tmp_path / "speed.json").narrow > 1e8
    assert speed(1, tmp_path / "nowhere" / "speed.json").narrow > 1e8
