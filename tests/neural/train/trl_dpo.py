"""Train by TRL's DPOTrainer in the peers' environment: it reads FOLDER/told.json and writes FOLDER/losses.json."""

import json
import sys
from pathlib import Path
from typing import Any

import torch
from datasets import Dataset
from peft import PeftModel
from torch.utils.data import SequentialSampler
from transformers import AutoModelForCausalLM, AutoTokenizer
from trl import DPOConfig, DPOTrainer


class InOrder(DPOTrainer):  # type: ignore[misc]
    """The trainer, on batches in the order of the data."""

    def _get_train_sampler(self, *args: Any) -> SequentialSampler:
        return SequentialSampler(self.train_dataset)


def main(folder: Path) -> None:
    """Write the loss of each step."""
    told = json.loads((folder / "told.json").read_text())
    base = AutoModelForCausalLM.from_pretrained(told["model"], dtype=torch.float32)
    tokenizer = AutoTokenizer.from_pretrained(told["model"])
    tokenizer.pad_token = tokenizer.pad_token or tokenizer.eos_token
    model = PeftModel.from_pretrained(base, told["adapter"], is_trainable=True)
    config = DPOConfig(
        output_dir=str(folder / "trl"),
        per_device_train_batch_size=told["batch_size"],
        max_steps=told["steps"],
        learning_rate=told["learning_rate"],
        lr_scheduler_type="constant",
        warmup_steps=0,
        weight_decay=0.0,
        max_grad_norm=1.0,
        beta=told["beta"],
        loss_type=[told["loss"]],
        max_length=None,
        logging_steps=1,
        report_to="none",
        save_strategy="no",
        bf16=False,
        use_cpu=True,
        gradient_checkpointing=False,
        seed=0,
    )
    data = Dataset.from_list(told["pairs"])
    trainer = InOrder(model=model, args=config, train_dataset=data, processing_class=tokenizer)
    trainer.train()
    first = trainer.train_dataset[0]
    found = {
        "losses": [line["loss"] for line in trainer.state.log_history if "loss" in line],
        "first": [list(first[name]) for name in ("prompt_ids", "chosen_ids", "rejected_ids")],
    }
    (folder / "losses.json").write_text(json.dumps(found))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
