"""What more samples cost: memory that hardly grows."""

import json
import os
import random
import subprocess
import sys
from pathlib import Path

import pytest

FEW, MANY = 4_000, 16_000
BYTES_A_SAMPLE = 200_000_000 / 99_000  # "less than 200 MB more for 100,000 samples than for 1,000"

SUITE = """
tasks:
  - name: chats
    source: {uri: "file:data", columns: {id: id, input: dialogue, reference: summary}}
    prompt: "Sum up.\\n\\n$input\\n\\nSummary:"
    metrics: [exact]
    primary: exact
    shots: 2
    trivial: [lead-3]
models: [{name: copy, uri: "echo:copy"}]
weights: false
"""


def project(folder: Path, samples: int) -> Path:
    """A suite over so many test samples and as many of training, of some 100 words each."""
    (folder / "suites" / "data").mkdir(parents=True)
    (folder / "suites" / "long.yaml").write_text(SUITE)
    for split in ("train", "test"):
        chance = random.Random(split)
        with (folder / "suites" / "data" / f"{split}.jsonl").open("w") as file:
            for n in range(samples):
                words = [f"w{int(chance.paretovariate(0.7)) % 20_000}" for _ in range(100)]
                row = {"id": f"{split}-{n}", "dialogue": " ".join(words), "summary": " ".join(words[:15])}
                file.write(json.dumps(row) + "\n")
    return folder


def peak(folder: Path, *words: str) -> int:
    """Bytes of resident memory that the largest process of a command took."""
    process = subprocess.Popen(
        [sys.executable, "-m", "harness", *words],
        cwd=folder,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    assert process.returncode == 0
    return usage.ru_maxrss * 1024


@pytest.fixture(scope="module")
def projects(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    few, many = (project(tmp_path_factory.mktemp("growth"), samples) for samples in (FEW, MANY))
    return few, many


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="other systems count memory in other units")
def test_samples_stream_through_a_run_its_report_and_its_check(projects: tuple[Path, Path]) -> None:
    """All steps in one process, so that none can hold them unseen."""
    for words in (
        ("run", "long", "--device", "cpu", "--workers", "0", "--store", "store", "--out", "out"),
        ("report", "out"),
        ("verify", "out"),
    ):
        few, many = (peak(folder, *words) for folder in projects)
        assert many - few < BYTES_A_SAMPLE * (MANY - FEW), words
