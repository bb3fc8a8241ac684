"""A real checkpoint, damaged in every way that a download or an editor does: one line from every command, and early."""

import json
import shutil
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file, save_file

from harness.backends import open_backend
from harness.commands.check import check
from harness.commands.weigh import WeightFiles, WeightRequest, weigh
from harness.errors import AdapterError, HarnessError, ModelError, SuiteError
from harness.files import shipped
from harness.plan.pins import pins
from harness.plan.plan import plan
from harness.types import Adapter, Model, ModelPin, Runtime, Source, Suite, Task

Damage = Callable[[Path], object]
PIN = ModelPin(revision="0", parameters=None, checkpoint_bytes=None, dtype="float32", family=None)
QUERY = "model.layers.0.self_attn.q_proj.weight"
CONFIG, WEIGHTS, INDEX = "config.json", "model.safetensors", "model.safetensors.index.json"


def edit(name: str, **said: Any) -> Damage:
    def damage(folder: Path) -> None:
        found = json.loads((folder / name).read_text())
        (folder / name).write_text(json.dumps(found | said))

    return damage


def write(name: str, content: str) -> Damage:
    return lambda folder: (folder / name).write_text(content)


def cut(name: str, count: int) -> Damage:
    """Leaves so many bytes, or takes so many away."""
    return lambda folder: (folder / name).write_bytes((folder / name).read_bytes()[:count])


def without(*patterns: str) -> Damage:
    def damage(folder: Path) -> None:
        for path in [path for pattern in patterns for path in folder.glob(pattern)]:
            path.unlink()

    return damage


def tensors(change: Callable[[dict[str, Any]], object]) -> Damage:
    def damage(folder: Path) -> None:
        found = load_file(folder / WEIGHTS)
        change(found)
        save_file(found, folder / WEIGHTS, metadata={"format": "pt"})

    return damage


def indexed(index: str) -> Damage:
    """The weights as one shard, and an index."""

    def damage(folder: Path) -> None:
        (folder / WEIGHTS).rename(folder / "model-00001-of-00001.safetensors")
        (folder / INDEX).write_text(index)

    return damage


