"""HF Trainer and TRL's SFTTrainer train a LoRA adapter with peft. Runs in the peers' environment.

    python benchmarks/peers/trainer_side.py MODEL trainer|sft

Prompts have no loss. Samples are grouped by length; nothing is evaluated or saved while training runs.
"""

import json
import os
import sys
import tempfile
import time
from typing import Any

os.environ.update(HF_HUB_OFFLINE="1", TOKENIZERS_PARALLELISM="false")
OUT = os.fdopen(os.dup(1), "w")
os.dup2(2, 1)


def arguments(kind: Any, recipe: dict[str, Any], folder: str, bf16: bool, **more: Any) -> Any:
    return kind(
        output_dir=folder,
        per_device_train_batch_size=recipe["batch_size"],
        learning_rate=recipe["learning_rate"],
        lr_scheduler_type=recipe["schedule"],
        warmup_steps=round(recipe["warmup"] * recipe["steps"]),
        max_steps=recipe["steps"],
        weight_decay=0.0,
        max_grad_norm=1.0,
        optim="adamw_torch_fused",
        train_sampling_strategy="group_by_length",
        save_strategy="no",
        eval_strategy="no",
        logging_steps=1000,
        report_to=[],
        disable_tqdm=True,
        seed=recipe["seed"],
        use_cpu=True,
        bf16=bf16,
        dataloader_num_workers=0,
        **more,
    )


def encode(tokenizer: Any, row: dict[str, str]) -> dict[str, list[int]]:
    prompt = tokenizer(row["prompt"]).input_ids
    answer = tokenizer(" " + row["answer"], add_special_tokens=False).input_ids
    answer = [*answer, tokenizer.eos_token_id]
    return {"input_ids": prompt + answer, "labels": [-100] * len(prompt) + answer}


def main(model: str, kind: str) -> None:
    import torch
    from datasets import Dataset
    from peft import LoraConfig, get_peft_model
    from transformers import (
        AutoModelForCausalLM,
        AutoTokenizer,
        DataCollatorForSeq2Seq,
        Trainer,
        TrainingArguments,
    )
    from trl import SFTConfig, SFTTrainer

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
        with tempfile.TemporaryDirectory() as folder:
            started = time.perf_counter()
            if kind == "trainer":
                trainer = Trainer(
                    model=get_peft_model(base, lora),
                    args=arguments(TrainingArguments, recipe, folder, job["bf16"]),
                    train_dataset=Dataset.from_list([encode(tokenizer, row) for row in rows]),
                    data_collator=DataCollatorForSeq2Seq(tokenizer, padding=True),
                )
            else:
                data = [{"prompt": row["prompt"], "completion": " " + row["answer"]} for row in rows]
                more = {"max_length": None, "completion_only_loss": True, "dataset_num_proc": None}
                trainer = SFTTrainer(
                    model=base,
                    args=arguments(
                        SFTConfig, recipe, folder, job["bf16"], gradient_checkpointing=False, **more
                    ),
                    train_dataset=Dataset.from_list(data),
                    processing_class=tokenizer,
                    peft_config=lora,
                )
            prepared = time.perf_counter()
            trainer.train()
            ended = time.perf_counter()
            trainer.model.save_pretrained(job["out"])  # type: ignore[operator]  # a method that nn.Module does not declare
        said = {"seconds": ended - started, "preparing": prepared - started}
        print(json.dumps(said), file=OUT, flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
