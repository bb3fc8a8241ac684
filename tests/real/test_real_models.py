"""Real pretrained models answer, learn and are weighed as plain transformers, peft and weightwatcher do it."""

import gzip
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from itertools import islice
from pathlib import Path
from typing import Any

import pytest
import torch
from peft import LoraConfig, PeftModel, get_peft_model
from transformers import AutoModelForCausalLM, AutoTokenizer

from harness import families
from harness.files import shipped
from harness.neural.huggingface import HuggingFace
from harness.types import Decode, Prompt, Weighing, WeightRow
from harness.weights.analyse import analyse

pytestmark = [pytest.mark.slow, pytest.mark.real, pytest.mark.timeout(1200)]
NIGHTLY = pytest.mark.nightly
TOKENS = 12
DECODERS = ["smollm2", pytest.param("gemma3", marks=NIGHTLY)]


def dialogues(count: int) -> list[str]:
    lines = (
        (shipped.folder("suites") / "data" / "dialogues" / "test.jsonl")
        .read_text(encoding="utf-8")
        .splitlines()
    )
    return [json.loads(line)["dialogue"] for line in lines[:count]]


def prompts(count: int, repeat: int = 1) -> list[Prompt]:
    """Prompts of the task `dialogues`; repeated, one is longer than a window of attention."""
    return [
        Prompt(
            sample_id=f"s{nth}",
            before="Summarise the conversation in one or two sentences.\n\n",
            input="\n".join([text] * repeat),
            after="\n\nSummary:",
            options=("Anna is late.", "They meet at nine to see a film.", "No"),
        )
        for nth, text in enumerate(dialogues(count))
    ]


@pytest.fixture(scope="module")
def plain(real: Callable[[str], Path]) -> Iterator[Callable[[str], Any]]:
    """A model as plain transformers loads it."""
    torch.set_num_threads(1)
    kept: dict[str, Any] = {}

    def loaded(name: str) -> Any:
        if name not in kept:
            kept[name] = AutoModelForCausalLM.from_pretrained(real(name), dtype=torch.float32).eval()
        return kept[name]

    yield loaded


def plain_ids(folder: Path, prompt: Prompt) -> torch.Tensor:
    """The tokens of a prompt by the tokenizer alone: its chat template where it has one, else its own first token."""
    tokenizer = AutoTokenizer.from_pretrained(folder)
    if tokenizer.chat_template:
        turns = [{"role": "user", "content": prompt.text}]
        text = tokenizer.apply_chat_template(turns, tokenize=False, add_generation_prompt=True)
        return tokenizer(text, add_special_tokens=False, return_tensors="pt").input_ids
    return tokenizer(prompt.text, return_tensors="pt").input_ids


def greedy(model: Any, folder: Path, prompt: Prompt) -> str:
    ids = plain_ids(folder, prompt)
    with torch.no_grad():
        written = model.generate(
            ids, attention_mask=torch.ones_like(ids), max_new_tokens=TOKENS, do_sample=False
        )
    tokenizer: Any = AutoTokenizer.from_pretrained(folder)
    return str(tokenizer.decode(written[0, ids.shape[1] :], skip_special_tokens=True))


def answers(opened: HuggingFace, asked: list[Prompt], adapter: Path | None = None) -> list[str]:
    found = {
        answer.sample_id: answer.text
        for answer in opened.write(asked, Decode(max_new_tokens=TOKENS), "keep-start", adapter)
    }
    return [found[prompt.sample_id] for prompt in asked]


@NIGHTLY  # a minute; `make real` runs it too
@pytest.mark.parametrize("name", DECODERS)
def test_greedy_answers_in_a_batch_are_those_of_plain_transformers_one_by_one(
    name, opened, plain, real
) -> None:
    asked = prompts(3) + prompts(4, repeat=12)[3:]  # the last is longer than Gemma's window of 512 tokens
    longest = max(plain_ids(real(name), prompt).shape[1] for prompt in asked)
    assert longest > 512
    wanted = [greedy(plain(name), real(name), prompt) for prompt in asked]
    assert [text.strip() for text in answers(opened(name), asked)] == [text.strip() for text in wanted]
    assert len(set(wanted)) == len(wanted)


@pytest.mark.parametrize("name", DECODERS)
def test_likelihoods_are_those_of_a_plain_forward_pass(name, opened, plain, real) -> None:
    asked = prompts(2)
    tokenizer = AutoTokenizer.from_pretrained(real(name))
    for found in opened(name).likelihoods(asked, "keep-start", None):
        prompt = next(prompt for prompt in asked if prompt.sample_id == found.sample_id)
        ids = plain_ids(real(name), prompt)
        for text, option in zip(prompt.options, found.options, strict=True):
            blank = "" if tokenizer.chat_template else " "  # a text goes on after a blank
            more = tokenizer(blank + text, add_special_tokens=False, return_tensors="pt").input_ids
            both = torch.cat([ids, more], dim=1)
            with torch.no_grad():
                logits = plain(name)(both).logits[0, ids.shape[1] - 1 : -1].double()
            wanted = logits.log_softmax(-1).gather(1, more[0][:, None]).sum().item()
            assert option.logprob == pytest.approx(wanted, abs=1e-4)


