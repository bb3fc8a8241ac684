"""A small project that every command can work on: a suite, data, a RESULT, a store, a baseline, an adapter."""

import json
import os
from pathlib import Path

from tests.cli.words import exit_code

SUITE = """
tasks:
  - name: chats
    source: {uri: "file:data", columns: {id: id, input: dialogue, reference: summary}, share: text}
    prompt: "Sum up.\\n\\n$input\\n\\nSummary:"
    metrics: [exact]
    primary: exact
models: [{name: first, uri: "echo:first-line"}, {name: copy, uri: "echo:copy"}]
adapters: [{name: mine, base: first, uri: "file:adapter"}]
weights: false
gates: [{task: chats, model: first, adapter: base, min_value: 1}]
"""
RUN = "run small.yaml --workers 0 --device cpu --store S --out R --quiet"
BASELINE = "baseline R -o base.json"


def make(here: Path) -> None:
    """Write the project into an empty folder, and run it."""
    (here / "data").mkdir()
    rows = [{"id": f"s{n}", "dialogue": f"Ann: taxi {n}?", "summary": f"Ann: taxi {n}?"} for n in range(12)]
    (here / "data" / "test.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    (here / "small.yaml").write_text(SUITE)
    (here / "suites" / "tasks").mkdir(parents=True)
    task = SUITE.partition("  - name: chats\n")[2].partition("models:")[0]
    (here / "suites" / "tasks" / "one.yaml").write_text(task.replace("file:data", "file:../../data"))
    (here / "adapters").mkdir()
    (here / "adapters" / "short.yaml").write_text("steps: 10\nlearning_rate: 1e-4\nsweep: {rank: [4, 8]}\n")
    (here / "rules.yaml").write_text("gates: [{min_value: 1}]\n")
    (here / "adapter").mkdir()
    (here / "adapter" / "adapter_config.json").write_text('{"peft_type": "LORA", "r": 8, "lora_alpha": 16}')
    (here / "adapter" / "adapter_model.safetensors").write_bytes((2).to_bytes(8, "little") + b"{}")
    before = Path.cwd()
    os.chdir(here)
    try:
        assert exit_code(RUN.split()) == 0
        assert exit_code(BASELINE.split()) == 0
    finally:
        os.chdir(before)
