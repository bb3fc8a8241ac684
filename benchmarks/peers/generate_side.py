"""transformers' own `generate` answers, its prompts sorted by length and batched.

python benchmarks/peers/generate_side.py MODEL
"""

import json
import os
import sys
import time

os.environ["HF_HUB_OFFLINE"] = "1"
OUT = os.fdopen(os.dup(1), "w")
os.dup2(2, 1)


def main(model: str) -> None:
    import torch
    from transformers import AutoConfig, AutoModelForCausalLM, AutoModelForSeq2SeqLM, AutoTokenizer

    torch.set_num_threads(int(os.environ["OMP_NUM_THREADS"]))
    seq2seq = AutoConfig.from_pretrained(model).is_encoder_decoder
    kind = AutoModelForSeq2SeqLM if seq2seq else AutoModelForCausalLM
    loaded = kind.from_pretrained(model, dtype=torch.float32).eval()
    tokenizer = AutoTokenizer.from_pretrained(model, padding_side="right" if seq2seq else "left")
    print(json.dumps({"ready": True}), file=OUT, flush=True)
    for line in sys.stdin:
        job = json.loads(line)
        size, prompts = job["batch_size"], job["prompts"]
        started = time.perf_counter()
        ids = tokenizer(prompts).input_ids
        order = sorted(range(len(prompts)), key=lambda at: -len(ids[at]))
        answers = [""] * len(prompts)
        for start in range(0, len(order), size):
            rows = order[start : start + size]
            batch = tokenizer.pad({"input_ids": [ids[at] for at in rows]}, return_tensors="pt")
            with torch.inference_mode():
                written = loaded.generate(**batch, max_new_tokens=job["max_new_tokens"], do_sample=False)
            new = written if seq2seq else written[:, batch["input_ids"].shape[1] :]
            texts = tokenizer.batch_decode(new, skip_special_tokens=True)
            for at, text in zip(rows, texts, strict=True):
                answers[at] = text.strip()
        seconds = time.perf_counter() - started
        print(json.dumps({"seconds": seconds, "answers": answers}), file=OUT, flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
