import json
from collections import OrderedDict
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

from harness.errors import ModelError
from harness.neural.convert import convert


class Trap:
    """Runs code when it is unpickled."""

    def __reduce__(self) -> tuple[object, tuple[str]]:
        return print, ("the trap was run",)


def test_tied_and_strided_tensors_come_whole_and_the_settings_come_along(tmp_path: Path) -> None:
    shared = torch.randn(4, 3)
    tensors = OrderedDict(a=shared, tied=shared, turned=shared.T, half=torch.ones(2, dtype=torch.bfloat16))
    torch.save(tensors, tmp_path / "pytorch_model.bin")
    (tmp_path / "config.json").write_text("{}")
    out = tmp_path / "out"
    assert convert(tmp_path, out) == [out / "model.safetensors"]
    found = load_file(out / "model.safetensors")
    assert found.keys() == tensors.keys()
    assert all(
        torch.equal(found[name], tensor) and found[name].dtype == tensor.dtype
        for name, tensor in tensors.items()
    )
    assert sorted(path.name for path in out.iterdir()) == ["config.json", "model.safetensors"]


def test_shards_and_their_index_are_renamed_together(tmp_path: Path) -> None:
    names = [f"pytorch_model-0000{nth}-of-00002.bin" for nth in (1, 2)]
    for nth, name in enumerate(names):
        torch.save({f"w{nth}": torch.full((2, 2), nth)}, tmp_path / name)
    index = {"metadata": {"total_size": 64}, "weight_map": {"w0": names[0], "w1": names[1]}}
    (tmp_path / "pytorch_model.bin.index.json").write_text(json.dumps(index))
    written = convert(tmp_path, tmp_path)
    assert [path.name for path in written] == [
        "model-00001-of-00002.safetensors",
        "model-00002-of-00002.safetensors",
        "model.safetensors.index.json",
    ]
    said = json.loads(written[-1].read_text())
    assert said["weight_map"] == {"w0": written[0].name, "w1": written[1].name}
    assert torch.equal(load_file(written[1])["w1"], torch.ones(2, 2, dtype=torch.int64))


def test_an_adapter_is_converted_under_pefts_name(tmp_path: Path) -> None:
    torch.save({"x.lora_A.weight": torch.ones(2, 3)}, tmp_path / "adapter_model.bin")
    assert convert(tmp_path, tmp_path) == [tmp_path / "adapter_model.safetensors"]


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ({"w": Trap()}, "not a file of plain tensors"),
        ({"w": torch.ones(2), "step": 7}, "'step' is a int, not a tensor"),
        ([torch.ones(2)], "contains a list, expected tensors by name"),
        ({"w": torch.eye(3).to_sparse()}, "sparse or quantised"),
    ],
)
def test_what_is_not_plain_tensors_is_refused_unread(tmp_path: Path, capsys, content, said: str) -> None:
    torch.save(content, tmp_path / "pytorch_model.bin")
    with pytest.raises(ModelError, match=said):
        convert(tmp_path, tmp_path)
    assert "trap" not in capsys.readouterr().out
    assert [path.name for path in tmp_path.iterdir()] == ["pytorch_model.bin"]


def test_garbage_and_nothing_are_told_in_a_line(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="there is nothing to convert"):
        convert(tmp_path, tmp_path)
    (tmp_path / "pytorch_model.bin").write_bytes(b"garbage")
    with pytest.raises(ModelError, match="not a file of plain tensors") as told:
        convert(tmp_path, tmp_path)
    assert "\n" not in str(told.value)
