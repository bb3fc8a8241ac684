"""Adapters in PEFT layout: ours load in plain peft, peft's load here, and the base stays what it was."""

import contextlib
import json
import logging
import subprocess
import sys
import textwrap
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from peft import LoraConfig, PeftModel, get_peft_model
from safetensors.torch import load_file, save_file
from transformers import (
    AutoConfig,
    AutoModelForCausalLM,
    AutoModelForSeq2SeqLM,
    AutoTokenizer,
    GPT2Config,
    GPT2LMHeadModel,
)

from harness.checkpoints.adapter import CONFIG, WEIGHTS
from harness.checkpoints.folder import ADAPTER_RECORD
from harness.errors import AdapterError, UnknownName
from harness.files import shipped
from harness.neural import lora
from harness.neural.decode import write
from harness.neural.foreign import silent_import
from harness.neural.load import Base
from harness.neural.memory import Budget
from harness.neural.objectives import Example, TrainedHead
from harness.neural.train import train
from harness.types import Decode, Prompt, Recipe
from tests.neural.rounding import distance, rounding

EIGHT = Decode(max_new_tokens=8)
RECIPE = Recipe(name="test", rank=4, alpha=8, steps=1)


def make_adapter(base: Base, folder: Path, recipe: Recipe = RECIPE, seed: int = 0) -> Path:
    """Factors with random B, as if trained."""
    head = TrainedHead(labels=("one", "other")) if base.architecture.head else None
    model = lora.attach(base, recipe, seed, head)
    torch.manual_seed(seed + 1)
    tensors = {name: torch.randn_like(tensor) * 0.3 for name, tensor in model.tensors().items()}
    lora.save(model, base, folder, tensors)
    model.detach()
    return folder


def ask(base: Base, prompts: list[Prompt]) -> dict[str, str]:
    return {one.sample_id: one.text for one in write(base, prompts, EIGHT, "keep-start", Budget(2000))}


def ask_plainly(model: Any, base: Base, prompt: Prompt) -> str:
    """transformers' own generate on transformers' own tokenizer."""
    encoded = base.tokenizer(prompt.text, return_tensors="pt", return_token_type_ids=False)
    out = model.generate(**encoded, max_new_tokens=8, do_sample=False, pad_token_id=base.pad)[0]
    new = out if base.architecture.name == "seq2seq" else out[encoded["input_ids"].shape[1] :]
    text: str = base.tokenizer.decode(new, skip_special_tokens=True)
    return text.strip()


def logits(base: Base) -> torch.Tensor:
    return logits_of(base.model, seq2seq=base.architecture.name == "seq2seq")


def logits_of(model: torch.nn.Module, *, seq2seq: bool = False) -> torch.Tensor:
    ids = torch.arange(3, 23).reshape(2, 10)
    more = {"decoder_input_ids": ids} if seq2seq else {}
    with torch.no_grad():
        found: torch.Tensor = model(input_ids=ids, **more).logits
    return found


@pytest.mark.slow
def test_our_adapter_gives_the_same_answers_in_plain_peft(
    base: Base, folders: Callable[..., Path], prompts: list[Prompt], tmp_path: Path
) -> None:
    make_adapter(base, tmp_path)
    with lora.adapted(base, tmp_path):
        ours = ask(base, prompts)
    assert ours != ask(base, prompts)
    kind = AutoModelForSeq2SeqLM if base.architecture.name == "seq2seq" else AutoModelForCausalLM
    plain = kind.from_pretrained(folders(base.family.name), dtype=torch.float32).eval()
    peft_model = PeftModel.from_pretrained(plain, str(tmp_path)).eval()
    assert {prompt.sample_id: ask_plainly(peft_model, base, prompt) for prompt in prompts} == ours


