"""One request to a server: a key, several tries with pauses, and a count of what was spent."""

import json
import os
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from threading import Event, Lock
from typing import Any

from harness.errors import ModelError
from harness.servers.address import Address
from harness.servers.pauses import backoff, retry_after
from harness.types import Prices, ServerSettings, Spent

MOST_BYTES = 64_000_000  # of an answer
SHOWN = 200  # characters of a server's message
TOO_MANY = 429
REFUSED = (401, 403)
AGAIN = (408, 409, 425, 500, 502, 503, 504, 529)  # statuses that another try may change


class Unanswered(Exception):
    """A request that got no answer, after all of its tries; the text says why."""

    def __init__(self, reason: str, status: int | None = None, *, ends: bool = False) -> None:
        super().__init__(reason)
        self.status = status  # of HTTP; None: there was no answer at all, or none that could be read
        self.ends = ends  # True: no other request would be answered either


@dataclass(slots=True)
class Client:
    """A server that is asked; several threads may ask at once."""

    address: Address
    settings: ServerSettings
    key: str | None = field(repr=False)
    _http: Any = field(repr=False)
    _lock: Lock = field(default_factory=Lock)
    _closed: Event = field(default_factory=Event)
    _spent: Spent = field(default_factory=Spent)
    _paused_until: float = 0.0  # monotonic seconds; the server asked all requests to wait until then

    @property
    def spent(self) -> Spent:
        """Return what was spent until now."""
        with self._lock:
            return priced(self._spent, self.settings.prices)

    def post(self, path: str, body: Mapping[str, object], retries: int | None = None) -> Mapping[str, Any]:
        """Return the JSON object that the server answers; raise Unanswered if it gives none after all tries."""
        retries = self.settings.retries if retries is None else min(retries, self.settings.retries)
        failed, limited = 0, 0.0
        while True:
            self._sleep(self._paused_until - time.monotonic())
            try:
                return self._try(path, body)
            except _Again as again:
                if again.status == TOO_MANY or again.seconds is not None:
                    seconds = backoff(1) if again.seconds is None else max(again.seconds, 0.05)
                    limited += seconds
                    if limited > self.settings.patience:
                        said = f"{again.reason}, for more than {self.settings.patience:g} s"
                        advice = "lower `at_once`, or raise `patience`"
                        raise Unanswered(f"{said}; {advice}", again.status, ends=True) from None
                    with self._lock:  # every request of this client waits
                        self._paused_until = max(self._paused_until, time.monotonic() + seconds)
                    continue
                failed += 1
                if failed > retries:
                    tries = "1 try" if failed == 1 else f"{failed} tries"
                    raise Unanswered(f"{again.reason}, {tries}", again.status, ends=again.gone) from None
                self._sleep(backoff(failed))

    def close(self) -> None:
        """Close all connections; requests that wait end at once."""
        self._closed.set()
        self._http.close()

    def _sleep(self, seconds: float) -> None:
        if seconds > 0 and self._closed.wait(seconds):
            raise Unanswered("the client was closed", ends=True)

    def _try(self, path: str, body: Mapping[str, object]) -> Mapping[str, Any]:
        import httpx2

        sent = json.dumps(body, allow_nan=False).encode()  # in ASCII, since a text may have half a character
        try:
            with self._http.stream("POST", f"{self.address.base}{path}", content=sent) as response:
                status, headers, content = response.status_code, response.headers, _read(response)
        except httpx2.ConnectTimeout:
            raise _Again("the server cannot be reached: it takes no connection", gone=True) from None
        except httpx2.TimeoutException:
            raise _Again(f"no answer within {self.settings.timeout:g} s") from None
        except httpx2.DecodingError:
            raise _Again("an answer that cannot be decompressed") from None
        except (httpx2.ConnectError, httpx2.ProxyError) as error:
            raise _Again(f"the server cannot be reached: {self._told(str(error))}", gone=True) from None
        except (httpx2.HTTPError, httpx2.InvalidURL) as error:
            what = self._told(str(error)) or type(error).__name__
            raise _Again(f"the connection broke: {what}") from None
        if status == 200:
            answer = self._object(content)
            if "choices" not in answer and "error" in answer:
                raise _Again(f"an error as an answer{self._message(content)}")
            return self._counted(answer)
        said = f"HTTP {status}{self._message(content)}"
        if status in REFUSED:
            name = self.settings.key
            whose = (
                f"the key in ${name} was refused" if name else "a key is wanted: `server: {key: VARIABLE}`"
            )
            raise Unanswered(f"{whose}: {said}", status, ends=True)
        if status == TOO_MANY or status in AGAIN:
            raise _Again(said, status, retry_after(headers.get("retry-after"), datetime.now(UTC)))
        raise Unanswered(said, status)

    def _object(self, content: bytes) -> Mapping[str, Any]:
        try:
            found = json.loads(content)
        except (ValueError, RecursionError):
            raise _Again(f"an answer of {len(content)} bytes that is no whole JSON") from None
        if not isinstance(found, dict):
            raise _Again("an answer that is no JSON object")
        return found

    def _counted(self, answer: Mapping[str, Any]) -> Mapping[str, Any]:
        usage = answer.get("usage")
        given = [
            usage.get(name) if isinstance(usage, dict) else None
            for name in ("prompt_tokens", "completion_tokens")
        ]
        counts = [count if isinstance(count, int) and count >= 0 else 0 for count in given]
        with self._lock:
            before = self._spent
            self._spent = Spent(
                input_tokens=before.input_tokens + counts[0],
                output_tokens=before.output_tokens + counts[1],
                requests=before.requests + 1,
                uncounted=before.uncounted + (not isinstance(given[0], int)),
            )
        return answer

    def _message(self, content: bytes) -> str:
        """Return what a server says of an error, as `: TEXT`; "" if it says nothing that can be read."""
        text = content.decode("utf-8", "replace")
        try:
            found = json.loads(text)
        except (ValueError, RecursionError):
            found = None
        if isinstance(found, dict):
            inner = found.get("error", found)
            inner = inner.get("message", inner.get("detail", "")) if isinstance(inner, dict) else inner
            text = inner if isinstance(inner, str) else json.dumps(inner)
        elif text.lstrip().startswith("<"):  # a page for people
            text = ""
        told = self._told(text)
        return f": {told}" if told else ""

    def _told(self, text: str) -> str:
        """Return a server's text on one line, short and without the key."""
        text = " ".join(text.split())
        if self.key:
            text = text.replace(self.key, "…")
        return text if len(text) <= SHOWN else f"{text[:SHOWN]}…"


