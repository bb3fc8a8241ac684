"""lm-evaluation-harness answers, through its own hf model and its own generate_until. Runs in the peers' environment.

python benchmarks/peers/lm_eval_side.py MODEL [ADAPTER]
"""

import json
import logging
import os
import sys
import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from transformers import PreTrainedModel

os.environ.update(HF_HUB_OFFLINE="1", TOKENIZERS_PARALLELISM="false")
OUT = os.fdopen(os.dup(1), "w")  # answers go here; what libraries print goes to standard error
os.dup2(2, 1)


def give_back_head(loaded: "PreTrainedModel", folder: str) -> None:
    """The head that the checkpoint holds.

    lm-evaluation-harness 0.4.13 calls `tie_weights()` on every model. Under transformers 5.23, whose T5 configuration
    always says that embedding and head are tied, this overwrites a head of its own, which Flan-T5 has too, and every
    answer is nonsense. The race is against lm-evaluation-harness as it is meant to be.
    """
    import torch
    from safetensors import safe_open

    with safe_open(f"{folder}/model.safetensors", "pt") as tensors:
        if "lm_head.weight" in tensors.keys():  # noqa: SIM118
            loaded.lm_head.weight = torch.nn.Parameter(tensors.get_tensor("lm_head.weight"))


def main(model: str, adapter: str = "") -> None:
    import torch
    from lm_eval.api.instance import Instance
    from lm_eval.models.huggingface import HFLM

    logging.disable(logging.WARNING)
    torch.set_num_threads(int(os.environ["OMP_NUM_THREADS"]))
    said = {"peft": adapter} if adapter else {}
    device = os.environ.get("BENCH_DEVICE", "cpu")
    dtype = "float32" if device == "cpu" else "bfloat16"
    lm = HFLM(pretrained=model, dtype=dtype, device=device, batch_size=1, **said)
    if lm.config.is_encoder_decoder:
        give_back_head(lm.model, model)
    print(json.dumps({"ready": True}), file=OUT, flush=True)
    for line in sys.stdin:
        job = json.loads(line)
        lm.batch_size_per_gpu = job["batch_size"]
        asked = {"until": job.get("stop", []), "max_gen_toks": job["max_new_tokens"], "do_sample": False}
        if lm.config.is_encoder_decoder:  # else it adds the length of the batch's longest prompt to the limit
            asked["max_length"] = job["max_new_tokens"] + 1
        requests = [
            Instance(request_type="generate_until", doc={}, arguments=(prompt, dict(asked)), idx=at)
            for at, prompt in enumerate(job["prompts"])
        ]
        started = time.perf_counter()
        answers = lm.generate_until(requests, disable_tqdm=True)
        seconds = time.perf_counter() - started
        print(json.dumps({"seconds": seconds, "answers": [a.strip() for a in answers]}), file=OUT, flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
