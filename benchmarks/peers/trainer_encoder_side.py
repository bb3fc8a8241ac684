"""HF Trainer trains an encoder with a head by peft's LoRA, and predicts labels. Runs in the peers' environment.

    python benchmarks/peers/trainer_encoder_side.py MODEL

Samples are grouped by length, in training and in prediction.
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


def main(model: str) -> None:
    import torch
    from datasets import Dataset
    from peft import LoraConfig, PeftModel, get_peft_model
    from transformers import (
        AutoModelForSequenceClassification,
        AutoTokenizer,
        DataCollatorWithPadding,
        Trainer,
        TrainingArguments,
    )

    torch.set_num_threads(int(os.environ["OMP_NUM_THREADS"]))
    tokenizer = AutoTokenizer.from_pretrained(model)
    print(json.dumps({"ready": True}), file=OUT, flush=True)

    def arguments(folder: str, batch_size: int, **more: Any) -> TrainingArguments:
        return TrainingArguments(
            output_dir=folder,
            per_device_train_batch_size=batch_size,
            per_device_eval_batch_size=batch_size,
            train_sampling_strategy="group_by_length",
            save_strategy="no",
            eval_strategy="no",
            logging_steps=1000,
            report_to=[],
            disable_tqdm=True,
            use_cpu=True,
            dataloader_num_workers=0,
            **more,
        )

    for line in sys.stdin:
        job = json.loads(line)
        labels, rows = job["labels"], job["rows"]
        base = AutoModelForSequenceClassification.from_pretrained(
            model, num_labels=len(labels), dtype=torch.float32
        )
        training = "recipe" in job
        if training:
            recipe = job["recipe"]
            torch.manual_seed(recipe["seed"])
            lora = LoraConfig(
                r=recipe["rank"], lora_alpha=recipe["alpha"], target_modules="all-linear", task_type="SEQ_CLS"
            )
            learner: Any = get_peft_model(base, lora)
        else:
            learner = PeftModel.from_pretrained(base, job["adapter"]).eval()
        with tempfile.TemporaryDirectory() as folder:
            started = time.perf_counter()
            encoded = [
                dict(tokenizer(row["text"], truncation=True))
                | ({"labels": labels.index(row["label"])} if training else {})
                for row in rows
            ]
            samples = Dataset.from_list(encoded)
            collate = DataCollatorWithPadding(tokenizer)
            if training:
                more = {
                    "learning_rate": recipe["learning_rate"],
                    "lr_scheduler_type": recipe["schedule"],
                    "warmup_steps": round(recipe["warmup"] * recipe["steps"]),
                    "max_steps": recipe["steps"],
                    "weight_decay": 0.0,
                    "max_grad_norm": 1.0,
                    "optim": "adamw_torch_fused",
                    "seed": recipe["seed"],
                }
                trainer = Trainer(
                    model=learner,
                    args=arguments(folder, recipe["batch_size"], **more),
                    train_dataset=samples,
                    data_collator=collate,
                )
                trainer.train()
                said: dict[str, Any] = {"seconds": time.perf_counter() - started}
                learner.save_pretrained(job["out"])
            else:
                trainer = Trainer(
                    model=learner, args=arguments(folder, job["batch_size"]), data_collator=collate
                )
                order = sorted(range(len(rows)), key=lambda at: -len(encoded[at]["input_ids"]))
                found: Any = trainer.predict(samples.select(order)).predictions
                logits = [[0.0]] * len(rows)
                for at, values in zip(order, found.tolist(), strict=True):
                    logits[at] = values
                said = {"seconds": time.perf_counter() - started, "logits": logits}
        print(json.dumps(said), file=OUT, flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
