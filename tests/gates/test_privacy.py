"""What leaves the machine of a source that shares scores alone: ids and numbers, no text."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

SUITE = """
tasks:
  - {name: t, source: {uri: 'file:.', columns: {id: id}, share: SHARE}, prompt: '$input', metrics: [f1], primary: f1}
models: [{name: a, uri: 'echo:copy'}, {name: b, uri: 'echo:upper'}]
weights: false
gates:
  - {adapter: base, min_value: 99}
  - {adapter: base, max_drop: 0.5, by: kind, against: kept.json}
  - {adapter: base, max_drop: 0.5, where: {kind: secret-kind-1}, against: kept.json}
"""
KINDS = [f"secret-kind-{n}" for n in (1, 2)]


def harness(folder: Path, *words: str, ci: str = "") -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "CI": ci, "GITHUB_ACTIONS": ""}
    return subprocess.run(
        [sys.executable, "-m", "harness", *words], cwd=folder, capture_output=True, text=True, env=environment
    )


@pytest.mark.slow
@pytest.mark.parametrize("share", ["scores", "text"])
def test_baseline_junit_comment_and_a_log_of_a_ci_hold_text_only_where_it_may_leave(
    tmp_path: Path, share: str
) -> None:
    rows = [
        {"id": f"s{n}", "input": f"secret question {n}", "reference": f"secret answer {n}", "kind": KINDS[n % 2]}
        for n in range(40)
    ]  # fmt: skip
    (tmp_path / "test.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    (tmp_path / "small.yaml").write_text(SUITE.replace("SHARE", share))
    harness(tmp_path, "run", "small.yaml", "--workers", "0", "--device", "cpu", "--out", "result")
    assert harness(tmp_path, "baseline", "result", "-o", "kept.json").returncode == 0
    worse = [{**row, "reference": "other words"} if n % 3 else row for n, row in enumerate(rows)]
    (tmp_path / "test.jsonl").write_text("".join(json.dumps(row) + "\n" for row in worse))
    words = ("gate", "result", "--junit", "gates.xml", "--comment", "comment.md")
    judged = harness(tmp_path, *words, ci="true")
    assert judged.returncode == 1, judged.stderr
    said = [judged.stdout, judged.stderr]
    said += [(tmp_path / name).read_text() for name in ("gates.xml", "comment.md", "kept.json")]
    found = [text for text in said if "secret" in text.lower()]
    assert bool(found) == (share == "text"), found
    assert "kind = secret-kind-1" in harness(tmp_path, *words).stdout  # the user's own terminal