@pytest.mark.slow
@pytest.mark.parametrize(
    "said",
    [
        {},
        {"use_rslora": True},
        {"rank_pattern": {"0.self_attn.q_proj": 2}, "alpha_pattern": {"up_proj": 3}},
        {"target_modules": r".*\.1\..*(q|v)_proj"},
        {"target_modules": "all-linear"},
        {"target_modules": ["q_proj", "lm_head"]},
        # What peft is asked for.
        {"use_dora": True},
        {"target_modules": ["embed_tokens", "q_proj"]},
        {"modules_to_save": ["lm_head"]},
        {"layers_to_transform": [1]},
        {"exclude_modules": ["layers.0.self_attn.q_proj"]},
        {"bias": "lora_only"},
        {"init_lora_weights": "pissa"},
        {"init_lora_weights": "olora"},
    ],
    ids=str,
)
def test_pefts_adapter_gives_the_same_logits_here(
    llama: Base, folders: Callable[..., Path], tmp_path: Path, said: dict[str, object]
) -> None:
    plain = AutoModelForCausalLM.from_pretrained(folders("llama"), dtype=torch.float32).eval()
    usual = {"r": 4, "lora_alpha": 8, "target_modules": ["q_proj", "up_proj"], "init_lora_weights": False}
    torch.manual_seed(1)
    theirs = get_peft_model(plain, LoraConfig(**usual | said))  # type: ignore[arg-type]
    with torch.no_grad():
        for parameter in theirs.parameters():
            if parameter.requires_grad:
                parameter.add_(torch.randn_like(parameter) * 0.1)
    theirs.save_pretrained(str(tmp_path))
    wanted = logits_of(theirs)
    apart = rounding(theirs, lambda: logits_of(theirs))  # merged and beside it round apart
    before = {name: tensor.clone() for name, tensor in llama.model.state_dict().items()}
    own = logits(llama)
    with lora.adapted(llama, tmp_path):
        assert distance(logits(llama), wanted) <= apart
        assert distance(logits(llama), own) > 100 * apart
    assert lora.unverified_base(llama, tmp_path) is not None  # it names a folder of this disk
    after = llama.model.state_dict()
    assert after.keys() == before.keys()
    assert all(torch.equal(after[name], tensor) for name, tensor in before.items())


@pytest.fixture
def gpt2(folders: Callable[..., Path], open_base: Callable[..., Base], tmp_path: Path) -> Base:
    """A model of Conv1D layers, which keep their matrices the other way round, and have biases."""
    tokenizer = AutoTokenizer.from_pretrained(folders("llama"))
    torch.manual_seed(0)
    config = GPT2Config(n_embd=32, n_layer=2, n_head=4, vocab_size=len(tokenizer), initializer_range=0.3)
    GPT2LMHeadModel(config).save_pretrained(tmp_path / "model")
    tokenizer.save_pretrained(tmp_path / "model")
    return open_base(tmp_path / "model")


@pytest.mark.parametrize("said", [{}, {"bias": "all"}, {"modules_to_save": ["ln_f"]}], ids=str)
def test_what_peft_leaves_behind_on_a_base_is_taken_off(
    gpt2: Base, tmp_path: Path, said: dict[str, object]
) -> None:
    plain = AutoModelForCausalLM.from_pretrained(tmp_path / "model", dtype=torch.float32).eval()
    config = LoraConfig(r=4, target_modules=["c_attn"], fan_in_fan_out=True, **said)  # type: ignore[arg-type]
    theirs = get_peft_model(plain, config)
    with torch.no_grad():
        for parameter in theirs.parameters():
            if parameter.requires_grad:
                parameter.add_(torch.randn_like(parameter) * 0.1)
    theirs.save_pretrained(str(tmp_path / "adapter"))
    wanted = logits_of(theirs)
    apart = rounding(theirs, lambda: logits_of(theirs))  # merged and beside it round apart
    before = {name: tensor.clone() for name, tensor in gpt2.model.state_dict().items()}
    with lora.adapted(gpt2, tmp_path / "adapter"):
        assert distance(logits(gpt2), wanted) <= apart
    after = gpt2.model.state_dict()
    assert after.keys() == before.keys()
    assert all(torch.equal(after[name], tensor) for name, tensor in before.items())
    assert not any(parameter.requires_grad for parameter in gpt2.model.parameters())


