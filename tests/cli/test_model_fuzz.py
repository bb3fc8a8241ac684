"""Model and adapter folders that are almost right: every command answers with a line, soon, and runs no code.

Inputs follow from a seed: HARNESS_FUZZ_SEED=7 tries others, HARNESS_FUZZ_MODELS=400 more (`make fuzz`).
"""

import json
import logging
import os
import pickle
import re
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from random import Random
from typing import Any

import pytest
import torch
from safetensors.torch import load_file, save_file

from harness.files import shipped
from tests.cli.test_fuzz import TooLong, _changed, _cut, _double, _flip, _insert, _told, deadline
from tests.cli.words import exit_code

pytestmark = [pytest.mark.slow, pytest.mark.timeout(1800)]

SEED = int(os.environ.get("HARNESS_FUZZ_SEED", "0"))
INPUTS = int(os.environ.get("HARNESS_FUZZ_MODELS", "16"))
PARTS = 2
MODELS = ("llama2-tiny", "flan-t5-tiny")
SHARD = "model-00001-of-00001.safetensors"
QUERIES = ("q_proj.weight", "SelfAttention.q.weight")
SUITE = """
tasks:
  - name: chats
    source: {uri: "file:data", share: text}
    prompt: "Sum up.\\n\\n$input\\n\\nSummary:"
    metrics: [exact]
    primary: exact
    decode: {max_new_tokens: 4}
models: [{name: mine, uri: "file:model"}]
adapters: [{name: theirs, base: mine, uri: "file:adapter"}]
weights: false
"""
# check opens the model's outline, weigh reads its matrices, show its tokenizer and template; run does all of it.
COMMANDS = (
    "check small.yaml --store S --device cpu",
    "weigh file:model --adapter file:adapter --store S",
    "show chats.yaml --model file:model --n 1 --store S",
    "run small.yaml --limit 2 --workers 0 --device cpu --store S --out R --quiet",
)
CONFIGS = (
    "model/config.json", "model/config.json", "model/config.json", "model/generation_config.json",
    "model/tokenizer_config.json", "model/special_tokens_map.json", "model/tokenizer.json",
    "model/model.safetensors.index.json", "adapter/adapter_config.json", "adapter/adapter_config.json",
    "adapter/harness.json",
)  # fmt: skip
NUMBERS: tuple[Any, ...] = (
    -1, 0, 1, 2, 3, 7, 2**31, 2**63, 10**12, 10**30, 1e300, 0.5, -0.0, float("nan"), float("inf"), "8", True, [8], None,
)  # fmt: skip
TEMPLATES = (
    "{% for i in range(1000000000) %}x{% endfor %}",
    "{% for i in range(99999) %}{% for j in range(99999) %}{{ i }}{% endfor %}{% endfor %}",
    "{% macro f() %}{{ f() }}{% endmacro %}{{ f() }}",
    "{{ 'x' * 10**10 }}",
    "{{ ''.__class__.__mro__[1].__subclasses__() }}",
    "{{ cycler.__init__.__globals__.os.system('touch RAN') }}",
    "{% include 'RAN' %}",
    "{{ messages",
    "{{ messages[0].content }}\ud800",
    "{{ 10**10**10 }}",
    7,
    [{"name": "default", "template": "{{ x.y.z }}"}],
    {"default": None},
)
RUN = "import pathlib\npathlib.Path({path!r}).touch()\n"


class Touches:
    """Creates a file when it is unpickled."""

    def __init__(self, path: str) -> None:
        self.path = path

    def __reduce__(self) -> tuple[Any, ...]:
        return Path.touch, (Path(self.path),)


