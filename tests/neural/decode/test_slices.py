"""Attention slice by slice is attention to all, with the columns left out that a mask hides anyway."""

import pytest
import torch
from torch.nn import functional

from harness.neural.decode.slices import Slice, in_slices, slices


def test_slices_cover_every_row_once_and_leave_no_column_of_theirs_out() -> None:
    starts = [0, 3, None, 40, 38, 60, None, 75, 80, 81, 90, 95]
    found = slices(starts, 100)
    assert [at for one in found for at in range(one.first, one.last)] == list(range(len(starts)))
    for one in found:
        assert all(start is None or start >= one.start for start in starts[one.first : one.last])
    assert sum((one.last - one.first) * (100 - one.start) for one in found) < 0.7 * 100 * len(starts)


def test_rows_of_one_age_are_read_at_once() -> None:
    assert slices([5, 4, 6, 5, 7, 5, 4], 100) == ()
    assert slices([0], 10) == ()


@pytest.mark.parametrize("heads", [1, 4], ids=["one mask for all heads", "a mask a head"])
def test_sliced_attention_gives_what_whole_attention_gives(heads: int) -> None:
    torch.manual_seed(0)
    starts, columns = [0, 0, 9, 20, 30, 31], 40
    wide = torch.float64
    query, key = torch.randn(6, 4, 1, 8, dtype=wide), torch.randn(6, 4, 64, 8, dtype=wide)
    value = torch.randn(6, 4, 64, 8, dtype=wide)
    mask = torch.randn(6, heads, 1, columns, dtype=wide)
    for row, start in enumerate(starts):
        mask[row, :, :, :start] = -torch.inf
    shown = (query, key[:, :, :columns], value[:, :, :columns])
    whole = functional.scaled_dot_product_attention(*shown, attn_mask=mask)
    own = functional.scaled_dot_product_attention
    with in_slices(slices(starts, columns), frozenset({key.untyped_storage().data_ptr()})):
        assert functional.scaled_dot_product_attention is not own
        torch.testing.assert_close(functional.scaled_dot_product_attention(*shown, attn_mask=mask), whole)
        elsewhere = (query, shown[1].clone(), shown[2].clone())  # as in a decoder's attention to an encoder
        assert functional.scaled_dot_product_attention(*elsewhere, attn_mask=mask).equal(whole)
    assert functional.scaled_dot_product_attention is own


def test_attention_is_torchs_own_again_after_an_error() -> None:
    own = functional.scaled_dot_product_attention
    with pytest.raises(KeyError), in_slices((Slice(0, 1, 0),), frozenset()):
        raise KeyError
    assert functional.scaled_dot_product_attention is own
