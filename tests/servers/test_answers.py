"""A model on a server answers as other models do, and each bad day is told in one line."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from harness.backends import http
from harness.checkpoints.remembered import Remembered
from harness.errors import StepError
from harness.servers import pauses
from harness.servers.answers import Served
from harness.tasks import stops
from harness.types import Decode, Model, Prompt, Runtime, ServerSettings
from tests.servers.stub import Body, Reply, Stub, answer, echoed, error, serving

PROMPTS = [
    Prompt(
        sample_id=f"s{n}", before="Sum up: ", input=f"Ben says {n}", after="\n", options=("red", "blue house")
    )
    for n in range(40)
]
DECODE = Decode(max_new_tokens=8)


@pytest.fixture(autouse=True)
def short_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pauses, "FIRST", 0.005)


@contextmanager
def opened(stub: Stub, chat: Any = "auto", **settings: Any) -> Iterator[Served]:
    """Give the open model; faults begin after the handshake."""
    fault, stub.fault = stub.fault, lambda number, body: None
    with serving(stub) as base:
        asked = ServerSettings(**{"retries": 1, "at_once": 4, "timeout": 5.0, **settings})
        model = Model(name="m", uri=f"{base}#base", chat=chat, server=asked)
        backend = http.open_model(model, http.pin(model, "cpu", Remembered(), False), Runtime())
        stub.fault = fault
        stub.asked.clear()
        try:
            yield backend
        finally:
            backend.close()


def texts(backend: Served, decode: Decode = DECODE, adapter: Path | None = None) -> dict[str, str]:
    return {found.sample_id: found.text for found in backend.write(PROMPTS, decode, "keep-start", adapter)}


@pytest.mark.parametrize("at_once", [1, 4, 32])
@pytest.mark.parametrize("chat", ["on", "off"])
def test_answers_are_what_the_server_writes_however_many_are_asked_at_once(chat: str, at_once: int) -> None:
    with opened(stub := Stub(chat=True), chat, at_once=at_once) as backend:
        found = {one.sample_id: one for one in backend.write(PROMPTS, DECODE, "keep-start", None)}
    assert stub.most <= at_once
    for prompt in PROMPTS:
        wanted, tokens, finish = answer(stub, {"model": "base", "max_tokens": 8}, prompt.text, 0)
        one = found[prompt.sample_id]
        assert (one.text, one.output_tokens, one.finish) == (wanted.strip(), tokens, finish)
        assert one.prompt_tokens == len(prompt.text.split()) + 1 + prompt.text.endswith("\n")


@pytest.mark.parametrize("how", ["cut", "leave", "ignore"])
@pytest.mark.parametrize("leading", [" ", "\n\n"])
def test_stop_strings_cut_alike_whatever_the_server_makes_of_them(how: str, leading: str) -> None:
    for stop in (("house",), ("\n",), ("er", "t")):
        stopped = replace(DECODE, stop=stop)
        with opened(stub := Stub(stops=how, leading=leading)) as backend:
            found = texts(backend, stopped)
        for prompt in PROMPTS:
            whole, *_ = answer(stub, {"model": "base", "max_tokens": 8}, prompt.text, 0)
            assert found[prompt.sample_id] == stops.cut(whole, stopped)


@pytest.mark.parametrize("lists", [True, False])
@pytest.mark.parametrize("bos", [True, False])
def test_likelihoods_are_the_sums_of_an_options_tokens(lists: bool, bos: bool) -> None:
    with opened(stub := Stub(lists=lists, bos=bos)) as backend:
        found = {one.sample_id: one for one in backend.likelihoods(PROMPTS, "keep-start", None)}
        tuned = {one.sample_id: one for one in backend.likelihoods(PROMPTS, "keep-start", Path("tuned"))}
    for prompt in PROMPTS:
        for option, one, other in zip(
            prompt.options, found[prompt.sample_id].options, tuned[prompt.sample_id].options, strict=True
        ):
            values = echoed(stub, {"model": "base"}, prompt.text + option)["token_logprobs"][:-1]
            words = len(option.split())
            assert one.tokens == words
            assert one.logprob == pytest.approx(sum(values[-words:]), abs=1e-12)  # the same floats, added up
            assert one.logprob != other.logprob
    assert (
        max(len(body["prompt"]) if isinstance(body["prompt"], list) else 1 for body in stub.asked)
        == 1 + lists
    )


def test_an_adapter_is_asked_by_its_name() -> None:
    with opened(stub := Stub()) as backend:
        assert texts(backend) != texts(backend, adapter=Path("tuned"))
    assert {body["model"] for body in stub.asked} == {"base", "tuned"}


def test_each_sample_has_a_draw_of_its_own_and_the_same_one_again() -> None:
    hot = replace(DECODE, temperature=1.0, top_p=0.9, seed=3)
    with opened(stub := Stub()) as backend:
        assert texts(backend, hot) == texts(backend, hot)
        assert texts(backend, hot) != texts(backend, replace(hot, seed=4))
    assert len({body["seed"] for body in stub.asked}) == 2 * len(PROMPTS)
    assert {body["top_p"] for body in stub.asked} == {0.9}


def fails_on(text: str, reply: Reply):
    return lambda number, body: reply if text in str(body.get("prompt")) else None


def test_one_sample_without_an_answer_is_named_and_a_rerun_asks_only_it() -> None:
    stub = Stub(fault=fails_on("says 7\n", error(500, "boom")))
    with opened(stub) as backend:
        found: list[str] = []
        with pytest.raises(StepError) as failed:
            found.extend(one.sample_id for one in backend.write(PROMPTS, DECODE, "keep-start", None))
        assert sorted(found) == sorted(prompt.sample_id for prompt in PROMPTS if prompt.sample_id != "s7")
        said = "1 of 40 samples unanswered (s7): HTTP 500: boom, 2 tries; run again to ask only these"
        assert str(failed.value).endswith(said)
        stub.fault = lambda number, body: None
        stub.asked.clear()
        again = list(backend.write(PROMPTS, DECODE, "keep-start", None, set(found)))
    assert [one.sample_id for one in again] == ["s7"]
    assert len(stub.asked) == 1


def gone_after(answers: int):
    left = iter(range(answers))
    return lambda number, body: None if next(left, None) is not None else Reply(cut=True)


@pytest.mark.parametrize(
    ("stub", "said"),
    [
        (Stub(fault=gone_after(10)), "the connection broke: .*, 2 tries; stopped after 10 answers, which are kept"),
        (Stub(fault=fails_on("", error(401, "no"))), "a key is wanted: `server: {key: VARIABLE}`: HTTP 401: no; stopped"),
        (Stub(fault=fails_on("", error(400, "context length exceeded"))),
         "40 of 40 samples unanswered|stopped after 0 answers"),
        (Stub(fault=fails_on("", Reply(content=b'{"choices": ['))), "that is no whole JSON, 2 tries; stopped after 0"),
        (Stub(fault=fails_on("", Reply(content=b'{"choices": []}'))), "an answer with 0 choices, and 1 were asked for"),
        (Stub(fault=fails_on("", Reply(content=b'{"model": "small", "choices": [{"text": "hi"}]}'))),
         "the server now answers as 'small', and answered as 'base' before; stopped after 0 answers"),
    ],
    ids=["gone", "key", "too long", "cut JSON", "no choice", "another model"],
)  # fmt: skip
def test_a_bad_day_is_told_in_a_line_and_does_not_ask_on_for_ever(stub: Stub, said: str) -> None:
    with opened(stub) as backend, pytest.raises(StepError, match=said) as failed:
        texts(backend)
    assert "\n" not in str(failed.value)
    assert len(stub.asked) <= 80


def test_a_prompt_that_is_too_long_is_refused_only_where_the_task_says_so() -> None:
    long = error(400, "This model's maximum context length is 10 tokens.")
    with opened(Stub(fault=fails_on("says 7\n", long))) as backend:
        found = {one.sample_id: one for one in backend.write(PROMPTS, DECODE, "refuse", None)}
        assert found["s7"].finish == "refused"
        assert [one.sample_id for one in found.values() if one.finish == "refused"] == ["s7"]
        chosen = {one.sample_id: one for one in backend.likelihoods(PROMPTS, "refuse", None)}
        assert len(chosen["s8"].options) == 2
        with pytest.raises(StepError, match="write `overflow: refuse`"):
            texts(backend)


@pytest.mark.parametrize(
    "content",
    [b"null", b"{}", b'{"choices": 3}', b'{"choices": [3]}', b'{"choices": [{"text": 3}]}', b'{"choices": [{}]}',
     b'{"choices": [{"text": "a", "index": "x"}], "usage": 3}', b"[" * 100_000],
)  # fmt: skip
def test_no_answer_of_a_server_is_more_than_a_sample_without_one(content: bytes) -> None:
    def fault(number: int, body: Body) -> Reply | None:
        return Reply(content=content) if "says 7\n" in str(body["prompt"]) else None

    with opened(Stub(fault=fault), retries=0) as backend:
        for ask in (lambda: backend.write(PROMPTS, DECODE, "keep-start", None),
                    lambda: backend.likelihoods(PROMPTS, "keep-start", None)):  # fmt: skip
            try:
                found = len(list(ask()))
            except StepError as failed:
                assert "1 of 40 samples unanswered (s7)" in str(failed)
            else:
                assert found == 40