def test_a_recipe_on_layers_that_are_not_linear_is_trained_by_peft(
    gpt2: Base, prompts: list[Prompt], tmp_path: Path
) -> None:
    told = [Example(id=p.sample_id, prompt=p, answer="Anna is late.") for p in prompts[:4]]
    recipe = replace(RECIPE, targets=("all-linear",), steps=8, learning_rate=1e-2, batch_size=4)
    before = {name: tensor.clone() for name, tensor in gpt2.model.state_dict().items()}
    trained = train(gpt2, told, told, recipe, 0, tmp_path / "trained")
    points = [json.loads(line) for line in (tmp_path / "trained" / "curve.jsonl").read_text().splitlines()]
    assert points[-1]["loss"] < points[0]["loss"]
    assert trained.trainable_parameters == sum(
        tensor.numel() for tensor in load_file(tmp_path / "trained" / "adapter" / WEIGHTS).values()
    )
    plain = logits(gpt2)
    with lora.adapted(gpt2, tmp_path / "trained" / "adapter"):
        assert not torch.allclose(logits(gpt2), plain, atol=1e-3)
    after = gpt2.model.state_dict()
    assert all(torch.equal(after[name], tensor) for name, tensor in before.items())


@pytest.mark.parametrize("dtype", ["float32", "bfloat16"])
@pytest.mark.parametrize("target", ["lm_head", "down_proj"])
def test_a_tied_head_keeps_the_embedding_as_it_is(
    folders: Callable[..., Path], open_base: Callable[..., Base], tmp_path: Path, dtype: str, target: str
) -> None:
    """Added into the head's matrix the update would change the embedding too."""
    torch.manual_seed(0)
    tied = AutoConfig.from_pretrained(folders("llama"), tie_word_embeddings=True)
    AutoModelForCausalLM.from_config(tied).save_pretrained(tmp_path / "model")
    AutoTokenizer.from_pretrained(folders("llama")).save_pretrained(tmp_path / "model")
    base = open_base(tmp_path / "model", dtype=dtype)
    plain = AutoModelForCausalLM.from_pretrained(tmp_path / "model", dtype=base.dtype).eval()
    config = LoraConfig(r=4, lora_alpha=8, target_modules=[target], init_lora_weights=False)
    theirs = get_peft_model(plain, config)
    theirs.save_pretrained(str(tmp_path / "adapter"))
    wanted = logits_of(theirs)
    apart = rounding(theirs, lambda: logits_of(theirs))  # merged and beside it round apart
    before = logits(base)
    with lora.adapted(base, tmp_path / "adapter"):
        found = logits(base)
        assert base.model.lm_head.weight is base.model.get_input_embeddings().weight
    assert distance(found, wanted) <= apart
    assert distance(found, before) > 2 * apart
    assert torch.equal(logits(base), before)


def test_one_adapter_after_another_is_what_it_is_alone_and_the_base_the_same_bit_for_bit(
    base: Base, tmp_path: Path
) -> None:
    every = replace(RECIPE, targets=("all-linear",))
    one, other = (
        make_adapter(base, tmp_path / "one", every),
        make_adapter(base, tmp_path / "other", RECIPE, 5),
    )
    before = {name: tensor.clone() for name, tensor in base.model.state_dict().items()}
    alone = {}
    for folder in (one, other):
        with lora.adapted(base, folder):
            alone[folder] = logits(base)
    for folder in (one, other, one, one, other):
        with contextlib.suppress(KeyError), lora.adapted(base, folder):
            assert torch.equal(logits(base), alone[folder])
            raise KeyError("in the middle")
    after = base.model.state_dict()
    assert after.keys() == before.keys()
    assert all(torch.equal(after[name], tensor) for name, tensor in before.items())


