"""An adapter that is asked otherwise than it was trained: `check` says so before the run, and the RESULT after it."""

import json
import shutil
from pathlib import Path

import pytest

from harness.checkpoints.adapter import WEIGHTS
from harness.checkpoints.folder import ADAPTER_RECORD
from harness.files.regular import file_digest
from harness.files.shipped import zoo_folder
from tests.cli.words import harness

pytestmark = pytest.mark.slow

SUITE = """
tasks:
  - name: chats
    source: {{uri: "file:data", columns: {{input: dialogue, reference: summary}}}}
    prompt: {prompt}
    decode: {{max_new_tokens: 2}}
    metrics: [exact]
    primary: exact
models: [{{name: tiny, uri: "file:model"{chat}}}]
weights: false
"""
TRAINED = """
recipes: [{name: small, rank: 2, steps: 1, batch_size: 2, max_tokens: 64, validation_samples: 0}]
train_on: [chats]
"""
GIVEN = """
adapters: [{name: mine, base: tiny, uri: "file:adapter"}]
"""
TEMPLATE = "{% for message in messages %}[{{ message.role }}] {{ message.content }} {% endfor %}[answer]"


def run(
    here: Path,
    capsys: pytest.CaptureFixture[str],
    words: str,
    more: str,
    prompt: str = "Sum up: $input",
    chat: str = "",
) -> str:
    """Return what the command says, or the notes of its RESULT, of adapters that are asked otherwise."""
    (here / "small.yaml").write_text(SUITE.format(prompt=json.dumps(prompt), chat=chat) + more)
    if words == "check":
        done = harness(capsys, "check", "small.yaml", "--device", "cpu")
        assert done.code == 0, done.err
        return " | ".join(line for line in done.out.splitlines() if "adapter mine: trained" in line)
    done = harness(capsys, "run", "small.yaml", "--workers", "0", "--device", "cpu", "--out", "R")
    assert done.code == 0, done.err
    notes = json.loads((here / "R" / "result.json").read_text())["notes"]
    return " | ".join(
        f"{note['where']}: {note['detail']}" for note in notes if note["kind"] == "asked otherwise"
    )


def test_an_adapter_that_is_asked_otherwise_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HARNESS_STORE", str(tmp_path / "store"))
    (tmp_path / "data").mkdir()
    rows = "".join(json.dumps({"dialogue": f"hello {n}", "summary": "a greeting"}) + "\n" for n in range(4))
    for split in ("train", "test"):
        (tmp_path / "data" / f"{split}.jsonl").write_text(rows)
    shutil.copytree(zoo_folder("llama2-tiny"), tmp_path / "model")
    (tmp_path / "model" / "chat_template.jinja").write_text(TEMPLATE)

    assert run(tmp_path, capsys, "run", TRAINED) == ""
    (made,) = (tmp_path / "store" / "done").glob("*/adapter")
    shutil.copytree(made, tmp_path / "adapter")
    assert {"base", "digest", "prompt", "chat_template"} == set(
        json.loads((tmp_path / "adapter" / ADAPTER_RECORD).read_text())
    )
    weights = file_digest(tmp_path / "adapter" / WEIGHTS)

    for words in ("check", "run"):
        assert run(tmp_path, capsys, words, GIVEN) == ""
        other = run(tmp_path, capsys, words, GIVEN, prompt="In short: $input")
        assert "trained on another prompt than it is asked with" in other and "chats" in other
        assert "chat template" not in other
        off = run(tmp_path, capsys, words, GIVEN, chat=", chat: off")
        assert "trained with a chat template and asked without one" in off

    (tmp_path / "adapter" / ADAPTER_RECORD).unlink()  # as other people's adapters are
    for words in ("check", "run"):
        assert run(tmp_path, capsys, words, GIVEN, prompt="Again: $input") == ""
    assert file_digest(tmp_path / "adapter" / WEIGHTS) == weights
