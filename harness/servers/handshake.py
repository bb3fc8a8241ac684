"""Believe a server only what it shows: before the first step, it is asked questions whose answers give it away.

Nothing here raises because a server cannot do something: that is a `Proof` with `proved=False`, and models of that server
are not applicable where the thing is needed.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Literal

from harness.digest import digest
from harness.errors import ModelError
from harness.servers import calls
from harness.servers.calls import Written
from harness.servers.client import Client, Unanswered
from harness.servers.counting import Count
from harness.types import Decode, Handshake, Prompt, Proof

VERSION = 1  # of the questions
MADE_UP = "harness-made-up-model-8d1f"
PROBES = (
    "Anna will bring the car on Monday. Kofi",
    "The names of the days are Monday, Tuesday,",
    "Q: What is 2 + 3?\nA:",
)
COUNTED = (*PROBES, "Über naïve Fälle – 12,5 €.")
DECODE = Decode(max_new_tokens=16)
SEEDS = (1, 2, 3)
RETRIES = 2  # of questions that a server may refuse
BEGUN = 4  # tokens of an answer's beginning
HOT = 2.0  # a temperature at which a model that samples answers otherwise

NAME, REPEATS, WRITES, STOPS, SAMPLES = "name", "repeats", "writes", "stop strings", "samples"
ECHOES, LISTS, TOKENS = "log-probabilities", "lists of prompts", "token counts"


@dataclass(frozen=True, slots=True, kw_only=True)
class Partner:
    """The server in a handshake."""

    client: Client
    model: str
    chat: Literal["auto", "on", "off"]
    count: Count | None  # None: the suite names no tokenizer
    where: str  # begins messages
    answers: list[str] = field(default_factory=list)  # to the probes

    def write(
        self, text: str, decode: Decode = DECODE, *, chat: bool, model: str = "", seed: int = 0
    ) -> Written:
        """Return the answer to a text."""
        prompt = Prompt(sample_id="handshake", before="", input=text, after="")
        return calls.write(self.client, model or self.model, prompt, decode, chat=chat, seed=seed)


def handshake(asked: Partner) -> Handshake:
    """Return what a server shows of itself; ModelError where it does not answer for the model at all."""
    try:
        chat, first = _way(asked)
        answers = [first, *(asked.write(text, chat=chat) for text in PROBES[1:])]
        asked.answers.extend(answer.text for answer in answers)
        proofs = tuple(_proofs(asked, chat, answers))
    except Unanswered as error:
        raise ModelError(f"{asked.where}: {error}") from error
    steady = next(proof.proved for proof in proofs if proof.name == REPEATS)
    seen = digest(
        *("handshake", VERSION, chat, first.model, [(proof.name, proof.proved) for proof in proofs]),
        asked.answers if steady else "other answers each time",
    )
    return Handshake(chat=chat, answers_as=first.model, proofs=proofs, seen=seen)


def _way(asked: Partner) -> tuple[bool, Written]:
    """Return whether the server is asked by its chat API, and the answer to the first probe."""
    if asked.chat == "auto":
        try:
            prompt = Prompt(sample_id="handshake", before="", input=PROBES[0], after="")
            return True, calls.write(
                asked.client, asked.model, prompt, DECODE, chat=True, seed=0, retries=RETRIES
            )
        except Unanswered as error:
            if error.ends:
                raise
    return asked.chat == "on", asked.write(PROBES[0], chat=asked.chat == "on")


def _proofs(asked: Partner, chat: bool, answers: list[Written]) -> Iterator[Proof]:
    yield _name(asked, chat)
    yield (repeats := _repeats(asked, chat))
    yield _writes(asked, chat, repeats.proved)
    yield _stops(asked, chat, max(asked.answers, key=len), repeats.proved)
    yield _samples(asked, chat)
    yield _echoes(asked, chat)
    yield _lists(asked, chat, repeats.proved)
    if asked.count is not None:
        yield _tokens(asked, chat, asked.count)


def _name(asked: Partner, chat: bool) -> Proof:
    """Ask for a model that nobody serves: who answers then answers for any name."""
    prompt = Prompt(sample_id="handshake", before="", input=PROBES[0], after="")
    try:
        calls.write(
            asked.client,
            MADE_UP,
            prompt,
            replace(DECODE, max_new_tokens=1),
            chat=chat,
            seed=0,
            retries=RETRIES,
        )
    except Unanswered as error:
        if error.status is None:
            raise
        return Proof(name=NAME, proved=True, detail=f"it refuses a made-up name (HTTP {error.status})")
    return Proof(
        name=NAME, proved=False, detail="it answers for a made-up name too, so who answers is not known"
    )


def _repeats(asked: Partner, chat: bool) -> Proof:
    again = [asked.write(text, chat=chat).text for text in PROBES]
    same = sum(first == second for first, second in zip(asked.answers, again, strict=True))
    detail = f"{same} of {len(PROBES)} prompts got the same greedy answer twice"
    return Proof(name=REPEATS, proved=same == len(PROBES), detail=detail)


def _writes(asked: Partner, chat: bool, steady: bool) -> Proof:
    """Ask for the beginning of an answer: a server may cut as many tokens from an answer as its prompt has."""
    answer = max(asked.answers, key=lambda text: len(text.strip())).strip()
    told = sum(bool(text.strip()) for text in asked.answers)
    detail = f"{told} of {len(PROBES)} prompts got a text"
    if not answer:
        return Proof(name=WRITES, proved=False, detail=detail)
    text = next(text for text, got in zip(PROBES, asked.answers, strict=True) if got.strip() == answer)
    begun = asked.write(text, replace(DECODE, max_new_tokens=BEGUN), chat=chat).text.strip()
    if not begun or (steady and not answer.startswith(begun.rstrip("\ufffd"))):
        what = "nothing" if not begun else "another text"
        return Proof(name=WRITES, proved=False, detail=f"the first {BEGUN} tokens of an answer are {what}")
    return Proof(name=WRITES, proved=True, detail=detail)


def _stops(asked: Partner, chat: bool, answer: str, steady: bool) -> Proof:
    """Ask for an answer again that must end in its middle."""
    begun = len(answer) - len(answer.lstrip())
    middle = begun + (len(answer) - begun) // 2
    stop = answer[middle : middle + 3]
    if not steady or not stop.strip():
        return Proof(
            name=STOPS, proved=False, detail="not tried: there was no answer to cut; they are cut here"
        )
    text = PROBES[asked.answers.index(answer)]
    got = asked.write(text, replace(DECODE, stop=(stop,)), chat=chat).text
    wanted = answer.partition(stop)[0]
    if got.rstrip() == wanted.rstrip():
        return Proof(name=STOPS, proved=True, detail="they end an answer and are cut from it")
    if got == answer:
        return Proof(name=STOPS, proved=False, detail="it ignores them; answers are cut here")
    if got.partition(stop)[0].rstrip() == wanted.rstrip():
        return Proof(name=STOPS, proved=False, detail="it leaves them in the text; answers are cut here")
    return Proof(name=STOPS, proved=False, detail="with one, it answers otherwise; answers are cut here")


def _samples(asked: Partner, chat: bool) -> Proof:
    """Ask at a high temperature: a server that ignores it answers as without."""
    hot = replace(DECODE, temperature=HOT)
    try:
        drawn = [asked.write(PROBES[0], hot, chat=chat, seed=seed).text for seed in SEEDS]
    except Unanswered as error:
        if error.status is None or error.ends:
            raise
        return Proof(name=SAMPLES, proved=False, detail=f"it refuses a temperature ({error})")
    if set(drawn) == {asked.answers[0]}:
        return Proof(name=SAMPLES, proved=False, detail=f"temperature {HOT:g} gives the greedy answer")
    return Proof(name=SAMPLES, proved=True, detail=f"temperature {HOT:g} gives other answers")


def _echoes(asked: Partner, chat: bool) -> Proof:
    """Ask for the log-probabilities of given texts: as many as tokens, at most 0 and not all equal."""
    if chat:
        return Proof(
            name=ECHOES, proved=False, detail="its chat API gives none of a given text; write `chat: off`"
        )
    try:
        found = [calls.read_back(asked.client, asked.model, (text,), RETRIES)[0] for text in PROBES]
    except Unanswered as error:
        if error.ends:
            raise
        return Proof(name=ECHOES, proved=False, detail=str(error))
    for text, echoed in zip(PROBES, found, strict=True):
        if not "".join(echoed.tokens).strip().endswith(text[-8:].strip()):
            return Proof(name=ECHOES, proved=False, detail="the tokens that come back do not spell the text")
        if len({value for value in echoed.logprobs if value is not None}) < 2:
            return Proof(name=ECHOES, proved=False, detail="all log-probabilities are equal")
    return Proof(name=ECHOES, proved=True, detail="a value for each token of a text, at most 0")


def _lists(asked: Partner, chat: bool, steady: bool) -> Proof:
    if chat:
        return Proof(name=LISTS, proved=False, detail="a chat has no lists")
    try:
        found = calls.write_list(asked.client, asked.model, PROBES, DECODE.max_new_tokens, RETRIES)
    except Unanswered as error:
        if error.ends:
            raise
        return Proof(name=LISTS, proved=False, detail=str(error))
    if steady and list(found) != asked.answers:
        return Proof(name=LISTS, proved=False, detail="prompts in a list get other answers than alone")
    return Proof(name=LISTS, proved=True, detail="prompts in a list get their answers")


def _tokens(asked: Partner, chat: bool, count: Count) -> Proof:
    """Compare how many tokens a text has for the server and for a tokenizer."""
    if chat:
        return Proof(
            name=TOKENS, proved=False, detail="its chat API counts its template too; write `chat: off`"
        )
    one = replace(DECODE, max_new_tokens=1)
    theirs = [asked.write(text, one, chat=False).prompt_tokens for text in COUNTED]
    ours = [count(text) for text in COUNTED]
    if theirs == [whole for whole, _ in ours]:
        return Proof(name=TOKENS, proved=True, detail=f"as the tokenizer's: {_numbers(theirs)}")
    detail = f"the server counts {_numbers(theirs)}, the tokenizer {_numbers([whole for whole, _ in ours])}"
    if theirs == [bare for _, bare in ours]:
        detail += ": the server leaves out the tokens around a text, such as BOS"
    elif theirs == [whole + 1 for whole, _ in ours]:
        detail += ": the server adds a token, such as a second BOS"
    return Proof(name=TOKENS, proved=False, detail=detail)


def _numbers(counts: list[int | None] | list[int]) -> str:
    return ", ".join("none" if count is None else str(count) for count in counts)
