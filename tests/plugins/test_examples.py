"""The examples of docs/extending.md work as they stand there."""

import json
import re
from pathlib import Path

import pytest

import harness as package
from harness import plugins
from tests.cli.words import harness

PAGE = Path(package.__file__).parents[1] / "docs" / "extending.md"


@pytest.mark.slow
def test_the_page_about_extending_runs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HARNESS_STORE", str(tmp_path / "store"))
    text = PAGE.read_text(encoding="utf-8")
    files = re.findall(r"```python\n# (\w+\.py)\n(.*?)```", text, re.DOTALL)
    assert [name for name, _ in files] == ["asks.py", "backwards.py"]
    for name, code in files:
        (tmp_path / name).write_text(code)
    suite = re.findall(r"```yaml\n# small.yaml\n(.*?)```", text, re.DOTALL)[0]
    (tmp_path / "small.yaml").write_text(suite)
    try:
        done = harness(
            capsys, "run", "small.yaml", "--workers", "0", "--device", "cpu", "--out", "R", "--quiet"
        )
    finally:
        plugins.use(())
    assert done.code == 0, done.err
    scores = json.loads((tmp_path / "R" / "result.json").read_text())["scores"]
    assert {score["metric"] for score in scores} == {"exact", "asks(at_end=true)"}
