"""One request on good days and bad ones: what is tried again, how long, and what is said in the end."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace

import pytest

from harness.errors import ModelError
from harness.servers import pauses
from harness.servers.address import address
from harness.servers.client import Client, Unanswered, connect
from harness.types import Prices, ServerSettings
from tests.servers.stub import Reply, Stub, error, serving

BODY = {"model": "base", "prompt": "Anna meets", "max_tokens": 4, "temperature": 0.0}
SETTINGS = ServerSettings(retries=2, timeout=2.0, patience=1.0, at_once=4)


@pytest.fixture(autouse=True)
def short_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pauses, "FIRST", 0.01)


@contextmanager
def asking(stub: Stub, settings: ServerSettings = SETTINGS) -> Iterator[Client]:
    with serving(stub) as base:
        client = connect(address(f"{base}#base", "here"), settings, "here")
        try:
            yield client
        finally:
            client.close()


def first(reply: Reply, times: int) -> Callable[..., Reply | None]:
    return lambda number, body: reply if number < times else None


CUT = Reply(content=b'{"choices": [{"te')


@pytest.mark.parametrize(
    "reply",
    [error(500, "boom"), error(503, "loading"), error(429, "slow down"), error(429, "slow", Retry_After="0.05"), CUT,
     Reply(cut=True), Reply(content=b"[1]")],
    ids=["500", "503", "429", "Retry-After", "cut JSON", "cut connection", "no object"],
)  # fmt: skip
def test_a_bad_moment_is_waited_out(reply: Reply) -> None:
    with asking(stub := Stub(fault=first(reply, 2))) as client:
        assert client.post("/completions", BODY)["choices"]
    assert len(stub.asked) == 3
    assert client.spent.requests == 1


@pytest.mark.parametrize(
    ("reply", "said"),
    [(error(500, "boom"), "HTTP 500: boom, 3 tries"), (CUT, "an answer of 17 bytes that is no whole JSON, 3 tries"),
     (Reply(status=502, content=b"<html>Bad gateway"), "HTTP 502, 3 tries"),
     (Reply(content=b'{"error": {"message": "overloaded"}}'), "an error as an answer: overloaded, 3 tries")],
)  # fmt: skip
def test_after_its_tries_the_last_reason_is_said(reply: Reply, said: str) -> None:
    with asking(stub := Stub(fault=first(reply, 99))) as client, pytest.raises(Unanswered) as failed:
        client.post("/completions", BODY)
    assert str(failed.value) == said
    assert not failed.value.ends
    assert len(stub.asked) == 3


def test_what_another_try_would_not_change_is_not_tried_again() -> None:
    stub = Stub(fault=first(error(400, "no such thing"), 9))
    with asking(stub) as client, pytest.raises(Unanswered, match="HTTP 400: no such thing"):
        client.post("/completions", BODY)
    assert len(stub.asked) == 1


@pytest.mark.slow
def test_a_rate_limit_is_waited_out_as_long_as_patience_and_all_requests_wait() -> None:
    limited = error(429, "slow down", Retry_After="0.2")
    with asking(Stub(fault=first(limited, 4))) as client:  # more times than retries
        begun = time.monotonic()
        assert client.post("/completions", BODY)
        assert time.monotonic() - begun >= 0.8
    with asking(Stub(fault=first(limited, 99))) as client, pytest.raises(Unanswered) as failed:
        client.post("/completions", BODY)
    assert str(failed.value) == "HTTP 429: slow down, for more than 1 s; lower `at_once`, or raise `patience`"


def test_a_server_that_is_gone_and_a_slow_one_are_told_apart() -> None:
    with serving(Stub()) as base:
        client = connect(address(f"{base}#base", "here"), SETTINGS, "here")
    with pytest.raises(Unanswered, match=r"the server cannot be reached: .*refused, 3 tries") as failed:
        client.post("/completions", BODY)
    assert failed.value.ends
    slow = replace(SETTINGS, timeout=0.05, retries=0)
    with asking(Stub(seconds=0.5), slow) as client, pytest.raises(Unanswered) as failed:
        client.post("/completions", BODY)
    assert str(failed.value) == "no answer within 0.05 s, 1 try"


def test_a_key_comes_from_the_environment_and_is_never_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    keyed = replace(SETTINGS, key="STUB_KEY")
    monkeypatch.setenv("STUB_KEY", "sk-right")
    with asking(Stub(key="sk-right"), keyed) as client:
        assert client.post("/completions", BODY)
        assert "sk-right" not in repr(client)
    monkeypatch.setenv("STUB_KEY", "sk-wrong")
    with asking(Stub(key="sk-right"), keyed) as client, pytest.raises(Unanswered) as failed:
        client.post("/completions", BODY)
    assert failed.value.ends
    said = "the key in $STUB_KEY was refused: HTTP 401: Incorrect API key provided: Bearer …"
    assert str(failed.value) == said
    assert "sk-wrong" not in repr(failed.value)
    monkeypatch.delenv("STUB_KEY")
    with pytest.raises(
        ModelError, match="here: the environment has no variable STUB_KEY with the key; set it"
    ):
        connect(address("http://127.0.0.1:1/v1#m", "here"), keyed, "here")
    with (
        asking(Stub(key="sk-right")) as client,
        pytest.raises(Unanswered, match=r"a key is wanted: `server: {key: V"),
    ):
        client.post("/completions", BODY)


def test_a_key_is_refused_on_a_network_without_encryption(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STUB_KEY", "sk-right")
    with pytest.raises(ModelError, match="unencrypted; write https://"):
        connect(address("http://models.example/v1#m", "here"), replace(SETTINGS, key="STUB_KEY"), "here")


def test_any_text_can_be_asked() -> None:
    odd = "half \ud800, \x00, \u2028, é, 🚗"
    with asking(stub := Stub()) as client:
        client.post("/completions", BODY | {"prompt": odd})
    assert stub.asked[0]["prompt"] == odd


def test_what_was_spent_is_counted_and_priced() -> None:
    prices = Prices(input=1_000_000.0, output=2_000_000.0, currency="EUR")
    with asking(Stub(), replace(SETTINGS, prices=prices)) as client:
        usage = [client.post("/completions", BODY)["usage"] for _ in range(3)]
    given, written = (sum(one[key] for one in usage) for key in ("prompt_tokens", "completion_tokens"))
    spent = client.spent
    assert (spent.input_tokens, spent.output_tokens, spent.requests) == (given, written, 3)
    assert (spent.money, spent.currency) == (given + 2 * written, "EUR")
    with asking(Stub(usage=False), replace(SETTINGS, prices=prices)) as client:
        client.post("/completions", BODY)
    assert client.spent.uncounted == 1
    assert client.spent.money is None  # it is not known