# Damage, and what is said of it. These are told from the files alone: `plan` and `run` refuse them before any work.
EARLY: dict[str, tuple[Damage, str]] = {
    "weights cut": (cut(WEIGHTS, -1000), f"{WEIGHTS}: torn: 2,766,184 bytes of 2,767,184"),
    "weights with more": (lambda folder: (folder / WEIGHTS).open("ab").write(b"more"), f"{WEIGHTS}: torn"),
    "header cut": (cut(WEIGHTS, 100), f"{WEIGHTS}: not a safetensors file, or its header is torn"),
    "no bytes": (cut(WEIGHTS, 0), f"{WEIGHTS}: not a safetensors file"),
    "no weights": (without(WEIGHTS), "found no model.safetensors"),
    "llama.cpp's file alone": (lambda folder: (folder / WEIGHTS).rename(folder / "tiny.Q4_K_M.gguf"),
                               "but tiny.Q4_K_M.gguf; name the file itself"),
    "index cut": (indexed('{"weight_map": {"lm'), f"{INDEX}: broken: not JSON"),
    "index of nothing": (indexed("{}"), f"{INDEX}: broken: no weight_map"),
    "index of a list": (indexed('{"weight_map": []}'), f"{INDEX}: broken: no weight_map"),
    "index of no names": (indexed('{"weight_map": {"lm_head.weight": 7}}'), f"{INDEX}: lm_head.weight should be in 7"),
    "shard missing": (indexed('{"weight_map": {"lm_head.weight": "x.safetensors"}}'), "x.safetensors is missing"),
    "shard of others": (indexed('{"weight_map": {"head": "model-00001-of-00001.safetensors"}}'), "head should be in"),
    "config cut": (cut(CONFIG, 50), f"{CONFIG}: broken: not JSON"),
    "config gone": (without(CONFIG), f"{CONFIG}: no such file"),
    "config of a list": (write(CONFIG, "[]"), f"{CONFIG}: broken: a JSON list"),
    "type is a number": (edit(CONFIG, model_type=7), f"{CONFIG}: model_type is 7"),
}  # fmt: skip
# These too, but not of a model that is only weighed.
EARLY_IF_ASKED: dict[str, tuple[Damage, str]] = {
    "index without metadata": (
        indexed('{"weight_map": {"lm_head.weight": "model-00001-of-00001.safetensors"}}'), 'no "metadata"'),
    "no tokenizer": (without("tokenizer*", "special_tokens_map.json"), "found no tokenizer; copy tokenizer.json"),
    "tokenizer of nothing": (write("tokenizer.json", "{}"), "tokenizer.json: broken: no 'model'"),
    "tokenizer without tokens": (write("tokenizer.json", '{"model": {}}'), "tokenizer.json: broken: no 'added_tokens'"),
    "tokenizer of a list": (write("tokenizer.json", "[]"), "tokenizer.json: broken: a JSON list"),
    "tokenizer cut": (cut("tokenizer.json", 5000), "tokenizer.json: broken: not JSON"),
    "its settings cut": (cut("tokenizer_config.json", 30), "tokenizer_config.json: broken: not JSON"),
    "its map cut": (cut("special_tokens_map.json", 30), "special_tokens_map.json: broken: not JSON"),
    "generation settings cut": (cut("generation_config.json", 30), "generation_config.json: broken: not JSON"),
    "a million layers": (edit(CONFIG, num_hidden_layers=10**6),
                         f"{CONFIG}: num_hidden_layers: found 1,000,000, the tensors have 4 layers"),
    "whole numbers for weights": (
        tensors(lambda found: found.update({QUERY: found[QUERY].to(torch.int8)})),
        f"{WEIGHTS}: {QUERY} is I8, and config.json has no quantization_config"),
    "no heads": (edit(CONFIG, num_attention_heads=0),
                 f"{CONFIG}: num_attention_heads: found 0; give a whole number from 1"),
    "a width of words": (edit(CONFIG, hidden_size="big"), f"{CONFIG}: hidden_size: found 'big'; give a whole number"),
    "half a layer": (edit(CONFIG, num_hidden_layers=3.5), f"{CONFIG}: num_hidden_layers: found 3.5; give a whole"),
    "a classifier": (edit(CONFIG, architectures=["LlamaForSequenceClassification"]), "a classifier, which gives a text"),
}  # fmt: skip
# These need transformers: `check` knows them, and a run fails as soon as it opens the model.
CLOSE: dict[str, tuple[Damage, str]] = {
    "another width": (edit(CONFIG, hidden_size=64), "lm_head.weight is [2304, 128], config.json makes it [2304, 64]"),
    "another vocabulary": (edit(CONFIG, vocab_size=10), "lm_head.weight is [2304, 128], config.json makes it [10, 128]"),
    "a vast vocabulary": (edit(CONFIG, vocab_size=10**11), f"{CONFIG}: vocab_size: found 100,000,000,000, the largest"),
    "more layers": (edit(CONFIG, num_hidden_layers=5), "9 tensors of LlamaForCausalLM are missing: model.layers.4"),
    "fewer layers": (edit(CONFIG, num_hidden_layers=2), "more layers than config.json says, model.layers.2"),
    "no head": (tensors(lambda found: found.pop("lm_head.weight")), "1 tensor of LlamaForCausalLM is missing: lm_head"),
    "a bare model": (lambda folder: (edit(CONFIG, architectures=["LlamaModel"])(folder),
                                     tensors(lambda found: found.pop("lm_head.weight"))(folder)), "missing: lm_head.weight"),
    "an unknown type": (edit(CONFIG, model_type="lama"), f"{CONFIG}: model_type 'lama' is unknown to transformers"),
    "no type": (edit(CONFIG, model_type=""), f"{CONFIG}: has no model_type"),
    "pictures": (edit(CONFIG, model_type="llava", architectures=["LlavaForConditionalGeneration"]),
                 "LlavaForConditionalGeneration of model_type 'llava' is no model that transformers can ask by text alone"),
    "code of its own": (edit(CONFIG, model_type="own", auto_map={"AutoConfig": "own.Config"}), "comes with its own code"),
    "an unknown function": (edit(CONFIG, hidden_act="foo"), "KeyError: 'foo'; config.json may be wrong"),
    "no tokenizer.json": (without("tokenizer.json"), "found no tokenizer.json; copy it"),
    "an empty tokenizer": (write("tokenizer.json", '{"model": {}, "added_tokens": []}'), "tokenizer.json: no tokenizer can"),
    "template that ends early": (edit("tokenizer_config.json", chat_template="{% for x in %}"), "(TemplateSyntaxError"),
    "template without the message": (edit("tokenizer_config.json", chat_template="hello"),
                                     "its chat template leaves out the user's message; correct it, or set `chat: off`"),
    "template of a part": (edit("tokenizer_config.json", chat_template="{{ messages[0].content[:9] }}"), "leaves out the"),
    "template of unknowns": (edit("tokenizer_config.json", chat_template="{{ a.b.c }}"), "failed (UndefinedError: 'a' is"),
    "template refusing": (edit("tokenizer_config.json", chat_template="{{ raise_exception('never') }}"), "Error: never)"),
}  # fmt: skip


