"""The main job on a real model: trained, killed, continued, and checked against plain transformers, peft and numpy."""

import gzip
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import jsonschema
import numpy as np
import pytest

from harness.checkpoints import adapter
from harness.checkpoints.safetensors import TensorFile
from harness.files import shipped
from harness.results.schema import json_schema

pytestmark = pytest.mark.slow

SUITE = """
tasks: [dialogues]
models:
  - {name: falcon, uri: zoo:falcon-tiny}
recipes:
  - {name: short, rank: 4, alpha: 8, dropout: 0.1, targets: [all-linear], steps: 12, batch_size: 4,
     learning_rate: 3e-3, max_samples: 48, validation_samples: 8}
train_on: [dialogues]
limit: 24
"""


def command(folder: Path, name: str) -> list[str]:
    return [
        *(sys.executable, "-m", "harness", "run", str(folder / "real.yaml"), "--device", "cpu", "--offline"),
        *("--workers", "1", "--store", str(folder / name / "store"), "--out", str(folder / name / "out")),
    ]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("real")
    (folder / "real.yaml").write_text(SUITE)
    return folder


@pytest.fixture(scope="module")
def whole(folder: Path) -> Path:
    """A run that nobody disturbed."""
    subprocess.run(command(folder, "whole"), check=True, capture_output=True)
    return folder / "whole"


def kill_when(folder: Path, pattern: str) -> None:
    """Starts or continues the run, and ends it and its workers by SIGKILL once a file is there."""
    process = subprocess.Popen(
        command(folder, "killed"),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    deadline = time.monotonic() + 240
    while not [path for path in (folder / "killed").glob(pattern) if path.stat().st_size]:
        assert process.poll() is None, f"the run ended before {pattern} was there"
        assert time.monotonic() < deadline
        time.sleep(0.005)
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def adapter_file(run: Path) -> Path:
    return next((run / "store" / "done").glob("*/adapter/adapter_model.safetensors"))


def generations(run: Path) -> list[dict]:
    with gzip.open(run / "out" / "generations.jsonl.gz", "rt", encoding="utf-8") as file:
        return [json.loads(line) for line in file]


def result(run: Path) -> dict:
    return json.loads((run / "out" / "result.json").read_text())


@pytest.mark.timeout(900)
def test_killed_in_training_and_in_generation_then_continued_equals_undisturbed(
    folder: Path, whole: Path
) -> None:
    kill_when(folder, "store/work/*/checkpoint.safetensors")
    kill_when(folder, "store/work/*/generations.jsonl")
    subprocess.run(command(folder, "killed"), check=True, capture_output=True)
    killed = folder / "killed"
    assert adapter_file(killed).read_bytes() == adapter_file(whole).read_bytes()
    assert generations(killed) == generations(whole)
    assert (killed / "out" / "rows.parquet").read_bytes() == (whole / "out" / "rows.parquet").read_bytes()
    for key in ("scores", "comparisons", "weights", "notes"):
        assert result(killed)[key] == result(whole)[key]


def test_the_result_keeps_to_its_schema(whole: Path) -> None:
    jsonschema.validate(result(whole), json_schema())
    assert {row["part"] for row in result(whole)["weights"]} == {"W", "delta", "merged"}
    assert {cost["quantity"] for cost in result(whole)["costs"]} >= {
        *("training time", "trainable parameters", "adapter size", "generation speed", "peak memory"),
    }


def test_a_second_store_gives_equal_scores(folder: Path, whole: Path) -> None:
    again = [part.replace("/whole/", "/again/") for part in command(folder, "whole")]
    subprocess.run(again, check=True, capture_output=True)
    assert result(folder / "again")["scores"] == result(whole)["scores"]


@pytest.fixture(scope="module")
def plain(whole: Path) -> Iterator[object]:
    """The base and the trained adapter as plain peft loads them."""
    import torch
    from peft import PeftModel
    from transformers import AutoModelForCausalLM

    torch.set_num_threads(1)
    base = AutoModelForCausalLM.from_pretrained(shipped.zoo_folder("falcon-tiny"), dtype=torch.float32)
    yield PeftModel.from_pretrained(base, adapter_file(whole).parent).eval()


def test_plain_peft_gives_the_same_answers(whole: Path, plain: object) -> None:
    import torch
    from transformers import AutoTokenizer

    tokenizer = AutoTokenizer.from_pretrained(shipped.zoo_folder("falcon-tiny"))
    with gzip.open(whole / "out" / "samples.jsonl.gz", "rt", encoding="utf-8") as file:
        inputs = {sample["sample_id"]: sample["input"] for sample in map(json.loads, file)}
    answers = [line for line in generations(whole) if line["adapter"] == "short"]
    assert len(answers) == 24
    assert len({line["text"] for line in answers}) > 3, "answers that are all alike would prove little"
    for line in answers[:12]:
        text = (
            f"Summarise the conversation in one or two sentences.\n\n{inputs[line['sample_id']]}\n\nSummary:"
        )
        prompt = tokenizer(text, return_tensors="pt")
        with torch.inference_mode():
            written = plain.generate(  # type: ignore[attr-defined]
                input_ids=prompt.input_ids,
                attention_mask=prompt.attention_mask,
                max_new_tokens=32,
                do_sample=False,
            )
        answer = tokenizer.decode(written[0, prompt.input_ids.shape[1] :], skip_special_tokens=True)
        assert isinstance(answer, str)
        assert line["text"] == answer.partition("\n")[0].strip()


def test_the_spectrum_of_merged_weights_is_numpys(whole: Path) -> None:
    """λ_max of `merged` on W + (lora_alpha / r)·B·A, by numpy, to 1e-5 relative."""
    base = TensorFile(shipped.zoo_folder("falcon-tiny") / "model.safetensors")
    factors = adapter.read(adapter_file(whole).parent).modules
    config = json.loads((adapter_file(whole).parent / "adapter_config.json").read_text())
    assert (config["lora_alpha"], config["r"]) == (8, 4)
    merged = {row["layer"]: row for row in result(whole)["weights"] if row["part"] == "merged"}
    assert len(merged) == len(factors) == 20  # five layers of four matrices
    for layer, row in merged.items():
        name = next(
            name for name in factors if layer.startswith(name) or name.endswith(layer.removesuffix(".weight"))
        )
        A, B = (matrix.astype(np.float64) for matrix in (factors[name].A, factors[name].B))
        W = base.read(layer if layer in base.names else f"{layer}.weight").astype(np.float64)
        largest = np.linalg.svd(W + 8 / 4 * B @ A, compute_uv=False)[0] ** 2
        assert row["lambda_max"] == pytest.approx(largest, rel=1e-5)