@pytest.mark.parametrize("name", shipped.zoo_names())
def test_a_tiny_model_is_the_same_bit_for_bit_after_its_adapters(
    open_base: Callable[..., Base], tmp_path: Path, name: str
) -> None:
    base = open_base(shipped.zoo_folder(name))
    every = replace(RECIPE, targets=("all-linear",))
    one, other = (
        make_adapter(base, tmp_path / "one", every),
        make_adapter(base, tmp_path / "other", RECIPE, 5),
    )
    before = {name: tensor.clone() for name, tensor in base.model.state_dict().items()}
    plain = logits(base)
    for folder in (one, other):
        with lora.adapted(base, folder):
            assert not torch.allclose(logits(base), plain, atol=1e-2)
    after = base.model.state_dict()
    assert after.keys() == before.keys()
    assert all(
        torch.equal(after[name].view(torch.int32), tensor.view(torch.int32))
        for name, tensor in before.items()
    )


def test_a_bfloat16_base_answers_with_the_factors_that_it_was_trained_with(
    base: Base, open_base: Callable[..., Base], folders: Callable[..., Path], tmp_path: Path
) -> None:
    """Beside the matrices, not in them: W + scale·B·A would round a small update away."""
    base = open_base(folders(base.family.name), dtype="bfloat16")
    attached = lora.attach(base, RECIPE, 0)
    small = {name: torch.randn_like(tensor) * 0.02 for name, tensor in attached.tensors().items()}
    attached.put(small)
    training = logits(base)
    apart = rounding(base.model, lambda: logits(base))
    lora.save(attached, base, tmp_path)
    attached.detach()
    before = logits(base)
    with lora.adapted(base, tmp_path):
        answering = logits(base)
    assert distance(answering, training) <= apart
    assert not torch.equal(answering, before)
    assert torch.equal(logits(base), before)


@pytest.mark.slow
def test_plain_lora_is_trained_and_applied_without_importing_peft(
    folders: Callable[..., Path], tmp_path: Path
) -> None:
    program = f"""
        import sys
        from pathlib import Path
        from harness.neural.load import load
        from harness.neural.lora import adapted, inert, unverified_base
        from harness.neural.objectives import Example, TrainedHead
        from harness.neural.train import train
        from harness.types import Model, ModelPin, Prompt, Recipe, Runtime
        pin = ModelPin(revision="", parameters=None, checkpoint_bytes=None, dtype="float32", family=None)
        base = load(Path({str(folders("t5"))!r}), Model(name="t5", uri="zoo:two-layers"), pin, Runtime())
        prompt = Prompt(sample_id="s", before="Summarise. ", input="Anna will bring the red car.", after="")
        recipe = Recipe(name="r", rank=2, steps=2, batch_size=1, targets=("all-linear",))
        out = Path({str(tmp_path)!r})
        train(base, [Example(id="s", prompt=prompt, answer="Anna brings it.")], [], recipe, 0, out)
        with adapted(base, out / "adapter"):
            pass
        assert not inert(out / "adapter") and unverified_base(base, out / "adapter") is None
        assert "peft" not in sys.modules, [name for name in sys.modules if "peft" in name]
    """
    subprocess.run([sys.executable, "-c", textwrap.dedent(program)], check=True)


def test_an_adapter_adds_alpha_over_r_times_b_a(llama: Base, tmp_path: Path) -> None:
    """Merged equals attached, with the scale of Hu et al. 2021 and of rank-stabilised LoRA."""
    for recipe, scale in ((RECIPE, 8 / 4), (replace(RECIPE, rslora=True), 8 / 4**0.5)):
        folder = make_adapter(llama, tmp_path / str(recipe.rslora), recipe)
        with lora.adapted(llama, folder):
            attached = logits(llama)
            apart = rounding(llama.model, lambda: logits(llama))
        before = {name: tensor.clone() for name, tensor in llama.model.state_dict().items()}
        factors = load_file(folder / WEIGHTS)
        with torch.no_grad():
            for name, A in factors.items():
                if "lora_A" in name:
                    weight = llama.model.get_parameter(
                        name.removeprefix("base_model.model.").removesuffix(".lora_A.weight") + ".weight"
                    )
                    weight.add_(scale * factors[name.replace("lora_A", "lora_B")] @ A)
        assert distance(logits(llama), attached) <= apart
        llama.model.load_state_dict(before)