def test_an_adapter_of_plain_peft_answers_the_same_here(opened, plain, real, tmp_path) -> None:
    torch.manual_seed(0)
    base = AutoModelForCausalLM.from_pretrained(real("smollm2"), dtype=torch.float32)
    config = LoraConfig(
        r=4, lora_alpha=16, target_modules=["q_proj", "v_proj", "down_proj"], task_type="CAUSAL_LM"
    )
    theirs = get_peft_model(base, config)
    optimizer = torch.optim.AdamW([p for p in theirs.parameters() if p.requires_grad], lr=2e-3)
    ids = plain_ids(real("smollm2"), prompts(1)[0])[:, :96]
    for _ in range(3):
        theirs(input_ids=ids, labels=ids).loss.backward()
        optimizer.step()
        optimizer.zero_grad()
    theirs.save_pretrained(str(tmp_path))
    asked = prompts(2)
    wanted = [greedy(theirs.eval(), real("smollm2"), prompt).strip() for prompt in asked]
    assert [text.strip() for text in answers(opened("smollm2"), asked, tmp_path)] == wanted
    assert wanted != [text.strip() for text in answers(opened("smollm2"), asked)]


SUITE = """
tasks: [dialogues]
models: [{{name: smollm2, uri: "file:{folder}"}}]
recipes:
  - {{name: short, rank: 4, alpha: 8, targets: [q, v], steps: 3, batch_size: 2, learning_rate: 2e-3, max_tokens: 192,
     max_samples: 16, validation_samples: 2, validations: 2}}
train_on: [dialogues]
weights: false
limit: 2
"""


def command(folder: Path, name: str) -> list[str]:
    return [
        *(sys.executable, "-m", "harness", "run", str(folder / "real.yaml"), "--device", "cpu", "--offline"),
        *("--workers", "1", "--store", str(folder / name / "store"), "--out", str(folder / name / "out")),
    ]


def trained(run: Path) -> Path:
    return next((run / "store" / "done").glob("*/adapter/adapter_model.safetensors"))


@NIGHTLY  # two minutes and more; `make real` runs it too
def test_killed_in_training_it_ends_in_the_same_adapter_which_plain_peft_answers_with(
    plain, real, tmp_path
) -> None:
    (tmp_path / "real.yaml").write_text(SUITE.format(folder=real("smollm2")))
    subprocess.run(command(tmp_path, "whole"), check=True, capture_output=True)
    process = subprocess.Popen(
        command(tmp_path, "killed"),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    deadline = time.monotonic() + 600
    while not any(
        path.stat().st_size for path in (tmp_path / "killed").glob("store/work/*/checkpoint.safetensors")
    ):
        assert process.poll() is None, "the run ended before it was killed"
        assert time.monotonic() < deadline
        time.sleep(0.01)
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    subprocess.run(command(tmp_path, "killed"), check=True, capture_output=True)
    whole, killed = trained(tmp_path / "whole"), trained(tmp_path / "killed")
    assert killed.read_bytes() == whole.read_bytes()
    found = json.loads((tmp_path / "whole" / "out" / "result.json").read_text())
    assert found["suite"]["models"][0]["stored"].startswith("GGUF Q4_1")

    with gzip.open(tmp_path / "killed" / "out" / "generations.jsonl.gz", "rt", encoding="utf-8") as file:
        lines = [line for line in map(json.loads, file) if line["adapter"] == "short"]
    theirs = PeftModel.from_pretrained(
        AutoModelForCausalLM.from_pretrained(real("smollm2"), dtype=torch.float32), whole.parent
    ).eval()
    assert len(lines) == 2
    for nth, line in enumerate(sorted(lines, key=lambda line: line["sample_id"])[:2]):
        with gzip.open(tmp_path / "whole" / "out" / "samples.jsonl.gz", "rt", encoding="utf-8") as file:
            inputs = {sample["sample_id"]: sample["input"] for sample in map(json.loads, file)}
        prompt = Prompt(
            sample_id=str(nth),
            before="Summarise the conversation in one or two sentences.\n\n",
            input=inputs[line["sample_id"]],
            after="\n\nSummary:",
        )
        wanted = greedy(theirs, real("smollm2"), prompt).strip()
        assert wanted.startswith(line["text"].strip()) or line["text"].strip().startswith(wanted)


@pytest.mark.parametrize("count", [10, pytest.param(None, marks=NIGHTLY)])
def test_weights_of_minilm_are_those_that_weightwatcher_finds(real, count: int | None) -> None:
    folder, family = real("minilm"), families.of("bert")

    def rows(*, oracle: bool) -> list[WeightRow]:
        weighing = Weighing(oracle=oracle)
        return list(
            islice(analyse(folder, family, None, model="m", adapter_name="a", weighing=weighing), count)
        )

    mine, theirs = rows(oracle=False), rows(oracle=True)
    assert len(mine) == len(theirs) >= (count or 36)
    for one, other in zip(mine, theirs, strict=True):
        assert (one.layer, one.status) == (other.layer, other.status)
        for number, value in other.numbers.items():
            loose = 1e-6 if number == "sv_min" else 1e-9
            assert one.numbers[number] == pytest.approx(value, rel=loose, abs=1e-9), (one.layer, number)
    assert sum(row.status == "analysed" for row in mine) >= (6 if count else 36)  # a layer has six matrices
