"""With `share: scores` no command writes a text of the data into what may leave the machine, however it is escaped."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from harness.types import Sample
from tests.compare.conftest import BASE, TUNED, make, plain
from tests.report.leaks import leaks

MARKS = '<b class="x">5 & 6</b> ]]> äöü | \u202e{{ 7 }}'
SAMPLES = [
    Sample(
        id=f"sample-{i:02}",
        input=f"Why did Zoë\nhide letter {i}?\n{MARKS}",
        references=(f"The owl {i} wanted it hidden. {MARKS}",),
        metadata={"ward": f"North ward of {'Ulm' if i % 2 else 'Jena'} {MARKS}", "nurse": f"Nurse Ann{i // 4} {MARKS}"},
    )
    for i in range(40)
]  # fmt: skip
GATES = [
    {"adapter": "base", "metric": "f1", "min_value": 99},
    {"max_drop": 0.5, "against": "base"},
    {"max_worse_samples": {"drop": 1, "samples": 0}, "against": "out/baseline.json"},
    {"must_beat": True, "by": "ward"},
    {"must_beat": True, "where": {"ward": SAMPLES[0].metadata["ward"]}},
    {"min_value": 1, "where": {"nurse": "Nurse Ann99 of nobody's ward"}},
]


def right(i: int) -> str:
    return f"The owl {i} wanted it hidden. {MARKS}"


def wrong(i: int) -> str:
    return f"Nobody {i} knows, said the fox {MARKS}"


TEXTS = {
    text for i, one in enumerate(SAMPLES) for text in (one.input, right(i), wrong(i), *one.metadata.values())
}


def write(folder: Path, share: str) -> Path:
    """Everything that may leave the machine, in the folder that is given back."""

    def gated(document: dict[str, object]) -> None:
        document["suite"]["gates"] = GATES  # type: ignore[index]

    task = {"share": share, "cluster": "nurse", "trivial": []}
    before = plain(samples=SAMPLES, answers={BASE: right, TUNED: right}, task=task)
    make(folder / "before", before)
    made = plain(samples=SAMPLES, answers={BASE: right, TUNED: wrong}, task=task, edit=gated)
    make(folder / "result", made)
    out = folder / "out"
    out.mkdir()
    told = {"GITHUB_ACTIONS": "true", "GITHUB_STEP_SUMMARY": str(out / "summary.md")}

    def harness(name: str, *words: str, code: int = 0) -> None:
        done = subprocess.run(
            [sys.executable, "-m", "harness", *words],
            cwd=folder, capture_output=True, text=True, env={**os.environ, **told},
        )  # fmt: skip
        assert done.returncode == code, (name, done.stderr)
        (out / f"{name}.txt").write_text(done.stdout + done.stderr)

    harness("baseline", "baseline", "before", "-o", "out/baseline.json", "--metric", "*")
    harness("gate", "gate", "result", "--junit", "out/junit.xml", "--comment", "out/comment.md", code=5)
    both = ("before#base+tuned", "result#base+tuned", "--samples", "9")
    harness("compare", "compare", *both, "--markdown", "out/compare.md")
    harness("compare_json", "compare", *both, "--json")
    harness("shareable", "report", "result", "--shareable", "-o", "out/copy")
    boards = [word for kind in ("html", "md", "csv") for word in ("-o", f"out/board.{kind}")]
    harness("leaderboard", "leaderboard", "result", "--no-verify", *boards)
    harness("card", "card", "result", "--model", "base", "--adapter", "tuned", "-o", "out/README.md")
    for kind in ("csv", "parquet", "tensorboard"):
        harness(kind, "export", "result", "--to", kind, "-o", f"out/{kind}")
    return out


@pytest.mark.slow
def test_no_text_of_the_data_is_in_anything_that_may_leave(tmp_path: Path) -> None:
    out = write(tmp_path, "scores")
    assert leaks(out, TEXTS) == set()
    for name in ("comment.md", "junit.xml", "summary.md", "compare.md"):  # ids may be told
        assert "sample-0" in (out / name).read_text(), name


@pytest.mark.slow
def test_where_texts_may_be_shared_the_same_search_finds_them(tmp_path: Path) -> None:
    """Else the test above would hold of anything."""
    found = {name for name, _ in leaks(write(tmp_path, "text"), TEXTS)}
    gates = {"gate.txt", "comment.md", "junit.xml", "summary.md", "baseline.json"}
    assert gates <= found
    assert {"compare.md", "compare.txt", "compare_json.txt"} <= found
    assert {"generations.csv", "generations.parquet", "report.html", "generations.jsonl.gz"} <= found
