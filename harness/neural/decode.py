"""Prompts to answers: many rows at once, one token at a time, and a row that is done makes room for the next prompt.

    prompts ─ encode ─▶ token ids ─ sessions ─▶ _read, some at a time ─▶ Board.put ─▶ step, step, … ─▶ Generation

All rows of a board end at the same column, so a step writes one column and no row has holes. Prompts come longest
first, so there is always room on the left for the next one. What all prompts begin with is read once.
"""

import sys
from collections import deque
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field
from typing import cast

import torch
from transformers import DynamicCache
from transformers.cache_utils import DynamicLayer

from harness.digest import digest, text_digest
from harness.errors import ModelError
from harness.neural import plain
from harness.neural.architectures import ReadPrompts, room, writing
from harness.neural.cache import SlotLayer, slot_cache
from harness.neural.encode import Encoded, ahead, encode
from harness.neural.load import Base
from harness.neural.memory import Budget, out_of_memory
from harness.neural.slices import Slice, in_slices, slices
from harness.tasks import stops
from harness.types import Decode, Finish, Generation, Overflow, Prompt

LEAVE = 0.125  # share of a board's rows that are done when others take their place
SESSION = 4  # boards full of prompts that are answered in one go: what a crash can cost
SLACK = 32  # columns between two moves of all rows to the left
LEAST_PREFIX = 16  # tokens; a shorter common beginning is not worth a forward pass of its own
# Tokens of prompts in one forward pass; on CPUs per thread, to stay in its cache.
READ_TOKENS = {"cpu": 512, "cuda": 16384}
# A board's tensors with a row for each answer.
OF_ROWS = ("seen", "prompt_seen", "next", "position", "age", "chance")
NOT_FINITE = -1  # instead of a token, where logits are NaN or infinite
LOOK = {"cpu": 1, "cuda": 8}  # steps between two looks at the tokens: each look makes a GPU wait


def write(
    base: Base,
    prompts: Sequence[Prompt],
    decode: Decode,
    overflow: Overflow,
    budget: Budget,
    done: Collection[str] = frozenset(),  # sample ids that are answered already
) -> Iterator[Generation]:
    """The answers, as they finish.

    Whoever goes on after a crash gives all prompts again, and in `done` those that are answered: the sessions are then
    what they were, and so is the last bit of every logit. What a checkpoint's own generation config says about
    sampling or penalties is not followed.
    """
    encoded: list[Encoded] = []
    allowed = room(base, decode.max_new_tokens)
    for prompt in ahead(base, prompts):
        one = encode(base, prompt, overflow, allowed)
        if one is not None:
            encoded.append(one)
        elif prompt.sample_id not in done:
            yield Generation(
                sample_id=prompt.sample_id, text="", finish="refused", prompt_digest=text_digest(prompt.text)
            )
    shares = writing(base).read_prefix is not None
    prefix = common_prefix([one.ids for one in encoded]) if shares else ()
    for session in sessions([len(one.ids) for one in encoded], decode.max_new_tokens, budget.tokens):
        rows = [encoded[at] for at in session]
        if all(row.sample_id in done for row in rows):
            continue
        for generation in _within(base, rows, decode, budget, prefix):
            if generation.sample_id not in done:
                yield generation


def sessions(lengths: Sequence[int], max_new_tokens: int, batch_tokens: int) -> list[list[int]]:
    """Positions in groups that are answered in one go, the longest first: what does not fit shows at once."""
    found: list[list[int]] = []
    limit = 0
    for at in sorted(range(len(lengths)), key=lambda at: (-lengths[at], at)):
        if not found or len(found[-1]) == limit:
            found.append([])
            limit = SESSION * rows_that_fit(lengths[at] + max_new_tokens, batch_tokens)
        found[-1].append(at)
    return found