def test_new_factors_change_nothing_and_are_inert(base: Base, prompts: list[Prompt], tmp_path: Path) -> None:
    model = lora.attach(base, RECIPE, seed=0)
    lora.save(model, base, tmp_path / "new")
    model.detach()
    plain = logits(base)
    with lora.adapted(base, tmp_path / "new"):
        assert torch.equal(logits(base), plain)
    assert lora.inert(tmp_path / "new")
    assert not lora.inert(make_adapter(base, tmp_path / "other"))


def test_the_base_is_the_same_bit_for_bit_after_an_adapter(
    base: Base, prompts: list[Prompt], tmp_path: Path
) -> None:
    tensors = {name: tensor.clone() for name, tensor in base.model.state_dict().items()}
    modules = [name for name, _ in base.model.named_modules()]
    answers = ask(base, prompts)
    make_adapter(base, tmp_path, replace(RECIPE, targets=("all-linear",), dropout=0.1))
    with lora.adapted(base, tmp_path):
        assert ask(base, prompts) != answers
    with pytest.raises(RuntimeError, match="in the middle"), lora.adapted(base, tmp_path):
        raise RuntimeError("in the middle")
    assert [name for name, _ in base.model.named_modules()] == modules
    after = base.model.state_dict()
    assert after.keys() == tensors.keys()
    assert all(torch.equal(after[name], tensor) for name, tensor in tensors.items())
    assert not base.model.training
    assert not hasattr(base.model, "peft_config")
    assert ask(base, prompts) == answers


def test_factors_begin_as_the_seed_says_and_leave_torchs_own_seed_alone(llama: Base) -> None:
    torch.manual_seed(5)
    wanted = torch.rand(3)
    torch.manual_seed(5)
    found = []
    for seed in (1, 1, 2):
        model = lora.attach(llama, RECIPE, seed)
        found.append(model.tensors())
        model.detach()
    assert torch.equal(torch.rand(3), wanted)
    assert all(torch.equal(found[0][name], found[1][name]) for name in found[0])
    assert any(not torch.equal(found[0][name], found[2][name]) for name in found[0])


def test_the_same_factors_are_saved_as_the_same_bytes_and_name_no_path_of_this_disk(
    base: Base, tmp_path: Path
) -> None:
    one, two = make_adapter(base, tmp_path / "one"), make_adapter(base, tmp_path / "two")
    for name in (WEIGHTS, CONFIG, ADAPTER_RECORD):
        assert (one / name).read_bytes() == (two / name).read_bytes()
    config = json.loads((one / CONFIG).read_text())
    assert config["base_model_name_or_path"] == "zoo:two-layers"
    assert "/tmp" not in (one / CONFIG).read_text()
    assert {path.name for path in one.iterdir()} == {WEIGHTS, CONFIG, ADAPTER_RECORD}


def rename(folder: Path, change: Callable[[dict[str, torch.Tensor]], None]) -> None:
    tensors = load_file(folder / WEIGHTS)
    change(tensors)
    save_file(tensors, folder / WEIGHTS)


KEY = "base_model.model.model.layers.0.self_attn.q_proj.lora_A.weight"


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda t: t.pop(KEY), rf"{KEY} is missing"),
        (
            lambda t: t.update({KEY.replace("0", "7"): t[KEY].clone()}),
            r"layers\.7\..* has no place in the model",
        ),
        (lambda t: t.update({KEY: t[KEY][:, :16].clone()}), r"is \[4, 16\], the model needs \[4, 32\]"),
        (lambda t: t.update({KEY: t[KEY] * float("nan")}), rf"numbers that are not finite in {KEY}"),
        (lambda t: t.update({f"x{n}": t[KEY].clone() for n in range(9)}), r"and 6 more"),
    ],
)
def test_factors_that_do_not_match_are_named_and_the_base_stays(
    llama: Base, tmp_path: Path, change: Callable[[dict[str, torch.Tensor]], None], message: str
) -> None:
    plain = logits(llama)
    rename(make_adapter(llama, tmp_path), change)
    with pytest.raises(AdapterError, match=message), lora.adapted(llama, tmp_path):
        pass
    assert torch.equal(logits(llama), plain)
    assert not hasattr(llama.model, "peft_config")