def ask(folder: Path) -> Iterator[str]:
    """Opens the model and asks for a prompt as it gets it: what `show` and every step of a run begin with."""
    from harness.types import Prompt

    backend = open_backend(Model(name="mine", uri=f"file:{folder}"), PIN, Runtime())
    yield backend.tokens(Prompt(sample_id="1", before="", input="Hello.", after=""), "keep-start")[0]
    backend.close()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return shutil.copytree(shipped.zoo_folder("llama2-tiny"), tmp_path / "model")


@pytest.fixture
def suite(folder: Path, tmp_path: Path) -> Suite:
    (tmp_path / "test.jsonl").write_text('{"input": "A: hi", "reference": "A greets."}\n')
    source = Source(uri=f"file:{tmp_path}")
    task = Task(name="chats", source=source, prompt="$input", metrics=("rouge",), primary="rougeL")
    return Suite(name="small", tasks=(task,), models=(Model(name="mine", uri=f"file:{folder}"),))


def checked(suite: Suite, tmp_path: Path) -> list[str]:
    return list(check(suite, offline=True, cache=tmp_path / "digests.json"))


def one_line(told: pytest.ExceptionInfo[HarnessError], said: str) -> None:
    text = str(told.value)
    assert said in text
    assert "\n" not in text
    assert len(text) < 700
    assert told.value.exit_code == 2


def damaged(*tables: dict[str, tuple[Damage, str]]) -> pytest.MarkDecorator:
    cases = {name: case for table in tables for name, case in table.items()}
    return pytest.mark.parametrize(("damage", "said"), cases.values(), ids=cases)


@pytest.mark.slow
@damaged(EARLY, EARLY_IF_ASKED, CLOSE)
def test_check_names_what_is_wrong_with_a_model_and_so_does_opening_it(
    suite: Suite, folder: Path, tmp_path: Path, damage: Damage, said: str
) -> None:
    damage(folder)
    with pytest.raises(ModelError) as told:
        checked(suite, tmp_path)
    one_line(told, said)
    with pytest.raises(ModelError) as told:
        list(ask(folder))
    one_line(told, said)


@damaged(EARLY, EARLY_IF_ASKED)
def test_plan_and_run_refuse_before_any_work_what_the_files_alone_tell(
    suite: Suite, folder: Path, tmp_path: Path, damage: Damage, said: str
) -> None:
    damage(folder)
    with pytest.raises(ModelError) as told:
        pins(suite, offline=True, cache=tmp_path / "digests.json")
    one_line(told, said)


