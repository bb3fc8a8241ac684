"""Where a model is served: `http://HOST/v1#MODEL`."""

from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from harness.errors import SuiteError

SCHEMES = ("http", "https")
LOOPBACK = ("127.0.0.1", "localhost", "::1")


@dataclass(frozen=True, slots=True, kw_only=True)
class Address:
    """A server's API, and the name under which it serves a model."""

    base: str  # "http://HOST/v1"
    model: str

    @property
    def is_loopback(self) -> bool:
        """Return whether the server runs on this machine."""
        return urlsplit(self.base).hostname in LOOPBACK

    @property
    def has_clear_text(self) -> bool:
        """Return whether a key would cross a network without encryption."""
        return self.base.startswith("http:") and not self.is_loopback


def is_served(uri: str) -> bool:
    """Return whether a uri names a model on a server."""
    return uri.partition(":")[0] in SCHEMES


def address(uri: str, where: str) -> Address:
    """Return the address in a uri; SuiteError, which begins with `where`, if it is none or contains a secret."""
    base, _, model = uri.partition("#")
    try:
        parts = urlsplit(base)
        host, _ = parts.hostname, parts.port
    except ValueError:
        host = None
    if not host or not model.strip() or model != model.strip():
        raise SuiteError(f"{where}: found {without_secrets(uri)!r}; write http://HOST/v1#MODEL")
    if parts.username is not None or parts.password is not None or parts.query:
        raise SuiteError(
            f"{where}: found a user, a password or a query in the address, which reports show; put the key into an "
            "environment variable, and name the variable: `server: {key: VARIABLE}`"
        )
    if str(Path(model)) != model:
        raise SuiteError(
            f"{where}: found the model {model!r}; write its name without empty parts: {Path(model)}"
        )
    return Address(base=base.rstrip("/"), model=model)


def without_secrets(uri: str) -> str:
    """Return a uri without what stands before its host, and without its query."""
    scheme, _, rest = uri.partition("://")
    place, hash_sign, model = rest.partition("#")
    authority, slash, path = place.partition("?")[0].partition("/")
    return f"{scheme}://{authority.rpartition('@')[2]}{slash}{path}{hash_sign}{model}"
