"""Backends: the code that answers for a model. Each file has a `BACKEND`, found by the scheme of the model's uri.

A file of this package lists its schemes. Another package has an entry point of the group `harness.backends` for each of
its schemes, named like the scheme. A file is quick to import: heavy libraries are imported by the functions that need
them.
"""

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import MISSING, dataclass, fields
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, Protocol, get_args, runtime_checkable

from harness import plugins
from harness.checkpoints.chat import StoredTemplate
from harness.digest import digest
from harness.errors import ModelError, SuiteError, UnknownName
from harness.types import (
    Adapter,
    Decode,
    DeviceKind,
    Generation,
    HeadOutput,
    Likelihoods,
    Model,
    ModelPin,
    Overflow,
    Prompt,
    Runtime,
    Spent,
    Uri,
)

if TYPE_CHECKING:
    from harness.checkpoints.remembered import Remembered
    from harness.files.hardware import Machine
    from harness.neural.load import Base

At = Callable[..., str]  # keys below the model -> "FILE:LINE: dotted.key"

Verb = Literal["write", "likelihoods", "rolling", "head"]  # a method of an open backend
_VERB_TEXTS: Mapping[Verb, str] = {
    "write": "write text",
    "likelihoods": "give the likelihood of texts",
    "rolling": "give the likelihood of a whole text",
    "head": "give the output of a head",
}


@runtime_checkable
class OpenBackend(Protocol):
    """A model that answers. It keeps its memory until it is closed."""

    def write(
        self,
        prompts: Sequence[Prompt],
        decode: Decode,
        overflow: Overflow,
        adapter: Path | None,
        done: Collection[str] = frozenset(),
    ) -> Iterator[Generation]:
        """Yield the answers as they finish, in any order, without those of the samples in `done`.

        Pass all prompts of a block, also those with answers: batches then do not depend on where a crash was.
        """
        ...

    def tokens(self, prompt: Prompt, overflow: Overflow, answer_tokens: int = 0) -> tuple[str, list[int]]:
        """Return a prompt as the model gets it, with `answer_tokens` left for the answer: text and token ids."""
        ...

    def close(self) -> None:
        """Free the memory of the model."""
        ...


@runtime_checkable
class GivesLikelihoods(Protocol):
    """An open backend with the verb `likelihoods`."""

    def likelihoods(
        self,
        prompts: Sequence[Prompt],
        overflow: Overflow,
        adapter: Path | None,
        done: Collection[str] = frozenset(),
    ) -> Iterator[Likelihoods]:
        """Yield how likely each option of a prompt is as its answer, in any order, without the samples in `done`."""
        ...


@runtime_checkable
class ReadsTexts(Protocol):
    """An open backend with the verb `rolling`."""

    def rolling(
        self, prompts: Sequence[Prompt], adapter: Path | None, done: Collection[str] = frozenset()
    ) -> Iterator[Likelihoods]:
        """Yield how likely the whole text of each prompt is, as its one option; a long text is read in several windows."""
        ...


@runtime_checkable
class HasHead(Protocol):
    """An open backend with the verb `head`."""

    def head(
        self,
        prompts: Sequence[Prompt],
        overflow: Overflow,
        adapter: Path | None,
        done: Collection[str] = frozenset(),
    ) -> Iterator[HeadOutput]:
        """Yield the output of the adapter's head for each prompt, in any order, without the samples in `done`."""
        ...


@runtime_checkable
class TracksBase(Protocol):
    """An open backend that tracks on which base an adapter was trained, and how many tokens fit into its memory."""

    budget: "TokensInFlight"

    def unverified_base(self, adapter: Path) -> str | None:
        """Return why it is not known whether the adapter was trained on this base; None where it is known."""
        ...


@runtime_checkable
class CountsSpending(Protocol):
    """An open backend that counts the tokens that it is asked and answers, which may cost money."""

    @property
    def spent(self) -> Spent:
        """Return what was spent since it was opened."""
        ...

    @property
    def doubt(self) -> str | None:
        """Return why its answers may differ the next time, as a clause; None where they are the same."""
        ...


