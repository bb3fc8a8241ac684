"""A batch of answers: all rows end at the same column, and a finished row is free for the next prompt."""

import sys
from collections.abc import Sequence
from typing import cast

import torch
from transformers import DynamicCache
from transformers.cache_utils import DynamicLayer

from harness.neural.architectures import ReadPrompts, writing
from harness.neural.cache import SlotLayer, slot_cache
from harness.neural.decode.answer import OpenAnswer, append
from harness.neural.decode.choose import chances, choose
from harness.neural.decode.slices import Slice, in_slices, slices
from harness.neural.encode import Encoded
from harness.neural.load import Base
from harness.neural.room import SLACK
from harness.types import Decode

LOOK = {"cpu": 1, "cuda": 8}  # steps between two checks of the tokens: each check makes a GPU wait
# A batch's tensors with a row for each answer.
OF_ROWS = ("seen", "prompt_seen", "next", "position", "age", "chance")


class Batch:
    """The answers in progress: tensors of [rows, …], and the columns that are filled."""

    def __init__(self, base: Base, decode: Decode, count: int, longest: int) -> None:
        self.base, self.decode = base, decode
        self.look = LOOK[base.device.type]
        how = writing(base)
        self._step = how.step
        layout = how.layout(longest, base.window)
        self.window = sys.maxsize if layout.window is None else layout.window
        self.column = layout.column  # the next column to fill
        self.rows: list[OpenAnswer | None] = [None] * count  # None: free
        self.finished: list[OpenAnswer] = []
        self.decoder: DynamicCache | None = None  # opened when the first prompts show its shape
        self.encoder: DynamicCache | None = None  # of the encoder's states, where there is an encoder
        device = base.device
        columns = self.column + decode.max_new_tokens + self.look + SLACK
        self.seen = torch.zeros(count, columns, dtype=torch.long, device=device)
        self.prompt_seen = torch.zeros(count, layout.prompt_columns, dtype=torch.long, device=device)
        self.next = torch.zeros(count, 1, dtype=torch.long, device=device)  # the token to read
        self.position = torch.zeros_like(self.next)  # of that token in its row
        self.age = torch.zeros_like(self.next)  # number of the answer's tokens so far
        self.chance = torch.zeros(count, decode.max_new_tokens, device=device)

    @property
    def live(self) -> int:
        """Return the number of rows that are not free."""
        return sum(row is not None for row in self.rows)

    def put(self, part: Sequence[Encoded], read: ReadPrompts) -> None:
        """Put prompts that were read into free rows; their logits give each answer's first token."""
        places = [at for at, row in enumerate(self.rows) if row is None][: len(part)]
        self.decoder = self.decoder or slot_cache(read.decoder, len(self.rows), self.seen.shape[1])
        if read.encoder is not None:
            columns = self.prompt_seen.shape[1]
            self.encoder = self.encoder or slot_cache(read.encoder, len(self.rows), columns)
        for nth, (at, prompt, count) in enumerate(zip(places, part, read.tokens, strict=True)):
            start = self.column - count
            self.rows[at] = OpenAnswer(prompt=prompt, start=start)
            self.seen[at] = 0
            self.seen[at, start : self.column] = 1
            _copy(read.decoder, nth, count, self.decoder, at, start, self.column)
            if read.encoder is not None and self.encoder is not None:
                self.prompt_seen[at] = 0
                self.prompt_seen[at, : len(prompt.ids)] = 1
                _copy(read.encoder, nth, len(prompt.ids), self.encoder, at, 0, self.prompt_seen.shape[1])
        self._show()
        rows = torch.tensor(places, device=self.base.device)
        if self.decode.temperature > 0:
            self.chance[rows] = chances(part, self.decode, self.base.device)
        tokens = choose(read.logits, self.decode, self.chance[rows, 0])
        self.next[rows], self.age[rows] = tokens[:, None].clamp(min=0), 1
        self.position[rows] = torch.tensor(read.tokens, device=self.base.device)[:, None]
        self._take(places, tokens[:, None])

    def step(self) -> None:
        """Write the next token of every row; on a GPU several, before the tokens are checked."""
        if self.column + self.look > self.seen.shape[1]:
            self._move_left()
        tokens = []
        for _ in range(self.look):
            self.seen[:, self.column] = 1  # of free rows too: attention to no column at all is NaN
            with in_slices(self._slices(), self._storages()):
                logits = self._forward()
            chance = self.chance.gather(1, self.age.clamp(max=self.chance.shape[1] - 1))[:, 0]
            chosen = choose(logits, self.decode, chance)[:, None]
            tokens.append(chosen)
            self.next = chosen.clamp(min=0)
            # Finished rows go on until others take their places: their positions must stay inside the window.
            self.position = (self.position + 1).clamp(max=self.window - 1)
            self.age, self.column = self.age + 1, self.column + 1
        self._take(range(len(self.rows)), torch.cat(tokens, dim=1))

    def compact(self) -> None:
        """Move rows from the end to free places, so that rows of similar age stand together."""
        live = self.live
        places = [at for at in range(live) if self.rows[at] is None]
        sources = [at for at in range(live, len(self.rows)) if self.rows[at] is not None]
        for at, source in zip(places, sources, strict=True):
            self.rows[at], self.rows[source] = self.rows[source], None
        to, came = (
            torch.tensor(rows, device=self.base.device, dtype=torch.long) for rows in (places, sources)
        )
        for name in OF_ROWS:
            of_rows = getattr(self, name)
            of_rows[to] = of_rows[came]
        for layer in (*_slots(self.decoder), *_slots(self.encoder)):
            layer.move(came, to)

    def shrink(self) -> int:
        """Drop free rows, for which no prompt is left, and return the number of remaining rows."""
        self.compact()
        live = self.live
        self.rows = self.rows[:live]
        for name in OF_ROWS:
            setattr(self, name, getattr(self, name)[:live])
        for layer in (*_slots(self.decoder), *_slots(self.encoder)):
            layer.keep(live)
        self._show()
        return live

    def pop_finished(self) -> list[OpenAnswer]:
        """Return the answers that were finished since the last call."""
        finished, self.finished = self.finished, []
        return finished

    @property
    def first(self) -> int:
        """Return the first column that the model sees; all rows begin there or later. Some models fail on more columns."""
        return max(0, self.column + 1 - self.window)

    def _forward(self) -> torch.Tensor:  # [rows, vocabulary]
        if self.first:
            for layer in _slots(self.decoder):
                layer.show(self.column, self.first)
        return self._step(self)

    @property
    def visible(self) -> torch.Tensor:  # int64 [rows, columns]
        """Return which columns of each row the model sees, including that of the token to read."""
        return self.seen[:, self.first : self.column + 1]

    def _slices(self) -> tuple[Slice, ...]:
        """Return the slices of attention on a CPU; a GPU does not wait for memory there."""
        if self.base.device.type != "cpu":
            return ()
        starts = [None if row is None else row.start - self.first for row in self.rows]
        return slices(starts, self.column + 1 - self.first)

    def _storages(self) -> frozenset[int]:
        layers = _slots(self.decoder)
        return frozenset(
            states.untyped_storage().data_ptr()
            for layer in layers
            for states in (layer.all_keys, layer.all_values)
        )

    def _take(self, places: Sequence[int], tokens: torch.Tensor) -> None:
        """Append new tokens, [places, steps], to their answers; finished rows become free."""
        for at, new in zip(places, tokens.tolist(), strict=True):
            row = self.rows[at]
            if row is None:
                continue
            append(self.base, row, new, self.decode)
            if row.finish is not None:
                self.finished.append(row)
                self.rows[at] = None

    def _show(self) -> None:
        """Let the model see the filled columns; of an encoder's prompts, as many as the longest one has."""
        for layer in _slots(self.decoder):
            layer.show(self.column)
        longest = max((len(row.prompt.ids) for row in self.rows if row is not None), default=0)
        for layer in _slots(self.encoder):
            layer.show(longest)

    def _move_left(self) -> None:
        """Drop the columns on the left that no row uses any more."""
        unused = min(row.start for row in self.rows if row is not None)
        for layer in _slots(self.decoder):
            layer.forget(unused)
        self.column -= unused
        self.seen = torch.cat([self.seen[:, unused:], torch.zeros_like(self.seen[:, :unused])], dim=1)
        for row in self.rows:
            if row is not None:
                row.start -= unused


def _slots(cache: DynamicCache | None) -> list[SlotLayer]:
    return cast(list[SlotLayer], cache.layers) if cache is not None else []


def _copy(
    source: DynamicCache, row: int, tokens: int, target: DynamicCache, place: int, start: int, until: int
) -> None:
    for layer, read in zip(_slots(target), cast(list[DynamicLayer], source.layers), strict=True):
        assert read.keys is not None and read.values is not None
        layer.put(place, start, read.keys[row, :, :tokens], read.values[row, :, :tokens], until)
