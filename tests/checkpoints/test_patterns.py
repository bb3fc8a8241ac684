"""A regular expression of a foreign adapter is refused where it hangs, and used as it is written where it does not."""

import json
import time
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import save_file
from typer.testing import CliRunner

from harness.checkpoints.adapter import read
from harness.checkpoints.patterns import check_patterns
from harness.cli import app
from harness.errors import AdapterError

LONG = "model.layers.0." + "a" * 60
NAMES = [LONG, *(f"model.layers.{layer}.self_attn.{part}_proj" for layer in range(80) for part in "qkvo")]
HANGS = r"(.*a+)+x"
PATH = Path("adapter") / "adapter_config.json"


def adapter(folder: Path, **said: object) -> Path:
    A, B = np.ones((4, 6), np.float32), np.ones((5, 4), np.float32)
    folder.mkdir()
    save_file({f"{LONG}.lora_A.weight": A, f"{LONG}.lora_B.weight": B}, folder / "adapter_model.safetensors")
    usual = {"peft_type": "LORA", "r": 4, "lora_alpha": 8, "target_modules": ["a"]}
    (folder / "adapter_config.json").write_text(json.dumps(usual | said))
    return folder


@pytest.mark.slow
@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("target_modules", HANGS),
        ("exclude_modules", HANGS),
        ("rank_pattern", {HANGS: 4}),
        ("alpha_pattern", {"q_proj": 3, HANGS: 4}),
        ("layers_pattern", HANGS),
        ("layers_pattern", ["layers", HANGS]),
        ("modules_to_save", [HANGS]),
    ],
)
def test_a_pattern_that_hangs_is_named_in_seconds(key: str, value: object) -> None:
    begin = time.process_time()
    with pytest.raises(
        AdapterError, match=rf"^{PATH}: {key}: the pattern '.*' took more than 2 s on 321"
    ) as told:
        check_patterns(PATH, {key: value}, NAMES)
    assert "\n" not in str(told.value)
    assert time.process_time() - begin < 1  # the time was another process's


@pytest.mark.parametrize(
    ("pattern", "said"),
    [
        ("(", "is not a regular expression"),
        ("(" * 5000 + ")" * 5000, "is not a regular"),
        ("a+" * 60_000, "100,000 char"),
    ],
    ids=["broken", "nested", "long"],
)
def test_what_is_no_regular_expression_is_named_too(pattern: str, said: str) -> None:
    with pytest.raises(AdapterError, match=f"target_modules: .*{said}") as told:
        check_patterns(PATH, {"target_modules": pattern}, NAMES)
    assert len(str(told.value)) < 300


def test_more_patterns_than_modules_could_need_are_refused() -> None:
    with pytest.raises(AdapterError, match=r"100,000 patterns for 321 modules"):
        check_patterns(PATH, {"rank_pattern": {f"m{number}": 4 for number in range(100_000)}}, NAMES)


@pytest.mark.parametrize(
    "said",
    [
        {"target_modules": "all-linear"},
        {"target_modules": ["(a+)+$"]},  # a list holds names, which are compared
        {"target_modules": r".*\.(q|v)_proj", "exclude_modules": r".*layers\.(1|2)\..*"},
        {"rank_pattern": {"0.self_attn.q_proj": 2, r"layers\.[0-9]+\.self_attn\.k_proj": 3}},
        {"alpha_pattern": dict.fromkeys(NAMES, 4), "layers_pattern": "layers", "modules_to_save": ["lm_head"]},
        {"target_modules": None, "rank_pattern": None, "layers_pattern": []},
    ],
    ids=str,
)  # fmt: skip
def test_patterns_in_use_pass(said: dict[str, object]) -> None:
    check_patterns(PATH, said, NAMES)


@pytest.mark.slow
def test_weights_and_their_settings_are_read_together(tmp_path: Path) -> None:
    with pytest.raises(AdapterError, match=r"rank_pattern: the pattern .* took more than 2 s"):
        read(adapter(tmp_path / "hanging", rank_pattern={HANGS: 4}))
    assert read(adapter(tmp_path / "usual", rank_pattern={r"layers\.\d\.a+": 4})).modules


@pytest.mark.slow
@pytest.mark.parametrize(
    ("said", "key"),
    [({"alpha_pattern": {HANGS: 4}}, "alpha_pattern"), ({"lora_alpha": float("nan")}, "lora_alpha")],
    ids=["pattern", "NaN"],
)
def test_check_and_weigh_say_it_in_one_line(tmp_path: Path, said: dict[str, object], key: str) -> None:
    folder = adapter(tmp_path / "adapter", **said)
    suite = tmp_path / "suite.yaml"
    suite.write_text(
        "tasks: [dialogues]\nmodels: [{name: tiny, uri: 'zoo:llama2-tiny'}]\n"
        f"adapters: [{{name: foreign, base: tiny, uri: 'file:{folder}'}}]\n"
    )
    for command in (
        ["check", str(suite), "--store", str(tmp_path / "store")],
        ["weigh", "zoo:llama2-tiny", "--adapter", str(folder), "--store", str(tmp_path / "store")],
    ):
        told = CliRunner().invoke(app, command)
        assert told.exit_code != 0
        assert f"{folder / 'adapter_config.json'}: {key}: " in str(told.exception)
