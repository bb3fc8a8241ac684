"""Makes the benchmarks' models: four architectures of about 15 M parameters, trained until they stop by themselves.

    python -m benchmarks.lib.checkpoints [NAME …]

They go to .bench/models/NAME in the hub's layout, some ten minutes each on a core with bfloat16 matrix units; the data
goes to .bench/data. Their tokenizers are the zoo's. Their embeddings have more rows than the tokenizer has tokens, as
many real checkpoints' have, so that the head's share of the work is that of a small model of today.
"""

import json
import shutil
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from random import Random
from typing import Any

import torch
from torch.nn.functional import cross_entropy
from torch.nn.utils.rnn import pad_sequence
from transformers import AutoConfig, AutoModelForCausalLM, AutoModelForSeq2SeqLM, AutoTokenizer

from benchmarks.lib import workloads
from harness.files.shipped import zoo_folder
from tools.zoo import pretrain
from tools.zoo.architectures import Pretraining

BENCH = Path(".bench")
VOCABULARY = 8192
COMMON = {"vocab_size": VOCABULARY, "max_position_embeddings": 1024, "initializer_range": 0.03}
LLAMA = {
    **COMMON,
    "hidden_size": 384,
    "intermediate_size": 1024,
    "num_hidden_layers": 6,
    "num_attention_heads": 6,
}
MODELS: Mapping[
    str, tuple[str, str, Mapping[str, Any]]
] = {  # name -> zoo model of the tokenizer, model type, shape
    "llama-15m": ("llama2-tiny", "llama", {**LLAMA, "tie_word_embeddings": False}),
    "falcon-15m": (
        "falcon-tiny",
        "falcon",
        {
            **COMMON,
            "hidden_size": 384,
            "num_hidden_layers": 8,
            "num_attention_heads": 6,
            "new_decoder_architecture": False,
            "multi_query": True,
            "parallel_attn": True,
            "alibi": False,
            "bias": False,
            "tie_word_embeddings": True,
        },
    ),
    "mistral-15m": (
        "mistral-tiny",
        "mistral",
        {**LLAMA, "num_key_value_heads": 2, "sliding_window": 512, "tie_word_embeddings": False},
    ),
    "t5-15m": (
        "flan-t5-tiny",
        "t5",
        {
            "vocab_size": VOCABULARY,
            "d_model": 384,
            "d_kv": 64,
            "d_ff": 768,
            "num_layers": 3,
            "num_decoder_layers": 3,
            "num_heads": 6,
            "feed_forward_proj": "gated-gelu",
            "dropout_rate": 0.0,
            "tie_word_embeddings": False,
        },
    ),
}
STEPS = {
    "llama-15m": 320,
    "falcon-15m": 320,
    "mistral-15m": 200,
    "t5-15m": 240,
}  # enough to stop by themselves
PLAN = Pretraining(steps=0, row_steps=0, batch_size=24, learning_rate=4e-3, warmup=0.04)
PROMPT_SHARE = 0.15  # of a prompt's tokens in the loss


def build(name: str, folder: Path) -> None:
    """Trains one model, with bfloat16 products and float32 weights."""
    zoo, model_type, shape = MODELS[name]
    plan = replace(PLAN, steps=STEPS[name])
    fresh = folder.with_name(f".{folder.name}.new")
    shutil.rmtree(fresh, ignore_errors=True)
    fresh.mkdir(parents=True)
    for path in zoo_folder(zoo).glob("*token*.json"):
        shutil.copy(path, fresh)
    student = _newborn(fresh, model_type, shape)
    print(f"{name}: {student.model.num_parameters():,} parameters", flush=True)
    optimizers = pretrain.make_optimizers(student.model, plan)
    loss_of = _seq2seq_loss if student.seq2seq else _causal_loss
    random = Random(0)
    encoded = (pretrain.encode(text, student.tokenizer) for text in workloads.documents(1))
    batches = pretrain.bucketed(encoded, plan.batch_size, Random(0))
    started = time.perf_counter()
    student.model.train()
    for step in range(1, plan.steps + 1):
        for group in (group for optimizer in optimizers for group in optimizer.param_groups):
            group["lr"] = plan.learning_rate * pretrain.schedule(step, plan) * group.get("times", 1.0)
        with torch.autocast("cpu", torch.bfloat16):
            loss = loss_of(student, next(batches), random)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(student.model.parameters(), 1.0)
        with torch.autocast("cpu", torch.bfloat16):
            for optimizer in optimizers:
                optimizer.step()
                optimizer.zero_grad(set_to_none=True)
        if step % 20 == 0:
            print(
                f"step {step:4d}  loss {loss.item():.3f}  {time.perf_counter() - started:5.0f} s", flush=True
            )
    student.model.eval()
    pretrain.save(student, fresh)
    shutil.rmtree(folder, ignore_errors=True)
    fresh.rename(folder)


