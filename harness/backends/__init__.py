"""Backends: who answers for a model. Each is a file with a `BACKEND`, found by the scheme of the model's uri.

A file of this package says which schemes it owns. Another package has an entry point of the group `harness.backends` for
each of its schemes, named as the scheme. A file is light: what is heavy is imported by the functions that it declares.
"""

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import MISSING, dataclass, fields
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Literal, Protocol, get_args, runtime_checkable

from harness import plugins
from harness.digest import digest
from harness.errors import ModelError, SuiteError, UnknownName
from harness.types import Decode, DeviceKind, Generation, Model, ModelPin, Overflow, Prompt, Runtime, Uri

if TYPE_CHECKING:
    from harness.checkpoints.remembered import Remembered
    from harness.files.hardware import Machine
    from harness.neural.load import Base

At = Callable[..., str]  # keys below the model -> "FILE:LINE: dotted.key"

Verb = Literal["write", "likelihoods", "head"]  # a method of an open backend
_SAID: Mapping[Verb, str] = {
    "write": "write text",
    "likelihoods": "say how likely given texts are",
    "head": "give what a head puts out",
}


@runtime_checkable
class OpenBackend(Protocol):
    """A model that answers. It holds memory until it is closed."""

    def write(
        self,
        prompts: Sequence[Prompt],
        decode: Decode,
        overflow: Overflow,
        adapter: Path | None,
        done: Collection[str] = frozenset(),
    ) -> Iterator[Generation]:
        """Yield the answers as they finish, in any order, `done` left out.

        Give all prompts of a block, also those that are answered: batches then do not depend on where a crash was.
        """
        ...

    def tokens(self, prompt: Prompt, overflow: Overflow, answer_tokens: int = 0) -> tuple[str, list[int]]:
        """Return a prompt as the model gets it where `answer_tokens` are left for the answer: text and token ids."""
        ...

    def close(self) -> None:
        """Give back the memory."""
        ...


@runtime_checkable
class Careful(Protocol):
    """An open backend that knows on which base an adapter was trained, and how much its memory holds."""

    budget: "Budget"

    def doubt(self, adapter: Path) -> str | None: ...


class Budget(Protocol):
    """How many tokens are in flight at once."""

    tokens: int
    halvings: int  # how often memory did not suffice


@runtime_checkable
class Trainable(Protocol):
    """An open backend that lends its base, so that an adapter can be trained on it."""

    @property
    def base(self) -> "Base": ...


