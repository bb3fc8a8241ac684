"""An open backend on a server: prompts to generations and likelihoods, many requests at once."""

import re
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TypeVar

from harness.digest import text_digest
from harness.errors import StepError
from harness.servers import calls, options
from harness.servers.calls import Written
from harness.servers.client import Client, Unanswered
from harness.servers.counting import Count
from harness.servers.flight import in_flight
from harness.servers.handshake import LISTS, REPEATS
from harness.tasks import stops
from harness.types import Decode, Generation, Handshake, Likelihoods, Overflow, Prompt, Spent

GIVE_UP = 16  # samples in a row without an answer
NAMED = 5  # samples that a message names
_TOO_LONG = re.compile(r"context|too long|too many tokens|max(imum)?[ _]\w*[ _]?len|exceed", re.IGNORECASE)

Answer = TypeVar("Answer")


@dataclass(slots=True)
class Served:
    """A model on a server."""

    client: Client
    shown: Handshake
    where: str  # begins messages
    count: Count | None = None
    _answer_as: dict[str, str] = field(
        default_factory=dict
    )  # name of a model -> the model that its answers name

    @property
    def spent(self) -> Spent:
        """Return what was spent until now."""
        return self.client.spent

    @property
    def doubt(self) -> str | None:
        """Return what the server did not show of its writing, as a clause; None where it repeats itself."""
        if (repeats := self.shown.proof(REPEATS)) is None or repeats.proved:
            return None
        return f"the server is not deterministic: {repeats.detail}"

    def write(
        self,
        prompts: Sequence[Prompt],
        decode: Decode,
        overflow: Overflow,
        adapter: Path | None,
        done: Collection[str] = frozenset(),
    ) -> Iterator[Generation]:
        """Yield the answers as they come; raise StepError at the end if some samples have none."""
        model = self._named(adapter)
        return self._each(prompts, done, lambda prompt: self._generation(prompt, decode, overflow, model))

    def likelihoods(
        self,
        prompts: Sequence[Prompt],
        overflow: Overflow,
        adapter: Path | None,
        done: Collection[str] = frozenset(),
    ) -> Iterator[Likelihoods]:
        """Yield how likely each option is, as they come; raise StepError at the end if some samples have no answer."""
        model = self._named(adapter)
        return self._each(prompts, done, lambda prompt: self._likelihoods(prompt, overflow, model))

    def tokens(self, prompt: Prompt, overflow: Overflow, answer_tokens: int = 0) -> tuple[str, list[int]]:
        """Return a prompt, and a number for each token that the server counts in it."""
        try:
            one = Decode(max_new_tokens=1)
            asked = calls.write(self.client, self._named(None), prompt, one, chat=self.shown.chat, seed=0)
        except Unanswered as error:
            raise StepError(f"{self.where}: {error}") from error
        return prompt.text, list(range(asked.prompt_tokens or 0))

    def close(self) -> None:
        """Close the connections."""
        self.client.close()

    def _named(self, adapter: Path | None) -> str:
        return self.client.address.model if adapter is None else str(adapter)

    def _each(
        self, prompts: Iterable[Prompt], done: Collection[str], ask: Callable[[Prompt], Answer]
    ) -> Iterator[Answer]:
        """Yield the answers to prompts. Those without one are counted, and named at the end."""
        left = (prompt for prompt in prompts if prompt.sample_id not in done)
        failed: list[tuple[str, Unanswered]] = []
        answered = in_a_row = 0
        for prompt, found in in_flight(ask, left, self.client.settings.at_once):
            if not isinstance(found, Unanswered):
                answered, in_a_row = answered + 1, 0
                yield found
                continue
            failed.append((prompt.sample_id, found))
            in_a_row += 1
            if found.ends or in_a_row >= GIVE_UP:
                said = f"{self.where}: {found}; stopped after {answered:,} answers, which are kept"
                raise StepError(f"{said}; run again to ask the others")
        if failed:
            names = ", ".join(sample for sample, _ in failed[:NAMED]) + (", …" if len(failed) > NAMED else "")
            said = f"{self.where}: {len(failed):,} of {answered + len(failed):,} samples unanswered ({names})"
            raise StepError(f"{said}: {failed[0][1]}; run again to ask only these")

    def _generation(self, prompt: Prompt, decode: Decode, overflow: Overflow, model: str) -> Generation:
        seed = int(text_digest(f"{decode.seed}:{prompt.sample_id}")[:7], 16)
        try:
            found = calls.write(self.client, model, prompt, decode, chat=self.shown.chat, seed=seed)
            if decode.stop and decode.leading_whitespace == "drop" and not found.text.strip():
                # A stop string in leading white space may have ended the answer, where it does not count.
                unstopped = replace(decode, stop=())
                found = calls.write(self.client, model, prompt, unstopped, chat=self.shown.chat, seed=seed)
        except Unanswered as error:
            _check_length(error, overflow)
            return Generation(
                sample_id=prompt.sample_id, text="", finish="refused", prompt_digest=text_digest(prompt.text)
            )
        self._check_who(model, found.model)
        return _generation(prompt, decode, found)

    def _likelihoods(self, prompt: Prompt, overflow: Overflow, model: str) -> Likelihoods:
        texts = [options.whole(prompt, option) for option in prompt.options]
        together = self.shown.proved(LISTS)
        try:
            lists = [texts] if together else [[text] for text in texts]
            found = [echoed for asked in lists for echoed in calls.read_back(self.client, model, asked)]
        except Unanswered as error:
            _check_length(error, overflow)
            return Likelihoods(sample_id=prompt.sample_id, options=())
        for echoed in found:
            self._check_who(model, echoed.model)
        return Likelihoods(
            sample_id=prompt.sample_id,
            options=tuple(
                options.likelihood(
                    text, prompt.text, echoed, lambda: calls.read_back(self.client, model, (prompt.text,))[0]
                )
                for text, echoed in zip(texts, found, strict=True)
            ),
            prompt_tokens=max((len(echoed.tokens) for echoed in found), default=0),
        )

    def _check_who(self, model: str, who: str | None) -> None:
        """Raise Unanswered where another model answers than in the handshake, or than before."""
        if model == self.client.address.model and self.shown.answers_as:
            known = self.shown.answers_as
        else:
            known = self._answer_as.setdefault(model, who or "")
        if who and known and who != known:
            raise Unanswered(
                f"the server now answers as {who!r}, and answered as {known!r} before", ends=True
            )


def _generation(prompt: Prompt, decode: Decode, found: Written) -> Generation:
    stopped = stops.stopped(found.text, decode, whole=True)
    return Generation(
        sample_id=prompt.sample_id,
        text=stops.cut(found.text, decode),
        prompt_tokens=found.prompt_tokens or 0,
        output_tokens=found.output_tokens or 0,
        finish="length" if found.at_length and not stopped else "stop",
        prompt_digest=text_digest(prompt.text),
    )


def _check_length(error: Unanswered, overflow: Overflow) -> None:
    """Raise the error again, unless the prompt is too long and may be refused."""
    if error.status not in (400, 413, 422) or not _TOO_LONG.search(str(error)):
        raise error
    if overflow != "refuse":
        raise Unanswered(
            f"{error}; nothing shortens a prompt for a server: write `overflow: refuse`, or give it a longer window",
            error.status,
        )