def set_config(folder: Path, **said: object) -> Path:
    path = folder / CONFIG
    path.write_text(json.dumps({**json.loads(path.read_text()), **said}))
    return folder


def test_equal_shapes_are_not_enough(
    llama: Base, folders: Callable[..., Path], open_base: Callable[..., Base], tmp_path: Path
) -> None:
    """As Llama-2 and Meditron: the same layers, other weights."""
    other = open_base(folders("llama", seed=1), uri="hub:someone/else")
    make_adapter(llama, tmp_path)
    with (
        pytest.raises(AdapterError, match="was trained on zoo:two-layers with weights"),
        lora.adapted(other, tmp_path),
    ):
        pass
    (tmp_path / ADAPTER_RECORD).unlink()
    set_config(tmp_path, base_model_name_or_path="meta-llama/Llama-2-7b-hf")
    wrong = "trained on meta-llama/Llama-2-7b-hf, not on someone/else"
    with pytest.raises(AdapterError, match=wrong), lora.adapted(other, tmp_path):
        pass
    set_config(tmp_path, base_model_name_or_path="Someone/Else")
    assert lora.unverified_base(other, tmp_path) is None
    with lora.adapted(other, tmp_path):
        pass


@pytest.mark.parametrize("name", [None, "", "/home/me/llama", "./llama"])
def test_a_base_named_by_a_path_or_not_at_all_is_only_noted(
    llama: Base, tmp_path: Path, name: str | None
) -> None:
    (make_adapter(llama, tmp_path) / ADAPTER_RECORD).unlink()
    set_config(tmp_path, base_model_name_or_path=name)
    with lora.adapted(llama, tmp_path):
        pass
    assert "zoo:two-layers" in (lora.unverified_base(llama, tmp_path) or "")


def test_what_is_no_lora_adapter_is_refused_with_a_sentence(llama: Base, tmp_path: Path) -> None:
    with pytest.raises(AdapterError, match="PEFT's layout"), lora.adapted(llama, tmp_path):
        pass
    make_adapter(llama, tmp_path)
    (tmp_path / WEIGHTS).rename(tmp_path / "adapter_model.bin")
    with (
        pytest.raises(AdapterError, match="pickled weights; run `harness convert"),
        lora.adapted(llama, tmp_path),
    ):
        pass
    set_config(tmp_path, peft_type="PREFIX_TUNING")
    with (
        pytest.raises(AdapterError, match="peft_type is 'PREFIX_TUNING', which adds tokens"),
        lora.adapted(llama, tmp_path),
    ):
        pass


def test_targets_that_the_family_or_the_model_lacks_are_named(llama: Base, t5: Base) -> None:
    with pytest.raises(UnknownName, match="no LoRA target named 'kv'"):
        lora.attach(llama, replace(RECIPE, targets=("kv",)), 0)
    with pytest.raises(AdapterError, match=r"recipe test: targets \('q',\)"):
        lora.attach(replace(llama, family=t5.family), replace(RECIPE, targets=("q",)), 0)
    assert not hasattr(llama.model, "peft_config")