def _causal_loss(
    student: pretrain.Student, batch: Sequence[pretrain.Document], random: Random
) -> torch.Tensor:
    """Mean over the answers' tokens and a part of the prompts': with all of them the head would take longest."""
    longest = max(map(len, batch))
    ids = torch.full((len(batch), longest), student.tokenizer.pad_token_id)
    asked = torch.zeros_like(ids, dtype=torch.bool)  # [rows, tokens]: the next token counts
    for row, one in enumerate(batch):
        ids[row, : len(one)] = torch.tensor(one.prompt + one.answer)
        asked[row, len(one.prompt) - 1 : len(one) - 1] = True
        asked[row, random.sample(range(len(one.prompt) - 1), round(PROMPT_SHARE * len(one.prompt)))] = True
    logits = student.model(input_ids=ids, use_cache=False, logits_to_keep=asked).logits
    logits = logits[asked] if logits.ndim == 3 else logits
    return cross_entropy(logits.float(), ids.roll(-1, dims=1)[asked])


def _seq2seq_loss(
    student: pretrain.Student, batch: Sequence[pretrain.Document], random: Random
) -> torch.Tensor:
    pad = student.tokenizer.pad_token_id
    prompts = pad_sequence([torch.tensor(one.prompt) for one in batch], batch_first=True, padding_value=pad)
    labels = pad_sequence([torch.tensor(one.answer) for one in batch], batch_first=True, padding_value=-100)
    return student.model(input_ids=prompts, attention_mask=(prompts != pad).long(), labels=labels).loss


def _newborn(folder: Path, model_type: str, shape: Mapping[str, Any]) -> pretrain.Student:
    tokenizer = AutoTokenizer.from_pretrained(folder)
    token_ids = {name: getattr(tokenizer, name) for name in ("eos_token_id", "pad_token_id")}
    if model_type == "t5":
        token_ids["decoder_start_token_id"] = tokenizer.pad_token_id
    else:
        token_ids["bos_token_id"] = tokenizer.convert_tokens_to_ids(
            tokenizer.bos_token or tokenizer.eos_token
        )
    torch.manual_seed(0)
    config = AutoConfig.for_model(model_type, **shape, **token_ids, dtype="float32")
    seq2seq = bool(config.is_encoder_decoder)
    model: Any = (AutoModelForSeq2SeqLM if seq2seq else AutoModelForCausalLM).from_config(config)
    if seq2seq:
        model.lm_head.weight = torch.nn.Parameter(model.shared.weight.detach() * config.d_model**-0.5)
    return pretrain.Student(model, tokenizer)


def try_out(folder: Path, task: str, count: int = 64) -> dict[str, float]:
    """How a model answers: tokens in and out, share that stops by itself, share of different answers."""
    student = pretrain.load(folder)
    rows = [
        json.loads(line) for line in (BENCH / "data" / task / "test.jsonl").read_text().splitlines()[:count]
    ]
    tokenizer: Any = student.tokenizer
    tokenizer.padding_side = "right" if student.seq2seq else "left"
    batch = tokenizer([row["prompt"] for row in rows], return_tensors="pt", padding=True)
    batch.pop("token_type_ids", None)
    with torch.inference_mode():
        written = student.model.generate(**batch, max_new_tokens=160, do_sample=False)  # type: ignore[operator]
    start = 1 if student.seq2seq else batch["input_ids"].shape[1]
    answers = written[:, start:]
    lengths = [
        (row == tokenizer.eos_token_id).int().argmax().item()
        if (row == tokenizer.eos_token_id).any()
        else 160
        for row in answers
    ]
    texts = tokenizer.batch_decode(answers, skip_special_tokens=True)
    print(task, texts[:3], sep="\n  ")
    return {
        "tokens in": batch["attention_mask"].sum().item() / count,
        "tokens out": sum(lengths) / count,
        "stop by themselves": sum(length < 160 for length in lengths) / count,
        "different answers": len(set(texts)) / count,
    }


def main(*names: str) -> None:
    if not (BENCH / "data" / "questions" / "test.jsonl").is_file():
        workloads.write(BENCH / "data")
    for name in names or MODELS:
        folder = BENCH / "models" / name
        if not (folder / "model.safetensors").is_file():
            build(name, folder)
        for task in ("summaries", "chats", "questions"):
            print(name, task, try_out(folder, task), flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
