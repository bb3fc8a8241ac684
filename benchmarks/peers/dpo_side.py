"""TRL's DPOTrainer trains a LoRA adapter on pairs of answers. Runs in the peers' environment.

    python benchmarks/peers/dpo_side.py MODEL

The reference is the base without the adapter: its log-likelihoods are computed once (`precompute`) or in every step.
"""

import json
import os
import sys
import tempfile
import time

os.environ.update(HF_HUB_OFFLINE="1", TOKENIZERS_PARALLELISM="false")
OUT = os.fdopen(os.dup(1), "w")
os.dup2(2, 1)


def main(model: str) -> None:
    import torch
    from datasets import Dataset
    from peft import LoraConfig
    from transformers import AutoModelForCausalLM, AutoTokenizer
    from trl import DPOConfig, DPOTrainer

    torch.set_num_threads(int(os.environ["OMP_NUM_THREADS"]))
    print(json.dumps({"ready": True}), file=OUT, flush=True)
    for line in sys.stdin:
        job = json.loads(line)
        recipe, rows = job["recipe"], job["rows"]
        torch.manual_seed(recipe["seed"])
        tokenizer = AutoTokenizer.from_pretrained(model)
        tokenizer.pad_token = tokenizer.pad_token or tokenizer.eos_token
        base = AutoModelForCausalLM.from_pretrained(model, dtype=torch.float32)
        lora = LoraConfig(
            r=recipe["rank"], lora_alpha=recipe["alpha"], target_modules="all-linear", task_type="CAUSAL_LM"
        )
        pairs = [
            {"prompt": row["prompt"], "chosen": " " + row["answer"], "rejected": " " + row["rejected"]}
            for row in rows
        ]
        with tempfile.TemporaryDirectory() as folder:
            config = DPOConfig(
                output_dir=folder,
                per_device_train_batch_size=recipe["batch_size"],
                max_steps=recipe["steps"],
                learning_rate=recipe["learning_rate"],
                lr_scheduler_type=recipe["schedule"],
                warmup_steps=0,
                weight_decay=0.0,
                max_grad_norm=1.0,
                beta=job["beta"],
                loss_type=["sigmoid"],
                max_length=None,
                optim="adamw_torch_fused",
                precompute_ref_log_probs=job["precompute"],
                logging_steps=1000,
                report_to="none",
                save_strategy="no",
                bf16=False,
                use_cpu=True,
                gradient_checkpointing=False,
                disable_tqdm=True,
                seed=recipe["seed"],
            )
            started = time.perf_counter()
            trainer = DPOTrainer(
                model=base,
                args=config,
                train_dataset=Dataset.from_list(pairs),
                processing_class=tokenizer,
                peft_config=lora,
            )
            trainer.train()
            seconds = time.perf_counter() - started
        print(json.dumps({"seconds": seconds}), file=OUT, flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