class TokensInFlight(Protocol):
    """The number of tokens in flight at once."""

    tokens: int
    halvings: int  # number of times that memory ran out


@runtime_checkable
class KnowsItsEnds(Protocol):
    """An open backend that knows whether its model has a token that ends an answer."""

    @property
    def endless(self) -> bool:
        """Return whether no token ends an answer: only stop strings and max_new_tokens do."""
        ...


@runtime_checkable
class Trainable(Protocol):
    """An open backend that gives access to its base, so that an adapter can be trained on it."""

    @property
    def base(self) -> "Base":
        """Return the base without any adapter."""
        ...


def pin_by_uri(model: Model, device: DeviceKind, remembered: "Remembered", offline: bool) -> ModelPin:
    """Return the pin of a model without local files: only its uri is known."""
    return ModelPin(
        revision=digest(model.uri),
        parameters=None,
        checkpoint_bytes=None,
        dtype="float32",
        family=model.family,
    )


def refuse_served(adapter: Adapter, model: Model, at: At) -> None:
    """Raise SuiteError for an adapter on a server, whose base is not on one."""
    if Uri.parse(adapter.uri).scheme in ("http", "https"):
        raise SuiteError(
            f"{at('uri')}: found an adapter on a server, and its base {model.uri} is not on that server"
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Backend:
    """A backend: the models that it answers for, and what they can be asked."""

    schemes: tuple[str, ...]  # of its models' uris
    suffix: str = ""  # of its models' uris, where another backend has the scheme as well; asked first
    about: str  # what its models are, as a clause: the reason why they do not have a key of a suite's model
    open: Callable[[Model, ModelPin, Runtime], OpenBackend]
    verbs: tuple[Verb, ...] = ("write",)  # of at least one of its models
    # The reason why a model lacks one of the verbs, as a clause; None where it has the verb.
    lacks: Callable[[Model, ModelPin, Verb], str | None] = lambda model, pin, verb: None
    options: tuple[str, ...] = ()  # keys of a suite's model that it reads, besides name and uri
    # Distributions whose versions can change an answer: they enter the steps' ids.
    libraries: tuple[str, ...] = ()
    # With a temperature above 0, `write` draws by decode.seed and the prompt's sample_id, and by no more: another id is
    # another draw. Only then can several answers to one prompt vote.
    draws_by_id: bool = False
    # Raises SuiteError where the suite names a model that cannot exist.
    check: Callable[[Model, At], None] = lambda model, at: None
    # The model that its name means today. The last argument: do not use the network.
    pin: Callable[[Model, DeviceKind, "Remembered", bool], ModelPin] = pin_by_uri
    # Raises ModelError where its files show that the model cannot be asked; in a fraction of a second, without torch.
    check_askable: Callable[[Model, ModelPin, "Remembered", bool], None] = (
        lambda model, pin, remembered, offline: None
    )
    # Yields warnings about a model and its adapters before it is opened; raises ModelError as opening would.
    examine: Callable[[Model, ModelPin, Runtime, Mapping[str, Path]], Iterator[str]] = (
        lambda model, pin, runtime, adapters: iter(())
    )
    # Yields what is known of a model that its name does not say, for `check`; without the network.
    describe: Callable[[Model, ModelPin], Iterator[str]] = lambda model, pin: iter(())
    # Raises SuiteError for an adapter that cannot be attached to the model.
    check_adapter: Callable[[Adapter, Model, At], None] = refuse_served
    # What an adapter that has no files means today; the last argument: do not use the network. None: adapters are files.
    pin_adapter: Callable[[Adapter, Model, ModelPin, "Remembered", bool], str] | None = None
    # False: the model has to be downloaded first.
    is_here: Callable[[Model, ModelPin], bool] = lambda model, pin: True
    # Where the weights are, downloaded unless the last argument says offline. None: no weights to analyse or to train.
    folder: Callable[[Model, ModelPin, bool], Path] | None = None
    # Its config.json, where that is on this machine: memory and time are estimated from it.
    config: Callable[[Model, ModelPin], Mapping[str, Any] | None] = lambda model, pin: None
    # The chat template that its prompts go through, where that is on this machine.
    chat_template: Callable[[Model, ModelPin], StoredTemplate | None] = lambda model, pin: None
    trains: bool = False  # `open` returns a Trainable
    licence: Callable[[Model, ModelPin], str | None] = lambda model, pin: None  # without the network
    # How its weights are stored, where what is loaded is something else; without the network.
    stored: Callable[[Model, ModelPin], str | None] = lambda model, pin: None
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
        raise SuiteError(f"{place}the plug-in {scheme!r} ({module.__name__}) is not a backend: {problem}")
    assert isinstance(backend, Backend)
    return backend


def of(model: Model) -> Backend:
    """Return the backend that answers for a model: by the suffix of its uri, else by its scheme."""
    uri = Uri.parse(model.uri)
    for backend in _by_suffix():
        if uri.scheme in backend.schemes and uri.place.lower().endswith(backend.suffix):
            return backend
    return find(uri.scheme, f"model {model.name}: {model.uri}")


def check(model: Model, at: At) -> None:
    """Raise SuiteError where the suite names a model that cannot exist, or gives it a key that its backend does not read."""
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
    """Return the folder of a model's weights, downloaded where necessary; ModelError where the model has none."""
    backend = of(model)
    if backend.folder is None:
        raise ModelError(f"model {model.name}: {model.uri} has no weights: {backend.about}")
    return backend.folder(model, pin, offline)


def lacks_draws(model: Model) -> str | None:
    """Return why a model cannot give several answers to a prompt, as a clause; None where it can."""
    backend, scheme = of(model), Uri.parse(model.uri).scheme
    if backend.draws_by_id:
        return None
    return (
        f"model {model.name} cannot vote: {scheme}: models do not promise a new draw for each sample id "
        "(Backend.draws_by_id)"
    )


def lacks_sampling(model: Model, pin: ModelPin) -> str | None:
    """Return why a model cannot be sampled from, as a clause; None where it can."""
    return f"{model.uri} only answers greedily, which is temperature 0" if pin.greedy else None


def trainable(model: Model) -> bool:
    """Return whether adapters can be trained on the model."""
    return of(model).trains


def lacks(model: Model, pin: ModelPin, verb: Verb) -> str | None:
    """Return why a model cannot be asked for a verb, as a clause for plan and report; None where it can."""
    backend, scheme = of(model), Uri.parse(model.uri).scheme
    if verb in backend.verbs:
        return backend.lacks(model, pin, verb)
    can = " and ".join(_VERB_TEXTS[other] for other in backend.verbs)
    return f"model {model.name} cannot {_VERB_TEXTS[verb]}: {scheme}: models can only {can}"


@cache
def _own() -> Mapping[str, Backend]:
    """Return the backends of this package that have a scheme to themselves, by each of their schemes."""
    return {scheme: backend for backend in _files() if not backend.suffix for scheme in backend.schemes}


@cache
def _by_suffix() -> tuple[Backend, ...]:
    """Return the backends of this package that are found by the end of a uri."""
    return tuple(backend for backend in _files() if backend.suffix)


def _files() -> Iterator[Backend]:
    for name in plugins.own_names("backends"):
        yield plugins.find("backends", name).BACKEND


def _problem(backend: object, scheme: str) -> str:
    """Return what is wrong with a plug-in's BACKEND; an empty text where it is sound."""
    if not isinstance(backend, Backend):
        return "it has no `BACKEND = harness.backends.Backend(…)`"
    if scheme not in backend.schemes:
        return f"its BACKEND has the schemes {', '.join(backend.schemes) or '(none)'}"
    for verb in backend.verbs:
        if verb not in get_args(Verb):
            return f"BACKEND.verbs contains {verb!r}; known: {', '.join(get_args(Verb))}"
    known = {field.name for field in fields(Model)}
    for option in backend.options:
        if option not in known:
            return f"BACKEND.options contains {option!r}, which is not a key of a model"
    return "BACKEND.trains without BACKEND.folder" if backend.trains and backend.folder is None else ""