@pytest.fixture(scope="module", params=MODELS)
def made(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project with a model, an adapter for it and a suite."""
    here: Path = tmp_path_factory.mktemp("made")
    _write_model(here / "model", shipped.zoo_folder(request.param))
    _write_adapter(here / "adapter", here / "model")
    (here / "data").mkdir()
    rows = [{"input": f"Ann: taxi {n}?", "reference": "Ann asks."} for n in range(3)]
    (here / "data" / "test.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    (here / "small.yaml").write_text(SUITE)
    task = SUITE.partition("  - name: chats\n")[2].partition("models:")[0]
    (here / "chats.yaml").write_text("\n".join(line[4:] for line in task.splitlines()))
    return here


def _write_model(folder: Path, tiny: Path) -> None:
    """Write the first layer of a tiny model, with an index of its only shard."""
    shutil.copytree(tiny, folder, ignore=shutil.ignore_patterns("model.safetensors"))
    config = json.loads((folder / "config.json").read_text())
    layers = [key for key in ("num_hidden_layers", "num_layers", "num_decoder_layers") if key in config]
    (folder / "config.json").write_text(json.dumps({**config, **dict.fromkeys(layers, 1)}))
    kept = {
        name: tensor
        for name, tensor in load_file(tiny / "model.safetensors").items()
        if not re.search(r"(layers|block)\.[1-9]", name)
    }
    save_file(kept, folder / SHARD, metadata={"format": "pt"})
    index = {"metadata": {}, "weight_map": dict.fromkeys(kept, SHARD)}
    (folder / "model.safetensors.index.json").write_text(json.dumps(index))


def _write_adapter(folder: Path, model: Path) -> None:
    """Write a plain LoRA adapter of rank 2 for the queries, which changes little."""
    folder.mkdir()
    found = {}
    for name, tensor in load_file(model / SHARD).items():
        if name.endswith(QUERIES):
            out, into = tensor.shape
            module = f"base_model.model.{name.removesuffix('.weight')}"
            found[f"{module}.lora_A.weight"] = torch.full((2, into), 1e-3)
            found[f"{module}.lora_B.weight"] = torch.full((out, 2), 1e-3)
    save_file(found, folder / "adapter_model.safetensors", metadata={"format": "pt"})
    settings = {"peft_type": "LORA", "r": 2, "lora_alpha": 4, "target_modules": ["q_proj", "SelfAttention.q"],
                "rank_pattern": {}, "alpha_pattern": {}, "bias": "none", "use_rslora": False, "use_dora": False,
                "init_lora_weights": True, "modules_to_save": None, "base_model_name_or_path": "file:mine",
                "lora_dropout": 0.0}  # fmt: skip
    (folder / "adapter_config.json").write_text(json.dumps(settings))
    (folder / "harness.json").write_text(json.dumps({"base": "file:mine", "digest": ""}))


def spoil(here: Path, random: Random) -> str:
    """Spoil one file of the project, or put code where a library might run it; return what was done."""
    ways: list[Callable[[Path, Random], str]] = [
        *[_value] * 5, *[_number] * 4, _bytes, _code, _pickle, _template,
    ]  # fmt: skip
    return random.choice(ways)(here, random)


def _value(here: Path, random: Random) -> str:
    path = here / random.choice(CONFIGS)
    value = json.loads(path.read_text())
    for _ in range(random.choice((1, 1, 1, 3))):
        value = _changed(value, random)
    path.write_text(json.dumps(value))
    return path.name


def _number(here: Path, random: Random) -> str:
    """Give a number of a configuration an odd value, or another type."""
    path = here / random.choice(("model/config.json", "model/config.json", "adapter/adapter_config.json"))
    value = json.loads(path.read_text())
    keys = [key for key, known in value.items() if isinstance(known, int | float)]
    key = random.choice(keys)
    value[key] = random.choice(NUMBERS)
    path.write_text(json.dumps(value))
    return f"{path.name}: {key}: {value[key]!r}"


def _bytes(here: Path, random: Random) -> str:
    path = here / random.choice(CONFIGS)
    path.write_bytes(random.choice((_flip, _cut, _double, _insert))(path.read_bytes(), random))
    return path.name


def _code(here: Path, random: Random) -> str:
    """Name code of the model's own, in each file that can name some."""
    names = ("config.json", "tokenizer_config.json", "generation_config.json")
    code = RUN.format(path=str(here / "RAN"))
    for name in ("modeling_mine", "configuration_mine", "tokenization_mine", "custom_generate/generate"):
        (here / "model" / name).parent.mkdir(exist_ok=True)
        (here / "model" / f"{name}.py").write_text(code)
    path = here / "model" / random.choice(names)
    named = {"AutoConfig": "configuration_mine.C", "AutoModelForCausalLM": "modeling_mine.M", "AutoModelForSeq2SeqLM":
             "modeling_mine.M", "AutoTokenizer": ["tokenization_mine.T", "tokenization_mine.T"]}  # fmt: skip
    auto_map = random.choice(
        (named, dict.fromkeys(named, "modeling_mine.M"), "modeling_mine.M", ["modeling_mine.M"], 7)
    )
    more = random.choice(({}, {"model_type": "mine"}, {"trust_remote_code": True}, {"tokenizer_class": "T"}))
    path.write_text(json.dumps({**json.loads(path.read_text()), "auto_map": auto_map, **more}))
    return f"{path.name}: auto_map"


def _pickle(here: Path, random: Random) -> str:
    """Put a pickle that runs code beside the weights, or in their place."""
    content = pickle.dumps(Touches(str(here / "RAN")))
    place, weights = random.choice(
        (
            ("model/pytorch_model.bin", "model/model-00001-of-00001.safetensors"),
            ("adapter/adapter_model.bin", "adapter/adapter_model.safetensors"),
            ("model/vocab.bin", "model/tokenizer.json"),
        )
    )
    (here / place).write_bytes(content)
    match random.randrange(3):
        case 0:
            (here / weights).unlink()
        case 1:
            (here / weights).write_bytes(content)
    return place


def _template(here: Path, random: Random) -> str:
    path = here / "model" / "tokenizer_config.json"
    template = random.choice(TEMPLATES)
    path.write_text(json.dumps({**json.loads(path.read_text()), "chat_template": template}))
    return f"chat_template: {template!r}"


def unforeseen(logs: Path) -> Iterator[str]:
    """Yield the last line of each traceback in the logs of steps, except those of the harness's own errors."""
    for log in sorted(logs.glob("**/*.log")):
        lines = log.read_text(errors="replace").splitlines()
        if any(line.startswith("Traceback") for line in lines):
            ends = [line for line in lines if line and not line.startswith((" ", "Traceback"))]
            if ends and not ends[-1].startswith("harness.errors."):
                yield _told("\n".join(lines))


@pytest.mark.parametrize("part", range(PARTS))
def test_models_and_adapters_that_are_almost_right_get_a_line_and_no_code_of_theirs_runs(
    made: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], part: int
) -> None:
    unsound: dict[str, str] = {}
    monkeypatch.setenv("HARNESS_TRACEBACK", "1")
    monkeypatch.setattr(
        logging, "raiseExceptions", False
    )  # transformers logs to the stderr of an earlier test
    for number in range(part, INPUTS // len(MODELS), PARTS):
        random = Random(f"models-{SEED}-{number}")
        here = tmp_path / str(number)
        shutil.copytree(made, here)
        monkeypatch.chdir(here)
        done, command = spoil(here, random), random.choice(COMMANDS)
        try:
            with deadline():
                code = exit_code(command.split())
        except TooLong as late:
            code, where = -1, str(late)
        said = capsys.readouterr()
        if code != -1:
            where = _told(said.err) if "Traceback" in said.err else "".join(unforeseen(here / "S"))
        if code not in range(6) or where or "error: unexpected" in said.err or (here / "RAN").exists():
            ran = " RAN CODE" if (here / "RAN").exists() else ""
            kind = f"{command.split()[0]}: {where.strip().splitlines()[-1][:120] if where.strip() else code}{ran}"
            unsound.setdefault(kind, f"input {number}: {done[:200]}: {command}: exit {code}\n{where}")
        monkeypatch.chdir(tmp_path)
        shutil.rmtree(here)
    assert not unsound, "\n\n".join(f"{kind}\n{more}" for kind, more in unsound.items())


def test_the_project_is_sound_as_it_is(
    made: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Otherwise every command would refuse it for the same reason, and the mutations would test nothing."""
    monkeypatch.chdir(shutil.copytree(made, tmp_path / "here"))
    for command in COMMANDS:
        assert exit_code(command.split()) == 0, capsys.readouterr().err