@damaged(EARLY)
def test_a_model_that_is_weighed_is_refused_by_name(
    folder: Path, tmp_path: Path, damage: Damage, said: str
) -> None:
    damage(folder)
    with pytest.raises(ModelError) as told:
        weigh(
            WeightRequest(model=f"file:{folder}"),
            WeightFiles(),
            offline=True,
            store=tmp_path / "store",
            command="",
        )
    one_line(told, said)


def test_what_was_refused_once_is_refused_again_and_what_passed_is_not_looked_at_again(
    suite: Suite, folder: Path, tmp_path: Path
) -> None:
    config = (folder / CONFIG).read_text()
    edit(CONFIG, num_hidden_layers=5)(folder)
    for _ in range(2):
        with pytest.raises(ModelError, match="are missing"):
            checked(suite, tmp_path)
    (folder / CONFIG).write_text(config)
    first = checked(suite, tmp_path)
    remembered = json.loads((tmp_path / "digests.json").read_text())
    shutil.move(folder, tmp_path / "elsewhere")
    (model,) = suite.models
    moved = replace(suite, models=(replace(model, uri=f"file:{tmp_path / 'elsewhere'}"),))
    assert [line.replace("elsewhere", "model") for line in checked(moved, tmp_path)] == first
    assert json.loads((tmp_path / "digests.json").read_text())["passed"] == remembered["passed"]


def test_tensors_without_a_place_are_told(suite: Suite, folder: Path, tmp_path: Path) -> None:
    tensors(lambda found: found.update(extra=torch.zeros(2)))(folder)
    for _ in range(2):
        (line,) = [line for line in checked(suite, tmp_path) if "no place" in line]
        assert line == (
            "model mine: 1 of its tensors has no place in LlamaForCausalLM and is left out: extra"
        )


def test_whole_numbers_that_are_no_weights_are_left_alone(suite: Suite, folder: Path, tmp_path: Path) -> None:
    tensors(lambda found: found.update(position_ids=torch.arange(8)[None]))(folder)
    assert any("no place" in line for line in checked(suite, tmp_path))


def test_a_tokenizer_of_another_model_is_refused(suite: Suite, folder: Path, tmp_path: Path) -> None:
    small = {name: W[:100].clone() for name, W in load_file(folder / WEIGHTS).items() if len(W) == 2304}
    tensors(lambda found: found.update(small))(folder)
    edit(CONFIG, vocab_size=100)(folder)
    with pytest.raises(
        ModelError, match=r"the tokenizer has 2,304 tokens, the model 100; it is another model's"
    ):
        checked(suite, tmp_path)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("damage", "said"),
    [
        EARLY["index cut"],
        EARLY_IF_ASKED["a classifier"],
        EARLY_IF_ASKED["tokenizer cut"],
        CLOSE["more layers"],
    ],
)
def test_a_model_in_the_hubs_cache_is_looked_at_like_a_folder(
    suite: Suite, folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, damage: Damage, said: str
) -> None:
    from huggingface_hub import constants

    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path / "hub"))
    commit, cached = "0" * 40, tmp_path / "hub" / "models--me--tiny"
    (cached / "refs").mkdir(parents=True)
    (cached / "refs" / "main").write_text(commit)
    (cached / "snapshots").mkdir()
    folder = folder.rename(cached / "snapshots" / commit)
    hub = replace(suite, models=(Model(name="mine", uri="hub:me/tiny"),))
    assert checked(hub, tmp_path)[-1].startswith("model mine: hub:me/tiny at 0000")
    damage(folder)
    with pytest.raises(ModelError) as told:
        list(check(hub, offline=True, cache=tmp_path / "fresh.json"))
    one_line(told, said)
    assert "pickle" not in str(told.value)