@pytest.mark.parametrize("dtype", ["float32", "bfloat16"])
@pytest.mark.parametrize("said", [{}, {"use_dora": True}], ids=["ours", "peft's"])
def test_an_update_that_no_number_can_hold_is_refused_by_layer(
    folders: Callable[..., Path],
    open_base: Callable[..., Base],
    tmp_path: Path,
    dtype: str,
    said: dict[str, object],
) -> None:
    """Each factor is finite, their product is not."""
    base = open_base(folders("llama"), dtype=dtype)
    before = {name: tensor.clone() for name, tensor in base.model.state_dict().items()}
    plain = AutoModelForCausalLM.from_pretrained(folders("llama"), dtype=torch.float32).eval()
    theirs = get_peft_model(plain, LoraConfig(r=4, lora_alpha=8, target_modules=["q_proj"], **said))  # type: ignore[arg-type]
    theirs.save_pretrained(str(tmp_path))
    weights = load_file(tmp_path / WEIGHTS)
    for name, tensor in weights.items():
        if ".1.self_attn.q_proj.lora_" in name and tensor.ndim == 2:
            tensor.fill_(1e25)
    save_file(weights, tmp_path / WEIGHTS)
    with (
        pytest.raises(
            AdapterError,
            match=rf"^adapter .*layers\.1\.self_attn\.q_proj: .* is larger than {dtype} can be; .*: fetch it again",
        ),
        lora.adapted(base, tmp_path),
    ):
        pass
    assert all(torch.equal(before[name], tensor) for name, tensor in base.model.state_dict().items())
    for name, tensor in weights.items():  # large, and still a number
        if ".1.self_attn.q_proj.lora_" in name and tensor.ndim == 2:
            tensor.fill_(1e15)
    save_file(weights, tmp_path / WEIGHTS)
    with lora.adapted(base, tmp_path):
        pass


def test_a_rank_that_no_tensor_has_is_refused_before_peft_makes_matrices_of_it(
    llama: Base, tmp_path: Path
) -> None:
    make_adapter(llama, tmp_path)
    said = json.loads((tmp_path / CONFIG).read_text())
    (tmp_path / CONFIG).write_text(json.dumps(said | {"use_dora": True, "r": 900_000}))
    with (
        pytest.raises(AdapterError, match=r"adapter_config\.json: found a rank of 900,000, the largest side"),
        lora.adapted(llama, tmp_path),
    ):
        pass


@pytest.mark.slow
def test_a_pattern_that_hangs_on_the_bases_names_is_refused_before_it_is_used(
    llama: Base, tmp_path: Path
) -> None:
    make_adapter(llama, tmp_path)
    said = json.loads((tmp_path / CONFIG).read_text())
    (tmp_path / CONFIG).write_text(json.dumps(said | {"exclude_modules": r"(.*[a-z_.]+)+!"}))
    with (
        pytest.raises(
            AdapterError, match=r"adapter_config\.json: exclude_modules: the pattern .* took more than"
        ),
        lora.adapted(llama, tmp_path),
    ):
        pass


def test_a_module_that_an_adapters_configuration_names_is_not_imported(
    llama: Base, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """peft imports what `megatron_core` names, wherever it is found."""
    make_adapter(llama, tmp_path / "adapter")
    (tmp_path / "a_strangers.py").write_text(f"open({str(tmp_path / 'it-ran')!r}, 'w')\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    set_config(tmp_path / "adapter", megatron_config={}, megatron_core="a_strangers")
    with (
        pytest.raises(AdapterError, match=r"adapter_config\.json: megatron_config names code"),
        lora.adapted(llama, tmp_path / "adapter"),
    ):
        pass
    assert not (tmp_path / "it-ran").exists()


@pytest.mark.slow
def test_peft_is_imported_without_a_word() -> None:
    """On some processors bitsandbytes tells of kernels that it would fetch."""
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", "import harness.neural.lora.by_peft"],
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout + done.stderr == ""


def test_bitsandbytes_may_speak_again_once_it_is_imported(caplog: pytest.LogCaptureFixture) -> None:
    with silent_import():
        logging.getLogger("bitsandbytes.backends.cpu.ops").warning("no kernels")
    logging.getLogger("bitsandbytes.backends.cpu.ops").warning("later")
    assert caplog.messages == ["later"]
