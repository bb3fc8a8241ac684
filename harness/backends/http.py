"""Models on a server with an API like OpenAI's (`http://HOST/v1#MODEL`): believed what a handshake proves."""

from collections.abc import Iterator
from dataclasses import replace

from harness.backends import At, Backend, Verb, pin_by_uri
from harness.checkpoints.remembered import Remembered
from harness.digest import digest
from harness.errors import AdapterError, ModelError, SuiteError
from harness.files import shipped
from harness.servers import handshake as shake
from harness.servers.adapters import answers_otherwise
from harness.servers.address import SCHEMES, address
from harness.servers.answers import Served
from harness.servers.client import Unanswered, connect
from harness.servers.counting import counter
from harness.types import Adapter, DeviceKind, Model, ModelPin, Runtime, ServerSettings, Uri

NEEDED: dict[Verb, tuple[str, ...]] = {
    "write": (shake.NAME, shake.WRITES),
    "likelihoods": (shake.NAME, shake.ECHOES),
}


def check(model: Model, at: At) -> None:
    """Raise SuiteError for an address that is none or contains a secret, and for settings out of range."""
    address(model.uri, at("uri"))
    settings = settings_of(model)
    for key, least in (("at_once", 1), ("retries", 0), ("patience", 0)):
        if getattr(settings, key) < least:
            raise SuiteError(f"{at('server', key)}: found {getattr(settings, key):g}; give at least {least}")
    if not settings.timeout > 0:
        raise SuiteError(f"{at('server', 'timeout')}: found {settings.timeout:g}; give more than 0 seconds")
    if settings.key is not None and not (settings.key.isidentifier() and settings.key.isascii()):
        raise SuiteError(
            f"{at('server', 'key')}: found no name of an environment variable; write the name of the variable that holds "
            "the key, never the key itself"
        )
    if settings.prices is not None and min(settings.prices.input, settings.prices.output) < 0:
        raise SuiteError(f"{at('server', 'prices')}: found a price below 0; give prices for a million tokens")
    if settings.tokenizer is not None:
        uri = Uri.parse(settings.tokenizer)
        if uri.scheme not in ("hub", "file", "zoo") or not uri.place:
            raise SuiteError(
                f"{at('server', 'tokenizer')}: found {settings.tokenizer!r}; write hub:OWNER/NAME, file:PATH or zoo:NAME"
            )
        if uri.scheme == "zoo" and uri.place not in shipped.zoo_names():
            raise SuiteError(f"{at('server', 'tokenizer')}: no tiny model named {uri.place!r}")


def settings_of(model: Model) -> ServerSettings:
    """Return how a model's server is asked."""
    return model.server or ServerSettings()


def pin(model: Model, device: DeviceKind, remembered: Remembered, offline: bool) -> ModelPin:
    """Return the pin of a model: what its server shows today. Offline, what it showed the last time."""
    settings = settings_of(model)
    key = digest("handshake", shake.VERSION, model.uri, model.chat, settings.tokenizer)
    where = model.uri
    found = remembered.handshakes.get(key)
    if not offline:
        count = counter(settings.tokenizer, where, offline=offline) if settings.tokenizer else None
        client = connect(address(model.uri, where), settings, where)
        try:
            name = client.address.model
            found = shake.handshake(
                shake.Partner(client=client, model=name, chat=model.chat, count=count, where=where)
            )
        finally:
            client.close()
        remembered.handshakes[key] = found
    plain = pin_by_uri(model, device, remembered, offline)
    if found is None:
        return plain
    return replace(
        plain,
        revision=found.seen,
        handshake=replace(found, earlier=offline),
        greedy=not found.proved(shake.SAMPLES),
    )


def lacks(model: Model, pin: ModelPin, verb: Verb) -> str | None:
    """Return why a model cannot be asked for a verb: what its server did not show; None where it can, or was not asked."""
    shown = pin.handshake
    if shown is None:
        return None
    needed = (
        *NEEDED[verb],
        *((shake.TOKENS,) if verb == "likelihoods" and shown.proof(shake.TOKENS) else ()),
    )
    for name in needed:
        proof = shown.proof(name)
        if proof is None or not proof.proved:
            return f"{model.uri} did not prove {name}: {proof.detail if proof else 'not tried'}"
    return None


def describe(model: Model, pin: ModelPin) -> Iterator[str]:
    """Yield what the handshake proved and what it did not, a line each."""
    shown = pin.handshake
    if shown is None:
        yield "its server was not asked (--offline), so what it can do is not known"
        return
    if shown.earlier:
        yield "its server was not asked (--offline); the last time, it showed:"
    who = f", as {shown.answers_as}" if shown.answers_as else ""
    yield f"answers by {'chat' if shown.chat else 'completions'}{who}"
    for proof in shown.proofs:
        yield f"{proof.name}: {'proved' if proof.proved else 'not proved'}: {proof.detail}"


def check_adapter(adapter: Adapter, model: Model, at: At) -> None:
    """Raise SuiteError for an adapter that the model's server does not serve under a name of its own."""
    base = address(model.uri, at("base"))
    if Uri.parse(adapter.uri).scheme not in SCHEMES:
        raise SuiteError(
            f"{at('uri')}: {adapter.uri} cannot be attached to a model on a server; write {base.base}#NAME, the name under "
            "which the server has the adapter"
        )
    own = address(adapter.uri, at("uri"))
    if own.base != base.base:
        raise SuiteError(f"{at('uri')}: found the server {own.base}; its base is on {base.base}")
    if own.model == base.model:
        raise SuiteError(f"{at('uri')}: found the name of its base; write the name of the adapter")


def pin_adapter(adapter: Adapter, model: Model, pin: ModelPin, remembered: Remembered, offline: bool) -> str:
    """Return a digest of how an adapter answers; AdapterError where it does not answer otherwise than its base."""
    key = digest("adapter", shake.VERSION, adapter.uri, pin.revision)
    if offline:
        return remembered.served_adapters.get(key, key)
    settings, where = settings_of(model), adapter.uri
    client = connect(address(model.uri, where), settings, where)
    try:
        name = address(adapter.uri, where).model
        remembered.served_adapters[key] = answers_otherwise(client, name, pin, where)
        return remembered.served_adapters[key]
    except Unanswered as error:
        raise AdapterError(f"{where}: {error}") from error
    finally:
        client.close()


def open_model(model: Model, pin: ModelPin, runtime: Runtime) -> Served:
    """Return the model, ready to be asked."""
    where = f"model {model.name}: {model.uri}"
    if runtime.offline or pin.handshake is None:
        raise ModelError(f"{where}: a server cannot be asked with --offline")
    return Served(connect(address(model.uri, where), settings_of(model), where), pin.handshake, where)


BACKEND = Backend(
    schemes=SCHEMES,
    about="they are on a server, which has their weights",
    verbs=("write", "likelihoods"),
    options=("chat", "family", "server"),
    check=check,
    pin=pin,
    lacks=lacks,
    describe=describe,
    check_adapter=check_adapter,
    pin_adapter=pin_adapter,
    workers=lambda pin, machine: 1,  # which keeps `at_once` requests in flight
    open=open_model,
)
