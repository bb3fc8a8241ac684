"""The harness trains an encoder with a head by LoRA, and asks the head for labels, by the functions that its steps call.

python benchmarks/peers/harness_encoder_side.py MODEL
"""

import json
import os
import shutil
import sys
import time
from pathlib import Path
from typing import Any

OUT = os.fdopen(os.dup(1), "w")
os.dup2(2, 1)


def main(model: str) -> None:
    from harness.backends import open_backend
    from harness.neural.huggingface import HuggingFace
    from harness.neural.objectives import Example
    from harness.neural.train import train
    from harness.types import Model, ModelPin, Prompt, Recipe, Runtime

    pin = ModelPin(
        revision="",
        parameters=None,
        checkpoint_bytes=None,
        dtype="float32",
        family=None,
        architecture="encoder",
    )
    runtime = Runtime(threads=int(os.environ["OMP_NUM_THREADS"]))
    backend = open_backend(Model(name="model", uri=f"file:{model}", dtype="float32"), pin, runtime)
    assert isinstance(backend, HuggingFace)
    print(json.dumps({"ready": True}), file=OUT, flush=True)
    for line in sys.stdin:
        job = json.loads(line)
        labels = tuple(job["labels"])
        prompts = [
            Prompt(sample_id=str(at), before="", input=row["text"], after="", options=labels)
            for at, row in enumerate(job["rows"])
        ]
        if "recipe" in job:
            recipe = Recipe(name="bench", targets=("all-linear",), validation_samples=0,
                            **{key: value for key, value in job["recipe"].items() if key != "seed"})  # fmt: skip
            examples = [
                Example(id=prompt.sample_id, prompt=prompt, answer=row["label"], labels=labels)
                for prompt, row in zip(prompts, job["rows"], strict=True)
            ]
            base, folder = backend.base, Path(job["out"])
            shutil.rmtree(folder, ignore_errors=True)
            started = time.perf_counter()
            train(base, examples, [], recipe, job["recipe"]["seed"], folder)
            said: dict[str, Any] = {"seconds": time.perf_counter() - started}
        else:
            adapter = Path(job["adapter"])
            started = time.perf_counter()
            found = {one.sample_id: one.values for one in backend.head(prompts, "keep-start", adapter)}
            seconds = time.perf_counter() - started
            said = {"seconds": seconds, "logits": [found[prompt.sample_id] for prompt in prompts]}
        print(json.dumps(said), file=OUT, flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
