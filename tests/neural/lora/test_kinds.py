"""Every kind of adapter that peft puts into modules is trained, saved and applied as plain peft has it."""

import json
import math
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from peft import PeftModel
from peft.mapping import PEFT_TYPE_TO_CONFIG_MAPPING
from transformers import AutoModelForCausalLM, AutoModelForSeq2SeqLM, GPT2Config

from harness.checkpoints.adapter import NOT_IN_MODULES
from harness.errors import AdapterError, SuiteError
from harness.neural import lora
from harness.neural.load import Base, outline
from harness.neural.lora import kinds
from harness.neural.objectives import Example
from harness.neural.train import train
from harness.suite.load import load_recipes
from harness.types import Model, Prompt, Recipe, Weighing
from harness.weights.analyse import analyse
from tests.neural.conftest import CPU, PIN, make_tokenizer

RECIPE = Recipe(
    name="r", steps=3, batch_size=4, learning_rate=0.02, rank=4, alpha=8, targets=("all-linear",), warmup=0.0,
    schedule="constant", validation_samples=0,
)  # fmt: skip
EXAMPLES = [
    Example(id=str(n), prompt=Prompt(sample_id=str(n), before="", input="Ben meets " * (n + 1), after=""), answer="Anna")
    for n in range(4)
]  # fmt: skip
SMALL: Mapping[str, Mapping[str, Any]] = {  # settings that fit matrices of 32 rows, where a kind's own do not
    "BOFT": {"boft_block_size": 4},
    "C3A": {"block_size": 8},
    "FOURIERFT": {"n_frequency": 20},
    "LN_TUNING": {"target_modules": ["input_layernorm"]},
    "MISS": {"r": 4},
    "OFT": {"oft_block_size": 8},
    "ROAD": {"group_size": 16},
    "SHIRA": {"r": 4},
    "VBLORA": {"vector_length": 8, "num_vectors": 16},
    "WAVEFT": {"n_frequency": 20},
}
BY_DAY = (
    *(
        "ADALORA",
        "BOFT",
        "C3A",
        "DELORA",
        "FOURIERFT",
        "HRA",
        "IA3",
        "LN_TUNING",
        "LOHA",
        "LOKR",
        "MISS",
        "OFT",
    ),
    *("RANDLORA", "SHIRA", "VBLORA", "VERA"),
)
STARTS: Mapping[str, Mapping[str, Any]] = {
    "pissa": {"init": "pissa"},
    "olora": {"init": "olora"},
    "orthogonal": {"init": "orthogonal"},
    "gaussian": {"init": "gaussian"},
    "dora": {"use_dora": True},
    "dora, pissa": {"use_dora": True, "init": "pissa"},
    "patterns": {"rank_pattern": {"q_proj": 2}, "alpha_pattern": {"q_proj": 16}},
    "patterns, pissa": {"rank_pattern": {"q_proj": 2}, "alpha_pattern": {"q_proj": 16}, "init": "pissa"},
}
NEAR = 1e-4  # of logits of sizes up to 20, for kinds that start near the base, and for sums in another order
NO_MERGE = ("BEFT", "LILY")  # peft: biases that a linear map has no place for; not supported


def logits(base: Base, model: Any) -> torch.Tensor:
    ids = base.tokenizer("Ben meets Anna at the station", return_tensors="pt").input_ids
    more = {"decoder_input_ids": ids[:, :4]} if base.architecture.name == "seq2seq" else {}
    with torch.no_grad():
        return model(input_ids=ids, **more).logits


def plain(base: Base, folder: Path) -> Any:
    """The checkpoint by transformers alone, as plain peft gets it."""
    kind = AutoModelForSeq2SeqLM if base.architecture.name == "seq2seq" else AutoModelForCausalLM
    return kind.from_pretrained(folder, dtype=torch.float32).eval()


