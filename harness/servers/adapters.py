"""Prove that a server's adapter is not its base under another name."""

from harness.digest import digest
from harness.errors import AdapterError
from harness.servers import calls
from harness.servers.client import Client
from harness.servers.handshake import DECODE, ECHOES, PROBES, REPEATS
from harness.types import ModelPin, Prompt

LEAST = 1e-3  # nats by which two log-probabilities differ where it is no rounding


def answers_otherwise(client: Client, name: str, pin: ModelPin, where: str) -> str:
    """Return a digest of an adapter's answers; AdapterError where they are those of its base."""
    assert pin.handshake is not None
    chat, base = pin.handshake.chat, client.address.model

    def written(model: str) -> list[str]:
        prompts = [Prompt(sample_id="handshake", before="", input=text, after="") for text in PROBES]
        return [calls.write(client, model, prompt, DECODE, chat=chat, seed=0).text for prompt in prompts]

    of_base, own = written(base), written(name)
    alike = of_base == own
    if alike and pin.handshake.proved(ECHOES):
        alike = not _values_differ(client, base, name)
    if alike:
        raise AdapterError(
            f"{where}: answers {len(PROBES)} prompts as its base {base} does, so it is not proved that the server uses it"
        )
    return digest("adapter", own if pin.handshake.proved(REPEATS) else "other answers each time")


def _values_differ(client: Client, base: str, name: str) -> bool:
    """Return whether base and adapter find the same texts differently likely."""
    for text in PROBES:
        (one,), (other,) = (calls.read_back(client, model, (text,)) for model in (base, name))
        if any(
            abs(a - b) > LEAST
            for a, b in zip(one.logprobs, other.logprobs, strict=False)
            if a is not None and b is not None
        ):
            return True
    return False
