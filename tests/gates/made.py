"""Small RESULT folders whose rows are given."""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, fields
from pathlib import Path
from typing import Any

import numpy as np

from harness.files.regular import file_digest
from harness.gates.rules.max_worse_samples import WorseSamples
from harness.results import from_document
from harness.results.document import BESIDE, content_digest, read_document
from harness.results.rows import Rows
from harness.testing import write_result
from harness.types import Gate, Generation, Sample, System

BASE = System(model="m")
ADAPTER = System(model="m", adapter="x")
SIGNATURES = {"f1": "f1|version:1", "exact": "exact|version:1"}
Edit = Callable[[dict[str, Any]], None]


def gate(**said: Any) -> Gate:
    """A gate as a suite writes it: rules beside the other keys."""
    keys = {field.name for field in fields(Gate)}
    rules = {
        name: asdict(limit) if isinstance(limit, WorseSamples) else limit
        for name, limit in said.items()
        if name not in keys
    }
    return Gate(**{key: value for key, value in said.items() if key in keys}, rules=rules)


def points(n: int, *, seed: int = 0, gain: float = 0.0) -> list[float]:
    """Token F1 of n samples, 0 to 1; a seed's samples are the same but for the gain."""
    return [*np.clip(np.random.default_rng(seed).beta(2, 3, n) + gain, 0, 1)]


def result(
    folder: Path,
    scores: Mapping[System, Sequence[float]],  # Token F1 of each sample, 0 to 1
    *,
    ids: Sequence[str] | None = None,
    edit: Edit = lambda document: None,
) -> Path:
    """One task `t`, scored by Token F1 and exact match; half of its samples are of kind k0, half of k1."""
    n = len(next(iter(scores.values())))
    ids = ids or [f"s{i}" for i in range(n)]
    rows = {
        (("t", who, "f1")): np.array([[x, 1.0] for x in own]).reshape(n, 2) for who, own in scores.items()
    }
    rows |= {
        ("t", who, "exact"): np.array([[x >= 1, 1.0] for x in own]).reshape(n, 2)
        for who, own in scores.items()
    }
    samples = [
        Sample(id=one, input=f"in {one}", references=("out",), metadata={"kind": f"k{i % 2}"})
        for i, one in enumerate(ids)
    ]
    answers = [Generation(sample_id=one, text=f"answer to {one}", prompt_digest="0" * 16) for one in ids]
    document = {
        "schema": 1,
        "suite": {
            "name": "small",
            "tasks": [{"name": "t", "primary": "f1", "metrics": ["f1", "exact"], "share": "text", "samples": "d" * 16}],
            "models": [{"name": "m", "revision": "r1"}],
            "adapters": [{"name": who.adapter, "model": who.model} for who in scores if who.adapter],
        },
        "scores": [
            {"task": "t", **whose(who), "metric": metric, "primary": metric == "f1", "signature": SIGNATURES[metric],
             "unit": "points", "better": "higher", "value": float(100 * rows["t", who, metric][:, 0].sum() / max(n, 1)),
             "low": None, "high": None, "n": n}
            for who in scores for metric in SIGNATURES
        ],
        "comparisons": [],
        "answers": [
            {"task": "t", **whose(who), "prompts": "p", "texts": str(place), "n": n} for place, who in enumerate(scores)
        ],
        "weights": [weights(who) for who in scores if who.adapter],
        "costs": [cost for who in scores for cost in costs(who)],
        "steps": [step(kind, who) for who in scores for kind in ("generate", "score")],
        "manifest": {"seed": 0, "hardware": {"processor": "one"}, "libraries": {}},
    }  # fmt: skip
    write_result(
        from_document(folder, {**document, "scores": []}),
        {key: Rows(ids=tuple(ids), stats=table) for key, table in rows.items()},
        {"t": samples},
        {("t", who): answers for who in scores},
    )

    def whole(written: dict[str, Any]) -> None:
        written["scores"] = document["scores"]  # which may hold numbers that no record takes
        edit(written)

    return changed(folder, whole)


def changed(folder: Path, edit: Edit) -> Path:
    """The same result as if it had been written so."""
    document = read_document(folder)
    edit(document)
    write(folder, document)
    return folder


def write(folder: Path, document: Mapping[str, Any]) -> None:
    """As the harness does, but for numbers that JSON does not know."""
    content = {key: value for key, value in document.items() if key not in ("files", "digest")}
    content["files"] = {name: file_digest(folder / name) for name in BESIDE if (folder / name).is_file()}
    whole = {**content, "digest": content_digest(content)}
    (folder / "result.json").write_text(json.dumps(whole), encoding="utf-8")


def whose(system: System) -> dict[str, Any]:
    return {"model": system.model, "adapter": system.adapter, "shots": system.shots}


def weights(system: System, **numbers: Any) -> dict[str, Any]:
    return {
        "model": system.model, "adapter": system.adapter, "part": "delta", "layer": "h.0.q", "role": "q", "rows": 64,
        "cols": 64, "status": "analysed", "eigenvalues": 8, "delta_ratio": 0.1, "intruder_dimensions": 0, **numbers,
    }  # fmt: skip


def costs(system: System) -> list[dict[str, Any]]:
    same = {"step": "0" * 16, **whose(system), "hardware": "one", "workers": 1}
    return [
        {**same, "task": "t", "quantity": "generation speed", "unit": "tokens/s", "value": 100.0},
        {**same, "task": None, "quantity": "adapter size", "unit": "MB", "value": 10.0},
        {**same, "task": None, "quantity": "training time", "unit": "s", "value": 60.0},
    ]


def step(
    kind: str, system: System | None, *, task: str = "t", state: str = "done", reason: str = ""
) -> dict[str, Any]:
    return {
        "id": "0" * 16, "kind": kind, "label": f"{kind} {system or task}", "state": state, "reason": reason, "task": task,
        **(whose(system) if system else {}),
    }  # fmt: skip
