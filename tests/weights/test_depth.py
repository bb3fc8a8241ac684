import pytest

from harness.weights.depth import block, depths


@pytest.mark.parametrize(
    ("layer", "stack", "number"),
    [
        ("model.layers.11.self_attn.q_proj", "model.layers", 11),
        ("transformer.h.0.mlp.dense_4h_to_h", "transformer.h", 0),
        (
            "decoder.block.3.layer.1.EncDecAttention.q",
            "decoder.block",
            3,
        ),  # the layer within the block counts not
        ("h.2", "h", 2),
        ("7.weight", "", 7),
    ],
)
def test_a_layers_block_is_told_by_the_first_number_in_its_name(layer: str, stack: str, number: int) -> None:
    found = block(layer)
    assert found is not None
    assert (found.stack, found.number) == (stack, number)


def test_the_encoder_stands_before_the_decoder_and_ten_after_two() -> None:
    names = ["decoder.block.0.q", "encoder.block.10.q", "encoder.block.2.q", "shared", "lm_head"]
    found = depths((name, "embedding" if name == "shared" else "head") for name in names)
    assert found.of == {
        "shared": 0,
        "encoder.block.2.q": 1,
        "encoder.block.10.q": 2,
        "decoder.block.0.q": 3,
        "lm_head": 4,
    }
    assert [found.label(depth) for depth in range(5)] == ["", "e2", "e10", "d0", ""]


def test_of_one_stack_the_number_alone_is_said() -> None:
    assert depths([("model.layers.5.q", "q")]).label(1) == "5"
