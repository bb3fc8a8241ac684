"""A base that bitsandbytes quantises while it is loaded: the same numbers as plain transformers and peft, on a CPU too."""

import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest
import torch
from bitsandbytes import functional
from bitsandbytes.nn.modules import Linear4bit, Linear8bitLt
from peft import PeftModel, prepare_model_for_kbit_training
from safetensors.torch import load_file
from transformers import AutoModelForCausalLM, AutoModelForSeq2SeqLM, BitsAndBytesConfig

from harness.checkpoints.adapter import WEIGHTS
from harness.neural import lora
from harness.neural.decode import write
from harness.neural.load import Base
from harness.neural.memory import Budget
from harness.neural.objectives import Example
from harness.neural.train import train
from harness.types import Decode, Prompt, Recipe
from tests.neural.rounding import distance, rounding

SETTINGS: Mapping[str, dict[str, Any]] = {
    "int8": {"load_in_8bit": True},
    "nf4": {"load_in_4bit": True, "bnb_4bit_quant_type": "nf4"},
    "fp4": {"load_in_4bit": True, "bnb_4bit_quant_type": "fp4"},
}
FOUR_BITS = {"bnb_4bit_use_double_quant": True, "bnb_4bit_compute_dtype": torch.float32}
RECIPE = Recipe(
    name="test", rank=4, alpha=8, steps=30, batch_size=4, learning_rate=1e-2, targets=("all-linear",)
)
GRADIENTS_ALIKE = 1e-4  # of their length; two ways to compute one product round apart by 1e-6
Open = Callable[..., Base]


@pytest.fixture(params=list(SETTINGS))
def scheme(request: pytest.FixtureRequest) -> str:
    """A way to quantise."""
    return str(request.param)


def plain_model(folder: Path, scheme: str) -> Any:
    """The model as transformers alone quantises it."""
    kind = AutoModelForSeq2SeqLM if folder.name.startswith("t5") else AutoModelForCausalLM
    how = BitsAndBytesConfig(**SETTINGS[scheme], **(FOUR_BITS if scheme != "int8" else {}))
    found = kind.from_pretrained(
        folder, dtype=torch.float32, quantization_config=how, device_map="cpu"
    ).eval()
    for module in found.modules():
        if isinstance(module, Linear4bit):  # else some processors pack the matrix, and compute in bfloat16
            module.support_avx512bf16_for_cpu = False
    return found


def logits(model: Any, *, seq2seq: bool) -> torch.Tensor:
    ids = torch.arange(3, 23).reshape(2, 10)
    with torch.no_grad():
        found: torch.Tensor = model(input_ids=ids, **({"decoder_input_ids": ids} if seq2seq else {})).logits
    return found


def adapter_of(base: Base, folder: Path) -> Path:
    """Factors with random B, as if trained."""
    attached = lora.attach(base, RECIPE, 0)
    torch.manual_seed(1)
    lora.save(
        attached, base, folder, {name: torch.randn_like(at) * 0.1 for name, at in attached.tensors().items()}
    )
    attached.detach()
    return folder


@pytest.mark.parametrize("family", ["llama", "t5"])
def test_base_and_adapter_give_the_logits_of_plain_transformers_and_peft(
    folders: Callable[..., Path], open_base: Open, tmp_path: Path, family: str, scheme: str
) -> None:
    folder, seq2seq = folders(family), family == "t5"
    unquantised, base, plain = (
        open_base(folder),
        open_base(folder, quantization=scheme),
        plain_model(folder, scheme),
    )
    own = logits(base.model, seq2seq=seq2seq)
    assert torch.equal(own, logits(plain, seq2seq=seq2seq))
    there = logits(unquantised.model, seq2seq=seq2seq)
    assert distance(own, there) > 1e-3  # quantising moves numbers
    with lora.adapted(base, adapter_of(base, tmp_path)):
        ours = logits(base.model, seq2seq=seq2seq)
    theirs = logits(PeftModel.from_pretrained(plain, str(tmp_path)).eval(), seq2seq=seq2seq)
    apart = rounding(unquantised.model, lambda: logits(unquantised.model, seq2seq=seq2seq))
    assert distance(ours, theirs) <= apart
    assert distance(ours, own) > 100 * apart
    assert torch.equal(
        logits(base.model, seq2seq=seq2seq), own
    )  # nothing was merged into the quantised matrices


