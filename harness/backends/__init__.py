"""Backends: what can be asked. Each is one file, found by the scheme of a model's uri."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from pathlib import Path
from types import ModuleType
from typing import Protocol, runtime_checkable

from harness import plugins
from harness.types import Decode, Generation, Model, ModelPin, Overflow, Prompt, Runtime

SCHEMES = {"zoo": "hf", "hub": "hf", "file": "hf"}  # any other scheme names its own file
TRAINED = ("hf",)  # the files whose models can be trained; told without importing them, which takes seconds


@runtime_checkable
class Backend(Protocol):
    """A model that answers. It holds memory until it is closed."""

    def write(
        self,
        prompts: Sequence[Prompt],
        decode: Decode,
        overflow: Overflow,
        adapter: Path | None,
        done: Collection[str] = frozenset(),
    ) -> Iterator[Generation]:
        """The answers as they finish, in any order, `done` left out.

        Give all prompts of a block, also those that are answered: batches then do not depend on where a crash was.
        """
        ...

    def tokens(self, prompt: Prompt, overflow: Overflow, answer_tokens: int = 0) -> tuple[str, list[int]]:
        """A prompt exactly as the model gets it when so many tokens are left for the answer: text and token ids."""
        ...

    def close(self) -> None: ...


@runtime_checkable
class Careful(Protocol):
    """A backend that knows more of itself: whom an adapter was trained on, and what its memory holds."""

    budget: "Budget"

    def doubt(self, adapter: Path) -> str | None: ...


class Budget(Protocol):
    tokens: int  # in flight at once
    halvings: int  # how often memory did not suffice


def examine(model: Model, pin: ModelPin, runtime: Runtime, adapters: Mapping[str, Path]) -> Iterator[str]:
    """What is to be said of a model before it is opened; raises ModelError where it, or an adapter, could not be."""
    look = getattr(_module(model), "examine", None)
    return look(model, pin, runtime, adapters) if look is not None else iter(())


def open_backend(model: Model, pin: ModelPin, runtime: Runtime) -> Backend:
    """The model, ready to answer."""
    backend: Backend = _module(model).open_backend(model, pin, runtime)
    return backend


def trainable(model: Model) -> bool:
    """Return whether adapters can be trained on the model."""
    return _name(model) in TRAINED


def _name(model: Model) -> str:
    scheme = model.uri.partition(":")[0]
    return SCHEMES.get(scheme, scheme)


def _module(model: Model) -> ModuleType:
    return plugins.find("backends", _name(model), f"model {model.name}: {model.uri}")
