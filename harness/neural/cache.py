"""The cache of keys and values, in rows that can be reused for another answer at any time."""

from collections.abc import Sequence
from typing import Any, cast

import torch
from transformers import DynamicCache, PreTrainedConfig
from transformers.cache_utils import DynamicLayer, DynamicSlidingWindowLayer

ATTENTION = (
    DynamicLayer,
    DynamicSlidingWindowLayer,
)  # layers that keep keys and values, one column for a token


class SlotLayer(DynamicLayer):  # type: ignore[no-untyped-call]
    """One layer's keys and values, [rows, heads, columns, width], written in place.

    transformers' own layer copies all of them for every token: 46 % of the time of a 1.4 M Llama at 82 + 32 tokens.
    Columns outside a row are zero: attention multiplies masked columns by 0, and 0 times NaN is NaN.
    """

    def __init__(self, columns: int) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.columns = columns
        self.first = 0  # the first column that the model sees
        self.tokens = 0  # columns in use

    def open(self, rows: int, like: DynamicLayer) -> None:
        """Make room for rows with another layer's heads, width, dtype and device."""
        assert like.keys is not None and like.values is not None
        self.lazy_initialization(like.keys, like.values)
        self.all_keys = like.keys.new_empty((rows, like.keys.shape[1], self.columns, like.keys.shape[3]))
        self.all_values = like.values.new_empty(
            (rows, like.values.shape[1], self.columns, like.values.shape[3])
        )

    def update(
        self, key_states: torch.Tensor, value_states: torch.Tensor, *args: Any, **kwargs: Any
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Write new columns, and return all columns that the model sees."""
        start, self.tokens = self.tokens, self.tokens + key_states.shape[-2]
        self.all_keys[:, :, start : self.tokens] = key_states
        self.all_values[:, :, start : self.tokens] = value_states
        return self.show(self.tokens)

    def show(self, tokens: int, first: int | None = None) -> tuple[torch.Tensor, torch.Tensor]:
        """Return the columns from `first` up to `tokens`, which the model sees from now on; None: `first` stays."""
        self.tokens, self.first = tokens, self.first if first is None else first
        seen = slice(self.first, tokens)
        keys, values = self.all_keys[:, :, seen], self.all_values[:, :, seen]
        self.keys, self.values = keys, values
        return keys, values

    def put(self, row: int, start: int, keys: torch.Tensor, values: torch.Tensor, until: int) -> None:
        """Overwrite a row with keys and values, [heads, tokens, width], from column `start`; the rest up to `until` is 0."""
        end = start + keys.shape[-2]
        for states, new in ((self.all_keys, keys), (self.all_values, values)):
            states[row, :, :start] = 0
            states[row, :, start:end] = new
            states[row, :, end:until] = 0

    def move(self, sources: torch.Tensor, places: torch.Tensor) -> None:
        """Copy rows from `sources` to `places`; no row is both."""
        pairs = (
            list(zip(sources.tolist(), places.tolist(), strict=True)) if places.device.type == "cpu" else ()
        )
        for states in (self.all_keys, self.all_values):
            shown = states[:, :, : self.tokens]
            if places.device.type != "cpu":
                shown[places] = shown[sources]
            for source, place in pairs:  # half the traffic: indexing by tensors copies twice
                shown[place] = shown[source]

    def keep(self, rows: int) -> None:
        """Keep only the first `rows` rows."""
        self.all_keys, self.all_values = self.all_keys[:rows], self.all_values[:rows]

    def forget(self, columns: int) -> None:
        """Drop the first `columns` columns."""
        kept = self.tokens - columns
        for states in (self.all_keys, self.all_values):
            states[:, :, :kept] = states[:, :, columns : self.tokens].clone()
        self.show(kept, max(0, self.first - columns))


class ReadLayer(DynamicLayer):  # type: ignore[no-untyped-call]
    """One layer's keys and values while prompts are read. The first are kept as they are, without a copy."""

    def update(
        self, key_states: torch.Tensor, value_states: torch.Tensor, *args: Any, **kwargs: Any
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Add keys and values, and return all of them."""
        if self.is_initialized:
            return super().update(key_states, value_states)
        self.lazy_initialization(key_states, value_states)
        keys, values = key_states, value_states
        self.keys, self.values = keys, values
        return keys, values


def slot_cache(like: DynamicCache, rows: int, columns: int) -> DynamicCache:
    """Return an empty cache with this number of rows and columns, for the model that filled the cache `like`."""
    cache = DynamicCache()
    cache.layers = []
    for layer in cast(list[DynamicLayer], like.layers):
        slots = SlotLayer(columns)
        slots.open(rows, layer)
        cache.layers.append(slots)
    return cache


def reading_cache(
    config: PreTrainedConfig, prefix: DynamicCache | None = None, rows: int = 1
) -> DynamicCache:
    """Return a cache for some rows: empty, or with the keys and values of a prefix in every row.

    Layers with a sliding window keep all tokens too; the attention mask hides the old ones.
    """
    cache = DynamicCache(config=config)
    cache.layers = [
        ReadLayer() if type(layer) in ATTENTION else layer  # type: ignore[no-untyped-call]
        for layer in cache.layers
    ]
    for at, layer in enumerate(cast(list[DynamicLayer], prefix.layers) if prefix is not None else ()):
        assert layer.keys is not None and layer.values is not None
        cache.update(layer.keys.expand(rows, -1, -1, -1), layer.values.expand(rows, -1, -1, -1), at)
    return cache


def repeated(config: PreTrainedConfig, cache: DynamicCache, counts: Sequence[int]) -> DynamicCache:
    """Return a cache with each row of another one as often as `counts` says, one after the other."""
    found = reading_cache(config)
    for at, layer in enumerate(cast(list[DynamicLayer], cache.layers)):
        assert layer.keys is not None and layer.values is not None
        times = torch.tensor(counts, device=layer.keys.device)
        found.update(
            layer.keys.repeat_interleave(times, dim=0), layer.values.repeat_interleave(times, dim=0), at
        )
    return found


def only_attention(config: PreTrainedConfig) -> bool:
    """Return whether every layer keeps only keys and values; a state-space layer keeps other states."""
    return all(type(layer) in ATTENTION for layer in DynamicCache(config=config).layers)
