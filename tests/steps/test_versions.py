"""A step's id holds its version; a change of what it does must raise it, or old answers are taken for new ones."""

import hashlib
import json
import sys
from pathlib import Path

import pytest

import harness
from harness import plugins

PACKAGE = Path(harness.__file__).parent
TABLE = Path(__file__).parent / "versions.json"
# The files that decide what a step's result is. Wording of messages counts too: better once too often.
ASKING = (
    *(
        f"neural/{name}.py"
        for name in ("encode", "load", "lora", "lora_config", "low_rank", "factors", "peft_lora")
    ),
    *(f"neural/{name}.py" for name in ("kernels", "pristine", "precision")),
    "prompts.py",
    "kinds/generate.py",
)
SOURCES = {
    "load": ("data/__init__.py", "data/file.py", "data/hub.py", "data/embedded.py", "data/overlap.py"),
    "train": ("neural/train.py", "neural/batches.py", "neural/loss.py", *ASKING),
    "generate": (
        *(f"neural/{name}.py" for name in ("decode", "cache", "slices", "plain", "memory")),
        *ASKING,
    ),
    "score": (
        "metrics/*.py",
        *(f"stats/{name}.py" for name in ("table", "draws", "intervals")),
        "trivial.py",
    ),
    "foreign": ("metrics/*.py", "tally.py"),
    "spectra": (
        *(f"weights/{name}.py" for name in ("analyse", "layer", "spectrum", "power_law", "gram", "norms")),
        *(f"weights/{name}.py" for name in ("marchenko_pastur", "directions", "oracle", "kept")),
        *(f"weights/{name}.py" for name in ("read", "fused", "quantised", "shards", "updates")),
        "adapter.py",
        "tensors.py",
        "families/*.py",
    ),
    "compare": (
        "pairs.py",
        "stats/*.py",
        *(f"steps/_{name}.py" for name in ("questions", "scored", "recipes")),
    ),
    "report": (),
}


def digest(kind: str) -> str:
    files = [PACKAGE / "steps" / f"{kind}.py"]
    for pattern in SOURCES[kind]:
        files += sorted(PACKAGE.glob(pattern))
    return hashlib.sha256(b"".join(path.read_bytes() for path in files)).hexdigest()[:16]


def now() -> dict[str, dict[str, object]]:
    kinds = plugins.own_names("steps")
    return {kind: {"version": plugins.find("steps", kind).VERSION, "sources": digest(kind)} for kind in kinds}


@pytest.mark.parametrize("kind", plugins.own_names("steps"))
def test_a_changed_step_has_another_version(kind: str) -> None:
    recorded = json.loads(TABLE.read_text())
    if kind == "report":
        return  # draws what others found; a changed page is drawn anew by `harness report`
    assert recorded[kind] == now()[kind], (
        f"what step {kind} does has changed: raise VERSION in harness/steps/{kind}.py if a result can differ, "
        f"then `python tests/steps/test_versions.py` writes the new digests"
    )


if __name__ == "__main__":
    TABLE.write_text(json.dumps(now(), indent=1) + "\n")
    sys.stdout.write(f"{TABLE} written\n")