def table(base: Base, folder: Path, recipe: Recipe, here: Path, merges: bool) -> str:
    """Train an adapter, and compare what the harness and plain peft make of its folder; return a line of a table."""
    before = {name: tensor.clone() for name, tensor in base.model.state_dict().items()}
    untouched = logits(base, base.model)
    trained = train(base, EXAMPLES, [], recipe, 0, here)
    after = base.model.state_dict()
    assert all(torch.equal(tensor, after[name]) for name, tensor in before.items())
    with lora.adapted(base, here / "adapter"):
        ours = logits(base, base.model)
    after = base.model.state_dict()
    assert after.keys() == before.keys()
    assert all(torch.equal(tensor, after[name]) for name, tensor in before.items())
    theirs = PeftModel.from_pretrained(plain(base, folder), here / "adapter").eval()
    alone = logits(base, theirs)
    learnt, apart = float((ours - untouched).abs().max()), float((ours - alone).abs().max())
    assert learnt > 1e-3, "nothing was learnt"
    assert apart <= (0.0 if recipe.peft.get("type") else NEAR), "plain peft answers otherwise"
    said = f"{trained.trainable_parameters:>7,} parameters  learnt {learnt:.2g}  reloaded {apart:.0e}"
    if not merges:
        return f"{said}  no merge"
    merged = logits(base, theirs.merge_and_unload())
    # Of the largest logit: the same sums in another order
    off = float((merged - alone).abs().max() / alone.abs().max())
    assert off < 2e-5, "merging changes answers"
    return f"{said}  merged {off:.0e}"


@pytest.mark.parametrize("kind", BY_DAY)
def test_a_kind_trains_and_plain_peft_reloads_and_merges_it(
    llama: Base, folders: Callable[..., Path], tmp_path: Path, kind: str
) -> None:
    recipe = replace(RECIPE, peft={"type": kind, **SMALL.get(kind, {})})
    print(f"{kind:12}", table(llama, folders("llama"), recipe, tmp_path, True))


@pytest.mark.parametrize("start", STARTS)
def test_a_variant_of_lora_trains_and_plain_peft_reloads_and_merges_it(
    llama: Base, folders: Callable[..., Path], tmp_path: Path, start: str
) -> None:
    recipe = replace(RECIPE, peft=STARTS[start])
    print(f"{start:16}", table(llama, folders("llama"), recipe, tmp_path, True))


class Stop(Exception):
    pass


@pytest.mark.parametrize(
    "peft",
    [{"type": "VERA"}, {"type": "OFT", "oft_block_size": 8}, {"type": "ADALORA"}, {"init": "pissa"}],
    ids=str,
)
def test_an_interrupted_run_ends_with_the_same_weights(
    llama: Base, tmp_path: Path, peft: Mapping[str, Any]
) -> None:
    recipe = replace(RECIPE, steps=6, dropout=0.0, peft=peft)
    train(llama, EXAMPLES, EXAMPLES[:2], recipe, 0, tmp_path / "whole")

    def stop(step: int, steps: int, loss: float | None) -> None:
        if step == 5:
            raise Stop

    with pytest.raises(Stop):
        train(llama, EXAMPLES, EXAMPLES[:2], recipe, 0, tmp_path / "resumed", stop)
    begun: list[int] = []
    train(llama, EXAMPLES, EXAMPLES[:2], recipe, 0, tmp_path / "resumed", lambda step, *_: begun.append(step))
    assert (begun[0] > 1) == (
        peft.get("type") != "ADALORA"
    )  # whose state is in no checkpoint: it begins again
    file = Path("adapter", "adapter_model.safetensors")
    assert (tmp_path / "whole" / file).read_bytes() == (tmp_path / "resumed" / file).read_bytes()


HUGE = [  # a kind, and a setting of its configuration that peft would make matrices of that size of
    ("VERA", {"r": 900_000}),
    ("LOHA", {"rank_pattern": {"q_proj": 900_000}}),
    ("FOURIERFT", {"n_frequency": 10**9}),
    ("LOKR", {"decompose_factor": 10**9}),
]


@pytest.mark.parametrize(("kind", "settings"), HUGE)
def test_a_size_that_no_tensor_has_is_refused_before_peft_makes_matrices_of_it(
    llama: Base, tmp_path: Path, kind: str, settings: Mapping[str, Any]
) -> None:
    recipe = replace(RECIPE, steps=1, peft={"type": kind, **SMALL.get(kind, {})})
    train(llama, EXAMPLES, [], recipe, 0, tmp_path)
    file = tmp_path / "adapter/adapter_config.json"
    file.write_text(json.dumps(json.loads(file.read_text()) | settings))
    size = f"{max(_numbers(settings)):,}"
    for fits in (lora.check_fit, _attach_and_detach):
        with pytest.raises(
            AdapterError, match=rf"adapter_config\.json: found a \w+ of {size}, the largest side"
        ):
            fits(llama, tmp_path / "adapter")


