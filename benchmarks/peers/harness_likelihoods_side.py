"""The harness gives log-likelihoods, through the backend that its generate step uses.

python benchmarks/peers/harness_likelihoods_side.py MODEL
"""

import json
import os
import sys
import time

OUT = os.fdopen(os.dup(1), "w")
os.dup2(2, 1)


def main(model: str) -> None:
    from harness.backends import GivesLikelihoods, ReadsTexts, open_backend
    from harness.types import Model, ModelPin, Prompt, Runtime

    pin = ModelPin(revision="", parameters=None, checkpoint_bytes=None, dtype="float32", family=None)
    runtime = Runtime(threads=int(os.environ["OMP_NUM_THREADS"]))
    backend = open_backend(Model(name="model", uri=f"file:{model}", chat="off"), pin, runtime)
    assert isinstance(backend, GivesLikelihoods)
    assert isinstance(backend, ReadsTexts)
    print(json.dumps({"ready": True}), file=OUT, flush=True)
    for line in sys.stdin:
        job = json.loads(line)
        asked = job["asked"] if "asked" in job else [("", (text,)) for text in job["texts"]]
        prompts = [
            Prompt(sample_id=str(at), before="", input=prompt, after="", options=tuple(options))
            for at, (prompt, options) in enumerate(asked)
        ]
        started = time.perf_counter()
        given = (
            backend.rolling(prompts, None) if "texts" in job else backend.likelihoods(prompts, "refuse", None)
        )
        found = {one.sample_id: [option.logprob for option in one.options] for one in given}
        seconds = time.perf_counter() - started
        sums = [logprob for prompt in prompts for logprob in found[prompt.sample_id]]
        print(json.dumps({"seconds": seconds, "sums": sums}), file=OUT, flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
