"""`harness weigh`: any checkpoint, several adapters, another model beside, and files; no suite."""

import csv
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import save_file

from harness.commands.weigh import WeightRequest, _distinct, named, weighing
from harness.errors import HarnessError
from harness.types import Weighing

LAYERS = [f"model.layers.{block}.self_attn.{letter}_proj" for block in range(2) for letter in "qv"]


def checkpoint(folder: Path, seed: int) -> Path:
    folder.mkdir()
    rng = np.random.default_rng(seed)
    tensors = {f"{name}.weight": rng.standard_normal((40, 48)).astype(np.float32) for name in LAYERS}
    save_file(tensors, folder / "model.safetensors")
    (folder / "config.json").write_text('{"model_type": "llama"}')
    return folder


def adapter(folder: Path, seed: int) -> Path:
    folder.mkdir(parents=True)
    rng = np.random.default_rng(seed)
    tensors = {}
    for name in LAYERS[:2]:
        tensors[f"base_model.model.{name}.lora_A.weight"] = rng.standard_normal((4, 48)).astype(np.float32)
        tensors[f"base_model.model.{name}.lora_B.weight"] = rng.standard_normal((40, 4)).astype(np.float32)
    save_file(tensors, folder / "adapter_model.safetensors")
    (folder / "adapter_config.json").write_text('{"peft_type": "LORA", "r": 4, "lora_alpha": 4}')
    return folder


def run(folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "HARNESS_STORE": str(folder / "store"), "HARNESS_OFFLINE": "1"}
    return subprocess.run(
        [sys.executable, "-m", "harness", "weigh", *words],
        cwd=folder, env=environment, capture_output=True, text=True,
    )  # fmt: skip


@pytest.mark.slow
def test_several_adapters_and_another_model_in_tables_and_files(tmp_path: Path) -> None:
    one = checkpoint(tmp_path / "one", 0)
    checkpoint(tmp_path / "other", 1)
    for number in (1, 2):
        adapter(tmp_path / f"run-{number}" / "final", number)
    done = run(
        tmp_path, str(one), "--adapter", "./run-1/final", "--adapter", "run-2/../run-2/final",
        "--against", "other", "--html", "w.html", "--csv", "w.csv", "--parquet", "w.parquet", "--layers",
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""  # bars are for a terminal
    for text in (*LAYERS, "one + run-1/final", "ΔW", "other, alpha", "JMLR 22:165", "written  w.html"):
        assert text in done.stdout
    with (tmp_path / "w.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    systems = [(row["model"], row["adapter"], row["part"]) for row in rows]
    assert systems.count(("one", "", "W")) == systems.count(("other", "", "W")) == 4
    assert systems.count(("one", "run-2/final", "merged")) == 2
    assert (tmp_path / "w.parquet").read_bytes()[:4] == b"PAR1"
    page = (tmp_path / "w.html").read_text()
    assert "<h3>one beside other</h3>" in page
    assert "<script src" not in page


@pytest.mark.slow
def test_a_zoo_model_and_the_roles_that_were_asked_for(tmp_path: Path) -> None:
    done = run(tmp_path, "zoo:llama2-tiny", "--roles", "q, embedding", "--layers")
    assert done.returncode == 0, done.stderr
    assert "q_proj" in done.stdout
    assert "embed_tokens" in done.stdout
    assert "v_proj" not in done.stdout
    assert "set aside (embedding or other)" in done.stdout
    assert done.stdout.index("mean") < done.stdout.index("q_proj")  # the summary comes first
    short = run(tmp_path, "llama2-tiny", "--roles", "q, embedding").stdout
    assert "_proj" not in short and "--layers prints a line for each matrix" in short


@pytest.mark.slow
@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("--roles", "querry"), "--roles: no role named 'querry'"),
        (("--adapter", "nowhere"), "--adapter nowhere: no such folder"),
        (("--adapter", "empty"), "adapter_config.json"),
        (("--against", "zoo:lama2-tiny"), "llama2-tiny"),
        (("--csv", "no/w.csv"), "no/w.csv: there is no folder"),
        (("--html", "empty"), "empty: is a folder"),
        (("--intruders-up-to", "-1"), "--intruders-up-to"),
    ],
)
def test_a_mistake_gets_a_line_before_any_work(tmp_path: Path, words: tuple[str, ...], message: str) -> None:
    (tmp_path / "empty").mkdir()
    done = run(tmp_path, "zoo:llama2-tiny", *words)
    assert done.returncode == 2, done.stderr
    assert message in done.stderr
    assert "Traceback" not in done.stderr
    assert done.stdout == ""


def test_options_say_what_a_suites_weights_say() -> None:
    found = weighing("q,v", oracle=True, split=True, randomize=True, intruders_up_to=0)
    assert found == Weighing(roles=("q", "v"), oracle=True, split=True, randomize=True, intruders_up_to=0)
    assert weighing(None, oracle=False, split=False, randomize=False, intruders_up_to=None) == Weighing()
    with pytest.raises(HarnessError, match="no role named ''"):
        weighing(" , ", oracle=False, split=False, randomize=False, intruders_up_to=None)


@pytest.mark.parametrize(
    ("places", "names"),
    [
        ([], []),
        (["file:/x/a"], ["a"]),
        (["file:/x/a", "file:/x/b"], ["a", "b"]),
        (["file:/x/run-1/final", "file:/x/run-2/final"], ["run-1/final", "run-2/final"]),
        (["hub:me/lora", "hub:you/lora"], ["me/lora", "you/lora"]),
        (["zoo:m", "zoo:m"], ["m#1", "m#2"]),
    ],
)
def test_equal_names_are_told_apart_by_more_of_their_paths(places: list[str], names: list[str]) -> None:
    assert _distinct(places) == names


def test_an_adapter_is_named_by_its_folder_or_as_a_suite_names_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    folder = adapter(tmp_path / "mine", 0)
    for place in ("mine", "./mine", "file:mine", str(folder), f"file:{folder}"):
        asked = WeightRequest(model="zoo:llama2-tiny", adapters=(place,), against=None, weighing=Weighing())
        found = named(asked, offline=True)[1]
        assert {name: path.resolve() for name, path in found.items()} == {"mine": folder}


def test_a_rule_has_no_weights() -> None:
    asked = WeightRequest(model="echo:copy", adapters=(), against=None, weighing=Weighing())
    with pytest.raises(
        HarnessError,
        match="echo:copy: no weights: their answers come from a rule, not from weights; name a model",
    ):
        named(asked, offline=True)