class _Again(Exception):
    """A failure that another try may not meet."""

    def __init__(
        self, reason: str, status: int | None = None, seconds: float | None = None, *, gone: bool = False
    ):
        super().__init__(reason)
        self.reason, self.status, self.seconds, self.gone = reason, status, seconds, gone


def connect(address: Address, settings: ServerSettings, where: str) -> Client:
    """Return a client; ModelError, which begins with `where`, if the environment has no key of the name in the suite."""
    import httpx2

    key = key_of(settings, where)
    if key and address.has_clear_text:
        raise ModelError(f"{where}: a key would cross the network unencrypted; write https://")
    return Client(
        address,
        settings,
        key,
        httpx2.Client(
            headers={
                "Content-Type": "application/json",
                **({"Authorization": f"Bearer {key}"} if key else {}),
            },
            timeout=settings.timeout,
            limits=httpx2.Limits(
                max_connections=settings.at_once, max_keepalive_connections=settings.at_once
            ),
            trust_env=not address.is_loopback,  # proxies of the environment
        ),
    )


def key_of(settings: ServerSettings, where: str) -> str | None:
    """Return the key in the environment variable that a suite names; ModelError if there is none."""
    if settings.key is None:
        return None
    key = os.environ.get(settings.key, "").strip()
    if not key:
        raise ModelError(f"{where}: the environment has no variable {settings.key} with the key; set it")
    if not key.isascii() or not key.isprintable():
        raise ModelError(f"{where}: the key in ${settings.key} has characters that no key has; set it again")
    return key


def priced(spent: Spent, prices: Prices | None) -> Spent:
    """Return what was spent with its price, where prices are known and every answer was counted."""
    if prices is None or spent.uncounted:
        return spent
    money = (prices.input * spent.input_tokens + prices.output * spent.output_tokens) / 1e6
    return Spent(
        input_tokens=spent.input_tokens,
        output_tokens=spent.output_tokens,
        requests=spent.requests,
        money=money,
        currency=prices.currency,
    )


def _read(response: Any) -> bytes:
    """Return a response's content; Unanswered if it has no end in sight."""
    content = bytearray()
    for piece in response.iter_bytes():
        content += piece
        if len(content) > MOST_BYTES:
            raise Unanswered(f"an answer of more than {MOST_BYTES // 1_000_000} MB", response.status_code)
    return bytes(content)