def pin_by_uri(model: Model, device: DeviceKind, remembered: "Remembered", offline: bool) -> ModelPin:
    """Return the pin of a model that has no files here: its uri is all that is known of it."""
    return ModelPin(
        revision=digest(model.uri),
        parameters=None,
        checkpoint_bytes=None,
        dtype="float32",
        family=model.family,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Backend:
    """What a backend's file declares: whose models it answers for, what they are, and what can be asked of them."""

    schemes: tuple[str, ...]  # of its models' uris
    about: str  # what its models are, as a clause: the reason why a key of a suite's model has no meaning for them
    open: Callable[[Model, ModelPin, Runtime], OpenBackend]
    verbs: tuple[Verb, ...] = ("write",)
    options: tuple[str, ...] = ()  # keys of a suite's model that it heeds, besides name and uri
    libraries: tuple[
        str, ...
    ] = ()  # distributions whose versions can move an answer: they enter the steps' ids
    # Raises SuiteError where the suite names a model that cannot be.
    check: Callable[[Model, At], None] = lambda model, at: None
    # What the model's name means today. The last argument: touch no network.
    pin: Callable[[Model, DeviceKind, "Remembered", bool], ModelPin] = pin_by_uri
    # Raises ModelError where files say that the model cannot be asked; in a fraction of a second, without torch.
    check_askable: Callable[[Model, ModelPin, DeviceKind, "Remembered", bool], None] = (
        lambda model, pin, device, remembered, offline: None
    )
    # Yields what is to be said of a model and of its adapters before it is opened; raises ModelError as opening would.
    examine: Callable[[Model, ModelPin, Runtime, Mapping[str, Path]], Iterator[str]] = (
        lambda model, pin, runtime, adapters: iter(())
    )
    is_here: Callable[[Model, ModelPin], bool] = lambda model, pin: (
        True
    )  # False: it has to be downloaded first
    # Where the weights are, downloaded unless the last argument says offline. None: no weights to analyse or to train.
    folder: Callable[[Model, ModelPin, bool], Path] | None = None
    trains: bool = False  # what is opened is Trainable
    licence: Callable[[Model, ModelPin], str | None] = lambda model, pin: None  # no network is asked
    # How many processes may have the model open at once.
    workers: Callable[[ModelPin, "Machine"], int] = lambda pin, machine: machine.cores


def schemes() -> tuple[str, ...]:
    """Return every scheme that a model's uri can have."""
    others = set(plugins.names("backends")) - set(plugins.own_names("backends"))
    return tuple(sorted({*_own(), *others}))


def find(scheme: str, where: str = "") -> Backend:
    """Return the backend of a scheme; UnknownName where there is none, SuiteError where its plug-in is unsound."""
    if scheme in _own():
        return _own()[scheme]
    if scheme not in schemes():
        raise UnknownName("backend", scheme, schemes(), where)
    module = plugins.find("backends", scheme, where)
    backend = getattr(module, "BACKEND", None)
    if problem := _problem(backend, scheme):
        place = f"{where}: " if where else ""
        raise SuiteError(f"{place}the plug-in {scheme!r} ({module.__name__}) is no backend: {problem}")
    assert isinstance(backend, Backend)
    return backend


def of(model: Model) -> Backend:
    """Return the backend that answers for a model."""
    return find(Uri.parse(model.uri).scheme, f"model {model.name}: {model.uri}")


def check(model: Model, at: At) -> None:
    """Raise SuiteError where the suite names a model that cannot be, or gives it a key that means nothing for it."""
    backend, scheme = of(model), Uri.parse(model.uri).scheme
    for field in fields(Model):
        if field.default in (MISSING, getattr(model, field.name)) or field.name in backend.options:
            continue
        raise SuiteError(
            f"{at(field.name)}: {scheme}: models have no {field.name}: {backend.about}; leave it out"
        )
    backend.check(model, at)


def open_backend(model: Model, pin: ModelPin, runtime: Runtime) -> OpenBackend:
    """Return the model, ready to answer."""
    return of(model).open(model, pin, runtime)


def folder(model: Model, pin: ModelPin, *, offline: bool) -> Path:
    """Return the folder of a model's weights, downloaded where they are not here; ModelError where it has none."""
    backend = of(model)
    if backend.folder is None:
        raise ModelError(f"model {model.name}: {model.uri} has no weights: {backend.about}")
    return backend.folder(model, pin, offline)


def trainable(model: Model) -> bool:
    """Return whether adapters can be trained on the model."""
    return of(model).trains


def lacks(model: Model, verb: Verb) -> str | None:
    """Return why a verb cannot be asked of a model, as a sentence for plan and report; None where it can."""
    backend, scheme = of(model), Uri.parse(model.uri).scheme
    if verb in backend.verbs:
        return None
    can = " and ".join(_SAID[each] for each in backend.verbs)
    return f"not applicable: model {model.name} cannot {_SAID[verb]}: {scheme}: models can only {can}"


@cache
def _own() -> Mapping[str, Backend]:
    """Return the backends of this package, by each of their schemes."""
    found: dict[str, Backend] = {}
    for name in plugins.own_names("backends"):
        backend: Backend = plugins.find("backends", name).BACKEND
        found |= dict.fromkeys(backend.schemes, backend)
    return found


def _problem(backend: object, scheme: str) -> str:
    """Return what is wrong with a plug-in's BACKEND; an empty text where it is sound."""
    if not isinstance(backend, Backend):
        return "it has no `BACKEND = harness.backends.Backend(…)`"
    if scheme not in backend.schemes:
        return f"its BACKEND has the schemes {', '.join(backend.schemes) or '(none)'}"
    for verb in backend.verbs:
        if verb not in get_args(Verb):
            return f"BACKEND.verbs holds {verb!r}; known: {', '.join(get_args(Verb))}"
    known = {field.name for field in fields(Model)}
    for option in backend.options:
        if option not in known:
            return f"BACKEND.options holds {option!r}, which is no key of a model"
    return "BACKEND.trains without BACKEND.folder" if backend.trains and backend.folder is None else ""
