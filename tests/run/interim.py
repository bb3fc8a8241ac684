"""A suite of two tasks, whose first task can be finished long before its second."""

import json
from pathlib import Path

from harness.plan.pins import pins
from harness.plan.plan import plan
from harness.run.store import Store
from harness.suite.load import load_suite
from harness.types import Plan

SUITE = """
tasks:
  - {{name: one, source: {{uri: "file:data", columns: {{id: id}}}}, prompt: "One.\\n$input", metrics: [f1], primary: f1}}
  - {{name: two, source: {{uri: "file:data", columns: {{id: id}}}}, prompt: "Two.\\n$input", metrics: [f1], primary: f1}}
models: [{{name: first, uri: "echo:{first}"}}, {{name: copy, uri: "echo:copy"}}]
weights: false
gates:
  - {{task: one, model: copy, adapter: base, metric: f1, min_value: 1}}
  - {{task: two, model: copy, adapter: base, metric: f1, min_value: 1}}
"""


def write(folder: Path, first: str = "first-line", samples: int = 12) -> Path:
    """Write the suite and its data; return the suite's path."""
    (folder / "data").mkdir(exist_ok=True, parents=True)
    lines = [
        {"id": f"s{n:03}", "input": f"in {n}\nand more", "reference": f"in {n} or {n % 3}"}
        for n in range(samples)
    ]
    (folder / "data" / "test.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    path = folder / "two.yaml"
    path.write_text(SUITE.format(first=first))
    return path


def two_tasks(folder: Path, store: Store, first: str = "first-line") -> Plan:
    """Return the plan of the suite."""
    suite = load_suite(str(write(folder, first)))
    return plan(suite, pins(suite, device="cpu", offline=True, cache=store.root / "digests.json"))
