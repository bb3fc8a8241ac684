"""A plain loop over peft and AdamW: what training the same batches takes at the least effort.

python benchmarks/peers/peft_loop_side.py MODEL
"""

import json
import os
import sys
import time

OUT = os.fdopen(os.dup(1), "w")
os.dup2(2, 1)


def main(model: str) -> None:
    import torch
    from peft import LoraConfig, get_peft_model
    from transformers import AutoModelForCausalLM, AutoTokenizer

    torch.set_num_threads(int(os.environ["OMP_NUM_THREADS"]))
    print(json.dumps({"ready": True}), file=OUT, flush=True)
    for line in sys.stdin:
        job = json.loads(line)
        recipe, rows = job["recipe"], job["rows"]
        torch.manual_seed(recipe["seed"])
        tokenizer = AutoTokenizer.from_pretrained(model)
        base = AutoModelForCausalLM.from_pretrained(model, dtype=torch.float32)
        lora = LoraConfig(
            r=recipe["rank"], lora_alpha=recipe["alpha"], target_modules="all-linear", task_type="CAUSAL_LM"
        )
        adapted = get_peft_model(base, lora)
        optimizer = torch.optim.AdamW(
            [parameter for parameter in adapted.parameters() if parameter.requires_grad],
            lr=recipe["learning_rate"], weight_decay=0.0,
        )  # fmt: skip
        started = time.perf_counter()
        for step in range(recipe["steps"]):
            at = step * recipe["batch_size"] % len(rows)
            chosen = rows[at : at + recipe["batch_size"]]
            prompts = [tokenizer(row["prompt"]).input_ids for row in chosen]
            answers = [
                [*tokenizer(" " + row["answer"], add_special_tokens=False).input_ids, tokenizer.eos_token_id]
                for row in chosen
            ]
            longest = max(len(prompt) + len(answer) for prompt, answer in zip(prompts, answers, strict=True))
            ids = torch.full((len(chosen), longest), tokenizer.eos_token_id)
            labels, mask = torch.full_like(ids, -100), torch.zeros_like(ids)
            for number, (prompt, answer) in enumerate(zip(prompts, answers, strict=True)):
                ends = len(prompt) + len(answer)
                ids[number, :ends] = torch.tensor(prompt + answer)
                labels[number, len(prompt) : ends] = torch.tensor(answer)
                mask[number, :ends] = 1
            adapted(input_ids=ids, attention_mask=mask, labels=labels).loss.backward()
            torch.nn.utils.clip_grad_norm_(adapted.parameters(), 1.0)
            optimizer.step()
            optimizer.zero_grad()
        seconds = time.perf_counter() - started
        adapted.save_pretrained(job["out"])
        print(json.dumps({"seconds": seconds}), file=OUT, flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