def test_an_encoder_alone_for_a_task_that_asks_for_text_is_refused_with_what_it_is(
    suite: Suite, folder: Path, tmp_path: Path
) -> None:
    edit(CONFIG, architectures=["RobertaForMaskedLM"], model_type="roberta")(folder)
    pinned = pins(suite, offline=True, cache=tmp_path / "digests.json")
    assert pinned.models["mine"].architecture == "encoder"
    with pytest.raises(SuiteError) as told:
        plan(suite, pinned)
    one_line(told, f"task chats, kind generate: file:{folder} is an encoder, which writes no text")


def test_an_encoder_may_be_weighed(folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    edit(CONFIG, architectures=["RobertaForMaskedLM"], model_type="roberta")(folder)
    without("tokenizer*")(folder)
    asked = Suite(name="weigh", tasks=(), models=(Model(name="mine", uri=f"file:{folder}"),))
    assert pins(asked, offline=True, cache=tmp_path / "digests.json").models["mine"].family == "roberta"


def test_quantisation_without_its_library_is_refused(folder: Path) -> None:
    from harness.checkpoints.askable import check_quantization

    model = Model(name="mine", uri=f"file:{folder}", quantization="nf4")
    with pytest.raises(ModelError, match="needs bitsandbytes; pip install bitsandbytes"):
        check_quantization(model, {"torch": "2"})
    check_quantization(model, {"bitsandbytes": "0.49"})


def lora(folder: Path, *, base: str = "zoo:llama2-tiny", shape: int = 128, **said: Any) -> Path:
    """A plain adapter for the tiny Llama's queries."""
    folder.mkdir()
    found = {}
    for layer in range(4):
        name = f"base_model.model.model.layers.{layer}.self_attn.q_proj"
        found[f"{name}.lora_A.weight"] = torch.ones(4, shape)
        found[f"{name}.lora_B.weight"] = torch.zeros(128, 4)
    save_file(found, folder / "adapter_model.safetensors", metadata={"format": "pt"})
    config = {
        "peft_type": "LORA",
        "r": 4,
        "lora_alpha": 8,
        "target_modules": ["q_proj"],
        "base_model_name_or_path": base,
    }
    (folder / "adapter_config.json").write_text(json.dumps(config | said))
    return folder


def nan(folder: Path) -> None:
    path = folder / "adapter_model.safetensors"
    found = load_file(path)
    next(iter(found.values()))[0, 0] = torch.nan
    save_file(found, path, metadata={"format": "pt"})


def huge(folder: Path) -> None:
    path = folder / "adapter_model.safetensors"
    save_file(
        {name: torch.full_like(one, 1e25) for name, one in load_file(path).items()},
        path,
        metadata={"format": "pt"},
    )


NOTHING: Damage = lambda folder: None  # noqa: E731
ADAPTERS: dict[str, tuple[dict[str, Any], Damage, str]] = {
    "weights cut": ({}, cut("adapter_model.safetensors", -10), "adapter_model.safetensors: torn"),
    "no weights": ({}, without("adapter_model.safetensors"), "found no adapter_model.safetensors"),
    "settings cut": ({}, cut("adapter_config.json", 10), "adapter_config.json"),
    "settings of a list": ({}, write("adapter_config.json", "[]"), "adapter_config.json: peft_type is []"),
    "another base by name": ({"base": "zoo:mistral-tiny"}, NOTHING, "trained on zoo:mistral-tiny, not on zoo:llama2-tiny"),
    "another base by digest": ({}, write("harness.json", '{"base": "x", "digest": "abc"}'), "with weights abc"),
    "its record cut": ({}, write("harness.json", '{"base'), "harness.json: broken: not JSON"),
    "its record of numbers": ({}, write("harness.json", '{"base": 7}'), "harness.json: base and digest must be text"),
    "another width": ({"shape": 64}, NOTHING, "lora_A.weight is [4, 64], the model needs [4, 128]"),
    "other modules": ({"target_modules": ["query"]}, NOTHING, "target_modules: the model has no module with one of the"),
    "fewer modules": ({"target_modules": ["q_proj", "v_proj"]}, NOTHING, "v_proj.lora_A.weight is missing"),
    "another rank": ({"r": 8}, NOTHING, "more; r does not match the weights; adapter_config.json was changed"),
    "more modules": ({"target_modules": ["k_proj"]}, NOTHING, "more; target_modules does not match the weights; "),
    "no numbers": ({}, nan, "it is damaged or did not converge: fetch it again, or train it again"),
    "a product too large": ({}, huge, "converge: fetch it again, or train it again with a lower learning rate"),
    "DoRA without its norms": ({"use_dora": True}, NOTHING, "more; use_dora does not match the weights; adapter_config"),
    "another rank, DoRA": ({"use_dora": True, "r": 8}, NOTHING, "does not match the weights"),
    "a start that peft does not know": ({"init_lora_weights": "foo"}, NOTHING, "does not fit zoo:llama2-tiny"),
}  # fmt: skip


@pytest.mark.slow
@pytest.mark.parametrize(("made", "damage", "said"), ADAPTERS.values(), ids=ADAPTERS)
def test_check_names_what_is_wrong_with_an_adapter(
    suite: Suite, tmp_path: Path, made: dict[str, Any], damage: Damage, said: str
) -> None:
    damage(adapter := lora(tmp_path / "adapter", **made))
    model = Model(name="tiny", uri="zoo:llama2-tiny")
    asked = replace(
        suite, models=(model,), adapters=(Adapter(name="mine", base="tiny", uri=f"file:{adapter}"),)
    )
    with pytest.raises(AdapterError) as told:
        checked(asked, tmp_path)
    one_line(told, said)
    fits = "does not fit" not in str(told.value)
    assert fits or str(told.value).endswith(
        "adapter_config.json was changed or is another model's: fetch both again"
    )
    with pytest.raises(AdapterError) as told:  # as a run would put it on
        opened = open_backend(model, PIN, Runtime())
        opened._with(adapter)  # type: ignore[attr-defined]
    one_line(told, said.replace("found no", "no"))


@pytest.mark.parametrize(
    "said", [{}, {"use_dora": True}, {"init_lora_weights": "pissa"}, {"modules_to_save": ["lm_head"]}]
)
def test_an_adapter_that_fits_passes(suite: Suite, tmp_path: Path, said: dict[str, Any]) -> None:
    adapter = lora(tmp_path / "adapter", **said)
    path = adapter / "adapter_model.safetensors"
    found = load_file(path)
    if "use_dora" in said:
        found |= {
            name.replace("lora_A.weight", "lora_magnitude_vector"): torch.ones(128)
            for name in found
            if "lora_A" in name
        }
    if "modules_to_save" in said:
        found["base_model.model.lm_head.weight"] = torch.ones(2304, 128)
    save_file(found, path, metadata={"format": "pt"})
    model = Model(name="tiny", uri="zoo:llama2-tiny")
    asked = replace(
        suite, models=(model,), adapters=(Adapter(name="mine", base="tiny", uri=f"file:{adapter}"),)
    )
    assert any(line.startswith("model tiny:") for line in checked(asked, tmp_path))


def test_a_hub_model_whose_download_was_interrupted_is_not_called_broken(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A run with a network would fetch the rest."""
    from huggingface_hub import constants

    from harness import backends

    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path / "hub"))
    snapshots = tmp_path / "hub" / "models--me--tiny" / "snapshots"
    snapshots.mkdir(parents=True)
    without(WEIGHTS)(folder)
    write(INDEX, '{"metadata": {}, "weight_map": {"a": "1.safetensors", "b": "2.safetensors"}}')(folder)
    write("1.safetensors", "half")(folder)
    folder.rename(snapshots / PIN.revision)
    model = Model(name="mine", uri="hub:me/tiny")
    (said,) = backends.of(model).examine(model, PIN, Runtime(), {})
    assert said.startswith("not downloaded yet")
