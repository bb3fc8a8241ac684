"""Ask a model what it finds in answers: one of a few options for each, or for each pair in both orders."""

import re
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from string import Template

from harness import backends
from harness.backends import GivesLikelihoods, HasHead, OpenBackend, Verb
from harness.errors import ModelError
from harness.files.json_lines import drop_torn_line, line, read_lines
from harness.run.found import Found
from harness.run.steps import StepContext, UsedModel, opened
from harness.types import AnswerJudge, Decode, Model, ModelPin, Prompt

REPLIES = "replies.jsonl"  # of the steps that judge
BEYOND = 16  # tokens that a judge may write
TIE = 0.5
ORDERS = ("first", "second")  # where the judged answer of a pair stands


@dataclass(frozen=True, slots=True, kw_only=True)
class ToJudge:
    """An answer to judge, with what a judge's prompt may say of it."""

    id: str
    answer: str
    question: str = ""
    reference: str = ""
    other: str = ""  # of a pair


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """What a judge said of an answer in one order."""

    id: str
    order: str  # "" for an answer that is judged by itself
    option: str | None  # None: it gave none of its options


def verb(judge: AnswerJudge, model: Model, pin: ModelPin) -> Verb:
    """Return what the judging model is asked for; ModelError where it cannot be."""
    backend = backends.of(model)
    wanted: tuple[Verb, ...] = ("write",) if judge.by == "write" else ("head", "likelihoods")
    reasons = []
    for each in wanted:
        lacks = "its backend cannot" if each not in backend.verbs else backend.lacks(model, pin, each)
        if lacks is None:
            return each
        reasons.append(lacks)
    raise ModelError(f"model {model.name} cannot judge by {judge.by}: {reasons[-1]}")


def prompts(judge: AnswerJudge, answers: Sequence[ToJudge]) -> list[Prompt]:
    """Return the prompts for all answers; those of a pair in both orders."""
    return [prompt for each in answers for prompt in _prompts(judge, each)]


def _prompts(judge: AnswerJudge, given: ToJudge) -> Iterator[Prompt]:
    if not judge.pairs:
        yield _prompt(judge, given.id, given.answer, given.other, given)
        return
    yield _prompt(judge, f"{given.id}\t{ORDERS[0]}", given.answer, given.other, given)
    yield _prompt(judge, f"{given.id}\t{ORDERS[1]}", given.other, given.answer, given)


def _prompt(judge: AnswerJudge, name: str, answer: str, other: str, given: ToJudge) -> Prompt:
    before, after = re.split(r"\$answer\b|\$\{answer\}", judge.prompt)
    values = {"question": given.question, "reference": given.reference, "other": other}
    return Prompt(
        sample_id=name,
        before=Template(before).substitute(values),
        input=answer,
        after=Template(after).substitute(values),
        options=judge.options,
    )


def replies(
    judge: AnswerJudge,
    asked: Sequence[Prompt],
    by: Verb,
    backend: OpenBackend,
    adapter: Path | None,
    done: Collection[str],
) -> Iterator[Reply]:
    """Yield what the judge says to each prompt, in any order, without those in `done`."""
    for name, option in _ASKED[by](judge, asked, backend, adapter, done):
        sample, _, order = name.partition("\t")
        yield Reply(id=sample, order=order, option=option)


def _by_likelihood(
    judge: AnswerJudge,
    asked: Sequence[Prompt],
    backend: OpenBackend,
    adapter: Path | None,
    done: Collection[str],
) -> Iterator[tuple[str, str | None]]:
    assert isinstance(backend, GivesLikelihoods)
    for each in backend.likelihoods(asked, "keep-start", adapter, done):
        values = [option.logprob for option in each.options]
        yield each.sample_id, judge.options[values.index(max(values))] if values else None


def _by_head(
    judge: AnswerJudge,
    asked: Sequence[Prompt],
    backend: OpenBackend,
    adapter: Path | None,
    done: Collection[str],
) -> Iterator[tuple[str, str | None]]:
    assert isinstance(backend, HasHead)
    for each in backend.head(asked, "keep-start", adapter, done):
        values = list(each.values)
        yield each.sample_id, judge.options[values.index(max(values))] if values else None


def _by_writing(
    judge: AnswerJudge,
    asked: Sequence[Prompt],
    backend: OpenBackend,
    adapter: Path | None,
    done: Collection[str],
) -> Iterator[tuple[str, str | None]]:
    for each in backend.write(asked, Decode(max_new_tokens=BEYOND), "keep-start", adapter, done):
        yield each.sample_id, option_in(each.text, judge.options)


_ASKED: Mapping[Verb, Callable[..., Iterator[tuple[str, str | None]]]] = {
    "likelihoods": _by_likelihood,
    "head": _by_head,
    "write": _by_writing,
}


def option_in(text: str, options: Sequence[str]) -> str | None:
    """Return the option that stands first in a text as a word of its own; None where none does."""
    longest_first = sorted(options, key=len, reverse=True)
    found = re.search(rf"(?<!\w)({'|'.join(map(re.escape, longest_first))})(?!\w)", text)
    return found[1] if found else None


def findings(
    judge: AnswerJudge, said: Mapping[tuple[str, str], Reply], ids: Sequence[str]
) -> Iterator[Found]:
    """Yield what the judge found in each answer, by what it said to the prompts of `prompts`."""
    for name in ids:
        if not judge.pairs:
            option = said[name, ""].option
            yield Found(id=name, found=float(option in judge.counts), outside=option is None)
            continue
        first, second = (said[name, order].option for order in ORDERS)
        won = (first == judge.options[0]) + (second == judge.options[1])
        outside = first is None or second is None
        yield Found(id=name, found=TIE if outside else won / 2, outside=outside)


def found(
    judge: AnswerJudge,
    used: UsedModel,
    adapter: Path | None,
    answers: Sequence[ToJudge],
    context: StepContext,
) -> list[Found]:
    """Return what the judge finds in each answer; what an interrupted try left in the step's folder is continued."""
    path, asked = context.folder / REPLIES, prompts(judge, answers)
    if path.exists():
        drop_torn_line(path)
    kept = {(reply.id, reply.order): reply for reply in (read_lines(path, Reply) if path.exists() else ())}
    done = {f"{name}\t{order}" if order else name for name, order in kept}
    context.progress(len(kept), len(asked))
    if len(kept) < len(asked):
        by = verb(judge, used.model, used.pin)
        backend = opened(used, context, len(kept), len(asked))
        with path.open("a", encoding="utf-8") as file:
            for reply in replies(judge, asked, by, backend, adapter, done):
                file.write(line(reply))
                file.flush()
                kept[reply.id, reply.order] = reply
                context.progress(len(kept), len(asked))
    return list(findings(judge, kept, [answer.id for answer in answers]))
