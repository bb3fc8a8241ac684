"""Every layer of every tiny model, and of an adapter on it, against the package itself."""

import json
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import save_file

from harness import families
from harness.files.shipped import zoo_folder, zoo_names
from harness.types import Weighing, WeightRow
from harness.weights.analyse import analyse
from harness.weights.read import locations

MODELS = zoo_names()
WHOLE = ("num_pl_spikes", "matrix_rank", "rank_loss", "detX_num", "num_evals")
RANK = 16


def adapter(folder: Path, model: Path, family: families.Family) -> Path:
    """Factors on every second matrix, as large beside it as a trained adapter's."""
    rng = np.random.default_rng(0)
    tensors = {}
    asked = [place for place in locations(model, family) if place.role in Weighing().roles]
    for place in asked[::2]:
        out, into = place.shape
        start = f"base_model.model.{place.name}"
        tensors[f"{start}.lora_A.weight"] = 0.1 * rng.standard_normal((RANK, into)).astype(np.float32)
        tensors[f"{start}.lora_B.weight"] = 0.1 * rng.standard_normal((out, RANK)).astype(np.float32)
    save_file(tensors, folder / "adapter_model.safetensors")
    config = {"peft_type": "LORA", "r": RANK, "lora_alpha": 8, "base_model_name_or_path": ""}
    (folder / "adapter_config.json").write_text(json.dumps(config))
    return folder


def rows(model: Path, family: families.Family, adapter: Path | None, *, oracle: bool) -> list[WeightRow]:
    weighing = Weighing(oracle=oracle)
    return list(analyse(model, family, adapter, model="m", adapter_name="a", weighing=weighing))


@pytest.mark.slow
@pytest.mark.parametrize("name", MODELS)
@pytest.mark.parametrize("adapted", [False, True], ids=["base", "adapter"])
def test_every_row_is_the_packages(name: str, adapted: bool, tmp_path: Path) -> None:
    model = zoo_folder(name)
    family = families.of(json.loads((model / "config.json").read_text())["model_type"])
    where = adapter(tmp_path, model, family) if adapted else None
    mine, theirs = (rows(model, family, where, oracle=oracle) for oracle in (False, True))
    assert len(mine) == len(theirs) > 0
    analysed = 0
    for one, other in zip(mine, theirs, strict=True):
        assert (one.part, one.layer, one.status) == (other.part, other.layer, other.status)
        analysed += one.status == "analysed"
        for number, value in other.numbers.items():
            if number in WHOLE:
                assert one.numbers[number] == value, (one.layer, number)
            else:  # a Gram matrix knows the smallest singular value to half its digits
                loose = 1e-6 if number == "sv_min" else 1e-9
                assert one.numbers[number] == pytest.approx(value, rel=loose, abs=1e-9), (one.layer, number)
    assert analysed >= (6 if name == "albert-tiny" else 10)  # whose layers share six matrices