def _numbers(settings: Mapping[str, Any]) -> list[int]:
    return [
        number
        for value in settings.values()
        for number in (value.values() if isinstance(value, Mapping) else [value])
    ]


def _attach_and_detach(base: Base, folder: Path) -> None:
    with lora.adapted(base, folder):
        pass


@pytest.mark.slow
@pytest.mark.parametrize(
    "kind", [kind for kind in kinds.names() if kind not in ("LORA", "TRAINABLE_TOKENS", *BY_DAY)]
)
def test_every_other_kind_does_too(
    llama: Base, folders: Callable[..., Path], tmp_path: Path, kind: str
) -> None:
    recipe = replace(RECIPE, peft={"type": kind, **SMALL.get(kind, {})})
    print(f"{kind:12}", table(llama, folders("llama"), recipe, tmp_path, kind not in NO_MERGE))


@pytest.mark.parametrize("peft", [{"type": "IA3"}, {"init": "pissa"}], ids=["ia3", "pissa"])
def test_encoder_decoders_learn_by_them_too(
    t5: Base, folders: Callable[..., Path], tmp_path: Path, peft: Mapping[str, Any]
) -> None:
    print(table(t5, folders("t5"), replace(RECIPE, peft=peft), tmp_path, True))


@pytest.mark.parametrize(
    "peft", [{"init": "pissa"}, {"init": "olora"}, {"type": "OFT", "oft_block_size": 8}, {"type": "HRA"}]
)
def test_without_its_adapter_the_base_is_the_reference(llama: Base, peft: Mapping[str, Any]) -> None:
    """Also where peft has taken the first factors out of the base's matrices."""
    before = logits(llama, llama.model)
    attached = lora.attach(llama, replace(RECIPE, peft=peft), 0)
    try:
        begun = logits(llama, llama.model)
        with torch.no_grad():
            chance = torch.Generator().manual_seed(0)
            for parameter in attached.parameters:
                parameter.add_(torch.randn(parameter.shape, generator=chance) * 0.1)
        changed = logits(llama, llama.model)
        with attached.off():
            off = logits(llama, llama.model)
        again = logits(llama, llama.model)
    finally:
        attached.detach()
    assert (
        torch.equal(off, before)
        and torch.equal(again, changed)
        and not torch.allclose(changed, before, atol=1e-2)
    )
    assert torch.allclose(begun, before, atol=NEAR)
    assert torch.equal(logits(llama, llama.model), before)


@pytest.mark.parametrize("peft", [{"type": "LOHA"}, {"init": "pissa"}], ids=["loha", "pissa"])
def test_preferences_are_learned_by_them(llama: Base, tmp_path: Path, peft: Mapping[str, Any]) -> None:
    told = [replace(example, rejected="Ben") for example in EXAMPLES]
    recipe = replace(RECIPE, peft=peft, objective={"name": "preferences"})
    train(llama, told, [], recipe, 0, tmp_path)
    first, *_, last = (
        json.loads(line)["loss"] for line in (tmp_path / "curve.jsonl").read_text().splitlines()
    )
    assert first == pytest.approx(math.log(2), abs=1e-3) and last < first


WRITTEN = [  # what a recipe says, what is answered
    ("peft: {type: IA4}", "r.yaml:2: peft.type: no kind of adapter in the installed peft named 'IA4'; did you mean 'IA3'"),
    ("peft: {type: PROMPT_TUNING}", "r.yaml:2: peft.type: PROMPT_TUNING adds tokens to prompts instead of changing"),
    ("peft: {type: LOHA, rnak: 4}", "r.yaml:2: peft.rnak: no setting of LOHA named 'rnak'; known: alpha"),
    ("peft: {type: LOHA, r: many}", "r.yaml:2: peft.r: found the text 'many'; give int"),
    ("peft: {type: LOHA}\nrank: 4", "r.yaml:3: rank: a setting of LoRA, and the recipe trains LOHA; write LOHA's own"),
    ("peft: {r: 4}", "r.yaml:2: peft.r: write it as `rank`, beside `peft`"),
    ("peft: {init: pisa}", "r.yaml:2: peft.init: no init named 'pisa'; did you mean 'pissa'"),
    ("peft: {init: eva}", "r.yaml:2: peft.init: eva reads data before training, which the harness does not do; use pissa"),
    ("peft: {type: OFT, r: 4, oft_block_size: 4}", "r.yaml:2: peft: OFT: "),
    ("peft: {type: BOFT, megatron_config: {}}", "r.yaml:2: peft.megatron_config: the harness sets it itself; leave it out"),
    ("peft: {type: ia3}", None),
    ("peft: {init: pissa_niter_4, use_dora: true, rank_pattern: {q_proj: 2}}", None),
]  # fmt: skip


