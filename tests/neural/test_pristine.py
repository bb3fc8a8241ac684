"""What was written over is read back from the checkpoint where that holds the same bytes, and from a copy where not."""

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file

from harness.errors import ModelError
from harness.files import shipped
from harness.neural.load import Base
from harness.neural.pristine import Pristine
from harness.neural.train.precision import computing_in


def bits(base: Base) -> dict[str, torch.Tensor]:
    return {name: tensor.detach().clone() for name, tensor in base.model.state_dict().items()}


def same(one: dict[str, torch.Tensor], other: dict[str, torch.Tensor]) -> bool:
    return one.keys() == other.keys() and all(
        one[name].dtype == other[name].dtype and torch.equal(one[name], other[name]) for name in one
    )


@pytest.mark.parametrize("dtype", ["float32", "bfloat16"])
def test_what_was_kept_is_read_back_and_nothing_is_copied(
    base: Base, open_base: Callable[..., Base], folders: Callable[..., Path], dtype: str
) -> None:
    """Also where the checkpoint is in float32 and the model in bfloat16, and where a tensor is tied to another."""
    base = open_base(folders(base.family.name), dtype=dtype)
    before = bits(base)
    pristine = Pristine(base.model)
    parameters = dict(base.model.named_parameters())
    with torch.no_grad():
        for name, parameter in parameters.items():
            assert torch.equal(pristine.keep(name, parameter), parameter)
            parameter.add_(1.0)
        assert pristine.copied_bytes == 0
        for name, parameter in parameters.items():
            parameter.copy_(pristine.read(name, parameter))
    pristine.close()
    assert same(bits(base), before)


@pytest.mark.parametrize("name", shipped.zoo_names())
def test_no_matrix_of_a_tiny_model_needs_a_copy(open_base: Callable[..., Base], name: str) -> None:
    base = open_base(shipped.zoo_folder(name))
    pristine = Pristine(base.model)
    for name, parameter in base.model.named_parameters():
        if name not in base.missing:  # an adapter brings a head of its own
            pristine.keep(name, parameter)
    assert pristine.copied_bytes == 0
    pristine.close()


def test_a_tensor_that_the_file_does_not_hold_so_is_copied(
    folders: Callable[..., Path], open_base: Callable[..., Base], tmp_path: Path
) -> None:
    folder = shutil.copytree(folders("llama"), tmp_path / "model")
    base = open_base(folder)
    tensors = load_file(folder / "model.safetensors")
    changed = {
        "model.layers.0.self_attn.q_proj.weight": lambda one: one + 1e-7,
        "model.layers.0.self_attn.k_proj.weight": lambda one: one[:-1].clone(),
        "model.layers.0.self_attn.v_proj.weight": lambda one: one.to(torch.bfloat16),
    }
    for name, change in changed.items():
        tensors[name] = change(tensors[name])
    del tensors["model.layers.0.self_attn.o_proj.weight"]
    save_file(tensors, folder / "model.safetensors", metadata={"format": "pt"})
    names = [*changed, "model.layers.0.self_attn.o_proj.weight", "model.layers.1.self_attn.o_proj.weight"]
    before = bits(base)
    pristine = Pristine(base.model)
    with torch.no_grad():
        for name in names:
            pristine.keep(name, base.model.get_parameter(name))
            base.model.get_parameter(name).zero_()
        assert pristine.copied_bytes == 4 * 32 * 32 * 4  # all but the last, of four bytes each
        for name in names:
            base.model.get_parameter(name).copy_(pristine.read(name, base.model.get_parameter(name)))
    assert same(bits(base), before)


def test_a_checkpoint_that_is_replaced_or_gone_meanwhile_changes_nothing(
    folders: Callable[..., Path], open_base: Callable[..., Base], tmp_path: Path
) -> None:
    folder = shutil.copytree(folders("llama"), tmp_path / "model")
    base = open_base(folder)
    before = bits(base)
    with computing_in(base, "bfloat16"):
        (folder / "model.safetensors").unlink()
    assert same(bits(base), before)
    with computing_in(base, "bfloat16"):  # and without any file
        pass
    assert same(bits(base), before)


@pytest.mark.parametrize(("own", "other"), [("float32", "bfloat16"), ("bfloat16", "float32")])
def test_a_base_computes_in_another_type_and_is_the_same_afterwards(
    base: Base, open_base: Callable[..., Base], folders: Callable[..., Path], own: str, other: str
) -> None:
    base = open_base(folders(base.family.name), dtype=own)
    before = bits(base)
    with pytest.raises(RuntimeError, match="in the middle"), computing_in(base, other) as dtype:
        assert str(dtype) == f"torch.{other}"
        assert {parameter.dtype for parameter in base.model.parameters()} == {dtype}
        assert all(
            torch.equal(parameter, before[name].to(dtype))
            for name, parameter in base.model.named_parameters()
        )
        raise RuntimeError("in the middle")
    assert same(bits(base), before)
    with computing_in(base, "auto") as dtype:
        assert str(dtype) == f"torch.{own}"
        assert same(bits(base), before)


def test_a_quantised_base_is_not_cast(llama: Base) -> None:
    setattr(llama.model, "is_quantized", True)  # noqa: B010  # as transformers' quantisers do
    with (
        pytest.raises(ModelError, match="quantised base computes in float32; use precision: auto"),
        computing_in(llama, "bfloat16"),
    ):
        pass