IMPORTS = """
import sys
sys.path.insert(0, {folder!r})
from harness.neural.foreign import silent_import
with silent_import():
    import bitsandbytes, peft
import kernels
"""


@pytest.mark.slow
def test_no_code_is_fetched_for_it(tmp_path: Path) -> None:
    """On some processors bitsandbytes asks the package `kernels` for code of the hub; anyone else may have that package."""
    (tmp_path / "kernels.py").write_text(
        "print('asked')\ndef get_kernel(*_, **__): raise SystemExit('fetched')\n"
    )
    program = IMPORTS.format(folder=str(tmp_path))
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout == "asked\n"  # by the last line of the program alone


def test_falcons_layers_are_quantised_too(folders: Callable[..., Path], open_base: Open, scheme: str) -> None:
    base, plain = open_base(folders("falcon"), quantization=scheme), open_base(folders("falcon"))
    own, before = logits(base.model, seq2seq=False), logits(plain.model, seq2seq=False)
    assert distance(own, before) > 1e-3  # plain transformers 5.23 leaves them as they are
    kind = Linear8bitLt if scheme == "int8" else Linear4bit
    layers = [name for name, module in base.model.named_modules() if isinstance(module, kind)]
    assert len(layers) == 8  # 4 in each of 2 blocks
    if scheme != "int8":  # which quantises what a layer reads too
        with torch.no_grad():
            for name in layers:
                quantised: Any = base.model.get_submodule(name).weight
                whole: Any = plain.model.get_submodule(name).weight
                whole.copy_(functional.dequantize_4bit(quantised.data, quantised.quant_state))
        expected = logits(plain.model, seq2seq=False)
        assert distance(own, expected) <= rounding(plain.model, lambda: logits(plain.model, seq2seq=False))


def test_the_gradients_are_those_of_peft_on_a_base_prepared_for_training(
    folders: Callable[..., Path], open_base: Open, tmp_path: Path, scheme: str
) -> None:
    base = open_base(folders("llama"), quantization=scheme)
    adapter_of(base, tmp_path)
    prepared = prepare_model_for_kbit_training(
        plain_model(folders("llama"), scheme), use_gradient_checkpointing=False
    )
    theirs = PeftModel.from_pretrained(prepared, str(tmp_path), is_trainable=True)
    ids = torch.arange(3, 23).reshape(2, 10)
    attached = lora.attach(base, RECIPE, 0)
    attached.put(load_file(tmp_path / WEIGHTS))
    loss, wanted = (model(input_ids=ids, labels=ids).loss for model in (base.model, theirs))
    assert loss.item() == pytest.approx(wanted.item(), rel=1e-5)
    loss.backward()
    wanted.backward()
    found = sum(
        parameter.grad.double().square().sum()
        for parameter in attached.parameters
        if parameter.grad is not None
    )
    expected = sum(at.grad.double().square().sum() for at in theirs.parameters() if at.grad is not None)
    assert float(found) == pytest.approx(float(expected), rel=GRADIENTS_ALIKE)
    attached.detach()


def test_an_adapter_learns_on_a_quantised_base(
    folders: Callable[..., Path], open_base: Open, prompts: list[Prompt], tmp_path: Path, scheme: str
) -> None:
    base = open_base(folders("llama"), quantization=scheme)
    told = [Example(id=one.sample_id, prompt=one, answer="Anna brings the car.") for one in prompts[:4]]
    before = list(write(base, prompts[:4], Decode(max_new_tokens=20), "keep-start", Budget(2000)))
    trained = train(base, told, told, RECIPE, 0, tmp_path)
    assert trained.best_validation_loss is not None
    assert trained.best_validation_loss < 1.0
    with lora.adapted(base, tmp_path / "adapter"):
        answers = list(write(base, prompts[:4], Decode(max_new_tokens=20), "keep-start", Budget(2000)))
    assert {one.text for one in answers} != {one.text for one in before}