@pytest.mark.parametrize(("written", "answer"), WRITTEN)
def test_what_a_recipe_says_is_checked_by_pefts_own_configuration(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, written: str, answer: str | None
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("r.yaml").write_text(f"steps: 1\n{written}\n")
    if answer is None:
        assert len(load_recipes("./r.yaml")) == 1
        return
    with pytest.raises(SuiteError) as refused:
        load_recipes("./r.yaml")
    assert answer in str(refused.value) and "\n" not in str(refused.value)


def test_every_kind_of_peft_is_offered_or_refused_with_a_reason() -> None:
    known = {kind.value for kind in PEFT_TYPE_TO_CONFIG_MAPPING}
    assert {*kinds.names(), *NOT_IN_MODULES} == known


def test_a_kind_that_the_modules_do_not_support_is_refused_on_an_outline(tmp_path: Path) -> None:
    """GPT-2's matrices are Conv1D modules, which some kinds do not know; `check` looks at modules without numbers."""
    folder = tmp_path / "gpt2"
    tokenizer = make_tokenizer("falcon")
    shape = GPT2Config(vocab_size=len(tokenizer), n_embd=32, n_layer=1, n_head=4, n_positions=64)
    AutoModelForCausalLM.from_config(shape).save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    base = outline(folder, Model(name="gpt2", uri="zoo:tiny"), PIN, CPU)
    lora.check_attach(base, replace(RECIPE, peft={"type": "IA3"}))
    with pytest.raises(
        AdapterError, match=r"recipe r: zoo:tiny: peft cannot put OFT on its modules: .*name other `targets`"
    ):
        lora.check_attach(base, replace(RECIPE, peft={"type": "OFT"}))


def test_dropout_is_on_in_training_alone_and_the_bases_stays_off(llama: Base) -> None:
    for peft in (
        {"type": "VERA", "vera_dropout": 0.5},
        {"type": "LOHA", "module_dropout": 0.5},
        {"use_dora": True},
    ):
        recipe = replace(RECIPE, peft=peft, dropout=0.0 if "type" in peft else 0.5)
        attached = lora.attach(llama, recipe, 0)
        try:
            with torch.no_grad():
                for parameter in attached.parameters:
                    parameter.add_(0.1)
            torch.manual_seed(0)
            attached.drop(True)
            some = [logits(llama, llama.model) for _ in range(4)]
            assert any(not torch.equal(some[0], other) for other in some[1:])
            own = [
                part
                for name, part in llama.model.named_modules()
                if name.rpartition(".")[2] in ("mlp", "self_attn")
            ]
            assert own and not any(part.training for part in own)
            attached.drop(False)
            assert torch.equal(logits(llama, llama.model), logits(llama, llama.model))
        finally:
            attached.detach()


def test_weights_say_which_kind_is_not_weighed(
    llama: Base, folders: Callable[..., Path], tmp_path: Path
) -> None:
    """An adapter that starts as PiSSA is saved as plain LoRA, so its update is read; IA3's is no product of factors."""
    said = {}
    for name, peft in (("ia3", {"type": "IA3"}), ("pissa", {"init": "pissa"})):
        train(llama, EXAMPLES, [], replace(RECIPE, peft=peft), 0, tmp_path / name)
        rows = analyse(
            folders("llama"),
            llama.family,
            tmp_path / name / "adapter",
            model="m",
            adapter_name=name,
            weighing=Weighing(),
        )
        said[name] = [row for row in rows if row.part == "delta"]
    (only,) = said["ia3"]
    assert (
        only.status
        == "failed: an adapter of kind IA3 is not weighed; only LoRA's update is B·A on its matrices"
    )
    assert len(said["pissa"]) > 7 and not any(row.status.startswith("failed") for row in said["pissa"])
