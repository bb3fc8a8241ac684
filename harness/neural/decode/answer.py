"""An answer while it is being written: which token ends it, and the generation that it becomes."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from harness.digest import text_digest
from harness.errors import ModelError
from harness.neural.encode import Encoded
from harness.neural.load import Base
from harness.tasks import stops
from harness.types import Decode, Finish, Generation

NOT_FINITE = -1  # takes the place of a token where logits are NaN or infinite


@dataclass(slots=True)
class OpenAnswer:
    """An answer that is being written."""

    prompt: Encoded
    start: int = 0  # the column where the row begins
    output: list[int] = field(default_factory=list)
    blank: int = 0  # tokens at the beginning that are only whitespace
    finish: Finish | None = None


def append(base: Base, row: OpenAnswer, tokens: Sequence[int], decode: Decode) -> None:
    """Append tokens to an answer until a token ends it; raise ModelError where a token's logits are not finite."""
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


def _not_finite(base: Base, row: OpenAnswer) -> str:
    dtype = str(base.dtype).removeprefix("torch.")
    overflow = ", or for numbers too large for float16: try dtype: bfloat16" if dtype == "float16" else ""
    return (
        f"{base.name} in {dtype}: sample {row.prompt.sample_id!r}: the logits of token {len(row.output) + 1} of the answer "
        f"are NaN or infinite; look for such numbers in the weights with `harness weigh`{overflow}"
    )


def _stopped(base: Base, row: OpenAnswer, decode: Decode) -> bool:
    """Return whether the answer ends with a stop string.

    Only the last tokens are decoded: a character has at most four, and a few more give the context.
    """
    recent = max(row.blank, len(row.output) - (4 * max(map(len, decode.stop)) + 4))
    text, whole = _text(base, row.output[recent:]), recent == row.blank
    if whole and decode.leading_whitespace == "drop" and not text.strip():
        row.blank = len(row.output)
        return False
    return stops.stopped(text, decode, whole=whole)


def _text(base: Base, output: Sequence[int]) -> str:
    text: str = base.tokenizer.decode(output, skip_special_tokens=True, clean_up_tokenization_spaces=False)
    return text


def generation(base: Base, row: OpenAnswer, decode: Decode) -> Generation:
    """Return the generation that a finished answer becomes."""
    return Generation(
        sample_id=row.prompt.sample_id,
        text=stops.cut(_text(base, row.output), decode),
        prompt_tokens=len(row.prompt.ids),
        output_tokens=len(row.output),
        truncated_tokens=row.prompt.truncated_tokens,
        finish=row.finish or "length",
        prompt_digest=text_digest(row.prompt.text),
    )
