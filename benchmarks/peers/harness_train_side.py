"""The harness trains a LoRA adapter, by the function that its train step calls, and measures the validation loss of any.

python benchmarks/peers/harness_train_side.py MODEL
"""

import json
import os
import shutil
import sys
import time
from pathlib import Path

OUT = os.fdopen(os.dup(1), "w")
os.dup2(2, 1)


def main(model: str) -> None:
    import torch

    from harness.backends import open_backend
    from harness.neural.encode import pair
    from harness.neural.huggingface import HuggingFace
    from harness.neural.objectives import Example
    from harness.neural.objectives.answers import summed_loss
    from harness.neural.train import train
    from harness.types import Model, ModelPin, Prompt, Recipe, Runtime

    def example(at: int, row: dict[str, str]) -> Example:
        prompt = Prompt(sample_id=str(at), before="", input=row["prompt"], after="")
        return Example(id=str(at), prompt=prompt, answer=row["answer"], rejected=row.get("rejected"))

    pin = ModelPin(revision="", parameters=None, checkpoint_bytes=None, dtype="float32", family=None)
    runtime = Runtime(threads=int(os.environ["OMP_NUM_THREADS"]))
    chosen = Model(name="model", uri=f"file:{model}", dtype="float32", chat="off")
    print(json.dumps({"ready": True}), file=OUT, flush=True)
    backend = None
    for line in sys.stdin:
        job = json.loads(line)
        backend = backend or open_backend(chosen, pin, runtime)
        assert isinstance(backend, HuggingFace)
        if "measure" in job:  # nats per answer token
            adapter = Path(job["measure"])
            if (adapter / "adapter").exists():
                adapter /= "adapter"
            else:  # a peer's, which names a folder as its base
                config = adapter / "adapter_config.json"
                config.write_text(
                    json.dumps(json.loads(config.read_text()) | {"base_model_name_or_path": ""})
                )
            base = backend._with(adapter)
            pairs = [
                pair(base, one.prompt, one.answer, "refuse", 4096)
                for one in (example(at, row) for at, row in enumerate(job["rows"]))
            ]
            with torch.no_grad():
                total = sum(summed_loss(base, pairs[at : at + 16]).item() for at in range(0, len(pairs), 16))
            said = {"loss": total / sum(len(one.answer) for one in pairs)}
        else:
            recipe = Recipe(name="bench", targets=("all-linear",), validation_samples=0, precision=job["precision"],
                            **{key: value for key, value in job["recipe"].items() if key != "seed"})  # fmt: skip
            examples = [example(at, row) for at, row in enumerate(job["rows"])]
            base, folder = backend.base, Path(job["out"])
            shutil.rmtree(folder, ignore_errors=True)
            started = time.perf_counter()
            train(base, examples, [], recipe, job["recipe"]["seed"], folder)
            said = {"seconds": time.perf_counter() - started}
        print(json.dumps(said), file=OUT, flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
