"""The harness answers, through the backend that its generate step uses.

python benchmarks/peers/harness_side.py MODEL [DTYPE]
"""

import json
import os
import sys
import time
from typing import Any

OUT = os.fdopen(os.dup(1), "w")
os.dup2(2, 1)


def main(model: str, dtype: Any = "float32") -> None:
    from harness.backends import open_backend
    from harness.types import Decode, Model, ModelPin, Prompt, Runtime

    pin = ModelPin(revision="", parameters=None, checkpoint_bytes=None, dtype=dtype, family=None)
    device = os.environ.get("BENCH_DEVICE", "cpu")
    runtime = Runtime(device=device, threads=int(os.environ["OMP_NUM_THREADS"]))
    backend = open_backend(Model(name="model", uri=f"file:{model}", dtype=dtype), pin, runtime)
    print(json.dumps({"ready": True}), file=OUT, flush=True)
    for line in sys.stdin:
        job = json.loads(line)
        decode = Decode(max_new_tokens=job["max_new_tokens"], stop=tuple(job.get("stop", ())))
        prompts = [
            Prompt(sample_id=str(at), before="", input=text, after="")
            for at, text in enumerate(job["prompts"])
        ]
        started = time.perf_counter()
        answers = {one.sample_id: one for one in backend.write(prompts, decode, "refuse", None)}
        seconds = time.perf_counter() - started
        ordered = [answers[str(at)] for at in range(len(prompts))]
        said = {
            "seconds": seconds,
            "answers": [one.text for one in ordered],
            "prompt_tokens": sum(one.prompt_tokens for one in ordered),
            "output_tokens": sum(one.output_tokens for one in ordered),
            "stopped": sum(one.finish == "stop" for one in ordered),
        }
        print(json.dumps(said), file=OUT, flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
