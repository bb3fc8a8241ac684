"""lm-evaluation-harness gives log-likelihoods, through its own hf model. Runs in the peers' environment.

python benchmarks/peers/lm_eval_likelihoods_side.py MODEL
"""

import json
import logging
import os
import sys
import time

os.environ.update(HF_HUB_OFFLINE="1", TOKENIZERS_PARALLELISM="false")
OUT = os.fdopen(os.dup(1), "w")  # answers go here; what libraries print goes to standard error
os.dup2(2, 1)


def main(model: str) -> None:
    import torch
    from lm_eval.api.instance import Instance
    from lm_eval.models.huggingface import HFLM

    logging.disable(logging.WARNING)
    torch.set_num_threads(int(os.environ["OMP_NUM_THREADS"]))
    lm = HFLM(pretrained=model, dtype="float32", device="cpu", batch_size=1)
    print(json.dumps({"ready": True}), file=OUT, flush=True)
    for line in sys.stdin:
        job = json.loads(line)
        lm.batch_size_per_gpu = job["batch_size"]
        arguments: list[tuple[object, ...]]
        if "texts" in job:
            # Else 0.4.13 reads BOS twice, and counts the second: once as the prefix, once by a tokenizer that adds it.
            lm.add_bos_token = False
            kind, arguments = "loglikelihood_rolling", [(text,) for text in job["texts"]]
        else:
            kind, lm.add_bos_token = "loglikelihood", None
            arguments = [(prompt, f" {option}") for prompt, options in job["asked"] for option in options]
        requests = [
            Instance(request_type=kind, doc={}, arguments=given, idx=at) for at, given in enumerate(arguments)
        ]
        started = time.perf_counter()
        found = getattr(lm, kind)(requests, disable_tqdm=True)
        seconds = time.perf_counter() - started
        sums = [one if isinstance(one, float) else one[0] for one in found]
        print(json.dumps({"seconds": seconds, "sums": sums}), file=OUT, flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
