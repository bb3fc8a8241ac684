"""Addresses of models on servers, and how long to wait for them."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.errors import SuiteError
from harness.servers.address import address, without_secrets
from harness.servers.pauses import LONGEST, MOST, backoff, retry_after

NOW = datetime(2026, 3, 1, 12, 0, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("uri", "base", "model"),
    [
        ("http://h:8000/v1#m", "http://h:8000/v1", "m"),
        ("https://h/v1/#org/m:7b", "https://h/v1", "org/m:7b"),
        ("http://[::1]:80/v1#/folder/of/m", "http://[::1]:80/v1", "/folder/of/m"),
        ("http://h#a#b", "http://h", "a#b"),
    ],
)
def test_an_address_has_an_api_and_a_model(uri: str, base: str, model: str) -> None:
    found = address(uri, "here")
    assert (found.base, found.model) == (base, model)


@pytest.mark.parametrize(
    "uri", ["http://h/v1", "http://h/v1#", "http://#m", "http:m", "http://h:x/v1#m", "http://[h/v1#m"]
)
def test_what_is_no_address_is_refused_with_its_place(uri: str) -> None:
    with pytest.raises(SuiteError, match=r"^here: found .*write http://HOST/v1#MODEL"):
        address(uri, "here")


@pytest.mark.parametrize(
    "uri", ["http://me:sesame@h/v1#m", "https://h/v1?api-key=sesame#m", "https://sesame@h/v1#m"]
)
def test_a_secret_in_an_address_is_refused_and_not_repeated(uri: str) -> None:
    with pytest.raises(SuiteError, match=r"server: \{key: VARIABLE\}") as refused:
        address(uri, "here")
    assert "sesame" not in str(refused.value)
    assert "sesame" not in without_secrets(uri)


def test_a_key_is_not_sent_in_clear_text_over_a_network() -> None:
    assert address("http://h/v1#m", "").has_clear_text
    assert not address("https://h/v1#m", "").has_clear_text
    assert not address("http://127.0.0.1:1/v1#m", "").has_clear_text


def test_pauses_double_up_to_a_bound() -> None:
    assert [backoff(tries) for tries in (1, 2, 3, 4)] == [0.5, 1.0, 2.0, 4.0]
    assert backoff(100_000) == MOST


@pytest.mark.parametrize(
    ("header", "seconds"),
    [(None, None), ("2", 2.0), ("0.5", 0.5), ("-3", 0.0), ("soon", None), ("nan", None), ("inf", LONGEST),
     ("Sun, 01 Mar 2026 12:00:09 GMT", 9.0), ("Sun, 01 Mar 2026 11:00:00 GMT", 0.0)],
)  # fmt: skip
def test_retry_after_is_a_number_or_a_date(header: str | None, seconds: float | None) -> None:
    assert retry_after(header, NOW) == seconds


@given(st.text(max_size=40))
def test_no_retry_after_of_a_server_fails(header: str) -> None:
    found = retry_after(header, NOW)
    assert found is None or 0 <= found <= LONGEST