def rows_that_fit(longest: int, batch_tokens: int) -> int:
    """Rows that fit a budget of tokens in flight, a board's spare columns among them."""
    return max(1, batch_tokens // (longest + SLACK))


def common_prefix(rows: Sequence[tuple[int, ...]]) -> tuple[int, ...]:
    """What all rows begin with, at least one token of each left over."""
    if len(rows) < 2:
        return ()
    first, last = min(rows), max(rows)
    most = min(map(len, rows)) - 1
    length = next((at for at in range(most) if first[at] != last[at]), most)
    return first[:length] if length >= LEAST_PREFIX else ()


def _within(
    base: Base, rows: Sequence[Encoded], decode: Decode, budget: Budget, prefix: Sequence[int]
) -> Iterator[Generation]:
    """Answers a session; where memory does not suffice, what is left of it with half the budget."""
    left = list(rows)
    while left:
        longest = len(left[0].ids) + decode.max_new_tokens
        count = min(len(left), rows_that_fit(longest, budget.tokens))
        told: set[str] = set()
        try:
            for row in _answer(base, left, count, decode, prefix):
                told.add(row.prompt.sample_id)
                yield _generation(base, row, decode)
            return
        except Exception as error:
            if count == 1 or not out_of_memory(error):
                raise
        budget.shrink(count // 2 * (longest + SLACK))
        left = [row for row in left if row.sample_id not in told]


@dataclass(slots=True)
class Row:
    """An answer on its way."""

    prompt: Encoded
    start: int = 0  # the column where it begins
    output: list[int] = field(default_factory=list)
    blank: int = 0  # tokens at its beginning that are whitespace alone
    finish: Finish | None = None


@torch.no_grad()  # not inference_mode: some rotary embeddings keep tensors, which training then could not use
def _answer(
    base: Base, encoded: Sequence[Encoded], count: int, decode: Decode, prefix: Sequence[int]
) -> Iterator[Row]:
    """Answers prompts, the longest first, so many at a time."""
    if not plain.has_slots(base):
        yield from _answer_plainly(base, encoded, count, decode)
        return
    waiting = deque(encoded)
    how = writing(base)
    begun = how.read_prefix(base, prefix) if how.read_prefix and prefix else None
    board = Board(base, decode, count, len(encoded[0].ids))
    while waiting or board.live:
        free = count - board.live
        if waiting and free >= LEAVE * count:
            joining = [waiting.popleft() for _ in range(min(free, len(waiting)))]
            board.gather()
            for part in _parts(base, joining, len(prefix)):
                board.put(part, how.read(base, [prompt.ids for prompt in part], begun))
        else:
            if free >= LEAVE * count:
                count = board.close_ranks()
            board.step()
        yield from board.pop_finished()


def _answer_plainly(base: Base, encoded: Sequence[Encoded], count: int, decode: Decode) -> Iterator[Row]:
    if decode.temperature > 0:
        raise ModelError(
            f"{base.name}: a {type(base.model).__name__} can only answer greedily here; set temperature: 0"
        )
    for prompt, tokens in plain.answer(base, encoded, count, decode.max_new_tokens, NOT_FINITE):
        row = Row(prompt=prompt)
        _append(base, row, tokens, decode)
        yield row


class Board:
    """The rows that are being answered, [rows, ...] all, and the columns that they have filled."""

    def __init__(self, base: Base, decode: Decode, count: int, longest: int) -> None:
        self.base, self.decode = base, decode
        self.look = LOOK[base.device.type]
        how = writing(base)
        self._step = how.step
        layout = how.layout(longest, base.window)
        self.window = sys.maxsize if layout.window is None else layout.window
        self.column = layout.column  # the next one to fill
        self.rows: list[Row | None] = [None] * count  # None: free
        self.finished: list[Row] = []
        self.decoder: DynamicCache | None = None  # opened when the first prompts show its shape
        self.encoder: DynamicCache | None = None  # what a decoder with an encoder looks at
        device = base.device
        columns = self.column + decode.max_new_tokens + self.look + SLACK
        self.seen = torch.zeros(count, columns, dtype=torch.long, device=device)
        self.prompt_seen = torch.zeros(count, layout.prompt_columns, dtype=torch.long, device=device)
        self.next = torch.zeros(count, 1, dtype=torch.long, device=device)  # the token to read
        self.position = torch.zeros_like(self.next)  # of that token in its row
        self.age = torch.zeros_like(self.next)  # tokens of the answer so far
        self.chance = torch.zeros(count, decode.max_new_tokens, device=device)

    @property
    def live(self) -> int:
        return sum(row is not None for row in self.rows)

    def put(self, part: Sequence[Encoded], read: ReadPrompts) -> None:
        """Prompts that were read take free rows; their logits say each answer's first token."""
        places = [at for at, row in enumerate(self.rows) if row is None][: len(part)]
        self.decoder = self.decoder or slot_cache(read.decoder, len(self.rows), self.seen.shape[1])
        if read.encoder is not None:
            columns = self.prompt_seen.shape[1]
            self.encoder = self.encoder or slot_cache(read.encoder, len(self.rows), columns)
        for nth, (at, prompt, count) in enumerate(zip(places, part, read.tokens, strict=True)):
            start = self.column - count
            self.rows[at] = Row(prompt=prompt, start=start)
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
            self.chance[rows] = _chance(part, self.decode, self.base.device)
        tokens = _choose(read.logits, self.decode, self.chance[rows, 0])
        self.next[rows], self.age[rows] = tokens[:, None].clamp(min=0), 1
        self.position[rows] = torch.tensor(read.tokens, device=self.base.device)[:, None]
        self._take(places, tokens[:, None])

    def step(self) -> None:
        """One token more for every row; on a GPU several, before anybody looks at them."""
        if self.column + self.look > self.seen.shape[1]:
            self._move_left()
        tokens = []
        for _ in range(self.look):
            self.seen[:, self.column] = 1  # of free rows too: attention to nothing at all is no number
            with in_slices(self._slices(), self._storages()):
                logits = self._forward()
            chance = self.chance.gather(1, self.age.clamp(max=self.chance.shape[1] - 1))[:, 0]
            chosen = _choose(logits, self.decode, chance)[:, None]
            tokens.append(chosen)
            self.next = chosen.clamp(min=0)
            # Rows that are done go on until others take their places: they must not look past the window.
            self.position = (self.position + 1).clamp(max=self.window - 1)
            self.age, self.column = self.age + 1, self.column + 1
        self._take(range(len(self.rows)), torch.cat(tokens, dim=1))

    def gather(self) -> None:
        """Moves rows from the end to free places, so that the young ones stand together."""
        live = self.live
        places = [at for at in range(live) if self.rows[at] is None]
        sources = [at for at in range(live, len(self.rows)) if self.rows[at] is not None]
        for at, source in zip(places, sources, strict=True):
            self.rows[at], self.rows[source] = self.rows[source], None
        to, came = (
            torch.tensor(some, device=self.base.device, dtype=torch.long) for some in (places, sources)
        )
        for name in OF_ROWS:
            of_rows = getattr(self, name)
            of_rows[to] = of_rows[came]
        for layer in (*_slots(self.decoder), *_slots(self.encoder)):
            layer.move(came, to)

    def close_ranks(self) -> int:
        """Lets free rows go, since nobody waits for them; says how many are left."""
        self.gather()
        live = self.live
        self.rows = self.rows[:live]
        for name in OF_ROWS:
            setattr(self, name, getattr(self, name)[:live])
        for layer in (*_slots(self.decoder), *_slots(self.encoder)):
            layer.keep(live)
        self._show()
        return live

    def pop_finished(self) -> list[Row]:
        finished, self.finished = self.finished, []
        return finished

    @property
    def first(self) -> int:
        """The first column that the model sees. All rows begin there or later, and some models fail on more columns."""
        return max(0, self.column + 1 - self.window)

    def _forward(self) -> torch.Tensor:  # [rows, vocabulary]
        if self.first:
            for layer in _slots(self.decoder):
                layer.show(self.column, self.first)
        return self._step(self)

    @property
    def visible(self) -> torch.Tensor:  # int64 [rows, columns]
        """What the model sees of each row, the token to read included."""
        return self.seen[:, self.first : self.column + 1]

    def _slices(self) -> tuple[Slice, ...]:
        """How attention is cut up on a CPU; a GPU has more to do than to wait for memory."""
        if self.base.device.type != "cpu":
            return ()
        starts = [None if row is None else row.start - self.first for row in self.rows]
        return slices(starts, self.column + 1 - self.first)

    def _storages(self) -> frozenset[int]:
        layers = _slots(self.decoder)
        return frozenset(
            states.untyped_storage().data_ptr() for one in layers for states in (one.all_keys, one.all_values)
        )

    def _take(self, places: Sequence[int], tokens: torch.Tensor) -> None:
        """Takes new tokens, [places, some], into their answers; rows that are done become free."""
        for at, new in zip(places, tokens.tolist(), strict=True):
            row = self.rows[at]
            if row is None:
                continue
            _append(self.base, row, new, self.decode)
            if row.finish is not None:
                self.finished.append(row)
                self.rows[at] = None

    def _show(self) -> None:
        """As many columns as are filled, of prompts as many as the longest needs."""
        for layer in _slots(self.decoder):
            layer.show(self.column)
        longest = max((len(row.prompt.ids) for row in self.rows if row is not None), default=0)
        for layer in _slots(self.encoder):
            layer.show(longest)

    def _move_left(self) -> None:
        """Drops the columns that no row needs any more."""
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


def _parts(base: Base, rows: Sequence[Encoded], prefix: int) -> Iterator[Sequence[Encoded]]:
    """Rows, the longest first, as many at a time as are worth one forward pass."""
    tokens = READ_TOKENS[base.device.type] * (torch.get_num_threads() if base.device.type == "cpu" else 1)
    start = 0
    while start < len(rows):
        count = max(1, tokens // (len(rows[start].ids) - prefix))
        yield rows[start : start + count]
        start += count


def _choose(
    logits: torch.Tensor,  # [rows, vocabulary]
    decode: Decode,
    chance: torch.Tensor,  # [rows], 0 to 1
) -> torch.Tensor:  # int64 [rows]; NOT_FINITE where the logits are
    highest, first = logits.max(-1)  # argmax takes three times as long; a NaN is the highest
    if decode.temperature == 0:
        return first.masked_fill_(~highest.isfinite(), NOT_FINITE)
    likely, order = (logits.float() / decode.temperature).softmax(-1).sort(descending=True, stable=True)
    total = likely.cumsum(-1)
    likely = likely.masked_fill(total - likely >= decode.top_p, 0.0)  # the first always stays
    total = likely.cumsum(-1)
    at = torch.searchsorted(total, (chance * total[:, -1])[:, None], right=True)
    drawn = order.gather(-1, at.clamp(max=logits.shape[-1] - 1))[:, 0]
    return drawn.masked_fill_(~highest.isfinite(), NOT_FINITE)


def _chance(
    part: Sequence[Encoded], decode: Decode, device: torch.device
) -> torch.Tensor:  # [rows, new tokens]
    """Every sample has random numbers of its own, so that they do not depend on its company."""
    drawn = []
    for one in part:
        generator = torch.Generator().manual_seed(int(digest(decode.seed, one.sample_id)[:15], 16))
        drawn.append(torch.rand(decode.max_new_tokens, generator=generator))
    return torch.stack(drawn).to(device)


def _append(base: Base, row: Row, tokens: Sequence[int], decode: Decode) -> None:
    """Takes tokens into an answer until one ends it."""
    for token in tokens:
        if token == NOT_FINITE:
            raise ModelError(_not_finite(base, row))
        if token in base.ends:
            row.finish = "stop"
            return
        row.output.append(token)
        if decode.stop and _stopped(base, row, decode):
            row.finish = "stop"
            return
        if len(row.output) == decode.max_new_tokens:
            row.finish = "length"
            return


def _not_finite(base: Base, row: Row) -> str:
    dtype = str(base.dtype).removeprefix("torch.")
    overflow = ", or numbers that float16 cannot hold: try dtype: bfloat16" if dtype == "float16" else ""
    return (
        f"{base.name} in {dtype}: sample {row.prompt.sample_id!r}: the logits of token {len(row.output) + 1} of the answer "
        f"are NaN or infinite; look for such numbers in the weights with `harness weigh`{overflow}"
    )


def _stopped(base: Base, row: Row, decode: Decode) -> bool:
    """Whether a stop string stands at the end. A character has at most four tokens, and a few more tell its surroundings."""
    recent = max(row.blank, len(row.output) - (4 * max(map(len, decode.stop)) + 4))
    text, whole = _text(base, row.output[recent:]), recent == row.blank
    if whole and decode.leading_whitespace == "drop" and not text.strip():
        row.blank = len(row.output)
        return False
    return stops.stopped(text, decode, whole=whole)


def _text(base: Base, output: Sequence[int]) -> str:
    text: str = base.tokenizer.decode(output, skip_special_tokens=True, clean_up_tokenization_spaces=False)
    return text


def _generation(base: Base, row: Row, decode: Decode) -> Generation:
    return Generation(
        sample_id=row.prompt.sample_id,
        text=stops.cut(_text(base, row.output), decode),
        prompt_tokens=len(row.prompt.ids),
        output_tokens=len(row.output),
        truncated_tokens=row.prompt.truncated_tokens,
        finish=row.finish or "length",
        prompt_digest=text_digest(row.prompt.text),
    )
